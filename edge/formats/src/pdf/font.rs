//! Fonts: the text of each code, and its width.

use super::{
    cmap::{CMap, code},
    file::Pdf,
    names::{self, Codes},
    object::{Dictionary, Object},
    sort::sort_by,
};
use crate::{charset::Charset, limits};

/// Encoding of fonts with two bytes a character.
const WIDE: &str = "utf-16be";

/// Encoding with one byte or two, where some single bytes are above 127.
const KANA: &str = "shift_jis";

/// A font of a page.
#[derive(Debug)]
pub(super) struct Font {
    composite: bool,
    /// Widths in thousandths of the size, for ranges of codes; the last matching range counts.
    widths: Vec<(u32, u32, f32)>,
    default_width: f32,
    to_unicode: CMap,
    /// The base encoding of a simple font, and the codes that differ from it in this font.
    codes: &'static Codes,
    differences: Vec<(u8, String)>,
    /// The legacy encoding, or UTF-16, of the codes.
    encoding: Option<Charset>,
    family: &'static str,
    /// Whether its letters are bold.
    pub(super) bold: bool,
}

/// A drawn code.
#[derive(Debug)]
pub(super) struct ShownCode {
    /// Its text; empty if unknown.
    pub(super) text: String,
    /// In thousandths of the size.
    pub(super) width: f32,
    /// Whether it is the space that word spacing widens.
    pub(super) space: bool,
}

impl Font {
    pub(super) fn read(pdf: &Pdf<'_>, font: &Dictionary) -> Self {
        let name = |key: &[u8]| {
            let value = pdf.entry(font, key).and_then(Object::as_name);
            value.unwrap_or_default()
        };
        let composite = name(b"Subtype") == b"Type0";
        let base = String::from_utf8_lossy(name(b"BaseFont")).to_ascii_lowercase();
        let mut read = Self {
            composite,
            widths: Vec::new(),
            default_width: if composite { 1_000.0 } else { 0.0 },
            to_unicode: CMap::default(),
            codes: names::latin(),
            differences: Vec::new(),
            encoding: None,
            family: "",
            bold: ["bold", "black", "heavy", "semibold"]
                .iter()
                .any(|word| base.contains(word)),
        };
        let stream = pdf.entry(font, b"ToUnicode").and_then(Object::as_stream);
        if let Some(data) = stream.and_then(|it| pdf.unpack(it, limits::MAX_CMAP_BYTES).ok()) {
            let map = CMap::parse(&data);
            if pdf.keep(map.len()) {
                read.to_unicode = map;
            }
        }
        if composite {
            read.family = encoding_of(name(b"Encoding")).unwrap_or_default();
            read.encoding = Charset::of_label(read.family);
            let descendant = pdf
                .entry(font, b"DescendantFonts")
                .and_then(Object::as_array)
                .and_then(|fonts| pdf.resolve(fonts.first()?).as_dictionary());
            if let Some(descendant) = descendant {
                read.composite_widths(pdf, descendant);
            }
        } else {
            read.simple_widths(pdf, font);
            read.simple_codes(pdf, font);
        }
        if !pdf.keep(read.widths.len() + read.differences.len()) {
            read.widths.clear();
            read.differences.clear();
        }
        read.widths.shrink_to_fit();
        sort_by(&mut read.widths, |a, b| a.0.cmp(&b.0));
        read
    }

    fn simple_widths(&mut self, pdf: &Pdf<'_>, font: &Dictionary) {
        let first = pdf
            .entry(font, b"FirstChar")
            .and_then(Object::as_integer)
            .and_then(|first| u32::try_from(first).ok());
        let scale = pdf
            .entry(font, b"FontMatrix")
            .and_then(Object::as_array)
            .and_then(|matrix| matrix.first()?.as_number())
            .map_or(1.0, |scale| scale * 1_000.0);
        let widths = pdf.entry(font, b"Widths").and_then(Object::as_array);
        let codes = first.unwrap_or(0).min(255)..256;
        for (width, code) in widths.unwrap_or_default().iter().zip(codes) {
            if let Some(width) = pdf.resolve(width).as_number() {
                self.widths.push((code, code, width * scale));
            }
        }
        let missing = pdf
            .entry(font, b"FontDescriptor")
            .and_then(Object::as_dictionary)
            .and_then(|descriptor| pdf.entry(descriptor, b"MissingWidth")?.as_number());
        // The fourteen standard fonts may come without widths; an average is good enough to find spaces.
        self.default_width = missing.filter(|width| *width > 0.0).unwrap_or(520.0);
    }

