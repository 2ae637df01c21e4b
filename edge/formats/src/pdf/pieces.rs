//! Letters, lines of text and their parts, with the places where they are drawn.

/// The text that one code draws, mostly a letter.
#[derive(Clone, Debug)]
pub(super) struct Glyph {
    pub(super) text: String,
    /// Left and right end and base line, in points, as the page is looked at: `y` grows upwards.
    pub(super) x: f32,
    pub(super) end: f32,
    pub(super) y: f32,
    /// Height of the font as drawn.
    pub(super) size: f32,
    pub(super) bold: bool,
}

/// A line of text.
#[derive(Clone, Debug)]
pub(super) struct TextLine {
    pub(super) text: String,
    pub(super) x: f32,
    pub(super) end: f32,
    pub(super) y: f32,
    pub(super) size: f32,
    pub(super) bold: bool,
    /// Whether the line has wide gaps, like the row of a table.
    pub(super) cells: bool,
    /// Its parts between such gaps.
    pub(super) pieces: Vec<Piece>,
    /// The row of a table that it is.
    pub(super) row: Option<Row>,
}

impl TextLine {
    /// Puts the mark of an item before the line, drawn from `x` to `end`.
    pub(super) fn mark(&mut self, x: f32, end: f32) {
        self.text.insert_str(0, "• ");
        let piece = if x < self.x {
            self.pieces.first_mut()
        } else {
            self.pieces.last_mut()
        };
        if let Some(piece) = piece {
            piece.text.insert_str(0, "• ");
            piece.x = piece.x.min(x);
            piece.end = piece.end.max(end);
        }
        self.x = self.x.min(x);
        self.end = self.end.max(end);
    }

    /// The row of a table, which some lines are.
    pub(super) fn of_row(lines: &[&Self], row: Row) -> Option<Self> {
        let first = lines.first()?;
        Some(Self {
            text: row.cells.join(" ").trim().to_owned(),
            x: lines.iter().map(|line| line.x).fold(f32::MAX, f32::min),
            end: lines.iter().map(|line| line.end).fold(f32::MIN, f32::max),
            y: first.y,
            size: first.size,
            bold: lines.iter().all(|line| line.bold),
            cells: true,
            pieces: Vec::new(),
            row: Some(row),
        })
    }
}

/// The row of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Number of the table on its page.
    pub(super) table: usize,
    /// Its cells, one a column, in the order of reading.
    pub(super) cells: Vec<String>,
    /// Where the columns begin and end.
    pub(super) columns: Vec<(f32, f32)>,
}

/// A piece of a line that stands apart from the others.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) x: f32,
    pub(super) end: f32,
}

/// Whether a letter is of a script that is written from the right.
pub(super) fn is_rtl(c: char) -> bool {
    matches!(u32::from(c), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff)
}
