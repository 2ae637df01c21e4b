//! Which callers the guard admits.

mod limits;
mod own_page;
mod races;
mod said;
mod visitor;

use super::*;
use crate::testing::{Fakes, address, block_on, identity_token, secret, site};
use bulle_protocol::session::SessionRequest;
use said::{Said, say, say_in};
use serde_json::json;

const ORIGIN: Option<&str> = Some("https://example.com");

fn from<'a>(origin: Option<&'a str>, address: &'a Address) -> Caller<'a> {
    Caller {
        origin,
        is_own: false,
        address,
    }
}

fn request(site: &str) -> SessionRequest {
    SessionRequest {
        site: site.into(),
        locale: Some("fr-FR".into()),
        ..SessionRequest::default()
    }
}

fn open(ports: &Fakes, request: &SessionRequest) -> Result<Opened, Problem> {
    block_on(open_session(
        ports,
        &secret(),
        from(ORIGIN, &address()),
        request,
    ))
}

fn call(ports: &Fakes, token: &str, origin: Option<&str>) -> Result<Admitted, Problem> {
    block_on(admit(
        ports,
        &secret(),
        from(origin, &address()),
        Some(&format!("Bearer {token}")),
    ))
}

#[test]
fn a_new_visitor_gets_a_session_and_an_old_one_keeps_their_identity() {
    let ports = Fakes::default();
    let first = open(&ports, &request("demo")).unwrap();
    assert!(!first.resumed);
    assert_eq!(first.admitted.locale(), "fr");
    ports.advance(2 * 3_600_000);
    assert_eq!(
        call(&ports, &first.token, ORIGIN).unwrap_err().code,
        Code::TokenExpired
    );
    let again = SessionRequest {
        resume: Some(first.token),
        ..request("demo")
    };
    let second = open(&ports, &again).unwrap();
    assert!(second.resumed);
    assert_eq!(second.admitted.visitor_id(), first.admitted.visitor_id());
    assert!(call(&ports, &second.token, ORIGIN).is_ok());
    assert!(call(&ports, &second.token, None).is_ok());
}

#[test]
fn a_token_of_another_site_starts_a_new_visitor() {
    let ports = Fakes::default();
    ports.add_site(Site {
        key: "other".into(),
        ..site()
    });
    let first = open(&ports, &request("demo")).unwrap();
    let crossed = SessionRequest {
        resume: Some(first.token),
        ..request("other")
    };
    let second = open(&ports, &crossed).unwrap();
    assert!(!second.resumed);
    assert_ne!(second.admitted.visitor_id(), first.admitted.visitor_id());
}

#[test]
fn unknown_sites_and_foreign_origins_are_told_what_is_wrong() {
    let ports = Fakes::default();
    for key in ["nope", "", "../etc", "a b", &"x".repeat(65)] {
        assert_eq!(
            open(&ports, &request(key)).unwrap_err().code,
            Code::UnknownSite,
            "{key}"
        );
    }
    for origin in [None, Some("https://evil.test"), Some("null")] {
        let refused = block_on(open_session(
            &ports,
            &secret(),
            from(origin, &address()),
            &request("demo"),
        ))
        .unwrap_err();
        assert_eq!(refused.code, Code::OriginNotAllowed);
        assert!(
            refused
                .message
                .is_some_and(|message| message.contains("pas disponible"))
        );
        assert!(
            refused.detail.contains(origin.unwrap_or("(none)")),
            "{}",
            refused.detail
        );
    }
    let token = open(&ports, &request("demo")).unwrap().token;
    let refused = call(&ports, &token, Some("https://evil.test")).unwrap_err();
    assert_eq!(refused.code, Code::OriginNotAllowed);
}

