//! The limits of a visitor's messages: which of them apply, and where each is counted.
//!
//! Messages are counted by shards of the tenant's [`meter`](crate::meter), exactly: those of the visitor by one, those of
//! everybody at their network address by another. The Worker only asks the memory of its isolate ([`sieve`]), so that a flood
//! costs no request. The caller that begins the turn counts the message ([`count`]), beside the search; a message that begins
//! no turn is not counted. With the setting `store: "kv"` the messages of a minute are counted in KV ([`local_limiter`]).

use bulle_protocol::{
    Id,
    conversation::SendMessage,
    event::Remaining,
    problem::{Code, Limit, Problem},
};

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Admitted, Checked, Question,
    local_limiter::{self, Counter},
    upgrade,
};
use crate::{
    meter::{
        Charge, ChargeOutcome, Quota, QuotaRule, period::Period, tally::Uncount,
        window::QuotaStatus,
    },
    model::Site,
    ports::{Clock, Entropy, IsolateCache, Kv, Meters, PortError},
    settings::LimitStore,
    strings,
};

/// Length of the windows that are counted by the minute.
pub const WINDOW_MS: u64 = 60_000;

/// Names of the limits, as callers see them.
const MINUTE: &str = "minute";
const DAY: &str = "day";
const ADDRESS_MINUTE: &str = "address-minute";
const ADDRESS_DAY: &str = "address-day";

/// The limits that one subject bears: the visitor, or the network address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SubjectQuotas {
    /// The subject, in the tenant.
    subject: String,
    /// Its limits; all are charged, or none.
    lines: Vec<Quota>,
}

/// Proof that a message was counted in all limits that apply; only [`count`] makes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    limits: Vec<Limit>,
}

impl Counted {
    /// For requests that only a budget bounds.
    pub(crate) fn without_limits() -> Self {
        Self::default()
    }

    /// The state of every limit that applies.
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// What is left of the visitor's own limits.
    pub fn remaining(&self) -> Remaining {
        let left = |name| {
            let limit = self.limits.iter().find(|limit| limit.name == name)?;
            u32::try_from(limit.remaining).ok()
        };
        Remaining {
            minute: left(MINUTE),
            day: left(DAY),
        }
    }
}

/// The limits of a message: of the visitor, and of the network address.
fn quotas(admitted: &Admitted, now_ms: u64) -> Vec<SubjectQuotas> {
    let limits = &admitted.site.bot.limits;
    let bot = &admitted.site.bot_id;
    let visitor = format!("bot/{bot}/visitor/{}", admitted.visitor_id);
    let network = format!("bot/{bot}/address/{}", admitted.address.as_str());
    let mut quotas = Vec::new();
    if let Some(tier) = admitted.tier() {
        let mut lines = vec![window(MINUTE, &visitor, tier.per_minute)];
        lines.extend(tier.per_day.map(|cap| total(DAY, &visitor, cap, now_ms)));
        quotas.push(SubjectQuotas {
            subject: visitor,
            lines,
        });
    }
    // A known visitor cannot become a new one, and is not limited by others at the same network address.
    if !admitted.known {
        let address = &limits.address;
        let lines = vec![
            window(ADDRESS_MINUTE, &network, address.messages_per_minute),
            total(ADDRESS_DAY, &network, address.messages_per_day, now_ms),
        ];
        quotas.push(SubjectQuotas {
            subject: network,
            lines,
        });
    }
    quotas
}

fn window(name: &str, key: &str, limit: u32) -> Quota {
    Quota {
        name: name.to_owned(),
        key: key.to_owned(),
        rule: QuotaRule::Window {
            length_ms: WINDOW_MS,
            limit,
        },
    }
}

fn total(name: &str, key: &str, cap: u32, now_ms: u64) -> Quota {
    let day = Period::day(now_ms);
    Quota {
        name: name.to_owned(),
        key: key.to_owned(),
        rule: QuotaRule::Total {
            amount: 1,
            cap: cap.into(),
            ends_at: day.ends_at,
            length_ms: day.length_ms,
        },
    }
}

