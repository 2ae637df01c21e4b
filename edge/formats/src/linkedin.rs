//! The archive that LinkedIn exports of a member's data: the CV is read, and data of other people is not.

use std::collections::HashMap;

use crate::{Document, File, Unreadable, charset, table, unpack::Archive, write};

/// A section of the CV, and the file of the archive that it is made of.
struct CvSection {
    file: &'static str,
    heading: &'static str,
    /// Columns that make the heading of an entry; empty: the entry is an item of a list.
    title: &'static [&'static str],
    /// First and last day.
    dates: [&'static str; 2],
    /// Columns that are written as `name: value`.
    facts: &'static [&'static str],
    /// The column of running text.
    text: &'static str,
}

const fn section(
    file: &'static str,
    heading: &'static str,
    title: &'static [&'static str],
) -> CvSection {
    CvSection {
        file,
        heading,
        title,
        dates: ["Started On", "Finished On"],
        facts: &[],
        text: "Description",
    }
}

const CV_SECTIONS: &[CvSection] = &[
    CvSection {
        facts: &["Location"],
        ..section("Positions.csv", "Experience", &["Title", "Company Name"])
    },
    CvSection {
        dates: ["Start Date", "End Date"],
        facts: &["Activities"],
        text: "Notes",
        ..section(
            "Education.csv",
            "Education",
            &["Degree Name", "School Name"],
        )
    },
    section("Skills.csv", "Skills", &[]),
    section("Languages.csv", "Languages", &[]),
    CvSection {
        facts: &["Authority", "License Number", "Url"],
        ..section("Certifications.csv", "Certifications", &["Name"])
    },
    CvSection {
        facts: &["Url"],
        ..section("Projects.csv", "Projects", &["Title"])
    },
    CvSection {
        dates: ["Published On", ""],
        facts: &["Publisher", "Url"],
        ..section("Publications.csv", "Publications", &["Name"])
    },
    CvSection {
        dates: ["Issued On", ""],
        ..section("Honors.csv", "Honors", &["Title"])
    },
    CvSection {
        facts: &["Number", "Url"],
        dates: ["Issued On", ""],
        ..section("Patents.csv", "Patents", &["Title"])
    },
    CvSection {
        facts: &["Number"],
        ..section("Courses.csv", "Courses", &["Name"])
    },
    section("Organizations.csv", "Organizations", &["Position", "Name"]),
    CvSection {
        facts: &["Cause"],
        ..section(
            "Volunteering.csv",
            "Volunteering",
            &["Role", "Company Name"],
        )
    },
];

/// Whether the archive is one of LinkedIn's, by the names of its files.
pub(crate) fn is_export<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let last = |name: &'a str| name.rsplit('/').next().unwrap_or(name);
    let known = names.map(last).filter(|name| {
        matches!(
            *name,
            "Profile.csv" | "Positions.csv" | "Education.csv" | "Skills.csv" | "Connections.csv"
        )
    });
    known.count() >= 2
}

/// The CV.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let mut archive = Archive::open(file.bytes)?;
    let mut rows = |name: &str| -> Result<Vec<HashMap<String, String>>, Unreadable> {
        let path = archive
            .names()
            .find(|path| path.rsplit('/').next() == Some(name))
            .map(str::to_owned);
        let Some(path) = path else {
            return Ok(Vec::new());
        };
        let bytes = archive.read(&path)?.unwrap_or_default();
        records(&charset::decode(&bytes, None))
    };
    let mut out = String::new();
    let profile = rows("Profile.csv")?.into_iter().next().unwrap_or_default();
    let of =
        |row: &HashMap<String, String>, column: &str| row.get(column).cloned().unwrap_or_default();
    let name = write::flat(&format!(
        "{} {}",
        of(&profile, "First Name"),
        of(&profile, "Last Name")
    ));
    write::heading(&mut out, 1, &write::escape(&name), None);
    write::paragraph(&mut out, &of(&profile, "Headline"));
    for (column, label) in [
        ("Geo Location", "Location"),
        ("Industry", "Industry"),
        ("Websites", "Websites"),
    ] {
        fact(&mut out, label, &of(&profile, column));
    }
    write::blank_line(&mut out);
    if !of(&profile, "Summary").trim().is_empty() {
        write::heading(&mut out, 2, "Summary", None);
        paragraphs(&mut out, &of(&profile, "Summary"));
    }
    for part in CV_SECTIONS {
        let rows = rows(part.file)?;
        if !rows.is_empty() {
            write::heading(&mut out, 2, part.heading, None);
        }
        for row in &rows {
            part.write(&mut out, row);
        }
        write::blank_line(&mut out);
    }
    // Recommendations by others, which the member shows.
    let praise = rows("Recommendations_Received.csv")?;
    let shown: Vec<_> = praise
        .iter()
        .filter(|row| matches!(of(row, "Status").as_str(), "" | "VISIBLE"))
        .collect();
    if !shown.is_empty() {
        write::heading(&mut out, 2, "Recommendations", None);
    }
    for row in shown {
        let by = write::flat(&format!(
            "{} {}",
            of(row, "First Name"),
            of(row, "Last Name")
        ));
        let role: Vec<String> = ["Job Title", "Company"]
            .map(|column| of(row, column))
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        let heading = if role.is_empty() {
            by
        } else {
            format!("{by}, {}", role.join(", "))
        };
        write::heading(&mut out, 3, &write::escape(&heading), None);
        paragraphs(&mut out, &of(row, "Text"));
    }
    Ok(Document {
        title: if name.is_empty() {
            "LinkedIn".to_owned()
        } else {
            name
        },
        body: out,
        ..Document::default()
    })
}

