//! What models cost, as their vendors published it on a day (`as_of` in prices.json): millionths of a US dollar for a
//! million tokens of prompt and of answer. A bot's own `model.price` comes first.

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::settings::{BotSettings, Price};

#[derive(Deserialize)]
struct Table {
    #[expect(dead_code, reason = "for people; the tests read it")]
    as_of: String,
    #[serde(flatten)]
    models: BTreeMap<String, (u64, u64)>,
}

/// The price of a model for a bot. The dated names of a model cost what it costs; a model that nobody knows is
/// counted as the dearest of the table, so that a budget is never exceeded for want of a price.
pub fn price(bot: &BotSettings, model: &str) -> Price {
    if let Some(price) = bot.model.price {
        return price;
    }
    let models = serde_json::from_str::<Table>(include_str!("prices.json"))
        .map_or_else(|_| BTreeMap::new(), |table| table.models);
    let known = models
        .iter()
        .filter(|(name, _)| {
            model
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
        .max_by_key(|(name, _)| name.len());
    let (input, output) = match known {
        Some((_, price)) => *price,
        None => models.values().fold((0, 0), |(a, b), (input, output)| {
            (a.max(*input), b.max(*output))
        }),
    };
    Price { input, output }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_found_by_the_longest_name_and_unknown_models_are_dear() {
        let bot = BotSettings::default();
        for (model, input, output) in [
            ("gpt-4o-mini", 150_000, 600_000),
            ("gpt-4o-mini-2024-07-18", 150_000, 600_000),
            ("gpt-4o", 2_500_000, 10_000_000),
            ("gpt-4.1-nano-2025-04-14", 100_000, 400_000),
            ("mistral-small-latest", 100_000, 300_000),
            ("gpt-4omega", 2_500_000, 10_000_000),
            ("llama3.2", 2_500_000, 10_000_000),
        ] {
            assert_eq!(price(&bot, model), Price { input, output }, "{model}");
        }
        let mut own = BotSettings::default();
        own.model.price = Some(Price {
            input: 0,
            output: 0,
        });
        assert_eq!(
            price(&own, "llama3.2"),
            Price {
                input: 0,
                output: 0
            }
        );
    }
}
