//! Keys of the owner's API: the operator's own, and tenants' API keys `bulle_{tenant}_{id}_{secret}`, of which only
//! the hash is stored.

use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

use crate::digest::{same, sha256_hex};
use crate::model::is_id;

/// Fewest characters of the operator's key.
pub const MIN_OPERATOR_KEY_CHARS: usize = 32;

/// The prefix of every API key, so that scanners of repositories can find keys that were published.
const MARK: &str = "bulle";

/// Hexadecimal digits of the secret part.
const SECRET_DIGITS: usize = 64;

/// Milliseconds by which the stored time of a key's last use may be late.
pub const USE_GRAIN_MS: u64 = 60_000;

/// The operator's key. Has no `Debug`, so that it cannot be logged.
pub struct OperatorKey(String);

impl OperatorKey {
    /// The deployment's `ADMIN_KEY`; `None` when it is unset or too short to be a secret: then no caller is the
    /// operator.
    pub fn new(text: Option<&str>) -> Option<Self> {
        let text = text.filter(|text| text.chars().count() >= MIN_OPERATOR_KEY_CHARS)?;
        Some(Self(text.to_owned()))
    }

    /// Whether the presented key is the operator's.
    pub fn is(&self, presented: &str) -> bool {
        same(&self.0, presented)
    }
}

/// An API key. Has no `Debug`, so that it cannot be logged.
pub struct ApiKey {
    /// The tenant of the key.
    pub tenant_id: String,
    /// The key's id.
    pub id: Id,
    secret: String,
}

impl ApiKey {
    /// A key with two random numbers as its secret.
    pub fn new(tenant_id: &str, id: Id, random: [u128; 2]) -> Self {
        let [high, low] = random;
        Self {
            tenant_id: tenant_id.to_owned(),
            id,
            secret: format!("{high:032x}{low:032x}"),
        }
    }

    /// Reads a key; only its one canonical spelling is accepted.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('_');
        let (mark, tenant, id, secret) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let spelled = parts.next().is_none()
            && mark == MARK
            && is_id(tenant)
            && secret.len() == SECRET_DIGITS
            && secret.bytes().all(digits);
        spelled.then_some(())?;
        Some(Self {
            tenant_id: tenant.to_owned(),
            id: id.parse().ok()?,
            secret: secret.to_owned(),
        })
    }

    /// The whole key, to be shown once.
    pub fn reveal(&self) -> String {
        format!("{}_{}", self.prefix(), self.secret)
    }

    /// The key without its secret part.
    pub fn prefix(&self) -> String {
        prefix(&self.tenant_id, self.id)
    }

    /// SHA-256 of the whole key, hexadecimal. The secret has 256 random bits, which cannot be guessed, so a slow
    /// password hash would add no protection.
    pub fn hash(&self) -> String {
        sha256_hex([self.reveal().as_bytes()])
    }
}

/// The beginning of a key, up to its secret.
pub fn prefix(tenant_id: &str, id: Id) -> String {
    format!("{MARK}_{tenant_id}_{id}")
}

/// The stored part of an API key that decides whether it is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// [`ApiKey::hash`].
    pub hash: String,
    /// Unix milliseconds.
    pub expires_at: Option<u64>,
    /// Unix milliseconds.
    pub revoked_at: Option<u64>,
}

impl StoredKey {
    /// Whether the presented key is this one, and is neither revoked nor expired.
    pub fn accepts(&self, presented: &ApiKey, now_ms: u64) -> bool {
        let known = same(&self.hash, &presented.hash());
        known && self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now_ms < end)
    }
}

/// The token of an `Authorization` header.
///
/// # Errors
/// `api_key_missing`.
pub fn bearer(authorization: Option<&str>) -> Result<&str, Problem> {
    authorization
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or_else(|| {
            Problem::new(
                Code::ApiKeyMissing,
                "Send an API key as \"Authorization: Bearer bulle_…\".",
            )
        })
}

/// The same answer for an unknown, revoked, expired or misspelled key, so that a caller cannot learn which it is.
pub fn invalid() -> Problem {
    Problem::new(
        Code::ApiKeyInvalid,
        "This API key is unknown, revoked or expired, or the person whose key it was has left. Ask an owner or the operator for a new one.",
    )
}
