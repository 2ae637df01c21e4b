//! OpenAI's chat completions for owners' own servers: the request ([`request`]), the answer ([`answer`]) and the
//! refusals. Docs: docs/openai.md.

pub mod answer;
mod citations;
pub mod request;

use bulle_api::completion::{ErrorBody, ErrorInfo};
use bulle_protocol::problem::{Code, Problem};

/// A refusal, and the parameter that caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The problem.
    pub problem: Problem,
    /// Such as `messages[2].content`.
    pub param: Option<String>,
}

impl Unfit {
    /// Names the parameter.
    pub fn of(param: impl Into<String>, problem: Problem) -> Self {
        Self {
            problem,
            param: Some(param.into()),
        }
    }

    /// An invalid value, with a text that says how to correct it.
    pub fn value(param: impl Into<String>, what: &str) -> Self {
        let param = param.into();
        let detail = format!("`{param}`: {what}");
        Self::of(param, Problem::new(Code::InvalidValue, detail))
    }
}

impl From<Problem> for Unfit {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            param: None,
        }
    }
}

/// The status of a problem, as clients of OpenAI's API expect it.
pub fn status(problem: &Problem) -> u16 {
    match problem.code {
        Code::InvalidValue | Code::MessageTooLong => 400,
        _ => problem.status,
    }
}

/// A problem as clients of OpenAI's API expect it.
pub fn error(problem: &Problem, param: Option<String>) -> ErrorBody {
    let kind = match status(problem) {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    let code = match problem.code {
        Code::ApiKeyInvalid => "invalid_api_key",
        Code::NotFound if param.as_deref() == Some("model") => "model_not_found",
        other => other.as_str(),
    };
    ErrorBody {
        error: ErrorInfo {
            message: problem.detail.clone(),
            kind: kind.to_owned(),
            param,
            code: Some(code.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_in_the_language_of_the_clients() {
        let told = |code, param: Option<&str>| {
            let problem = Problem::new(code, "No.");
            let body = error(&problem, param.map(str::to_owned)).error;
            (status(&problem), body.kind, body.code.unwrap_or_default())
        };
        for (code, param, expected) in [
            (
                Code::ApiKeyInvalid,
                None,
                (401, "authentication_error", "invalid_api_key"),
            ),
            (
                Code::ScopeMissing,
                None,
                (403, "permission_error", "scope_missing"),
            ),
            (
                Code::NotFound,
                Some("model"),
                (404, "invalid_request_error", "model_not_found"),
            ),
            (
                Code::InvalidValue,
                Some("n"),
                (400, "invalid_request_error", "invalid_value"),
            ),
            (
                Code::MessageTooLong,
                None,
                (400, "invalid_request_error", "message_too_long"),
            ),
            (
                Code::BodyTooLarge,
                None,
                (413, "invalid_request_error", "body_too_large"),
            ),
            (
                Code::RateLimited,
                None,
                (429, "rate_limit_error", "rate_limited"),
            ),
            (
                Code::UpstreamTimeout,
                None,
                (504, "server_error", "upstream_timeout"),
            ),
        ] {
            let (status, kind, name) = expected;
            assert_eq!(
                told(code, param),
                (status, kind.to_owned(), name.to_owned())
            );
        }
    }
}
