//! SHA-256, in the form in which it is stored and compared.

use sha2::{Digest, Sha256};

/// SHA-256 of the pieces, one after the other, hexadecimal.
pub fn sha256_hex<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    for piece in pieces {
        digest.update(piece);
    }
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
