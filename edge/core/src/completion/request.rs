//! Reads the request of a completion field by field: each refusal names its parameter. Unknown parameters are ignored,
//! as clients of OpenAI's API send new ones all the time.

use bulle_protocol::problem::{Code, Problem};
use serde_json::{Map, Value};

use super::Unfit;

/// A request for a completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The bot.
    pub model: String,
    /// The conversation so far, as it was sent.
    pub messages: Vec<ClientMessage>,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// Whether the stream ends with the usage.
    pub include_usage: bool,
    /// Most tokens of the answer.
    pub most: Option<u32>,
}

/// A message of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientMessage {
    /// Author of a message.
    pub speaker: Speaker,
    /// Content of a message.
    pub text: String,
}

/// Author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The owner's server: `system` or `developer`.
    Owner,
    /// The end user, as the caller names them.
    User,
    /// The bot.
    Assistant,
}

/// Parameters that are not supported, with the values that are accepted because they ask for nothing.
const REFUSED: [(&str, &[&str]); 9] = [
    ("tools", &["[]"]),
    ("functions", &["[]"]),
    ("response_format", &[r#"{"type":"text"}"#]),
    ("logprobs", &["false"]),
    ("top_logprobs", &["0"]),
    ("audio", &[]),
    ("modalities", &[r#"["text"]"#]),
    ("web_search_options", &[]),
    ("n", &["1"]),
];

/// Reads the body of a request.
///
/// # Errors
/// `invalid_json`, `invalid_value`.
pub fn read(text: &str) -> Result<Request, Unfit> {
    let invalid = |detail: String| Unfit::from(Problem::new(Code::InvalidJson, detail));
    let body: Value = serde_json::from_str(text).map_err(|e| invalid(format!("{e}.")))?;
    let Value::Object(body) = body else {
        return Err(invalid("The body is a JSON object.".to_owned()));
    };
    for (name, harmless) in REFUSED {
        if let Some(value) = given(&body, name)
            && !harmless.contains(&value.to_string().as_str())
        {
            let what = match name {
                "n" => "a bot gives one answer; leave it out or set it to 1.",
                _ => "a bot cannot do this; leave it out.",
            };
            return Err(Unfit::value(name, what));
        }
    }
    let Some(model) = given(&body, "model").and_then(Value::as_str) else {
        return Err(Unfit::value("model", "give the id of a bot, a string."));
    };
    let messages = given(&body, "messages").and_then(Value::as_array);
    let messages = messages.filter(|messages| !messages.is_empty());
    let Some(messages) = messages else {
        return Err(Unfit::value(
            "messages",
            "give a list of at least one message.",
        ));
    };
    let messages = messages.iter().enumerate();
    let messages = messages.map(|(n, value)| message(&format!("messages[{n}]"), value));
    let options = match given(&body, "stream_options") {
        None => None,
        Some(Value::Object(options)) => Some(options),
        Some(_) => return Err(Unfit::value("stream_options", "give an object.")),
    };
    let include_usage = match options {
        Some(options) => boolean(options, "include_usage", "stream_options.include_usage")?,
        None => false,
    };
    let (old, new) = (
        most(&body, "max_tokens")?,
        most(&body, "max_completion_tokens")?,
    );
    Ok(Request {
        model: model.to_owned(),
        messages: messages.collect::<Result<_, _>>()?,
        stream: boolean(&body, "stream", "stream")?,
        include_usage,
        most: new.or(old),
    })
}

/// A parameter that is there and not null.
fn given<'b>(body: &'b Map<String, Value>, name: &str) -> Option<&'b Value> {
    body.get(name).filter(|value| !value.is_null())
}

fn boolean(body: &Map<String, Value>, name: &str, param: &str) -> Result<bool, Unfit> {
    match given(body, name) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(Unfit::value(param, "give true or false.")),
    }
}

fn most(body: &Map<String, Value>, name: &str) -> Result<Option<u32>, Unfit> {
    let Some(value) = given(body, name) else {
        return Ok(None);
    };
    let number = value.as_u64().filter(|n| *n > 0);
    let number = number.ok_or_else(|| Unfit::value(name, "give a whole number from 1."))?;
    Ok(Some(u32::try_from(number).unwrap_or(u32::MAX)))
}

fn message(at: &str, value: &Value) -> Result<ClientMessage, Unfit> {
    let Value::Object(message) = value else {
        return Err(Unfit::value(at, "a message is an object."));
    };
    let speaker = match given(message, "role").and_then(Value::as_str) {
        Some("system" | "developer") => Speaker::Owner,
        Some("user") => Speaker::User,
        Some("assistant") => Speaker::Assistant,
        _ => {
            let what = "one of system, developer, user and assistant; tools are not served.";
            return Err(Unfit::value(format!("{at}.role"), what));
        }
    };
    for name in ["tool_calls", "function_call", "audio"] {
        if given(message, name).is_some_and(|value| value.as_array().is_none_or(|a| !a.is_empty()))
        {
            let what = "a bot cannot do this; leave it out.";
            return Err(Unfit::value(format!("{at}.{name}"), what));
        }
    }
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let parts = parts.iter().enumerate();
            let texts = parts.map(|(n, value)| part(&format!("{at}.content[{n}]"), value));
            texts.collect::<Result<Vec<_>, _>>()?.join("\n")
        }
        // An assistant's message may be empty.
        None | Some(Value::Null) if speaker == Speaker::Assistant => String::new(),
        _ => {
            let what = "give a string, or a list of parts of type text.";
            return Err(Unfit::value(format!("{at}.content"), what));
        }
    };
    Ok(ClientMessage { speaker, text })
}

