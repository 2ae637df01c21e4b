//! The limits of admitted visitors.

use super::*;
use crate::settings::{LimitStore, Localized, Upgrade};
use bulle_protocol::event::Remaining;

#[test]
fn new_sessions_of_a_network_are_limited_and_returning_visitors_are_not() {
    let ports = Fakes::default();
    let first = open(&ports, &request("demo")).unwrap();
    for _ in 1..30 {
        open(&ports, &request("demo")).unwrap();
    }
    let refused = open(&ports, &request("demo")).unwrap_err();
    assert_eq!(
        (refused.code, refused.retry_after),
        (Code::RateLimited, Some(60))
    );
    assert!(
        open(
            &ports,
            &SessionRequest {
                resume: Some(first.token),
                ..request("demo")
            }
        )
        .is_ok()
    );
    let elsewhere = Address::new(&secret(), Some("192.0.2.9"), ports.now_ms());
    assert!(
        block_on(open_session(
            &ports,
            &secret(),
            from(ORIGIN, &elsewhere),
            &request("demo")
        ))
        .is_ok()
    );
}

#[test]
fn new_conversations_of_a_network_are_limited() {
    let ports = Fakes::default();
    let visitor = open(&ports, &request("demo")).unwrap().admitted;
    let begin = |n| block_on(admit_conversation(&ports, &visitor, Id::from_parts(0, n)));
    for n in 0..30 {
        begin(n).unwrap();
    }
    let refused = begin(30).unwrap_err();
    assert_eq!(
        (refused.code, refused.retry_after),
        (Code::RateLimited, Some(60))
    );
    assert!(refused.message.is_some());
}

fn with_store(store: LimitStore) -> Fakes {
    let ports = Fakes::default();
    let mut site = Site {
        identity_secrets: vec!["a".into()],
        ..site()
    };
    site.bot.limits.store = store;
    if let Some(free) = site.bot.limits.tiers.get_mut("free") {
        free.upgrade = Some(Upgrade {
            label: Localized([("fr".to_owned(), "Passer à Premium".to_owned())].into()),
            url: "https://example.com/premium".into(),
        });
    }
    ports.add_site(site);
    ports
}

const STORES: [LimitStore; 2] = [LimitStore::Kv, LimitStore::Exact];

#[test]
fn the_shipped_tiers_are_three_a_minute_and_ten_a_day_or_ten_and_any_number() {
    for store in STORES {
        let ports = with_store(store);
        let visitor = open(&ports, &request("demo")).unwrap().admitted;
        for n in 0..10 {
            let Said { question, counted } = say(&ports, &visitor, n, " Bonjour ").unwrap();
            assert_eq!(question.text(), "Bonjour");
            let left = Remaining {
                minute: Some(2 - n as u32 % 3),
                day: Some(9 - n as u32),
            };
            assert_eq!(counted.remaining(), left, "{store:?}");
            assert_eq!(question.memory(), Some(3));
            if n % 3 == 2 {
                let refused = say(&ports, &visitor, 50, "Bonjour").unwrap_err();
                assert_eq!(
                    (refused.code, refused.retry_after),
                    (Code::RateLimited, Some(60))
                );
                assert_eq!(refused.action.unwrap().label, "Passer à Premium");
                ports.advance(60_000);
            }
        }
        let refused = say(&ports, &visitor, 99, "Bonjour").unwrap_err();
        assert_eq!(refused.code, Code::QuotaExceeded);
        let day = refused
            .limits
            .iter()
            .find(|limit| limit.name == "day")
            .unwrap();
        assert_eq!((day.quota, day.remaining, day.window), (10, 0, 86_400));
        assert_eq!(Some(day.reset), refused.retry_after.map(u64::from));
        assert!(refused.message.unwrap().contains("messages d’aujourd’hui"));
        // A message that the day's limit refused is not counted in the minute.
        let until_midnight = day.reset * 1_000;
        ports.advance(until_midnight);
        assert_eq!(
            say(&ports, &visitor, 99, "Bonjour")
                .unwrap()
                .counted
                .remaining()
                .day,
            Some(9)
        );

        let premium = known(&ports, "42", "premium", None).unwrap().admitted;
        for n in 200..210 {
            let Said { question, counted } = say(&ports, &premium, n, "Bonjour").unwrap();
            assert_eq!((counted.remaining().day, question.memory()), (None, None));
        }
        let refused = say(&ports, &premium, 300, "Bonjour").unwrap_err();
        assert_eq!((refused.code, refused.action), (Code::RateLimited, None));
    }
}

#[test]
fn the_same_message_is_counted_once_in_either_store() {
    for store in STORES {
        let ports = with_store(store);
        let visitor = open(&ports, &request("demo")).unwrap().admitted;
        let left = |n| say(&ports, &visitor, n, "Bonjour").map(|said| said.counted.remaining());
        let first = left(1).unwrap();
        assert_eq!(left(1).unwrap(), first, "{store:?}");
        left(2).unwrap();
        let last = say(&ports, &visitor, 3, "Bonjour").unwrap();
        assert!(left(4).is_err());
        block_on(limit::refund(&ports, &last.question)).unwrap();
        ports.advance(60_000);
        assert_eq!(left(5).unwrap().day, Some(7));
    }
}

