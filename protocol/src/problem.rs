//! Errors as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details with a stable `code`.

use serde::{Deserialize, Serialize};

/// The media type of a [`Problem`] body.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Stable, machine-readable name of what went wrong. Names are never reused for another meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No site has this key.
    UnknownSite,
    /// The page's origin is not on the site's list.
    OriginNotAllowed,
    /// No `Authorization: Bearer` header.
    TokenMissing,
    /// The token was not signed here, or not for this purpose.
    TokenInvalid,
    /// The token was good once; open a session again.
    TokenExpired,
    /// Nothing here, or nothing that this visitor may see.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The body is not UTF-8.
    NotUtf8,
    /// The body is not the JSON that the route expects (syntax, type or unknown field).
    InvalidJson,
    /// A query or path parameter is malformed.
    InvalidParameter,
    /// The message has no visible character.
    MessageEmpty,
    /// The message is longer than [`MAX_MESSAGE_CHARS`](crate::MAX_MESSAGE_CHARS).
    MessageTooLong,
    /// The body is larger than any valid request.
    BodyTooLarge,
    /// Too many requests in the window; `retry_after` says when to come back.
    RateLimited,
    /// The visitor's messages of the day are used up; `retry_after` says when the next day begins.
    QuotaExceeded,
    /// The owner has paused the site, the bot or the tenant.
    Paused,
    /// The bot speaks only to visitors whom the site vouches for with an `identity`.
    IdentityRequired,
    /// The `identity` is no token that this site's server has signed, or says what cannot be.
    IdentityInvalid,
    /// The `identity` was good once; the page has to fetch a new one.
    IdentityExpired,
    /// The bot wants a Turnstile token as `challenge`.
    ChallengeRequired,
    /// The `challenge` was not accepted; a new one is needed.
    ChallengeFailed,
    /// The bot wants its form filled in first.
    FormRequired,
    /// It is outside business hours, and the bot takes no messages then.
    Closed,
    /// The owner does not offer this.
    FeatureDisabled,
    /// No `Authorization: Bearer` header with an API key.
    ApiKeyMissing,
    /// The API key is unknown, revoked or expired.
    ApiKeyInvalid,
    /// The API key is good, but not for this.
    ScopeMissing,
    /// Something with this id exists already.
    AlreadyExists,
    /// The change needs an `If-Match` header.
    PreconditionRequired,
    /// Somebody else has changed it meanwhile; read it again.
    PreconditionFailed,
    /// The `Idempotency-Key` was used for another request.
    IdempotencyConflict,
    /// The JSON is well formed, but a value in it is not possible; `detail` names it.
    InvalidValue,
    /// There may not be more of these.
    TooMany,
    /// Another answer of this conversation is still being written.
    TurnInProgress,
    /// This message id is already used for another text.
    MessageConflict,
    /// The conversation has no turn to attach to.
    NoTurn,
    /// The database cannot be reached now.
    StorageUnavailable,
    /// The model refused, could not be reached, or answered nonsense before its first word.
    UpstreamUnavailable,
    /// The model was silent for too long.
    UpstreamTimeout,
    /// The model stopped in the middle of its answer.
    UpstreamInterrupted,
    /// The edge restarted in the middle of the answer.
    Interrupted,
    /// The deployment lacks a setting; `detail` names it.
    Misconfigured,
    /// Anything else: a bug of ours.
    Internal,
    /// The browser could not reach the edge. Never sent by the edge.
    Offline,
    /// A code from a newer edge.
    #[serde(other)]
    Unknown,
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
    /// A way out for the visitor, such as a page to upgrade on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<Action>,
    /// How the limits of the caller stand, when one of them is the reason.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub limits: Vec<Limit>,
    /// The request id, to quote to the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
}

/// A link that the visitor can follow, such as a page to upgrade on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Action {
    /// Text of the link.
    pub label: String,
    /// Where it goes.
    pub url: String,
}

/// How one limit stands. Also told in the headers `RateLimit-Policy` and `RateLimit` (IETF draft "RateLimit header
/// fields for HTTP").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limit {
    /// `minute` or `day`; `address-…` when it counts everybody at one network address.
    pub name: String,
    /// Messages of a window.
    pub quota: u64,
    /// Seconds of a window.
    pub window: u64,
    /// Messages left.
    pub remaining: u64,
    /// Seconds until there is room again, or more of it.
    pub reset: u64,
}

