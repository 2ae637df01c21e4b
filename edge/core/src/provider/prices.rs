//! What models cost, as their vendors published it on a day (`as_of` in prices.json): millionths of a US dollar for a
//! million tokens of prompt and of answer. An owner's own `price` comes first. A model without a price is not asked
//! where money is bounded: nobody could say what it costs.

use serde::Deserialize;
use std::collections::BTreeMap;

use super::Model;
use crate::settings::Price;

#[derive(Deserialize)]
struct Table {
    #[expect(dead_code, reason = "for people; the tests read it")]
    as_of: String,
    #[serde(flatten)]
    models: BTreeMap<String, (u64, u64)>,
}

/// The price of a model in the table, also under its dated names (`gpt-4o-mini-2024-07-18`, `mistral-small-latest`).
pub fn known(model: &str) -> Option<Price> {
    let table: Table = serde_json::from_str(include_str!("prices.json")).ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::checks;

    #[test]
    fn a_name_is_known_with_its_date_and_a_cousin_is_not() {
        let server = checks::server("openai", "https://m.test", None);
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
            assert_eq!(price(&checks::model(&server, model)), expected, "{model}");
        }
        let free = Some(Price {
            input: 0,
            output: 0,
        });
        let own = Model {
            price: free,
            ..checks::model(&server, "llama3.2")
        };
        assert_eq!(price(&own), free);
    }
}
