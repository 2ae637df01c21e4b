use bulle_api::notice::Notice as Stored;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::Mailer;
use crate::testing::{Answer, Fakes, block_on, secret, site};

const HOOK: &str = "https://hooks.test/T0/secret";
const MAIL: &str = "https://mail.test/send";

fn fakes() -> Fakes {
    let fakes = Fakes::default();
    *fakes.post.mailer.borrow_mut() = Some(Mailer {
        url: MAIL.into(),
        from: "bulle@example.com".into(),
        header: Some("Authorization: Bearer mail-key".into()),
        template: None,
    });
    fakes
}

fn told_site() -> Site {
    let mut site = site();
    site.tenant.notices = NoticeSettings {
        webhook: Some(HOOK.into()),
        email: Some("owner@example.com".into()),
    };
    site
}

fn documents() -> Option<Answerer> {
    Some(Answerer {
        provider: "extractive".into(),
        model: "extractive".into(),
    })
}

fn exhausted(day: u32) -> NewNotice {
    NewNotice::budget_exhausted(
        &site(),
        &format!("bot/bot/tokens/2026-11-{day:02}"),
        documents(),
    )
}

fn outcomes(notice: &Stored) -> Vec<(Channel, Outcome, Option<u16>, u32)> {
    let deliveries = notice.deliveries.iter();
    deliveries
        .map(|d| (d.channel, d.outcome, d.status, d.tries))
        .collect()
}

fn header<'l>(letter: &'l OutboundPost, name: &str) -> &'l str {
    let found = letter.headers.iter().find(|(known, _)| known == name);
    &found.unwrap().1
}

#[test]
fn a_budget_is_named_as_in_the_settings() {
    for (line, whose, budget, period) in [
        (
            "bot/a/tokens/2026-11-21",
            Whose::Bot,
            "tokens_per_day",
            "2026-11-21",
        ),
        (
            "bot/a/microusd/2026-11",
            Whose::Bot,
            "microusd_per_month",
            "2026-11",
        ),
        (
            "tokens/2026-11",
            Whose::Tenant,
            "tokens_per_month",
            "2026-11",
        ),
        (
            "microusd/2026-11-21",
            Whose::Tenant,
            "microusd_per_day",
            "2026-11-21",
        ),
    ] {
        let notice = NewNotice::budget_exhausted(&site(), line, None);
        assert_eq!(notice.about, line);
        let Detail {
            whose: w,
            budget: b,
            period: p,
            ..
        } = notice.detail;
        assert_eq!(
            (w, b.as_deref(), p.as_deref()),
            (Some(whose), Some(budget), Some(period))
        );
    }
}

#[test]
fn a_model_fails_once_a_day() {
    let failing = |name: &str, now_ms| {
        let model = Answerer {
            provider: "openai".into(),
            model: name.into(),
        };
        NewNotice::model_failing(
            &site(),
            model,
            (record::Outcome::TimedOut, None),
            documents(),
            now_ms,
        )
    };
    let notice = failing("gpt", 1_709_251_199_999);
    assert_eq!(notice.about, "openai/gpt/2024-02-29");
    assert_eq!(notice.detail.reason.as_deref(), Some("timed_out"));
    let fakes = fakes();
    let new = |notice| {
        block_on(tell(&fakes, &told_site(), notice))
            .notice
            .is_some()
    };
    assert!(new(notice));
    assert!(!new(failing("gpt", 1_709_251_100_000)));
    assert!(new(failing("gpt", 1_709_251_200_000)));
    assert!(new(failing("gpt-2", 1_709_251_200_000)));
    // A notice with the same subject, but of another kind or another tenant.
    assert!(new(NewNotice {
        about: "openai/gpt/2024-02-29".into(),
        ..exhausted(1)
    }));
    let other = Site {
        tenant_id: "other".into(),
        ..told_site()
    };
    assert!(
        block_on(tell(&fakes, &other, failing("gpt", 1_709_251_199_999)))
            .notice
            .is_some()
    );
}

#[test]
fn both_ways_are_told_and_noted() {
    let fakes = fakes();
    let told = block_on(tell(&fakes, &told_site(), exhausted(1)));
    assert_eq!(told.log, [""; 0]);
    let notice = told.notice.unwrap();
    assert_eq!(
        outcomes(&notice),
        [
            (Channel::Webhook, Outcome::Delivered, Some(200), 1),
            (Channel::Email, Outcome::Delivered, Some(200), 1),
        ]
    );
    let stored = fakes.post.stored.borrow();
    assert_eq!(stored.as_slice(), [("tenant".to_owned(), notice.clone())]);
    let (_, letter) = fakes.post.to(HOOK).remove(0);
    let body: Value = serde_json::from_str(&letter.body).unwrap();
    assert_eq!(
        body,
        json!({
            "type": "budget.exhausted",
            "timestamp": "2023-11-14T22:13:20.000Z",
            "data": {
                "tenant_id": "tenant", "bot_id": "bot", "whose": "bot", "budget": "tokens_per_day",
                "period": "2026-11-01", "instead": {"provider": "extractive", "model": "extractive"},
            },
        })
    );
    assert_eq!(header(&letter, "webhook-id"), notice.id.to_string());
    let (_, letter) = fakes.post.to(MAIL).remove(0);
    let body: Value = serde_json::from_str(&letter.body).unwrap();
    // The bot speaks French.
    assert_eq!(
        body["subject"],
        "Bulle, bot bot\u{a0}: un budget est épuisé"
    );
    assert_eq!(body["to"], "owner@example.com");
    assert_eq!(header(&letter, "authorization"), "Bearer mail-key");
}

