//! Prices of models, as their vendors published them on one day (`as_of` in prices.json): millionths of a US dollar for
//! a million tokens of prompt and of answer. An owner's own `price` comes first. A model without a price is not asked
//! where a budget bounds money, because its cost would be unknown.

use bulle_protocol::event::Usage;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::Model;
use crate::settings::Price;

#[derive(Deserialize)]
struct Table {
    as_of: String,
    #[serde(flatten)]
    models: BTreeMap<String, (u64, u64)>,
}

fn table() -> Option<Table> {
    serde_json::from_str(include_str!("prices.json")).ok()
}

/// The day on which the vendors' prices were read: `2026-11-21`.
pub fn as_of() -> String {
    table().map(|table| table.as_of).unwrap_or_default()
}

/// The price of a model in the table, also under its dated names (`gpt-4o-mini-2024-07-18`, `mistral-small-latest`).
pub fn known(model: &str) -> Option<Price> {
    let table = table()?;
    let dated = |name: &str| {
        let rest = model.strip_prefix(name)?;
        let date = |c: char| c.is_ascii_digit() || c == '-';
        let good =
            rest.is_empty() || rest == "-latest" || rest.strip_prefix('-')?.chars().all(date);
        good.then_some(())
    };
    let (_, (input, output)) = table
        .models
        .into_iter()
        .find(|(name, _)| dated(name).is_some())?;
    Some(Price { input, output })
}

/// The price of a model: the owner's own, or the table's.
pub fn price(model: &Model<'_>) -> Option<Price> {
    model.price.or_else(|| known(model.name))
}

/// The cost of tokens at a price, in millionths of a US dollar, rounded up.
pub fn microusd(price: Price, usage: Usage) -> u64 {
    let input = u64::from(usage.input_tokens).saturating_mul(price.input);
    let output = u64::from(usage.output_tokens).saturating_mul(price.output);
    input.saturating_add(output).div_ceil(1_000_000)
}

/// The cost of a call, in millionths of a US dollar, rounded up: at the bot's own price for the model, or the table's.
/// `None` where neither is known. Without tokens (the documents, the persona or the cache answered, or the model was
/// not reached) it is 0 for every model.
pub fn cost(bot_price: Option<Price>, model: &str, usage: Usage) -> Option<u64> {
    if usage.input_tokens == 0 && usage.output_tokens == 0 {
        return Some(0);
    }
    let price = bot_price.or_else(|| known(model))?;
    Some(microusd(price, usage))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vendors;
    use time::{Date, Month};

    /// Prices are from a hundredth of a dollar to a thousand dollars for a million tokens: a wrong power of ten fails,
    /// and so does a price in dollars instead of millionths.
    const SANE: std::ops::RangeInclusive<u64> = 10_000..=1_000_000_000;

    #[test]
    fn the_table_has_a_date_and_sane_prices() {
        let table = table().unwrap();
        let parts: Vec<&str> = table.as_of.split('-').collect();
        let [year, month, day] = parts.as_slice() else {
            panic!("{}", table.as_of)
        };
        let month = Month::try_from(month.parse::<u8>().unwrap()).unwrap();
        let date =
            Date::from_calendar_date(year.parse().unwrap(), month, day.parse().unwrap()).unwrap();
        assert!(date.year() >= 2025);
        assert_eq!(as_of(), date.to_string());
        assert!(table.models.len() >= 5);
        for (name, (input, output)) in &table.models {
            assert!(SANE.contains(input) && SANE.contains(output), "{name}");
            assert!(input <= output, "{name}: answers cost more than prompts");
            assert_eq!(*name, name.trim().to_lowercase());
        }
    }

    #[test]
    fn a_call_costs_what_its_tokens_do_rounded_up() {
        let own = Some(Price {
            input: 1,
            output: 2_000_000,
        });
        for (own, model, usage, expected) in [
            (None, "gpt-4o-mini", (1_000_000, 1_000_000), Some(750_000)),
            (None, "gpt-4o-mini-2024-07-18", (1, 0), Some(1)),
            (None, "gpt-4o-mini", (10, 10), Some(8)),
            (own, "gpt-4o-mini", (1, 1), Some(3)),
            (own, "llama3.2", (0, 2), Some(4)),
            (None, "llama3.2", (1, 1), None),
            (None, "llama3.2", (0, 0), Some(0)),
            (None, "extractive", (0, 0), Some(0)),
            (None, "", (0, 0), Some(0)),
        ] {
            let usage = Usage::counted(usage.0, usage.1);
            assert_eq!(cost(own, model, usage), expected, "{model} {usage:?}");
            let usage = Usage {
                estimated: true,
                ..usage
            };
            assert_eq!(
                cost(own, model, usage),
                expected,
                "an estimate costs as much"
            );
        }
        let dear = Price {
            input: u64::MAX,
            output: u64::MAX,
        };
        assert_eq!(
            cost(Some(dear), "m", Usage::counted(u32::MAX, u32::MAX)),
            Some(u64::MAX.div_ceil(1_000_000))
        );
    }

    #[test]
    fn a_name_is_known_with_its_date_and_a_cousin_is_not() {
        let server = vendors::server("openai", "https://m.test", None);
        for (model, expected) in [
            ("gpt-4o-mini", Some((150_000, 600_000))),
            ("gpt-4o-mini-2024-07-18", Some((150_000, 600_000))),
            ("gpt-4o", Some((2_500_000, 10_000_000))),
            ("gpt-4.1-nano-2025-04-14", Some((100_000, 400_000))),
            ("mistral-small-latest", Some((100_000, 300_000))),
            ("o3", Some((2_000_000, 8_000_000))),
            ("o3-pro", None),
            ("gpt-4omega", None),
            ("llama3.2", None),
            ("", None),
        ] {
            let expected = expected.map(|(input, output)| Price { input, output });
            assert_eq!(price(&vendors::model(&server, model)), expected, "{model}");
        }
        let free = Some(Price {
            input: 0,
            output: 0,
        });
        let own = Model {
            price: free,
            ..vendors::model(&server, "llama3.2")
        };
        assert_eq!(price(&own), free);
    }
}
