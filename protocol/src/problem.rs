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
    /// Too many messages in the window; `retry_after` says when to come back.
    RateLimited,
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
    /// The request id, to quote to the operator.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
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
            Self::TokenMissing | Self::TokenInvalid | Self::TokenExpired => 401,
            Self::OriginNotAllowed => 403,
            Self::UnknownSite | Self::NotFound | Self::NoTurn => 404,
            Self::MethodNotAllowed => 405,
            Self::TurnInProgress | Self::MessageConflict => 409,
            Self::BodyTooLarge | Self::MessageTooLong => 413,
            Self::RateLimited => 429,
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
            Self::RateLimited => "Too many messages",
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
