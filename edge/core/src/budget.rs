//! At whose cost: budgets of tokens and of money, by day and by month (UTC), of a bot and of its tenant.
//!
//! Before a model is asked, what its answer may cost is reserved in all budgets at once, or in none; when it has ended,
//! the reservation is settled with the tokens that the vendor counted. A turn that dies leaves its reservation
//! standing. The estimate is generous: half as many tokens again as the prompt seems to have, and an answer of
//! [`MAX_OUTPUT_TOKENS`], which the model is told. A server that ignores that bound can exceed a budget by one answer.

use bulle_protocol::{Id, event::Usage};

use crate::{
    meter::{Charge, Line, Rule, Settlement, Verdict, period::Period},
    ports::{Clock, Meters, PortError},
    prompt::Prompt,
    settings::{Budget, Price, Site},
};

/// Longest answer of a model that is paid from a budget, in tokens.
pub const MAX_OUTPUT_TOKENS: u32 = 2_000;

/// What a budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Tokens,
    Money,
}

/// Money for one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Funding {
    /// There is no budget: spend.
    Unbounded,
    /// Reserved, to be settled.
    Reserved(Reservation),
    /// Nothing may be spent; the text is for the log.
    Refused(String),
}

/// What was reserved for one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    tenant_id: String,
    id: Id,
    price: Price,
    units: Vec<Unit>,
}

/// Reserves what an answer to the prompt may cost. `id` names the answer.
pub async fn reserve<P: Meters + Clock>(
    ports: &P,
    site: &Site,
    id: Id,
    price: Price,
    prompt: &Prompt,
) -> Funding {
    let estimate = Usage {
        input_tokens: u32::try_from(prompt.tokens().saturating_mul(3) / 2).unwrap_or(u32::MAX),
        output_tokens: MAX_OUTPUT_TOKENS,
    };
    let (lines, units): (Vec<Line>, Vec<Unit>) =
        lines(site, ports.now_ms(), |unit| amount(unit, price, estimate))
            .into_iter()
            .unzip();
    if lines.is_empty() {
        return Funding::Unbounded;
    }
    let charge = Charge {
        id,
        anew: true,
        lines,
    };
    match ports.charge(&site.tenant_id, &charge).await {
        Ok(Verdict::Charged { .. }) => Funding::Reserved(Reservation {
            tenant_id: site.tenant_id.clone(),
            id,
            price,
            units,
        }),
        Ok(Verdict::Refused { line, .. }) => {
            let name = charge
                .lines
                .get(line)
                .map(|line| line.key.clone())
                .unwrap_or_default();
            Funding::Refused(format!("the budget {name} is exhausted"))
        }
        // What cannot be counted is not spent.
        Err(error) => Funding::Refused(format!("the budget cannot be read: {error}")),
    }
}

impl Reservation {
    /// Replaces the reservation by what was spent.
    ///
    /// # Errors
    /// The meter failed; the reservation stands.
    pub async fn settle<P: Meters>(&self, ports: &P, usage: Usage) -> Result<(), PortError> {
        let amounts = self
            .units
            .iter()
            .map(|unit| amount(*unit, self.price, usage))
            .collect();
        let settlement = Settlement {
            id: self.id,
            amounts,
        };
        ports.settle(&self.tenant_id, &settlement).await
    }
}

fn amount(unit: Unit, price: Price, usage: Usage) -> u64 {
    let (input, output) = (
        u64::from(usage.input_tokens),
        u64::from(usage.output_tokens),
    );
    match unit {
        Unit::Tokens => input + output,
        Unit::Money => {
            let millionths = input
                .saturating_mul(price.input)
                .saturating_add(output.saturating_mul(price.output));
            millionths.div_ceil(1_000_000)
        }
    }
}

