//! The deployment's mail service.

/// The deployment's mail service. Has no `Debug`, for it holds a secret.
#[derive(Clone)]
pub struct Mailer {
    /// The address to which letters are posted: `EMAIL_URL`.
    pub url: String,
    /// The sender: `EMAIL_FROM`.
    pub from: String,
    /// A header as `Name: value`, for the service's key: `EMAIL_HEADER`.
    pub header: Option<String>,
    /// JSON with `{from}`, `{to}`, `{subject}` and `{text}` in its strings: `EMAIL_TEMPLATE`.
    pub template: Option<String>,
}
