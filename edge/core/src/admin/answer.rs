//! An answer as owners see it: all stored data except its words.

use bulle_protocol::{
    Id,
    conversation::Status,
    event::{Finish, Usage},
};
use serde::{Deserialize, Serialize};

use crate::record::{Evidence, ModelCall};

/// The record of an answer, without its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Answer {
    /// Id of the answer: the `reply_id` of events.
    pub id: Id,
    /// Id of the visitor's message.
    pub question_id: Id,
    /// Id of the conversation.
    pub conversation_id: Id,
    /// Id of the bot.
    pub bot_id: String,
    /// State of the stored answer.
    pub status: Status,
    /// How the model ended the answer; absent when the answer failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish: Option<Finish>,
    /// Why the answer failed: the `code` of a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Provider of the model that wrote the answer.
    pub provider: String,
    /// Name of the model that wrote the answer.
    pub model: String,
    /// Tokens of all models that were asked for the answer.
    pub usage: Usage,
    /// Confidence, durations, and the references from which the prompt is rebuilt, without the texts that were added to
    /// the prompt.
    pub evidence: Evidence,
    /// Steps of the chain for the answer, in order: each model that was asked or passed over.
    pub calls: Vec<ModelCall>,
    /// Steps for failed answers to the same message that this answer has replaced.
    pub earlier_calls: Vec<ModelCall>,
    /// Unix milliseconds.
    pub created_at: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_what_the_database_writes() {
        // The format is that of repositories/usage.rs of the Worker: null members of an answer are absent, those of a
        // call are null.
        let shown = json!({
            "id": "00000000010000000000000003", "question_id": "00000000010000000000000002",
            "conversation_id": "00000000010000000000000001", "bot_id": "guide", "status": "failed",
            "error": "upstream_timeout", "provider": "openai", "model": "m",
            "usage": {"input_tokens": 1, "output_tokens": 2, "estimated": true},
            "evidence": {"total_ms": 0}, "created_at": 5, "earlier_calls": [],
            "calls": [{
                "purpose": "answer", "provider": "openai", "model": "m", "outcome": "timed_out", "status": null,
                "usage": {"input_tokens": 1, "output_tokens": 2, "estimated": true}, "microusd": null,
                "first_token_ms": null, "total_ms": 900, "at": 4,
            }],
        });
        let answer: Answer = serde_json::from_value(shown.clone()).unwrap();
        assert_eq!(serde_json::to_value(answer).unwrap(), shown);
    }
}
