//! The habits of a model: how it differs from other models with the same API. They are found out by requests, and stored
//! beside the model's circuit, by address and name.
//!
//! A server may refuse a parameter of the request with 400 or 422, and name it anywhere in the body; a small one may fail with
//! 500 for it, and say that it does not know it. Then the model is asked again at once, without that parameter or with its other
//! name; a refused request costs no money.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::thinking::Expect;

/// Most bytes of a refusal that are read.
pub const MOST_READ: usize = 16 * 1024;

/// Words of a refusal that is about a parameter's value and not about the parameter.
#[rustfmt::skip]
const OF_VALUE: [&str; 13] = [
    "too large", "too high", "too small", "maximum", "minimum", "at most", "at least", "exceed", "less than", "greater than",
    "must be between", "range", "<=",
];

/// Words that refuse something.
#[rustfmt::skip]
const REFUSES: [&str; 16] = [
    "support", "not enabled", "not allowed", "not permitted", "permitted", "invalid", "unexpected", "unknown", "unrecognized",
    "unavailable", "must alternate", "must use", "should be", "does not match", "expected", "verified",
];

/// The habits of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Habits {
    /// How it marks its thinking.
    pub thinking: Expect,
    /// `stream_options` is not sent, so the server may not count tokens.
    pub uncounted: bool,
    /// The answer is requested whole, because the server refuses to stream it.
    pub unstreamed: bool,
    /// The name of the bound of an answer's tokens.
    pub bound: BoundName,
    /// The instructions are sent in the first message of the user, because the role `system` is refused.
    pub without_system: bool,
    /// The bound is not sent in this request, because its value was refused. A later request may have a smaller bound.
    #[serde(skip)]
    pub unbounded: bool,
}

/// How the bound of an answer's tokens is named: `max_tokens` or `max_completion_tokens`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundName {
    /// The usual name at this address.
    #[default]
    Usual,
    /// The other name.
    Other,
    /// The bound is not sent, because both names were refused.
    Unsent,
}

/// The parameters that a refusal names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is independent of the others"
)]
pub struct Complaint {
    stream: bool,
    stream_options: bool,
    max_tokens: bool,
    max_completion_tokens: bool,
    system: bool,
    /// The refusal is about a value.
    of_value: bool,
}

impl Complaint {
    /// Reads the body of a refusal. A quotation of the request (`input`) is not read.
    pub fn read(status: u16, body: &[u8]) -> Self {
        if ![400, 422, 500, 501].contains(&status) {
            return Self::default();
        }
        let mut text = String::new();
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => said(&value, &mut text),
            Err(_) => text.push_str(&String::from_utf8_lossy(body)),
        }
        let text = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let refuses = has(&REFUSES);
        if status >= 500 && !refuses {
            return Self::default();
        }
        let named = |names_of_it: &[&str]| names_of_it.iter().any(|name| names(&text, name));
        let mut complaint = Self {
            stream_options: named(&["stream_options", "streamoptions", "include_usage"]),
            max_tokens: named(&["max_tokens", "maxtokens"]),
            max_completion_tokens: named(&["max_completion_tokens", "maxcompletiontokens"]),
            of_value: has(&OF_VALUE),
            ..Self::default()
        };
        let names_a_parameter =
            complaint.stream_options || complaint.max_tokens || complaint.max_completion_tokens;
        if names_a_parameter || !refuses {
            return complaint;
        }
        complaint.stream = named(&["stream", "streaming"]);
        let of_role = has(&["system"]) && has(&["role", "message", "prompt", "instruction"]);
        // The roles that there are.
        let of_others =
            named(&["role", "roles"]) && named(&["user"]) && has(&["assistant", "first message"]);
        let of_system =
            of_role || of_others || has(&["developer instruction", "roles must alternate"]);
        complaint.system = !complaint.stream && of_system;
        complaint
    }
}

/// The names of the two bounds: the usual one at this address first.
pub fn bound_names(base_url: &str) -> [&'static str; 2] {
    // OpenAI's newer models refuse the old name, other servers know no other.
    if base_url.contains("openai.") {
        ["max_completion_tokens", "max_tokens"]
    } else {
        ["max_tokens", "max_completion_tokens"]
    }
}

