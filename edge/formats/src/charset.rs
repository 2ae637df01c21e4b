//! Character encodings: bytes become text, in every encoding of the WHATWG standard.

/// An encoding, by its name in the WHATWG standard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charset(String);

impl Charset {
    /// The encoding of a label.
    pub(crate) fn of_label(label: &str) -> Option<Self> {
        platform::name(label.trim()).map(Self)
    }

    /// Decodes bytes; malformed ones become U+FFFD.
    pub(crate) fn decode(&self, bytes: &[u8]) -> String {
        let units = |unit: fn([u8; 2]) -> u16| {
            let units = bytes
                .chunks_exact(2)
                .filter_map(|pair| pair.try_into().ok().map(unit));
            char::decode_utf16(units)
                .map(|c| c.unwrap_or('\u{fffd}'))
                .collect()
        };
        match self.0.as_str() {
            "utf-8" => String::from_utf8_lossy(bytes).into_owned(),
            "utf-16le" => units(u16::from_le_bytes),
            "utf-16be" => units(u16::from_be_bytes),
            "windows-1252" => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
            name => platform::decode(name, bytes),
        }
    }

    fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// Whether every byte below 128 is its ASCII character.
    fn is_ascii_compatible(&self) -> bool {
        !matches!(
            self.0.as_str(),
            "utf-16le" | "utf-16be" | "iso-2022-jp" | "replacement"
        )
    }
}

/// Windows-1252, the commonest legacy encoding, decoded by a table of its own.
pub(crate) fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    let high = byte
        .checked_sub(0x80)
        .and_then(|at| HIGH.get(usize::from(at)));
    high.copied().unwrap_or(char::from(byte))
}

/// Legacy encodings, decoded by the crate `encoding_rs`.
#[cfg(not(target_family = "wasm"))]
mod platform {
    use encoding_rs::Encoding;

    pub(super) fn name(label: &str) -> Option<String> {
        Encoding::for_label(label.as_bytes()).map(|encoding| encoding.name().to_ascii_lowercase())
    }

    pub(super) fn decode(name: &str, bytes: &[u8]) -> String {
        let encoding = Encoding::for_label(name.as_bytes());
        let text = encoding.map(|encoding| encoding.decode_without_bom_handling(bytes).0);
        text.unwrap_or_else(|| String::from_utf8_lossy(bytes))
            .into_owned()
    }
}

/// Legacy encodings, decoded by the platform's `TextDecoder`: the tables would be 130 KB of the compressed Worker.
#[cfg(target_family = "wasm")]
mod platform {
    use web_sys::TextDecoder;

    pub(super) fn name(label: &str) -> Option<String> {
        TextDecoder::new_with_label(label)
            .ok()
            .map(|decoder| decoder.encoding().to_ascii_lowercase())
    }

    pub(super) fn decode(name: &str, bytes: &[u8]) -> String {
        let decoder = TextDecoder::new_with_label(name).ok();
        let text = decoder.and_then(|decoder| decoder.decode_with_u8_array(bytes).ok());
        text.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// The encoding of a byte order mark, and the mark's length.
fn mark(bytes: &[u8]) -> Option<(Charset, usize)> {
    let (name, length) = match bytes {
        [0xef, 0xbb, 0xbf, ..] => ("utf-8", 3),
        [0xff, 0xfe, ..] => ("utf-16le", 2),
        [0xfe, 0xff, ..] => ("utf-16be", 2),
        _ => return None,
    };
    Some((Charset::named(name), length))
}

/// The text: by its byte order mark, else as UTF-8 if it is that, else by `charset=` of its type, else as
/// UTF-16 if its zeros say so, else as Windows-1252. Malformed bytes become U+FFFD.
pub(crate) fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    decode_with(bytes, content_type.and_then(charset_of))
}

/// Decodes with a label that was found elsewhere, in a page's `meta` for example.
pub(crate) fn decode_with(bytes: &[u8], label: Option<&str>) -> String {
    if let Some((charset, length)) = mark(bytes) {
        return clean(&charset.decode(bytes.get(length..).unwrap_or_default()));
    }
    if let Some(charset) = utf16(bytes) {
        return clean(&charset.decode(bytes));
    }
    // ISO-2022-JP is valid ASCII and so valid UTF-8: a label of it is tried before UTF-8.
    let utf8 = std::str::from_utf8(bytes).ok();
    let declared = match utf8 {
        Some(text) if bytes.is_ascii() && !bytes.contains(&0x1b) => return clean(text),
        _ => label.and_then(Charset::of_label),
    };
    let escapes = declared
        .as_ref()
        .is_some_and(|charset| !charset.is_ascii_compatible());
    if let (Some(text), false) = (utf8, escapes) {
        return clean(text);
    }
    let charset = match declared {
        // The label says UTF-8, but the text is malformed: either a few bytes are bad, or the label is wrong, the
        // commonest mistake of servers.
        Some(charset) if charset.0 != "utf-8" => charset,
        _ if mostly_utf8(bytes) => Charset::named("utf-8"),
        _ => Charset::named("windows-1252"),
    };
    clean(&charset.decode(bytes))
}

/// Makes all line ends `
/// ` and drops invisible characters (zero bytes, controls).
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect()
}

