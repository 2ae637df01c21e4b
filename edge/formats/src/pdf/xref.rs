//! The locations of a file's objects: from its cross-reference tables, or, if these are broken, from a scan of the
//! file.

use std::{
    cell::OnceCell,
    collections::{HashMap, HashSet},
};

use super::{
    filter,
    lex::{Lexer, is_regular, is_space},
    object::{Dictionary, Object, Stream},
    parse::{ParseBudget, Parser},
};
use crate::limits;

/// Most cross-reference tables of a file; each later change adds one.
const MAX_TABLES: usize = 4_096;

/// The location of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ObjectLocation {
    /// No location: the object was deleted.
    Free,
    /// At a byte of the file.
    At(usize),
    /// In a stream of objects.
    Packed { stream: u32, index: usize },
}

/// An object: its location, and its value once it was read.
#[derive(Debug)]
pub(super) struct ObjectSlot {
    pub(super) place: ObjectLocation,
    pub(super) object: OnceCell<Object>,
    /// The unpacked objects, if it is a stream of objects.
    pub(super) pack: OnceCell<Box<ObjectStream>>,
}

/// A stream of objects, unpacked.
#[derive(Debug, Default)]
pub(super) struct ObjectStream {
    pub(super) data: Vec<u8>,
    /// The numbers of the objects, and the positions at which they begin.
    pub(super) places: Vec<(u32, usize)>,
}

impl From<ObjectLocation> for ObjectSlot {
    fn from(place: ObjectLocation) -> Self {
        Self {
            place,
            object: OnceCell::new(),
            pack: OnceCell::new(),
        }
    }
}

/// The locations of all objects.
#[derive(Debug, Default)]
pub(super) struct XrefTable {
    pub(super) places: HashMap<u32, ObjectSlot>,
    pub(super) trailer: Dictionary,
    /// Numbers of streams of objects whose objects no table lists, in the order of the file.
    pub(super) streams: Vec<u32>,
}

impl XrefTable {
    /// Adds a location unless the object has one: newer tables are read first.
    fn add(&mut self, number: u32, place: ObjectLocation) -> Option<()> {
        if self.places.len() >= limits::MAX_PDF_OBJECTS {
            return None;
        }
        self.places.entry(number).or_insert_with(|| place.into());
        Some(())
    }
}

/// Reads the tables, the newest first; `None` if they cannot be parsed.
pub(super) fn read(bytes: &[u8], budget: &ParseBudget) -> Option<XrefTable> {
    let tail = bytes.len().saturating_sub(2_048);
    let at = bytes
        .get(tail..)?
        .windows(9)
        .rposition(|window| window == b"startxref")?;
    let start = Parser::new(bytes, tail + at + 9, budget).unsigned()?;
    let mut table = XrefTable::default();
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

/// A table in plain text, and the trailer behind it.
fn plain(
    parser: &mut Parser<'_, '_>,
    table: &mut XrefTable,
    bytes: &[u8],
    budget: &ParseBudget,
) -> Option<Dictionary> {
    let mut own = Vec::new();
    while !parser.keyword(b"trailer") {
        let (first, count) = (parser.unsigned()?, parser.unsigned()?);
        for number in (first..).take(usize::try_from(count).ok()?) {
            let start = parser.lexer.at;
            let place = parser.unsigned();
            let (Some(place), Some(_)) = (place, parser.unsigned()) else {
                // Some programs count more lines than they write.
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
                place.map_or(ObjectLocation::Free, ObjectLocation::At),
            ));
        }
    }
    let Some(Object::Dictionary(trailer)) = parser.value() else {
        return None;
    };
    // A hybrid file marks objects in streams as deleted in this table, for readers that know no such streams.
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
    table: &mut XrefTable,
    bytes: &[u8],
    budget: &ParseBudget,
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
                0 => ObjectLocation::Free,
                1 => ObjectLocation::At(usize::try_from(second).ok()?),
                2 => ObjectLocation::Packed {
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

/// Whether an object of this number begins at this position.
pub(super) fn is_at(bytes: &[u8], at: usize, number: u32, budget: &ParseBudget) -> bool {
    at < bytes.len()
        && Parser::new(bytes, at, budget)
            .head()
            .is_some_and(|(found, _)| found == number)
}

/// Finds objects by a scan of the whole file; the last of a number counts.
pub(super) fn scan(bytes: &[u8], budget: &ParseBudget) -> XrefTable {
    let mut table = XrefTable::default();
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
                    table
                        .places
                        .insert(number, ObjectLocation::At(start).into());
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

/// The number of the object whose keyword `obj` is here, and the position at which the object begins.
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
