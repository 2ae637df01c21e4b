//! Unpacks ZIP archives and gzip streams within bounds; their declared sizes are not trusted.

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};

use crate::{Unreadable, limits};

/// An archive's directory.
#[derive(Debug)]
pub(crate) struct Archive<'a> {
    bytes: &'a [u8],
    entries: Vec<ArchiveEntry>,
    /// The number of bytes that may still be unpacked.
    left: usize,
}

#[derive(Debug)]
struct ArchiveEntry {
    name: String,
    encrypted: bool,
    method: u16,
    packed: usize,
    offset: usize,
}

fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    pair.try_into().ok().map(u16::from_le_bytes)
}

fn number32(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    four.try_into()
        .ok()
        .map(u32::from_le_bytes)
        .and_then(|number| usize::try_from(number).ok())
}

fn broken() -> Unreadable {
    Unreadable::corrupt(
        "The archive is broken, or was not received whole. Make it anew and give it again.",
    )
}

fn too_large() -> Unreadable {
    Unreadable::too_large(format!(
        "What the archive packs is larger than the {} MB that may be read. Give its parts one by one.",
        limits::MAX_UNPACKED_BYTES / limits::MEGABYTE
    ))
}

impl<'a> Archive<'a> {
    /// Reads the directory of a ZIP archive, but not its entries.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        // The end record is after the directory, before a comment of at most 65,535 bytes.
        let from = bytes.len().saturating_sub(65_557);
        let tail = bytes.get(from..).unwrap_or_default();
        let end = tail
            .windows(4)
            .rposition(|window| window == b"PK\x05\x06")
            .ok_or_else(broken)?
            + from;
        let count = usize::from(number16(bytes, end + 10).ok_or_else(broken)?);
        let mut at = number32(bytes, end + 16).ok_or_else(broken)?;
        if count == 0xffff || at == 0xffff_ffff {
            return Err(too_large());
        }
        if count > limits::MAX_ENTRIES {
            return Err(Unreadable::too_large(format!(
                "The archive has {count} entries; the most is {}. Divide it into several.",
                limits::MAX_ENTRIES
            )));
        }
        let mut entries = Vec::new();
        for _ in 0..count {
            let head = bytes
                .get(at..)
                .filter(|head| head.starts_with(b"PK\x01\x02"))
                .ok_or_else(broken)?;
            let length = |at| number16(head, at).map(usize::from).ok_or_else(broken);
            let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
            let text = head.get(46..46 + name).ok_or_else(broken)?;
            entries.push(ArchiveEntry {
                name: String::from_utf8_lossy(text).replace('\\', "/"),
                encrypted: length(8)? & 1 == 1,
                method: number16(head, 10).ok_or_else(broken)?,
                packed: number32(head, 20).ok_or_else(broken)?,
                offset: number32(head, 42).ok_or_else(broken)?,
            });
            at += 46 + name + extra + comment;
        }
        Ok(Self {
            bytes,
            entries,
            left: limits::MAX_UNPACKED_BYTES,
        })
    }

    /// The names of its entries.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }

    /// Unpacks the entry of a name, if there is one.
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name == name) else {
            return Ok(None);
        };
        if entry.encrypted {
            return Err(Unreadable::encrypted(
                "The archive asks for a password. Make one without and give that.",
            ));
        }
        let head = self
            .bytes
            .get(entry.offset..)
            .filter(|head| head.starts_with(b"PK\x03\x04"));
        let head = head.ok_or_else(broken)?;
        let length = |at| number16(head, at).map(usize::from).ok_or_else(broken);
        let start = 30 + length(26)? + length(28)?;
        let data = head.get(start..start + entry.packed).ok_or_else(broken)?;
        let bound = limits::MAX_PART_BYTES.min(self.left);
        let unpacked = match entry.method {
            0 if data.len() <= bound => data.to_vec(),
            0 => return Err(too_large()),
            8 => inflate(data, bound)?,
            _ => {
                return Err(Unreadable::unsupported(
                    "The archive is packed in a way that is not read here. Make a usual ZIP file.",
                ));
            }
        };
        self.left = self.left.saturating_sub(unpacked.len());
        Ok(Some(unpacked))
    }
}

fn inflate(data: &[u8], bound: usize) -> Result<Vec<u8>, Unreadable> {
    decompress_to_vec_with_limit(data, bound).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => too_large(),
        _ => broken(),
    })
}

/// Unpacks a gzip stream; `None` when the bytes are not gzip.
pub(crate) fn gunzip(bytes: &[u8], bound: usize) -> Result<Option<Vec<u8>>, Unreadable> {
    if !bytes.starts_with(&[0x1f, 0x8b, 8]) {
        return Ok(None);
    }
    let flags = bytes.get(3).copied().ok_or_else(broken)?;
    let mut at = 10;
    if flags & 4 != 0 {
        at += 2 + usize::from(number16(bytes, at).ok_or_else(broken)?);
    }
    // A name and a comment, each ended by a zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let rest = bytes.get(at..).ok_or_else(broken)?;
            at += rest.iter().position(|byte| *byte == 0).ok_or_else(broken)? + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    inflate(bytes.get(at..).ok_or_else(broken)?, bound).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../tests/samples/letter.docx");

    #[test]
    fn a_size_that_lies_and_a_bomb_are_refused() {
        let mut archive = Archive::open(SAMPLE).unwrap();
        assert!(archive.read("word/document.xml").unwrap().is_some());
        assert_eq!(archive.read("nowhere"), Ok(None));
        archive.left = 100;
        let error = archive.read("word/document.xml").unwrap_err();
        assert_eq!(error.code.as_str(), "too_large");
        let bomb = miniz_oxide::deflate::compress_to_vec(&vec![0; limits::MAX_PART_BYTES + 1], 6);
        assert_eq!(
            inflate(&bomb, limits::MAX_PART_BYTES)
                .unwrap_err()
                .code
                .as_str(),
            "too_large"
        );
        assert_eq!(
            Archive::open(&SAMPLE[..900]).unwrap_err().code.as_str(),
            "corrupt"
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(at in 0..SAMPLE.len(), bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..9), cut in 0..SAMPLE.len() * 2) {
            let mut data = SAMPLE.to_vec();
            data.truncate(cut.max(1));
            for (place, byte) in (at..).zip(bytes) {
                if let Some(old) = data.get_mut(place) {
                    *old = byte;
                }
            }
            if let Ok(mut archive) = Archive::open(&data) {
                let names: Vec<String> = archive.names().map(str::to_owned).collect();
                for name in names {
                    let _ = archive.read(&name);
                }
            }
            let _ = gunzip(&[&[0x1f, 0x8b, 8][..], &data].concat(), 1_000);
        }
    }
}
