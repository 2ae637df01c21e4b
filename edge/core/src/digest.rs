//! SHA-256, in the form in which it is stored and compared.

use hmac::{Hmac, KeyInit, Mac};
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

/// Compares two secrets by their HMAC tags, so that the time taken does not depend on where they differ.
pub fn same(a: &str, b: &str) -> bool {
    let mac = |text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"bulle/compare").ok()?;
        mac.update(text.as_bytes());
        Some(mac)
    };
    let (Some(a), Some(b)) = (mac(a), mac(b)) else {
        return false;
    };
    a.verify(&b.finalize().into_bytes()).is_ok()
}
