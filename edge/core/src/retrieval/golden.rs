//! Golden questions: whether search finds the passage that the owner expects, and at which rank.

use bulle_api::admin::golden::{Expected, GoldenQuestion, NewGoldenQuestion};
use bulle_edge_text::{fold::fold, language, visible};
use bulle_protocol::problem::{Code, Problem};

use super::{Passage, find, query::Terms};
use crate::ports::{Index, PortError, VectorIndex};

/// Most golden questions of a bot: each costs a search.
pub const MAX_QUESTIONS: usize = 100;

/// The share of ranks up to `within`; 0 when there are none. Ranks count from 1.
pub fn recall(places: &[Option<usize>], within: usize) -> f64 {
    let found = places.iter().flatten().filter(|place| **place <= within);
    found.count() as f64 / places.len().max(1) as f64
}

/// The mean of the reciprocal ranks; a question whose passage was not found counts 0.
pub fn mrr(places: &[Option<usize>]) -> f64 {
    let found = places.iter().flatten();
    // An empty sum of floats would be -0.
    let sum = found.fold(0.0, |sum, place| sum + 1.0 / *place as f64);
    sum / places.len().max(1) as f64
}

/// Checks a new question.
///
/// # Errors
/// `invalid_value` with the field and what is wrong with it.
pub fn check(new: &NewGoldenQuestion, n: usize) -> Result<(), Problem> {
    let Expected { text, title, url } = &new.expected;
    let invalid = |field: &str, what: &str| {
        Err(Problem::new(
            Code::InvalidValue,
            format!("items[{n}].{field}: {what}"),
        ))
    };
    let fields = [
        ("question", Some(&new.question), 500),
        ("expected.text", text.as_ref(), 500),
        ("expected.title", title.as_ref(), 200),
        ("expected.url", url.as_ref(), 2_000),
    ];
    for (field, value, most) in fields {
        let Some(value) = value else { continue };
        if visible(value).is_none() {
            return invalid(field, "write at least one visible character.");
        }
        if value.chars().count() > most {
            return invalid(field, &format!("at most {most} characters."));
        }
    }
    if text.is_none() && title.is_none() && url.is_none() {
        let what = "say what the right passage is known by: text that stands in it, title, or url.";
        return invalid("expected", what);
    }
    Ok(())
}

/// Whether a passage is the expected one.
pub fn is_expected(expected: &Expected, passage: &Passage) -> bool {
    let hit = &passage.hit;
    let url = hit.url.as_deref().unwrap_or_default();
    let same = |a: &str, b: &str| fold(a).trim() == fold(b).trim();
    let Expected {
        text: words,
        title,
        url: place,
    } = expected;
    let holds = |words: &String| {
        fold(&format!("{}\n{}", hit.heading, hit.text)).contains(fold(words).trim())
    };
    let is_at =
        |place: &String| url == place.as_str() || url.split('#').next() == Some(place.as_str());
    words.as_ref().is_none_or(holds)
        && title.as_ref().is_none_or(|title| same(title, &hit.title))
        && place.as_ref().is_none_or(is_at)
}

/// Searches for a question as for a visitor's first message. Gives the rank of the expected passage, and the title of
/// the first passage.
///
/// # Errors
/// The index failed.
pub async fn look(
    index: &(impl Index + VectorIndex),
    (tenant_id, bot_id): (&str, &str),
    (name, locale): (&str, &str),
    question: &str,
    expected: &Expected,
) -> Result<(Option<u32>, Option<String>), PortError> {
    let language = language::guess(question, locale);
    let terms = Terms::of(question, language).without_name(name);
    let found = find(index, (tenant_id, bot_id), question, &terms, language).await?;
    let place = found.iter().find(|passage| is_expected(expected, passage));
    let first = found.first().map(|passage| passage.source().title);
    Ok((place.map(|passage| passage.n), first))
}

