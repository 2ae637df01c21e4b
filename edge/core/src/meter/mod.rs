//! Exact counting of quotas and budgets. One Durable Object, the tenant's meter, decides for the whole world, one
//! request at a time, so that the admitted amount never exceeds the limit.
//!
//! The cost of an answer is not known before the answer: an estimate is charged first, and settled with the actual cost
//! afterwards. A charge that is never settled, because the isolate died, stays at its estimate.
//!
//! A charge belongs to its id, not to the request that charged it first: every request that charges the id is a holder
//! of the charge, and a settlement of nothing removes one holder. The last one refunds the charge. So the order in which
//! requests with one id are answered does not matter: while one of them has led to an answer, the charge stands, once.

pub mod period;
pub mod tally;
pub mod window;

use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

use window::{Decision, QuotaStatus, Window};

/// A limit, and the amount requested from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// The limit's name for callers.
    pub name: String,
    /// The key of the counter. It contains the period, so that a new period starts at 0.
    pub key: String,
    /// The bound of the limit.
    pub rule: QuotaRule,
}

/// The bound of a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuotaRule {
    /// A sliding window: at most the bound within any stretch of this length.
    Window {
        /// Milliseconds.
        length_ms: u64,
        /// The largest number within that length.
        limit: u32,
    },
    /// A total that may not exceed the bound before the period ends.
    Total {
        /// The requested amount.
        amount: u64,
        /// The bound.
        cap: u64,
        /// End of the period, in Unix milliseconds.
        ends_at: u64,
        /// Length of the whole period, in milliseconds.
        length_ms: u64,
    },
}

impl QuotaRule {
    /// The bound of the limit.
    pub fn quota(&self) -> u64 {
        match self {
            Self::Window { limit, .. } => u64::from(*limit),
            Self::Total { cap, .. } => *cap,
        }
    }

    /// Milliseconds of a window or period.
    pub fn length_ms(&self) -> u64 {
        match self {
            Self::Window { length_ms, .. } | Self::Total { length_ms, .. } => *length_ms,
        }
    }
}

/// A request to spend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The id of the charge. The same id is not charged twice: the request becomes a further holder of the charge. Another
    /// attempt is charged under an id of its own.
    pub id: Id,
    /// The limits: all are charged, or none.
    pub lines: Vec<Quota>,
}

/// The meter's decision. Standings are in the order of the lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChargeOutcome {
    /// Charged.
    Charged {
        /// The state of all limits.
        standings: Vec<QuotaStatus>,
    },
    /// Nothing was charged.
    Refused {
        /// Index of the line without room; of several, the one whose room comes last.
        line: usize,
        /// The state of all limits.
        standings: Vec<QuotaStatus>,
    },
}

/// A charge as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charged {
    /// The limits with the charged amounts.
    pub lines: Vec<Quota>,
    /// How many requests have charged this id and not been settled with nothing.
    pub holders: u32,
}

/// The actual cost of a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The id of the charge.
    pub id: Id,
    /// The actual amounts, in the order of the lines; 0 where an amount is missing. Windows are not changed, because a
    /// request was made. When all are 0, a holder is removed.
    pub amounts: Vec<u64>,
}

/// The storage of a meter. Its methods do not wait, so no decision is interrupted by another one.
pub trait MeterStore {
    /// The storage failed.
    type Error;
    /// The stored window of a key; empty when there is none.
    fn window(&self, key: &str) -> Result<Window, Self::Error>;
    /// Stores a window until Unix milliseconds `until`.
    fn put_window(&mut self, key: &str, window: &Window, until: u64) -> Result<(), Self::Error>;
    /// A total; 0 when there is none.
    fn total(&self, key: &str) -> Result<u64, Self::Error>;
    /// Stores a total until Unix milliseconds `until`.
    fn put_total(&mut self, key: &str, total: u64, until: u64) -> Result<(), Self::Error>;
    /// The charge stored under this id.
    fn charged(&self, id: Id) -> Result<Option<Charged>, Self::Error>;
    /// Stores a charge until Unix milliseconds `until`.
    fn put_charged(&mut self, id: Id, charged: &Charged, until: u64) -> Result<(), Self::Error>;
    /// Deletes a charge.
    fn forget_charged(&mut self, id: Id) -> Result<(), Self::Error>;
}

/// How long a total outlives its period, for late settlements.
const GRACE_MS: u64 = 3_600_000;

