//! What the Worker asks of a conversation's object, and how it asks.

use bulle_edge_core::{guard::Question, ports::Owner};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::{Deserialize, Serialize};
use worker::{Method, Request, RequestInit, console_error};

use crate::{
    adapters::{Edge, port_error},
    http::{Answer, Refusal},
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
            | Self::Attach { owner, .. }
            | Self::Cancel { owner } => owner.clone(),
            Self::Ask { question } => question.owner(),
        }
    }
}

/// Sends a command to the object of a conversation.
pub async fn command(edge: &Edge, conversation: Id, command: Command) -> Answer {
    let unreachable = |error: worker::Error| {
        console_error!(
            "{}",
            serde_json::json!({ "error": port_error(error).to_string() })
        );
        Problem::new(
            Code::StorageUnavailable,
            "The conversation cannot be reached now. Try again in a few seconds.",
        )
        .retry_after(2)
    };
    let name = format!("{}/{conversation}", command.owner().tenant_id);
    let body = serde_json::to_string(&(conversation, command))
        .map_err(|_| Problem::new(Code::Internal, "The command could not be written."))?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.into()));
    let sent = async {
        let stub = edge
            .env()
            .durable_object("CONVERSATIONS")?
            .get_by_name(&name)?;
        let request = Request::new_with_init("https://conversation.local/", &init)?;
        stub.fetch_with_request(request).await
    };
    let mut response = sent.await.map_err(unreachable)?;
    if response.status_code() >= 400 {
        let problem: Problem = response.json().await.map_err(unreachable)?;
        return Err(Refusal(problem));
    }
    Ok(response.into())
}
