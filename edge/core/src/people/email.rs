//! The address with which a person signs in.

/// Longest address, in bytes (RFC 5321, section 4.5.3.1.3).
const MAX_EMAIL: usize = 254;

/// The one spelling of an address: lower case, without spaces around it. `None` when no mail could reach it.
pub fn spelled(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let clean = email
        .chars()
        .all(|c| !c.is_whitespace() && !c.is_control() && !"<>\"(),:;[]\\".contains(c));
    let possible = !local.is_empty()
        && !local.contains('@')
        && !domain.is_empty()
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && email.len() <= MAX_EMAIL;
    (clean && possible).then_some(email)
}

/// The name of a person who has given none: what stands before the `@`.
pub fn name_of(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    local.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        let same = |text: &str| assert_eq!(spelled(text).as_deref(), Some("ada@example.com"));
        same("ada@example.com");
        same(" Ada@Example.COM\n");
        let long = format!("{}@example.com", "a".repeat(243));
        for wrong in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a b@example.com",
            "a@b@c",
            "<ada@example.com>",
            "ada@.com",
            "ada@example.",
            "ada@exam\nple.com",
            "a,b@example.com",
            &long,
        ] {
            assert_eq!(spelled(wrong), None, "{wrong}");
        }
        assert_eq!(name_of("ada@example.com"), "ada");
    }
}
