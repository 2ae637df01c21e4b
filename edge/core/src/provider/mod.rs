//! Where answers come from. A provider is sans-IO: it makes the bytes of a request and reads the bytes of the
//! response, cut anywhere, into [`Delta`]s. [`crate::turn`] moves the bytes.

pub mod extractive;
pub mod openai;
pub mod prices;

use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
};

use crate::settings::{BotSettings, ProviderChoice};

/// A step of a model's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// More text.
    Text(String),
    /// The model's own name for itself.
    Model(String),
    /// Tokens so far.
    Usage(Usage),
    /// The model says that it has ended.
    Finish(Finish),
}

/// Why a model did not answer, or not to the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {detail}")]
pub struct Failure {
    /// One of the `upstream_*` codes.
    pub code: Code,
    /// For the log: may quote the vendor, never shown to visitors.
    pub detail: String,
    /// Seconds, when the vendor says so.
    pub retry_after: Option<u32>,
}

impl Failure {
    /// A failure without a hint when to retry.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after: None,
        }
    }
}

/// How long to wait for a model, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the request to the first text.
    pub first_token: u64,
    /// Between two pieces of the body.
    pub between_tokens: u64,
    /// For the whole answer.
    pub total: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            first_token: 30_000,
            between_tokens: 20_000,
            total: 180_000,
        }
    }
}

/// The models of the deployment.
#[derive(Clone, Default)]
pub struct Deployment {
    /// An OpenAI-compatible server, when one is configured.
    pub openai: Option<openai::Server>,
    /// Patience.
    pub timeouts: Timeouts,
}

/// The provider that answers a bot's questions.
pub enum Provider<'a> {
    /// Sentences of the owner's documents.
    Extractive,
    /// An OpenAI-compatible server.
    OpenAi(openai::Model<'a>),
}

impl Deployment {
    /// The provider for a bot.
    pub fn provider<'a>(&'a self, bot: &'a BotSettings) -> Provider<'a> {
        match (&self.openai, bot.model.provider) {
            (Some(server), ProviderChoice::Default) => Provider::OpenAi(openai::Model {
                server,
                name: bot.model.name.as_deref().unwrap_or(&server.model),
            }),
            _ => Provider::Extractive,
        }
    }
}
