//! Joins lines into headings, paragraphs and lists.

use std::collections::HashMap;

use super::{
    line::{TextLine, is_rtl},
    sort::sort_by,
};
use crate::write;

/// The Markdown of pages, each with a page mark before it, and the first large heading.
pub(super) fn markdown(mut pages: Vec<Vec<TextLine>>) -> (String, String) {
    let body = body_size(&pages);
    drop_running_heads(&mut pages, body);
    let usual = usual_gap(&pages);
    let mut out = String::new();
    let mut title = String::new();
    for (lines, number) in pages.into_iter().zip(1..) {
        if lines.is_empty() {
            continue;
        }
        write::block(&mut out, &format!("<!-- page {number} -->"));
        for block in blocks(lines, usual) {
            block.write(&mut out, body, &mut title);
        }
        write::blank_line(&mut out);
    }
    (out, title)
}

/// Drops running heads: lines at the top or bottom of most pages that differ in numbers alone.
fn drop_running_heads(pages: &mut [Vec<TextLine>], body: f32) {
    let key = |line: &TextLine| -> String {
        line.text
            .chars()
            .map(|c| if c.is_numeric() { '#' } else { c })
            .collect()
    };
    // The first and the last row, where they stand apart from the rest and are not large.
    let edges = |lines: &[TextLine]| -> Vec<usize> {
        let extreme = |pick: fn(f32, f32) -> f32| lines.iter().map(|line| line.y).reduce(pick);
        let (Some(top), Some(bottom)) = (extreme(f32::max), extreme(f32::min)) else {
            return Vec::new();
        };
        let apart = |line: &TextLine| {
            lines
                .iter()
                .map(|other| (other.y - line.y).abs())
                .filter(|distance| *distance > line.size * 0.5)
                .all(|distance| distance > line.size * 1.7)
        };
        let at_edge = |line: &TextLine| (top - line.y).min(line.y - bottom) < line.size * 0.5;
        (0..lines.len())
            .filter(|at| {
                let line = lines.get(*at);
                line.is_some_and(|line| line.size <= body * 1.2 && at_edge(line) && apart(line))
            })
            .collect()
    };
    let mut seen: HashMap<String, usize> = HashMap::new();
    for lines in pages.iter() {
        for line in edges(lines).iter().filter_map(|at| lines.get(*at)) {
            *seen.entry(key(line)).or_default() += 1;
        }
    }
    let most = (pages.len() * 2 / 5).max(3);
    for lines in pages.iter_mut() {
        let at_edge = edges(lines);
        let mut at = 0;
        let mut kept = lines.len();
        lines.retain(|line| {
            let runs =
                at_edge.contains(&at) && seen.get(&key(line)).is_some_and(|count| *count >= most);
            at += 1;
            // A page with no other lines keeps them.
            if runs && kept > 1 {
                kept -= 1;
                return false;
            }
            true
        });
    }
}

/// The commonest size of letters.
fn body_size(pages: &[Vec<TextLine>]) -> f32 {
    let mut sizes: HashMap<i32, usize> = HashMap::new();
    for line in pages.iter().flatten() {
        *sizes.entry(rounded(line.size)).or_default() += line.text.chars().count();
    }
    let most = sizes
        .into_iter()
        .max_by_key(|(size, count)| (*count, -size));
    most.map_or(10.0, |(size, _)| size as f32 / 2.0)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "bounded before: half points of a font's size"
)]
fn rounded(size: f32) -> i32 {
    (size.clamp(0.0, 10_000.0) * 2.0).round() as i32
}

/// The distance of base lines within paragraphs, in sizes of the font.
fn usual_gap(pages: &[Vec<TextLine>]) -> f32 {
    let mut gaps: Vec<f32> = pages
        .iter()
        .flat_map(|lines| lines.iter().zip(lines.iter().skip(1)))
        .filter(|(above, below)| (above.size - below.size).abs() < 0.6)
        .map(|(above, below)| (above.y - below.y) / above.size.max(1.0))
        .filter(|gap| (0.8..1.9).contains(gap))
        .collect();
    sort_by(&mut gaps, f32::total_cmp);
    // The lower quarter is the distance within paragraphs even where most are of one line.
    gaps.get(gaps.len() / 4).copied().unwrap_or(1.2)
}

/// Lines that form a heading, paragraph or item.
struct TextBlock {
    lines: Vec<TextLine>,
}

