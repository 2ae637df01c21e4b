//! From bytes to text, in every encoding that the web knows.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The text: by its byte order mark, else as UTF-8 if it is that, else by `charset=` of its type, else as
/// UTF-16 if its zeros say so, else as Windows-1252. Bytes that mean nothing become U+FFFD.
pub(crate) fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    decode_with(bytes, content_type.and_then(charset_of))
}

/// The same with a label that was found elsewhere, in a page's `meta` for example.
pub(crate) fn decode_with(bytes: &[u8], label: Option<&str>) -> String {
    let declared = label.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        let rest = bytes.get(length..).unwrap_or_default();
        return clean(&encoding.decode_without_bom_handling(rest).0);
    }
    if let Some(encoding) = utf16(bytes) {
        return clean(&encoding.decode_without_bom_handling(bytes).0);
    }
    // ISO-2022-JP is plain ASCII to its eye, so it is believed before UTF-8 is tried.
    let declared_escapes = declared.filter(|encoding| !encoding.is_ascii_compatible());
    if declared_escapes.is_none()
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return clean(text);
    }
    let encoding = match declared {
        // It says UTF-8 and is not: a few bad bytes in a text of it, or the commonest lie of servers.
        Some(encoding) if encoding == UTF_8 && mostly_utf8(bytes) => UTF_8,
        Some(encoding) if encoding != UTF_8 => encoding,
        None if mostly_utf8(bytes) => UTF_8,
        _ => WINDOWS_1252,
    };
    clean(&encoding.decode_without_bom_handling(bytes).0)
}

/// Lines end in one way, and no character is left that no reader sees (zero bytes, controls).
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars()
        .filter(|c| matches!(c, '\n' | '\t') || !c.is_control())
        .collect()
}

/// `windows-1251` of `text/plain; charset="windows-1251"`.
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
    let marked = Encoding::for_bom(bytes).is_some_and(|(encoding, _)| encoding != UTF_8);
    marked || utf16(bytes).is_some()
}

/// UTF-16 without a mark: in text with spaces and line ends, one byte of them is zero, always on the same side.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
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
        (0, high) if high * 3 > count || (spaces > 0 && high > few) => Some(encoding_rs::UTF_16LE),
        (low, 0) if low * 3 > count || (spaces > 0 && low > few) => Some(encoding_rs::UTF_16BE),
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
    fn a_few_bad_bytes_do_not_spoil_the_rest() {
        let mut bytes = "déjà vu ".repeat(20).into_bytes();
        bytes.push(0xe9);
        assert!(decode(&bytes, Some("text/plain; charset=utf-8")).starts_with("déjà vu"));
        assert!(decode(&bytes, None).ends_with('\u{fffd}'));
    }
}
