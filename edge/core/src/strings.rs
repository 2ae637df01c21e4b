//! Texts of the interface and of the embedded model, by locale.

use bulle_api::settings::{BotSettings, Disclosure};
use bulle_protocol::{
    problem::{Code, Problem},
    strings::{SHEETS, Strings, duration},
};
use serde::Deserialize;
use std::collections::BTreeMap;

const LOCALES: [(&str, &str); 15] = [
    ("en", include_str!("../../../protocol/locales/en.json")),
    ("fr", include_str!("../../../protocol/locales/fr.json")),
    ("es", include_str!("../../../protocol/locales/es.json")),
    ("de", include_str!("../../../protocol/locales/de.json")),
    ("it", include_str!("../../../protocol/locales/it.json")),
    ("pt", include_str!("../../../protocol/locales/pt.json")),
    ("nl", include_str!("../../../protocol/locales/nl.json")),
    ("pl", include_str!("../../../protocol/locales/pl.json")),
    ("tr", include_str!("../../../protocol/locales/tr.json")),
    ("ar", include_str!("../../../protocol/locales/ar.json")),
    ("he", include_str!("../../../protocol/locales/he.json")),
    ("hi", include_str!("../../../protocol/locales/hi.json")),
    ("ja", include_str!("../../../protocol/locales/ja.json")),
    ("ko", include_str!("../../../protocol/locales/ko.json")),
    ("zh", include_str!("../../../protocol/locales/zh.json")),
];

/// All texts of one locale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// The bubble's interface.
    pub bubble: Strings,
    /// The rarely used sheets of the panel, by name.
    pub panel: BTreeMap<String, String>,
    /// The texts that the edge writes itself.
    pub answers: AnswerTexts,
    /// The texts of mail to owners, by name.
    pub notices: BTreeMap<String, String>,
}

/// The texts that the edge writes itself: into answers of the embedded model, and on buttons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerTexts {
    /// No document fits the question.
    pub nothing_found: String,
    /// Introduces sentences that hold only half of what was asked.
    pub closest: String,
    /// Begins an answer that is yes.
    pub yes: String,
    /// Begins an answer that is no.
    pub no: String,
    /// Of two questions in one, one was not answered.
    pub half: String,
    /// Introduces the list of topics.
    pub topics: String,
    /// Answers a greeting when the bot has no greeting of its own.
    pub hello: String,
    /// The question about a section of the documents; `{topic}` is its heading.
    pub about: String,
    /// The label of a shortcut that calls the owner.
    pub call: String,
    /// The label of a shortcut that writes to the owner.
    pub mail: String,
    /// Says that neither a model nor the documents can answer, where the owner has no line for that.
    pub unavailable: String,
    /// The same where asking again soon does not help: the owner has to mend something.
    pub out_of_order: String,
}

/// Former codes of languages, which Java and old browsers still use.
const FORMER: [(&str, &str); 1] = [("iw", "he")];

/// The served locale that fits best: that of the first wanted language that is served, else English.
pub fn negotiate(wishes: &[&str]) -> &'static str {
    wishes
        .iter()
        .find_map(|wish| {
            let language = wish.split(['-', '_']).next().unwrap_or_default();
            let former = FORMER
                .iter()
                .find(|(tag, _)| tag.eq_ignore_ascii_case(language));
            let language = former.map_or(language, |(_, today)| today);
            LOCALES
                .iter()
                .find(|(tag, _)| tag.eq_ignore_ascii_case(language))
        })
        .map_or("en", |(tag, _)| tag)
}

/// The locales that are served, English first.
pub fn locales() -> impl Iterator<Item = &'static str> {
    LOCALES.iter().map(|(tag, _)| *tag)
}

