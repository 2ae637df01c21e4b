//! Hashes and compression, computed once at build time so that requests need not wait for them.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::paths::Profile;

/// SHA-256 in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    hash_all(&[bytes])
}

/// One hash of several parts; each is preceded by its length, so that moving a byte from one part
/// to the next changes the hash.
pub fn hash_all(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hex(&hasher.finalize())
}

/// Hexadecimal, in lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A write to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Brotli, for published files at its best quality, which takes a second for each 150 KB.
pub fn brotli(profile: Profile, bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: match profile {
            Profile::Dev => 4,
            Profile::Release => 11,
        },
        lgwin: 22,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &parameters).context("brotli failed")?;
    Ok(compressed)
}

/// Brotli as a stream that is flushed to a whole byte and not ended, so that more can be appended to it.
pub fn brotli_flushed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 11, 22);
    encoder.write_all(bytes).context("brotli failed")?;
    encoder.flush().context("brotli failed")?;
    let written = encoder.get_ref().len();
    // The end of the stream, which closing writes, is cut off again.
    drop(encoder);
    out.truncate(written);
    Ok(out)
}

/// Gzip at its best level, for clients without brotli.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).context("gzip failed")?;
    encoder.finish().context("gzip failed")
}

/// Writes a file whole or not at all: a server may be reading the folder.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|current| current == bytes) {
        return Ok(());
    }
    let told = || format!("could not write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(told)?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    fs::write(&partial, bytes).with_context(told)?;
    fs::rename(&partial, path).with_context(told)
}

/// Writes a file whose name holds its hash, and its compressed siblings `.br` and `.gz`. A sibling
/// that exists was made from the same bytes, so it is kept: the best brotli is slow.
pub fn write_with_siblings(profile: Profile, path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes)?;
    let sibling = |extension: &str| {
        let mut sibling = path.as_os_str().to_owned();
        sibling.push(extension);
        Some(PathBuf::from(sibling)).filter(|sibling| !sibling.exists())
    };
    if let Some(sibling) = sibling(".br") {
        write(&sibling, &brotli(profile, bytes)?)?;
    }
    if let Some(sibling) = sibling(".gz") {
        write(&sibling, &gzip(bytes)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_is_compressed_can_be_read_back() {
        let text = "chat ".repeat(1_000).into_bytes();

        let mut plain = Vec::new();
        let packed = brotli(Profile::Release, &text).unwrap();
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut plain).unwrap();
        assert_eq!(plain, text);

        let mut plain = Vec::new();
        let packed = gzip(&text).unwrap();
        flate2::read::GzDecoder::new(packed.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(plain, text);
    }

    #[test]
    fn a_hash_tells_its_parts_apart() {
        assert_ne!(hash_all(&[b"ab", b"c"]), hash_all(&[b"a", b"bc"]));
    }
}
