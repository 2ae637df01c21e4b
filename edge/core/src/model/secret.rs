//! The deployment's signing secret and what is signed with it.

use bulle_protocol::problem::{Code, Problem};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Fewest bytes of a signing secret.
pub const MIN_SECRET_BYTES: usize = 32;

/// The deployment's signing secret. Has no `Debug`, so that it cannot be logged.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A secret of at least [`MIN_SECRET_BYTES`].
    ///
    /// # Errors
    /// `misconfigured`, saying what to set.
    pub fn new(text: Option<&str>) -> Result<Self, Problem> {
        match text {
            Some(text) if text.len() >= MIN_SECRET_BYTES => Ok(Self(text.as_bytes().to_vec())),
            _ => Err(Problem::new(
                Code::Misconfigured,
                format!(
                    "Set the secret SESSION_SECRET to at least {MIN_SECRET_BYTES} random characters: `npx wrangler \
                     secret put SESSION_SECRET`, or a line in edge/worker/.dev.vars on a laptop."
                ),
            )),
        }
    }

    /// A secret for one purpose: HMAC-SHA-256 of the purpose, 64 hexadecimal digits. The signing secret and the secrets
    /// of other purposes cannot be computed from it.
    pub fn derive(&self, purpose: &str) -> String {
        let tag = self.mac(purpose).map(|mac| mac.finalize().into_bytes());
        tag.iter()
            .flatten()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub(crate) fn mac(&self, signed: &str) -> Option<Hmac<Sha256>> {
        mac(&self.0, signed)
    }
}

/// HMAC-SHA-256 of a text. A key of any length is valid, so the result is never an error.
pub(crate) fn mac(key: &[u8], signed: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(signed.as_bytes());
    Some(mac)
}

/// Whether the tag is the HMAC-SHA-256 of what was signed; in constant time.
pub fn verify_mac(key: &[u8], signed: &str, tag: &[u8]) -> bool {
    mac(key, signed).is_some_and(|mac| mac.verify_slice(tag).is_ok())
}
