//! Known visitors: a JSON Web Token ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) that the site's own server has
//! signed with HMAC-SHA-256 and one of its tenant's identity secrets. docs/identity.md shows how, in five languages.
//!
//! The secrets are derived from the deployment's `SESSION_SECRET` and are not stored: a copy of the database does not
//! let its holder sign. A change of `SESSION_SECRET` changes all of them.

use bulle_protocol::problem::{Code, Problem};
use serde::Deserialize;

use super::jwt::{Parts, unwrapped};
use crate::model::{Secret, verify_mac};
use crate::{model::Identity, model::Site};

/// Seconds that the clocks of the site's server and of the edge may differ.
pub const SKEW_SECONDS: u64 = 60;

/// Longest lifetime of an identity that is accepted, in seconds from now.
pub const MAX_LIFETIME_SECONDS: u64 = 24 * 3_600;

/// A visitor whom the site's server vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The visitor's claims.
    pub identity: Identity,
    /// Id of the secret that signed the identity.
    pub voucher: String,
    /// Unix seconds.
    pub expires_at: u64,
}

/// Times are numbers of seconds; some libraries write fractions (RFC 7519, section 2, "NumericDate").
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    tier: Option<String>,
    exp: Option<f64>,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

/// The identity secret with this id: 64 hexadecimal digits, whose ASCII bytes are the key of the HMAC.
pub fn derive(deployment: &Secret, tenant_id: &str, id: &str) -> String {
    deployment.derive(&format!("identity/{tenant_id}/{id}"))
}

/// An identity that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRejected {
    /// The problem to answer with.
    pub problem: Problem,
    /// True when it has the form of a JWT as demanded, and the signature is of none of the tenant's secrets. A token of
    /// another form is a mistake of the site and no guess at a secret: it does not count against the network address.
    pub forged: bool,
}

/// Reads an identity for this site: the visitor, the id of the secret that signed it, and its end in Unix seconds. What a
/// page has put around the token is taken off first ([`unwrapped`]). Then its form is checked ([`Parts`]), then the
/// signature, in constant time; other defects are reported only when the signature is valid.
///
/// # Errors
/// `identity_invalid`, `identity_expired`; the detail is for the site's developer.
pub fn verify(
    deployment: &Secret,
    site: &Site,
    token: &str,
    now_ms: u64,
) -> Result<Vouched, IdentityRejected> {
    let rejected = |problem, forged| IdentityRejected { problem, forged };
    let token = unwrapped(token);
    let parts = Parts::of(&token).map_err(|what| {
        let detail = format!(
            "The identity is no JWT signed with HS256: {what}. Give the token alone; docs/identity.md has examples."
        );
        rejected(Problem::new(Code::IdentityInvalid, detail), false)
    })?;
    let voucher = voucher(deployment, site, &parts).ok_or_else(|| {
        let detail = "The identity is not signed with a current identity secret of this tenant. Compare the secret on \
                      your server with those of GET /v1/admin/tenants/{tenant}/identity-secrets; docs/identity.md has examples.";
        rejected(Problem::new(Code::IdentityInvalid, detail), true)
    })?;
    let read = read(site, &parts.payload, now_ms);
    let (identity, expires_at) = read.map_err(|problem| rejected(problem, false))?;
    Ok(Vouched {
        identity,
        voucher,
        expires_at,
    })
}