#[test]
fn the_database_is_asked_once_for_a_known_site_and_unknown_keys_leave_no_trace() {
    let ports = Fakes::default();
    for _ in 0..3 {
        open(&ports, &request("demo")).unwrap();
        let _ = open(&ports, &request("later"));
    }
    // Twice for the known site, which is read again once it is in the cache, and once for each unknown key.
    assert_eq!(ports.calls("tenants"), 5);
    ports.add_site(Site {
        key: "later".into(),
        ..site()
    });
    assert!(open(&ports, &request("later")).is_ok());
}

#[test]
fn one_store_may_fail_but_not_both() {
    let ports = Fakes::default();
    ports.fail("kv");
    assert!(open(&ports, &request("demo")).is_ok());
    ports.mend("kv");
    assert!(open(&ports, &request("demo")).is_ok());
    ports.fail("tenants");
    assert!(open(&ports, &request("demo")).is_ok());
    ports.forget_memory();
    ports.fail("kv");
    let refused = open(&ports, &request("demo")).unwrap_err();
    assert_eq!(refused.code, Code::StorageUnavailable);
    assert!(refused.retry_after.is_some());
}

#[test]
fn a_broken_cache_entry_is_passed_by() {
    let ports = Fakes::default();
    block_on(ports.put(&directory::cache_key("demo"), "{", 60)).unwrap();
    assert!(open(&ports, &request("demo")).is_ok());
}

#[test]
fn a_change_is_not_hidden_by_what_was_true_before_it() {
    let ports = Fakes::default();
    // The owner pauses the site between the read of the database and the write to the cache.
    let paused = Site {
        active: false,
        ..site()
    };
    ports.change_on_put(paused);
    assert_eq!(
        open(&ports, &request("demo")).unwrap_err().code,
        Code::Paused
    );
    assert_eq!(
        open(&ports, &request("demo")).unwrap_err().code,
        Code::Paused
    );
    ports.add_site(site());
    assert!(block_on(directory::forget(&ports, &["demo"])));
    assert!(open(&ports, &request("demo")).is_ok());
}

#[test]
fn a_pause_ends_open_sessions_too() {
    let ports = Fakes::default();
    let session = open(&ports, &request("demo")).unwrap();
    ports.add_site(Site {
        active: false,
        ..site()
    });
    block_on(directory::forget(&ports, &["demo"]));
    let refused = call(&ports, &session.token, ORIGIN).unwrap_err();
    assert_eq!(refused.code, Code::Paused);
    assert!(refused.message.unwrap().contains("pause"));
}

#[test]
fn a_token_belongs_to_the_page_that_asked_for_it() {
    let ports = Fakes::default();
    ports.add_site(Site {
        origins: vec![
            "https://example.com".into(),
            "https://shop.example.com".into(),
        ],
        ..site()
    });
    let session = open(&ports, &request("demo")).unwrap();
    assert!(call(&ports, &session.token, ORIGIN).is_ok());
    let elsewhere = call(&ports, &session.token, Some("https://shop.example.com")).unwrap_err();
    assert_eq!(elsewhere.code, Code::TokenInvalid);
}

fn known(
    ports: &Fakes,
    subject: &str,
    tier: &str,
    resume: Option<String>,
) -> Result<Opened, Problem> {
    let exp = ports.now_ms() / 1_000 + 3_600;
    let key = identity::derive(&secret(), "tenant", "a");
    let claims = json!({"sub": subject, "tier": tier, "exp": exp, "name": "Ada"});
    let identity = Some(identity_token(&json!({"alg": "HS256"}), &claims, &key));
    open(
        ports,
        &SessionRequest {
            identity,
            resume,
            ..request("demo")
        },
    )
}

fn with_identities() -> Fakes {
    let ports = Fakes::default();
    ports.add_site(Site {
        identity_secrets: vec!["a".into()],
        ..site()
    });
    ports
}

