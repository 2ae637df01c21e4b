//! Where the objects of a file are: by its tables, or, if they are broken, by looking at all of it.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
};

use super::{
    filter,
    lex::{Lexer, is_regular, is_space},
    object::{Dictionary, Object, Stream},
    parse::{Budget, Parser},
};
use crate::limits;

/// Tables of one file, each made by a later change.
const MAX_TABLES: usize = 4_096;

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// Deleted.
    Free,
    /// At a byte of the file.
    At(usize),
    /// In a stream of objects.
    Packed { stream: u32, index: usize },
}

/// An object: where it is, and what was read of it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) place: Place,
    pub(super) object: OnceCell<Object>,
    /// What is in it, if it is a stream of objects.
    pub(super) pack: OnceCell<Box<Pack>>,
}

/// A stream of objects, unpacked.
#[derive(Debug, Default)]
pub(super) struct Pack {
    pub(super) data: Vec<u8>,
    /// Numbers of the objects, and where they begin.
    pub(super) places: Vec<(u32, usize)>,
}

impl From<Place> for Slot {
    fn from(place: Place) -> Self {
        Self {
            place,
            object: OnceCell::new(),
            pack: OnceCell::new(),
        }
    }
}

/// Where everything is.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) places: HashMap<u32, Slot>,
    pub(super) trailer: Dictionary,
    /// Numbers of streams of objects whose content no table tells, in the order of the file.
    pub(super) streams: Vec<u32>,
}

impl Table {
    /// The newest place of an object comes first.
    fn add(&mut self, number: u32, place: Place) -> Option<()> {
        if self.places.len() >= limits::MAX_PDF_OBJECTS {
            return None;
        }
        self.places.entry(number).or_insert_with(|| place.into());
        Some(())
    }
}

/// Reads the tables, the newest first; none if they cannot be understood.
pub(super) fn read(bytes: &[u8], budget: &Budget) -> Option<Table> {
    let tail = bytes.len().saturating_sub(2_048);
    let at = bytes
        .get(tail..)?
        .windows(9)
        .rposition(|window| window == b"startxref")?;
    let start = Parser::new(bytes, tail + at + 9, budget).unsigned()?;
    let mut table = Table::default();
    let mut next = Some(usize::try_from(start).ok()?);
    let mut seen = HashSet::new();
    while let Some(at) = next {
        if !seen.insert(at) || seen.len() > MAX_TABLES {
            break;
        }
        let mut parser = Parser::new(bytes, at, budget);
        let trailer = if parser.keyword(b"xref") {
            plain(&mut parser, &mut table, bytes, budget)?
        } else {
            packed(&mut parser, &mut table, bytes, budget)?
        };
        next = offset(&trailer, b"Prev");
        table.trailer.inherit(trailer);
    }
    table.trailer.get(b"Root").is_some().then_some(table)
}

fn offset(trailer: &Dictionary, key: &[u8]) -> Option<usize> {
    usize::try_from(trailer.get(key)?.as_integer()?).ok()
}

/// A table of lines, and the trailer behind it.
fn plain(
    parser: &mut Parser<'_, '_>,
    table: &mut Table,
    bytes: &[u8],
    budget: &Budget,
) -> Option<Dictionary> {
    let mut own = Vec::new();
    while !parser.keyword(b"trailer") {
        let (first, count) = (parser.unsigned()?, parser.unsigned()?);
        for number in (first..).take(usize::try_from(count).ok()?) {
            let start = parser.lexer.at;
            let place = parser.unsigned();
            let (Some(place), Some(_)) = (place, parser.unsigned()) else {
                // Some programs count lines that are not there.
                parser.lexer.at = start;
                break;
            };
            let used = parser.keyword(b"n");
            if !used && !parser.keyword(b"f") {
                return None;
            }
            if own.len() >= limits::MAX_PDF_OBJECTS || !budget.bytes(parser.lexer.at - start) {
                return None;
            }
            let place = usize::try_from(place).ok().filter(|at| used && *at > 0);
            own.push((
                u32::try_from(number).ok()?,
                place.map_or(Place::Free, Place::At),
            ));
        }
    }
    let Some(Object::Dictionary(trailer)) = parser.value() else {
        return None;
    };
    // What is packed in such a file is marked as deleted in this table, for readers that know no packing.
    if let Some(at) = offset(&trailer, b"XRefStm") {
        packed(&mut Parser::new(bytes, at, budget), table, bytes, budget)?;
    }
    for (number, place) in own {
        table.add(number, place)?;
    }
    Some(trailer)
}

