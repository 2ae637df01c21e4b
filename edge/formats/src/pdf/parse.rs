//! The parser of objects. It trusts no length in the file: bytes and values are counted, and nesting is bounded.

use std::cell::Cell;

use super::{
    lex::{Lexer, is_regular, number},
    object::{Dictionary, Object, Stream},
};
use crate::limits;

/// The remaining allowance for reading a file.
#[derive(Debug)]
pub(super) struct ParseBudget {
    values: Cell<usize>,
    bytes: Cell<usize>,
    unpacked: Cell<usize>,
    /// Whether a part was left out because the allowance was used up.
    exhausted: Cell<bool>,
}

impl ParseBudget {
    pub(super) fn new() -> Self {
        Self {
            values: Cell::new(limits::MAX_PDF_VALUES),
            bytes: Cell::new(limits::MAX_UNPACKED_BYTES),
            unpacked: Cell::new(limits::MAX_UNPACKED_BYTES),
            exhausted: Cell::new(false),
        }
    }

    fn take(&self, from: &Cell<usize>, count: usize) -> bool {
        let left = from.get().checked_sub(count);
        from.set(left.unwrap_or(0));
        if left.is_none() {
            self.exhausted.set(true);
        }
        left.is_some()
    }

    /// Counts values that are kept in memory; false when there are too many.
    pub(super) fn values(&self, count: usize) -> bool {
        self.take(&self.values, count)
    }

    /// Counts bytes that are read or searched; false when there are too many.
    pub(super) fn bytes(&self, count: usize) -> bool {
        self.take(&self.bytes, count)
    }

    /// Counts bytes that were unpacked; false when there are too many.
    pub(super) fn unpacked(&self, count: usize) -> bool {
        self.take(&self.unpacked, count)
    }

    /// Notes that one part is larger than a part may be.
    pub(super) fn exhaust(&self) {
        self.exhausted.set(true);
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.exhausted.get()
    }
}

/// Reads values.
pub(super) struct Parser<'a, 'b> {
    pub(super) lexer: Lexer<'a>,
    budget: &'b ParseBudget,
}

impl<'a, 'b> Parser<'a, 'b> {
    pub(super) fn new(bytes: &'a [u8], at: usize, budget: &'b ParseBudget) -> Self {
        let lexer = Lexer::at(bytes, at);
        Self { lexer, budget }
    }

    /// A value; none at the end, at a bracket that closes, and at a word that ends an object.
    pub(super) fn value(&mut self) -> Option<Object> {
        if self.budget.is_exhausted() {
            return None;
        }
        let start = self.lexer.at;
        let value = self.nested(0);
        self.budget.bytes(self.lexer.at.saturating_sub(start));
        value
    }

    fn nested(&mut self, depth: usize) -> Option<Object> {
        self.lexer.skip_space();
        let first = self.lexer.peek()?;
        if depth > limits::MAX_DEPTH || !self.budget.values(1) {
            return None;
        }
        Some(match first {
            b'(' => Object::String(self.lexer.literal()),
            b'/' => {
                self.lexer.at += 1;
                Object::Name(self.lexer.name())
            }
            b'[' => {
                self.lexer.at += 1;
                Object::Array(self.array(depth))
            }
            b'<' if self.lexer.rest().starts_with(b"<<") => {
                self.lexer.at += 2;
                Object::Dictionary(self.dictionary(depth))
            }
            b'<' => Object::String(self.lexer.hex()),
            _ if is_regular(first) => return self.word(),
            _ => return None,
        })
    }

    fn array(&mut self, depth: usize) -> Vec<Object> {
        let mut items = Vec::new();
        while let Some(item) = self.nested(depth + 1) {
            items.push(item);
        }
        if self.lexer.peek() == Some(b']') {
            self.lexer.at += 1;
        }
        items.shrink_to_fit();
        items
    }

    fn dictionary(&mut self, depth: usize) -> Dictionary {
        let mut entries = Vec::new();
        loop {
            match self.nested(depth + 1) {
                Some(Object::Name(name)) => {
                    let value = self.nested(depth + 1).unwrap_or_default();
                    entries.push((name, value));
                }
                // A value without a name is skipped.
                Some(_) => {}
                None if self.lexer.rest().starts_with(b">>") => {
                    self.lexer.at += 2;
                    break;
                }
                None if self.lexer.peek() == Some(b']') => self.lexer.at += 1,
                None => break,
            }
        }
        Dictionary::new(entries)
    }