#[test]
fn of_many_turns_one_tells() {
    let fakes = fakes();
    let site = told_site();
    block_on(async {
        let tell = || tell(&fakes, &site, exhausted(1));
        let ((a, b), (c, d)) = join(join(tell(), tell()), join(tell(), tell())).await;
        let told = [a, b, c, d];
        assert_eq!(told.iter().filter(|told| told.notice.is_some()).count(), 1);
        assert!(told.iter().all(|told| told.log.is_empty()));
    });
    assert_eq!(fakes.post.letters.borrow().len(), 2);
}

#[test]
fn without_addresses_it_is_kept_and_not_sent() {
    let fakes = fakes();
    let told = block_on(tell(&fakes, &site(), exhausted(1)));
    assert_eq!(told.notice.unwrap().deliveries, []);
    assert_eq!(told.log, [""; 0]);
    assert_eq!(fakes.post.stored.borrow().len(), 1);
    assert_eq!(fakes.calls("post"), 0);
}

#[test]
fn what_may_pass_is_tried_again_and_what_does_not_is_not() {
    use Answer::{Broken, Silence, Status};
    for (answers, outcome, status, tries) in [
        (
            &[Status(500), Status(204)][..],
            Outcome::Delivered,
            Some(204),
            2,
        ),
        (
            &[Silence, Broken, Status(202)],
            Outcome::Delivered,
            Some(202),
            3,
        ),
        (&[Status(503); 4], Outcome::Refused, Some(503), 3),
        (
            &[Status(429), Status(408), Status(425)],
            Outcome::Refused,
            Some(425),
            3,
        ),
        (&[Silence; 4], Outcome::TimedOut, None, 3),
        (&[Broken; 4], Outcome::Unreachable, None, 3),
        (&[Broken, Status(404)], Outcome::Refused, Some(404), 2),
        (&[Status(400)], Outcome::Refused, Some(400), 1),
        (&[Status(410)], Outcome::Refused, Some(410), 1),
        (&[Status(302)], Outcome::Redirected, Some(302), 1),
        (&[Status(304)], Outcome::Redirected, Some(304), 1),
        (&[Status(199)], Outcome::Refused, Some(199), 1),
    ] {
        // The failure of one delivery does not affect the other.
        for (bad, channel) in [(HOOK, Channel::Webhook), (MAIL, Channel::Email)] {
            let fakes = fakes();
            fakes.post.answer(bad, answers);
            let told = block_on(tell(&fakes, &told_site(), exhausted(1)));
            let notice = told.notice.unwrap();
            let found = outcomes(&notice);
            assert!(
                found.contains(&(channel, outcome, status, tries)),
                "{found:?}"
            );
            assert!(
                found
                    .iter()
                    .any(|(c, o, _, n)| *c != channel && *o == Outcome::Delivered && *n == 1)
            );
            assert_eq!(fakes.post.to(bad).len(), tries as usize);
            let (_, stored) = fakes.post.stored.borrow()[0].clone();
            let mut noted = outcomes(&stored);
            noted.sort_by_key(|(channel, ..)| *channel == Channel::Email);
            assert_eq!(noted, found);
            assert_eq!(
                told.log.len(),
                usize::from(outcome != Outcome::Delivered),
                "{:?}",
                told.log
            );
            for line in told.log {
                assert!(
                    line.contains(outcome.as_str()) && line.contains(channel.as_str()),
                    "{line}"
                );
                assert!(
                    !["hooks.test", "mail.test", "secret", "mail-key", "owner@"]
                        .iter()
                        .any(|s| line.contains(s)),
                    "{line}"
                );
            }
        }
    }
}