/// A table that is a stream, and its dictionary, which is the trailer.
fn packed(
    parser: &mut Parser<'_, '_>,
    table: &mut Table,
    bytes: &[u8],
    budget: &Budget,
) -> Option<Dictionary> {
    let (_, Object::Stream(stream)) = parser.object(|dictionary| offset(dictionary, b"Length"))?
    else {
        return None;
    };
    let Stream {
        dictionary,
        start,
        end,
        ..
    } = stream;
    let data = bytes.get(start..end)?;
    let (filters, params) = filter::direct(&dictionary);
    let data = filter::unpack(data.into(), &filters, &params, limits::MAX_PAGE_BYTES).ok()?;
    if !budget.unpacked(data.len()) {
        return None;
    }
    let widths: Vec<usize> = dictionary
        .get(b"W")?
        .as_array()?
        .iter()
        .map(|width| {
            width
                .as_integer()
                .and_then(|width| usize::try_from(width).ok())
        })
        .map(|width| width.filter(|width| *width <= 8))
        .collect::<Option<_>>()?;
    let [kind, second, third] = *widths.as_slice() else {
        return None;
    };
    let size = dictionary.get(b"Size").and_then(Object::as_integer);
    let whole = [Object::Integer(0), Object::Integer(size.unwrap_or(0))];
    let parts = dictionary.get(b"Index").and_then(Object::as_array);
    let mut rows = data.chunks_exact((kind + second + third).max(1));
    for part in parts.unwrap_or(&whole).chunks_exact(2) {
        let [first, count] = part else { return None };
        let first = u32::try_from(first.as_integer()?).ok()?;
        let count = usize::try_from(count.as_integer()?).ok()?;
        for (number, row) in (first..).zip(rows.by_ref().take(count)) {
            let (kind_field, rest) = row.split_at_checked(kind)?;
            let (second, third) = rest.split_at_checked(second)?;
            let (second, third) = (big_endian(second), big_endian(third));
            let place = match if kind == 0 { 1 } else { big_endian(kind_field) } {
                0 => Place::Free,
                1 => Place::At(usize::try_from(second).ok()?),
                2 => Place::Packed {
                    stream: u32::try_from(second).ok()?,
                    index: usize::try_from(third).ok()?,
                },
                _ => continue,
            };
            table.add(number, place)?;
        }
    }
    Some(dictionary)
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Whether an object of this number is at this place.
pub(super) fn is_at(bytes: &[u8], at: usize, number: u32, budget: &Budget) -> bool {
    at < bytes.len()
        && Parser::new(bytes, at, budget)
            .head()
            .is_some_and(|(found, _)| found == number)
}

/// Looks for objects in all of the file; the last of a number counts.
pub(super) fn scan(bytes: &[u8], budget: &Budget) -> Table {
    let mut table = Table::default();
    let mut trailers = Vec::new();
    let (mut last, mut catalog) = (None, None);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        match byte {
            b'o' if rest.starts_with(b"obj") => {
                if let Some((number, start)) = before(bytes, at)
                    && (table.places.len() < limits::MAX_PDF_OBJECTS
                        || table.places.contains_key(&number))
                {
                    table.places.insert(number, Place::At(start).into());
                    last = Some((number, start));
                }
            }
            b't' if rest.starts_with(b"trailer") => trailers.push((at + 7, false)),
            b'/' => {
                if let Some((number, start)) = last {
                    if rest.starts_with(b"/ObjStm") {
                        table.streams.push(number);
                    } else if rest.starts_with(b"/XRef") {
                        trailers.push((start, true));
                    } else if rest.starts_with(b"/Catalog") {
                        catalog = Some(number);
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    for (at, is_object) in trailers.into_iter().rev().take(MAX_TABLES) {
        let mut parser = Parser::new(bytes, at, budget);
        let found = if is_object {
            parser.head();
            parser.value()
        } else {
            parser.value()
        };
        if let Some(Object::Dictionary(trailer)) = found {
            table.trailer.inherit(trailer);
        }
    }
    if let (None, Some(number)) = (table.trailer.get(b"Root"), catalog) {
        let root = (b"Root".to_vec(), Object::Reference(number));
        table.trailer.inherit(Dictionary::new(vec![root]));
    }
    table
}

/// The number of the object whose `obj` stands here, and where it begins.
fn before(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let back = |mut end: usize, fits: fn(u8) -> bool| {
        let floor = end.saturating_sub(12);
        while end > floor
            && end
                .checked_sub(1)
                .and_then(|before| bytes.get(before))
                .is_some_and(|byte| fits(*byte))
        {
            end -= 1;
        }
        end
    };
    let digit = |byte: u8| byte.is_ascii_digit();
    let generation = back(at, is_space);
    let gap = back(generation, digit);
    let number = back(gap, is_space);
    let start = back(number, digit);
    let glued = start
        .checked_sub(1)
        .and_then(|before| bytes.get(before))
        .is_some_and(|byte| is_regular(*byte));
    if gap == generation || number == gap || start == number || glued {
        return None;
    }
    let mut lexer = Lexer::at(bytes, start);
    let digits = std::str::from_utf8(lexer.word()).ok()?;
    Some((digits.parse().ok()?, start))
}
