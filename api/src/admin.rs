//! The owner's API, `/v1/admin/…`: the resources that an operator and owners manage over HTTP.
//!
//! Every answer that shows one thing carries an `ETag`; changes and deletions demand it as `If-Match`
//! ([RFC 9110, section 13.1.1](https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1)). Changes are JSON merge patches
//! ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)). Creations may carry an `Idempotency-Key`.

pub mod audit;
pub mod conversation;
pub mod gap;
pub mod golden;
pub mod prompt;
mod scope;
pub mod snippet;
pub mod source;

pub use scope::Scope;

use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

use crate::settings::{BotSettings, TenantSettings};

/// Whether a bot or a tenant serves visitors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = admin::Status))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Visitors are served.
    #[default]
    Active,
    /// Visitors read that the chat is closed. No data is lost.
    Paused,
}

/// Purpose of a site, shown in lists. It changes no behaviour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// The public site.
    #[default]
    Production,
    /// A staging copy of the site.
    Staging,
    /// A developer's own machine.
    Development,
}

/// An owner of bots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tenant {
    /// 1 to 40 of `a-z`, `0-9` and `-`, beginning with a letter or digit.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")
    )]
    pub id: String,
    /// Name of the tenant, for people.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 80,
            pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
        )
    )]
    pub name: String,
    /// Whether the tenant's bots serve visitors.
    pub status: Status,
    /// Settings.
    pub settings: TenantSettings,
    /// Unix milliseconds.
    pub created_at: u64,
    /// Unix milliseconds.
    pub updated_at: u64,
}

/// Body of `POST /v1/admin/tenants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// 1 to 40 of `a-z`, `0-9` and `-`, beginning with a letter or digit.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")
    )]
    pub id: String,
    /// Name of the tenant, for people.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 80,
            pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
        )
    )]
    pub name: String,
    /// Settings; the defaults where absent.
    #[serde(default)]
    pub settings: TenantSettings,
}

/// The fields of a tenant that a merge patch may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TenantChange {
    /// Name of the tenant, for people.
    #[cfg_attr(
        feature = "openapi",
        schema(
            required = false,
            max_length = 80,
            pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
        )
    )]
    pub name: String,
    /// Whether the tenant's bots serve visitors.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub status: Status,
    /// A merge patch of the settings; `null` makes them the defaults.
    #[cfg_attr(feature = "openapi", schema(required = false, nullable, value_type = Object))]
    #[serde(default)]
    pub settings: TenantSettings,
}

/// A bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = admin::Bot))]
pub struct Bot {
    /// 1 to 40 of `a-z`, `0-9` and `-`, beginning with a letter or digit; unique in its tenant.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")
    )]
    pub id: String,
    /// Whether the bot serves visitors.
    pub status: Status,
    /// Settings.
    pub settings: BotSettings,
    /// Unix milliseconds.
    pub created_at: u64,
    /// Unix milliseconds.
    pub updated_at: u64,
}

/// Body of `POST /v1/admin/tenants/{tenant}/bots`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewBot {
    /// 1 to 40 of `a-z`, `0-9` and `-`, beginning with a letter or digit.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")
    )]
    pub id: String,
    /// Settings; the defaults where absent, except the name, which is required.
    pub settings: BotSettings,
}

/// The fields of a bot that a merge patch may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BotChange {
    /// Whether the bot serves visitors.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub status: Status,
    /// A merge patch of the settings.
    #[cfg_attr(feature = "openapi", schema(required = false, value_type = Object))]
    pub settings: BotSettings,
}

/// A website that shows a bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Site {
    /// The public key in the script tag. Made by the edge.
    pub key: String,
    /// Id of the bot that the site shows.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")
    )]
    pub bot_id: String,
    /// Name of the site, for people. May be empty.
    #[cfg_attr(
        feature = "openapi",
        schema(max_length = 80, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")
    )]
    pub name: String,
    /// Origins that may show the bubble: `https://example.com`, `https://*.example.com` for every subdomain,
    /// `http://localhost:*` for any port of the developer's own machine.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 50))]
    pub origins: Vec<String>,
    /// Purpose of the site.
    pub environment: Environment,
    /// Whether the site serves visitors.
    pub status: Status,
    /// Unix milliseconds.
    pub created_at: u64,
    /// Unix milliseconds.
    pub updated_at: u64,
}

