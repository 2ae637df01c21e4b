//! The messages of one subject, a visitor or a network address, as a shard of the meter counts them. A message is one row: it
//! stands in the windows of the last minute and in the total of the day. So counting a message costs one write, and one row
//! deleted with its day.

use bulle_protocol::Id;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Charge, ChargeOutcome, Quota, QuotaRule,
    window::{Decision, QuotaStatus, Window},
};

/// How many shards a tenant's visitors and network addresses are divided into.
pub const SHARDS: u32 = 16;

/// The shard that counts a subject.
pub fn shard(subject: &str) -> u32 {
    let digest = Sha256::digest(subject);
    digest.first().map_or(0, |byte| u32::from(*byte) % SHARDS)
}

/// A message that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedMessage {
    /// The id of its charge.
    pub id: Id,
    /// When it was counted, in Unix milliseconds.
    pub at_ms: u64,
    /// Whether it no longer counts for the day. It still counts for the minute, because a request was made.
    pub refunded: bool,
}

/// How a message is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Uncount {
    /// From the day alone: the turn gave no answer and cost nothing.
    Refund,
    /// As if it had not come: another shard has refused it.
    Undo,
}

/// A change of the stored rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Stores the message, or replaces the one with its id.
    Put(CountedMessage),
    /// Deletes the message.
    Delete(CountedMessage),
}

/// The messages of a subject, of today and of the last minute before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(Vec<CountedMessage>);

impl Tally {
    /// A tally of stored messages.
    pub fn of(mut messages: Vec<CountedMessage>) -> Self {
        messages.sort_by_key(|message| message.at_ms);
        Self(messages)
    }

    /// Counts a message in all lines, or in none. The same id is counted once. A charge whose totals request nothing only
    /// looks.
    pub fn count(&mut self, now_ms: u64, charge: &Charge) -> (ChargeOutcome, Option<Change>) {
        let known = self.0.iter().position(|message| message.id == charge.id);
        let counts = known.is_some_and(|at| self.0.get(at).is_some_and(|known| !known.refunded));
        let mut standings = Vec::new();
        let mut refused: Option<(usize, u64)> = None;
        for (index, line) in charge.lines.iter().enumerate() {
            let (standing, fits) = self.standing(now_ms, charge.id, line, counts);
            if !fits && refused.is_none_or(|(_, longest)| longest < standing.reset_ms) {
                refused = Some((index, standing.reset_ms));
            }
            standings.push(standing);
        }
        if let Some((line, _)) = refused {
            return (ChargeOutcome::Refused { line, standings }, None);
        }
        let outcome = ChargeOutcome::Charged { standings };
        if counts || charge.lines.iter().all(is_look) {
            return (outcome, None);
        }
        let message = CountedMessage {
            id: charge.id,
            at_ms: known
                .and_then(|at| self.0.get(at))
                .map_or(now_ms, |known| known.at_ms),
            refunded: false,
        };
        match known.and_then(|at| self.0.get_mut(at)) {
            Some(known) => *known = message,
            None => self.0.push(message),
        }
        (outcome, Some(Change::Put(message)))
    }

    /// The state of a limit with the message, and whether the message fits.
    fn standing(&self, now_ms: u64, id: Id, line: &Quota, counts: bool) -> (QuotaStatus, bool) {
        match line.rule {
            QuotaRule::Window { length_ms, limit } => {
                let mut window = Window::of(self.0.iter().map(|one| (one.at_ms, one.id)));
                if counts {
                    window.forget(now_ms, length_ms);
                    return (window.standing(now_ms, length_ms, limit), true);
                }
                match window.admit(now_ms, length_ms, limit, id) {
                    Decision::Admitted(standing) | Decision::Known(standing) => (standing, true),
                    Decision::Refused(standing) => (standing, false),
                }
            }
            QuotaRule::Total {
                amount,
                cap,
                ends_at,
                length_ms,
            } => {
                let begins_at = ends_at.saturating_sub(length_ms);
                let today = |one: &&CountedMessage| one.at_ms >= begins_at && !one.refunded;
                let used = self.0.iter().filter(today).count() as u64;
                let sum = used + if counts { 0 } else { amount };
                let fits = counts || sum <= cap;
                let standing = QuotaStatus {
                    left: cap.saturating_sub(if fits { sum } else { used }),
                    reset_ms: ends_at.saturating_sub(now_ms),
                };
                (standing, fits)
            }
        }
    }

    /// How many messages count for the day of `now_ms`.
    #[cfg(test)]
    pub fn of_day(&self, now_ms: u64) -> u64 {
        let day = now_ms / 86_400_000;
        let today = |one: &&CountedMessage| one.at_ms / 86_400_000 == day && !one.refunded;
        self.0.iter().filter(today).count() as u64
    }

    /// Takes a message back.
    pub fn uncount(&mut self, id: Id, how: Uncount) -> Option<Change> {
        let at = self.0.iter().position(|message| message.id == id)?;
        match how {
            Uncount::Undo => Some(Change::Delete(self.0.remove(at))),
            Uncount::Refund => {
                let message = self.0.get_mut(at)?;
                message.refunded = true;
                Some(Change::Put(*message))
            }
        }
    }
}

