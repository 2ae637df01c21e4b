//! Notices to owners: an event that needs the owner is stored once, and sent by webhook and by mail.
//!
//! The turn that stores a notice delivers it, so of many turns with the same notice only one sends it. A delivery whose
//! isolate died is not repeated: the list of notices then has fewer deliveries than there are addresses. A notice that
//! could not be stored is not sent; the next turn with the same event tries again.
//!
//! The owner who named an address sees how a delivery to it ended. So a webhook is posted only where the
//! [`AddressPolicy`](crate::outbound::AddressPolicy) allows it: an outcome reveals nothing of ports and machines that only
//! the edge can reach.

pub mod mail;
pub mod reason;
pub mod webhook;

#[cfg(test)]
mod tests;

use bulle_api::notice::{Answerer, Channel, Delivery, Detail, Kind, Outcome, Whose};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use futures_util::future::{Either, join, select};
use std::pin::pin;

use crate::{
    meter::{Charge, ChargeOutcome, Quota, QuotaRule, period::Period},
    model::Site,
    outbound::AddressRefused,
    ports::{Clock, Entropy, Meters, Notices, OutboundPost, Transports},
    provider::breaker::Why,
    record,
    settings::NoticeSettings,
};

/// How often a delivery is tried.
pub const MAX_TRIES: u32 = 3;

/// Longest wait for an answer, in milliseconds.
pub const TIMEOUT_MS: u64 = 5_000;

/// Test notices of a tenant in an hour, so that a mailbox cannot be flooded at the operator's cost.
pub const TESTS_PER_HOUR: u32 = 10;

/// An event that the owner should know of. Never holds a visitor's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotice {
    /// The kind of event.
    pub kind: Kind,
    /// The subject: a tenant gets one notice for each kind and subject.
    pub about: String,
    /// The bot whose turn met the event.
    pub bot_id: Option<String>,
    /// The content of the notice.
    pub detail: Detail,
}

impl NewNotice {
    /// A budget is used up. `line` is the key of the refused line of [`crate::budget`], which names the period too;
    /// `instead` answers until that ends; absent when nothing does.
    pub fn budget_exhausted(site: &Site, line: &str, instead: Option<Answerer>) -> Self {
        let (budget, period) = line.rsplit_once('/').unwrap_or((line, ""));
        let (whose, unit) = match budget.rsplit_once('/') {
            Some((_, unit)) => (Whose::Bot, unit),
            None => (Whose::Tenant, budget),
        };
        // 2026-11 is a month, 2026-11-21 a day.
        let length = if period.matches('-').count() == 1 {
            "month"
        } else {
            "day"
        };
        Self {
            kind: Kind::BudgetExhausted,
            about: line.to_owned(),
            bot_id: Some(site.bot_id.clone()),
            detail: Detail {
                whose: Some(whose),
                budget: Some(format!("{unit}_per_{length}")),
                period: Some(period.to_owned()),
                instead,
                ..Detail::default()
            },
        }
    }

    /// A model does not answer, with the recorded outcome and the reason. A tenant gets one such notice of each model a day
    /// (UTC), whichever of its bots has the failure. `instead` answers in the model's place; absent when nothing does.
    pub fn model_failing(
        site: &Site,
        failing: Answerer,
        (reason, why): (record::Outcome, Option<Why>),
        instead: Option<Answerer>,
        now_ms: u64,
    ) -> Self {
        let Answerer { provider, model } = failing;
        let help = why.map(|why| reason::told(&provider, &model, why, &site.bot.locale));
        let reason = serde_json::to_value(reason).ok();
        Self {
            kind: Kind::ModelFailing,
            about: format!("{provider}/{model}/{}", Period::day(now_ms).name),
            bot_id: Some(site.bot_id.clone()),
            detail: Detail {
                provider: Some(provider),
                model: Some(model),
                reason: reason.and_then(|word| word.as_str().map(str::to_owned)),
                status: why.and_then(|why| why.status),
                help,
                instead,
                ..Detail::default()
            },
        }
    }
}

