//! Opening a session: the page's request, and the description of the bot in the answer.

use crate::Id;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Interface texts in `locale`.
    pub strings: Strings,
    /// Texts of `GET /v1/strings/{locale}` that the owner has replaced, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sheets: BTreeMap<String, String>,
    /// The locale that was chosen for `strings` (BCP 47).
    pub locale: String,
    /// Questions offered on the empty screen.
    pub suggestions: Vec<String>,
    /// What the bot knows about.
    pub topics: Vec<String>,
    /// Buttons of the first screen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortcuts: Vec<Shortcut>,
    /// What the bubble offers.
    #[serde(default)]
    pub features: Features,
    /// Absent when there is none, and when this visitor has filled it in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub form: Option<Form>,
    /// Absent when the bot has no business hours.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hours: Option<Hours>,
    /// What the owner says about the visitors' data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub privacy_url: Option<String>,
}

/// What the bubble offers beside the conversation. What is off is refused by the edge, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Features {
    /// Visitors may give files, whose text is read. Off by itself.
    pub attachments: bool,
    /// Visitors may speak instead of write; their browser does it. Off by itself.
    pub dictation: bool,
    /// Thumbs under answers. On by itself.
    pub feedback: bool,
    /// A sound with answers that nobody sees, until the visitor turns it off. Off by itself.
    pub sound: bool,
    /// The list of earlier conversations. On by itself.
    pub history: bool,
    /// Visitors may download what is stored of them. On by itself.
    pub export: bool,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            attachments: false,
            dictation: false,
            feedback: true,
            sound: false,
            history: true,
            export: true,
        }
    }
}

/// A button of the first screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shortcut {
    /// The words on it.
    pub label: String,
    /// What it does.
    pub kind: ShortcutKind,
    /// The question, or the address of the link; empty for a form.
    pub value: String,
}

/// What a shortcut does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShortcutKind {
    /// Asks a question.
    Ask,
    /// Opens a page.
    Page,
    /// Calls a telephone number.
    Call,
    /// Writes a mail.
    Mail,
    /// Opens the form.
    Form,
}

/// What a field asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Text of one line.
    #[default]
    Text,
    /// A mail address.
    Email,
    /// A telephone number.
    Tel,
    /// One of the options.
    Select,
    /// Text of several lines.
    Textarea,
    /// Yes (`true`) or no (`false`).
    Checkbox,
}

/// Whether people are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hours {
    /// Whether it is within business hours, when the session is opened.
    pub open: bool,
    /// What the visitor reads about it; may be empty while it is open.
    pub text: String,
    /// Seconds for which both hold: until the business opens or closes, and an hour at most. A client that shows them
    /// opens the session again then. Absent from edges of earlier releases.
    #[serde(default)]
    pub good_for_s: u32,
}

/// A form that the visitor has not filled in yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Form {
    /// Its title.
    pub title: String,
    /// What stands above the fields.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// The fields, from top to bottom.
    pub fields: Vec<AskedField>,
    /// What the visitor must agree to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub consent: Option<String>,
    /// The button.
    pub submit: String,
    /// Whether messages are refused (`form_required`) until it is filled in.
    #[serde(default)]
    pub required: bool,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AskedField {
    /// Its name in `PUT /v1/me`.
    pub name: String,
    /// What the visitor reads.
    pub label: String,
    /// What is asked for.
    pub kind: FieldKind,
    /// Whether it may not be left empty.
    pub required: bool,
    /// What a `select` offers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub options: Vec<String>,
}

/// Body of `PUT /v1/me`: a form, filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// What the visitor has written, by the names of the fields; at most 1,000 characters each. Checkboxes are "true" or
    /// "false".
    pub fields: BTreeMap<String, String>,
    /// Whether the visitor has agreed to what the form asks consent for.
    #[serde(default)]
    pub consent: bool,
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
