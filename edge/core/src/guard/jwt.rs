//! The form of a JSON Web Token ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)), before its signature is compared. A
//! token passes a site's templates, JSON, headers and attributes on its way to the edge, and each may wrap it into something
//! or break its lines. What cannot belong to a token is taken off ([`unwrapped`]); what is then of another form than the edge
//! demands is told apart from a wrong signature ([`Parts::of`]).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde::Deserialize;

/// Longest identity, in bytes.
pub const MAX_BYTES: usize = 4_096;

/// The header as far as it matters (RFC 7515, section 4.1). What is not listed is ignored, `crit` is refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// The token without what pages put around it: white space anywhere (the end of a file, a wrapped line, a template), the
/// quotes of JSON or of an attribute, `Bearer`, invisible characters. None of these can be part of a JWT, and the signature
/// is checked over what remains.
pub fn unwrapped(token: &str) -> String {
    const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];
    const INVISIBLE: [char; 5] = ['\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}'];
    let drops = |c: char| c.is_whitespace() || c.is_control() || INVISIBLE.contains(&c);
    let outer = |c: char| drops(c) || QUOTES.contains(&c);
    // JSON writes a line break inside of a string as two characters.
    let token = token.replace("\\n", "\n").replace("\\r", "\r");
    let token = token.trim_matches(outer);
    let after_scheme = token
        .split_once(drops)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = after_scheme.map_or(token, |(_, token)| token.trim_matches(outer));
    token.chars().filter(|c| !drops(*c)).collect()
}

/// A token of the form that is demanded: three parts in base64url without padding, and a header that asks for HS256.
pub struct Parts<'t> {
    /// What the signature is for.
    pub signed: &'t str,
    /// The claims, as JSON.
    pub payload: Vec<u8>,
    /// The signature.
    pub tag: Vec<u8>,
}

impl<'t> Parts<'t> {
    /// Reads the form of a token.
    ///
    /// # Errors
    /// What is wrong with it, as a clause of a sentence.
    pub fn of(token: &'t str) -> Result<Self, String> {
        if token.len() > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes"));
        }
        let parts: Vec<&str> = token.split('.').collect();
        let &[header, payload, tag] = parts.as_slice() else {
            let count = parts.len();
            return Err(format!(
                "a JWT has three parts between dots, this one {count}"
            ));
        };
        let decode = |name: &str, part: &str| {
            let decoded = B64.decode(part);
            decoded.map_err(|_| format!("its {name} is not base64url without padding"))
        };
        let header = decode("header", header)?;
        let header: Header = serde_json::from_slice(&header)
            .map_err(|error| format!("its header cannot be read ({error})"))?;
        // The algorithm is pinned: what the header says only has to agree.
        if header.alg != "HS256" {
            return Err("its header has another `alg`".to_owned());
        }
        let jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        if !jwt || header.crit.is_some() {
            return Err("its header has another `typ`, or `crit`".to_owned());
        }
        let payload = decode("payload", payload)?;
        let tag = decode("signature", tag)?;
        // The length of HMAC-SHA-256 in bytes.
        if tag.len() != 32 {
            return Err("its signature is not that of HS256".to_owned());
        }
        let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
        Ok(Self {
            signed,
            payload,
            tag,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::MAX_BYTES;
    use crate::guard::identity::{IdentityRejected, Vouched, derive, verify};
    use crate::model::Site;
    use crate::testing::{identity_token, secret, site};
    use bulle_protocol::problem::Code;
    use serde_json::{Value, json};

    const NOW: u64 = 1_700_000_000;

    fn claims() -> Value {
        json!({"sub": "user-42", "tier": "premium", "exp": NOW + 3_600})
    }

    fn signed(header: &Value, claims: &Value, id: &str) -> String {
        identity_token(header, claims, &derive(&secret(), &site().tenant_id, id))
    }

    fn verified(token: &str) -> Result<Vouched, IdentityRejected> {
        let site = Site {
            identity_secrets: vec!["new".into()],
            ..site()
        };
        verify(&secret(), &site, token, NOW * 1_000)
    }

    /// What pages do to a token on its way from the server.
    #[test]
    fn what_a_page_puts_around_a_token_is_no_part_of_it() {
        let good = signed(&json!({"alg": "HS256", "typ": "JWT"}), &claims(), "new");
        let (first, second) = good.split_at(70);
        for wrapped in [
            format!("{good}\n"),
            format!("\r\n  {good} \t"),
            format!("\"{good}\""),
            format!("\"{good}\"\n"),
            format!("\"{good}\\n\""),
            format!("'{good}'"),
            format!("“{good}”"),
            format!("Bearer {good}"),
            format!("bearer\t\"{good}\""),
            format!("\"Bearer {good}\""),
            format!("\u{feff}{good}\u{200b}"),
            format!("{first}\n{second}"),
            format!("{first}\r\n  {second}"),
            format!("{first} {second}"),
            good.replace('.', " . "),
        ] {
            assert_eq!(
                verified(&wrapped).unwrap().identity.subject,
                "user-42",
                "{wrapped:?}"
            );
        }
    }

    #[test]
    fn a_token_of_another_form_is_a_mistake_and_no_forgery() {
        let hs256 = json!({"alg": "HS256", "typ": "JWT"});
        let good = signed(&hs256, &claims(), "new");
        let parts: Vec<&str> = good.split('.').collect();
        let [header, payload, tag] = parts[..] else {
            panic!("three parts");
        };
        let rejected = |token: &str| verified(token).unwrap_err();
        for (token, says) in [
            (String::new(), "this one 1"),
            ("null".into(), "this one 1"),
            ("[object Object]".into(), "this one 1"),
            (
                format!("{{\"token\":\"{good}\"}}"),
                "header is not base64url",
            ),
            (format!("{header}.{payload}"), "this one 2"),
            (format!("{good}.{tag}.{tag}"), "this one 5"),
            (format!("{good}="), "signature is not base64url"),
            (
                format!("{header}=.{payload}.{tag}"),
                "header is not base64url",
            ),
            (
                format!("{header}.{payload}==.{tag}"),
                "payload is not base64url",
            ),
            (
                format!("{header}.{payload}."),
                "signature is not that of HS256",
            ),
            (good.split_at(good.len() - 3).0.into(), "signature is not"),
            (format!("a.{payload}.{tag}"), "header is not base64url"),
            (format!("{payload}.{header}.{tag}"), "header cannot be read"),
            (signed(&json!({"alg": "RS256"}), &claims(), "new"), "`alg`"),
            (signed(&json!({"alg": "none"}), &claims(), "new"), "`alg`"),
            (
                signed(&json!({"alg": "HS256", "crit": ["exp"]}), &claims(), "new"),
                "`crit`",
            ),
            (
                signed(&hs256, &json!({"sub": "x".repeat(MAX_BYTES)}), "new"),
                "4096 bytes",
            ),
        ] {
            let rejected = rejected(&token);
            assert!(!rejected.forged, "{token}");
            assert_eq!(rejected.problem.code, Code::IdentityInvalid, "{token}");
            let detail = rejected.problem.detail;
            assert!(detail.contains(says), "{token}: {detail}");
        }
        assert!(rejected(&signed(&hs256, &claims(), "revoked")).forged);
        assert!(rejected(&format!("\"{}\"\n", signed(&hs256, &claims(), "revoked"))).forged);
    }
}
