//! The query of a list of conversations, and the rules for what owners write about them.

use bulle_api::admin::conversation::{Deletion, Labels, NewNote};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

use super::{rules::invalid, usage};
use crate::model::is_id;

/// Default and most conversations of a page.
const LIMITS: (u32, u32) = (50, 100);

/// Conversations that a page with filters looks at. The rest of the list is told by `next`, so that a page reads as many
/// rows of a million conversations as of a thousand.
pub const SCANNED: u32 = 500;

/// Most labels of a conversation.
const MAX_LABELS: usize = 20;

/// Longest label, in characters.
const MAX_LABEL: usize = 40;

/// Longest note, in characters.
const MAX_NOTE: usize = 4_000;

/// Most conversations of one deletion.
const MAX_DELETED: usize = 20;

/// Longest value of a filter, in characters.
const MAX_VALUE: usize = 200;

/// The latest time of an id, in Unix milliseconds: 48 bits.
const MAX_MS: u64 = (1 << 48) - 1;

/// A filter that each conversation is looked at for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Of this bot.
    Bot(String),
    /// Of one of these bots.
    Bots(Vec<String>),
    /// With an answer that is rated `up` or `down`.
    Rating(String),
    /// With an answer that ended so.
    Finish(String),
    /// With an answer of this model.
    Model(String),
    /// With a question of this topic.
    Topic(String),
    /// With this label.
    Label(String),
    /// Of a visitor of this tier.
    Tier(String),
    /// With a question that was not answered, or none.
    Unanswered(bool),
    /// Of a visitor who has filled in the bot's form, or has not.
    Form(bool),
}

/// The query of a list of conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationQuery {
    /// Unix milliseconds: begun since then.
    pub from_ms: u64,
    /// Unix milliseconds: begun before that.
    pub until_ms: u64,
    /// Only of this visitor.
    pub visitor: Option<Id>,
    /// What each is looked at for.
    pub filters: Vec<Filter>,
    /// Most conversations.
    pub limit: u32,
    /// The last conversation of the page before.
    pub after: Option<Id>,
}

impl ConversationQuery {
    /// The ids between which the page lies: at least the first, and below the second. Ids begin with the time at which
    /// their conversation began.
    pub fn ids(&self) -> [Id; 2] {
        let until = Id::from_parts(self.until_ms.min(MAX_MS), 0);
        let until = self.after.map_or(until, |after| after.min(until));
        [Id::from_parts(self.from_ms.min(MAX_MS), 0), until]
    }

    /// Reads the parameters of a query. An unknown one is refused: a misspelled filter would otherwise list everything.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn read(pairs: &[(String, String)]) -> Result<Self, Problem> {
        let mut query = Self {
            from_ms: 0,
            until_ms: MAX_MS,
            visitor: None,
            filters: Vec::new(),
            limit: LIMITS.0,
            after: None,
        };
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in pairs {
            if seen.contains(&name.as_str()) {
                return Err(parameter(&format!("{name} stands twice.")));
            }
            seen.push(name);
            query.set(name, value)?;
        }
        Ok(query)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let text = || {
            let length = value.chars().count();
            let fits = (1..=MAX_VALUE).contains(&length);
            fits.then(|| value.to_owned()).ok_or_else(|| {
                parameter(&format!("{name} is a text of 1 to {MAX_VALUE} characters."))
            })
        };
        let flag = || match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(parameter(&format!("{name} is true or false."))),
        };
        let filter = match name {
            "from" => {
                self.from_ms = usage::day_ms(name, value)?;
                return Ok(());
            }
            "to" => {
                self.until_ms = usage::day_ms(name, value)? + 86_400_000;
                return Ok(());
            }
            "visitor" => {
                let id = value.parse().ok();
                self.visitor =
                    Some(id.ok_or_else(|| parameter("visitor is the id of a visitor."))?);
                return Ok(());
            }
            "limit" => {
                let digits = value.bytes().all(|b| b.is_ascii_digit());
                let limit = value
                    .parse()
                    .ok()
                    .filter(|n| digits && (1..=LIMITS.1).contains(n));
                self.limit = limit.ok_or_else(|| parameter("limit is a number from 1 to 100."))?;
                return Ok(());
            }
            "after" => {
                let id = value.parse().ok();
                let unknown = || parameter("after is the \"next\" of another page.");
                self.after = Some(id.ok_or_else(unknown)?);
                return Ok(());
            }
            "bot" if is_id(value) => Filter::Bot(value.to_owned()),
            "bot" => return Err(parameter("bot is the id of a bot.")),
            "rating" if ["up", "down"].contains(&value) => Filter::Rating(value.to_owned()),
            "rating" => return Err(parameter("rating is up or down.")),
            "finish" => Filter::Finish(text()?),
            "model" => Filter::Model(text()?),
            "topic" => Filter::Topic(text()?),
            "label" => Filter::Label(text()?),
            "tier" => Filter::Tier(text()?),
            "unanswered" => Filter::Unanswered(flag()?),
            "form" => Filter::Form(flag()?),
            _ => {
                return Err(parameter(
                    "This list knows bot, visitor, from, to, rating, finish, model, topic, label, tier, unanswered, form, \
                     limit, after.",
                ));
            }
        };
        self.filters.push(filter);
        Ok(())
    }
}