/// Cuts a page into blocks: where the distance, the size or the weight of lines changes, and at items.
fn blocks(lines: Vec<TextLine>, usual: f32) -> Vec<TextBlock> {
    let follows = |above: &TextLine, line: &TextLine| {
        let gap = (above.y - line.y) / above.size.max(1.0);
        (above.size - line.size).abs() < 0.6
            && above.bold == line.bold
            && is_right(above) == is_right(line)
            && (-0.3..usual * 1.25).contains(&gap)
            && !above.cells
            && !line.cells
    };
    // Where the lines that stand close together end, on both sides.
    let mut edges: Vec<(f32, f32)> = Vec::with_capacity(lines.len());
    let mut rest = lines.as_slice();
    while !rest.is_empty() {
        let pairs = rest.iter().zip(rest.iter().skip(1));
        let count = 1 + pairs
            .take_while(|(above, line)| follows(above, line))
            .count();
        let (group, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        rest = after;
        let edge = group.iter().fold((f32::MAX, f32::MIN), |(x, end), line| {
            (x.min(line.x), end.max(line.end))
        });
        edges.extend(std::iter::repeat_n(edge, group.len()));
    }
    let mut out: Vec<TextBlock> = Vec::new();
    for (line, edge) in lines.into_iter().zip(edges) {
        let joins = out
            .last()
            .and_then(|block| block.lines.last())
            .is_some_and(|above| {
                follows(above, &line) && item(&line.text).is_none() && !had_room(above, &line, edge)
            });
        match out.last_mut().filter(|_| joins) {
            Some(block) => block.lines.push(line),
            None => out.push(TextBlock { lines: vec![line] }),
        }
    }
    out
}

fn is_right(line: &TextLine) -> bool {
    line.text
        .chars()
        .find(|c| c.is_alphabetic())
        .is_some_and(is_rtl)
}

/// Whether the first word of a line would have fit on the line above: then the line above ends a paragraph.
fn had_room(above: &TextLine, below: &TextLine, (left, right): (f32, f32)) -> bool {
    let word = below.text.split_whitespace().next().unwrap_or_default();
    let dense = word.chars().next().is_some_and(write::unspaced);
    let letters = if dense {
        3
    } else {
        word.chars().take(40).count() + 2
    };
    let room = if is_right(above) {
        above.x - left
    } else {
        right - above.end
    };
    room > f32::from(u8::try_from(letters).unwrap_or(40))
        * above.size
        * if dense { 1.0 } else { 0.6 }
}

impl TextBlock {
    fn write(self, out: &mut String, body: f32, title: &mut String) {
        let text = self.text();
        let size = self.lines.iter().map(|line| line.size).fold(0.0, f32::max);
        let bold = self.lines.iter().all(|line| line.bold);
        let short = self.lines.len() <= 3
            && text.chars().count() <= 160
            && text.chars().any(char::is_alphabetic);
        let ends = text.ends_with(['.', ',', ';', ':', '。', '،']);
        let level = match size / body.max(1.0) {
            _ if !short => None,
            ratio if ratio >= 1.7 => Some(1),
            ratio if ratio >= 1.35 => Some(2),
            ratio if ratio >= 1.12 && !ends => Some(3),
            _ if bold
                && self.lines.len() == 1
                && !self.lines.iter().any(|line| line.cells)
                && !ends
                && text.chars().count() <= 80
                && item(&text).is_none() =>
            {
                Some(4)
            }
            _ => None,
        };
        if let Some(level) = level {
            if title.is_empty() && level <= 2 {
                *title = write::flat(&text);
            }
            write::heading(out, level, &write::escape(&text), None);
        } else if let Some(item) = item(&text) {
            write::item(out, 0, &write::escape(item));
        } else {
            write::paragraph(out, &text);
        }
    }

    /// Joins lines into one; a word that was hyphenated at the end of a line is whole again.
    fn text(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            let parted = out.ends_with(['-', '\u{ad}', '‐'])
                && out.chars().rev().nth(1).is_some_and(char::is_lowercase)
                && line.text.starts_with(char::is_lowercase);
            if parted {
                out.pop();
            } else if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&line.text);
        }
        out
    }
}

/// The text of an item.
fn item(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['•', '‣', '◦', '▪', '●', '○', '■', '–', '·', '\u{f0b7}', '-'])?;
    (rest.starts_with(char::is_whitespace) || line.starts_with(['•', '●', '\u{f0b7}']))
        .then(|| rest.trim())
}
