//! Errors as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details with a stable `code`.

use serde::{Deserialize, Serialize};

/// The media type of a [`Problem`] body.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Declares [`Code`] from one table: variant, name in JSON, HTTP status, title, and perhaps the feature that it needs.
macro_rules! codes {
    ($($(#[$attribute:meta])* $variant:ident = $name:literal, $status:literal, $title:literal $(, $feature:literal)?;)*) => {
        /// Stable, machine-readable name of what went wrong. Names are never reused for another meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$attribute])* $(#[cfg(feature = $feature)])? $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$($(#[cfg(feature = $feature)])? Self::$variant),*];

            /// The name in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($(#[cfg(feature = $feature)])? Self::$variant => $name,)*
                }
            }

            /// The HTTP status that goes with the code.
            pub fn status(self) -> u16 {
                match self {
                    $($(#[cfg(feature = $feature)])? Self::$variant => $status,)*
                }
            }

            /// Summary for people who read the JSON.
            pub fn title(self) -> &'static str {
                match self {
                    $($(#[cfg(feature = $feature)])? Self::$variant => $title,)*
                }
            }
        }
    };
}

codes! {
    /// No site has this key.
    UnknownSite = "unknown_site", 404, "Unknown site key";
    /// The page's origin is not on the site's list.
    OriginNotAllowed = "origin_not_allowed", 403, "Origin not allowed";
    /// No `Authorization: Bearer` header.
    TokenMissing = "token_missing", 401, "Session token missing";
    /// The token was not signed by this edge, or for another purpose.
    TokenInvalid = "token_invalid", 401, "Session token invalid";
    /// The token has expired; open a session again.
    TokenExpired = "token_expired", 401, "Session token expired";
    /// There is no such resource, or the visitor may not see it.
    NotFound = "not_found", 404, "Not found";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// The body is not UTF-8.
    NotUtf8 = "not_utf8", 400, "Body is not UTF-8";
    /// The body is not the JSON that the route expects (syntax, type or unknown field).
    InvalidJson = "invalid_json", 400, "Body is not the expected JSON";
    /// A query or path parameter is malformed.
    InvalidParameter = "invalid_parameter", 400, "Invalid parameter";
    /// The message has no visible character.
    MessageEmpty = "message_empty", 400, "Message is empty";
    /// The message is longer than [`MAX_MESSAGE_CHARS`](crate::MAX_MESSAGE_CHARS).
    MessageTooLong = "message_too_long", 413, "Message is too long";
    /// The body is larger than any valid request.
    BodyTooLarge = "body_too_large", 413, "Body is too large";
    /// Too many requests in the window; `retry_after` has the time to wait.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// The visitor's messages of the day are used up; `retry_after` has the time until the next day.
    QuotaExceeded = "quota_exceeded", 429, "Daily quota used up";
    /// The owner has paused the site, the bot or the tenant.
    Paused = "paused", 403, "Paused";
    /// The bot serves only visitors with an `identity`.
    IdentityRequired = "identity_required", 403, "Identity required";
    /// The `identity` was not signed by this site's server, or has invalid claims.
    IdentityInvalid = "identity_invalid", 401, "Identity invalid";
    /// The `identity` has expired; the page has to get a new one.
    IdentityExpired = "identity_expired", 401, "Identity expired";
    /// The bot requires a Turnstile token as `challenge`.
    ChallengeRequired = "challenge_required", 403, "Challenge required";
    /// The `challenge` was not accepted; a new one is needed.
    ChallengeFailed = "challenge_failed", 403, "Challenge failed";
    /// The bot requires its form to be filled in first.
    FormRequired = "form_required", 403, "Form required";
    /// The request is outside business hours, and the bot takes no messages then.
    Closed = "closed", 403, "Closed";
    /// The owner has turned this feature off.
    FeatureDisabled = "feature_disabled", 403, "Not offered";
    /// No `Authorization: Bearer` header with an API key.
    ApiKeyMissing = "api_key_missing", 401, "API key missing", "owner";
    /// The API key is unknown, revoked or expired.
    ApiKeyInvalid = "api_key_invalid", 401, "API key invalid", "owner";
    /// The API key is valid, but its scopes do not cover the request.
    ScopeMissing = "scope_missing", 403, "Scope missing", "owner";
    /// No account has this address with this password.
    CredentialsInvalid = "credentials_invalid", 401, "Wrong address or password", "owner";
    /// The invitation was used, revoked or has expired, or there was never one.
    InvitationInvalid = "invitation_invalid", 410, "Invitation invalid", "owner";
    /// The person has to give the password again before this request.
    StepUpRequired = "step_up_required", 403, "Step-up required", "owner";
    /// The change would leave the tenant without an owner.
    LastOwner = "last_owner", 409, "Last owner", "owner";
    /// A resource with this id exists already.
    AlreadyExists = "already_exists", 409, "Already exists", "owner";
    /// The change needs an `If-Match` header.
    PreconditionRequired = "precondition_required", 428, "If-Match required", "owner";
    /// The resource has another version meanwhile; read it again.
    PreconditionFailed = "precondition_failed", 412, "Changed meanwhile", "owner";
    /// The `Idempotency-Key` was used for another request.
    IdempotencyConflict = "idempotency_conflict", 422, "Idempotency key already used", "owner";
    /// The JSON is well formed, but a value in it is invalid; `detail` names it.
    InvalidValue = "invalid_value", 422, "Invalid value", "owner";
    /// There are as many resources of the kind as allowed.
    TooMany = "too_many", 409, "Too many", "owner";
    /// Another answer of this conversation is still being written.
    TurnInProgress = "turn_in_progress", 409, "An answer is being written";
    /// This message id is already used for another text.
    MessageConflict = "message_conflict", 409, "Message id already used";
    /// The conversation has no turn to attach to.
    NoTurn = "no_turn", 404, "No turn";
    /// The edge writes as many answers as it can; `retry_after` has the time to wait.
    Overloaded = "overloaded", 503, "Too many answers at once";
    /// The database cannot be reached now.
    StorageUnavailable = "storage_unavailable", 503, "Storage unavailable";
    /// The model refused, could not be reached, or sent an invalid response before its first word.
    UpstreamUnavailable = "upstream_unavailable", 502, "Model unavailable";
    /// The model was silent for too long.
    UpstreamTimeout = "upstream_timeout", 504, "Model timed out";
    /// The model stopped in the middle of its answer.
    UpstreamInterrupted = "upstream_interrupted", 502, "Answer interrupted";
    /// The edge restarted in the middle of the answer.
    Interrupted = "interrupted", 503, "Edge restarted";
    /// The deployment lacks a setting; `detail` names it.
    Misconfigured = "misconfigured", 503, "Deployment not configured";
    /// Any other error: a bug of the edge.
    Internal = "internal", 500, "Internal error";
    /// The browser could not reach the edge. Never sent by the edge.
    Offline = "offline", 503, "Offline";
    /// A code from a newer edge.
    #[serde(other)]
    Unknown = "unknown", 500, "Unknown";
}

/// A problem details object. Also the data of the last event of a failed turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `urn:bulle:problem:{code}`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Short summary, the same for every occurrence of the code.
    pub title: String,
    /// HTTP status code.
    pub status: u16,
    /// What happened this time and what to do about it, for the developer or owner who reads it.
    pub detail: String,
    /// The stable code.
    pub code: Code,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_after: Option<u32>,
    /// What to tell the visitor, in their language and perhaps in the owner's words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// A link that helps the visitor, such as a page to upgrade on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<Action>,
    /// State of the caller's limits, when one of them is the reason.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub limits: Vec<Limit>,
    /// The request id, to quote to the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
}

/// A link that the visitor can follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Action {
    /// Text of the link.
    pub label: String,
    /// Address that the link opens.
    pub url: String,
}

/// State of one limit. It is also sent in the headers `RateLimit-Policy` and `RateLimit` (IETF draft "RateLimit header
/// fields for HTTP").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limit {
    /// Name of the limit: `minute` or `day`; `address-…` when it counts all visitors at one network address.
    pub name: String,
    /// Messages allowed in a window.
    pub quota: u64,
    /// Length of a window in seconds.
    pub window: u64,
    /// Messages left.
    pub remaining: u64,
    /// Seconds until `remaining` rises.
    pub reset: u64,
}

impl Problem {
    /// A problem with the status and title of its code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:bulle:problem:{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code,
            retry_after: None,
            message: None,
            action: None,
            limits: Vec::new(),
            request_id: None,
        }
    }

    /// Sets the seconds to wait before trying again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}