/// The operations that a message costs, as docs/limits.md says.
#[test]
fn a_message_costs_what_the_documentation_says() {
    for (store, premium, kv, meters) in [
        (LimitStore::Kv, false, 4, 2),
        (LimitStore::Kv, true, 2, 0),
        (LimitStore::Exact, false, 0, 2),
        (LimitStore::Exact, true, 0, 1),
    ] {
        let ports = with_store(store);
        let opened = match premium {
            true => known(&ports, "42", "premium", None).unwrap(),
            false => open(&ports, &request("demo")).unwrap(),
        };
        let before = ["kv", "meters", "tenants", "visitors"].map(|port| ports.calls(port));
        let admitted = call(&ports, &opened.token, ORIGIN).unwrap();
        say(&ports, &admitted, 1, "Bonjour").unwrap();
        let after = ["kv", "meters", "tenants", "visitors"].map(|port| ports.calls(port));
        let cost: Vec<u32> = after
            .iter()
            .zip(before)
            .map(|(after, before)| after - before)
            .collect();
        assert_eq!(cost, [kv, meters, 0, 0], "{store:?} {premium}");
    }
}

#[test]
fn one_message_id_is_not_a_ticket_to_many_conversations() {
    for store in STORES {
        let ports = with_store(store);
        let (me, other) = (
            open(&ports, &request("demo")).unwrap(),
            open(&ports, &request("demo")).unwrap(),
        );
        let left = |visitor: &Admitted, conversation| {
            say_in(&ports, visitor, conversation, 7, "Bonjour")
                .map(|said| said.counted.remaining().minute)
        };
        for conversation in 1..=3 {
            assert_eq!(
                left(&me.admitted, conversation).unwrap(),
                Some(3 - conversation as u32),
                "{store:?}"
            );
        }
        assert_eq!(left(&me.admitted, 4).unwrap_err().code, Code::RateLimited);
        assert_eq!(left(&other.admitted, 5).unwrap(), Some(2));
    }
}

#[test]
fn a_network_cannot_make_itself_new_visitors_for_ever() {
    let ports = Fakes::default();
    let mut site = site();
    site.bot.limits.address.messages_per_minute = 4;
    site.bot.limits.address.messages_per_day = 6;
    ports.add_site(site);
    let fresh = |n| {
        let visitor = open(&ports, &request("demo")).unwrap().admitted;
        say(&ports, &visitor, n, "Bonjour").map_err(|problem| problem.code)
    };
    for n in 0..4 {
        fresh(n).unwrap();
    }
    assert_eq!(fresh(5).unwrap_err(), Code::RateLimited);
    ports.advance(60_000);
    fresh(6).unwrap();
    fresh(7).unwrap();
    assert_eq!(fresh(8).unwrap_err(), Code::QuotaExceeded);
}

#[test]
fn a_failing_cache_lets_visitors_speak_and_a_failing_meter_does_not() {
    let ports = with_store(LimitStore::Kv);
    let visitor = open(&ports, &request("demo")).unwrap().admitted;
    ports.fail("kv");
    assert!(say(&ports, &visitor, 1, "Bonjour").is_ok());
    assert_eq!(
        say(&ports, &visitor, 1, " ").unwrap_err().code,
        Code::MessageEmpty
    );
    ports.mend("kv");
    ports.fail("meters");
    let refused = say(&ports, &visitor, 2, "Bonjour").unwrap_err();
    assert_eq!(refused.code, Code::StorageUnavailable);
    ports.mend("meters");
    // A request was made, so it is counted in the minute, but not in the day.
    assert_eq!(
        say(&ports, &visitor, 3, "Bonjour")
            .unwrap()
            .counted
            .remaining(),
        Remaining {
            minute: Some(0),
            day: Some(8)
        }
    );
}

#[test]
fn who_has_used_up_the_day_cannot_go_on_asking_for_it() {
    for store in STORES {
        let ports = with_store(store);
        let visitor = open(&ports, &request("demo")).unwrap().admitted;
        for n in 0..10 {
            say(&ports, &visitor, n, "Bonjour").unwrap();
            ports.advance(20_001);
        }
        ports.advance(60_000);
        let refusals: Vec<Code> = (100..110)
            .map(|n| say(&ports, &visitor, n, "Bonjour").unwrap_err().code)
            .collect();
        assert_eq!(refusals[..3], [Code::QuotaExceeded; 3], "{store:?}");
        assert_eq!(refusals[3..], [Code::RateLimited; 7], "{store:?}");
        // The other requests of the flood did not leave the isolate.
        let calls = (ports.calls("kv"), ports.calls("meters"));
        say(&ports, &visitor, 200, "Bonjour").unwrap_err();
        assert_eq!((ports.calls("kv"), ports.calls("meters")), calls);
    }
}