#[test]
fn a_known_visitor_is_the_same_on_every_device_and_nobody_else() {
    let ports = with_identities();
    let first = known(&ports, "42", "premium", None).unwrap();
    assert_eq!(
        (
            first.resumed,
            first.name.as_str(),
            first.admitted.tier_name()
        ),
        (false, "Ada", "premium")
    );
    let phone = known(&ports, "42", "premium", None).unwrap();
    assert!(phone.resumed);
    assert_eq!(phone.admitted.visitor_id(), first.admitted.visitor_id());
    let other = known(&ports, "43", "premium", Some(first.token.clone())).unwrap();
    assert_ne!(other.admitted.visitor_id(), first.admitted.visitor_id());
    // Signed out: the token of a known visitor opens no session without an identity.
    let out = open(
        &ports,
        &SessionRequest {
            resume: Some(first.token.clone()),
            ..request("demo")
        },
    )
    .unwrap();
    assert!(!out.resumed && out.admitted.tier_name() == "free");
    assert_ne!(out.admitted.visitor_id(), first.admitted.visitor_id());
}

fn identified(ports: &Fakes, token: &str) -> Result<Opened, Problem> {
    let request = SessionRequest {
        identity: Some(token.to_owned()),
        ..request("demo")
    };
    open(ports, &request)
}

#[test]
fn malformed_identities_are_refused_and_lock_nobody_out() {
    let ports = with_identities();
    for n in 0..3 * attempts::Credential::Identity.per_minute() {
        let refused = identified(&ports, &format!("a.b.{n}")).unwrap_err();
        assert_eq!(refused.code, Code::IdentityInvalid);
        let refused = identified(&ports, "undefined").unwrap_err();
        assert_eq!(refused.code, Code::IdentityInvalid);
    }
    assert!(known(&ports, "42", "premium", None).is_ok());
}

#[test]
fn an_identity_that_is_none_is_refused_and_guessing_is_slowed() {
    let ports = with_identities();
    let forged = || {
        let key = identity::derive(&secret(), "tenant", "another");
        let claims = json!({"sub": "42", "tier": "premium", "exp": ports.now_ms() / 1_000 + 60});
        let token = identity_token(&json!({"alg": "HS256"}), &claims, &key);
        identified(&ports, &token).unwrap_err()
    };
    for _ in 0..attempts::Credential::Identity.per_minute() {
        assert_eq!(forged().code, Code::IdentityInvalid);
    }
    assert_eq!(forged().code, Code::RateLimited);
    assert_eq!(
        known(&ports, "42", "premium", None).unwrap_err().code,
        Code::RateLimited
    );
    ports.advance(60_000);
    assert!(known(&ports, "42", "premium", None).is_ok());
    assert_eq!(
        known(&ports, "42", "gold", None).unwrap_err().code,
        Code::IdentityInvalid
    );
    ports.fail("visitors");
    assert_eq!(
        known(&ports, "42", "premium", None).unwrap_err().code,
        Code::StorageUnavailable
    );
}

#[test]
fn a_signed_identity_with_a_mistake_is_no_guess() {
    let ports = with_identities();
    for _ in 0..30 {
        let refused = known(&ports, "42", "gold", None).unwrap_err();
        assert_eq!(refused.code, Code::IdentityInvalid);
    }
    assert!(known(&ports, "42", "premium", None).is_ok());
}

#[test]
fn nobody_is_known_for_longer_than_the_sites_server_says() {
    let ports = with_identities();
    let session = known(&ports, "42", "premium", None).unwrap();
    assert_eq!(session.expires_at, ports.now_ms() + 3_600_000);
    ports.advance(1_800_000);
    let key = identity::derive(&secret(), "tenant", "a");
    let exp = ports.now_ms() / 1_000 + 300;
    let claims = json!({"sub": "42", "tier": "premium", "exp": exp});
    let short = SessionRequest {
        identity: Some(identity_token(&json!({"alg": "HS256"}), &claims, &key)),
        ..request("demo")
    };
    assert_eq!(open(&ports, &short).unwrap().expires_at, exp * 1_000);
    assert!(call(&ports, &session.token, ORIGIN).is_ok());
    // The secret that signed the identity is revoked.
    ports.add_site(Site {
        identity_secrets: vec!["b".into()],
        ..site()
    });
    block_on(directory::forget(&ports, &["demo"]));
    assert_eq!(
        call(&ports, &session.token, ORIGIN).unwrap_err().code,
        Code::TokenInvalid
    );
}

