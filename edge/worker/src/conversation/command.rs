//! The commands that the Worker sends to the object of a conversation.

use bulle_edge_core::{
    guard::{Question, sent_question},
    model::Owner,
};
use bulle_protocol::{
    Id,
    conversation::Message,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize};
use worker::Response;

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
    /// Gives the messages that the archive may lack: those of the running turn, and of turns that it has refused.
    Unrecorded {
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
            | Self::Unrecorded { owner }
            | Self::Erase { owner }
            | Self::Attach { owner, .. }
            | Self::Cancel { owner } => owner.clone(),
            Self::Ask { question } => question.owner(),
        }
    }
}

/// The messages of a conversation that the archive may lack, oldest first.
///
/// # Errors
/// `not_found`, `storage_unavailable`, `internal`.
pub async fn unrecorded(
    edge: &Edge,
    conversation: Id,
    owner: Owner,
) -> Result<Vec<Message>, Refusal> {
    let command = ConversationCommand::Unrecorded { owner };
    let mut response = ask(edge, conversation, command).await?;
    let messages = response.json().await;
    messages.map_err(|error| unreachable(error).into())
}

/// Sends a command to the object of a conversation.
pub async fn command(edge: &Edge, conversation: Id, command: ConversationCommand) -> Answer {
    Ok(passed_on(ask(edge, conversation, command).await?))
}

async fn ask(
    edge: &Edge,
    conversation: Id,
    command: ConversationCommand,
) -> Result<Response, Refusal> {
    let name = format!("{}/{conversation}", command.owner().tenant_id);
    let what = (conversation, command);
    let answered = edge.ask("CONVERSATIONS", &name, &what).await;
    answered.map_err(|error| match error {
        ObjectError::Problem(problem) => Refusal(*problem),
        ObjectError::Unreachable(error) => unreachable(error).into(),
    })
}

fn unreachable(error: worker::Error) -> Problem {
    log::error("error", &port_error(error));
    let detail = "The conversation cannot be reached now. Try again in a few seconds.";
    Problem::new(Code::StorageUnavailable, detail).retry_after(2)
}
