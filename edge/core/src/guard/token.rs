//! Session tokens: JSON Web Tokens ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) signed with HMAC-SHA-256 only.
//! The header is compared byte for byte, so a token cannot choose another algorithm.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use hmac::Mac;
use serde::{Deserialize, Serialize};

use crate::model::Secret;

/// Seconds during which a token works for calls.
pub const LIFETIME_SECONDS: u64 = 3_600;

/// Seconds after expiry during which a token still opens a new session of the same visitor.
pub const RESUME_SECONDS: u64 = 90 * 24 * 3_600;

/// `{"alg":"HS256","typ":"JWT"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// The claims of a session token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionClaims {
    /// The visitor.
    pub sub: Id,
    /// Key of the site that the session belongs to.
    pub site: String,
    /// Served locale.
    pub locale: String,
    /// The page's origin: the token is refused from any other.
    pub origin: String,
    /// Tier of the visitor.
    pub tier: String,
    /// Id of the identity secret that vouches for the visitor; absent for an anonymous visitor.
    pub voucher: Option<String>,
    /// Unix seconds.
    pub iat: u64,
    /// Unix seconds.
    pub exp: u64,
}

impl SessionClaims {
    /// The same claims from now on (Unix milliseconds), for [`LIFETIME_SECONDS`].
    #[must_use]
    pub fn starting(mut self, now_ms: u64) -> Self {
        self.iat = now_ms / 1_000;
        self.exp = self.iat + LIFETIME_SECONDS;
        self
    }
}

/// The token.
pub fn sign(secret: &Secret, claims: &SessionClaims) -> String {
    let payload = serde_json::to_vec(claims).unwrap_or_default();
    let signed = format!("{HEADER}.{}", B64.encode(payload));
    let tag = secret
        .mac(&signed)
        .map(|mac| B64.encode(mac.finalize().into_bytes()))
        .unwrap_or_default();
    format!("{signed}.{tag}")
}

/// Reads an `Authorization` header.
///
/// # Errors
/// `token_missing`, `token_invalid`, `token_expired`.
pub fn verify(
    secret: &Secret,
    authorization: Option<&str>,
    now_ms: u64,
) -> Result<SessionClaims, Problem> {
    let token = authorization
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| {
            Problem::new(
                Code::TokenMissing,
                "Send the token of POST /v1/sessions as \"Authorization: Bearer …\".",
            )
        })?;
    let claims = open(secret, token)?;
    if now_ms / 1_000 >= claims.exp {
        return Err(Problem::new(
            Code::TokenExpired,
            "Open a session again with this token as \"resume\".",
        ));
    }
    Ok(claims)
}

/// Reads a token that may have expired up to [`RESUME_SECONDS`] ago.
///
/// # Errors
/// `token_invalid`, `token_expired`.
pub fn verify_for_resume(
    secret: &Secret,
    token: &str,
    now_ms: u64,
) -> Result<SessionClaims, Problem> {
    let claims = open(secret, token)?;
    if now_ms / 1_000 >= claims.exp.saturating_add(RESUME_SECONDS) {
        return Err(Problem::new(Code::TokenExpired, "Open a new session."));
    }
    Ok(claims)
}

/// Checks the signature, in constant time, before it reads the payload.
fn open(secret: &Secret, token: &str) -> Result<SessionClaims, Problem> {
    let read = || {
        let (signed, tag) = token.rsplit_once('.')?;
        let payload = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
        let tag = B64.decode(tag).ok()?;
        secret.mac(signed)?.verify_slice(&tag).ok()?;
        serde_json::from_slice(&B64.decode(payload).ok()?).ok()
    };
    read().ok_or_else(|| Problem::new(Code::TokenInvalid, "Open a session again."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MIN_SECRET_BYTES;

    const NOW: u64 = 1_700_000_000_000;

    fn secret(letter: &str) -> Secret {
        Secret::new(Some(&letter.repeat(MIN_SECRET_BYTES))).unwrap()
    }

    fn claims() -> SessionClaims {
        let claims = SessionClaims {
            sub: Id::from_parts(1, 2),
            site: "site".into(),
            locale: "fr".into(),
            origin: "https://example.com".into(),
            tier: "free".into(),
            voucher: None,
            iat: 0,
            exp: 0,
        };
        claims.starting(NOW)
    }

    fn code(result: Result<SessionClaims, Problem>) -> Option<Code> {
        result.err().map(|problem| problem.code)
    }

    #[test]
    fn a_token_is_what_rfc_7515_says() {
        assert_eq!(
            B64.decode(HEADER).unwrap(),
            br#"{"alg":"HS256","typ":"JWT"}"#
        );
        insta::assert_snapshot!(sign(&secret("a"), &claims()));
    }

    #[test]
    fn lifetime_and_resume() {
        let token = sign(&secret("a"), &claims());
        let header = format!("Bearer {token}");
        let at = |seconds: u64| NOW + seconds * 1_000;
        let verify = |now| verify(&secret("a"), Some(&header), now);
        assert_eq!(verify(at(LIFETIME_SECONDS - 1)).unwrap(), claims());
        assert_eq!(code(verify(at(LIFETIME_SECONDS))), Some(Code::TokenExpired));
        let resume = |now| verify_for_resume(&secret("a"), &token, now);
        let last = LIFETIME_SECONDS + RESUME_SECONDS;
        assert!(resume(at(last - 1)).is_ok());
        assert_eq!(code(resume(at(last))), Some(Code::TokenExpired));
    }

    #[test]
    fn forgeries_are_refused() {
        let token = sign(&secret("a"), &claims());
        let (signed, tag) = token.rsplit_once('.').unwrap();
        let none = format!(
            "{}.{}.",
            B64.encode(r#"{"alg":"none"}"#),
            signed.split('.').nth(1).unwrap()
        );
        let other = B64.encode(
            serde_json::to_vec(&SessionClaims {
                sub: Id::from_parts(9, 9),
                ..claims()
            })
            .unwrap(),
        );
        for forged in [
            String::new(),
            "a.b.c".into(),
            signed.into(),
            format!("{signed}."),
            format!("{signed}.{}", tag.chars().skip(2).collect::<String>()),
            format!("{token}="),
            none,
            format!("{HEADER}.{other}.{tag}"),
            sign(&secret("b"), &claims()),
        ] {
            let header = format!("Bearer {forged}");
            assert_eq!(
                code(verify(&secret("a"), Some(&header), NOW)),
                Some(Code::TokenInvalid),
                "{forged}"
            );
        }
        for missing in [None, Some(""), Some("Bearer"), Some("Basic abc")] {
            assert_eq!(
                code(verify(&secret("a"), missing, NOW)),
                Some(Code::TokenMissing)
            );
        }
    }

    #[test]
    fn a_short_secret_is_refused() {
        assert!(Secret::new(None).is_err());
        assert!(Secret::new(Some("short")).is_err());
    }

    proptest::proptest! {
            #[test]
            fn no_text_is_accepted_and_none_panics(text in "(?s).{0,80}") {
    let header = format!("Bearer {text}");
                proptest::prop_assert!(verify(&secret("a"), Some(&header), NOW).is_err());
            }
        }
}
