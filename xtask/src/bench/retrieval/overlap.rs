//! `cargo xtask bench retrieval --overlap --set FILE`: whether chunks should repeat the end of the chunk before. The
//! paragraphs of each document are joined to one text, which is cut as the Worker cuts it; a question counts as
//! answered by a chunk with the words of the answer.

use bulle_edge_text::{Document, sentences};
use std::path::Path;

use anyhow::{Context, Result, bail};
use bulle_edge_core::{
    knowledge::chunk::{self, chunks},
    retrieval::golden::{mrr, recall},
};

use super::{Row, by_us, fill, read};
use crate::bench::sqlite::Sqlite;

/// How many sentences of the chunk before are repeated.
const SENTENCES: [usize; 4] = [0, 1, 2, 4];

/// Prints a line for each amount of overlap.
pub fn run(file: &Path) -> Result<()> {
    let (set, language) = read(file)?;
    for repeated in SENTENCES {
        let rows: Vec<Row> = (set.data.iter().zip(0..))
            .flat_map(|(document, number)| {
                let paragraphs = document.paragraphs.iter();
                let texts: Vec<&str> = paragraphs.map(|one| one.context.as_str()).collect();
                let whole = Document {
                    body: texts.join("\n\n"),
                    ..Document::default()
                };
                let chunks: Vec<String> = chunks(&whole).into_iter().map(|c| c.text).collect();
                let before = std::iter::once("").chain(chunks.iter().map(String::as_str));
                (chunks.iter().zip(before))
                    .map(|(chunk, before)| Row {
                        document: number,
                        title: document.title.clone(),
                        text: format!("{}{chunk}", end(before, repeated)),
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let database = Sqlite::new()?;
        fill(&database, &rows, &language)?;
        let mut places = Vec::new();
        for (document, number) in set.data.iter().zip(0..) {
            let questions = document.paragraphs.iter().flat_map(|one| &one.qas);
            for question in questions.filter(|question| !question.is_impossible) {
                let Some(answer) = question.answers.first() else {
                    bail!("its questions have no answers");
                };
                let holds = |id: &i64| {
                    let row = usize::try_from(*id - 1).ok().and_then(|at| rows.get(at));
                    row.is_some_and(|row| row.document == number && row.text.contains(&answer.text))
                };
                let found = by_us(&database, &question.question, &language)?;
                let place = found.iter().position(|found| holds(&found.hit.id));
                places.push(place.map(|place| place + 1));
            }
        }
        let size: usize = rows.iter().map(|row| chunk::size(&row.text)).sum();
        let name = file.file_stem().context("a file has a name")?;
        println!(
            "{:20} {repeated:9} {:9} {size:9} | {:.3} {:.3} {:.3}",
            name.to_string_lossy(),
            rows.len(),
            recall(&places, 1),
            recall(&places, 5),
            mrr(&places),
        );
    }
    Ok(())
}

/// The last sentences of a text, on a line.
fn end(text: &str, count: usize) -> String {
    let all: Vec<&str> = text.lines().flat_map(sentences).collect();
    let last = all
        .get(all.len().saturating_sub(count)..)
        .unwrap_or_default();
    match last {
        [] => String::new(),
        last => format!("{}\n", last.join(" ")),
    }
}