/// Body of `POST /v1/admin/tenants/{tenant}/sites`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// Id of the bot that the site shows.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")
    )]
    pub bot_id: String,
    /// Name of the site, for people. May be empty.
    #[serde(default)]
    #[cfg_attr(
        feature = "openapi",
        schema(max_length = 80, pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$")
    )]
    pub name: String,
    /// Origins that may show the bubble; see `origins` of a site.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 50))]
    pub origins: Vec<String>,
    /// Purpose of the site.
    #[serde(default)]
    pub environment: Environment,
}

/// The fields of a site that a merge patch may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SiteChange {
    /// Name of the site, for people.
    #[cfg_attr(
        feature = "openapi",
        schema(
            required = false,
            max_length = 80,
            pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"
        )
    )]
    pub name: String,
    /// Origins that may show the bubble, all of them; see `origins` of a site.
    #[cfg_attr(
        feature = "openapi",
        schema(required = false, min_items = 1, max_items = 50)
    )]
    pub origins: Vec<String>,
    /// Purpose of the site.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub environment: Environment,
    /// Whether the site serves visitors.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub status: Status,
    /// Id of the bot that the site shows.
    #[cfg_attr(
        feature = "openapi",
        schema(
            required = false,
            min_length = 1,
            max_length = 40,
            pattern = "^[a-z0-9][a-z0-9-]{0,39}$"
        )
    )]
    pub bot_id: String,
}

/// An API key, without its secret part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ApiKey {
    /// Id of the key.
    pub id: Id,
    /// First characters of the key: enough to recognise the key, too few to use it.
    pub prefix: String,
    /// Name of the key, for people.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 80,
            pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
        )
    )]
    pub name: String,
    /// What the key permits.
    pub scopes: Vec<Scope>,
    /// Unix milliseconds.
    pub created_at: u64,
    /// Unix milliseconds after which the key is refused; the key does not expire when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<u64>,
    /// Unix milliseconds at which the key was revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked_at: Option<u64>,
    /// Unix milliseconds of the key's last use, to the minute.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used_at: Option<u64>,
    /// Id of the person whose key it is: it permits no more than they may do, and goes with them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person_id: Option<Id>,
}

/// Body of `POST /v1/admin/tenants/{tenant}/keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// Name of the key, for people.
    #[cfg_attr(
        feature = "openapi",
        schema(
            max_length = 80,
            pattern = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$"
        )
    )]
    pub name: String,
    /// What the key permits: no scope that the creating key lacks. Each scope once.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 24))]
    pub scopes: Vec<Scope>,
    /// Unix milliseconds after which the key is refused; the key does not expire when absent.
    #[cfg_attr(feature = "openapi", schema(maximum = 8_640_000_000_000_000_u64))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<u64>,
    /// Whether the key belongs to the person who creates it: it never permits more than they may do, and goes with them.
    #[serde(default)]
    pub personal: bool,
}

/// A new API key: the only time that it is shown whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedApiKey {
    /// The key as it will be listed.
    #[serde(flatten)]
    pub listed: ApiKey,
    /// For `Authorization: Bearer`. Absent when an `Idempotency-Key` repeats the creation: then revoke this key and
    /// create another.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key: Option<String>,
}

/// A secret with which a site's server signs identities, without the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentitySecret {
    /// Id of the secret. Identities may name it as `kid`.
    pub id: Id,
    /// Unix milliseconds.
    pub created_at: u64,
}

/// Body of `POST /v1/admin/tenants/{tenant}/identity-secrets`, without fields. It may be omitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewIdentitySecret {}

/// A new identity secret: the only time that it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedIdentitySecret {
    /// The secret as it will be listed.
    #[serde(flatten)]
    pub listed: IdentitySecret,
    /// 64 hexadecimal digits, whose ASCII bytes are the HMAC key. Absent when an `Idempotency-Key` repeats the creation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<String>,
}

/// A page of a list, in the order of ids (of keys, for sites). Ids that the edge makes are in the order of creation, so
/// the oldest comes first; notices begin with the newest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// At most `limit` entries.
    pub items: Vec<T>,
    /// Value of `after` for the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}
