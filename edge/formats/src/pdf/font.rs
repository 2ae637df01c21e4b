//! Fonts: what a code means and how wide it is drawn.

use std::collections::HashMap;

use lopdf::{Dictionary, Document, Object};

use super::cmap::{CMap, code};
use crate::{charset::Charset, limits};

/// Two bytes a character.
const WIDE: &str = "utf-16be";

/// One byte or two; some that begin no pair stand above 127.
const KANA: &str = "shift_jis";

/// A font of a page.
#[derive(Debug)]
pub(super) struct Font {
    composite: bool,
    /// Widths in thousandths of the size.
    widths: HashMap<u32, f32>,
    default_width: f32,
    to_unicode: CMap,
    /// What the codes of a simple font mean.
    table: Vec<Option<char>>,
    /// Codes that are text in an encoding of old, or UTF-16.
    encoding: Option<Charset>,
    family: &'static str,
    /// Whether its letters are bold.
    pub(super) bold: bool,
}

/// A drawn code.
#[derive(Debug)]
pub(super) struct Drawn {
    /// What it means; empty if nobody knows.
    pub(super) text: String,
    /// In thousandths of the size.
    pub(super) width: f32,
    /// Whether it is the space that word spacing widens.
    pub(super) space: bool,
}

impl Font {
    pub(super) fn read(document: &Document, font: &Dictionary) -> Self {
        let name = |dictionary: &Dictionary, key: &[u8]| -> Vec<u8> {
            let value = dictionary
                .get_deref(key, document)
                .and_then(Object::as_name);
            value.map(<[u8]>::to_vec).unwrap_or_default()
        };
        let composite = name(font, b"Subtype") == b"Type0";
        let base = String::from_utf8_lossy(&name(font, b"BaseFont")).to_ascii_lowercase();
        let mut read = Self {
            composite,
            widths: HashMap::new(),
            default_width: if composite { 1_000.0 } else { 0.0 },
            to_unicode: CMap::default(),
            table: Vec::new(),
            encoding: None,
            family: "",
            bold: ["bold", "black", "heavy", "semibold"]
                .iter()
                .any(|word| base.contains(word)),
        };
        let stream = font
            .get_deref(b"ToUnicode", document)
            .and_then(Object::as_stream);
        if let Some(data) = stream.ok().and_then(|stream| {
            // What is not packed is refused by name as such.
            stream
                .decompressed_content_with_limit(limits::MAX_CMAP_BYTES)
                .ok()
                .or_else(|| {
                    (stream.content.len() < limits::MAX_CMAP_BYTES).then(|| stream.content.clone())
                })
        }) {
            read.to_unicode = CMap::parse(&data);
        }
        if composite {
            read.family = encoding_of(&name(font, b"Encoding")).unwrap_or_default();
            read.encoding = Charset::of_label(read.family);
            let descendant = font
                .get_deref(b"DescendantFonts", document)
                .and_then(Object::as_array)
                .ok()
                .and_then(|fonts| fonts.first())
                .and_then(|font| document.dereference(font).ok())
                .and_then(|(_, font)| font.as_dict().ok());
            if let Some(descendant) = descendant {
                read.composite_widths(document, descendant);
            }
        } else {
            read.simple_widths(document, font);
            read.table = table(document, font);
        }
        read
    }

    fn simple_widths(&mut self, document: &Document, font: &Dictionary) {
        let number = |dictionary: &Dictionary, key: &[u8]| {
            dictionary
                .get_deref(key, document)
                .and_then(Object::as_float)
                .ok()
        };
        let first = font
            .get_deref(b"FirstChar", document)
            .and_then(Object::as_i64)
            .unwrap_or(0);
        let scale = font
            .get_deref(b"FontMatrix", document)
            .and_then(Object::as_array)
            .ok()
            .and_then(|matrix| matrix.first()?.as_float().ok())
            .map_or(1.0, |scale| scale * 1_000.0);
        if let Ok(widths) = font
            .get_deref(b"Widths", document)
            .and_then(Object::as_array)
        {
            for (width, code) in widths.iter().zip(first.clamp(0, 255)..256) {
                let width = document
                    .dereference(width)
                    .ok()
                    .and_then(|(_, width)| width.as_float().ok());
                if let (Some(width), Ok(code)) = (width, u32::try_from(code)) {
                    self.widths.insert(code, width * scale);
                }
            }
        }
        let descriptor = font
            .get_deref(b"FontDescriptor", document)
            .and_then(Object::as_dict);
        let missing = descriptor
            .ok()
            .and_then(|descriptor| number(descriptor, b"MissingWidth"));
        // The fourteen fonts that every reader has may come without widths: an average will do to find spaces.
        self.default_width = missing.filter(|width| *width > 0.0).unwrap_or(520.0);
    }