/// The languages of an `Accept-Language` header, the most wanted first (RFC 9110, section 12.5.4).
pub fn languages(header: &str) -> Vec<&str> {
    let mut wishes: Vec<(f32, &str)> = header
        .split(',')
        .filter_map(|part| {
            let (tag, quality) = part.split_once(";q=").unwrap_or((part, "1"));
            let quality: f32 = quality.trim().parse().ok()?;
            (quality > 0.0).then_some((quality, tag.trim()))
        })
        .collect();
    wishes.sort_by(|a, b| b.0.total_cmp(&a.0));
    wishes.into_iter().map(|(_, tag)| tag).collect()
}

/// The texts of a locale that [`negotiate`] gave.
pub fn texts(locale: &str) -> Texts {
    LOCALES
        .iter()
        .find(|(tag, _)| *tag == locale)
        .or(LOCALES.first())
        .and_then(|(_, json)| serde_json::from_str(json).ok())
        .unwrap_or_default()
}

/// The bubble's texts of a locale that [`negotiate`] gave, with the owner's own.
pub fn bubble(bot: &BotSettings, locale: &str) -> Strings {
    let mut strings = texts(locale).bubble;
    if let Some(own) = bot.texts.of(locale) {
        for (name, text) in strings.entries_mut() {
            if let Some(own) = own.get(name) {
                text.clone_from(own);
            }
        }
    }
    if bot.disclosure == Disclosure::Hidden {
        strings.disclosure.clear();
    }
    strings
}

/// The owner's own texts of the sheets that few visitors open, for a locale that [`negotiate`] gave.
pub fn sheets(bot: &BotSettings, locale: &str) -> BTreeMap<String, String> {
    let own = bot.texts.of(locale).into_iter().flatten();
    let own = own.filter(|(name, _)| SHEETS.contains(&name.as_str()));
    own.map(|(name, text)| (name.clone(), text.clone()))
        .collect()
}

/// Adds the sentence for the visitor to a refusal, where there is one; `bot` when it is known.
pub fn explain(mut problem: Problem, bot: Option<&BotSettings>, locale: &str) -> Problem {
    if problem.message.is_none() {
        let nobody = BotSettings::default();
        problem.message = refusal(
            bot.unwrap_or(&nobody),
            locale,
            problem.code,
            problem.retry_after,
        );
    }
    problem
}

/// The visitor's sentence for a refusal: the owner's text, or Bulle's.
pub fn refusal(
    bot: &BotSettings,
    locale: &str,
    code: Code,
    seconds: Option<u32>,
) -> Option<String> {
    let own = bot.limits.refusals.get(locale, &bot.locale);
    let texts = bubble(bot, locale);
    let (own, text) = match code {
        Code::RateLimited => (own.and_then(|own| own.minute.clone()), texts.rate_limited),
        Code::QuotaExceeded => (own.and_then(|own| own.day.clone()), texts.quota_exceeded),
        Code::Paused => (own.and_then(|own| own.paused.clone()), texts.paused),
        Code::Closed => (None, hours(bot, locale, false)),
        Code::FormRequired => (None, form_title(bot, locale)),
        Code::IdentityRequired => (None, texts.identity_required),
        Code::IdentityInvalid => (None, texts.identity_invalid),
        Code::IdentityExpired => (None, texts.identity_expired),
        Code::OriginNotAllowed | Code::UnknownSite => (None, texts.not_here),
        Code::ChallengeRequired => (None, texts.challenge),
        Code::ChallengeFailed => (None, texts.challenge_failed),
        _ => return None,
    };
    let time = seconds
        .map(|seconds| duration(seconds.into()))
        .unwrap_or_default();
    Some(own.unwrap_or(text).replace("{time}", &time))
}

/// The owner's text for open or closed hours; empty when there is none.
pub fn hours(bot: &BotSettings, locale: &str, open: bool) -> String {
    bot.hours
        .as_ref()
        .map(|hours| if open { &hours.open_text } else { &hours.text })
        .and_then(|texts| texts.get(locale, &bot.locale))
        .cloned()
        .unwrap_or_default()
}

fn form_title(bot: &BotSettings, locale: &str) -> String {
    let form = bot.form.as_ref();
    let title = form.and_then(|form| form.title.get(locale, &bot.locale));
    title.cloned().unwrap_or_default()
}

