//! Permissions of API keys and people.

use serde::{Deserialize, Serialize};

/// A permission of an API key. It covers the key's own tenant only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scope {
    /// Read the tenant.
    #[serde(rename = "tenant:read")]
    TenantRead,
    /// Change the tenant's settings and pause it.
    #[serde(rename = "tenant:write")]
    TenantWrite,
    /// Read bots.
    #[serde(rename = "bots:read")]
    BotsRead,
    /// Create, change, pause and delete bots.
    #[serde(rename = "bots:write")]
    BotsWrite,
    /// Read sites.
    #[serde(rename = "sites:read")]
    SitesRead,
    /// Create, change, pause and delete sites.
    #[serde(rename = "sites:write")]
    SitesWrite,
    /// Read API keys (never the secret parts).
    #[serde(rename = "keys:read")]
    KeysRead,
    /// Create and revoke API keys, with no more scopes than the key that does it.
    #[serde(rename = "keys:write")]
    KeysWrite,
    /// Read which identity secrets there are (never the secrets).
    #[serde(rename = "identity:read")]
    IdentityRead,
    /// Create and revoke identity secrets.
    #[serde(rename = "identity:write")]
    IdentityWrite,
    /// Read visitors' conversations, and the prompts of answers.
    #[serde(rename = "conversations:read")]
    ConversationsRead,
    /// Label and annotate conversations.
    #[serde(rename = "conversations:write")]
    ConversationsWrite,
    /// Delete conversations.
    #[serde(rename = "conversations:delete")]
    ConversationsDelete,
    /// Read who the tenant's people are, and who is invited.
    #[serde(rename = "people:read")]
    PeopleRead,
    /// Invite, change and remove people.
    #[serde(rename = "people:write")]
    PeopleWrite,
    /// Read the notices to the owner.
    #[serde(rename = "notices:read")]
    NoticesRead,
    /// Send a test notice, and read the secret that webhooks are signed with.
    #[serde(rename = "notices:write")]
    NoticesWrite,
    /// Read the calls of models and their cost (never the words of a conversation).
    #[serde(rename = "usage:read")]
    UsageRead,
    /// Have bots answer over `POST /v1/chat/completions`, and list them as models.
    #[serde(rename = "chat:write")]
    ChatWrite,
    /// Read the sources of bots, and their extracted text.
    #[serde(rename = "knowledge:read")]
    KnowledgeRead,
    /// Add, change, refresh and delete sources of bots.
    #[serde(rename = "knowledge:write")]
    KnowledgeWrite,
    /// Read who did what.
    #[serde(rename = "audit:read")]
    AuditRead,
    /// Take the tenant's data out as files. No role has it: of people it is a right of its own.
    #[serde(rename = "data:export")]
    DataExport,
    /// Write code that the edge runs. No role has it: of people it is a right of its own.
    #[serde(rename = "code:write")]
    CodeWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 24] = [
        Self::TenantRead,
        Self::TenantWrite,
        Self::BotsRead,
        Self::BotsWrite,
        Self::SitesRead,
        Self::SitesWrite,
        Self::KeysRead,
        Self::KeysWrite,
        Self::IdentityRead,
        Self::IdentityWrite,
        Self::ConversationsRead,
        Self::ConversationsWrite,
        Self::ConversationsDelete,
        Self::PeopleRead,
        Self::PeopleWrite,
        Self::NoticesRead,
        Self::NoticesWrite,
        Self::UsageRead,
        Self::ChatWrite,
        Self::KnowledgeRead,
        Self::KnowledgeWrite,
        Self::AuditRead,
        Self::DataExport,
        Self::CodeWrite,
    ];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TenantRead => "tenant:read",
            Self::TenantWrite => "tenant:write",
            Self::BotsRead => "bots:read",
            Self::BotsWrite => "bots:write",
            Self::SitesRead => "sites:read",
            Self::SitesWrite => "sites:write",
            Self::KeysRead => "keys:read",
            Self::KeysWrite => "keys:write",
            Self::IdentityRead => "identity:read",
            Self::IdentityWrite => "identity:write",
            Self::ConversationsRead => "conversations:read",
            Self::ConversationsWrite => "conversations:write",
            Self::ConversationsDelete => "conversations:delete",
            Self::PeopleRead => "people:read",
            Self::PeopleWrite => "people:write",
            Self::NoticesRead => "notices:read",
            Self::NoticesWrite => "notices:write",
            Self::UsageRead => "usage:read",
            Self::ChatWrite => "chat:write",
            Self::KnowledgeRead => "knowledge:read",
            Self::KnowledgeWrite => "knowledge:write",
            Self::AuditRead => "audit:read",
            Self::DataExport => "data:export",
            Self::CodeWrite => "code:write",
        }
    }
}
