use super::*;
use crate::fakes::{Fakes, block_on, secret, site};

const ORIGIN: Option<&str> = Some("https://example.com");

fn request(site: &str) -> SessionRequest {
    SessionRequest {
        site: site.into(),
        locale: Some("fr-FR".into()),
        ..SessionRequest::default()
    }
}

fn open(ports: &Fakes, request: &SessionRequest) -> Result<Opened, Problem> {
    block_on(open_session(ports, &secret(), ORIGIN, request))
}

fn call(ports: &Fakes, token: &str, origin: Option<&str>) -> Result<Admitted, Problem> {
    block_on(admit(
        ports,
        &secret(),
        origin,
        Some(&format!("Bearer {token}")),
    ))
}

fn say(ports: &Fakes, admitted: &Admitted, n: u128, text: &str) -> Result<Question, Problem> {
    let message = SendMessage {
        id: Id::from_parts(0, n),
        text: text.into(),
        retry: false,
    };
    block_on(admit_message(ports, admitted.clone(), message))
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
        let refused =
            block_on(open_session(&ports, &secret(), origin, &request("demo"))).unwrap_err();
        assert_eq!(refused.code, Code::OriginNotAllowed);
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
    assert_eq!(ports.calls("tenants"), 4);
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
fn messages_are_counted_and_the_same_one_only_once() {
    let ports = Fakes::default();
    let visitor = open(&ports, &request("demo")).unwrap().admitted;
    let limit = 20;
    for n in 0..limit {
        let question = say(&ports, &visitor, n.into(), " Bonjour ").unwrap();
        assert_eq!(question.text(), "Bonjour");
        assert_eq!(question.remaining().minute, Some(limit - n - 1));
    }
    assert!(say(&ports, &visitor, 0, "Bonjour").is_ok());
    let refused = say(&ports, &visitor, 99, "Bonjour").unwrap_err();
    assert_eq!(
        (refused.code, refused.retry_after),
        (Code::RateLimited, Some(60))
    );
    let neighbour = open(&ports, &request("demo")).unwrap().admitted;
    assert!(say(&ports, &neighbour, 99, "Bonjour").is_ok());
    ports.advance(limit::WINDOW_MS);
    assert!(say(&ports, &visitor, 100, "Bonjour").is_ok());
}

#[test]
fn a_failing_limiter_lets_visitors_speak() {
    let ports = Fakes::default();
    let visitor = open(&ports, &request("demo")).unwrap().admitted;
    ports.fail("kv");
    assert!(say(&ports, &visitor, 1, "Bonjour").is_ok());
    assert_eq!(
        say(&ports, &visitor, 1, " ").unwrap_err().code,
        Code::MessageEmpty
    );
}
