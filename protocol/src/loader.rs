//! The settings that the edge writes into the loader script of a site.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeSeq};
use std::collections::BTreeMap;

/// The settings that the widget needs: a JSON array in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoaderConfig {
    /// Origin of the edge, such as `https://chat.example.com`, without a trailing slash.
    pub edge: String,
    /// The site key.
    pub site: String,
    /// Language of the texts (BCP 47).
    pub locale: String,
    /// Accessible name of the send button.
    pub send: String,
    /// The chat cannot be reached.
    pub unavailable: String,
    /// Opens the session again.
    pub retry: String,
}

/// The loader's own texts, under the names of the tag's attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LoaderTexts {
    /// `ltr` or `rtl`.
    pub dir: String,
    /// Accessible name of the launcher when the bubble is closed.
    #[serde(rename = "textOpen")]
    pub open: String,
    /// Accessible name of the close button, and of the launcher when the bubble is open.
    #[serde(rename = "textClose")]
    pub close: String,
    /// Name and placeholder of the text field.
    #[serde(rename = "textPlaceholder")]
    pub placeholder: String,
    /// Accessible name of the send button.
    #[serde(rename = "textSend")]
    pub send: String,
    /// The code could not be loaded.
    #[serde(rename = "textUnavailable")]
    pub unavailable: String,
    /// Loads the code again.
    #[serde(rename = "textRetry")]
    pub retry: String,
}

/// The settings that replace the placeholder in the loader script, so that the launcher needs no further request.
/// Everything here is public.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoaderSettings {
    /// Language of the texts (BCP 47).
    pub locale: String,
    /// The texts.
    pub texts: LoaderTexts,
    /// Origin of the edge, such as `https://chat.example.com`, without a trailing slash.
    pub edge: String,
    /// The site key.
    pub site: String,
    /// Name of the bot, shown in the shell until the session is open.
    pub name: String,
    /// The settings that differ from the defaults, by the names of the tag's attributes: `scheme`, `position`, `size`,
    /// `label`, and custom properties without `--bulle-`.
    pub look: BTreeMap<String, String>,
    /// The rules of proactive notes.
    pub rules: Vec<Rule>,
    /// Label of the button that dismisses a note.
    pub dismiss: String,
}

/// A proactive note; it is shown when all conditions of the rule are met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The text of the note.
    pub text: String,
    /// Condition: seconds on the page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delay_s: Option<u32>,
    /// Condition: percent of the page that is scrolled.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scroll_percent: Option<u32>,
    /// Condition: the pointer leaves the page at its top.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub exit_intent: bool,
    /// Condition: the path, with `*` for any text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// A question that is asked when the visitor follows the note.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ask: Option<String>,
}

/// Serialised as an array, without the last two items if there are no rules. Most of the settings are the only part of the
/// loader that is not compressed, hence no member names. Values that many sites share come first.
impl Serialize for LoaderSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        array.serialize_element(&self.locale)?;
        array.serialize_element(&self.texts)?;
        for text in [&self.edge, &self.site, &self.name] {
            array.serialize_element(text)?;
        }
        array.serialize_element(&self.look)?;
        if !self.rules.is_empty() {
            array.serialize_element(&self.rules)?;
            array.serialize_element(&self.dismiss)?;
        }
        array.end()
    }
}
