//! Opening a session: what the page says and what it learns about the bot.

use crate::Id;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::strings::Strings;

/// Body of `POST /v1/sessions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The site key of the script tag.
    pub site: String,
    /// The visitor's preferred language (BCP 47).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub locale: Option<String>,
    /// A known visitor: a JWT signed by the site's own server (docs/identity.md).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub identity: Option<String>,
    /// The token of Cloudflare Turnstile, for bots that ask for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub challenge: Option<String>,
    /// The token of an earlier session, possibly expired: the same visitor comes back. That of a known visitor only
    /// works together with their `identity`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub resume: Option<String>,
    /// The page that the visitor reads.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub page: Option<Page>,
}

/// The page around the bubble.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Address without query and fragment.
    pub url: String,
    /// Document title.
    pub title: String,
}

/// Answer of `POST /v1/sessions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// For `Authorization: Bearer` on every later call, and for `resume` after it has expired.
    pub token: String,
    /// When the token stops working for calls, in Unix milliseconds.
    pub expires_at: u64,
    /// Who the edge thinks is writing.
    pub visitor: Visitor,
    /// The bot of the site.
    pub bot: Bot,
    /// The visitor's latest conversation, when there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversation: Option<ConversationRef>,
    /// What the visitor may do.
    pub limits: Limits,
}

/// The visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Visitor {
    /// Random; says nothing about the person.
    pub id: Id,
    /// Name of the visitor's tier.
    pub tier: String,
    /// What the site's server calls a known visitor.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
}

/// What the bubble shows of the bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bot {
    /// Shown in the header.
    pub name: String,
    /// One line under the name; may be empty.
    pub tagline: String,
    /// First message of an empty conversation.
    pub greeting: String,
    /// Colours and place.
    pub theme: Theme,
    /// Interface texts in `locale`.
    pub strings: Strings,
    /// The locale that was chosen for `strings` (BCP 47).
    pub locale: String,
    /// Questions offered on the empty screen.
    pub suggestions: Vec<String>,
    /// What the bot knows about.
    pub topics: Vec<String>,
}

/// Look of the bubble; inlined in the loader, so that the launcher needs no request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Theme {
    /// Brand colour as `#rrggbb`.
    #[cfg_attr(feature = "openapi", schema(pattern = "^#[0-9A-Fa-f]{6}$"))]
    #[serde(deserialize_with = "colour")]
    pub accent: String,
    /// Light, dark, or what the visitor's system says.
    pub scheme: Scheme,
    /// Corner of the window.
    pub position: Position,
}

fn colour<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text);
    }
    Err(de::Error::custom(format!(
        "`{text}` is no colour: write it as #rrggbb"
    )))
}

impl Default for Theme {
    fn default() -> Self {
        Self {
            accent: "#4f46e5".to_owned(),
            scheme: Scheme::Auto,
            position: Position::Right,
        }
    }
}

/// Colour scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Follow `prefers-color-scheme`.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// Corner of the window that the launcher sits in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Bottom right.
    #[default]
    Right,
    /// Bottom left.
    Left,
}

/// A conversation to continue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConversationRef {
    /// Its id.
    pub id: Id,
}

/// What the visitor may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Longest message in Unicode scalar values.
    pub message_chars: usize,
    /// Messages a minute.
    pub per_minute: u32,
    /// Messages a day (UTC); absent when they are not counted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub per_day: Option<u32>,
}