/// The sentence for the visitor about a failed turn; `bot` when it is known.
pub fn failure(bot: Option<&BotSettings>, locale: &str, code: Code) -> String {
    let bubble = bot.map_or_else(|| texts(locale).bubble, |bot| bubble(bot, locale));
    match code {
        Code::UpstreamUnavailable | Code::Misconfigured => bubble.upstream_unavailable,
        Code::UpstreamTimeout => bubble.upstream_timeout,
        Code::UpstreamInterrupted | Code::Interrupted => bubble.upstream_interrupted,
        _ => bubble.failed,
    }
}

#[cfg(test)]
mod tests {
    use bulle_edge_text::script::Script;

    use super::*;
    use bulle_api::settings::{Localized, Refusals};

    /// Every text of a locale, named as `section.name`.
    fn all(json: &str) -> BTreeMap<String, String> {
        let sections: BTreeMap<String, BTreeMap<String, String>> =
            serde_json::from_str(json).unwrap();
        let texts = sections.into_iter().flat_map(|(section, texts)| {
            let named = move |(name, text)| (format!("{section}.{name}"), text);
            texts.into_iter().map(named)
        });
        texts.collect()
    }

    /// The forms of a plural text; any other is one form.
    fn forms(text: &str) -> Vec<(&str, &str)> {
        match text.contains("other=") {
            true => text.split('|').filter_map(|f| f.split_once('=')).collect(),
            false => vec![("other", text)],
        }
    }

    /// The names of the placeholders, sorted.
    fn holes(text: &str) -> Vec<&str> {
        let holes = text.split('{').skip(1);
        let mut holes: Vec<_> = holes.filter_map(|h| Some(h.split_once('}')?.0)).collect();
        holes.sort_unstable();
        holes
    }

