//! Visitors whom a site's server vouches for.

/// Who a site's server says the visitor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The site's own name for the visitor, such as a row's id: 1 to 200 characters.
    pub subject: String,
    /// One of the bot's tiers.
    pub tier: String,
    /// What to call the visitor; may be empty.
    pub name: String,
    /// May be empty.
    pub email: String,
}
