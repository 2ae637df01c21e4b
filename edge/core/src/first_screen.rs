//! What a visitor is offered before the first message: questions to begin with, and the owner's shortcuts.

use bulle_protocol::session::{Shortcut, ShortcutKind};

use crate::{
    knowledge::heading,
    model::Site,
    ports::{PortError, Sections},
    search::Section,
    settings::{self, BotSettings},
    strings,
};
use bulle_edge_text::language;

/// Questions and topics that a visitor can take in at a glance. All of the owner's questions are shown.
const MAX_CHIPS: usize = 6;

/// Most questions that are made of the documents.
const MAX_STARTERS: usize = 4;

/// The questions of the first screen: the owner's; where the owner gave neither questions nor topics, some about the
/// sections of the documents.
///
/// # Errors
/// The index failed.
pub async fn starters<P: Sections>(
    ports: &P,
    site: &Site,
    locale: &str,
) -> Result<Vec<String>, PortError> {
    let bot = &site.bot;
    if let Some(own) = bot.suggestions.get(locale, &bot.locale) {
        return Ok(own.clone());
    }
    if !bot.topics.is_empty() {
        return Ok(Vec::new());
    }
    let sections = ports.sections(&site.tenant_id, &site.bot_id).await?;
    let in_theirs = about(&sections, bot, locale);
    Ok(if in_theirs.is_empty() {
        about(&sections, bot, strings::negotiate(&[&bot.locale]))
    } else {
        in_theirs
    })
}

/// Questions about the sections that are written in the language: headings that are questions first, then one of each
/// document, then the next of each. A document whose language is not known is taken to be in the bot's.
fn about(sections: &[Section], bot: &BotSettings, language: &str) -> Vec<String> {
    let bots = strings::negotiate(&[&bot.locale]);
    let speaks = |section: &&Section| {
        let tag = section.language.split('-').next().unwrap_or_default();
        match tag {
            "" => language::detect(&section.heading).map_or(bots, |found| found.tag) == language,
            tag => tag.eq_ignore_ascii_case(language),
        }
    };
    let mut ranked: Vec<(bool, usize, String)> = Vec::new();
    let mut titles: Vec<&str> = Vec::new();
    for section in sections.iter().filter(speaks) {
        let rank = titles
            .iter()
            .filter(|title| **title == section.title)
            .count();
        titles.push(&section.title);
        let Section { title, heading, .. } = section;
        let Some(question) = heading::question(&bot.name, title, heading, language) else {
            continue;
        };
        let is_made = !heading.trim_end().ends_with(heading::MARKS);
        if !ranked.iter().any(|(_, _, known)| *known == question) {
            ranked.push((is_made, rank, question));
        }
    }
    // Few are taken: to sort them all would be 4 KB of the Worker.
    let mut best = Vec::new();
    while best.len() < MAX_STARTERS {
        let places = ranked.iter().enumerate();
        let first = places.min_by_key(|(_, (is_made, rank, _))| (*is_made, *rank));
        let Some((at, _)) = first else { break };
        best.push(ranked.remove(at).2);
    }
    best
}

/// The topics of the first screen: as many as there is room for beside the questions.
pub fn topics(bot: &BotSettings, locale: &str, questions: usize) -> Vec<String> {
    let own = bot.topics.get(locale, &bot.locale).into_iter().flatten();
    own.take(MAX_CHIPS.saturating_sub(questions))
        .cloned()
        .collect()
}