    #[test]
    fn every_locale_has_every_text_and_its_placeholders() {
        let english = all(LOCALES[0].1);
        let plural = |text: &str| text.contains("other=");
        for (tag, json) in LOCALES {
            serde_json::from_str::<Texts>(json).unwrap_or_else(|e| panic!("{tag}: {e}"));
            let texts = all(json);
            let names =
                |texts: &BTreeMap<String, String>| texts.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&texts), names(&english), "{tag}");
            for (name, text) in &texts {
                let reference = &english[name];
                assert_eq!(plural(text), plural(reference), "{tag}: {name}");
                let forms = forms(text);
                assert_eq!(forms.last().unwrap().0, "other", "{tag}: {name}");
                for (category, form) in forms {
                    assert_eq!(form.trim(), form, "{tag}: {name} {category}");
                    assert!(!form.is_empty(), "{tag}: {name} {category} is empty");
                    assert_eq!(
                        form.matches('{').count(),
                        form.matches('}').count(),
                        "{tag}: {name}"
                    );
                    // A language may have a form for one and a form for two.
                    let words =
                        ["zero", "one", "two"].contains(&category) && holes(form).is_empty();
                    let expected = holes(self::forms(reference).last().unwrap().1);
                    assert!(words || holes(form) == expected, "{tag}: {name} {category}");
                }
            }
        }
    }

    #[test]
    fn locales_are_written_in_their_own_scripts_and_marks() {
        for (tag, json) in LOCALES {
            for (name, text) in all(json) {
                let told = format!("{tag}: {name}: {text}");
                let inside = |part: &str| text.contains(part);
                assert!(
                    !inside("...") && !inside("  ") && !inside('\''.to_string().as_str()),
                    "{told}"
                );
                match tag {
                    "fr" => {
                        let bad = [" :", " !", " ?", " ;"].iter().any(|mark| inside(mark));
                        assert!(!bad, "{told}");
                    }
                    "ja" | "zh" => assert!(!inside("?") && !inside("!") && !inside(": "), "{told}"),
                    "es" => assert_eq!(
                        text.matches('?').count(),
                        text.matches('¿').count(),
                        "{told}"
                    ),
                    _ => {}
                }
                let is_own: fn(Script) -> bool = match tag {
                    "ar" => |script| script == Script::Arabic,
                    "he" => |script| script == Script::Hebrew,
                    "hi" => |script| script == Script::Devanagari,
                    "ja" => Script::is_japanese,
                    "ko" => |script| script == Script::Hangul,
                    "zh" => |script| script == Script::Han,
                    _ => continue,
                };
                assert!(text.chars().filter_map(Script::of).any(is_own), "{told}");
            }
        }
    }

    #[test]
    fn refusals_are_in_the_owners_words_or_in_ours() {
        let mut bot = BotSettings {
            locale: "fr".into(),
            ..BotSettings::default()
        };
        let say =
            |bot: &BotSettings, code, seconds| refusal(bot, "fr", code, Some(seconds)).unwrap();
        assert!(say(&bot, Code::QuotaExceeded, 12_000).ends_with("dans 3 h 20 min."));
        assert!(say(&bot, Code::RateLimited, 59).ends_with("dans 59 s."));
        let own = Refusals {
            day: Some("Revenez dans {time} !".into()),
            ..Refusals::default()
        };
        bot.limits.refusals = Localized([("fr".to_owned(), own)].into());
        assert_eq!(say(&bot, Code::QuotaExceeded, 60), "Revenez dans 60 s !");
        assert!(say(&bot, Code::Paused, 60).contains("pause"));
        assert_eq!(refusal(&bot, "fr", Code::Internal, None), None);
    }

    #[test]
    fn the_sheets_have_the_texts_that_owners_may_replace() {
        let panel = texts("en").panel;
        let mut names = SHEETS;
        names.sort_unstable();
        assert!(panel.keys().eq(names));
        let bubble = Strings::default();
        let mut names = bubble.entries().into_iter().map(|(name, _)| name);
        assert_eq!(names.find(|name| SHEETS.contains(name)), None);
    }

    #[test]
    fn the_owners_texts_stand_in_their_own_language_only() {
        let bot: BotSettings = serde_json::from_str(
            r#"{"texts":{"fr":{"send":"Demander","paused":"Fermé.","erase":"Oubliez-moi"}}}"#,
        )
        .unwrap();
        let own = [("erase".to_owned(), "Oubliez-moi".to_owned())];
        assert_eq!(sheets(&bot, "fr"), own.into());
        assert_eq!(sheets(&bot, "en"), BTreeMap::new());
        assert_eq!(bubble(&bot, "fr").send, "Demander");
        assert_eq!(bubble(&bot, "fr").stop, texts("fr").bubble.stop);
        assert_eq!(bubble(&bot, "en"), texts("en").bubble);
        let paused = refusal(&bot, "fr", Code::Paused, None);
        assert_eq!(paused.as_deref(), Some("Fermé."));
    }

    #[test]
    fn accepted_languages_are_read_in_order_of_quality() {
        for (header, expected) in [
            ("", vec![""]),
            ("fr", vec!["fr"]),
            ("en;q=0.5, fr-CA, de;q=0, *;q=0.1", vec!["fr-CA", "en", "*"]),
            ("fr;q=x", vec![]),
        ] {
            assert_eq!(languages(header), expected, "{header}");
        }
    }

    #[test]
    fn negotiation_takes_the_first_served_language() {
        for (wishes, expected) in [
            (&["sw", "fr-CA", "en"][..], "fr"),
            (&["zh-TW"], "zh"),
            (&["zh-Hant-HK"], "zh"),
            (&["ZH_cn"], "zh"),
            (&["pt-BR"], "pt"),
            (&["iw"], "he"),
            (&["IW-il", "en"], "he"),
            (&["nb"], "en"),
            (&["nb-NO", "de"], "de"),
            // Another language whose code begins with the same letters.
            (&["fra", "arz"], "en"),
            (&["xx"], "en"),
            (&[""], "en"),
            (&[], "en"),
        ] {
            assert_eq!(negotiate(wishes), expected, "{wishes:?}");
        }
        assert_eq!(texts("xx"), texts("en"));
    }
}
