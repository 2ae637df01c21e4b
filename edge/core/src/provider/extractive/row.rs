//! Rows of tables, as chunks have them: `Item: E-bike; Half day: €29; Day: €45`.

/// Longest heading of a column, in characters; what is longer is a sentence.
const MAX_HEAD: usize = 60;

/// A cell with the heading of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Empty where the column has none.
    pub head: &'a str,
    /// What stands in it.
    pub value: &'a str,
}

/// A row; its first cell names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// In the order of the columns.
    pub cells: Vec<Cell<'a>>,
}

impl<'a> Row<'a> {
    /// The row that a line is, without the mark of an item; `None` for an item of a list. All of its cells but the first have a
    /// heading, or none has.
    pub fn of(line: &'a str) -> Option<Self> {
        let cells: Vec<Cell<'a>> = line.split("; ").map(cell).collect();
        let rest = cells.get(1..).filter(|rest| !rest.is_empty())?;
        let headed = rest.iter().all(|cell| !cell.head.is_empty());
        headed.then_some(Self { cells })
    }

    /// What names it.
    pub fn name(&self) -> &'a str {
        self.cells.first().map_or("", |cell| cell.value)
    }

    /// The headings of its columns.
    pub fn heads(&self) -> Vec<&'a str> {
        self.cells.iter().map(|cell| cell.head).collect()
    }

    /// Whether it stands in the same table as the other: in an empty cell's place there is none.
    pub fn is_beside(&self, other: &Self) -> bool {
        let (one, two) = (self.heads(), other.heads());
        one.iter().all(|head| two.contains(head)) || two.iter().all(|head| one.contains(head))
    }
}

fn cell(text: &str) -> Cell<'_> {
    match text.split_once(": ") {
        Some((head, value)) if head.chars().count() <= MAX_HEAD => Cell { head, value },
        _ => Cell {
            head: "",
            value: text,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_from_items() {
        let row = Row::of("Item: E-bike; Half day: €29; Day: €45").unwrap();
        assert_eq!(
            (row.name(), row.heads()),
            ("E-bike", vec!["Item", "Half day", "Day"])
        );
        assert_eq!(Row::of("E-bike; Day: €45").unwrap().name(), "E-bike");
        for item in [
            "A photo ID",
            "Terraform: since 2018",
            "Soup; bread",
            "Street: du Four",
        ] {
            assert_eq!(Row::of(item), None, "{item}");
        }
    }
}