fn lines(site: &Site, now_ms: u64, amount: impl Fn(Unit) -> u64) -> Vec<(Line, Unit)> {
    let mut lines = Vec::new();
    let (day, month) = (Period::day(now_ms), Period::month(now_ms));
    let bot = format!("bot/{}/", site.bot_id);
    for (
        whose,
        Budget {
            tokens_per_day,
            tokens_per_month,
            microusd_per_day,
            microusd_per_month,
        },
    ) in [
        (bot.as_str(), site.bot.limits.budget),
        ("", site.tenant.budget),
    ] {
        for (unit, what, period, cap) in [
            (Unit::Tokens, "tokens", &day, tokens_per_day),
            (Unit::Tokens, "tokens", &month, tokens_per_month),
            (Unit::Money, "microusd", &day, microusd_per_day),
            (Unit::Money, "microusd", &month, microusd_per_month),
        ] {
            let Some(cap) = cap else { continue };
            let rule = Rule::Total {
                amount: amount(unit),
                cap,
                ends_at: period.ends_at,
                length_ms: period.length_ms,
            };
            let key = format!("{whose}{what}/{}", period.name);
            lines.push((
                Line {
                    name: what.to_owned(),
                    key,
                    rule,
                },
                unit,
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fakes::{Fakes, block_on, question, site},
        prompt,
        retrieval::Passages,
    };

    const PRICE: Price = Price {
        input: 150_000,
        output: 600_000,
    };

    fn budgeted() -> Site {
        let mut site = site();
        site.bot.limits.budget = Budget {
            tokens_per_day: Some(10_000),
            ..Budget::default()
        };
        site.tenant.budget = Budget {
            microusd_per_month: Some(3_000),
            ..Budget::default()
        };
        site
    }

    fn try_reserve(ports: &Fakes, site: &Site, n: u128) -> Funding {
        let prompt = prompt::build(&question("Bonjour ?"), &Passages::default(), &[]);
        block_on(reserve(ports, site, Id::from_parts(0, n), PRICE, &prompt))
    }

    #[test]
    fn without_a_budget_the_meter_is_not_asked() {
        let ports = Fakes::default();
        assert_eq!(try_reserve(&ports, &site(), 1), Funding::Unbounded);
        assert_eq!(ports.calls("meters"), 0);
    }

    #[test]
    fn what_is_reserved_is_settled_and_what_is_released_is_free_again() {
        let ports = Fakes::default();
        let site = budgeted();
        let Funding::Reserved(first) = try_reserve(&ports, &site, 1) else {
            panic!()
        };
        let reserved = ports.metered("bot/bot/tokens/");
        assert!((2_000..3_000).contains(&reserved), "{reserved}");
        assert!(ports.metered("microusd/") > 1_200);
        // 3,000 millionths of a dollar do not pay three answers of 2,000 tokens at once.
        assert!(matches!(
            try_reserve(&ports, &site, 2),
            Funding::Reserved(_)
        ));
        let Funding::Refused(why) = try_reserve(&ports, &site, 3) else {
            panic!()
        };
        assert!(why.contains("microusd/2023-11"), "{why}");
        let usage = Usage {
            input_tokens: 100,
            output_tokens: 10,
        };
        block_on(first.settle(&ports, usage)).unwrap();
        assert_eq!(ports.metered("bot/bot/tokens/"), reserved + 110);
        assert!(matches!(
            try_reserve(&ports, &site, 3),
            Funding::Reserved(_)
        ));
        // Tomorrow the tokens are new, the month's money is not.
        ports.advance(86_400_000);
        assert!(matches!(try_reserve(&ports, &site, 4), Funding::Refused(_)));
    }

    #[test]
    fn what_cannot_be_counted_is_not_spent() {
        let ports = Fakes::default();
        ports.fail("meters");
        assert!(matches!(
            try_reserve(&ports, &budgeted(), 1),
            Funding::Refused(_)
        ));
    }

    #[test]
    fn money_is_rounded_up() {
        let usage = Usage {
            input_tokens: 1,
            output_tokens: 0,
        };
        assert_eq!(amount(Unit::Money, PRICE, usage), 1);
        assert_eq!(
            amount(
                Unit::Money,
                PRICE,
                Usage {
                    input_tokens: 1_000_000,
                    output_tokens: 1_000_000
                }
            ),
            750_000
        );
    }
}