impl Code {
    /// The name as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownSite => "unknown_site",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::TokenMissing => "token_missing",
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotUtf8 => "not_utf8",
            Self::InvalidJson => "invalid_json",
            Self::InvalidParameter => "invalid_parameter",
            Self::MessageEmpty => "message_empty",
            Self::MessageTooLong => "message_too_long",
            Self::BodyTooLarge => "body_too_large",
            Self::RateLimited => "rate_limited",
            Self::QuotaExceeded => "quota_exceeded",
            Self::Paused => "paused",
            Self::IdentityRequired => "identity_required",
            Self::IdentityInvalid => "identity_invalid",
            Self::IdentityExpired => "identity_expired",
            Self::ChallengeRequired => "challenge_required",
            Self::ChallengeFailed => "challenge_failed",
            Self::FormRequired => "form_required",
            Self::Closed => "closed",
            Self::FeatureDisabled => "feature_disabled",
            Self::ApiKeyMissing => "api_key_missing",
            Self::ApiKeyInvalid => "api_key_invalid",
            Self::ScopeMissing => "scope_missing",
            Self::AlreadyExists => "already_exists",
            Self::PreconditionRequired => "precondition_required",
            Self::PreconditionFailed => "precondition_failed",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::InvalidValue => "invalid_value",
            Self::TooMany => "too_many",
            Self::TurnInProgress => "turn_in_progress",
            Self::MessageConflict => "message_conflict",
            Self::NoTurn => "no_turn",
            Self::StorageUnavailable => "storage_unavailable",
            Self::UpstreamUnavailable => "upstream_unavailable",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamInterrupted => "upstream_interrupted",
            Self::Interrupted => "interrupted",
            Self::Misconfigured => "misconfigured",
            Self::Internal => "internal",
            Self::Offline => "offline",
            Self::Unknown => "unknown",
        }
    }

    /// The HTTP status that goes with the code.
    pub fn status(self) -> u16 {
        match self {
            Self::NotUtf8 | Self::InvalidJson | Self::InvalidParameter | Self::MessageEmpty => 400,
            Self::TokenMissing
            | Self::TokenInvalid
            | Self::TokenExpired
            | Self::IdentityInvalid
            | Self::IdentityExpired
            | Self::ApiKeyMissing
            | Self::ApiKeyInvalid => 401,
            Self::OriginNotAllowed
            | Self::Paused
            | Self::IdentityRequired
            | Self::ChallengeRequired
            | Self::ChallengeFailed
            | Self::FormRequired
            | Self::Closed
            | Self::FeatureDisabled
            | Self::ScopeMissing => 403,
            Self::UnknownSite | Self::NotFound | Self::NoTurn => 404,
            Self::MethodNotAllowed => 405,
            Self::TurnInProgress | Self::MessageConflict | Self::AlreadyExists | Self::TooMany => {
                409
            }
            Self::PreconditionFailed => 412,
            Self::BodyTooLarge | Self::MessageTooLong => 413,
            Self::IdempotencyConflict | Self::InvalidValue => 422,
            Self::PreconditionRequired => 428,
            Self::RateLimited | Self::QuotaExceeded => 429,
            Self::Internal | Self::Unknown => 500,
            Self::UpstreamUnavailable | Self::UpstreamInterrupted => 502,
            Self::StorageUnavailable | Self::Interrupted | Self::Misconfigured | Self::Offline => {
                503
            }
            Self::UpstreamTimeout => 504,
        }
    }

    /// Summary for people who read the JSON.
    pub fn title(self) -> &'static str {
        match self {
            Self::UnknownSite => "Unknown site key",
            Self::OriginNotAllowed => "Origin not allowed",
            Self::TokenMissing => "Session token missing",
            Self::TokenInvalid => "Session token invalid",
            Self::TokenExpired => "Session token expired",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::NotUtf8 => "Body is not UTF-8",
            Self::InvalidJson => "Body is not the expected JSON",
            Self::InvalidParameter => "Invalid parameter",
            Self::MessageEmpty => "Message is empty",
            Self::MessageTooLong => "Message is too long",
            Self::BodyTooLarge => "Body is too large",
            Self::RateLimited => "Too many requests",
            Self::QuotaExceeded => "Daily quota used up",
            Self::Paused => "Paused",
            Self::IdentityRequired => "Identity required",
            Self::IdentityInvalid => "Identity invalid",
            Self::IdentityExpired => "Identity expired",
            Self::ChallengeRequired => "Challenge required",
            Self::ChallengeFailed => "Challenge failed",
            Self::FormRequired => "Form required",
            Self::Closed => "Closed",
            Self::FeatureDisabled => "Not offered",
            Self::ApiKeyMissing => "API key missing",
            Self::ApiKeyInvalid => "API key invalid",
            Self::ScopeMissing => "Scope missing",
            Self::AlreadyExists => "Already exists",
            Self::PreconditionRequired => "If-Match required",
            Self::PreconditionFailed => "Changed meanwhile",
            Self::IdempotencyConflict => "Idempotency key already used",
            Self::InvalidValue => "Invalid value",
            Self::TooMany => "Too many",
            Self::TurnInProgress => "An answer is being written",
            Self::MessageConflict => "Message id already used",
            Self::NoTurn => "No turn",
            Self::StorageUnavailable => "Storage unavailable",
            Self::UpstreamUnavailable => "Model unavailable",
            Self::UpstreamTimeout => "Model timed out",
            Self::UpstreamInterrupted => "Answer interrupted",
            Self::Interrupted => "Edge restarted",
            Self::Misconfigured => "Deployment not configured",
            Self::Internal => "Internal error",
            Self::Offline => "Offline",
            Self::Unknown => "Unknown",
        }
    }
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

    /// Says when to come back, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}