fn read(site: &Site, payload: &[u8], now_ms: u64) -> Result<(Identity, u64), Problem> {
    let invalid = |detail: &str| Problem::new(Code::IdentityInvalid, detail);
    let claims: Claims = serde_json::from_slice(payload).map_err(|error| {
        invalid(&format!(
            "The claims of the identity cannot be read: {error}."
        ))
    })?;
    let now = now_ms as f64 / 1_000.0;
    let skew = SKEW_SECONDS as f64;
    let exp = claims
        .exp
        .ok_or_else(|| invalid("The identity needs the claim `exp`, in Unix seconds."))?;
    if exp + skew <= now {
        return Err(Problem::new(
            Code::IdentityExpired,
            "The identity has expired: give the page a fresh one, or a function that fetches one.",
        ));
    }
    if exp > now + MAX_LIFETIME_SECONDS as f64 + skew {
        return Err(invalid(
            "`exp` is too far away: an identity is good for 24 hours at most. It counts seconds, not milliseconds.",
        ));
    }
    if claims.nbf.is_some_and(|nbf| nbf > now + skew) {
        return Err(invalid(
            "`nbf` is in the future: compare the clock of your server.",
        ));
    }
    let text = |name: &str, value: Option<String>, longest: usize| {
        let value = value.unwrap_or_default();
        let fits = value.chars().count() <= longest && !value.chars().any(char::is_control);
        fits.then_some(value).ok_or_else(|| {
            invalid(&format!(
                "`{name}` has at most {longest} characters, none of them control characters."
            ))
        })
    };
    let identity = Identity {
        subject: text("sub", claims.sub, 200)?,
        tier: text("tier", claims.tier, 40)?,
        name: text("name", claims.name, 100)?,
        email: text("email", claims.email, 254)?,
    };
    if identity.subject.is_empty() {
        return Err(invalid(
            "The identity needs the claim `sub`: your own id of the visitor.",
        ));
    }
    let tiers = &site.bot.limits.tiers;
    if !tiers.contains_key(&identity.tier) {
        let names: Vec<&str> = tiers.keys().map(String::as_str).collect();
        return Err(invalid(&format!(
            "The identity needs the claim `tier`, one of the bot's: {}.",
            names.join(", ")
        )));
    }
    Ok((identity, exp as u64))
}

