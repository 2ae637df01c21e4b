//! A small JSON parser (RFC 8259) that makes a tree, and a writer of objects.
//!
//! `serde_json` would cost a visitor several kilobytes for floating-point numbers, maps and error texts. The bubble
//! needs none of them: its numbers are counts, and it does not report why an answer is unreadable. The tests compare
//! both parsers.

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// The digits as written.
    Number(String),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// Deeper nesting is refused, because the parser is recursive.
const MAX_DEPTH: usize = 100;

/// Parses a text that consists of one value.
pub(crate) fn parse(text: &str) -> Option<Value> {
    let mut reader = Parser {
        rest: text,
        depth: 0,
    };
    let value = reader.value()?;
    reader.space();
    reader.rest.is_empty().then_some(value)
}

impl Value {
    /// A member of an object; of several with the same name, the last one.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().rev().find(|m| m.0 == name).map(|m| &m.1),
            _ => None,
        }
    }

    /// Moves a member out of an object, leaving null.
    pub fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let member = members.iter_mut().rev().find(|m| m.0 == name)?;
        Some(std::mem::replace(&mut member.1, Self::Null))
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }
}

/// Writes the members of an object, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Object {
    members: String,
}

impl Object {
    /// Adds a member whose value is JSON already.
    pub fn raw(mut self, name: &str, json: &str) -> Self {
        if !self.members.is_empty() {
            self.members.push(',');
        }
        quote(&mut self.members, name);
        self.members.push(':');
        self.members.push_str(json);
        self
    }

    pub fn text(self, name: &str, text: &str) -> Self {
        let mut json = String::new();
        quote(&mut json, text);
        self.raw(name, &json)
    }

