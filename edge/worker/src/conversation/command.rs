//! What the Worker asks of a conversation's object, and how it asks.

use bulle_edge_core::{guard::Question, model::Owner};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize};
use worker::console_error;

use crate::{
    adapters::{Edge, object::Refused, port_error},
    http::{Answer, Refusal, passed_on},
};

/// What the Worker asks of the object.
#[derive(Serialize, Deserialize)]
pub enum Command {
    /// Gives a conversation that nobody owns to its owner.
    Open {
        /// Who it belongs to.
        owner: Owner,
    },
    /// Says whether the conversation is the caller's.
    Check {
        /// Who asks.
        owner: Owner,
    },
    /// Answers a message, or attaches to its turn.
    Ask {
        /// What the guard let through.
        question: Box<Question>,
    },
    /// Attaches to the running or last turn.
    Attach {
        /// Who asks.
        owner: Owner,
        /// The last event that arrived.
        after: Option<String>,
    },
    /// Stops the running turn and forgets everything.
    Erase {
        /// Who asks.
        owner: Owner,
    },
    /// Stops the running turn.
    Cancel {
        /// Who asks.
        owner: Owner,
    },
}

impl Command {
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
pub async fn command(edge: &Edge, conversation: Id, command: Command) -> Answer {
    let name = format!("{}/{conversation}", command.owner().tenant_id);
    let what = (conversation, command);
    match edge.ask("CONVERSATIONS", &name, &what).await {
        Ok(response) => Ok(passed_on(response)),
        Err(Refused::Problem(problem)) => Err(Refusal(*problem)),
        Err(Refused::Unreachable(error)) => {
            console_error!(
                "{}",
                serde_json::json!({ "error": port_error(error).to_string() })
            );
            let detail = "The conversation cannot be reached now. Try again in a few seconds.";
            Err(Problem::new(Code::StorageUnavailable, detail)
                .retry_after(2)
                .into())
        }
    }
}
