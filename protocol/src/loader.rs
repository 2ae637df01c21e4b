//! What the edge writes into the loader script of a site.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeSeq};
use std::collections::BTreeMap;

/// What the application needs of the settings: an array of JSON, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoaderConfig {
    /// Origin of the edge, such as `https://chat.example.com`, without a trailing slash.
    pub edge: String,
    /// The site key.
    pub site: String,
    /// Language of the texts (BCP 47).
    pub locale: String,
    /// While the code loads.
    pub loading: String,
    /// The code could not be loaded.
    pub unavailable: String,
    /// Loads the code again.
    pub retry: String,
}

/// What the loader says by itself, under the names of the tag's attributes.
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
    /// While the code loads.
    #[serde(rename = "textLoading")]
    pub loading: String,
    /// The code could not be loaded.
    #[serde(rename = "textUnavailable")]
    pub unavailable: String,
    /// Loads the code again.
    #[serde(rename = "textRetry")]
    pub retry: String,
}

/// Replaces the placeholder of the loader, so that the launcher is drawn without any further request.
/// Public by nature: nothing here is secret.
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
    /// One line under the name; may be empty.
    pub tagline: String,
    /// What is not as it is by itself, by the names of the tag's attributes: `scheme`, `position`, `size`, `label`, and
    /// custom properties without `--bulle-`.
    pub look: BTreeMap<String, String>,
    /// When the bubble speaks first.
    pub rules: Vec<Rule>,
    /// Name of the button that takes such a note away.
    pub dismiss: String,
}

/// When the bubble speaks first, and what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it says.
    pub text: String,
    /// Seconds on the page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delay_s: Option<u32>,
    /// Percent of the page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scroll_percent: Option<u32>,
    /// The pointer leaves the page at its top.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub exit_intent: bool,
    /// Paths, with `*` for anything.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// A question that is asked then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ask: Option<String>,
}

/// An array, without the last two where there are no rules. Most of the settings is the one part of the loader that is not
/// compressed, so it comes without names. What is the same for many sites comes first.
impl Serialize for LoaderSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        array.serialize_element(&self.locale)?;
        array.serialize_element(&self.texts)?;
        for text in [&self.edge, &self.site, &self.name, &self.tagline] {
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