    fn composite_widths(&mut self, pdf: &Pdf<'_>, font: &Dictionary) {
        if let Some(width) = pdf.entry(font, b"DW").and_then(Object::as_number) {
            self.default_width = width;
        }
        let Some(widths) = pdf.entry(font, b"W").and_then(Object::as_array) else {
            return;
        };
        let number = |item: &Object| u32::try_from(item.as_integer()?).ok();
        let mut items = widths.iter().map(|item| pdf.resolve(item));
        while let Some(first) = items.next().and_then(number) {
            match items.next() {
                Some(Object::Array(widths)) => {
                    for (width, code) in widths.iter().zip(first..) {
                        if let Some(width) = pdf.resolve(width).as_number() {
                            self.widths.push((code, code, width));
                        }
                    }
                }
                Some(last) => {
                    let width = items.next().and_then(Object::as_number);
                    let (Some(last), Some(width)) = (number(last), width) else {
                        return;
                    };
                    self.widths.push((first, last, width));
                }
                None => return,
            }
        }
    }

    fn width(&self, code: u32) -> f32 {
        let after = self.widths.partition_point(|(first, ..)| *first <= code);
        let before = self.widths.get(..after).unwrap_or_default();
        let found = before
            .iter()
            .rev()
            .take(8)
            .find(|(_, last, _)| code <= *last);
        found.map_or(self.default_width, |(.., width)| *width)
    }

    /// The base encoding and the differences of a simple font: by its glyph names, else Windows-1252.
    fn simple_codes(&mut self, pdf: &Pdf<'_>, font: &Dictionary) {
        let named = |name: &Object| name.as_name().and_then(names::encoding);
        let object = pdf.entry(font, b"Encoding");
        let Some(Object::Dictionary(dictionary)) = object else {
            self.codes = object.and_then(named).unwrap_or(self.codes);
            return;
        };
        let base = pdf.entry(dictionary, b"BaseEncoding");
        if let Some(codes) = base.map_or_else(|| names::encoding(b"StandardEncoding"), named) {
            self.codes = codes;
        }
        let items = pdf
            .entry(dictionary, b"Differences")
            .and_then(Object::as_array);
        let mut code = 0_u8;
        // More entries would only repeat codes.
        for item in items.unwrap_or_default().iter().take(1_024) {
            match pdf.resolve(item) {
                Object::Name(name) => {
                    // Many fonts may share this array of names.
                    if !pdf.look(name.len()) {
                        return;
                    }
                    if let Some(text) = names::glyph(name) {
                        self.differences.push((code, text));
                    }
                    code = code.wrapping_add(1);
                }
                first => {
                    let first = first
                        .as_integer()
                        .and_then(|first| u8::try_from(first).ok());
                    code = first.unwrap_or(code);
                }
            }
        }
        sort_by(&mut self.differences, |a, b| a.0.cmp(&b.0));
    }

    /// The text of a code of a simple font.
    fn simple(&self, code: u8) -> Option<String> {
        let after = self.differences.partition_point(|(own, _)| *own <= code);
        if let Some((own, text)) = self.differences.get(..after).and_then(<[_]>::last)
            && *own == code
        {
            return Some(text.clone());
        }
        let index = usize::from(code);
        let of = |codes: &Codes| codes.get(index).copied().filter(|c| *c != '\0');
        of(self.codes)
            .or_else(|| of(names::latin()))
            .map(String::from)
    }

    /// Reads a shown string.
    pub(super) fn draw(&self, bytes: &[u8]) -> Vec<ShownCode> {
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
                .or_else(|| (!self.composite).then(|| self.simple(*first)).flatten())
                .unwrap_or_default();
            out.push(ShownCode {
                text: text
                    .chars()
                    .filter(|c| !c.is_control() || *c == '\t')
                    .collect(),
                width: self.width(code),
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

    /// Whether the font says anything about the text of its codes.
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