fn is_look(line: &Quota) -> bool {
    matches!(line.rule, QuotaRule::Total { amount: 0, .. })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const DAY_MS: u64 = 86_400_000;
    const MINUTE_MS: u64 = 60_000;

    fn charge(n: u128, per_minute: u32, per_day: u64, now_ms: u64) -> Charge {
        let line = |name: &str, rule| Quota {
            name: name.into(),
            key: "visitor".into(),
            rule,
        };
        Charge {
            id: Id::from_parts(0, n),
            lines: vec![
                line(
                    "minute",
                    QuotaRule::Window {
                        length_ms: MINUTE_MS,
                        limit: per_minute,
                    },
                ),
                line(
                    "day",
                    QuotaRule::Total {
                        amount: 1,
                        cap: per_day,
                        ends_at: (now_ms / DAY_MS + 1) * DAY_MS,
                        length_ms: DAY_MS,
                    },
                ),
            ],
        }
    }

    /// What is left of minute and day, or the refusing line.
    fn left(tally: &mut Tally, now_ms: u64, charge: &Charge) -> Result<(u64, u64), usize> {
        match tally.count(now_ms, charge).0 {
            ChargeOutcome::Charged { standings } => Ok((standings[0].left, standings[1].left)),
            ChargeOutcome::Refused { line, .. } => Err(line),
        }
    }

    #[test]
    fn one_message_counts_for_minute_and_day_and_once() {
        let mut tally = Tally::default();
        let ask = |tally: &mut Tally, n, now| left(tally, now, &charge(n, 2, 3, now));
        assert_eq!(ask(&mut tally, 1, 0), Ok((1, 2)));
        assert_eq!(ask(&mut tally, 1, 0), Ok((1, 2)), "the same message");
        assert_eq!(ask(&mut tally, 2, 0), Ok((0, 1)));
        assert_eq!(ask(&mut tally, 3, 0), Err(0), "the minute");
        assert_eq!(ask(&mut tally, 3, MINUTE_MS), Ok((1, 0)));
        assert_eq!(ask(&mut tally, 4, 2 * MINUTE_MS), Err(1), "the day");
        assert_eq!(ask(&mut tally, 3, 2 * MINUTE_MS), Ok((2, 0)), "known");
        // The minute goes on over midnight, the day begins anew.
        let late = DAY_MS - 1;
        let mut tally = Tally::default();
        assert_eq!(ask(&mut tally, 5, late), Ok((1, 2)));
        assert_eq!(ask(&mut tally, 6, DAY_MS), Ok((0, 2)));
        assert_eq!(ask(&mut tally, 7, DAY_MS + 1), Err(0));
    }

    #[test]
    fn what_is_refunded_counts_for_the_minute_and_what_is_undone_for_nothing() {
        let mut tally = Tally::default();
        let ask = |tally: &mut Tally, n| left(tally, 0, &charge(n, 3, 3, 0));
        let id = |n| Id::from_parts(0, n);
        ask(&mut tally, 1).unwrap();
        assert!(tally.uncount(id(1), Uncount::Refund).is_some());
        assert_eq!(ask(&mut tally, 2), Ok((1, 2)));
        assert!(tally.uncount(id(2), Uncount::Undo).is_some());
        assert_eq!(ask(&mut tally, 3), Ok((1, 2)));
        // Charged again after its refund.
        assert_eq!(ask(&mut tally, 1), Ok((1, 1)));
        assert_eq!(tally.uncount(id(9), Uncount::Undo), None);
    }

    #[test]
    fn a_look_changes_nothing() {
        let mut tally = Tally::default();
        let mut look = charge(1, 1, 3, 0);
        look.lines.remove(0);
        if let QuotaRule::Total { amount, .. } = &mut look.lines[0].rule {
            *amount = 0;
        }
        let (outcome, change) = tally.count(0, &look);
        assert_eq!(change, None);
        assert!(matches!(outcome, ChargeOutcome::Charged { standings } if standings[0].left == 3));
    }

    proptest! {
        /// Whatever is lost, sent again, taken back, or forgotten with the memory of an instance, no minute and no day holds
        /// more than allowed.
        #[test]
        fn nothing_is_admitted_over_a_limit(
            steps in proptest::collection::vec((0u128..12, 0u64..40_000, 0u8..6), 0..200),
        ) {
            let (mut tally, mut rows) = (Tally::default(), Vec::<CountedMessage>::new());
            let mut now = DAY_MS - 300_000;
            for (n, pause, what) in steps {
                now += pause;
                let id = Id::from_parts(0, n);
                let change = match what {
                    0 => tally.uncount(id, Uncount::Undo),
                    1 => tally.uncount(id, Uncount::Refund),
                    2 => {
                        // The instance is gone; the next one reads the rows.
                        tally = Tally::of(rows.clone());
                        None
                    }
                    _ => tally.count(now, &charge(n, 3, 5, now)).1,
                };
                let (Some(Change::Put(one)) | Some(Change::Delete(one))) = change else { continue };
                rows.retain(|row| row.id != one.id);
                if let Some(Change::Put(one)) = change {
                    rows.push(one);
                }
                let ids: BTreeSet<Id> = rows.iter().map(|row| row.id).collect();
                prop_assert_eq!(ids.len(), rows.len());
                let minute = rows.iter().filter(|row| row.at_ms + MINUTE_MS > now);
                prop_assert!(minute.count() <= 3);
                let day = rows.iter().filter(|row| row.at_ms / DAY_MS == now / DAY_MS && !row.refunded);
                prop_assert!(day.count() <= 5);
            }
        }
    }
}
