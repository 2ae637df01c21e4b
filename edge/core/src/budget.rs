//! Budgets of tokens and of money, by day and by month (UTC), of a bot and of its tenant.
//!
//! Before a model is asked, the highest cost of its answer is reserved in all budgets at once, or in none; when the
//! answer has ended, the reservation is settled with the tokens that the vendor counted. Where there is no count (the
//! answer was stopped or broke off, or the vendor never counts) the reservation stands: an upper bound, a token for
//! every byte of the prompt (no vendor's tokens are shorter) and [`MAX_OUTPUT_TOKENS`] of answer, which the request
//! sets. A server that ignores that limit can exceed a budget by the tokens above it.

use bulle_protocol::{Id, event::Usage};

use crate::{
    meter::{Charge, ChargeOutcome, Quota, QuotaRule, Settlement, period::Period},
    model::Site,
    ports::{Clock, Meters, PortError},
    prompt::Prompt,
    provider::{Model, prices},
    settings::Price,
};

/// Longest answer of a model that is paid from a budget, in tokens.
pub const MAX_OUTPUT_TOKENS: u32 = 2_000;

/// The unit of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Tokens,
    Money(Price),
}

impl Unit {
    /// An amount of tokens, or of millionths of a dollar, rounded up.
    fn amount(self, usage: Usage) -> u64 {
        match self {
            Self::Tokens => u64::from(usage.input_tokens) + u64::from(usage.output_tokens),
            Self::Money(price) => prices::microusd(price, usage),
        }
    }
}

/// The decision of the budgets on one call of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Funding {
    /// There is no budget, so the call is allowed.
    Unbounded,
    /// The cost is reserved, and must be settled.
    Reserved(Reservation),
    /// The call is refused.
    Refused(Unfunded),
}

/// Why a call is refused. The text is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfunded {
    /// A budget is used up.
    #[error("the budget {0} is exhausted")]
    Exhausted(String),
    /// A budget bounds money, and the model has no known price.
    #[error("money is bounded, and nobody knows what {0} costs: set its `price`")]
    Priceless(String),
    /// The meter failed. A call that cannot be counted is not made.
    #[error("the budget cannot be read: {0}")]
    Unreadable(PortError),
}

/// The reservation for one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    tenant_id: String,
    id: Id,
    units: Vec<Unit>,
}

/// Reserves the highest possible cost of the model's answer to the prompt. `id` names the answer.
pub async fn reserve<P: Meters + Clock>(
    ports: &P,
    site: &Site,
    id: Id,
    model: &Model<'_>,
    prompt: &Prompt,
) -> Funding {
    let most = Usage::counted(
        u32::try_from(prompt.bytes()).unwrap_or(u32::MAX),
        MAX_OUTPUT_TOKENS,
    );
    let Some(lines) = lines(site, model, ports.now_ms(), most) else {
        return Funding::Refused(Unfunded::Priceless(model.name.to_owned()));
    };
    if lines.is_empty() {
        return Funding::Unbounded;
    }
    let (lines, units): (Vec<Quota>, Vec<Unit>) = lines.into_iter().unzip();
    let charge = Charge {
        id,
        anew: true,
        lines,
    };
    match ports.charge(&site.tenant_id, &charge).await {
        Ok(ChargeOutcome::Charged { .. }) => Funding::Reserved(Reservation {
            tenant_id: site.tenant_id.clone(),
            id,
            units,
        }),
        Ok(ChargeOutcome::Refused { line, .. }) => {
            let name = charge
                .lines
                .get(line)
                .map(|line| line.key.clone())
                .unwrap_or_default();
            Funding::Refused(Unfunded::Exhausted(name))
        }
        Err(error) => Funding::Refused(Unfunded::Unreadable(error)),
    }
}

impl Reservation {
    /// Replaces the reservation by the actual cost.
    ///
    /// # Errors
    /// The meter failed; the reservation stands.
    pub async fn settle<P: Meters>(&self, ports: &P, usage: Usage) -> Result<(), PortError> {
        let settlement = Settlement {
            id: self.id,
            amounts: self.units.iter().map(|unit| unit.amount(usage)).collect(),
        };
        ports.settle(&self.tenant_id, &settlement).await
    }
}