/// The receiver of a notice, and its addresses.
#[derive(Clone, Copy)]
pub struct Recipient<'r> {
    /// The tenant.
    pub tenant_id: &'r str,
    /// The tenant's webhook and mail addresses.
    pub settings: &'r NoticeSettings,
    /// Language of the mail, a BCP 47 tag; English where there are no texts in it.
    pub locale: &'r str,
}

/// The result of sending a notice.
#[derive(Default)]
#[must_use]
pub struct Told {
    /// The notice with its deliveries; `None` when it was sent before, or could not be stored.
    pub notice: Option<bulle_api::notice::Notice>,
    /// Lines for the log. They hold neither secrets nor addresses nor a visitor's words.
    pub log: Vec<String>,
}

/// Sends a notice to the owner of a site, unless it was sent before. Takes up to about 20 seconds when the receiver does not
/// answer, and never fails.
pub async fn tell<P: Notices + Clock + Entropy>(ports: &P, site: &Site, notice: NewNotice) -> Told {
    let to = Recipient {
        tenant_id: &site.tenant_id,
        settings: &site.tenant.notices,
        locale: &site.bot.locale,
    };
    tell_recipient(ports, to, notice).await
}

/// Sends a test notice, at most [`TESTS_PER_HOUR`].
///
/// # Errors
/// `rate_limited`, `storage_unavailable`.
pub async fn test<P: Notices + Clock + Entropy + Meters>(
    ports: &P,
    to: Recipient<'_>,
) -> Result<Told, Problem> {
    let id = Id::from_parts(ports.now_ms(), ports.random());
    let rule = QuotaRule::Window {
        length_ms: 3_600_000,
        limit: TESTS_PER_HOUR,
    };
    let line = Quota {
        name: "notices".to_owned(),
        key: "notices/test".to_owned(),
        rule,
    };
    let charge = Charge {
        id,
        lines: vec![line],
    };
    match ports.charge(to.tenant_id, &charge).await {
        Ok(ChargeOutcome::Charged { .. }) => {}
        Ok(ChargeOutcome::Refused { standings, .. }) => {
            let ms = standings.first().map_or(0, |standing| standing.reset_ms);
            let detail = format!(
                "At most {TESTS_PER_HOUR} test notices an hour. GET …/notices shows how the last ones were delivered."
            );
            let seconds = u32::try_from(ms.div_ceil(1_000)).unwrap_or(u32::MAX);
            return Err(Problem::new(Code::RateLimited, detail).retry_after(seconds));
        }
        Err(_) => {
            let detail = "What cannot be counted is not sent. Try again in a few seconds.";
            return Err(Problem::new(Code::StorageUnavailable, detail).retry_after(5));
        }
    }
    let notice = NewNotice {
        kind: Kind::Test,
        about: id.to_string(),
        bot_id: None,
        detail: Detail::default(),
    };
    Ok(tell_recipient(ports, to, notice).await)
}

/// Makes the letter of a given moment (Unix milliseconds). A box, so that the Worker has the code of a delivery once.
type Envelope = Box<dyn Fn(u64) -> OutboundPost>;

