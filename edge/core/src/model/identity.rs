//! Visitors whom a site's server has identified.

/// The visitor's identity, signed by the site's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The site's own id for the visitor, such as a row's id: 1 to 200 characters.
    pub subject: String,
    /// One of the bot's tiers.
    pub tier: String,
    /// The visitor's name; may be empty.
    pub name: String,
    /// May be empty.
    pub email: String,
}