    /// Adds a text, if there is one.
    pub fn maybe(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    pub fn end(self) -> String {
        format!("{{{}}}", self.members)
    }
}

fn quote(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                json.push('\\');
                json.push(c);
            }
            '\n' => json.push_str("\\n"),
            c if c < ' ' => {
                let code = u32::from(c);
                for digit in ['\\', 'u', '0', '0'] {
                    json.push(digit);
                }
                json.extend(char::from_digit(code >> 4, 16));
                json.extend(char::from_digit(code & 15, 16));
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Parser<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Consumes this text, if it is next.
    fn eat(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        Some(next)
    }

    fn value(&mut self) -> Option<Value> {
        self.space();
        match self.rest.as_bytes().first()? {
            b'"' => self.string().map(Value::String),
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b't' => self.eat("true").map(|()| Value::Bool(true)),
            b'f' => self.eat("false").map(|()| Value::Bool(false)),
            b'n' => self.eat("null").map(|()| Value::Null),
            _ => self.number(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Value>) -> Option<Value> {
        self.depth += 1;
        let value = (self.depth <= MAX_DEPTH).then(|| read(self)).flatten();
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> Option<Value> {
        let mut items = Vec::new();
        self.eat("[")?;
        self.space();
        if self.eat("]").is_some() {
            return Some(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.space();
            match self.next()? {
                ',' => {}
                ']' => return Some(Value::Array(items)),
                _ => return None,
            }
        }
    }

    fn object(&mut self) -> Option<Value> {
        let mut members = Vec::new();
        self.eat("{")?;
        self.space();
        if self.eat("}").is_some() {
            return Some(Value::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.eat(":")?;
            members.push((name, self.value()?));
            self.space();
            match self.next()? {
                ',' => {}
                '}' => return Some(Value::Object(members)),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        self.eat("\"")?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escape()?),
                c if c < ' ' => return None,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex()?;
                // Characters beyond 16 bits come as a surrogate pair; a lone surrogate is an error.
                let code = if (0xD800..0xDC00).contains(&first) {
                    self.eat("\\u")?;
                    let second = self.hex()?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                    0x10000 + ((first - 0xD800) << 10) + second
                } else {
                    first
                };
                char::from_u32(code)?
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + self.next()?.to_digit(16)?;
        }
        Some(code)
    }

    fn number(&mut self) -> Option<Value> {
        let mut digits = String::new();
        self.copy_one(&mut digits, "-");
        if !self.copy_one(&mut digits, "0") {
            self.copy_digits(&mut digits)?;
        }
        if self.copy_one(&mut digits, ".") {
            self.copy_digits(&mut digits)?;
        }
        if self.copy_one(&mut digits, "eE") {
            self.copy_one(&mut digits, "+-");
            self.copy_digits(&mut digits)?;
        }
        Some(Value::Number(digits))
    }

    /// Copies the next character, if it is one of `of`.
    fn copy_one(&mut self, to: &mut String, of: &str) -> bool {
        match self.rest.chars().next() {
            Some(c) if of.contains(c) => {
                to.push(c);
                self.next();
                true
            }
            _ => false,
        }
    }

    /// Copies one or more digits.
    fn copy_digits(&mut self, to: &mut String) -> Option<()> {
        if !self.copy_one(to, "0123456789") {
            return None;
        }
        while self.copy_one(to, "0123456789") {}
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same tree as `serde_json` reads it.
    fn reference(text: &str) -> Option<Value> {
        fn convert(value: serde_json::Value) -> Value {
            match value {
                serde_json::Value::Null => Value::Null,
                serde_json::Value::Bool(value) => Value::Bool(value),
                serde_json::Value::Number(number) => Value::Number(number.to_string()),
                serde_json::Value::String(text) => Value::String(text),
                serde_json::Value::Array(items) => {
                    Value::Array(items.into_iter().map(convert).collect())
                }
                serde_json::Value::Object(members) => {
                    Value::Object(members.into_iter().map(|(k, v)| (k, convert(v))).collect())
                }
            }
        }
        serde_json::from_str(text).ok().map(convert)
    }

    #[test]
    fn grammar() {
        let table = [
            "null",
            " true\n",
            "false ",
            "0",
            "-1",
            "12",
            "01",
            "-",
            "1.",
            ".5",
            "+1",
            "1e",
            "nul",
            "\"\"",
            "\"a",
            "\"\\n\\\"\\\\\\/\\b\\f\\r\\t\"",
            "\"\\x\"",
            "\"\u{1}\"",
            "\"\\u00e9\"",
            "\"\\ud83e\\udee7\"",
            "\"\\ud83e\"",
            "\"\\ud83ex\"",
            "\"\\udee7\"",
            "\"\\u12\"",
            "[]",
            "[ ]",
            "[1,]",
            "[,]",
            "[1 2]",
            "[1,[2]]",
            "[",
            "]",
            "{}",
            "{ }",
            "{\"a\":1}",
            "{\"a\" : {\"b\":[true]} }",
            "{\"a\"}",
            "{a:1}",
            "{\"a\":1,}",
            "{",
            "",
            " ",
            "1 2",
            "'a'",
        ];
        for text in table {
            assert_eq!(parse(text), reference(text), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(MAX_DEPTH)).is_some());
        assert_eq!(parse(&nested(MAX_DEPTH + 1)), None);
        assert_eq!(parse(&"[".repeat(1_000_000)), None);
    }

    #[test]
    fn members() {
        let mut value =
            parse(r#"{"n":18446744073709551615,"s":"x","b":true,"f":1.5,"z":null}"#).unwrap();
        assert_eq!(value.get("n").and_then(Value::as_u64), Some(u64::MAX));
        assert_eq!(value.get("f").and_then(Value::as_u64), None);
        assert_eq!(value.get("b").and_then(Value::as_bool), Some(true));
        assert_eq!(value.take("s"), Some(Value::String("x".into())));
        assert_eq!(value.take("s"), Some(Value::Null));
        assert_eq!(value.take("absent"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_serde_json_reads_it(text in "[\\[\\]{}:,\"\\\\a-fnrtu0-9 .é-]{0,24}") {
            // Objects with equal names and numbers in other spellings differ by intent.
            let ours = parse(&text);
            prop_assert_eq!(ours.is_some(), reference(&text).is_some());
        }

        #[test]
        fn every_string_is_written_so_that_anybody_can_read_it(text in "\\PC{0,20}|(?s).{0,20}|[\0-\x1f\"\\\\]{0,9}") {
            let json = Object::default().maybe("none", None).text(&text, &text).maybe("b", Some(&text)).end();
            let read: std::collections::BTreeMap<String, String> = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(read.get(&text), Some(&text));
            prop_assert_eq!(read.get("b"), Some(&text));
        }

        #[test]
        fn every_string_survives(text in "\\PC{0,20}|(?s).{0,20}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(parse(&json), Some(Value::String(text)));
        }
    }
}
