//! Joins glyphs into lines, in reading order.

use bulle_edge_text::script::is_mark;
use unicode_normalization::UnicodeNormalization;

use super::{
    content::Drawn,
    pieces::{Glyph, Piece, TextLine, is_rtl},
    shapes::Shapes,
    sort::sort_by,
    table,
};
use crate::{raised, write::unspaced};

/// Lines of a page, in the order in which they are drawn; if that order jumps up and down, from the top.
pub(super) fn lines(drawn: Drawn) -> Vec<TextLine> {
    let Drawn { mut glyphs, shapes } = drawn;
    let shapes = Shapes::new(shapes);
    shapes.strike(&mut glyphs);
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
    shapes.mark_items(&mut lines);
    let mut lines = table::find(lines);
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
                if last.row.is_none()
                    && line.row.is_none()
                    && (last.y - line.y).abs() < last.size * 0.3
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
    let size = usual_size(letters.clone())?;
    let count = letters.clone().count();
    let bold = letters.clone().filter(|glyph| glyph.bold).count() * 10 >= count * 9;
    let y = letters.clone().find(|glyph| glyph.size >= size * 0.9)?.y;
    let x = letters
        .clone()
        .map(|glyph| glyph.x)
        .min_by(f32::total_cmp)?;
    let end = letters.map(|glyph| glyph.end).max_by(f32::total_cmp)?;
    let glyphs = clusters(glyphs);
    let pieces: Vec<Piece> = split(&glyphs, size)
        .into_iter()
        .filter_map(|glyphs| piece(glyphs, y, size))
        .collect();
    let gaps = pieces.iter().zip(pieces.iter().skip(1));
    let cells = gaps.clone().any(|(a, b)| b.x - a.end > size * 2.0);
    let text = order(glyphs, y, size);
    let text = text.trim();
    (!text.is_empty()).then(|| TextLine {
        text: text.to_owned(),
        x,
        end,
        y,
        size,
        bold,
        cells,
        pieces,
        row: None,
    })
}

/// Least distance between two pieces of a line, in sizes of the font. Spaces of set text may be as wide; the columns of
/// a table stand below each other, too.
const MIN_GAP: f32 = 0.55;

/// The size that most letters of a line have, the largest of them.
fn usual_size<'a>(letters: impl Iterator<Item = &'a Glyph>) -> Option<f32> {
    let mut sizes: Vec<(f32, usize)> = Vec::new();
    for glyph in letters {
        let known = |(size, _): &(f32, usize)| (size - glyph.size).abs() < 0.1;
        match sizes.iter().position(known) {
            Some(at) => {
                if let Some((_, count)) = sizes.get_mut(at) {
                    *count += 1;
                }
            }
            None if sizes.len() < 32 => sizes.push((glyph.size, 1)),
            None => {}
        }
    }
    let most = sizes.into_iter();
    let most = most.max_by(|a, b| a.1.cmp(&b.1).then(a.0.total_cmp(&b.0)));
    most.map(|(size, _)| size)
}

/// The letters of a line in parts between gaps that are wider than words leave.
fn split(glyphs: &[Glyph], size: f32) -> Vec<Vec<Glyph>> {
    let mut out: Vec<Vec<Glyph>> = Vec::new();
    let mut end = f32::MAX;
    for glyph in glyphs {
        let blank = glyph.text.trim().is_empty();
        match out.last_mut() {
            Some(last) if blank || glyph.x - end <= size * MIN_GAP => last.push(glyph.clone()),
            _ if blank => {}
            _ => out.push(vec![glyph.clone()]),
        }
        if !blank {
            end = glyph.end;
        }
    }
    out
}

fn piece(glyphs: Vec<Glyph>, y: f32, size: f32) -> Option<Piece> {
    let letters = || glyphs.iter().filter(|glyph| !glyph.text.trim().is_empty());
    let x = letters().map(|glyph| glyph.x).min_by(f32::total_cmp)?;
    let end = letters().map(|glyph| glyph.end).max_by(f32::total_cmp)?;
    let text = order(glyphs, y, size).trim().to_owned();
    Some(Piece { text, x, end })
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

/// The direction of a letter: right to left, left to right, or that of its neighbours.
fn direction(text: &str) -> Option<bool> {
    let c = text.chars().find(|c| c.is_alphanumeric())?;
    // Digits run from left to right in every script.
    Some(is_rtl(c) && !c.is_numeric())
}

/// The text in reading order: runs from right to left are drawn in visual order.
fn order(glyphs: Vec<Glyph>, y: f32, size: f32) -> String {
    let directions: Vec<Option<bool>> = glyphs.iter().map(|glyph| direction(&glyph.text)).collect();
    let right = directions.iter().filter(|d| **d == Some(true)).count();
    let spaced = spaced(glyphs, y, size);
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

/// The texts of the letters, with spaces where there are gaps. Small digits above or below the base line are raised or
/// lowered.
fn spaced(glyphs: Vec<Glyph>, y: f32, size: f32) -> Vec<String> {
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
        let digits = glyph.text.chars().all(|c| c.is_ascii_digit());
        let small = digits && glyph.size <= size * 0.86 && before.is_some();
        out.push(match (glyph.y - y) / size.max(0.1) {
            up if small && up > 0.15 => raised::superscript("x", &glyph.text),
            down if small && down < -0.05 => raised::subscript(&glyph.text),
            _ => glyph.text.clone(),
        });
        before = Some(glyph);
    }
    out
}
