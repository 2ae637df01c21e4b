//! `ToUnicode`: the map from a font's codes to characters.

use std::collections::BTreeMap;

use super::{
    lex::{Lexer, Token},
    sort::sort_by,
};
use crate::limits;

/// Codes by their length in bytes, with their texts.
#[derive(Debug, Default)]
pub(super) struct CMap {
    chars: BTreeMap<u32, String>,
    /// First and last code, and the first character.
    ranges: Vec<(u32, u32, String)>,
    /// Ranges of first bytes, with the length in bytes of the codes that begin with them.
    spaces: Vec<(usize, u32, u32)>,
}

impl CMap {
    /// Reads a character map; entries that cannot be understood are skipped.
    pub(super) fn parse(data: &[u8]) -> Self {
        let mut map = Self::default();
        let mut operands: Vec<Token> = Vec::new();
        let mut lexer = Lexer::new(data);
        while let Some(token) = lexer.next() {
            if map.len() > limits::MAX_CMAP_ENTRIES {
                break;
            }
            let Token::Operator(name) = &token else {
                operands.push(token);
                continue;
            };
            match name.as_slice() {
                b"endcodespacerange" => {
                    for pair in operands.chunks_exact(2) {
                        if let [Token::String(low), Token::String(high)] = pair {
                            map.spaces.push((low.len(), code(low), code(high)));
                        }
                    }
                }
                b"endbfchar" => {
                    for pair in operands.chunks_exact(2) {
                        if let [Token::String(from), Token::String(to)] = pair {
                            map.chars.insert(code(from), utf16(to));
                        }
                    }
                }
                b"endbfrange" => {
                    for triple in operands.chunks_exact(3) {
                        map.range(triple);
                    }
                }
                _ => {}
            }
            operands.clear();
        }
        sort_by(&mut map.ranges, |a, b| a.0.cmp(&b.0));
        map
    }

    fn range(&mut self, triple: &[Token]) {
        let [Token::String(low), Token::String(high), to] = triple else {
            return;
        };
        let (low, high) = (code(low), code(high));
        match to {
            Token::String(to) => self.ranges.push((low, high, utf16(to))),
            Token::Array(items) => {
                for (item, code) in items.iter().zip(low..=high) {
                    if let Token::String(to) = item {
                        self.chars.insert(code, utf16(to));
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether the map has no code.
    pub(super) fn is_empty(&self) -> bool {
        self.chars.is_empty() && self.ranges.is_empty()
    }

    /// The number of entries.
    pub(super) fn len(&self) -> usize {
        self.chars.len() + self.ranges.len() + self.spaces.len()
    }

    /// The number of bytes of the code that begins here, if the font says.
    pub(super) fn code_length(&self, bytes: &[u8]) -> Option<usize> {
        let fits = |(length, low, high): &&(usize, u32, u32)| {
            bytes
                .get(..*length)
                .map(code)
                .is_some_and(|code| (*low..=*high).contains(&code))
        };
        self.spaces
            .iter()
            .filter(|(length, ..)| (1..=4).contains(length))
            .find(fits)
            .map(|space| space.0)
    }

    /// The text of a code.
    pub(super) fn get(&self, code: u32) -> Option<String> {
        if let Some(text) = self.chars.get(&code) {
            return Some(text.clone());
        }
        let after = self.ranges.partition_point(|(low, ..)| *low <= code);
        let (low, _, text) = self
            .ranges
            .get(..after)?
            .iter()
            .rev()
            .take(8)
            .find(|(_, high, _)| code <= *high)?;
        // In a range, only the last character is counted up.
        let mut chars: Vec<char> = text.chars().collect();
        let last = chars.pop()?;
        chars.push(char::from_u32(u32::from(last) + (code - low))?);
        Some(chars.into_iter().collect())
    }
}

/// The number of up to four bytes.
pub(super) fn code(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .take(4)
        .fold(0, |code, byte| code << 8 | u32::from(*byte))
}

fn utf16(bytes: &[u8]) -> String {
    if let [byte] = bytes {
        return char::from(*byte).to_string();
    }
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from_be_bytes([*high, *low]),
        _ => 0,
    });
    char::decode_utf16(units.take(64))
        .filter_map(Result::ok)
        .filter(|c| *c != '\0')
        .collect()
}