/// The owner's shortcuts for a visitor with this locale. `has_form` when there is a form that the visitor has not filled
/// in.
pub fn shortcuts(bot: &BotSettings, locale: &str, has_form: bool) -> Vec<Shortcut> {
    let texts = strings::texts(locale).answers;
    let shown = |shortcut: &settings::Shortcut| {
        let own = shortcut.label.get(locale, &bot.locale).cloned();
        let made = |kind, value: String, label: String| {
            let label = own.clone().unwrap_or(label);
            Some(Shortcut { label, kind, value })
        };
        if let Some(question) = shortcut.ask.get(locale, &bot.locale) {
            return made(ShortcutKind::Ask, question.clone(), question.clone());
        }
        if let Some(url) = &shortcut.url {
            return made(ShortcutKind::Page, url.clone(), url.clone());
        }
        if let Some(tel) = &shortcut.tel {
            // "(0)" is for callers within the country; RFC 3966 has digits and a leading plus.
            let digits = tel.replace("(0)", "");
            let digits: String = digits
                .chars()
                .filter(|c| c.is_ascii_digit() || *c == '+')
                .collect();
            return made(
                ShortcutKind::Call,
                format!("tel:{digits}"),
                texts.call.clone(),
            );
        }
        if let Some(mail) = &shortcut.mail {
            return made(
                ShortcutKind::Mail,
                format!("mailto:{mail}"),
                texts.mail.clone(),
            );
        }
        let form = bot.form.as_ref().filter(|_| has_form)?;
        let title = form.title.get(locale, &bot.locale).cloned();
        made(ShortcutKind::Form, String::new(), title.unwrap_or_default())
    };
    bot.shortcuts.iter().filter_map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fakes, block_on, site};
    use serde_json::json;

    fn section(title: &str, heading: &str, language: &str) -> Section {
        Section {
            title: title.into(),
            heading: heading.into(),
            language: language.into(),
        }
    }

    fn bot_without_questions() -> Site {
        let mut site = site();
        site.bot.suggestions.0.clear();
        site.bot.topics.0.clear();
        site.bot.locale = "en".into();
        site
    }

    #[test]
    fn a_bot_without_questions_offers_some_about_what_it_knows() {
        let (ports, site) = (Fakes::default(), bot_without_questions());
        let told = |locale: &str| block_on(starters(&ports, &site, locale)).unwrap();
        assert!(told("en").is_empty());
        *ports.sections.borrow_mut() = vec![
            section("Renting", "", "en"),
            section("Renting", "Renting › Deposit", "en"),
            section("Renting", "Renting › What does a day cost?", "en"),
            section("Réparer", "Délais et prix", "fr"),
            section("Repairs", "What we do not repair", "en-GB"),
            section("Untagged", "Opening hours in winter", ""),
        ];
        assert_eq!(
            told("en"),
            [
                "What does a day cost?",
                "What can you tell me about “Renting”?",
                "What can you tell me about “What we do not repair”?",
                "What can you tell me about “Opening hours in winter”?",
            ]
        );
        assert_eq!(told("fr").len(), 1);
        // Documents in another language are asked about in the bot's.
        assert_eq!(told("de"), told("en"));
    }

    #[test]
    fn the_owners_questions_and_topics_come_without_a_look_into_the_index() {
        let ports = Fakes::default();
        let mut site = bot_without_questions();
        site.bot.topics.0.insert("en".into(), vec!["Prices".into()]);
        assert!(block_on(starters(&ports, &site, "en")).unwrap().is_empty());
        site.bot
            .suggestions
            .0
            .insert("en".into(), vec!["Why?".into()]);
        assert_eq!(block_on(starters(&ports, &site, "fr")).unwrap(), ["Why?"]);
        assert_eq!(ports.calls("index"), 0);
    }

    #[test]
    fn topics_fill_the_room_beside_the_questions() {
        let mut site = bot_without_questions();
        let own = (1..=9).map(|n| format!("Topic {n}")).collect();
        site.bot.topics.0.insert("en".into(), own);
        for (questions, shown) in [(0, 6), (4, 2), (6, 0), (20, 0)] {
            assert_eq!(
                topics(&site.bot, "en", questions).len(),
                shown,
                "{questions}"
            );
        }
    }

    #[test]
    fn shortcuts_are_in_the_visitors_language() {
        let bot: BotSettings = serde_json::from_value(json!({
            "name": "Ada", "locale": "en", "form": { "title": { "en": "Leave a message" } },
            "shortcuts": [
                { "ask": { "en": "When are you open?", "fr": "Quand ouvrez-vous ?" } },
                { "label": { "en": "Prices" }, "url": "https://example.com/prices" },
                { "tel": "+33 (0)1 23 45" }, { "mail": "hello@example.com" }, { "form": true }
            ]
        }))
        .unwrap();
        let told = |locale, has_form| -> Vec<(String, String)> {
            let shortcuts = shortcuts(&bot, locale, has_form).into_iter();
            shortcuts
                .map(|shortcut| (shortcut.label, shortcut.value))
                .collect()
        };
        let pair = |label: &str, value: &str| (label.to_owned(), value.to_owned());
        assert_eq!(
            told("fr", true),
            [
                pair("Quand ouvrez-vous ?", "Quand ouvrez-vous ?"),
                pair("Prices", "https://example.com/prices"),
                pair("Appeler", "tel:+3312345"),
                pair("Écrire un e-mail", "mailto:hello@example.com"),
                pair("Leave a message", ""),
            ]
        );
        assert_eq!(told("en", false).len(), 4);
    }
}