/// The charset of a content type: `windows-1251` of `text/plain; charset="windows-1251"`.
pub(crate) fn charset_of(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// Whether the bytes are UTF-16, with a mark or without.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    let marked = mark(bytes).is_some_and(|(charset, _)| charset.0 != "utf-8");
    marked || utf16(bytes).is_some()
}

/// UTF-16 without a mark: in text with spaces and line ends, one byte of them is zero, always on the same side.
fn utf16(bytes: &[u8]) -> Option<Charset> {
    let head = bytes.get(..bytes.len().min(4_096)).unwrap_or_default();
    let pairs = head.chunks_exact(2);
    let count = pairs.len();
    let (mut low, mut high, mut spaces) = (0, 0, 0);
    for pair in pairs {
        match pair {
            [0, 0] => return None,
            [0, c] => {
                low += 1;
                spaces += usize::from(matches!(c, b' ' | b'\n'));
            }
            [c, 0] => {
                high += 1;
                spaces += usize::from(matches!(c, b' ' | b'\n'));
            }
            _ => {}
        }
    }
    let few = count / 20;
    match (low, high) {
        _ if count < 4 || low + high == 0 => None,
        (0, high) if high * 3 > count || (spaces > 0 && high > few) => {
            Some(Charset::named("utf-16le"))
        }
        (low, 0) if low * 3 > count || (spaces > 0 && low > few) => {
            Some(Charset::named("utf-16be"))
        }
        _ => None,
    }
}

/// Whether the bytes are UTF-8 but for a few: at least nine in ten of its characters beyond ASCII are right.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut right, mut wrong) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        right += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        wrong += usize::from(!chunk.invalid().is_empty());
    }
    right > wrong * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_by_mark_then_by_validity_then_by_label() {
        let utf16 = |text: &str, little: bool| -> Vec<u8> {
            let pair = |unit: u16| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            };
            text.encode_utf16().flat_map(pair).collect()
        };
        let cases: [(&[u8], Option<&str>, &str); 10] = [
            ("déjà".as_bytes(), None, "déjà"),
            (
                "déjà".as_bytes(),
                Some("text/plain; charset=iso-8859-1"),
                "déjà",
            ),
            (b"\xef\xbb\xbfd\xc3\xa9", None, "dé"),
            (b"\xff\xfed\0\xe9\0", None, "dé"),
            (b"\xfe\xff\0d\0\xe9", None, "dé"),
            (b"d\xe9j\xe0 vu\x85", None, "déjà vu…"),
            (
                b"\xcf\xf0\xe8\xe2\xe5\xf2",
                Some("text/plain;charset=\"windows-1251\""),
                "Привет",
            ),
            (
                b"\x93\xfa\x96\x7b",
                Some("text/plain; charset=shift_jis"),
                "日本",
            ),
            (
                b"\x1b$BF|K\\\x1b(B",
                Some("text/plain; charset=iso-2022-jp"),
                "日本",
            ),
            (b"a\0b\r\n\x07c", None, "ab\nc"),
        ];
        for (bytes, content_type, expected) in cases {
            assert_eq!(decode(bytes, content_type), expected, "{bytes:x?}");
        }
        for text in [
            "Hello, world\nagain",
            "Привет, мир. Как дела?",
            "日本語の文章。 改行\nあり",
        ] {
            assert_eq!(decode(&utf16(text, true), None), text);
            assert_eq!(decode(&utf16(text, false), None), text);
        }
    }

    #[test]
    fn windows_1252_is_that_of_the_standard() {
        let all: Vec<u8> = (0..=255).collect();
        let expected = encoding_rs::WINDOWS_1252
            .decode_without_bom_handling(&all)
            .0;
        assert_eq!(Charset::named("windows-1252").decode(&all), expected);
    }

    #[test]
    fn a_few_bad_bytes_do_not_spoil_the_rest() {
        let mut bytes = "déjà vu ".repeat(20).into_bytes();
        bytes.push(0xe9);
        assert!(decode(&bytes, Some("text/plain; charset=utf-8")).starts_with("déjà vu"));
        assert!(decode(&bytes, None).ends_with('\u{fffd}'));
    }
}
