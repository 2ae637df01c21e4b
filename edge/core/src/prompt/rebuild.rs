//! Builds the prompt of an earlier answer again, from stored data.

use bulle_api::admin::prompt::Missing;

use super::{Extras, Input, PromptHistory, Turn, template::Template, write};
use crate::model::{Exchange, Summary};
use crate::{record::PromptReference, retrieval::Passage, search::Hit, settings::BotSettings};

/// The stored data of an answer's prompt, as far as it still exists.
#[derive(Clone, Copy, Debug)]
pub struct PromptInputs<'a> {
    /// The reference that was stored with the answer.
    pub reference: &'a PromptReference,
    /// The bot's settings of that version, or the reason why they are missing.
    pub bot: Result<&'a BotSettings, &'a str>,
    /// The visitor's words.
    pub question: Option<&'a str>,
    /// The exchanges before the question, oldest first.
    pub exchanges: &'a [Exchange],
    /// The summary of the conversation's beginning.
    pub summary: Option<&'a Summary>,
    /// The chunks with the ids of the reference, in any order.
    pub chunks: &'a [Hit],
}

/// A prompt that was built again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RebuiltPrompt {
    /// The messages; empty when the settings or the question are missing.
    pub turns: Vec<Turn>,
    /// Whether the messages are, byte for byte, those of the original prompt.
    pub exact: bool,
    /// The parts that are missing, and the reasons why the prompt is not exact.
    pub missing: Vec<Missing>,
}

/// Builds the prompt of a stored answer again, from the data that still exists.
pub fn rebuild(stored: &PromptInputs<'_>) -> RebuiltPrompt {
    let reference = stored.reference;
    let mut missing = Vec::new();
    let mut miss = |what: String, why: &str| {
        missing.push(Missing {
            what,
            why: why.to_owned(),
        });
    };
    let template = Template::numbered(reference.template).unwrap_or_else(|| {
        let what = format!("template {}", reference.template);
        miss(
            what,
            "This version of Bulle does not have it; its own newest is used.",
        );
        Template::current()
    });
    if let Err(why) = stored.bot {
        miss(format!("settings {}", reference.bot_version), why);
    }
    if stored.question.is_none() {
        miss(
            "question".to_owned(),
            "The visitor's message is not stored.",
        );
    }
    let passages = passages(reference, stored.chunks, &mut miss);
    let summary = reference.summary_until.and_then(|until| {
        let found = stored.summary.filter(|summary| summary.until == until);
        if found.is_none() {
            let why = "The summary of what was said before is not stored.";
            miss(format!("summary until {until}"), why);
        }
        found
    });
    let from = reference.history_from.unwrap_or(u32::MAX);
    let first = stored.exchanges.partition_point(|e| e.position < from);
    let exchanges = stored.exchanges.get(first..).unwrap_or_default();
    if reference.history_from.is_some() && exchanges.first().is_none_or(|e| e.position != from) {
        let why = "The exchanges from that position on are not all stored.";
        miss(format!("history from {from}"), why);
    }
    let (Ok(bot), Some(text)) = (stored.bot, stored.question) else {
        return RebuiltPrompt {
            turns: Vec::new(),
            exact: false,
            missing,
        };
    };
    let input = Input {
        bot,
        bot_version: reference.bot_version,
        text,
        memory: None,
    };
    let memory = PromptHistory { summary, exchanges };
    let extras = Extras::from(&reference.added);
    let prompt = write(template, &input, &passages, &memory, &extras);
    let exact = prompt.reference().fingerprint == reference.fingerprint;
    if !exact && missing.is_empty() {
        let why = "Everything is there, but its fingerprint is another one: a part was changed after the answer.";
        missing.push(Missing {
            what: "wording".to_owned(),
            why: why.to_owned(),
        });
    }
    RebuiltPrompt {
        turns: prompt.turns,
        exact,
        missing,
    }
}