/// The lines of all budgets; `None` when a budget bounds money and the model has no price.
fn lines(site: &Site, model: &Model<'_>, now_ms: u64, most: Usage) -> Option<Vec<(Quota, Unit)>> {
    let own = prices::price(model);
    // A key that may change a bot may also set its price, so a tenant's budget counts the higher one of that price and
    // the table's.
    let believed = match (own, prices::known(model.name)) {
        (Some(own), Some(known)) => Some(Price {
            input: own.input.max(known.input),
            output: own.output.max(known.output),
        }),
        (own, known) => own.or(known),
    };
    let bot = format!("bot/{}/", site.bot_id);
    let (day, month) = (Period::day(now_ms), Period::month(now_ms));
    let mut lines = Vec::new();
    for (whose, budget, price) in [
        (bot.as_str(), site.bot.limits.budget, own),
        ("", site.tenant.budget, believed),
    ] {
        let money = price.map(Unit::Money);
        for (unit, what, period, cap) in [
            (Some(Unit::Tokens), "tokens", &day, budget.tokens_per_day),
            (
                Some(Unit::Tokens),
                "tokens",
                &month,
                budget.tokens_per_month,
            ),
            (money, "microusd", &day, budget.microusd_per_day),
            (money, "microusd", &month, budget.microusd_per_month),
        ] {
            let Some(cap) = cap else { continue };
            let unit = unit?;
            let rule = QuotaRule::Total {
                amount: unit.amount(most),
                cap,
                ends_at: period.ends_at,
                length_ms: period.length_ms,
            };
            let key = format!("{whose}{what}/{}", period.name);
            let name = what.to_owned();
            lines.push((Quota { name, key, rule }, unit));
        }
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Budget,
        testing::{Fakes, block_on, question, site, vendors},
    };

    const MODEL: &str = "gpt-4o-mini";

    fn budgeted() -> Site {
        let mut site = site();
        site.bot.limits.budget = Budget {
            tokens_per_day: Some(20_000),
            ..Budget::default()
        };
        site.tenant.budget = Budget {
            microusd_per_month: Some(3_000),
            ..Budget::default()
        };
        site
    }

    fn prompt() -> Prompt {
        crate::testing::prompt(&question("Bonjour ?"))
    }

    fn try_reserve(ports: &Fakes, site: &Site, n: u128, name: &str) -> Funding {
        let server = vendors::server("openai", "https://m.test", None);
        let model = Model {
            price: site.bot.model.price,
            ..vendors::model(&server, name)
        };
        block_on(reserve(
            ports,
            site,
            Id::from_parts(0, n),
            &model,
            &prompt(),
        ))
    }

    #[test]
    fn without_a_budget_the_meter_is_not_asked() {
        let ports = Fakes::default();
        assert_eq!(
            try_reserve(&ports, &site(), 1, "anything"),
            Funding::Unbounded
        );
        assert_eq!(ports.calls("meters"), 0);
    }

    #[test]
    fn what_is_reserved_is_settled_and_what_is_released_is_free_again() {
        let ports = Fakes::default();
        let site = budgeted();
        let Funding::Reserved(first) = try_reserve(&ports, &site, 1, MODEL) else {
            panic!()
        };
        let reserved = ports.metered("bot/bot/tokens/");
        assert_eq!(
            reserved,
            prompt().bytes() as u64 + u64::from(MAX_OUTPUT_TOKENS)
        );
        // 3,000 millionths of a dollar are too few for three answers of 2,000 tokens at once.
        assert!(matches!(
            try_reserve(&ports, &site, 2, MODEL),
            Funding::Reserved(_)
        ));
        let Funding::Refused(why) = try_reserve(&ports, &site, 3, MODEL) else {
            panic!()
        };
        assert!(why.to_string().contains("microusd/2023-11"), "{why}");
        let usage = Usage::counted(100, 10);
        block_on(first.settle(&ports, usage)).unwrap();
        assert_eq!(ports.metered("bot/bot/tokens/"), reserved + 110);
        assert!(matches!(
            try_reserve(&ports, &site, 3, MODEL),
            Funding::Reserved(_)
        ));
        // The next day begins a new budget of tokens; the budget of money lasts for the month.
        ports.advance(86_400_000);
        assert!(matches!(
            try_reserve(&ports, &site, 4, MODEL),
            Funding::Refused(_)
        ));
    }

    #[test]
    fn what_cannot_be_counted_is_not_spent() {
        let ports = Fakes::default();
        let Funding::Refused(why) = try_reserve(&ports, &budgeted(), 1, "llama3.2") else {
            panic!()
        };
        assert!(why.to_string().contains("`price`"), "{why}");
        ports.fail("meters");
        assert!(matches!(
            try_reserve(&ports, &budgeted(), 1, MODEL),
            Funding::Refused(_)
        ));
    }

    #[test]
    fn a_bot_cannot_make_its_tenants_budget_cheaper() {
        let ports = Fakes::default();
        let mut site = budgeted();
        site.bot.model.price = Some(Price {
            input: 0,
            output: 0,
        });
        site.bot.limits.budget = Budget {
            microusd_per_day: Some(1),
            ..Budget::default()
        };
        assert!(matches!(
            try_reserve(&ports, &site, 1, MODEL),
            Funding::Reserved(_)
        ));
        assert_eq!(ports.metered("bot/bot/microusd/"), 0);
        assert!(ports.metered("microusd/") > 1_200);
    }

    #[test]
    fn money_is_rounded_up() {
        let unit = Unit::Money(Price {
            input: 150_000,
            output: 600_000,
        });
        for (input_tokens, output_tokens, expected) in
            [(0, 0, 0), (1, 0, 1), (1_000_000, 1_000_000, 750_000)]
        {
            assert_eq!(
                unit.amount(Usage::counted(input_tokens, output_tokens)),
                expected
            );
        }
    }
}
