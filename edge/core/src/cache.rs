//! The cache of answers: a first question that was asked before, of the same bot with the same settings and documents, gets
//! the answer that a model wrote then. Off unless the owner sets `answers.cache_seconds`.
//!
//! No answer is deleted before it expires: versions are part of the key, so a change of the settings or of the
//! documents makes every earlier answer unreachable as soon as the new version is read.

use bulle_edge_text::identity;
use bulle_protocol::event::Source;
use serde::{Deserialize, Serialize};

use crate::{digest::sha256_hex, guard::Question, ports::Kv, provider::Link};

/// The name of the provider in the recorded calls.
pub const NAME: &str = "cache";

/// Version of the rule that makes two questions equal, part of each key: answers stored under another rule are not
/// found. Under rule 1, questions that differed in accents or vowel signs were equal; up to rule 2, answers could contain a
/// model's thinking.
const VERSION: u32 = 3;

/// A cached answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachedAnswer {
    /// Markdown, with `[n]` for passage `n`.
    pub text: String,
    /// How many passages the answer could cite.
    pub passages: usize,
    /// The sources that the answer cites.
    pub sources: Vec<Source>,
    /// The suggested questions.
    pub suggestions: Vec<String>,
    /// Provider that wrote it.
    pub provider: String,
    /// Model that wrote it.
    pub model: String,
    /// Its confidence, 0 to 1.
    pub confidence: Option<f32>,
    /// Whether the documents did not answer the question.
    #[serde(default)]
    pub unanswered: bool,
    /// The topic of the question.
    pub topic: Option<String>,
}

/// The place of a question's answer in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    key: String,
    seconds: u64,
}

impl Slot {
    /// The slot of a conversation's first question; `None` when the bot caches no answers. `links` are the models that
    /// would be asked.
    pub fn of(question: &Question, links: &[Link<'_>]) -> Option<Self> {
        let site = question.site();
        let seconds = site.bot.answers.cache_seconds?;
        let models: Vec<String> = links
            .iter()
            .map(|link| match link {
                Link::Model(model) => format!("{}/{}", model.server.provider.name, model.name),
                Link::Unconfigured(provider) => provider.name.to_owned(),
            })
            .collect();
        let what = serde_json::json!([
            VERSION,
            site.tenant_id,
            site.bot_id,
            site.bot_since,
            site.bot_version,
            site.knowledge,
            models,
            question.locale(),
            identity(question.text()),
        ]);
        Some(Self {
            key: format!("answer/{}", sha256_hex([what.to_string().as_bytes()])),
            seconds: seconds.into(),
        })
    }

    /// The cached answer; `None` also when KV fails.
    pub async fn look<P: Kv>(&self, ports: &P) -> Option<CachedAnswer> {
        let stored = ports.get(&self.key).await.ok().flatten()?;
        serde_json::from_str(&stored).ok()
    }

    /// Stores an answer. A failure is ignored: the model is asked again next time.
    pub async fn keep<P: Kv>(&self, ports: &P, answer: &CachedAnswer) {
        if let Ok(json) = serde_json::to_string(answer) {
            ports.put_later(self.key.clone(), Some(json), self.seconds);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{question_to, site};

    fn slot(change: impl FnOnce(&mut crate::model::Site), text: &str) -> Option<Slot> {
        let mut site = site();
        site.bot.answers.cache_seconds = Some(600);
        change(&mut site);
        Slot::of(&question_to(site, text), &[])
    }

    #[test]
    fn the_same_question_is_the_same_however_it_is_typed() {
        let one = slot(|_| {}, "Où es-tu né ?").unwrap();
        for same in ["où es-tu  né?", "OÙ ES-TU NÉ", "Où es-tu né ?!"] {
            assert_eq!(slot(|_| {}, same).unwrap(), one, "{same}");
        }
        assert_ne!(slot(|_| {}, "Où es-tu née ?").unwrap(), one);
    }

    #[test]
    fn questions_that_differ_in_a_sign_have_answers_of_their_own() {
        for (one, other) in [
            ("मोटर की कीमत क्या है?", "मीटर की कीमत क्या है?"),
            ("ดีไหม", "ดูไหม"),
            ("Wo kann ich drucken?", "Wo kann ich drücken?"),
            ("Comment enlever une tâche ?", "Comment enlever une tache ?"),
            ("Le péché, c'est quoi ?", "Le pêche, c'est quoi ?"),
            ("Tìm bàn ở đâu?", "Tìm bán ở đâu?"),
        ] {
            assert_ne!(slot(|_| {}, one), slot(|_| {}, other), "{one}");
        }
    }

    #[test]
    fn any_change_is_another_slot_and_without_the_setting_there_is_none() {
        let one = slot(|_| {}, "Bonjour").unwrap();
        for other in [
            slot(|site| site.bot_version += 1, "Bonjour"),
            slot(|site| site.knowledge += 1, "Bonjour"),
            slot(|site| site.bot_since += 1, "Bonjour"),
        ] {
            assert_ne!(other.unwrap(), one);
        }
        assert_eq!(
            slot(|site| site.bot.answers.cache_seconds = None, "Bonjour"),
            None
        );
    }
}
