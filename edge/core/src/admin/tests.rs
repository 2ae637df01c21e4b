//! Tests of callers, keys, preconditions and values.

use bulle_api::{
    admin::{Environment, NewApiKey, NewBot, NewSite, NewTenant, Scope},
    settings::{BotSettings, TenantSettings},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

use super::{
    key::{ApiKey, OperatorKey, StoredKey, bearer},
    precondition::{covers, etag, required},
    rules::Rules,
};
use crate::model::is_id;

const NOW: u64 = 1_700_000_000_000;

fn key() -> ApiKey {
    ApiKey::new("acme", Id::from_parts(NOW, 7), [1, u128::MAX])
}

#[test]
fn a_key_has_one_spelling() {
    let text = key().reveal();
    let secret = format!("{:032x}{:032x}", 1, u128::MAX);
    assert_eq!(text, format!("bulle_acme_{}_{secret}", key().id));
    let read = ApiKey::parse(&text).unwrap();
    assert_eq!((read.tenant_id.as_str(), read.id), ("acme", key().id));
    assert_eq!(read.reveal(), text);
    assert_eq!(format!("{}_{secret}", read.prefix()), text);
    assert_eq!(read.hash().len(), 64);
    for wrong in [
        String::new(),
        "bulle".into(),
        "bulle___".into(),
        text.to_uppercase(),
        text.replace("ffff", "FFFF"),
        text.replace("acme", "Acme"),
        text.replace("acme", ""),
        text.replace("acme", "ac_me"),
        text.replace("bulle_", "bull_"),
        format!("{text}0"),
        format!("{text}_"),
        text.chars().skip(1).collect(),
        text.trim_end_matches('f').to_owned(),
        text.replace("01HF", "91HF"),
    ] {
        assert!(ApiKey::parse(&wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_stored_key_accepts_its_own_key_while_it_is_good() {
    let stored = StoredKey {
        hash: key().hash(),
        expires_at: None,
        revoked_at: None,
    };
    assert!(stored.accepts(&key(), NOW));
    let other = ApiKey::new("acme", key().id, [1, 0]);
    assert!(!stored.accepts(&other, NOW));
    let elsewhere = ApiKey::new("other", key().id, [1, u128::MAX]);
    assert!(!stored.accepts(&elsewhere, NOW));
    let expiring = StoredKey {
        expires_at: Some(NOW),
        ..stored.clone()
    };
    assert!(expiring.accepts(&key(), NOW - 1));
    assert!(!expiring.accepts(&key(), NOW));
    let revoked = StoredKey {
        revoked_at: Some(NOW),
        ..stored
    };
    assert!(!revoked.accepts(&key(), NOW));
}

#[test]
fn the_operators_key_is_long_or_there_is_none() {
    let long = "k".repeat(32);
    let door = OperatorKey::new(Some(&long)).unwrap();
    assert!(door.is(&long));
    for wrong in ["", "k", &"k".repeat(31), &"k".repeat(33), &"K".repeat(32)] {
        assert!(!door.is(wrong), "{wrong}");
    }
    assert!(OperatorKey::new(Some(&"k".repeat(31))).is_none());
    assert!(OperatorKey::new(None).is_none());
}

#[test]
fn the_header_is_read() {
    assert_eq!(bearer(Some("Bearer abc")).unwrap(), "abc");
    assert_eq!(bearer(Some("bearer  abc ")).unwrap(), "abc");
    for missing in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Basic abc"),
    ] {
        let problem = bearer(missing).unwrap_err();
        assert_eq!(problem.code, Code::ApiKeyMissing, "{missing:?}");
    }
}

#[test]
fn the_names_of_scopes_are_those_of_json() {
    for scope in Scope::ALL {
        let json = serde_json::to_string(&scope).unwrap();
        assert_eq!(json, format!("\"{}\"", scope.as_str()));
    }
}

#[test]
fn versions_are_compared() {
    assert_eq!(etag(3), "\"3\"");
    for (field, expected) in [
        ("\"3\"", true),
        ("W/\"3\"", true),
        ("*", true),
        ("\"1\", \"3\"", true),
        ("\"33\"", false),
        ("3", false),
        ("\"03\"", false),
        ("", false),
    ] {
        assert_eq!(covers(field, 3), expected, "{field}");
    }
    assert_eq!(required(None).unwrap_err().code, Code::PreconditionRequired);
    assert_eq!(required(Some("*")).unwrap(), "*");
}

#[test]
fn ids() {
    for good in ["a", "0", "acme", "a-", "a-b-1", &"a".repeat(40)] {
        assert!(is_id(good), "{good}");
    }
    for bad in ["", "-a", "A", "é", "a_b", "a b", "a/b", &"a".repeat(41)] {
        assert!(!is_id(bad), "{bad}");
    }
}

#[test]
fn refused_values_are_named() {
    let detail = |result: Result<(), Problem>| {
        result.err().map_or_else(String::new, |problem| {
            assert_eq!(problem.code, Code::InvalidValue);
            problem.detail
        })
    };
    let tenant = |id: &str, name: &str| {
        let settings = TenantSettings::default();
        let (id, name) = (id.to_owned(), name.to_owned());
        detail(NewTenant { id, name, settings }.check(NOW))
    };
    assert_eq!(tenant("acme", "Acme"), "");
    assert_eq!(tenant("acme", &"é".repeat(80)), "");
    assert!(tenant("Acme", "Acme").starts_with("id: "));
    for name in ["", " \u{a0}", &"é".repeat(81), "a\nb", "a\0b"] {
        assert!(tenant("acme", name).starts_with("name: "), "{name:?}");
    }

    let nameless = NewBot {
        id: "guide".into(),
        settings: BotSettings::default(),
    };
    assert!(detail(nameless.check(NOW)).starts_with("settings.name: "));

    let site = |origins: &[&str]| {
        let site = NewSite {
            bot_id: "guide".into(),
            name: String::new(),
            origins: origins.iter().map(|&origin| origin.into()).collect(),
            environment: Environment::Production,
        };
        detail(site.check(NOW))
    };
    assert_eq!(site(&["https://example.com", "http://localhost:*"]), "");
    assert!(site(&[]).starts_with("origins: "));
    assert!(site(&["https://example.com"; 51]).starts_with("origins: "));
    assert!(site(&["https://example.com/"]).contains("\"https://example.com/\""));
    assert!(site(&[&format!("https://{}.com", "a".repeat(400))]).starts_with("origins: "));

    let key = |scopes: &[Scope], expires_at| {
        let key = NewApiKey {
            name: "CI".into(),
            scopes: scopes.to_vec(),
            expires_at,
            personal: false,
        };
        detail(key.check(NOW))
    };
    assert_eq!(key(&[Scope::BotsRead], None), "");
    assert_eq!(key(&[Scope::BotsRead], Some(NOW + 1)), "");
    assert!(key(&[Scope::BotsRead], Some(NOW)).starts_with("expires_at: "));
    assert!(key(&[Scope::BotsRead], Some(u64::MAX)).starts_with("expires_at: "));
    assert!(key(&[], None).starts_with("scopes: "));
    assert!(key(&[Scope::BotsRead, Scope::BotsRead], None).starts_with("scopes: "));
}

proptest::proptest! {
    #[test]
    fn no_text_is_a_key_by_chance_and_none_panics(text in "(?s).{0,120}") {
        let _ = covers(&text, 1);
        proptest::prop_assert!(ApiKey::parse(&text).is_none());
    }
}