/// The id of the secret that has signed.
fn voucher(deployment: &Secret, site: &Site, parts: &Parts<'_>) -> Option<String> {
    // Every secret is tried, so that the time taken does not show which one it was.
    let mut voucher = None;
    for id in &site.identity_secrets {
        let secret = derive(deployment, &site.tenant_id, id);
        if verify_mac(secret.as_bytes(), parts.signed, &parts.tag) {
            voucher = Some(id.clone());
        }
    }
    voucher
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::jwt::MAX_BYTES;
    use crate::testing::{identity_token, secret, site};
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
    use serde_json::{Value, json};

    const NOW: u64 = 1_700_000_000;

    fn known_site() -> Site {
        Site {
            identity_secrets: vec!["old".into(), "new".into()],
            ..site()
        }
    }

    fn claims() -> Value {
        json!({"sub": "user-42", "tier": "premium", "exp": NOW + 3_600, "name": "Adélaïde", "iat": NOW, "role": ["x"]})
    }

    fn signed(header: &Value, claims: &Value, id: &str) -> String {
        identity_token(header, claims, &derive(&secret(), &site().tenant_id, id))
    }

    fn read(token: &str) -> Result<Identity, (Code, String)> {
        let vouched = verify(&secret(), &known_site(), token, NOW * 1_000);
        let vouched = vouched.map_err(|refused| (refused.problem.code, refused.problem.detail));
        vouched.map(|vouched| vouched.identity)
    }

    fn code(token: &str) -> Code {
        read(token).unwrap_err().0
    }

    #[test]
    fn both_secrets_of_a_rotation_are_good_and_whatever_a_library_writes_is_read() {
        for header in [
            json!({"alg": "HS256"}),
            json!({"typ": "JWT", "alg": "HS256", "kid": "new"}),
            json!({"alg": "HS256", "typ": "jwt"}),
        ] {
            for id in ["old", "new"] {
                let identity = read(&signed(&header, &claims(), id)).unwrap();
                assert_eq!(
                    (
                        identity.subject.as_str(),
                        identity.tier.as_str(),
                        identity.name.as_str()
                    ),
                    ("user-42", "premium", "Adélaïde")
                );
            }
        }
        let mut fraction = claims();
        fraction["exp"] = json!(NOW as f64 + 0.5);
        assert!(read(&signed(&json!({"alg": "HS256"}), &fraction, "new")).is_ok());
    }

    #[test]
    fn forgeries_are_refused() {
        let hs256 = json!({"alg": "HS256", "typ": "JWT"});
        let good = signed(&hs256, &claims(), "new");
        let (signed_part, tag) = good.rsplit_once('.').unwrap();
        let unsigned = |header: Value| {
            format!(
                "{}.{}.",
                B64.encode(header.to_string()),
                signed_part.split('.').nth(1).unwrap()
            )
        };
        for forged in [
            String::new(),
            "a.b.c".to_owned(),
            signed_part.to_owned(),
            format!("{signed_part}."),
            format!("{good}="),
            format!("{good}.{tag}"),
            unsigned(json!({"alg": "none"})),
            unsigned(json!({"alg": "HS256"})),
            signed(&json!({"alg": "none"}), &claims(), "new"),
            signed(&json!({"alg": "HS384"}), &claims(), "new"),
            signed(&json!({"alg": "RS256"}), &claims(), "new"),
            signed(&json!({"alg": "hs256"}), &claims(), "new"),
            signed(&json!({"alg": "HS256", "crit": ["exp"]}), &claims(), "new"),
            signed(&json!({"alg": "HS256", "typ": "at+jwt"}), &claims(), "new"),
            signed(&json!({}), &claims(), "new"),
            signed(&hs256, &claims(), "revoked"),
            // The secret of another tenant, and the deployment's own.
            identity_token(&hs256, &claims(), &derive(&secret(), "other", "new")),
            identity_token(&hs256, &claims(), "0123456789abcdef0123456789abcdef"),
            identity_token(&hs256, &claims(), ""),
            signed(&hs256, &json!({"sub": "x".repeat(MAX_BYTES)}), "new"),
        ] {
            assert_eq!(code(&forged), Code::IdentityInvalid, "{forged}");
        }
    }

    #[test]
    fn claims_are_required_and_bounded() {
        let with = |name: &str, value: Value| {
            let mut claims = claims();
            claims[name] = value;
            read(&signed(&json!({"alg": "HS256"}), &claims, "new"))
        };
        for (name, value, expected, says) in [
            (
                "exp",
                json!(NOW - SKEW_SECONDS),
                Code::IdentityExpired,
                "expired",
            ),
            ("exp", json!(null), Code::IdentityInvalid, "`exp`"),
            (
                "exp",
                json!("soon"),
                Code::IdentityInvalid,
                "cannot be read",
            ),
            (
                "exp",
                json!(NOW + MAX_LIFETIME_SECONDS + SKEW_SECONDS + 1),
                Code::IdentityInvalid,
                "24 hours",
            ),
            (
                "exp",
                json!((NOW + 3_600) * 1_000),
                Code::IdentityInvalid,
                "not milliseconds",
            ),
            (
                "nbf",
                json!(NOW + SKEW_SECONDS + 1),
                Code::IdentityInvalid,
                "`nbf`",
            ),
            ("sub", json!(null), Code::IdentityInvalid, "`sub`"),
            ("sub", json!(""), Code::IdentityInvalid, "`sub`"),
            ("sub", json!(7), Code::IdentityInvalid, "cannot be read"),
            (
                "sub",
                json!("x".repeat(201)),
                Code::IdentityInvalid,
                "`sub`",
            ),
            ("sub", json!("a\nb"), Code::IdentityInvalid, "`sub`"),
            ("tier", json!(null), Code::IdentityInvalid, "free, premium"),
            (
                "tier",
                json!("gold"),
                Code::IdentityInvalid,
                "free, premium",
            ),
            (
                "name",
                json!("x".repeat(101)),
                Code::IdentityInvalid,
                "`name`",
            ),
            (
                "email",
                json!("x".repeat(255)),
                Code::IdentityInvalid,
                "`email`",
            ),
        ] {
            let (code, detail) = with(name, value.clone()).unwrap_err();
            assert_eq!(code, expected, "{name} = {value}");
            assert!(detail.contains(says), "{name} = {value}: {detail}");
        }
        for (name, value) in [
            ("exp", json!(NOW - SKEW_SECONDS + 1)),
            ("exp", json!(NOW + MAX_LIFETIME_SECONDS + SKEW_SECONDS)),
            ("nbf", json!(NOW + SKEW_SECONDS)),
            ("sub", json!("é".repeat(200))),
        ] {
            assert!(with(name, value.clone()).is_ok(), "{name} = {value}");
        }
    }

    #[test]
    fn a_tenant_without_secrets_knows_nobody() {
        let token = signed(&json!({"alg": "HS256"}), &claims(), "new");
        assert!(verify(&secret(), &site(), &token, NOW * 1_000).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_accepted_and_none_panics(text in "(?s).{0,200}", header in "\\PC{0,40}", claims in "\\PC{0,80}") {
            proptest::prop_assert!(read(&text).is_err());
            let dotted = format!("{}.{}.{}", B64.encode(header), B64.encode(claims), B64.encode(&text));
            proptest::prop_assert!(read(&dotted).is_err());
        }

        /// A valid token with any one bit changed is refused.
        #[test]
        fn every_bit_counts(at in 0usize..200, bit in 0u8..8) {
            let token = signed(&json!({"alg": "HS256"}), &claims(), "new");
            let mut bytes = token.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(text) = String::from_utf8(bytes) {
                proptest::prop_assert!(read(&text).is_err());
            }
        }
    }
}
