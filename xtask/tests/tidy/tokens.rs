//! A tokenizer with just enough of Rust's grammar to distinguish code, strings and comments.

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier, a keyword, a number or a lifetime.
    Word,
    /// A single mark of punctuation.
    Mark,
    /// The content of a string literal.
    Text,
}

/// A token; comments are dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Its kind.
    pub kind: Kind,
    /// Its text as written, without quotes.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
}

/// The tokens of a source file.
pub fn tokens(source: &str) -> Vec<Token> {
    Reader {
        rest: source,
        line: 1,
        found: Vec::new(),
    }
    .read()
}

/// Whether the tokens at this position are these words and marks, and not strings.
pub fn starts_with(tokens: &[Token], pattern: &[&str]) -> bool {
    tokens.len() >= pattern.len()
        && tokens
            .iter()
            .zip(pattern)
            .all(|(token, expected)| token.kind != Kind::Text && token.text == *expected)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Token>,
}

impl<'a> Reader<'a> {
    fn read(mut self) -> Vec<Token> {
        while let Some(first) = self.rest.chars().next() {
            if self.rest.starts_with("//") {
                self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("/*") {
                self.take(block_comment(self.rest));
            } else if let Some(hashes) = raw_string(self.rest) {
                self.raw(hashes);
            } else if first == '"' || self.rest.starts_with("b\"") {
                self.string();
            } else if first == '\'' {
                self.quote();
            } else if is_word(first) {
                let length = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                self.push(Kind::Word, length);
            } else if first.is_whitespace() {
                self.take(first.len_utf8());
            } else {
                self.push(Kind::Mark, first.len_utf8());
            }
        }
        self.found
    }

    /// Moves past some bytes and counts their lines.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let line = self.line;
        let text = self.take(length).to_owned();
        self.found.push(Token { kind, text, line });
    }

    fn raw(&mut self, hashes: usize) {
        self.take(self.rest.find('"').unwrap_or(0) + 1);
        let end = format!("\"{}", "#".repeat(hashes));
        self.push(Kind::Text, self.rest.find(&end).unwrap_or(self.rest.len()));
        self.take(end.len());
    }

    fn string(&mut self) {
        self.take(self.rest.find('"').unwrap_or(0) + 1);
        let mut escaped = false;
        let end = self.rest.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        self.push(Kind::Text, end.unwrap_or(self.rest.len()));
        self.take(1);
    }

    /// A character, or a lifetime, which has no second quote.
    fn quote(&mut self) {
        let mut inside = self.rest.chars().skip(1);
        let escaped = inside.next() == Some('\\');
        if escaped || inside.next() == Some('\'') {
            // The quote, the backslash or the character, and the escaped character.
            let skipped: usize = self
                .rest
                .chars()
                .take(if escaped { 3 } else { 2 })
                .map(char::len_utf8)
                .sum();
            self.take(skipped);
            self.take(self.rest.find('\'').unwrap_or(0) + 1);
        } else {
            let length = self
                .rest
                .chars()
                .skip(1)
                .take_while(|c| is_word(*c))
                .map(char::len_utf8)
                .sum::<usize>();
            self.push(Kind::Word, 1 + length);
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The number of `#` when a raw string starts here.
fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.chars().take_while(|c| *c == '#').count();
    after
        .chars()
        .nth(hashes)
        .filter(|c| *c == '"')
        .map(|_| hashes)
}

/// Rust's block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut previous = ' ';
    for (index, c) in rest.char_indices() {
        match (previous, c) {
            ('/', '*') => (depth, previous) = (depth + 1, ' '),
            ('*', '/') if depth == 1 => return index + 1,
            ('*', '/') => (depth, previous) = (depth.saturating_sub(1), ' '),
            _ => previous = c,
        }
    }
    rest.len()
}

#[test]
fn code_text_and_comments_are_told_apart() {
    let source = r##"
// todo!()
/* a /* nested */ comment */
fn f<'a>(c: char) { g("say \"hi\"", '"', '\'', r#"raw "x""#, b"by"); }
let s = "two
lines"; end
"##;
    let texts: Vec<_> = tokens(source)
        .into_iter()
        .filter(|token| token.kind == Kind::Text)
        .map(|token| (token.line, token.text))
        .collect();
    let expected = [
        (4, r#"say \"hi\""#),
        (4, r#"raw "x""#),
        (4, "by"),
        (5, "two\nlines"),
    ];
    assert_eq!(texts, expected.map(|(line, text)| (line, text.to_owned())));

    let words: Vec<_> = tokens(source)
        .into_iter()
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text)
        .collect();
    assert_eq!(
        words,
        ["fn", "f", "'a", "c", "char", "g", "let", "s", "end"]
    );
    assert_eq!(tokens(source).last().map(|token| token.line), Some(6));
}
