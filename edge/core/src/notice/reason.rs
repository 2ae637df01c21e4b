//! The reason why a model does not answer, with what the owner or the operator can do about it.

use crate::{
    notice::mail::fill,
    provider::{Model, breaker::Why},
    record::Outcome,
    strings,
};

/// The name of the text for a reason.
fn text(provider: &str, why: Why) -> &'static str {
    match (why.outcome, why.status) {
        // A binding has neither key nor address.
        (Outcome::Undecodable | Outcome::Unreachable, _) if provider == "workers_ai" => {
            "reason_silent"
        }
        (Outcome::Refused, Some(401 | 403)) => "reason_key",
        (Outcome::Refused, Some(402)) => "reason_credit",
        (Outcome::Refused, Some(404 | 405 | 410)) => "reason_model",
        (Outcome::Refused, Some(408 | 425 | 429 | 500..)) => "reason_busy",
        (Outcome::Refused, _) => "reason_request",
        (Outcome::Undecodable, _) => "reason_undecodable",
        (Outcome::Unreachable, _) => "reason_unreachable",
        _ => "reason_silent",
    }
}

/// The text for a reason, in a language.
pub fn told(provider: &str, model: &str, why: Why, locale: &str) -> String {
    let texts = strings::texts(strings::negotiate(&[locale])).notices;
    let template = texts.get(text(provider, why)).map_or("", String::as_str);
    let status = why.status.map(|status| status.to_string());
    fill(
        template,
        &[
            ("status", status.as_deref().unwrap_or("-")),
            ("model", model),
            ("variable", &provider.to_ascii_uppercase()),
        ],
    )
}

/// The text for the log.
pub fn in_english(model: &Model<'_>, why: Why) -> String {
    told(model.server.provider.name, model.name, why, "en")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_words_that_say_what_to_do_in_every_language() {
        for locale in strings::locales() {
            for (outcome, status, says) in [
                (
                    Outcome::Refused,
                    Some(401),
                    "npx wrangler secret put OPENAI_API_KEY",
                ),
                (Outcome::Refused, Some(403), "OPENAI_API_KEY"),
                (Outcome::Refused, Some(402), "402"),
                (Outcome::Refused, Some(404), "gpt-9"),
                (Outcome::Refused, Some(429), "429"),
                (Outcome::Refused, Some(503), "503"),
                (Outcome::Refused, Some(400), "400"),
                (Outcome::Undecodable, None, "OPENAI_BASE_URL"),
                (Outcome::Unreachable, None, "OPENAI_BASE_URL"),
                (Outcome::TimedOut, None, ""),
            ] {
                let why = Why {
                    outcome,
                    status,
                    lasting: false,
                };
                let told = told("openai", "gpt-9", why, locale);
                assert!(!told.is_empty() && told.contains(says), "{locale}: {told}");
                assert!(
                    !told.contains('{') && !told.ends_with('.'),
                    "{locale}: {told}"
                );
            }
        }
    }
}