fn is_window(line: &Quota) -> bool {
    matches!(line.rule, QuotaRule::Window { .. })
}

/// The id under which a message is charged: the same message of the same conversation is charged once, and each further
/// attempt (`retry`) once more.
pub(super) fn charge_id<P: Clock + Entropy>(
    ports: &P,
    conversation: Id,
    message: &SendMessage,
) -> Id {
    match message.retry {
        true => Id::from_parts(ports.now_ms(), ports.random()),
        false => dedup_key(conversation, message.id),
    }
}

/// One id for a message of a conversation. Clients choose the ids of messages, so with the message's id alone they could
/// send one id to many conversations and pay once.
pub fn dedup_key(conversation: Id, message: Id) -> Id {
    let digest = Sha256::digest(format!("{conversation}/{message}"));
    let bits = |range: std::ops::Range<usize>| {
        let bytes = digest.get(range).unwrap_or_default();
        bytes
            .iter()
            .fold(0, |sum: u128, byte| sum << 8 | u128::from(*byte))
    };
    Id::from_parts(u64::try_from(bits(0..6)).unwrap_or_default(), bits(6..16))
}

/// A message that the sieve has let through.
pub(super) struct Sieved {
    /// The limits that are still to be counted, by [`count`].
    pub quotas: Vec<SubjectQuotas>,
    /// The state of the limits that were counted in KV.
    pub in_kv: Vec<Limit>,
}

/// Refuses a message over a limit of the minute, as far as this isolate knows; counts those limits where the bot's `store` is
/// KV.
///
/// # Errors
/// `rate_limited`.
pub(super) async fn sieve<P: IsolateCache + Kv + Clock>(
    ports: &P,
    admitted: &Admitted,
    charge_id: Id,
) -> Result<Sieved, Problem> {
    let site = &admitted.site;
    let mut quotas = quotas(admitted, ports.now_ms());
    let lines = quotas.iter().flat_map(|quotas| &quotas.lines);
    let windows: Vec<Quota> = lines.filter(|line| is_window(line)).cloned().collect();
    let counters: Vec<Counter> = windows.iter().map(|line| counter(site, line)).collect();
    let in_kv = site.bot.limits.store == LimitStore::Kv;
    let counted = match in_kv {
        true => local_limiter::count(ports, &counters, charge_id).await,
        false => local_limiter::count_here(ports, &counters, charge_id).map(|_| Default::default()),
    };
    let (standings, counted) = counted.map_err(|refused| {
        let look = |counter| local_limiter::look(ports, counter);
        let standings: Vec<QuotaStatus> = counters.iter().map(look).collect();
        let limits = standing_of(&windows, &standings);
        let reset_ms = standings
            .get(refused.index)
            .map_or(0, |standing| standing.reset_ms);
        refusal(site, admitted.who(), limits, refused.index, reset_ms)
    })?;
    // The message stays counted in the minute, whatever becomes of it, because a request was made.
    local_limiter::tell(ports, &counted);
    if in_kv {
        for quotas in &mut quotas {
            quotas.lines.retain(|line| !is_window(line));
        }
        quotas.retain(|quotas| !quotas.lines.is_empty());
    }
    Ok(Sieved {
        quotas,
        in_kv: standing_of(&windows, &standings),
    })
}

