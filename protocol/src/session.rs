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
    /// The token of an earlier session, possibly expired: the session is opened for the same visitor. The token of a
    /// known visitor only works together with their `identity`.
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
    /// The visitor of the session.
    pub visitor: Visitor,
    /// The bot of the site.
    pub bot: Bot,
    /// The visitor's latest conversation, when there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversation: Option<ConversationRef>,
    /// Limits of the visitor.
    pub limits: Limits,
}

/// The visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Visitor {
    /// Random id of the visitor.
    pub id: Id,
    /// Name of the visitor's tier.
    pub tier: String,
    /// Name of a known visitor, from the site's server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
}

/// The bot as the bubble shows it.
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
    /// Subjects of the bot's knowledge.
    pub topics: Vec<String>,
    /// Buttons of the first screen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortcuts: Vec<Shortcut>,
    /// Features of the bubble.
    #[serde(default)]
    pub features: Features,
    /// The form; absent when the bot has none, and when this visitor has filled it in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub form: Option<Form>,
    /// Absent when the bot has no business hours.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hours: Option<Hours>,
    /// Address of the owner's privacy notice.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub privacy_url: Option<String>,
}

/// Features of the bubble besides the conversation. The edge refuses requests for features that are off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Features {
    /// Visitors may attach files, whose text is read. Off by default.
    pub attachments: bool,
    /// Visitors may dictate, with the speech recognition of their browser. Off by default.
    pub dictation: bool,
    /// Thumbs under answers. On by default.
    pub feedback: bool,
    /// A sound for answers that arrive out of sight, until the visitor turns it off. Off by default.
    pub sound: bool,
    /// The list of earlier conversations. On by default.
    pub history: bool,
    /// Visitors may download their stored data. On by default.
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

/// Type of a field's answer.
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

/// State of the business hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hours {
    /// Whether the business is open when the session is opened.
    pub open: bool,
    /// Text about the business hours for the visitor; may be empty while `open` is true.
    pub text: String,
    /// Seconds for which `open` and `text` are valid: until the business opens or closes, and an hour at most. A client
    /// that shows them opens the session again then. Absent from edges of earlier releases.
    #[serde(default)]
    pub good_for_s: u32,
}

/// A form that the visitor has not filled in yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Form {
    /// Title of the form.
    pub title: String,
    /// Text above the fields.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// The fields, from top to bottom.
    pub fields: Vec<AskedField>,
    /// Text that the visitor must agree to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub consent: Option<String>,
    /// Label of the button.
    pub submit: String,
    /// Whether messages are refused (`form_required`) until the form is filled in.
    #[serde(default)]
    pub required: bool,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AskedField {
    /// Name of the field in `PUT /v1/me`.
    pub name: String,
    /// Label that the visitor reads.
    pub label: String,
    /// Type of the answer.
    pub kind: FieldKind,
    /// Whether the field must be filled in.
    pub required: bool,
    /// Choices of a `select`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub options: Vec<String>,
}

/// Body of `PUT /v1/me`: the visitor's answers to the bot's form.
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
    /// Id of the conversation.
    pub id: Id,
}

/// Limits of the visitor.
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
