//! The Durable Objects of ingestion, one for each bot.

use bulle_edge_core::ports::PortError;
use serde::{Deserialize, Serialize};

use super::{Edge, object::ObjectError};
use crate::{log, repositories::library::BotKey};

/// The binding, as wrangler.toml names it.
const BINDING: &str = "LIBRARIANS";

/// Milliseconds after which an announced change is ingested even if the request that makes it has died.
pub const ANNOUNCED_MS: u64 = 60_000;

/// The request to the object. The names in its JSON are fixed: during a deployment, object and Worker may be of
/// different releases.
#[derive(Serialize, Deserialize)]
pub struct IngestRequest {
    /// The bot.
    #[serde(rename = "shelf")]
    pub bot: BotKey,
    /// The origin of the edge; empty when it is not known where the request is made.
    pub origin: String,
    /// The source whose traces are to be cleaned up; empty for the bot itself.
    #[serde(rename = "about")]
    pub source_id: String,
    /// Milliseconds until the object starts.
    pub in_ms: u64,
}

impl Edge {
    /// Has the bot's sources ingested in `in_ms` milliseconds, after the cleanup of `source_id`, a source that is
    /// created or deleted now. When `source_id` is empty, the bot itself is cleaned up.
    ///
    /// # Errors
    /// The object cannot be reached.
    pub async fn request_ingest(
        &self,
        bot: &BotKey,
        origin: &str,
        source_id: &str,
        in_ms: u64,
    ) -> Result<(), PortError> {
        let name = format!("{}/{}", bot.tenant_id, bot.bot_id);
        let request = IngestRequest {
            bot: bot.clone(),
            origin: origin.to_owned(),
            source_id: source_id.to_owned(),
            in_ms,
        };
        match self.ask(BINDING, &name, &request).await {
            Ok(_) => Ok(()),
            Err(ObjectError::Unreachable(error)) => Err(PortError(error.to_string())),
            Err(ObjectError::Problem(problem)) => Err(PortError(problem.detail.clone())),
        }
    }

    /// Has stored what ranking needs of the bot's chunks that lack it; nobody waits for it.
    pub fn store_words_later(&self, tenant_id: &str, bot_id: &str) {
        let edge = self.clone();
        let bot = BotKey {
            tenant_id: tenant_id.to_owned(),
            bot_id: bot_id.to_owned(),
        };
        self.later(async move {
            if let Err(error) = edge.request_ingest(&bot, "", "", 0).await {
                log::error("librarian", &error);
            }
        });
    }
}
