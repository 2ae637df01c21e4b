//! Gaps: questions of visitors that the documents did not answer, grouped by their words.

use bulle_edge_text::{
    fold::fold,
    language,
    words::{Word, words},
};
use std::collections::{HashMap, HashSet};

use bulle_api::admin::gap::{Gap, GapQuestion, GapStatus};
use bulle_protocol::Id;

use crate::{retrieval::query::Terms, search::rank::likeness};

/// Share of their words that two questions of one gap have in common at least.
const ALIKE: f64 = 0.55;

/// Words of a question that are compared.
const MAX_WORDS: usize = 24;

/// Questions of a gap that are shown.
const SHOWN: usize = 10;

/// How the owner has closed a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// A source answers it.
    Answered,
    /// The owner has dismissed it.
    Dismissed,
}

/// A question that the documents did not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// The question as owners see it.
    pub shown: GapQuestion,
    /// The id of the visitor.
    pub visitor_id: String,
    /// How the owner has closed the question.
    pub closed: Option<Closed>,
    /// The source that the owner made from the question.
    pub source: Option<String>,
}

/// Questions that belong together, oldest first; never empty.
#[derive(Clone, Debug)]
pub struct Group {
    members: Vec<Unanswered>,
}

/// Groups questions, in the order of their times. A question joins the group whose first question is most similar.
/// `locale` is the bot's: the language assumed for a question whose words do not show one.
pub fn group(mut questions: Vec<Unanswered>, locale: &str) -> Vec<Group> {
    questions.sort_by_key(|question| (question.shown.asked_at, question.shown.reply_id));
    let mut groups: Vec<(Vec<Word>, Group)> = Vec::new();
    for question in questions {
        let words = compared(&question.shown.text, locale);
        let nearest = groups
            .iter_mut()
            .map(|(first, group)| (alike(first, &words), group))
            .filter(|(alike, _)| *alike >= ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match nearest {
            Some((_, group)) => group.members.push(question),
            None => {
                let members = vec![question];
                groups.push((words, Group { members }));
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The words by which a question is compared: those that carry meaning; where there are none, all of them.
fn compared(question: &str, locale: &str) -> Vec<Word> {
    let terms = Terms::of(question, language::guess(question, locale));
    let mut compared: Vec<Word> = Vec::new();
    for word in match terms.is_empty() {
        true => words(question),
        false => terms.words().to_vec(),
    } {
        if compared.len() < MAX_WORDS && !compared.contains(&word) {
            compared.push(word);
        }
    }
    compared
}

/// Dice's coefficient, in which another form of a word counts for a part. Rare words weigh no more than others, because
/// what visitors often ask for is frequent.
fn alike(a: &[Word], b: &[Word]) -> f64 {
    let held = |words: &[Word], others: &[Word]| -> f64 {
        let best = |word: &Word| {
            let likeness = others.iter().map(|other| likeness(word, other, false));
            likeness.fold(0.0, f64::max)
        };
        words.iter().map(best).sum()
    };
    match a.len() + b.len() {
        0 => 1.0,
        all => (held(a, b) + held(b, a)) / all as f64,
    }
}

impl Group {
    /// Whether the reply is to a question of this group.
    pub fn holds(&self, reply_id: Id) -> bool {
        self.replies().any(|id| id == reply_id)
    }

    /// The replies to its questions.
    pub fn replies(&self) -> impl Iterator<Item = Id> {
        self.members.iter().map(|member| member.shown.reply_id)
    }

    /// The state of the group. A new question that is similar to a dismissed one is dismissed, too.
    pub fn status(&self) -> GapStatus {
        let closed = |how| self.members.iter().any(|member| member.closed == Some(how));
        if closed(Closed::Dismissed) {
            GapStatus::Dismissed
        } else if self.members.iter().any(|member| member.closed.is_none()) {
            GapStatus::Open
        } else {
            GapStatus::Answered
        }
    }

    /// The wording that was used most; the shortest of several.
    pub fn question(&self) -> &str {
        let mut uses: HashMap<String, usize> = HashMap::new();
        for member in &self.members {
            *uses.entry(fold(&member.shown.text)).or_default() += 1;
        }
        let rank = |member: &&Unanswered| {
            let text = member.shown.text.as_str();
            let uses = uses.get(&fold(text)).copied().unwrap_or_default();
            (std::cmp::Reverse(uses), text.chars().count())
        };
        let best = self.members.iter().min_by_key(rank);
        best.map_or("", |member| member.shown.text.as_str())
    }

    /// The group as owners see it.
    pub fn shown(&self) -> Gap {
        let status = self.status();
        let counted: Vec<&Unanswered> = self
            .members
            .iter()
            .filter(|member| status != GapStatus::Open || member.closed.is_none())
            .collect();
        let visitors: HashSet<&str> = counted.iter().map(|m| m.visitor_id.as_str()).collect();
        let count = |what: &dyn Fn(&GapQuestion) -> bool| {
            let those = counted.iter().filter(|member| what(&member.shown));
            u32::try_from(those.count()).unwrap_or(u32::MAX)
        };
        let mut asked = counted.iter().map(|member| member.shown.asked_at);
        let first_at = asked.next().unwrap_or_default();
        Gap {
            id: self
                .replies()
                .next()
                .unwrap_or_else(|| Id::from_parts(0, 0)),
            question: self.question().to_owned(),
            status,
            count: count(&|_| true),
            visitors: u32::try_from(visitors.len()).unwrap_or(u32::MAX),
            nothing_found: count(&|question| question.nothing_found),
            thumbs_down: count(&|question| question.thumbs_down),
            first_at,
            last_at: asked.next_back().unwrap_or(first_at),
            source: self
                .members
                .iter()
                .rev()
                .find_map(|member| member.source.clone()),
            questions: counted
                .iter()
                .rev()
                .take(SHOWN)
                .map(|member| member.shown.clone())
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(n: u64, text: &str) -> Unanswered {
        Unanswered {
            shown: GapQuestion {
                reply_id: Id::from_parts(n, 0),
                conversation_id: Id::from_parts(n, 1),
                text: text.to_owned(),
                asked_at: n,
                nothing_found: true,
                thumbs_down: false,
                comment: None,
            },
            visitor_id: format!("v{}", n % 2),
            closed: None,
            source: None,
        }
    }

    fn texts(groups: &[Group]) -> Vec<Vec<&str>> {
        groups
            .iter()
            .map(|group| {
                group
                    .members
                    .iter()
                    .map(|m| m.shown.text.as_str())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn questions_of_one_meaning_are_one_gap_in_any_language() {
        let list = [
            "Livrez-vous en Suisse ?",
            "Quel est votre numéro de téléphone ?",
            "est-ce que vous livrez en suisse",
            "Do you deliver to Norway?",
            "vous livrez la suisse ?",
            "can you deliver to norway please",
            "你们可以开发票吗？",
            "téléphone ?",
            "可以开发票吗",
            "スイスに配送できますか",
        ];
        let questions = list.iter().zip(1..).map(|(text, n)| asked(n, text));
        let groups = group(questions.collect(), "fr");
        assert_eq!(
            texts(&groups),
            [
                vec![
                    "Livrez-vous en Suisse ?",
                    "est-ce que vous livrez en suisse",
                    "vous livrez la suisse ?"
                ],
                vec!["Quel est votre numéro de téléphone ?", "téléphone ?"],
                vec![
                    "Do you deliver to Norway?",
                    "can you deliver to norway please"
                ],
                vec!["你们可以开发票吗？", "可以开发票吗"],
                vec!["スイスに配送できますか"],
            ]
        );
    }

    #[test]
    fn a_gap_shows_the_usual_wording_and_who_asked() {
        let list = [
            "Is there parking nearby?",
            "parking?",
            "Parking ?",
            "PARKING?",
        ];
        let groups = group(
            list.iter()
                .zip(1..)
                .map(|(text, n)| asked(n, text))
                .collect(),
            "en",
        );
        let gap = groups[0].shown();
        assert_eq!((groups.len(), gap.count, gap.visitors), (1, 4, 2));
        assert_eq!(fold(&gap.question), fold("parking?"));
        assert_eq!((gap.first_at, gap.last_at), (1, 4));
        assert_eq!(gap.questions.first().map(|q| q.asked_at), Some(4));
    }

    #[test]
    fn what_was_answered_opens_again_and_what_was_dismissed_does_not() {
        let close = |how| {
            let mut first = asked(1, "Is there parking?");
            first.closed = Some(how);
            first.source = Some("s".to_owned());
            group(vec![first, asked(2, "parking?")], "en")
                .remove(0)
                .shown()
        };
        let open = close(Closed::Answered);
        assert_eq!((open.status, open.count), (GapStatus::Open, 1));
        assert_eq!((open.first_at, open.source.as_deref()), (2, Some("s")));
        let dismissed = close(Closed::Dismissed);
        assert_eq!(
            (dismissed.status, dismissed.count),
            (GapStatus::Dismissed, 2)
        );
    }

    #[test]
    fn questions_without_a_word_of_their_own_are_compared_by_all_of_them() {
        let groups = group(
            vec![asked(1, "And you?"), asked(2, "and you"), asked(3, "???")],
            "en",
        );
        assert_eq!(groups.len(), 2);
        assert!(groups[0].holds(Id::from_parts(2, 0)) && !groups[0].holds(Id::from_parts(3, 0)));
        assert!(group(Vec::new(), "en").is_empty());
    }
}