/// Counts a message in all limits that apply, or in none. A charge that another shard's refusal undoes may refuse another
/// message for a moment; no message is ever admitted over a limit.
///
/// # Errors
/// `rate_limited`, `quota_exceeded`, `storage_unavailable`.
pub async fn count<P: Meters>(ports: &P, question: &Question) -> Result<Counted, Problem> {
    let Checked {
        site,
        charge_id,
        quotas,
        ..
    } = &question.0;
    let charged = join_all(quotas.iter().map(|quotas| async move {
        let charge = Charge {
            id: *charge_id,
            lines: quotas.lines.clone(),
        };
        let outcome = ports.count(&site.tenant_id, &quotas.subject, &charge).await;
        (quotas, outcome)
    }))
    .await;
    let mut limits = question.0.in_kv.clone();
    let mut refused: Option<(usize, u64)> = None;
    let mut failed = false;
    for (quotas, outcome) in &charged {
        let (standings, line) = match outcome {
            Ok(ChargeOutcome::Charged { standings }) => (standings, None),
            Ok(ChargeOutcome::Refused { line, standings }) => (standings, Some(*line)),
            Err(_) => {
                failed = true;
                continue;
            }
        };
        if let Some(line) = line {
            let reset_ms = standings.get(line).map_or(0, |standing| standing.reset_ms);
            if refused.is_none_or(|(_, longest)| longest < reset_ms) {
                refused = Some((limits.len() + line, reset_ms));
            }
        }
        limits.extend(standing_of(&quotas.lines, standings));
    }
    if !failed && refused.is_none() {
        limits.sort_by_key(|limit| limit.window);
        return Ok(Counted { limits });
    }
    let undone = charged.iter().filter_map(|(quotas, outcome)| {
        // A shard that has failed may have counted the message.
        let counted = !matches!(outcome, Ok(ChargeOutcome::Refused { .. }));
        counted.then(|| ports.uncount(&site.tenant_id, &quotas.subject, *charge_id, Uncount::Undo))
    });
    // What cannot be undone stays counted.
    join_all(undone).await;
    match refused {
        Some((index, reset_ms)) => Err(refusal(site, question.who(), limits, index, reset_ms)),
        // With exact counting, a meter that fails means a refusal.
        None => {
            let detail = "Messages cannot be counted now. Try again in a few seconds.";
            Err(Problem::new(Code::StorageUnavailable, detail).retry_after(5))
        }
    }
}

/// Gives a counted message back to the day of the visitor and of the address; the minute keeps it. [`crate::turn`] decides
/// when.
///
/// # Errors
/// The meter failed; the message stays counted.
pub(crate) async fn refund<P: Meters>(ports: &P, question: &Question) -> Result<(), PortError> {
    let Checked {
        site,
        charge_id,
        quotas,
        ..
    } = &question.0;
    let refunds = quotas.iter().map(|quotas| {
        ports.uncount(
            &site.tenant_id,
            &quotas.subject,
            *charge_id,
            Uncount::Refund,
        )
    });
    join_all(refunds).await.into_iter().collect()
}

/// How many messages the meter has counted under the visitor today; `None` where they are not counted.
///
/// # Errors
/// The meter failed.
pub async fn today<P: Clock + Entropy + Meters>(
    ports: &P,
    admitted: &Admitted,
) -> Result<Option<u64>, PortError> {
    let now = ports.now_ms();
    for SubjectQuotas { subject, lines } in quotas(admitted, now) {
        let Some(mut line) = lines.into_iter().find(|line| line.name == DAY) else {
            continue;
        };
        let quota = line.rule.quota();
        if let QuotaRule::Total { amount, .. } = &mut line.rule {
            *amount = 0;
        }
        let look = Charge {
            id: Id::from_parts(now, ports.random()),
            lines: vec![line],
        };
        let tenant = &admitted.site.tenant_id;
        let (ChargeOutcome::Charged { standings } | ChargeOutcome::Refused { standings, .. }) =
            ports.count(tenant, &subject, &look).await?;
        let left = standings.first().map_or(0, |standing| standing.left);
        return Ok(Some(quota.saturating_sub(left)));
    }
    Ok(None)
}

/// Things of which a visitor or an address may begin a limited number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// Sessions of new anonymous visitors.
    Session,
    /// Conversations: each is a Durable Object with storage of its own.
    Conversation,
    /// Files: each is read, which takes time.
    Attachment,
}