    /// A number, a reference, or a word.
    fn word(&mut self) -> Option<Object> {
        let start = self.lexer.at;
        let word = self.lexer.word();
        if word.iter().all(u8::is_ascii_digit) {
            let after = self.lexer.at;
            if let Some(number) = integer(word).and_then(|number| u32::try_from(number).ok())
                && self.unsigned().is_some()
                && self.keyword(b"R")
            {
                return Some(Object::Reference(number));
            }
            self.lexer.at = after;
        }
        if let Some(value) = integer(word) {
            return Some(Object::Integer(value));
        }
        if let Some(value) = number(word) {
            return Some(Object::Real(value));
        }
        match word {
            b"true" => Some(Object::Boolean(true)),
            b"false" => Some(Object::Boolean(false)),
            b"endobj" | b"obj" | b"stream" | b"endstream" | b"trailer" | b"xref" | b"startxref" => {
                self.lexer.at = start;
                None
            }
            _ => Some(Object::Null),
        }
    }

    /// A number without a sign; otherwise the position stays.
    pub(super) fn unsigned(&mut self) -> Option<u64> {
        let start = self.lexer.at;
        self.lexer.skip_space();
        let word = self.lexer.word();
        let value = (!word.is_empty() && word.iter().all(u8::is_ascii_digit))
            .then(|| integer(word))
            .flatten()
            .and_then(|value| u64::try_from(value).ok());
        if value.is_none() {
            self.lexer.at = start;
        }
        value
    }

    /// Skips a keyword if it comes next.
    pub(super) fn keyword(&mut self, word: &[u8]) -> bool {
        let start = self.lexer.at;
        self.lexer.skip_space();
        let is = self.lexer.word() == word;
        if !is {
            self.lexer.at = start;
        }
        is
    }

    /// Number and generation, if an object begins here.
    pub(super) fn head(&mut self) -> Option<(u32, u16)> {
        let number = u32::try_from(self.unsigned()?).ok()?;
        let generation = u16::try_from(self.unsigned()?).ok()?;
        // Some programs write no space before what follows.
        self.lexer.skip_space();
        let begins = self.lexer.rest().starts_with(b"obj");
        self.lexer.at += if begins { 3 } else { 0 };
        begins.then_some((number, generation))
    }

    /// The object that begins here. `length` finds the length of a dictionary's stream, if it can.
    pub(super) fn object(
        &mut self,
        length: impl FnOnce(&Dictionary) -> Option<usize>,
    ) -> Option<((u32, u16), Object)> {
        let id = self.head()?;
        let value = self.value().unwrap_or_default();
        let Object::Dictionary(dictionary) = value else {
            return Some((id, value));
        };
        if !self.keyword(b"stream") {
            return Some((id, Object::Dictionary(dictionary)));
        }
        let line = match self.lexer.rest() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => 0,
        };
        let start = self.lexer.at + line;
        let end = self.end(start, length(&dictionary));
        let stream = Stream {
            dictionary,
            start,
            end,
            id,
        };
        Some((id, Object::Stream(stream)))
    }

    /// The end of a stream: after its declared length if the end mark is there, else at the next end mark.
    fn end(&self, start: usize, length: Option<usize>) -> usize {
        let bytes = self.lexer.data;
        if let Some(end) = length.and_then(|length| start.checked_add(length)) {
            let mut after = Lexer::at(bytes, end);
            after.skip_space();
            if end <= bytes.len() && after.rest().starts_with(b"endstream") {
                return end;
            }
        }
        let rest = bytes.get(start..).unwrap_or_default();
        if self.budget.is_exhausted() {
            return start;
        }
        let found = find(rest, b"endstream");
        self.budget.bytes(found.unwrap_or(rest.len()));
        let found = found.or_else(|| find(rest, b"endobj"));
        start + found.unwrap_or(rest.len())
    }
}

/// The first position of a word.
pub(super) fn find(bytes: &[u8], word: &[u8]) -> Option<usize> {
    bytes.windows(word.len()).position(|window| window == word)
}

fn integer(word: &[u8]) -> Option<i64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}