async fn tell_recipient<P: Notices + Clock + Entropy>(
    ports: &P,
    to: Recipient<'_>,
    notice: NewNotice,
) -> Told {
    let now_ms = ports.now_ms();
    let mut told = Told::default();
    let NewNotice {
        kind,
        about,
        bot_id,
        detail,
    } = notice;
    let mut stored = bulle_api::notice::Notice {
        id: Id::from_parts(now_ms, ports.random()),
        kind,
        about,
        bot_id,
        detail,
        created_at: now_ms,
        deliveries: Vec::new(),
    };
    let name = format!("the notice {} about {}", kind.as_str(), stored.about);
    match ports.insert(to.tenant_id, &stored).await {
        Ok(true) => {}
        Ok(false) => return told,
        Err(error) => {
            told.log.push(format!("{name} was not stored: {error}"));
            return told;
        }
    }
    let Transports {
        secret,
        mailer,
        policy,
    } = ports.transports();
    let webhook = async {
        let url = to.settings.webhook.as_deref()?;
        let letter = match (policy.check(url), secret) {
            (Err(AddressRefused(why)), _) => Err((Outcome::AddressRefused, why.to_owned())),
            (_, Err(problem)) => Err((Outcome::NotConfigured, problem.detail)),
            (Ok(url), Ok(secret)) => Ok(webhook::envelope(&secret, to.tenant_id, &url, &stored)),
        };
        Some(deliver(ports, to.tenant_id, stored.id, Channel::Webhook, letter).await)
    };
    let email = async {
        let address = to.settings.email.as_deref()?;
        let letter = mail::letter(mailer.as_ref(), to, address, &stored);
        let letter = letter.map(|letter| -> Envelope { Box::new(move |_| letter.clone()) });
        let letter = letter.map_err(|why| (Outcome::NotConfigured, why));
        Some(deliver(ports, to.tenant_id, stored.id, Channel::Email, letter).await)
    };
    let (webhook, email) = join(webhook, email).await;
    for (delivery, log) in [webhook, email].into_iter().flatten() {
        let (channel, outcome) = (delivery.channel.as_str(), delivery.outcome.as_str());
        if delivery.outcome != Outcome::Delivered {
            told.log.push(format!(
                "{name} was not delivered by {channel}: {outcome}, tries: {}",
                delivery.tries
            ));
        }
        told.log.extend(
            log.into_iter()
                .map(|line| format!("{name}, {channel}: {line}")),
        );
        stored.deliveries.push(delivery);
    }
    told.notice = Some(stored);
    told
}

/// Delivers by webhook or by mail, and stores the result. `letter` is the request to send, or the outcome and the reason
/// when there is none.
async fn deliver<P: Notices + Clock + Entropy>(
    ports: &P,
    tenant_id: &str,
    id: Id,
    channel: Channel,
    letter: Result<Envelope, (Outcome, String)>,
) -> (Delivery, Option<String>) {
    let mut tries = 0;
    let mut log = None;
    let (outcome, status) = match letter {
        Err((outcome, why)) => {
            log = Some(why);
            (outcome, None)
        }
        Ok(letter) => loop {
            tries += 1;
            let (outcome, status) = attempt(ports, letter(ports.now_ms())).await;
            if tries >= MAX_TRIES || !may_pass(outcome, status) {
                break (outcome, status);
            }
            ports.sleep(backoff_ms(tries, ports.random())).await;
        },
    };
    let delivery = Delivery {
        channel,
        outcome,
        status,
        tries,
        at: ports.now_ms(),
    };
    if let Err(error) = ports.delivered(tenant_id, id, &delivery).await {
        log = Some(format!("the delivery was not noted: {error}"));
    }
    (delivery, log)
}

/// Whether the deployment's mail service has taken a letter; one try.
pub async fn mailed<P: Notices + Clock>(ports: &P, letter: OutboundPost) -> bool {
    attempt(ports, letter).await.0 == Outcome::Delivered
}

/// One try of a delivery. The platform's error text may name the address, and addresses hold secrets, so it is dropped.
async fn attempt<P: Notices + Clock>(ports: &P, letter: OutboundPost) -> (Outcome, Option<u16>) {
    let posted = pin!(ports.post(letter));
    let patience = pin!(ports.sleep(TIMEOUT_MS));
    match select(posted, patience).await {
        Either::Left((Ok(status), _)) => {
            let outcome = match status {
                200..=299 => Outcome::Delivered,
                300..=399 => Outcome::Redirected,
                _ => Outcome::Refused,
            };
            (outcome, Some(status))
        }
        Either::Left((Err(_), _)) => (Outcome::Unreachable, None),
        Either::Right(_) => (Outcome::TimedOut, None),
    }
}

/// Whether another try may have another result.
fn may_pass(outcome: Outcome, status: Option<u16>) -> bool {
    match outcome {
        Outcome::TimedOut | Outcome::Unreachable => true,
        Outcome::Refused => status.is_some_and(|status| matches!(status, 408 | 425 | 429 | 500..)),
        Outcome::Delivered
        | Outcome::Redirected
        | Outcome::NotConfigured
        | Outcome::AddressRefused => false,
    }
}

/// Milliseconds after try number `tries` (from 1): 1, then 2 seconds, spread by half either way.
fn backoff_ms(tries: u32, random: u128) -> u64 {
    let base = 1_000_u64 << tries.saturating_sub(1).min(4);
    base / 2 + random as u64 % base
}