/// Checks the labels of a conversation: in alphabetical order, each once.
///
/// # Errors
/// `invalid_value`.
pub fn labels(given: &Labels) -> Result<Vec<String>, Problem> {
    let mut labels: Vec<String> = given
        .labels
        .iter()
        .map(|label| label.trim().to_owned())
        .collect();
    labels.sort_unstable();
    labels.dedup();
    let good = |label: &String| {
        (1..=MAX_LABEL).contains(&label.chars().count()) && !label.chars().any(char::is_control)
    };
    if labels.len() > MAX_LABELS || !labels.iter().all(good) {
        return Err(invalid(&format!(
            "labels: at most {MAX_LABELS}, of 1 to {MAX_LABEL} characters, each on one line."
        )));
    }
    Ok(labels)
}

/// Checks a note.
///
/// # Errors
/// `invalid_value`.
pub fn note(given: &NewNote) -> Result<String, Problem> {
    let text = given.text.trim().to_owned();
    if !(1..=MAX_NOTE).contains(&text.chars().count()) {
        return Err(invalid(&format!("text: 1 to {MAX_NOTE} characters.")));
    }
    Ok(text)
}

/// Checks which conversations are to be deleted: each once.
///
/// # Errors
/// `invalid_value`.
pub fn deletion(given: Deletion) -> Result<Vec<Id>, Problem> {
    let mut ids = given.ids;
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() || ids.len() > MAX_DELETED {
        return Err(invalid(&format!("ids: 1 to {MAX_DELETED} conversations.")));
    }
    Ok(ids)
}

fn parameter(detail: &str) -> Problem {
    Problem::new(Code::InvalidParameter, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ConversationQuery, Problem> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        ConversationQuery::read(&pairs)
    }

    #[test]
    fn a_query_is_read() {
        let id = Id::from_parts(5, 6);
        let text = id.to_string();
        let query = read(&[
            ("bot", "guide"),
            ("visitor", &text),
            ("from", "2026-11-21"),
            ("to", "2026-11-21"),
            ("rating", "down"),
            ("unanswered", "true"),
            ("label", "Wichtig!"),
            ("limit", "100"),
            ("after", &text),
        ])
        .unwrap();
        assert_eq!(query.until_ms - query.from_ms, 86_400_000);
        assert_eq!(
            (query.visitor, query.limit, query.after),
            (Some(id), 100, Some(id))
        );
        let filters = [
            Filter::Bot("guide".into()),
            Filter::Rating("down".into()),
            Filter::Unanswered(true),
            Filter::Label("Wichtig!".into()),
        ];
        assert_eq!(query.filters, filters);
        let all = read(&[]).unwrap();
        assert_eq!(
            (all.limit, all.ids()),
            (50, [Id::from_parts(0, 0), Id::from_parts(MAX_MS, 0)])
        );
        let [from, until] = read(&[("from", "2026-11-21"), ("to", "2026-11-21")])
            .unwrap()
            .ids();
        assert!(from < until && until > Id::from_parts(query.until_ms - 1, u128::MAX >> 48));
        assert_eq!(query.ids(), [from, id]);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for (name, value) in [
            ("bots", "guide"),
            ("bot", "Guide"),
            ("visitor", "x"),
            ("from", "21.11.2026"),
            ("limit", "0"),
            ("limit", "101"),
            ("limit", "+5"),
            ("after", "x"),
            ("rating", "bad"),
            ("unanswered", "yes"),
            ("label", ""),
        ] {
            let problem = read(&[(name, value)]).unwrap_err();
            assert_eq!(problem.code, Code::InvalidParameter, "{name}={value}");
        }
        assert!(read(&[("bot", "a"), ("bot", "b")]).is_err());
    }

    #[test]
    fn what_owners_write_has_limits() {
        let of = |list: &[&str]| {
            labels(&Labels {
                labels: list.iter().map(|label| (*label).to_owned()).collect(),
            })
        };
        assert_eq!(of(&[" b", "a", "b"]).unwrap(), ["a", "b"]);
        assert_eq!(of(&[]).unwrap(), [""; 0]);
        let many: Vec<String> = (0..21).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for wrong in [&[""][..], &["a\nb"], &[&"x".repeat(41)], &many] {
            assert_eq!(of(wrong).unwrap_err().code, Code::InvalidValue);
        }
        let note = |text: &str| note(&NewNote { text: text.into() });
        assert_eq!(note(" seen\n").unwrap(), "seen");
        assert!(note(" ").is_err() && note(&"x".repeat(4_001)).is_err());
        let id = Id::from_parts(1, 1);
        assert_eq!(deletion(Deletion { ids: vec![id, id] }).unwrap(), [id]);
        assert!(deletion(Deletion { ids: vec![] }).is_err());
        let ids = (0..21).map(|n| Id::from_parts(1, n)).collect();
        assert!(deletion(Deletion { ids }).is_err());
    }
}
