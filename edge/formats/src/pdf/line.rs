//! Joins glyphs into lines, in reading order.

use bulle_edge_text::script::is_mark;
use unicode_normalization::UnicodeNormalization;

use super::{content::Glyph, sort::sort_by};
use crate::write::unspaced;

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
}

/// Lines of a page, in the order in which they are drawn; if that order jumps up and down, from the top.
pub(super) fn lines(glyphs: Vec<Glyph>) -> Vec<TextLine> {
    let mut lines: Vec<TextLine> = Vec::new();
    let mut run: Vec<Glyph> = Vec::new();
    for glyph in glyphs {
        let follows = run.last().is_none_or(|last| {
            let size = last.size.max(glyph.size).max(1.0);
            // On the base line, or a little off it as notes are; a step far back begins another column.
            (glyph.y - last.y).abs() < size * 0.5 && (glyph.x - last.end).abs() < size * 30.0
        });
        if !follows {
            lines.extend(line(std::mem::take(&mut run)));
        }
        run.push(glyph);
    }
    lines.extend(line(run));
    let ups = lines
        .iter()
        .zip(lines.iter().skip(1))
        .filter(|(above, below)| below.y > above.y + above.size)
        .count();
    if ups > 3 && ups * 5 > lines.len() {
        sort_by(&mut lines, |a, b| {
            b.y.total_cmp(&a.y).then(a.x.total_cmp(&b.x))
        });
    }
    join_same(lines)
}

/// Joins pieces on one base line that were drawn one after the other, such as the cells of a row.
fn join_same(lines: Vec<TextLine>) -> Vec<TextLine> {
    let mut out: Vec<TextLine> = Vec::new();
    for line in lines {
        match out.last_mut() {
            Some(last)
                if (last.y - line.y).abs() < last.size * 0.3
                    && line.x >= last.end
                    && (last.size - line.size).abs() < 0.2 * last.size =>
            {
                last.cells |= line.x > last.end + 2.0 * last.size;
                last.text.push(' ');
                last.text.push_str(&line.text);
                last.end = line.end;
                last.bold &= line.bold;
            }
            _ => out.push(line),
        }
    }
    out
}

fn line(glyphs: Vec<Glyph>) -> Option<TextLine> {
    let letters = glyphs.iter().filter(|glyph| !glyph.text.trim().is_empty());
    // The commonest size counts: a note is small, an initial is large.
    let size = letters
        .clone()
        .map(|glyph| glyph.size)
        .max_by(f32::total_cmp)?;
    let count = letters.clone().count();
    let bold = letters.clone().filter(|glyph| glyph.bold).count() * 10 >= count * 9;
    let y = letters.clone().find(|glyph| glyph.size >= size * 0.9)?.y;
    let x = letters
        .clone()
        .map(|glyph| glyph.x)
        .min_by(f32::total_cmp)?;
    let end = letters.map(|glyph| glyph.end).max_by(f32::total_cmp)?;
    let glyphs = clusters(glyphs);
    let cells = glyphs
        .iter()
        .filter(|glyph| !glyph.text.trim().is_empty())
        .zip(
            glyphs
                .iter()
                .filter(|glyph| !glyph.text.trim().is_empty())
                .skip(1),
        )
        .any(|(before, after)| after.x - before.end > size * 2.0);
    let text = order(glyphs);
    let text = text.trim();
    (!text.is_empty()).then(|| TextLine {
        text: text.to_owned(),
        x,
        end,
        y,
        size,
        bold,
        cells,
    })
}

/// Letters with the marks on them, from left to right.
fn clusters(glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let mut out: Vec<Glyph> = Vec::new();
    for mut glyph in glyphs {
        if glyph
            .text
            .chars()
            .any(|c| matches!(u32::from(c), 0xfb00..=0xfb06 | 0xfb1d..=0xfdff | 0xfe70..=0xfeff))
        {
            glyph.text = glyph.text.nfkc().collect();
        }
        match out.last_mut() {
            Some(last) if glyph.text.chars().all(is_mark) => last.text.push_str(&glyph.text),
            // The letter is drawn twice to look bold.
            Some(last)
                if last.text == glyph.text && (last.x - glyph.x).abs() < glyph.size * 0.08 => {}
            _ => out.push(glyph),
        }
    }
    sort_by(&mut out, |a, b| a.x.total_cmp(&b.x));
    out
}

pub(super) fn is_rtl(c: char) -> bool {
    matches!(u32::from(c), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff)
}

/// The direction of a letter: right to left, left to right, or that of its neighbours.
fn direction(text: &str) -> Option<bool> {
    let c = text.chars().find(|c| c.is_alphanumeric())?;
    // Digits run from left to right in every script.
    Some(is_rtl(c) && !c.is_numeric())
}

/// The text in reading order: runs from right to left are drawn in visual order.
fn order(glyphs: Vec<Glyph>) -> String {
    let directions: Vec<Option<bool>> = glyphs.iter().map(|glyph| direction(&glyph.text)).collect();
    let right = directions.iter().filter(|d| **d == Some(true)).count();
    let spaced = spaced(glyphs);
    if right == 0 {
        return spaced.concat();
    }
    let left = spaced
        .iter()
        .filter(|text| text.chars().any(|c| c.is_alphabetic() && !is_rtl(c)))
        .count();
    let base = right >= left;
    // Runs of one direction. Neutral characters take the direction of their neighbours if these agree, else that of the
    // line.
    let kinds: Vec<Option<bool>> = spaced.iter().map(|text| direction(text)).collect();
    let mut runs: Vec<(bool, Vec<String>)> = Vec::new();
    for (at, text) in spaced.into_iter().enumerate() {
        let kind = kinds.get(at).copied().flatten().unwrap_or_else(|| {
            let before = kinds
                .get(..at)
                .and_then(|kinds| kinds.iter().rev().find_map(|kind| *kind));
            let after = kinds
                .get(at..)
                .and_then(|kinds| kinds.iter().find_map(|kind| *kind));
            match (before, after) {
                (Some(before), Some(after)) if before == after => before,
                _ => base,
            }
        });
        match runs.last_mut() {
            Some((last, texts)) if *last == kind => texts.push(text),
            _ => runs.push((kind, vec![text])),
        }
    }
    for (right, texts) in &mut runs {
        if *right {
            texts.reverse();
            for text in texts {
                *text = text.chars().map(mirrored).collect();
            }
        }
    }
    if base {
        runs.reverse();
    }
    runs.into_iter().flat_map(|(_, texts)| texts).collect()
}

fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '«' => '»',
        '»' => '«',
        c => c,
    }
}

/// Joins the texts of the letters, with spaces where there are gaps.
fn spaced(glyphs: Vec<Glyph>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut before: Option<Glyph> = None;
    for glyph in glyphs {
        if let Some(before) = &before {
            let gap = glyph.x - before.end;
            let edge = |c: Option<char>| c.is_some_and(unspaced);
            let dense = edge(before.text.chars().next_back()) && edge(glyph.text.chars().next());
            let wide = glyph.size.max(before.size) * if dense { 0.9 } else { 0.19 };
            let blank = |text: &str| text.chars().all(char::is_whitespace);
            if gap > wide && !blank(&before.text) && !blank(&glyph.text) {
                out.push(" ".to_owned());
            }
        }
        out.push(glyph.text.clone());
        before = Some(glyph);
    }
    out
}
