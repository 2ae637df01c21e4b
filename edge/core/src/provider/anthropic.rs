//! Anthropic's Messages API, streamed. Source: the API reference of `POST /v1/messages` and "Streaming messages":
//! `message_start`, `content_block_delta`, `message_delta`, `message_stop`, `error`, and pings between them.

use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Delta, Failure, Model,
    decoder::{Read, Step, malformed, named},
};
use crate::{
    ports::{Destination, ModelRequest},
    prompt::{Prompt, Role, Turn},
};

/// The version of the API that this file speaks.
const VERSION: &str = "2023-06-01";

/// Longest answer when nothing else bounds it, in tokens: the API demands a bound.
const MOST_TOKENS: u32 = 4_096;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    system: &'a str,
    messages: Vec<&'a Turn>,
    stream: bool,
}

/// The request for an answer to the prompt, of at most that many tokens.
///
/// # Errors
/// The prompt could not be serialised.
pub fn request(
    model: &Model<'_>,
    prompt: &Prompt,
    most: Option<u32>,
) -> Result<ModelRequest, Failure> {
    let (system, messages): (Vec<&Turn>, Vec<&Turn>) = prompt
        .turns()
        .iter()
        .partition(|turn| turn.role == Role::System);
    let body = Body {
        model: model.name,
        max_tokens: most.unwrap_or(MOST_TOKENS),
        system: system.first().map_or("", |turn| turn.content.as_str()),
        messages,
        stream: true,
    };
    let mut request = model.post("messages", &body, |key| ("x-api-key", key.to_owned()))?;
    if let Destination::Http { headers, .. } = &mut request.to {
        headers.push(("anthropic-version", VERSION.to_owned()));
    }
    Ok(request)
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockDelta {
        delta: ContentDelta,
    },
    MessageDelta {
        delta: End,
        #[serde(default)]
        usage: Option<Tokens>,
    },
    MessageStop,
    Error {
        #[serde(default)]
        error: Value,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Start {
    #[serde(default)]
    model: String,
    #[serde(default)]
    usage: Option<Tokens>,
}

#[derive(Deserialize)]
struct ContentDelta {
    #[serde(default)]
    text: Option<String>,
}

#[derive(Deserialize)]
struct End {
    #[serde(default)]
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    input_tokens: Option<u32>,
    output_tokens: Option<u32>,
    cache_creation_input_tokens: Option<u32>,
    cache_read_input_tokens: Option<u32>,
}

impl Tokens {
    /// Tokens of the prompt, read from a cache or not.
    fn input(&self) -> u32 {
        let parts = [
            self.input_tokens,
            self.cache_creation_input_tokens,
            self.cache_read_input_tokens,
        ];
        parts.into_iter().flatten().fold(0, u32::saturating_add)
    }
}

/// Reads the events of an answer.
#[derive(Debug, Default)]
pub struct AnthropicReader {
    /// The counts at the start; the output's count is complete only at the end.
    input_tokens: u32,
}

impl Read for AnthropicReader {
    fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<Step, Failure> {
        match serde_json::from_str(data).map_err(|e| malformed(&e))? {
            Event::MessageStart { message } => {
                if !message.model.is_empty() {
                    deltas.push(Delta::Model(message.model));
                }
                self.input_tokens = message.usage.map_or(0, |usage| usage.input());
            }
            Event::ContentBlockDelta { delta } => {
                deltas.extend(delta.text.filter(|text| !text.is_empty()).map(Delta::Text));
            }
            Event::MessageDelta { delta, usage } => {
                if let Some(usage) = usage {
                    deltas.push(Delta::Usage(Usage::counted(
                        usage.input().max(self.input_tokens),
                        usage.output_tokens.unwrap_or_default(),
                    )));
                }
                if delta.stop_reason.as_deref() == Some("refusal") {
                    return Err(Failure::filtered("refusal"));
                }
                deltas.extend(delta.stop_reason.map(|reason| {
                    Delta::Finish(match reason.as_str() {
                        "max_tokens" => Finish::Length,
                        _ => Finish::Stop,
                    })
                }));
            }
            Event::MessageStop => return Ok(Step::Last),
            Event::Error { error } => {
                return Err(Failure::new(Code::UpstreamInterrupted, named(&error)));
            }
            Event::Other => {}
        }
        Ok(Step::More)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vendors;

    const STREAM: &str = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"claude-x\",\"content\":[],",
        "\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":2,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: ping\ndata: {\"type\":\"ping\"}\r\n\r\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Été 🫧\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":9}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );

    fn decode(stream: &str) -> Result<Vec<Delta>, Failure> {
        vendors::decode::<AnthropicReader>(&[stream.as_bytes()])
    }

    #[test]
    fn an_answer_is_the_same_wherever_it_is_cut() {
        let usage = Usage::counted(7, 9);
        vendors::says::<AnthropicReader>(
            STREAM,
            &[
                Delta::Model("claude-x".into()),
                Delta::Text("Été 🫧".into()),
                Delta::Usage(usage),
                Delta::Finish(Finish::Stop),
            ],
        );
    }

    #[test]
    fn what_breaks_off_or_is_no_answer_is_a_failure() {
        let cut = STREAM.split("event: message_delta").next().unwrap();
        for (stream, says) in [
            (cut, "without a finish reason"),
            (
                "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"secret\"}}\n\n",
                "overloaded_error",
            ),
            ("data: <html>\n\n", "error at column"),
            ("", "without a finish reason"),
        ] {
            let failure = decode(stream).unwrap_err();
            assert_eq!(failure.code, Code::UpstreamInterrupted);
            assert!(
                failure.detail.contains(says) && !failure.detail.contains("secret"),
                "{failure}"
            );
        }
    }

    #[test]
    fn instructions_stand_apart_and_the_key_in_a_header() {
        let server = vendors::server("anthropic", "https://api.example/v1/", Some("sk-secret"));
        let model = vendors::model(&server, "claude-x");
        let question = crate::testing::question("Bonjour");
        let prompt = crate::testing::prompt(&question);
        let request = model.request(&prompt, Some(2_000)).unwrap();
        let (url, headers) = vendors::http(&request);
        assert_eq!(url, "https://api.example/v1/messages");
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["max_tokens"], 2_000);
        assert!(body["system"].as_str().unwrap().contains("Jumeau"));
        assert_eq!(
            body["messages"],
            serde_json::json!([{"role": "user", "content": "Bonjour"}])
        );
        assert!(!request.body.contains("sk-secret"));
        assert!(headers.contains(&("x-api-key", "sk-secret".to_owned())));
        let unbounded: Value =
            serde_json::from_str(&model.request(&prompt, None).unwrap().body).unwrap();
        assert_eq!(unbounded["max_tokens"], MOST_TOKENS);
    }
}