/// Counts a new thing by the network address, or by the known visitor; `id` is the thing's id. Where the meter fails, the
/// memory of the isolate decides.
///
/// # Errors
/// `rate_limited`.
pub async fn admit_beginning<P: IsolateCache + Kv + Clock + Meters>(
    ports: &P,
    site: &Site,
    who: &str,
    what: Beginning,
    id: Id,
) -> Result<(), Problem> {
    let limit = site.bot.limits.address.sessions_per_minute;
    let name = match what {
        Beginning::Session => "sessions",
        Beginning::Conversation => "conversations",
        Beginning::Attachment => "attachments",
    };
    let counter = Counter {
        key: format!("{name}/{}/{}/{who}", site.tenant_id, site.bot_id),
        length_ms: WINDOW_MS,
        limit,
    };
    let counters = [counter];
    let refused = match site.bot.limits.store {
        LimitStore::Kv => local_limiter::admit(ports, &counters, id).await.map(drop),
        LimitStore::Exact => local_limiter::count_here(ports, &counters, id).map(drop),
    };
    let reset_ms = match refused {
        Err(refused) => refused.standing.reset_ms,
        Ok(()) if site.bot.limits.store == LimitStore::Kv => return Ok(()),
        Ok(()) => {
            let subject = format!("bot/{}/{name}/{who}", site.bot_id);
            let lines = vec![window(name, &subject, limit)];
            let charge = Charge { id, lines };
            match ports.count(&site.tenant_id, &subject, &charge).await {
                Ok(ChargeOutcome::Refused { standings, .. }) => {
                    standings.first().map_or(0, |standing| standing.reset_ms)
                }
                Ok(ChargeOutcome::Charged { .. }) | Err(_) => return Ok(()),
            }
        }
    };
    let seconds = local_limiter::seconds(reset_ms);
    let detail = format!("At most {limit} new {name} a minute. Try again in {seconds} s.");
    Err(Problem::new(Code::RateLimited, detail).retry_after(seconds))
}

fn counter(site: &Site, line: &Quota) -> Counter {
    let limit = match line.rule {
        QuotaRule::Window { limit, .. } => limit,
        QuotaRule::Total { .. } => 0,
    };
    Counter {
        key: format!("minute/{}/{}", site.tenant_id, line.key),
        length_ms: line.rule.length_ms(),
        limit,
    }
}

fn standing_of(lines: &[Quota], standings: &[QuotaStatus]) -> Vec<Limit> {
    let limit = |(line, standing): (&Quota, &QuotaStatus)| Limit {
        name: line.name.clone(),
        quota: line.rule.quota(),
        window: line.rule.length_ms() / 1_000,
        remaining: standing.left,
        reset: standing.reset_ms.div_ceil(1_000),
    };
    lines.iter().zip(standings).map(limit).collect()
}

/// The refusal by one of the limits: `detail` is for the developer, `message` for the visitor.
fn refusal(
    site: &Site,
    (tier, locale): (&str, &str),
    limits: Vec<Limit>,
    index: usize,
    reset_ms: u64,
) -> Problem {
    let Some(limit) = limits.get(index) else {
        return Problem::new(Code::Internal, "A limit refused that does not exist.");
    };
    let seconds = local_limiter::seconds(reset_ms);
    let daily = limit.name == DAY || limit.name == ADDRESS_DAY;
    let code = if daily {
        Code::QuotaExceeded
    } else {
        Code::RateLimited
    };
    let who = match limit.name.as_str() {
        ADDRESS_MINUTE | ADDRESS_DAY => "from one network",
        _ => "in this tier",
    };
    let period = if daily { "day" } else { "minute" };
    let detail = format!(
        "At most {} messages a {period} {who}. Try again in {seconds} s.",
        limit.quota
    );
    let mut problem = Problem::new(code, detail).retry_after(seconds);
    problem.limits = limits;
    problem.message = strings::refusal(&site.bot, locale, code, Some(seconds));
    problem.action = upgrade(site, tier, locale);
    problem
}
