//! The owner of a conversation.

use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

/// Tenant, bot and visitor to whom a conversation belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The tenant.
    pub tenant_id: String,
    /// The bot.
    pub bot_id: String,
    /// When the bot was created, in Unix milliseconds: a bot created later under the same name does not own the
    /// conversations of the earlier one.
    #[serde(default)]
    pub bot_since: u64,
    /// The visitor.
    pub visitor_id: Id,
}
