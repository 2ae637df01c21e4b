//! Finds tables by the positions of words: rows by base lines, columns by x positions.
//!
//! PDF has no tables, only positioned text. Several base lines whose pieces of text are aligned in the same columns are a table.
//! Columns of running text are aligned, too, but their pieces are long. A base line close below a row, without text in the first
//! column, continues the cells of that row.

use super::{
    pieces::{Piece, Row, TextLine, is_rtl},
    sort::sort_by,
};
use crate::grid;

/// Pieces on one base line.
struct Band {
    y: f32,
    size: f32,
    pieces: Vec<Piece>,
    /// Places of the lines that they are of.
    lines: Vec<usize>,
}

/// Average characters from which a column is running text.
const PROSE: usize = 25;

/// The same where its page is drawn column by column.
const PROSE_BY_COLUMN: usize = 15;

/// Most distance between the base lines of two rows, in sizes of the font.
const MAX_ROW_GAP: f32 = 4.5;

/// Characters from which a line of one piece is running text, no title or cell of a table.
const LONG_LINE: usize = 50;

/// The lines of a page with those of its tables as rows.
pub(super) fn find(lines: Vec<TextLine>) -> Vec<TextLine> {
    if !lines.iter().any(|line| line.pieces.len() > 1 || line.cells) && lines.len() < 4 {
        return lines;
    }
    let bands = bands(&lines);
    let mut rows: Vec<(usize, TextLine)> = Vec::new();
    let mut taken = vec![false; lines.len()];
    let mut runs = runs(&bands);
    while let Some((from, to)) = runs.pop() {
        let run = bands.get(from..to).unwrap_or_default();
        if run.len() < 2 {
            continue;
        }
        let found = tables(run);
        // What is in no table may be in one with other columns.
        let mut rest = from;
        for table in &found {
            let used = table.rows.iter().flat_map(|(bands, _)| bands);
            let (first, last) = used.fold((usize::MAX, 0), |(first, last), at| {
                (first.min(*at), last.max(*at))
            });
            runs.push((rest, from + first));
            rest = from + last + 1;
        }
        if !found.is_empty() {
            runs.push((rest, to));
        } else if let Some(at) = widest_gap(run) {
            runs.push((from, from + at));
            runs.push((from + at, to));
        }
        for table in found {
            let number = rows.len();
            for (members, cells) in table.rows {
                let members = members.iter().filter_map(|at| run.get(*at));
                let places: Vec<usize> = members.flat_map(|band| band.lines.clone()).collect();
                for place in &places {
                    if let Some(taken) = taken.get_mut(*place) {
                        *taken = true;
                    }
                }
                let all: Vec<&TextLine> = places.iter().filter_map(|at| lines.get(*at)).collect();
                let row = Row {
                    table: number,
                    cells,
                    columns: table.columns.clone(),
                };
                if let Some(line) = TextLine::of_row(&all, row) {
                    rows.push((places.iter().copied().min().unwrap_or(0), line));
                }
            }
        }
    }
    merged(lines, &rows, &taken)
}

/// Bands that stand close to each other, from one to before another. Running text parts them.
fn runs(bands: &[Band]) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut from = 0;
    let mut above: Option<&Band> = None;
    for (at, band) in bands.iter().enumerate() {
        let far = above.is_some_and(|above| above.y - band.y > above.size * MAX_ROW_GAP);
        let running =
            matches!(band.pieces.as_slice(), [only] if only.text.chars().count() >= LONG_LINE);
        if far || running {
            out.push((from, at));
            from = if running { at + 1 } else { at };
        }
        above = Some(band);
    }
    out.push((from, bands.len()));
    out
}

/// Before which band the distance is widest.
fn widest_gap(run: &[Band]) -> Option<usize> {
    let gaps = run.iter().zip(run.iter().skip(1));
    let gaps = gaps.map(|(above, below)| above.y - below.y).zip(1..);
    gaps.max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, at)| at)
}

/// The lines that are in no table, and where its first one was drawn, each table.
fn merged(lines: Vec<TextLine>, rows: &[(usize, TextLine)], taken: &[bool]) -> Vec<TextLine> {
    let number = |line: &TextLine| line.row.as_ref().map(|row| row.table);
    let mut starts: Vec<(Option<usize>, usize)> = Vec::new();
    for (place, row) in rows {
        match starts.iter_mut().find(|(table, _)| *table == number(row)) {
            Some((_, start)) => *start = (*start).min(*place),
            None => starts.push((number(row), *place)),
        }
    }
    let mut out = Vec::with_capacity(lines.len());
    for (at, line) in lines.into_iter().enumerate() {
        for (table, _) in starts.iter().filter(|(_, start)| *start == at) {
            let own = rows.iter().filter(|(_, row)| number(row) == *table);
            out.extend(own.map(|(_, row)| row.clone()));
        }
        if !taken.get(at).copied().unwrap_or(false) {
            out.push(line);
        }
    }
    out
}