fn part<'v>(at: &str, value: &'v Value) -> Result<&'v str, Unfit> {
    if value.get("type").and_then(Value::as_str) != Some("text") {
        let what = "only parts of type text are served: no images, audio or files.";
        return Err(Unfit::value(format!("{at}.type"), what));
    }
    let text = value.get("text").and_then(Value::as_str);
    text.ok_or_else(|| Unfit::value(format!("{at}.text"), "give a string."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(more: &Value) -> Value {
        let mut body =
            json!({"model": "bot", "messages": [{"role": "user", "content": "Bonjour"}]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    fn refused(body: &Value) -> Option<String> {
        read(&body.to_string())
            .err()
            .map(|unfit| unfit.param.unwrap_or_default())
    }

    #[test]
    fn a_request_in_full() {
        let request = read(&json!({
            "model": "bot", "stream": true, "stream_options": {"include_usage": true},
            "max_tokens": 9, "max_completion_tokens": 7, "temperature": 0.2, "seed": 1, "user": "u", "n": 1,
            "tools": [], "tool_choice": "auto", "response_format": {"type": "text"}, "logprobs": null, "later": {},
            "messages": [
                {"role": "developer", "content": "Brief."},
                {"role": "assistant", "content": null},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "n"},
            ],
        }).to_string()).unwrap();
        let said: Vec<_> = request
            .messages
            .iter()
            .map(|m| (m.speaker, m.text.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (Speaker::Owner, "Brief."),
                (Speaker::Assistant, ""),
                (Speaker::User, "a\nb")
            ]
        );
        assert!(request.stream && request.include_usage);
        assert_eq!(request.most, Some(7));
    }

    #[test]
    fn what_is_refused_is_named() {
        assert_eq!(refused(&with(&json!({}))), None);
        for (more, param) in [
            (json!({"tools": [{"type": "function"}]}), "tools"),
            (json!({"functions": [{}]}), "functions"),
            (
                json!({"response_format": {"type": "json_object"}}),
                "response_format",
            ),
            (json!({"logprobs": true}), "logprobs"),
            (json!({"audio": {}}), "audio"),
            (json!({"modalities": ["audio"]}), "modalities"),
            (json!({"n": 2}), "n"),
            (json!({"model": null}), "model"),
            (json!({"model": 1}), "model"),
            (json!({"messages": []}), "messages"),
            (json!({"messages": "Bonjour"}), "messages"),
            (json!({"messages": ["Bonjour"]}), "messages[0]"),
            (
                json!({"messages": [{"role": "tool", "content": "x"}]}),
                "messages[0].role",
            ),
            (
                json!({"messages": [{"role": "user"}]}),
                "messages[0].content",
            ),
            (
                json!({"messages": [{"role": "user", "content": 1}]}),
                "messages[0].content",
            ),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
                "messages[0].content[0].type",
            ),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "text"}]}]}),
                "messages[0].content[0].text",
            ),
            (
                json!({"messages": [{"role": "assistant", "tool_calls": [{}]}]}),
                "messages[0].tool_calls",
            ),
            (json!({"stream": "yes"}), "stream"),
            (json!({"stream_options": []}), "stream_options"),
            (
                json!({"stream_options": {"include_usage": 1}}),
                "stream_options.include_usage",
            ),
            (json!({"max_tokens": 0}), "max_tokens"),
            (
                json!({"max_completion_tokens": -1}),
                "max_completion_tokens",
            ),
        ] {
            assert_eq!(refused(&with(&more)).as_deref(), Some(param), "{more}");
        }
        for text in ["", "[]", "{", "\"x\""] {
            assert_eq!(
                read(text).unwrap_err().problem.code,
                Code::InvalidJson,
                "{text}"
            );
        }
    }
}
