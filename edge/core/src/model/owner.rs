//! Whose data it is.

use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

/// Who a conversation belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The tenant.
    pub tenant_id: String,
    /// The bot.
    pub bot_id: String,
    /// When the bot was made, in Unix milliseconds: one that is made anew under an old name owns nothing of the old one's.
    #[serde(default)]
    pub bot_since: u64,
    /// The visitor.
    pub visitor_id: Id,
}