/// Charges all lines, or none.
///
/// # Errors
/// The storage failed.
pub fn charge<R: MeterStore>(
    rows: &mut R,
    now_ms: u64,
    wish: &Charge,
) -> Result<ChargeOutcome, R::Error> {
    let charged = rows.charged(wish.id)?;
    let known = charged.is_some();
    let mut standings = Vec::new();
    let mut refused: Option<usize> = None;
    let mut windows = Vec::new();
    for (index, line) in wish.lines.iter().enumerate() {
        let (standing, fits) = match line.rule {
            QuotaRule::Window { length_ms, limit } => {
                let mut window = rows.window(&line.key)?;
                let decision = window.admit(now_ms, length_ms, limit, wish.id);
                windows.push((line, window, length_ms));
                match decision {
                    Decision::Admitted(standing) | Decision::Known(standing) => (standing, true),
                    Decision::Refused(standing) => (standing, false),
                }
            }
            QuotaRule::Total {
                amount,
                cap,
                ends_at,
                ..
            } => {
                let amount = if known { 0 } else { amount };
                let used = rows.total(&line.key)?;
                let reset_ms = ends_at.saturating_sub(now_ms);
                match used.checked_add(amount).filter(|sum| known || *sum <= cap) {
                    Some(sum) => (
                        QuotaStatus {
                            left: cap.saturating_sub(sum),
                            reset_ms,
                        },
                        true,
                    ),
                    None => (
                        QuotaStatus {
                            left: cap.saturating_sub(used),
                            reset_ms,
                        },
                        false,
                    ),
                }
            }
        };
        let longest = |other: usize| {
            standings
                .get(other)
                .is_none_or(|s: &QuotaStatus| s.reset_ms < standing.reset_ms)
        };
        if !fits && refused.is_none_or(longest) {
            refused = Some(index);
        }
        standings.push(standing);
    }
    if let Some(line) = refused {
        return Ok(ChargeOutcome::Refused { line, standings });
    }
    for (line, window, length_ms) in windows {
        rows.put_window(&line.key, &window, now_ms + length_ms)?;
    }
    let charged = match charged {
        Some(charged) => Charged {
            holders: charged.holders.saturating_add(1),
            ..charged
        },
        None => {
            for line in &wish.lines {
                if let QuotaRule::Total {
                    amount, ends_at, ..
                } = line.rule
                {
                    let used = rows.total(&line.key)?;
                    rows.put_total(&line.key, used.saturating_add(amount), ends_at + GRACE_MS)?;
                }
            }
            Charged {
                lines: wish.lines.clone(),
                holders: 1,
            }
        }
    };
    let until = ends_at(&charged.lines).fold(now_ms + GRACE_MS, u64::max);
    rows.put_charged(wish.id, &charged, until)?;
    Ok(ChargeOutcome::Charged { standings })
}

/// The ends of the totals among the lines, in Unix milliseconds.
fn ends_at(lines: &[Quota]) -> impl Iterator<Item = u64> {
    lines.iter().filter_map(|line| match line.rule {
        QuotaRule::Total { ends_at, .. } => Some(ends_at),
        QuotaRule::Window { .. } => None,
    })
}