/// The pieces of a page by base lines, from above.
fn bands(lines: &[TextLine]) -> Vec<Band> {
    let mut order: Vec<usize> = (0..lines.len()).collect();
    let place = |at: &usize| lines.get(*at).map_or((0.0, 0.0), |line| (line.y, line.x));
    sort_by(&mut order, |a, b| {
        let ((y, x), (other_y, other_x)) = (place(a), place(b));
        other_y.total_cmp(&y).then(x.total_cmp(&other_x))
    });
    let mut out: Vec<Band> = Vec::new();
    for at in order {
        let Some(line) = lines.get(at) else { continue };
        match out.last_mut() {
            Some(band) if (band.y - line.y).abs() < line.size.min(band.size) * 0.35 => {
                band.pieces.extend(line.pieces.iter().cloned());
                band.lines.push(at);
            }
            _ => out.push(Band {
                y: line.y,
                size: line.size,
                pieces: line.pieces.clone(),
                lines: vec![at],
            }),
        }
    }
    for band in &mut out {
        sort_by(&mut band.pieces, |a, b| a.x.total_cmp(&b.x));
        let size = band.size;
        let mut joined: Vec<Piece> = Vec::new();
        for piece in std::mem::take(&mut band.pieces) {
            match joined.last_mut() {
                Some(last) if is_marker(&last.text) || piece.x - last.end < size * 0.5 => {
                    last.text.push(' ');
                    last.text.push_str(&piece.text);
                    last.end = piece.end.max(last.end);
                }
                _ => joined.push(piece),
            }
        }
        band.pieces = joined;
    }
    out
}

/// Whether the piece is the mark of an item: `•`, `1.`, `b)`.
fn is_marker(text: &str) -> bool {
    let text = text.trim();
    let inner = text.trim_start_matches('(').trim_end_matches(['.', ')']);
    let counted = inner.len() < text.len()
        && inner.chars().count() <= 3
        && inner.chars().all(char::is_alphanumeric);
    counted
        || (text.chars().count() == 1
            && !text.chars().any(char::is_alphanumeric)
            && !text.contains(['✓', '✔', '✗', '✘', '–', '—', '-']))
}

/// A table of bands that follow each other.
struct Table {
    columns: Vec<(f32, f32)>,
    /// The bands of each row, and its cells.
    rows: Vec<(Vec<usize>, Vec<String>)>,
}

/// The tables of bands that stand close to each other: one, which lines across it may part.
fn tables(bands: &[Band]) -> Vec<Table> {
    let Some(columns) = columns(bands) else {
        return Vec::new();
    };
    let wide = columns.len();
    let full: Vec<&Band> = bands
        .iter()
        .filter(|band| band.pieces.len() == wide)
        .collect();
    let mut gaps: Vec<f32> = full
        .iter()
        .zip(full.iter().skip(1))
        .map(|(above, below)| (above.y - below.y) / above.size.max(1.0))
        .collect();
    sort_by(&mut gaps, f32::total_cmp);
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(1.5);
    let mut out: Vec<Table> = Vec::new();
    let mut open: Option<Table> = None;
    let mut last_y = 0.0;
    let is_row = |band: &Band| band.pieces.len() > 1 && placed(band, &columns).is_some();
    // Lines of cells that stand above the middle of their row.
    let mut ahead: Vec<(usize, Vec<String>)> = Vec::new();
    for (at, band) in bands.iter().enumerate() {
        let Some(cells) = placed(band, &columns) else {
            out.extend(open.take());
            ahead.clear();
            continue;
        };
        let gap = (last_y - band.y) / band.size.max(1.0);
        last_y = band.y;
        let filled = cells.iter().filter(|cell| !cell.is_empty()).count();
        let first = cells.first().is_some_and(|cell| !cell.is_empty());
        let to_next = bands
            .get(at + 1)
            .filter(|next| is_row(next))
            .map(|next| band.y - next.y);
        let nearer = to_next.is_some_and(|to| to / band.size.max(1.0) < gap.min(1.0));
        if !first && filled < wide && nearer {
            ahead.push((at, cells));
            continue;
        }
        // What stands close below goes on with the cells above.
        let close = gap < 1.5 || gap < usual * 0.9;
        let goes_on = filled < wide
            && if first {
                filled == 1 && gap < 1.5 && gap < usual * 0.75
            } else {
                close
            };
        match open.as_mut().and_then(|table| table.rows.last_mut()) {
            Some((lines, above)) if goes_on => {
                lines.push(at);
                add(above, cells);
            }
            // A section title within the table: it has rows with the same columns above and below it.
            Some(_) if filled == 1 && first && bands.get(at + 1).is_some_and(is_row) => {
                if let Some(table) = &mut open {
                    table.rows.push((vec![at], cells));
                }
            }
            _ if filled < 2 => {
                out.extend(open.take());
                ahead.clear();
            }
            _ => {
                let (mut lines, mut row) = (Vec::new(), vec![String::new(); wide]);
                for (line, cells) in ahead.drain(..).chain([(at, cells)]) {
                    lines.push(line);
                    add(&mut row, cells);
                }
                let table = open.get_or_insert_with(|| Table {
                    columns: columns.clone(),
                    rows: Vec::new(),
                });
                table.rows.push((lines, row));
            }
        }
    }
    out.extend(open);
    for row in out.iter_mut().flat_map(|table| &mut table.rows) {
        let letters = |right: bool| {
            let all = row.1.iter().flat_map(|cell| cell.chars());
            all.filter(|c| c.is_alphabetic() && is_rtl(*c) == right)
                .count()
        };
        if letters(true) > letters(false) {
            row.1.reverse();
        }
    }
    out
}