impl Habits {
    /// The name of the bound; `None` when it is not sent.
    pub fn bound_name(self, base_url: &str) -> Option<&'static str> {
        let [usual, other] = bound_names(base_url);
        match self.bound {
            _ if self.unbounded => None,
            BoundName::Usual => Some(usual),
            BoundName::Other => Some(other),
            BoundName::Unsent => None,
        }
    }

    /// The habits after such a refusal of chat completions; `None` when it names no parameter that was sent. `bounded`: the
    /// request bounded the answer's tokens.
    pub fn after(self, complaint: Complaint, base_url: &str, bounded: bool) -> Option<Self> {
        if complaint.stream && !self.unstreamed {
            return Some(Self {
                unstreamed: true,
                ..self
            });
        }
        if complaint.stream_options && !self.uncounted && !self.unstreamed {
            return Some(Self {
                uncounted: true,
                ..self
            });
        }
        let refused = match self.bound_name(base_url).filter(|_| bounded) {
            Some("max_tokens") => complaint.max_tokens,
            Some(_) => complaint.max_completion_tokens,
            None => false,
        };
        if refused {
            // The value would be refused under the other name, too.
            let unbounded = complaint.of_value;
            let bound = match self.bound {
                bound if unbounded => bound,
                BoundName::Usual => BoundName::Other,
                _ => BoundName::Unsent,
            };
            return Some(Self {
                bound,
                unbounded,
                ..self
            });
        }
        self.after_system(complaint)
    }

    /// The same for an API without optional parameters.
    pub fn after_system(self, complaint: Complaint) -> Option<Self> {
        (complaint.system && !self.without_system).then_some(Self {
            without_system: true,
            ..self
        })
    }

    /// The adaptations of the request, in words for the owner.
    pub fn differences(self, base_url: &str) -> Vec<String> {
        let [usual, other] = bound_names(base_url);
        let bound = match self.bound {
            _ if self.unbounded => Some(format!("no {usual}")),
            BoundName::Usual => None,
            BoundName::Other => Some(format!("{other} instead of {usual}")),
            BoundName::Unsent => Some(format!("no {usual}")),
        };
        let uncounted = self.uncounted.then(|| "no stream_options".to_owned());
        let whole = self.unstreamed.then(|| "no stream".to_owned());
        let system = (self.without_system).then(|| "no message of the role system".to_owned());
        [whole, uncounted, bound, system]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Collects the names and texts of an error, without its quotation of the request.
fn said(value: &Value, text: &mut String) {
    match value {
        Value::String(string) => {
            text.push_str(string);
            text.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| said(item, text)),
        Value::Object(fields) => {
            let own = fields.iter().filter(|(name, _)| *name != "input");
            own.for_each(|(name, value)| {
                text.push_str(name);
                text.push('\n');
                said(value, text);
            });
        }
        _ => {}
    }
}

/// Whether a text contains a name that is not a part of a longer name.
fn names(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        let behind = text.get(at + name.len()..).unwrap_or_default();
        !before.ends_with(part) && !behind.starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "http://localhost:8000/v1";
    const OPENAI: &str = "https://api.openai.com/v1";

    /// What a server at this address is sent after it has refused again and again with this.
    fn after(base_url: &str, bodies: &[&str]) -> Vec<String> {
        let mut habits = Habits::default();
        for body in bodies {
            let complaint = Complaint::read(400, body.as_bytes());
            habits = habits.after(complaint, base_url, true).unwrap();
        }
        habits.differences(base_url)
    }

    #[test]
    fn a_refused_parameter_is_found_however_the_refusal_names_it() {
        for body in [
            r#"{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error","param":null}}"#,
            r#"{"error":{"message":"Unknown parameter","param":"stream_options"}}"#,
            r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted","input":{"include_usage":true}}]}"#,
            r#"{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options')}]"}"#,
            "json: unknown field \"stream_options\"",
            r#"{"error":"stream_options is not supported"}"#,
            r#"{"errors":[{"path":["streamOptions"],"message":"unknown field"}]}"#,
            r#"{"errors":{"stream_options":["is not a permitted key"]}}"#,
            "<html><p>STREAM_OPTIONS: not allowed</p></html>",
        ] {
            assert_eq!(after(LOCAL, &[body]), ["no stream_options"], "{body}");
        }
        let renamed = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        assert_eq!(
            after(LOCAL, &[renamed]),
            ["max_completion_tokens instead of max_tokens"]
        );
        let old = r#"{"detail":[{"loc":["body","max_completion_tokens"],"msg":"extra fields not permitted"}]}"#;
        assert_eq!(
            after(OPENAI, &[old]),
            ["max_tokens instead of max_completion_tokens"]
        );
        assert_eq!(after(LOCAL, &[renamed, old]), ["no max_tokens"]);
        let large = "max_tokens is too large: 2000. This model supports at most 1024.";
        assert_eq!(after(LOCAL, &[large]), ["no max_tokens"]);
        let habits = Habits::default().after(Complaint::read(400, large.as_bytes()), LOCAL, true);
        assert_eq!(
            habits.unwrap().bound,
            BoundName::Usual,
            "the next one may be smaller"
        );
        for value in [
            "max_tokens must be at least 16, got 8",
            "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
            "`max_tokens`: expected an integer <= 4096",
        ] {
            assert_eq!(after(LOCAL, &[value]), ["no max_tokens"], "{value}");
        }
        for stream in [
            r#"{"error":{"message":"Your organization must be verified to stream this model.","param":"stream","code":"unsupported_value"}}"#,
            "stream: true is not supported",
            "Streaming is not supported for this model",
        ] {
            assert_eq!(after(LOCAL, &[stream]), ["no stream"], "{stream}");
        }
        for system in [
            "Only user and assistant roles are supported!",
            "Unexpected role 'system'",
            "messages[0].role: Input should be 'user' or 'assistant'",
            "messages: first message must use the \"user\" role",
            r#"{"detail":[{"loc":["body","messages",0,"role"],"msg":"value is not a valid enumeration member; permitted: 'user', 'assistant'"}]}"#,
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            "System role not supported",
            "Developer instruction is not enabled for models/gemma-3",
        ] {
            assert_eq!(
                after(LOCAL, &[system]),
                ["no message of the role system"],
                "{system}"
            );
        }
    }

    #[test]
    fn a_small_server_fails_for_what_it_does_not_know() {
        for (status, body, expected) in [
            (
                500,
                "create() got an unexpected keyword argument 'stream_options'",
                "no stream_options",
            ),
            (
                501,
                r#"{"error":"stream_options is not supported"}"#,
                "no stream_options",
            ),
            (
                500,
                r#"{"error":"TemplateError: System role not supported"}"#,
                "no message of the role system",
            ),
        ] {
            let complaint = Complaint::read(status, body.as_bytes());
            let habits = Habits::default().after(complaint, LOCAL, true).unwrap();
            assert_eq!(habits.differences(LOCAL), [expected], "{body}");
        }
    }

    #[test]
    fn what_names_nothing_that_was_sent_changes_nothing() {
        let quoted = r#"{"detail":[{"loc":["body","messages"],"msg":"too long","input":{"stream_options":{}}}]}"#;
        for (status, body) in [
            (400, "{}"),
            (400, "the prompt is too long"),
            (400, "unknown parameter: max_tokens_per_minute"),
            (422, quoted),
            (400, "upstream timed out for user 7"),
            (400, "the messages of the assistant are too long"),
            (401, "stream_options is not supported"),
            (500, "stream_options"),
            (500, "internal error in stream"),
            (503, "stream_options is not supported"),
        ] {
            let complaint = Complaint::read(status, body.as_bytes());
            assert_eq!(
                Habits::default().after(complaint, LOCAL, true),
                None,
                "{body}"
            );
        }
        let complaint = Complaint::read(400, b"max_tokens");
        assert_eq!(
            Habits::default().after(complaint, LOCAL, false),
            None,
            "it was not sent"
        );
        // What was dropped already is not dropped again.
        let dropped = Habits {
            uncounted: true,
            ..Habits::default()
        };
        assert_eq!(
            dropped.after(Complaint::read(400, b"stream_options"), LOCAL, true),
            None
        );
    }
}