#[test]
fn settings_are_looked_at_again_after_a_minute_and_old_ones_serve_while_the_database_is_down() {
    let ports = Fakes::default();
    open(&ports, &request("demo")).unwrap();
    // The site was paused, and the cache still has it as active.
    ports.add_site(Site {
        active: false,
        ..site()
    });
    ports.advance(directory::FRESH_MS - 1);
    assert!(open(&ports, &request("demo")).is_ok());
    ports.advance(directory::KNOWN_MS - directory::FRESH_MS + 1);
    assert_eq!(
        open(&ports, &request("demo")).unwrap_err().code,
        Code::Paused
    );
    ports.add_site(site());
    ports.fail("tenants");
    ports.advance(3_600_000);
    assert_eq!(
        open(&ports, &request("demo")).unwrap_err().code,
        Code::Paused
    );
    ports.mend("tenants");
    assert!(open(&ports, &request("demo")).is_ok());
}

#[test]
fn a_bot_made_anew_under_an_old_name_owns_nothing_of_the_old_one() {
    let ports = Fakes::default();
    let session = open(&ports, &request("demo")).unwrap();
    let before = session.admitted.owner();
    ports.add_site(Site {
        bot_since: 2,
        ..site()
    });
    block_on(directory::forget(&ports, &["demo"]));
    assert_ne!(
        call(&ports, &session.token, ORIGIN).unwrap().owner(),
        before
    );
}

#[test]
fn a_bot_may_want_known_visitors_only() {
    let ports = with_identities();
    let stranger = open(&ports, &request("demo")).unwrap();
    let mut closed = Site {
        identity_secrets: vec!["a".into()],
        ..site()
    };
    closed.bot.access.identified_only = true;
    ports.add_site(closed);
    block_on(directory::forget(&ports, &["demo"]));
    let refused = open(&ports, &request("demo")).unwrap_err();
    assert_eq!(refused.code, Code::IdentityRequired);
    assert!(refused.message.is_some());
    assert_eq!(
        call(&ports, &stranger.token, ORIGIN).unwrap_err().code,
        Code::TokenInvalid
    );
    assert!(known(&ports, "42", "premium", None).is_ok());
}

#[test]
fn a_bot_may_want_new_visitors_to_pass_turnstile() {
    let ports = Fakes::default();
    let mut site = site();
    site.bot.access.turnstile = Some("0xKEY".into());
    ports.add_site(site);
    let asked = open(&ports, &request("demo")).unwrap_err();
    assert_eq!(
        (asked.code, asked.action.unwrap().label),
        (Code::ChallengeRequired, "0xKEY".to_owned())
    );
    // The challenge is not counted as a new session of the network address.
    for _ in 0..40 {
        assert_eq!(
            open(&ports, &request("demo")).unwrap_err().code,
            Code::ChallengeRequired
        );
    }
    let answer = |text: &str| SessionRequest {
        challenge: Some(text.into()),
        ..request("demo")
    };
    assert_eq!(
        open(&ports, &answer("x")).unwrap_err().code,
        Code::Misconfigured
    );
    ports.passes.set(Some(false));
    assert_eq!(
        open(&ports, &answer("x")).unwrap_err().code,
        Code::ChallengeFailed
    );
    ports.passes.set(Some(true));
    let session = open(&ports, &answer("x")).unwrap();
    // A visitor who has passed the challenge does not get another one.
    ports.passes.set(Some(false));
    assert!(
        open(
            &ports,
            &SessionRequest {
                resume: Some(session.token),
                ..request("demo")
            }
        )
        .is_ok()
    );
    ports.fail("challenges");
    assert_eq!(
        open(&ports, &answer("x")).unwrap_err().code,
        Code::ChallengeFailed
    );
}
