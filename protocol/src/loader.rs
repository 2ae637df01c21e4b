//! What the edge writes into the loader script of a site.

use serde::{Deserialize, Serialize};

use crate::session::{Position, Scheme, Theme};

/// The settings in JSON: an array in the order of the fields of [`LoaderConfig`], the theme's at the end. They are
/// the one part of the loader that is not compressed, so they come without names.
pub type Fields = (
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    String,
    Scheme,
    Position,
);

/// Replaces the placeholder of the loader, so that the launcher is drawn without any further request.
/// Public by nature: nothing here is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Fields", from = "Fields")]
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
    /// Colours and place.
    pub theme: Theme,
}

impl From<LoaderConfig> for Fields {
    fn from(config: LoaderConfig) -> Self {
        (
            config.edge,
            config.site,
            config.name,
            config.tagline,
            config.locale,
            config.open,
            config.close,
            config.loading,
            config.unavailable,
            config.retry,
            config.theme.accent,
            config.theme.scheme,
            config.theme.position,
        )
    }
}

impl From<Fields> for LoaderConfig {
    fn from(fields: Fields) -> Self {
        let (edge, site, name, tagline, locale, open, close, loading, ..) = fields.clone();
        let (.., unavailable, retry, accent, scheme, position) = fields;
        Self {
            edge,
            site,
            name,
            tagline,
            locale,
            open,
            close,
            loading,
            unavailable,
            retry,
            theme: Theme {
                accent,
                scheme,
                position,
            },
        }
    }
}
