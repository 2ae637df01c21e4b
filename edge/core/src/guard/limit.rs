//! The limits of a visitor's messages: which of them apply, and where each is counted.
//!
//! Messages of a minute, of the visitor and of everybody at their network address, are counted where the bot's
//! `store` says: [`local_limiter`] in KV, or exactly by the tenant's [`meter`]. Messages of a day are always counted exactly.

use bulle_protocol::{
    Id,
    event::Remaining,
    problem::{Code, Limit, Problem},
};

use futures_util::future::join;
use sha2::{Digest, Sha256};

use super::{
    Admitted, Question,
    local_limiter::{self, Counter},
};
use crate::{
    meter::{
        Charge, ChargeOutcome, Quota, QuotaRule, Settlement, period::Period, window::QuotaStatus,
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

/// What is left of the limits after a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The state of every limit that applies.
    pub limits: Vec<Limit>,
    /// True when the meter has charged the message now; it is refunded when the turn gives no answer.
    pub metered: bool,
}

impl Counted {
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

/// The limits of a message.
fn lines(admitted: &Admitted, now_ms: u64) -> Vec<Quota> {
    let limits = &admitted.site.bot.limits;
    let bot = &admitted.site.bot_id;
    let address = admitted.address.as_str();
    let window = |name: &str, key: String, limit| Quota {
        name: name.to_owned(),
        key,
        rule: QuotaRule::Window {
            length_ms: WINDOW_MS,
            limit,
        },
    };
    let day = Period::day(now_ms);
    let total = |name: &str, key: String, cap: u32| Quota {
        name: name.to_owned(),
        key: format!("{key}/{}", day.name),
        rule: QuotaRule::Total {
            amount: 1,
            cap: cap.into(),
            ends_at: day.ends_at,
            length_ms: day.length_ms,
        },
    };
    let visitor = format!("bot/{bot}/visitor/{}", admitted.visitor_id);
    let network = format!("bot/{bot}/address/{address}");
    let mut lines = Vec::new();
    if let Some(tier) = admitted.tier() {
        lines.push(window(MINUTE, visitor.clone(), tier.per_minute));
        if let Some(per_day) = tier.per_day {
            lines.push(total(DAY, visitor, per_day));
        }
    }
    // A known visitor cannot become a new one, and is not limited by others at the same network address.
    if !admitted.known {
        let per_minute = limits.address.messages_per_minute;
        lines.push(window(ADDRESS_MINUTE, network.clone(), per_minute));
        lines.push(total(ADDRESS_DAY, network, limits.address.messages_per_day));
    }
    lines
}

/// The id under which a message is counted: the same message of the same conversation is counted once. Clients choose
/// the ids of messages, so with the message's id alone they could send one id to many conversations and pay once.
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

/// Counts a message in all limits that apply, or in none.
///
/// # Errors
/// `rate_limited`, `quota_exceeded`, `storage_unavailable`.
pub async fn admit<P: IsolateCache + Kv + Clock + Meters>(
    ports: &P,
    admitted: &Admitted,
    dedup_key: Id,
    anew: bool,
) -> Result<Counted, Problem> {
    let site = &admitted.site;
    let now = ports.now_ms();
    let (windows, totals): (Vec<Quota>, Vec<Quota>) = lines(admitted, now)
        .into_iter()
        .partition(|line| matches!(line.rule, QuotaRule::Window { .. }));
    let counters: Vec<Counter> = windows.iter().map(|line| counter(site, line)).collect();
    let in_kv = site.bot.limits.store == LimitStore::Kv;
    let counted = match in_kv {
        true => local_limiter::count(ports, &counters, dedup_key, anew).await,
        // A message that this isolate's memory already refuses is not sent to the meter.
        false => {
            local_limiter::count_here(ports, &counters, dedup_key, anew).map(|_| Default::default())
        }
    };
    let (standings, counted) = counted.map_err(|refused| {
        let look = |counter| local_limiter::look(ports, counter);
        let standings: Vec<QuotaStatus> = counters.iter().map(look).collect();
        refuse(admitted, &windows, refused.index, &standings)
    })?;
    let mut limits = standing_of(&windows, &standings);
    let lines: Vec<Quota> = match in_kv {
        true => totals,
        false => windows.into_iter().chain(totals).collect(),
    };
    if lines.is_empty() {
        local_limiter::tell(ports, &counted).await;
        return Ok(Counted {
            limits,
            metered: false,
        });
    }
    let charge = Charge {
        id: dedup_key,
        anew,
        lines,
    };
    // The message stays counted in the minute, whatever the meter decides, because a request was made.
    let told = local_limiter::tell(ports, &counted);
    let (verdict, ()) = join(ports.charge(&site.tenant_id, &charge), told).await;
    match verdict {
        Ok(ChargeOutcome::Charged { standings, known }) => {
            limits.extend(standing_of(&charge.lines, &standings));
            Ok(Counted {
                limits,
                metered: !known,
            })
        }
        Ok(ChargeOutcome::Refused { line, standings }) => {
            Err(refuse(admitted, &charge.lines, line, &standings))
        }
        // With exact counting, a meter that fails means a refusal.
        Err(_) => {
            let detail = "Messages cannot be counted now. Try again in a few seconds.";
            Err(Problem::new(Code::StorageUnavailable, detail).retry_after(5))
        }
    }
}

/// Refunds a message of the day, if this request was charged for it. [`crate::turn`] decides when.
///
/// # Errors
/// The meter failed; the message stays counted.
pub(crate) async fn refund<P: Meters>(ports: &P, question: &Question) -> Result<(), PortError> {
    if !question.0.metered {
        return Ok(());
    }
    let nothing = Settlement {
        id: question.0.dedup_key,
        amounts: Vec::new(),
    };
    ports.settle(&question.0.site.tenant_id, &nothing).await
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
    let lines = lines(admitted, now).into_iter();
    let Some(mut line) = lines.into_iter().find(|line| line.name == DAY) else {
        return Ok(None);
    };
    let quota = line.rule.quota();
    if let QuotaRule::Total { amount, .. } = &mut line.rule {
        *amount = 0;
    }
    let charge = Charge {
        id: Id::from_parts(now, ports.random()),
        anew: false,
        lines: vec![line],
    };
    let verdict = ports.charge(&admitted.site.tenant_id, &charge).await?;
    let (ChargeOutcome::Charged { standings, .. } | ChargeOutcome::Refused { standings, .. }) =
        verdict;
    let left = standings.first().map_or(0, |standing| standing.left);
    Ok(Some(quota.saturating_sub(left)))
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

/// Counts a new thing by the network address, or by the known visitor; `id` is the thing's id.
///
/// # Errors
/// `rate_limited`.
pub async fn admit_beginning<P: IsolateCache + Kv + Clock>(
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
    let Err(refused) = local_limiter::admit(ports, &[counter], id, false).await else {
        return Ok(());
    };
    let seconds = local_limiter::seconds(refused.standing.reset_ms);
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
fn refuse(
    admitted: &Admitted,
    lines: &[Quota],
    index: usize,
    standings: &[QuotaStatus],
) -> Problem {
    let limits = standing_of(lines, standings);
    let Some(limit) = limits.get(index).cloned() else {
        return Problem::new(Code::Internal, "A limit refused that does not exist.");
    };
    let seconds =
        local_limiter::seconds(standings.get(index).map_or(0, |standing| standing.reset_ms));
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
    problem.message = strings::refusal(&admitted.site.bot, &admitted.locale, code, Some(seconds));
    problem.action = admitted.upgrade();
    problem
}