/// Rows by the names of their columns. Some files have notes before the line of names.
fn records(text: &str) -> Result<Vec<HashMap<String, String>>, Unreadable> {
    let mut rows = table::rows_by(text, b',')?.into_iter();
    let Some(head) = rows.next() else {
        return Ok(Vec::new());
    };
    Ok(rows
        .map(|row| head.iter().cloned().zip(row).collect())
        .collect())
}

impl CvSection {
    fn write(&self, out: &mut String, row: &HashMap<String, String>) {
        let of = |column: &str| {
            row.get(column)
                .map(|value| write::flat(value))
                .unwrap_or_default()
        };
        let [from, to] = self.dates.map(of);
        let dates = match (from.is_empty(), to.is_empty()) {
            (true, true) => String::new(),
            (false, true) if self.dates.contains(&"") => from,
            (false, true) => format!("since {from}"),
            (true, false) => format!("until {to}"),
            (false, false) => format!("{from} – {to}"),
        };
        if self.title.is_empty() {
            let proficiency = of("Proficiency");
            let name = of("Name");
            let text = if proficiency.is_empty() {
                name
            } else {
                format!("{name}: {proficiency}")
            };
            write::item(out, 0, &write::escape(&text));
            return;
        }
        let title: Vec<String> = self
            .title
            .iter()
            .map(|column| of(column))
            .filter(|text| !text.is_empty())
            .collect();
        write::heading(out, 3, &write::escape(&title.join(", ")), None);
        fact(out, "Dates", &dates);
        for column in self.facts {
            fact(
                out,
                if *column == "Url" { "Link" } else { column },
                &of(column),
            );
        }
        write::blank_line(out);
        paragraphs(
            out,
            row.get(self.text).map(String::as_str).unwrap_or_default(),
        );
    }
}

fn fact(out: &mut String, label: &str, value: &str) {
    let value = write::flat(value);
    if !value.is_empty() {
        write::item(out, 0, &format!("{label}: {}", write::escape(&value)));
    }
}

fn paragraphs(out: &mut String, text: &str) {
    for paragraph in text.split("\n\n") {
        write::paragraph(out, paragraph);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../tests/samples/linkedin.zip");

    #[test]
    fn an_export_becomes_a_cv_without_the_words_of_others() {
        let file = File {
            name: "x.zip",
            content_type: None,
            url: "",
            bytes: SAMPLE,
        };
        let document = read(&file).unwrap();
        assert_eq!(document.title, "Élise Moreau");
        assert!(!document.body.contains("private") && !document.body.contains("Hidden"));
        insta::assert_snapshot!(document.body);
    }

    proptest::proptest! {
        #[test]
        fn a_broken_archive_does_not_panic(at in 0..SAMPLE.len(), byte: u8, cut in 0..SAMPLE.len() * 4) {
            let mut bytes = SAMPLE.to_vec();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            let _ = read(&File { name: "", content_type: None, url: "", bytes: &bytes });
        }
    }
}