    fn composite_widths(&mut self, document: &Document, font: &Dictionary) {
        if let Ok(width) = font.get_deref(b"DW", document).and_then(Object::as_float) {
            self.default_width = width;
        }
        let Ok(widths) = font.get_deref(b"W", document).and_then(Object::as_array) else {
            return;
        };
        let mut items = widths
            .iter()
            .filter_map(|item| document.dereference(item).ok().map(|(_, item)| item));
        while let Some(first) = items.next().and_then(|item| item.as_i64().ok()) {
            let Ok(first) = u32::try_from(first) else {
                return;
            };
            match items.next() {
                Some(Object::Array(widths)) => {
                    for (width, code) in widths.iter().zip(first..) {
                        if let Ok(width) = width.as_float() {
                            self.widths.insert(code, width);
                        }
                    }
                }
                Some(last) => {
                    let last = last.as_i64().ok().and_then(|last| u32::try_from(last).ok());
                    let width = items.next().and_then(|width| width.as_float().ok());
                    let (Some(last), Some(width)) = (last, width) else {
                        return;
                    };
                    for code in (first..=last).take(65_536) {
                        self.widths.insert(code, width);
                    }
                }
                None => return,
            }
            if self.widths.len() > 200_000 {
                return;
            }
        }
    }

    /// Reads a shown string.
    pub(super) fn draw(&self, bytes: &[u8]) -> Vec<Drawn> {
        let mut out = Vec::new();
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let length = self.length(rest).clamp(1, rest.len());
            let (bytes, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = after;
            let code = code(bytes);
            let text = self
                .to_unicode
                .get(code)
                .or_else(|| {
                    self.encoding
                        .as_ref()
                        .map(|encoding| encoding.decode(bytes))
                })
                .or_else(|| {
                    let index = usize::from(*first);
                    let c = (!self.composite).then(|| self.table.get(index).copied().flatten());
                    c.flatten().map(String::from)
                })
                .unwrap_or_default();
            out.push(Drawn {
                text: text
                    .chars()
                    .filter(|c| !c.is_control() || *c == '\t')
                    .collect(),
                width: self
                    .widths
                    .get(&code)
                    .copied()
                    .unwrap_or(self.default_width),
                space: length == 1 && code == 32,
            });
        }
        out
    }

    fn length(&self, bytes: &[u8]) -> usize {
        if !self.composite {
            return 1;
        }
        if self.encoding.is_some() && self.family != WIDE {
            let double = bytes
                .first()
                .is_some_and(|byte| *byte >= 0x81 && *byte != 0xff);
            let kana = self.family == KANA
                && bytes
                    .first()
                    .is_some_and(|byte| (0xa0..0xe0).contains(byte));
            return if double && !kana { 2 } else { 1 };
        }
        self.to_unicode.code_length(bytes).unwrap_or(2)
    }

    /// Whether anything is known of what its codes mean.
    pub(super) fn is_readable(&self) -> bool {
        !self.composite || !self.to_unicode.is_empty() || self.encoding.is_some()
    }
}

/// The encodings that the codes of East Asian fonts are in, by the name of the map that reads them.
fn encoding_of(name: &[u8]) -> Option<&'static str> {
    let name = String::from_utf8_lossy(name);
    let has = |part: &str| name.contains(part);
    if name.starts_with("Identity") || name.is_empty() {
        None
    } else if has("UCS2") || has("UTF16") {
        Some(WIDE)
    } else if has("RKSJ") {
        Some(KANA)
    } else if has("GBK") || name.starts_with("GB-EUC") {
        Some("gb18030")
    } else if has("B5") || has("HKscs") {
        Some("big5")
    } else if has("KSC") {
        Some("euc-kr")
    } else if name == "EUC-H" || name == "EUC-V" {
        Some("euc-jp")
    } else {
        None
    }
}

/// What the 256 codes of a simple font mean: by its names of glyphs, else as Windows writes Latin.
fn table(document: &Document, font: &Dictionary) -> Vec<Option<char>> {
    let bytes: Vec<u8> = (0..=255).collect();
    let latin = Charset::of_label("windows-1252")
        .map(|charset| charset.decode(&bytes))
        .unwrap_or_default();
    let latin: Vec<char> = latin.chars().collect();
    let fallback = |byte: u8| latin.get(usize::from(byte)).copied();
    let object = font.get_deref(b"Encoding", document).ok();
    // Only these kinds are let in: others would read `ToUnicode` without a bound.
    let known = |name: &[u8]| {
        matches!(
            name,
            b"StandardEncoding" | b"MacRomanEncoding" | b"MacExpertEncoding" | b"WinAnsiEncoding"
        )
    };
    let allowed = match object {
        Some(Object::Name(name)) => known(name),
        Some(Object::Dictionary(dictionary)) => dictionary
            .get(b"BaseEncoding")
            .and_then(Object::as_name)
            .map_or(true, known),
        _ => false,
    };
    let encoding = allowed
        .then(|| {
            font.get_font_encoding_with_limit(document, limits::MAX_CMAP_BYTES)
                .ok()
        })
        .flatten();
    let symbolic = matches!(object, Some(Object::Dictionary(dictionary)) if dictionary.get(b"BaseEncoding").is_err());
    (0..=255_u8)
        .map(|byte| {
            let named = encoding
                .as_ref()
                .and_then(|encoding| encoding.bytes_to_string(&[byte]).ok());
            let named = named
                .and_then(|text| text.chars().next())
                .filter(|c| *c != '\u{fffd}');
            match (encoding.is_some(), symbolic) {
                (true, false) => named,
                _ => named.or_else(|| fallback(byte)),
            }
        })
        .collect()
}
