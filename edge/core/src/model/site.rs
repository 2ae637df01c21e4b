//! A site with its bot and tenant, as the edge needs it for every message.

use bulle_api::{
    admin::Environment,
    settings::{BotSettings, TenantSettings},
};
use serde::{Deserialize, Serialize};

/// The join of site, bot and tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Public key in the script tag.
    pub key: String,
    /// Owner of everything below.
    pub tenant_id: String,
    /// The bot that the site shows.
    pub bot_id: String,
    /// When the bot was created, in Unix milliseconds.
    pub bot_since: u64,
    /// The version of the bot's settings: grows with every change.
    pub bot_version: u32,
    /// The version of the bot's documents: grows with every change.
    pub knowledge: u32,
    /// Origins that may show the bubble; see [`crate::guard::origin`] for the patterns.
    pub origins: Vec<String>,
    /// The site's purpose: production, development and so on.
    pub environment: Environment,
    /// False while the owner has paused the site, its bot or its tenant.
    pub active: bool,
    /// The bot's settings.
    pub bot: BotSettings,
    /// The tenant's settings.
    pub tenant: TenantSettings,
    /// Ids of the secrets that may sign identities; see [`crate::guard::identity`].
    pub identity_secrets: Vec<String>,
}
