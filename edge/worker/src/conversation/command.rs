//! The commands that the Worker sends to the object of a conversation.

use bulle_edge_core::{
    guard::{Question, sent_question},
    model::Owner,
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize};

use crate::{
    adapters::{Edge, object::ObjectError, port_error},
    http::{Answer, Refusal, passed_on},
    log,
};

/// A command to the object.
#[derive(Serialize, Deserialize)]
pub enum ConversationCommand {
    /// Gives a new conversation to its owner.
    Open {
        /// The owner.
        owner: Owner,
    },
    /// Checks that the conversation is the caller's.
    Check {
        /// The caller.
        owner: Owner,
    },
    /// Answers a message, or attaches to its turn.
    Ask {
        /// The message that the guard has admitted.
        #[serde(deserialize_with = "sent_question")]
        question: Box<Question>,
    },
    /// Attaches to the running or last turn.
    Attach {
        /// The caller.
        owner: Owner,
        /// The number of the last event that arrived.
        after: Option<String>,
    },
    /// Stops the running turn and deletes everything.
    Erase {
        /// The caller.
        owner: Owner,
    },
    /// Stops the running turn.
    Cancel {
        /// The caller.
        owner: Owner,
    },
}

impl ConversationCommand {
    pub(super) fn owner(&self) -> Owner {
        match self {
            Self::Open { owner }
            | Self::Check { owner }
            | Self::Erase { owner }
            | Self::Attach { owner, .. }
            | Self::Cancel { owner } => owner.clone(),
            Self::Ask { question } => question.owner(),
        }
    }
}

/// Sends a command to the object of a conversation.
pub async fn command(edge: &Edge, conversation: Id, command: ConversationCommand) -> Answer {
    let name = format!("{}/{conversation}", command.owner().tenant_id);
    let what = (conversation, command);
    match edge.ask("CONVERSATIONS", &name, &what).await {
        Ok(response) => Ok(passed_on(response)),
        Err(ObjectError::Problem(problem)) => Err(Refusal(*problem)),
        Err(ObjectError::Unreachable(error)) => {
            log::error("error", &port_error(error));
            let detail = "The conversation cannot be reached now. Try again in a few seconds.";
            Err(Problem::new(Code::StorageUnavailable, detail)
                .retry_after(2)
                .into())
        }
    }
}