/// Whether a question's rank is worse than with the earlier documents. Ranks count from 1; 0 means not found, `None`
/// not searched for.
pub fn regressed(before: Option<u32>, now: Option<u32>) -> bool {
    match (before, now) {
        (None | Some(0), _) | (_, None) => false,
        (Some(_), Some(0)) => true,
        (Some(before), Some(now)) => now > before,
    }
}

/// The ranks of the questions.
pub fn places(items: &[GoldenQuestion]) -> Vec<Option<usize>> {
    let place = |item: &GoldenQuestion| item.rank.and_then(|rank| usize::try_from(rank).ok());
    items.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Hit;

    fn passage() -> Passage {
        Passage {
            n: 1,
            hit: Hit {
                id: 1,
                title: "Opening hours".to_owned(),
                heading: "Week-end".to_owned(),
                text: "On Sunday we open at 9 a.m.".to_owned(),
                url: Some("https://shop.test/hours#week-end".to_owned()),
                language: "en".to_owned(),
                score: 1.0,
            },
            snippet: String::new(),
        }
    }

    #[test]
    fn all_that_is_expected_must_be_true() {
        let expected = |text: Option<&str>, title: Option<&str>, url: Option<&str>| Expected {
            text: text.map(str::to_owned),
            title: title.map(str::to_owned),
            url: url.map(str::to_owned),
        };
        for (wanted, is) in [
            (expected(Some("SUNDAY we open"), None, None), true),
            (expected(Some("Saturday"), None, None), false),
            (expected(None, Some("opening hours"), None), true),
            (expected(None, None, Some("https://shop.test/hours")), true),
            (
                expected(None, None, Some("https://shop.test/hours#week-end")),
                true,
            ),
            (expected(None, None, Some("https://shop.test/hour")), false),
            (expected(Some("sunday"), Some("Prices"), None), false),
        ] {
            assert_eq!(is_expected(&wanted, &passage()), is, "{wanted:?}");
        }
    }

    #[test]
    fn vowel_signs_tell_words_apart() {
        let mut passage = passage();
        passage.hit.text = "दुकान काला चाय बेचती है।".to_owned();
        let expected = |text: &str| Expected {
            text: Some(text.to_owned()),
            ..Expected::default()
        };
        assert!(is_expected(&expected("काला चाय"), &passage));
        assert!(!is_expected(&expected("कल"), &passage));
    }

    #[test]
    fn figures_of_places() {
        let places = [Some(1), Some(2), None, Some(6)];
        assert_eq!((recall(&places, 1), recall(&places, 5)), (0.25, 0.5));
        assert!((mrr(&places) - (1.0 + 0.5 + 1.0 / 6.0) / 4.0).abs() < 1e-9);
        assert_eq!(
            (recall(&[], 1), mrr(&[]).to_string()),
            (0.0, "0".to_owned())
        );
    }

    #[test]
    fn a_regression_is_a_later_place_or_none() {
        for (before, now, is) in [
            (Some(1), Some(2), true),
            (Some(1), Some(0), true),
            (Some(2), Some(1), false),
            (Some(0), Some(0), false),
            (None, Some(0), false),
            (Some(1), None, false),
        ] {
            assert_eq!(regressed(before, now), is, "{before:?} {now:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_question_is_said() {
        let new = |question: &str, expected: Expected| NewGoldenQuestion {
            question: question.to_owned(),
            expected,
        };
        let text = |text: &str| Expected {
            text: Some(text.to_owned()),
            ..Expected::default()
        };
        assert!(check(&new("When?", text("9")), 0).is_ok());
        for (wrong, field) in [
            (new(" \u{200b}", text("9")), "items[3].question:"),
            (new("When?", Expected::default()), "items[3].expected:"),
            (new("When?", text("")), "items[3].expected.text:"),
            (new(&"a".repeat(501), text("9")), "items[3].question:"),
        ] {
            let problem = check(&wrong, 3).expect_err(field);
            assert!(problem.detail.starts_with(field), "{}", problem.detail);
        }
    }
}
