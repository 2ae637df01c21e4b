//! What the edge writes into the loader script of a site.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeSeq};
use std::collections::BTreeMap;

/// What of the settings the loader hands on to the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoaderConfig {
    /// Origin of the edge, such as `https://chat.example.com`, without a trailing slash.
    pub edge: String,
    /// The site key.
    pub site: String,
    /// Name of the bot, shown in the shell until the session is open.
    pub name: String,
    /// One line under the name; may be empty.
    pub tagline: String,
    /// Language of the texts below (BCP 47).
    pub locale: String,
    /// Accessible name of the launcher when the bubble is closed.
    pub open: String,
    /// Accessible name of the close button, and of the launcher when the bubble is open.
    pub close: String,
    /// While the code loads.
    pub loading: String,
    /// The code could not be loaded.
    pub unavailable: String,
    /// Loads the code again.
    pub retry: String,
}

/// Replaces the placeholder of the loader, so that the launcher is drawn without any further request.
/// Public by nature: nothing here is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoaderSettings {
    /// What the application needs, too.
    pub config: LoaderConfig,
    /// What is not as it is by itself, by the names of the tag's attributes: `scheme`, `position`, `size`, `label`, `dir`,
    /// and custom properties without `--bulle-`.
    pub look: BTreeMap<String, String>,
    /// When the bubble speaks first.
    pub rules: Vec<Rule>,
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

/// An array: the fields of [`LoaderConfig`] in their order, and the look. The settings are the one part of the loader that
/// is not compressed, so they come without names. The rules stand in a script of their own.
impl Serialize for LoaderSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        let config = &self.config;
        for text in [
            &config.edge,
            &config.site,
            &config.name,
            &config.tagline,
            &config.locale,
            &config.open,
            &config.close,
            &config.loading,
            &config.unavailable,
            &config.retry,
        ] {
            array.serialize_element(text)?;
        }
        array.serialize_element(&self.look)?;
        array.end()
    }
}
