//! What a fair reader makes of an answer of the embedded model, for the sets of questions in `xtask/answers`: a measure of the
//! answers, which no visitor's answer is judged by.

use bulle_edge_text::polarity;
use serde::Deserialize;

/// Characters from which an answer is too long for a chat: the fact stands in it, but the reader has to look for it.
const LONG: usize = 450;

/// The questions to the documents of one business.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Name of the business.
    pub name: String,
    /// Language of documents and questions, a primary subtag.
    pub language: String,
    /// What the set is used for.
    #[serde(rename = "use")]
    pub purpose: Purpose,
    /// What is asked.
    pub questions: Vec<Expected>,
}

/// What a set of questions is used for. The order is that in which they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Rules and thresholds are chosen with its answers.
    Tuned,
    /// Held out for the first measurement; since then its answers are looked at, too.
    Former,
    /// The same, with nearly as many questions that the documents do not answer.
    Development,
    /// Nothing is chosen with it, and its answers are not looked at.
    HeldOut,
}

impl Purpose {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tuned => "tuned",
            Self::Former => "former",
            Self::Development => "development",
            Self::HeldOut => "held out",
        }
    }
}

/// A question and what its answer must be like.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The question, as people type it.
    pub ask: String,
    /// What must be said, each in one of several wordings apart by `|`; nothing when the documents do not answer.
    #[serde(default)]
    pub says: Vec<String>,
    /// What must not be said: it answers another question.
    #[serde(default)]
    pub never: Vec<String>,
    /// Whether the answer is yes, for a question that the documents answer so. It need not be said with this word.
    pub yes: Option<bool>,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Judged {
    /// The documents answer; all that was asked is said, and nothing that is wrong.
    Right,
    /// A part is missing, or it is said among much else, with prices of other things, or as no exact answer.
    Partly,
    /// Something else is said, or the opposite.
    Wrong,
    /// The documents do not answer, and it says so.
    RightlyRefused,
    /// They do, and it does not.
    WronglyRefused,
    /// The documents do not answer, and it quotes something that is introduced as no exact answer.
    Unsure,
    /// The documents do not answer, and it does.
    False,
}

/// An answer as the visitor reads it.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its text.
    pub text: &'a str,
    /// Whether it answers.
    pub found: bool,
    /// How an answer begins that is no exact one.
    pub closest: &'a str,
}

impl Expected {
    /// What the answer is.
    pub fn judge(&self, answer: Answer<'_>, language: &str) -> Judged {
        let text = plain(answer.text);
        let hedge = plain(answer.closest);
        let hedged = text.starts_with(&hedge);
        let text = text.strip_prefix(&hedge).unwrap_or(&text);
        let held = |fact: &String| fact.split('|').any(|one| text.contains(&plain(one)));
        let said = self.says.iter().filter(|fact| held(fact)).count();
        match (self.says.len(), answer.found) {
            (0, false) => return Judged::RightlyRefused,
            (0, true) if hedged => return Judged::Unsure,
            (0, true) => return Judged::False,
            (_, false) => return Judged::WronglyRefused,
            _ => {}
        }
        let contradicted = self
            .yes
            .is_some_and(|yes| polarity::begins(text, language) == Some(!yes));
        if contradicted {
            return Judged::Wrong;
        }
        let beside = self.never.iter().any(held);
        match (said, hedged) {
            (0, true) => Judged::WronglyRefused,
            (0, false) => Judged::Wrong,
            _ if said == self.says.len() && !hedged && !beside && text.chars().count() <= LONG => {
                Judged::Right
            }
            _ => Judged::Partly,
        }
    }
}

/// In lower case, without what Markdown needs.
fn plain(text: &str) -> String {
    let text = text
        .replace(['\u{a0}', '\u{202f}'], " ")
        .replace(['\\', '*'], "");
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_judged_as_a_reader_would() {
        let asked: Expected =
            serde_json::from_str(r#"{"ask": "open on mondays?", "says": ["closed|shut", "Monday"], "never": ["€5"], "yes": false}"#).unwrap();
        let unanswered: Expected = serde_json::from_str(r#"{"ask": "kayaks?"}"#).unwrap();
        let judge = |asked: &Expected, text: &str, found| {
            let closest = "No exact answer:";
            asked.judge(
                Answer {
                    text,
                    found,
                    closest,
                },
                "en",
            )
        };
        for (text, found, judged) in [
            ("No. We are closed on Mondays.", true, Judged::Right),
            ("We are SHUT on Mondays.", true, Judged::Right),
            ("Yes. We are closed on Mondays.", true, Judged::Wrong),
            (
                "No exact answer:\n\nclosed on Mondays",
                true,
                Judged::Partly,
            ),
            ("No exact answer:\n\nBikes.", true, Judged::WronglyRefused),
            ("Mondays cost €5, closed.", true, Judged::Partly),
            ("On Mondays.", true, Judged::Partly),
            ("Bikes.", true, Judged::Wrong),
            ("Nothing.", false, Judged::WronglyRefused),
        ] {
            assert_eq!(judge(&asked, text, found), judged, "{text}");
        }
        assert_eq!(
            judge(&unanswered, "Nothing.", false),
            Judged::RightlyRefused
        );
        assert_eq!(judge(&unanswered, "Boats.", true), Judged::False);
        assert_eq!(
            judge(&unanswered, "No exact answer:\n\nBoats.", true),
            Judged::Unsure
        );
    }
}