/// Replaces the estimates of a charge, or the amounts of an earlier settlement, by the actual cost. When all amounts
/// are 0, a holder of the charge is removed; with the last one, the charge is deleted, so that the id can be charged again.
///
/// # Errors
/// The storage failed.
pub fn settle<R: MeterStore>(
    rows: &mut R,
    now_ms: u64,
    settlement: &Settlement,
) -> Result<(), R::Error> {
    let Some(mut charged) = rows.charged(settlement.id)? else {
        return Ok(());
    };
    let nothing = settlement.amounts.iter().all(|amount| *amount == 0);
    if nothing && charged.holders > 1 {
        charged.holders -= 1;
        let until = ends_at(&charged.lines).fold(now_ms + GRACE_MS, u64::max);
        return rows.put_charged(settlement.id, &charged, until);
    }
    let mut amounts = settlement.amounts.iter();
    for line in &mut charged.lines {
        let spent = amounts.next().copied().unwrap_or_default();
        if let QuotaRule::Total {
            amount, ends_at, ..
        } = &mut line.rule
        {
            let used = rows.total(&line.key)?;
            let settled = used.saturating_sub(*amount).saturating_add(spent);
            rows.put_total(&line.key, settled, *ends_at + GRACE_MS)?;
            // A further settlement replaces this amount.
            *amount = spent;
        }
    }
    if nothing {
        return rows.forget_charged(settlement.id);
    }
    rows.put_charged(settlement.id, &charged, now_ms + GRACE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::InMemoryMeter;
    use proptest::prelude::*;

    fn total(key: &str, amount: u64, cap: u64) -> Quota {
        let rule = QuotaRule::Total {
            amount,
            cap,
            ends_at: 86_400_000,
            length_ms: 86_400_000,
        };
        Quota {
            name: "day".into(),
            key: key.into(),
            rule,
        }
    }

    fn wish(n: u128, lines: Vec<Quota>) -> Charge {
        Charge {
            id: Id::from_parts(0, n),
            lines,
        }
    }

    fn try_charge(rows: &mut InMemoryMeter, wish: &Charge) -> Result<Vec<u64>, usize> {
        match charge(rows, 0, wish).unwrap() {
            ChargeOutcome::Charged { standings } => Ok(standings.iter().map(|s| s.left).collect()),
            ChargeOutcome::Refused { line, .. } => Err(line),
        }
    }

    #[test]
    fn all_lines_or_none() {
        let mut rows = InMemoryMeter::default();
        assert_eq!(
            try_charge(
                &mut rows,
                &wish(1, vec![total("a", 6, 10), total("b", 1, 1)])
            ),
            Ok(vec![4, 0])
        );
        // A repeated charge costs nothing, even where nothing is left.
        assert_eq!(
            try_charge(
                &mut rows,
                &wish(1, vec![total("a", 6, 10), total("b", 1, 1)])
            ),
            Ok(vec![4, 0])
        );
        assert_eq!(
            try_charge(
                &mut rows,
                &wish(2, vec![total("a", 1, 10), total("b", 1, 1)])
            ),
            Err(1)
        );
        assert_eq!(
            try_charge(&mut rows, &wish(3, vec![total("a", 4, 10)])),
            Ok(vec![0])
        );
        assert_eq!(
            try_charge(&mut rows, &wish(4, vec![total("a", u64::MAX, 10)])),
            Err(0)
        );
    }

    #[test]
    fn a_settlement_replaces_the_estimate_once() {
        let mut rows = InMemoryMeter::default();
        try_charge(&mut rows, &wish(1, vec![total("a", 8, 10)])).unwrap();
        for _ in 0..2 {
            let settlement = Settlement {
                id: Id::from_parts(0, 1),
                amounts: vec![3],
            };
            settle(&mut rows, 0, &settlement).unwrap();
            assert_eq!(rows.total("a").unwrap(), 3);
        }
        settle(
            &mut rows,
            0,
            &Settlement {
                id: Id::from_parts(0, 9),
                amounts: vec![3],
            },
        )
        .unwrap();
        settle(
            &mut rows,
            0,
            &Settlement {
                id: Id::from_parts(0, 1),
                amounts: vec![],
            },
        )
        .unwrap();
        assert_eq!(rows.total("a").unwrap(), 0);
        // A charge that was settled with 0 can be made again.
        let mut again = |n| try_charge(&mut rows, &wish(n, vec![total("a", 8, 10)]));
        assert_eq!(again(1), Ok(vec![2]));
        assert_eq!(again(2), Err(0));
    }

    #[test]
    fn a_charge_stands_until_the_last_holder_has_let_it_go() {
        let mut rows = InMemoryMeter::default();
        let charged = wish(1, vec![total("a", 8, 10)]);
        let nothing = Settlement {
            id: charged.id,
            amounts: vec![],
        };
        for _ in 0..3 {
            assert_eq!(try_charge(&mut rows, &charged), Ok(vec![2]));
        }
        for left in [8, 8, 0, 0] {
            settle(&mut rows, 0, &nothing).unwrap();
            assert_eq!(rows.total("a").unwrap(), left);
        }
        assert_eq!(try_charge(&mut rows, &charged), Ok(vec![2]));
    }

    #[test]
    fn a_refusal_names_the_limit_that_takes_longest() {
        let mut rows = InMemoryMeter::default();
        let minute = || Quota {
            name: "minute".into(),
            key: "m".into(),
            rule: QuotaRule::Window {
                length_ms: 60_000,
                limit: 1,
            },
        };
        assert_eq!(
            try_charge(&mut rows, &wish(1, vec![minute(), total("a", 1, 1)])),
            Ok(vec![0, 0])
        );
        assert_eq!(
            try_charge(&mut rows, &wish(2, vec![minute(), total("a", 1, 1)])),
            Err(1)
        );
        assert_eq!(
            try_charge(&mut rows, &wish(2, vec![minute(), total("b", 1, 1)])),
            Err(0)
        );
        assert_eq!(rows.total("b").unwrap(), 0);
    }

    proptest! {
        /// Whatever is charged, retried, settled and released, the total never exceeds the bound.
        #[test]
        fn nothing_is_ever_over_the_cap(
            cap in 0u64..50, steps in proptest::collection::vec((0u128..8, 0u64..20, 0u64..20, any::<bool>()), 0..60),
        ) {
            let mut rows = InMemoryMeter::default();
            for (n, estimate, spent, ends) in steps {
                let wish = wish(n, vec![total("a", estimate, cap)]);
                let admitted = matches!(charge(&mut rows, 0, &wish).unwrap(), ChargeOutcome::Charged { .. });
                prop_assert!(rows.total("a").unwrap() <= cap);
                if admitted && ends {
                    let charged = match &rows.charged(wish.id).unwrap().unwrap().lines[0].rule {
                        QuotaRule::Total { amount, .. } => *amount,
                        QuotaRule::Window { .. } => 0,
                    };
                    // The estimate is at least the actual cost.
                    let settlement = Settlement { id: wish.id, amounts: vec![spent.min(charged)] };
                    settle(&mut rows, 0, &settlement).unwrap();
                    prop_assert!(rows.total("a").unwrap() <= cap);
                }
            }
        }
    }
}