/// The passages that still exist, under their original numbers.
fn passages(
    reference: &PromptReference,
    chunks: &[Hit],
    miss: &mut impl FnMut(String, &str),
) -> Vec<Passage> {
    let mut found = Vec::new();
    for (id, n) in reference.passages.iter().zip(1..) {
        match chunks.iter().find(|chunk| chunk.id == *id) {
            Some(hit) => found.push(Passage {
                snippet: String::new(),
                n,
                hit: hit.clone(),
            }),
            None => {
                let why = format!("Row {id} of what the bot knows was deleted.");
                miss(format!("passage {n}"), &why);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::{
        CURRENT, Prompt, build,
        tests::{CLUSTERS, asked, everything, found, greeting, told},
    };

    /// The prompt of an answer, and all stored data for it.
    struct Past {
        prompt: Prompt,
        reference: PromptReference,
        bot: Result<BotSettings, &'static str>,
        question: Option<&'static str>,
        exchanges: Vec<Exchange>,
        summary: Option<Summary>,
        chunks: Vec<Hit>,
    }

    const QUESTION: &str = "Et Kubernetes à Rennes ?";

    fn past() -> Past {
        let hits = [CLUSTERS, (9, "Rennes, Kubernetes."), (3, "Kubernetes.")];
        let (_, passages) = found(QUESTION, &hits);
        let (bot, exchanges, summary) = (everything(), greeting(), told());
        let memory = PromptHistory {
            summary: Some(&summary),
            exchanges: &exchanges,
        };
        let extras = Extras {
            continuation: Some("Neuf"),
            repair: Some("Cite."),
            system: Some("Be kind."),
            suggest: Some("Suggest."),
            material: Some("Files."),
        };
        let prompt = build(&asked(&bot, QUESTION), &passages, &memory, &extras);
        let mut chunks: Vec<_> = passages.items().iter().map(|p| p.hit.clone()).collect();
        chunks.sort_by_key(|hit| hit.id);
        // The reference is written to JSON and read again, as the database does.
        let json = serde_json::to_string(&prompt.reference()).unwrap();
        Past {
            reference: serde_json::from_str(&json).unwrap(),
            prompt,
            bot: Ok(bot),
            question: Some(QUESTION),
            exchanges,
            summary: Some(summary),
            chunks,
        }
    }

    impl Past {
        fn rebuild(&self) -> RebuiltPrompt {
            rebuild(&PromptInputs {
                reference: &self.reference,
                bot: self.bot.as_ref().map_err(|why| *why),
                question: self.question,
                exchanges: &self.exchanges,
                summary: self.summary.as_ref(),
                chunks: &self.chunks,
            })
        }

        /// The missing parts after a change of the stored data.
        fn without(change: impl FnOnce(&mut Self)) -> (RebuiltPrompt, Vec<String>) {
            let mut past = past();
            change(&mut past);
            let again = past.rebuild();
            assert!(!again.exact);
            let what = again.missing.iter().map(|m| m.what.clone()).collect();
            (again, what)
        }
    }

    #[test]
    fn a_prompt_is_made_again() {
        let past = past();
        assert_eq!(past.prompt.passages(), 3);
        let again = past.rebuild();
        assert_eq!(again.turns, past.prompt.turns());
        assert_eq!((again.exact, again.missing), (true, vec![]));
    }

    #[test]
    fn plain_prompts_and_those_of_limited_tiers_are_made_again() {
        let (_, passages) = found(QUESTION, &[CLUSTERS]);
        let (bot, history) = (everything(), greeting());
        let memory = PromptHistory {
            summary: None,
            exchanges: &history,
        };
        for (remembered, from) in [(None, Some(0)), (Some(1), Some(4)), (Some(0), None)] {
            let input = Input {
                memory: remembered,
                ..asked(&bot, QUESTION)
            };
            let prompt = build(&input, &passages, &memory, &Extras::default());
            let reference = prompt.reference();
            assert_eq!(reference.history_from, from);
            let again = rebuild(&PromptInputs {
                reference: &reference,
                bot: Ok(&bot),
                question: Some(QUESTION),
                exchanges: &history,
                summary: None,
                chunks: &[passages.items()[0].hit.clone()],
            });
            assert_eq!(
                (again.turns.as_slice(), again.exact),
                (prompt.turns(), true)
            );
        }
    }

    fn second_is_gone(past: &mut Past) {
        let id = past.reference.passages[1];
        past.chunks.retain(|chunk| chunk.id != id);
    }

    #[test]
    fn what_is_gone_is_told_and_the_rest_is_made() {
        for (change, gone, why) in [
            (
                second_is_gone as fn(&mut Past),
                "passage 2",
                " was deleted.",
            ),
            (
                |past| past.summary = None,
                "summary until 4",
                "is not stored",
            ),
            (
                |past| {
                    let summary = past.summary.as_mut().unwrap();
                    summary.until = 2;
                },
                "summary until 4",
                "is not stored",
            ),
            (
                |past| past.exchanges.truncate(2),
                "history from 4",
                "not all stored",
            ),
        ] {
            let (again, what) = Past::without(change);
            assert_eq!(what, [gone]);
            assert!(again.missing[0].why.contains(why), "{:?}", again.missing);
            assert!(again.turns.last().unwrap().content.contains("Go on"));
        }
        // The remaining passages keep their numbers.
        let (again, _) = Past::without(second_is_gone);
        let system = &again.turns[0].content;
        assert!(system.contains("<passage n=\"1\"") && system.contains("<passage n=\"3\""));
        assert!(!system.contains("<passage n=\"2\""));
    }

    #[test]
    fn without_settings_or_question_nothing_is_made_up() {
        let (again, what) = Past::without(|past| past.bot = Err("Deleted."));
        assert_eq!(
            (what, again.turns.len()),
            (vec!["settings 3".to_owned()], 0)
        );
        assert_eq!(again.missing[0].why, "Deleted.");
        let (again, what) = Past::without(|past| past.question = None);
        assert_eq!((what, again.turns.len()), (vec!["question".to_owned()], 0));
    }

    #[test]
    fn what_was_changed_is_not_exact() {
        let (again, what) = Past::without(|past| {
            past.bot.as_mut().unwrap().persona.tone = "cold".into();
        });
        assert_eq!(what, ["wording"]);
        assert!(again.turns[0].content.contains("Tone: cold."));
        let (_, what) = Past::without(|past| past.question = Some("Et alors ?"));
        assert_eq!(what, ["wording"]);
        // The row of the chunk holds another text now.
        let (_, what) = Past::without(|past| past.chunks[0].text = "Autre.".into());
        assert_eq!(what, ["wording"]);
        // A version of the instructions that this build does not have.
        let (again, what) = Past::without(|past| {
            past.reference.template = CURRENT + 1;
            past.reference.fingerprint = String::new();
        });
        assert_eq!(what, [format!("template {}", CURRENT + 1)]);
        assert!(!again.turns.is_empty());
    }
}
