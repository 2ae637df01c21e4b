//! The settings of a tenant, for all its bots together.

use serde::{Deserialize, Serialize};

use super::{Budget, MAX_TEXT, at, limits::is_mail};

/// Settings of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TenantSettings {
    /// What all bots together may spend on language models.
    pub budget: Budget,
    /// Addresses for notices, such as a budget that is used up or a model that does not answer.
    pub notices: NoticeSettings,
}

/// Addresses to which notices are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct NoticeSettings {
    /// Address to which notices are posted as signed JSON; see docs/notices.md.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<String>,
    /// A mail address. The deployment needs a service that sends mail, EMAIL_URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl TenantSettings {
    /// Checks the values.
    ///
    /// # Errors
    /// A sentence that names the first invalid value, as `settings.notices.…: …`.
    pub fn validate(&self) -> Result<(), String> {
        // Which addresses are reached is decided where requests are sent: `edge/core/src/outbound.rs`.
        let is_address = |url: &str| {
            ["https://", "http://"]
                .iter()
                .any(|scheme| url.starts_with(scheme))
                && url.len() <= MAX_TEXT
                && !url.chars().any(|c| c.is_whitespace() || c.is_control())
        };
        if self
            .notices
            .webhook
            .as_deref()
            .is_some_and(|url| !is_address(url))
        {
            return at("notices.webhook", "give an https:// address.");
        }
        if self
            .notices
            .email
            .as_deref()
            .is_some_and(|mail| !is_mail(mail))
        {
            return at("notices.email", "give one mail address.");
        }
        Ok(())
    }
}