/// Adds the next line of each cell.
fn add(row: &mut [String], cells: Vec<String>) {
    for (above, cell) in row.iter_mut().zip(cells) {
        if !above.is_empty() && !cell.is_empty() {
            above.push(' ');
        }
        above.push_str(&cell);
    }
}

/// The columns of bands, each from where to where; `None` when they are no table.
fn columns(bands: &[Band]) -> Option<Vec<(f32, f32)>> {
    let count = |wide: usize| {
        bands
            .iter()
            .filter(|band| band.pieces.len() == wide)
            .count()
    };
    let widest = bands.iter().map(|band| band.pieces.len()).max()?;
    let wide = (2..=widest).max_by_key(|wide| (count(*wide) * (wide - 1), *wide))?;
    let rows: Vec<&Band> = bands
        .iter()
        .filter(|band| band.pieces.len() == wide)
        .collect();
    let gap = |band: &&&Band| {
        let pairs = band.pieces.iter().zip(band.pieces.iter().skip(1));
        pairs
            .map(|(a, b)| (b.x - a.end) / band.size.max(1.0))
            .fold(f32::MAX, f32::min)
    };
    let clear = rows.iter().filter(|band| gap(band) > 0.9).count() * 2 >= rows.len();
    let texts = |band: &&Band| -> Vec<String> {
        band.pieces.iter().map(|piece| piece.text.clone()).collect()
    };
    let named = || grid::names_columns(&rows.iter().map(texts).collect::<Vec<_>>());
    let least = if clear && (wide > 2 || named()) { 2 } else { 3 };
    let several = bands.iter().filter(|band| band.pieces.len() > 1).count();
    if rows.len() < least || rows.len() * 2 < several {
        return None;
    }
    let mut columns: Vec<(f32, f32)> = Vec::new();
    let mut running = 0;
    let by_column = rows.iter().filter(|band| {
        let mut lines = band.lines.clone();
        lines.sort_unstable();
        lines
            .iter()
            .zip(lines.iter().skip(1))
            .any(|(a, b)| b - a > 1)
    });
    let by_column = by_column.count() * 2 > rows.len();
    for at in 0..wide {
        let pieces = || rows.iter().filter_map(|band| band.pieces.get(at));
        let x = pieces().map(|piece| piece.x).fold(f32::MAX, f32::min);
        let end = pieces().map(|piece| piece.end).fold(f32::MIN, f32::max);
        let letters: usize = pieces().map(|piece| piece.text.chars().count()).sum();
        let long = if by_column { PROSE_BY_COLUMN } else { PROSE };
        running += usize::from(letters >= long * rows.len());
        if columns.last().is_some_and(|(_, before)| *before > x) {
            return None;
        }
        columns.push((x, end));
    }
    (running < 2).then_some(columns)
}

/// The cells of a band in columns; `None` if a piece stands in more than one of them, or in none.
fn placed(band: &Band, columns: &[(f32, f32)]) -> Option<Vec<String>> {
    let mut cells = vec![String::new(); columns.len()];
    for piece in &band.pieces {
        let within = |(x, end): &(f32, f32)| piece.x < *end && piece.end > *x;
        let mut over = (0..columns.len()).filter(|at| columns.get(*at).is_some_and(within));
        let found = match (over.next(), over.next()) {
            (Some(at), None) => at,
            (Some(_), Some(_)) => return None,
            // Between columns: the nearer one.
            _ => {
                let away = |(x, end): &(f32, f32)| (x - piece.end).max(piece.x - end);
                let near = columns.iter().map(away).enumerate();
                let (at, distance) = near.min_by(|(_, a), (_, b)| a.total_cmp(b))?;
                if distance > band.size * 4.0 {
                    return None;
                }
                at
            }
        };
        let cell = cells.get_mut(found)?;
        if !cell.is_empty() {
            cell.push(' ');
        }
        cell.push_str(&piece.text);
    }
    Some(cells)
}
