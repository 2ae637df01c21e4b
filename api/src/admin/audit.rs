//! The audit: who did what.

use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

/// Something that was changed, or read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its id.
    pub id: Id,
    /// Unix milliseconds.
    pub at: u64,
    /// The operation, by its `operationId` in this document.
    pub action: String,
    /// What it was done to: the address below the tenant, such as `bots/guide`.
    pub object: String,
    /// More of it: the ids of several objects, or the person's role from now on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// Id of the person who did it, or whose key did. Absent with `key_id` when it was the operator's key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person_id: Option<String>,
    /// The person's address, while they have an account.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
    /// Id of the API key that did it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_id: Option<String>,
    /// The key's name, while the key is stored.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_name: Option<String>,
}