#[test]
fn it_is_waited_a_bounded_time() {
    let fakes = fakes();
    fakes.post.answer(HOOK, &[Answer::Silence; 3]);
    let start = fakes.now_ms();
    let mut site = told_site();
    site.tenant.notices.email = None;
    let told = block_on(tell(&fakes, &site, exhausted(1)));
    let took = fakes.now_ms() - start;
    assert!(
        (3 * TIMEOUT_MS + 1_500..3 * TIMEOUT_MS + 4_500).contains(&took),
        "{took}"
    );
    assert_eq!(told.notice.unwrap().deliveries[0].at, fakes.now_ms());
    // Every try is signed anew, under the same message id.
    let letters = fakes.post.to(HOOK);
    let ids: Vec<_> = letters
        .iter()
        .map(|(_, l)| header(l, "webhook-id"))
        .collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]));
    for (at, letter) in &letters {
        assert_eq!(
            header(letter, "webhook-timestamp"),
            (at / 1_000).to_string()
        );
    }
    let signatures: Vec<_> = letters
        .iter()
        .map(|(_, l)| header(l, "webhook-signature"))
        .collect();
    assert!(signatures.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn what_cannot_be_kept_is_not_told_and_told_later() {
    let fakes = fakes();
    fakes.fail("notices");
    let told = block_on(tell(&fakes, &told_site(), exhausted(1)));
    assert!(told.notice.is_none());
    assert_eq!(
        told.log,
        [
            "the notice budget.exhausted about bot/bot/tokens/2026-11-01 was not stored: notices is down"
        ]
    );
    assert_eq!(fakes.calls("post"), 0);
    fakes.mend("notices");
    fakes.fail("deliveries");
    let told = block_on(tell(&fakes, &told_site(), exhausted(1)));
    assert_eq!(told.notice.unwrap().deliveries.len(), 2);
    assert_eq!(told.log.len(), 2);
    assert!(
        told.log[0].ends_with("webhook: the delivery was not noted: deliveries is down"),
        "{:?}",
        told.log
    );
    assert_eq!(fakes.post.letters.borrow().len(), 2);
}

#[test]
fn what_the_deployment_lacks_is_recorded() {
    let fakes = fakes();
    *fakes.post.mailer.borrow_mut() = None;
    fakes.post.unsigned.set(true);
    let told = block_on(tell(&fakes, &told_site(), exhausted(1)));
    assert_eq!(
        outcomes(&told.notice.unwrap()),
        [
            (Channel::Webhook, Outcome::NotConfigured, None, 0),
            (Channel::Email, Outcome::NotConfigured, None, 0),
        ]
    );
    assert_eq!(fakes.calls("post"), 0);
    let log = told.log.join("\n");
    assert!(
        log.contains("SESSION_SECRET") && log.contains("EMAIL_URL"),
        "{log}"
    );
}

#[test]
fn tests_are_told_each_time_but_not_for_ever() {
    let fakes = fakes();
    let site = told_site();
    let to = Recipient {
        tenant_id: "tenant",
        settings: &site.tenant.notices,
        locale: "en",
    };
    for _ in 0..TESTS_PER_HOUR {
        let told = block_on(test(&fakes, to)).unwrap_or_else(|problem| panic!("{problem:?}"));
        let notice = told.notice.unwrap();
        assert_eq!(
            (notice.kind, notice.bot_id, notice.deliveries.len()),
            (Kind::Test, None, 2)
        );
    }
    let refused = block_on(test(&fakes, to)).err().unwrap();
    assert_eq!(
        (refused.code, refused.retry_after),
        (Code::RateLimited, Some(3_600))
    );
    let other = Recipient {
        tenant_id: "other",
        ..to
    };
    assert!(block_on(test(&fakes, other)).is_ok());
    fakes.advance(3_600_000);
    assert!(block_on(test(&fakes, to)).is_ok());
    fakes.fail("meters");
    let refused = block_on(test(&fakes, to)).err().unwrap();
    assert_eq!(
        (refused.code, refused.retry_after),
        (Code::StorageUnavailable, Some(5))
    );
}

#[test]
fn the_signature_is_the_specifications() {
    use base64::{Engine, engine::general_purpose::STANDARD as B64};
    let secret_text = webhook::secret(&secret(), "tenant");
    let key = B64
        .decode(secret_text.strip_prefix("whsec_").unwrap())
        .unwrap();
    assert!((24..=64).contains(&key.len()));
    assert_ne!(secret_text, webhook::secret(&secret(), "tenant2"));
    let fakes = fakes();
    let _ = block_on(tell(&fakes, &told_site(), exhausted(1)));
    let (_, letter) = fakes.post.to(HOOK).remove(0);
    let signed = format!(
        "{}.{}.{}",
        header(&letter, "webhook-id"),
        header(&letter, "webhook-timestamp"),
        letter.body
    );
    let tag = B64
        .decode(
            header(&letter, "webhook-signature")
                .strip_prefix("v1,")
                .unwrap(),
        )
        .unwrap();
    assert!(crate::model::verify_mac(&key, &signed, &tag));
    assert!(!crate::model::verify_mac(&key, &format!("{signed} "), &tag));
}

proptest! {
    #[test]
    fn the_wait_grows_within_its_spread(tries in 1u32..200, random: u128) {
        let ms = backoff_ms(tries, random);
        prop_assert!((500..24_000).contains(&ms));
        if tries == 1 { prop_assert!(ms < 1_500) }
        if tries == 2 { prop_assert!((1_000..3_000).contains(&ms)) }
    }
}
