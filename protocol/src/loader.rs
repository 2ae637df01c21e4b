//! What the edge writes into the loader script of a site.

use serde::{Deserialize, Serialize};

use crate::session::Theme;

/// Replaces the placeholder of the loader, so that the launcher is drawn without any further request.
/// Public by nature: nothing here is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
