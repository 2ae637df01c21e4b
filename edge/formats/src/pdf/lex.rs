//! The tokens of content streams and character maps, read one by one, so that only the operands of one operator are in
//! memory.

/// Longest string or array of operands, in elements; further elements are skipped.
const MAX_OPERANDS: usize = 100_000;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A number.
    Number(f32),
    /// A string.
    String(Vec<u8>),
    /// `/Name`.
    Name(Vec<u8>),
    /// `[…]`; arrays within are flattened.
    Array(Vec<Token>),
    /// A dictionary, whose entries are not needed.
    Dictionary,
    /// Any other word: an operator.
    Operator(Vec<u8>),
}

/// Reads tokens.
pub(super) struct Lexer<'a> {
    pub(super) data: &'a [u8],
    /// The next byte.
    pub(super) at: usize,
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | 32)
}

pub(super) fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%".contains(&byte)
}

impl<'a> Lexer<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self::at(data, 0)
    }

    /// Begins at a byte.
    pub(super) fn at(data: &'a [u8], at: usize) -> Self {
        Self { data, at }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.data.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.data.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                let line = self
                    .rest()
                    .iter()
                    .take_while(|b| !matches!(b, 10 | 13))
                    .count();
                self.at += line;
            } else if is_space(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// The next token; none at the end.
    pub(super) fn next(&mut self) -> Option<Token> {
        self.skip_space();
        match self.peek()? {
            b'[' => {
                self.at += 1;
                Some(Token::Array(self.array()))
            }
            b'<' if self.rest().starts_with(b"<<") => {
                self.dictionary();
                Some(Token::Dictionary)
            }
            _ => Some(self.simple()),
        }
    }

    /// A token that contains no other tokens.
    fn simple(&mut self) -> Token {
        match self.peek() {
            Some(b'(') => Token::String(self.literal()),
            Some(b'<') => Token::String(self.hex()),
            Some(b'/') => {
                self.at += 1;
                Token::Name(self.name())
            }
            Some(byte) if is_regular(byte) => {
                let word = self.word();
                number(word).map_or_else(|| Token::Operator(word.to_vec()), Token::Number)
            }
            // A closing bracket without an opening one.
            _ => {
                self.at += 1;
                Token::Dictionary
            }
        }
    }

    /// The word at the position; empty if there is none.
    pub(super) fn word(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().take_while(|b| is_regular(**b)).count();
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn array(&mut self) -> Vec<Token> {
        let mut items = Vec::new();
        let mut depth = 1_usize;
        loop {
            self.skip_space();
            match self.peek() {
                None => return items,
                Some(b']') => {
                    self.at += 1;
                    depth -= 1;
                    if depth == 0 {
                        return items;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    depth += 1;
                }
                _ => {
                    let item = self.simple();
                    if items.len() < MAX_OPERANDS {
                        items.push(item);
                    }
                }
            }
        }
    }

    fn dictionary(&mut self) {
        let mut depth = 0_usize;
        loop {
            self.skip_space();
            if self.rest().starts_with(b"<<") {
                self.at += 2;
                depth += 1;
            } else if self.rest().starts_with(b">>") {
                self.at += 2;
                depth -= 1;
                if depth == 0 {
                    return;
                }
            } else if self.peek().is_none() {
                return;
            } else {
                self.simple();
            }
        }
    }

    pub(super) fn name(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| is_regular(*byte)) {
            self.at += 1;
            let hex = |at| self.data.get(at).and_then(|b| char::from(*b).to_digit(16));
            match (byte, hex(self.at), hex(self.at + 1)) {
                (b'#', Some(high), Some(low)) => {
                    out.push(u8::try_from(high * 16 + low).unwrap_or_default());
                    self.at += 2;
                }
                _ => out.push(byte),
            }
        }
        out
    }

    pub(super) fn hex(&mut self) -> Vec<u8> {
        self.at += 1;
        let (mut out, mut half) = (Vec::new(), None);
        while let Some(byte) = self.peek() {
            self.at += 1;
            if byte == b'>' {
                break;
            }
            if let Some(digit) = char::from(byte)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
            {
                match half.take() {
                    Some(high) => out.push(high << 4 | digit),
                    None => half = Some(digit),
                }
            }
        }
        out.extend(half.map(|high| high << 4));
        out
    }

    pub(super) fn literal(&mut self) -> Vec<u8> {
        self.at += 1;
        let (mut out, mut depth) = (Vec::new(), 1_usize);
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                b'\\' => {
                    self.escape(&mut out);
                    continue;
                }
                _ => {}
            }
            out.push(byte);
        }
        out
    }

    fn escape(&mut self, out: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'\r' => self.at += usize::from(self.peek() == Some(b'\n')),
            b'\n' => {}
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else {
                        break;
                    };
                    self.at += 1;
                    value = value * 8 + u32::from(digit - b'0');
                }
                out.push(u8::try_from(value & 255).unwrap_or_default());
            }
            other => out.push(other),
        }
    }

    /// Skips the bytes of an inline picture, from behind its `ID` to its `EI`.
    pub(super) fn skip_picture(&mut self) {
        let rest = self.rest();
        let end = rest.windows(4).position(|window| match window {
            [before, b'E', b'I', after] => is_space(*before) && is_space(*after),
            _ => false,
        });
        self.at = end.map_or(self.data.len(), |end| self.at + end + 3);
    }
}

/// The number of a word. `str::parse` would link tables for exact decimals, which content streams do not need.
pub(super) fn number(word: &[u8]) -> Option<f32> {
    let signs = word
        .iter()
        .take_while(|byte| matches!(byte, b'+' | b'-'))
        .count();
    let (mut value, mut scale, mut digits, mut point) = (0.0_f64, 1.0_f64, 0, false);
    for byte in word.get(signs..)? {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                if point {
                    scale /= 10.0;
                    value += f64::from(byte - b'0') * scale;
                } else {
                    value = value * 10.0 + f64::from(byte - b'0');
                }
            }
            b'.' if !point => point = true,
            // `1.-2` is written by some programs.
            b'-' | b'+' if digits > 0 => break,
            _ => return None,
        }
    }
    let signed = if word.first() == Some(&b'-') {
        -value
    } else {
        value
    };
    (digits > 0).then_some(signed as f32)
}
