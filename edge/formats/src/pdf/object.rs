//! The objects of a PDF: values, and references to values elsewhere in the file.

use super::sort::sort_by;
use crate::charset::Charset;

/// A value.
#[derive(Debug, Default)]
pub(super) enum Object {
    /// Null, and every value that the parser does not understand.
    #[default]
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f32),
    String(Vec<u8>),
    Name(Vec<u8>),
    Array(Vec<Object>),
    Dictionary(Dictionary),
    Stream(Stream),
    /// A reference to the object of a number.
    Reference(u32),
}

/// A stream: a dictionary, and bytes of the file that are unpacked on demand.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) dictionary: Dictionary,
    /// The positions of the first byte and after the last one.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Number and generation, from which the key of an encrypted stream is derived.
    pub(super) id: (u32, u16),
}

/// Values by name.
#[derive(Debug, Default)]
pub(super) struct Dictionary(Vec<(Vec<u8>, Object)>);

impl Dictionary {
    pub(super) const fn empty() -> Self {
        Self(Vec::new())
    }

    /// A dictionary with its entries in the order of the file; of equal names the last one counts.
    pub(super) fn new(mut entries: Vec<(Vec<u8>, Object)>) -> Self {
        sort_by(&mut entries, |a, b| a.0.cmp(&b.0));
        entries.shrink_to_fit();
        Self(entries)
    }

    /// The value of a name, which may be a reference.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Object> {
        let after = self.0.partition_point(|(name, _)| name.as_slice() <= key);
        let (name, object) = self.0.get(after.checked_sub(1)?)?;
        (name == key && !matches!(object, Object::Null)).then_some(object)
    }

    /// All values.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Object> {
        self.0.iter_mut().map(|(_, object)| object)
    }

    /// Adds the entries of an older dictionary that this one lacks.
    pub(super) fn inherit(&mut self, older: Self) {
        for (name, object) in older.0 {
            if self.get(&name).is_none() {
                let at = self.0.partition_point(|(other, _)| *other <= name);
                self.0.insert(at, (name, object));
            }
        }
    }
}

impl Object {
    pub(super) fn as_name(&self) -> Option<&[u8]> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Real(value) => Some(*value as i64),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f32> {
        match self {
            Self::Integer(value) => Some(*value as f32),
            Self::Real(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn as_array(&self) -> Option<&[Object]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// A dictionary, or that of a stream.
    pub(super) fn as_dictionary(&self) -> Option<&Dictionary> {
        match self {
            Self::Dictionary(dictionary) => Some(dictionary),
            Self::Stream(stream) => Some(&stream.dictionary),
            _ => None,
        }
    }

    pub(super) fn as_stream(&self) -> Option<&Stream> {
        match self {
            Self::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    pub(super) fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::String(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text of a text string: a title, a language.
    pub(super) fn as_text(&self) -> Option<String> {
        let bytes = self.as_bytes()?;
        let (label, text) = match bytes {
            [0xfe, 0xff, text @ ..] => ("utf-16be", text),
            [0xff, 0xfe, text @ ..] => ("utf-16le", text),
            [0xef, 0xbb, 0xbf, text @ ..] => ("utf-8", text),
            _ => return Some(bytes.iter().filter_map(|byte| doc_char(*byte)).collect()),
        };
        Charset::of_label(label).map(|charset| charset.decode(text))
    }
}

/// `PDFDocEncoding`: Latin-1, but for two ranges.
fn doc_char(byte: u8) -> Option<char> {
    const LOW: &str = "˘ˇˆ˙˝˛˚˜";
    const HIGH: &str = "•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž\0€";
    let (table, first) = match byte {
        24..=31 => (LOW, 24),
        128..=160 => (HIGH, 128),
        9 | 10 | 13 | 32.. => return Some(char::from(byte)),
        _ => return None,
    };
    let c = table.chars().nth(usize::from(byte - first));
    c.filter(|c| *c != '\0')
}
