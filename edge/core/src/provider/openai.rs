//! OpenAI-compatible chat completions, streamed: OpenAI, Mistral, Groq, OpenRouter, Ollama, vLLM, LiteLLM and
//! others. Source: the API reference of `POST /chat/completions` and its `chat.completion.chunk` objects.
//! Servers differ, so the reader is lenient: a missing `[DONE]`, usage in any chunk, content as text or as
//! parts. It is strict about one thing: an answer without a finish reason has not ended.

use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
    sse,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Delta, Failure};
use crate::{
    ports::ModelRequest,
    prompt::{Prompt, Turn},
};

/// A server, from the deployment's secrets and variables.
#[derive(Clone)]
pub struct Server {
    /// Such as `https://api.openai.com/v1`, with or without a trailing slash.
    pub base_url: String,
    /// Absent for servers that need none (Ollama, vLLM).
    pub api_key: Option<String>,
    /// Model name unless a bot has its own.
    pub model: String,
}

/// A model of a server.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    /// Where it runs.
    pub server: &'a Server,
    /// Its name.
    pub name: &'a str,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: &'a [Turn],
    stream: bool,
    stream_options: StreamOptions,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl Model<'_> {
    /// The request for an answer to the prompt, of at most that many tokens.
    ///
    /// # Errors
    /// The prompt could not be serialised.
    pub fn request(&self, prompt: &Prompt, most: Option<u32>) -> Result<ModelRequest, Failure> {
        // OpenAI's newer models refuse the old name, other servers know no other.
        let renamed = self.server.base_url.contains("openai.");
        let body = serde_json::to_string(&Body {
            model: self.name,
            messages: prompt.turns(),
            stream: true,
            stream_options: StreamOptions {
                include_usage: true,
            },
            max_tokens: most.filter(|_| !renamed),
            max_completion_tokens: most.filter(|_| renamed),
        })
        .map_err(|e| Failure::new(Code::Internal, e.to_string()))?;
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("accept", "text/event-stream".to_owned()),
        ];
        if let Some(key) = &self.server.api_key {
            headers.push(("authorization", format!("Bearer {key}")));
        }
        Ok(ModelRequest {
            url: format!(
                "{}/chat/completions",
                self.server.base_url.trim_end_matches('/')
            ),
            headers,
            body,
        })
    }
}

#[derive(Deserialize)]
struct Chunk {
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<ChunkUsage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<ChoiceDelta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct ChoiceDelta {
    content: Option<Value>,
}

#[derive(Deserialize)]
struct ChunkUsage {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
}

/// Reads the body of a response.
#[derive(Debug, Default)]
pub struct Decoder {
    sse: sse::Decoder,
    model: Option<String>,
    finished: bool,
    done: bool,
}

impl Decoder {
    /// Feeds bytes of the body and adds the deltas that they complete.
    ///
    /// # Errors
    /// `upstream_interrupted`: an error event, or something that is no chunk of an answer. What came before it has
    /// been added.
    pub fn push(&mut self, bytes: &[u8], deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let frames = self
            .sse
            .push(bytes)
            .map_err(|_| Failure::new(Code::UpstreamInterrupted, "an event is too large"))?;
        for frame in frames {
            match frame.data.trim() {
                "" => {}
                "[DONE]" => self.done = true,
                data => self.chunk(data, deltas)?,
            }
        }
        Ok(())
    }

    /// The model has said that it ended, and how.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// The server has said that nothing more will come.
    pub fn is_done(&self) -> bool {
        self.done
    }

    fn chunk(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        let chunk: Chunk = serde_json::from_str(data).map_err(|e| {
            // The message of the error would quote the model's words.
            let detail = format!("{:?} error at column {}", e.classify(), e.column());
            Failure::new(Code::UpstreamInterrupted, detail)
        })?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(Failure::new(Code::UpstreamInterrupted, named(&error)));
        }
        if let Some(model) = chunk.model.filter(|model| !model.is_empty())
            && self.model.as_ref() != Some(&model)
        {
            deltas.push(Delta::Model(model.clone()));
            self.model = Some(model);
        }
        if let Some(usage) = chunk.usage {
            deltas.push(Delta::Usage(Usage {
                input_tokens: usage.prompt_tokens,
                output_tokens: usage.completion_tokens,
            }));
        }
        let Some(choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) else {
            return Ok(());
        };
        let content = choice.delta.and_then(|delta| delta.content);
        let text = content.map(content_text).unwrap_or_default();
        if !text.is_empty() {
            deltas.push(Delta::Text(text));
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.finished = true;
            deltas.push(Delta::Finish(match reason.as_str() {
                "length" => Finish::Length,
                _ => Finish::Stop,
            }));
        }
        Ok(())
    }

    /// The body has ended.
    ///
    /// # Errors
    /// `upstream_interrupted`: there was no finish reason, so the answer was cut.
    pub fn end(&self) -> Result<(), Failure> {
        if self.finished {
            return Ok(());
        }
        Err(Failure::new(
            Code::UpstreamInterrupted,
            "the stream ended without a finish reason",
        ))
    }
}

/// Content is a string, or for some servers a list of parts.
fn content_text(content: Value) -> String {
    match content {
        Value::String(text) => text,
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect(),
        _ => String::new(),
    }
}

/// The failure that an HTTP status other than 200 stands for; `body` is its first bytes.
pub fn refusal(status: u16, retry_after: Option<u32>, body: &[u8]) -> Failure {
    let error = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let error = error.get("error").unwrap_or(&Value::Null);
    Failure {
        code: Code::UpstreamUnavailable,
        detail: format!("HTTP {status}, {}", named(error)),
        retry_after,
    }
}

/// An error by its type and code: its message may quote what the visitor wrote, or the key.
fn named(error: &Value) -> String {
    let name = |field: &str| {
        error
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or("unknown")
    };
    let short = |text: &str| -> String { text.chars().take(80).collect() };
    format!(
        "error of type {}, code {}",
        short(name("type")),
        short(name("code"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pieces: &[&[u8]]) -> Result<Vec<Delta>, Failure> {
        let mut decoder = Decoder::default();
        let mut deltas = Vec::new();
        for piece in pieces {
            decoder.push(piece, &mut deltas)?;
        }
        decoder.end()?;
        Ok(deltas)
    }

    const STREAM: &str = concat!(
        ": comment\r\n\r\n",
        "data: {\"model\":\"m-1\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
        "data: {\"model\":\"m-1\",\"choices\":[{\"delta\":{\"content\":\"Été 🫧\"},\"finish_reason\":null}],\"usage\":null}\r\n\r\n",
        "data: {\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"!\"}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n",
        "data: [DONE]\n\n",
    );

    #[test]
    fn an_answer_is_the_same_wherever_it_is_cut() {
        let whole = decode(&[STREAM.as_bytes()]).unwrap();
        assert_eq!(
            whole,
            [
                Delta::Model("m-1".into()),
                Delta::Text("Été 🫧".into()),
                Delta::Text("!".into()),
                Delta::Finish(Finish::Stop),
                Delta::Usage(Usage {
                    input_tokens: 7,
                    output_tokens: 3
                }),
            ]
        );
        for cut in 0..=STREAM.len() {
            let (a, b) = STREAM.as_bytes().split_at(cut);
            assert_eq!(decode(&[a, b]).unwrap(), whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_not_an_answer_is_a_failure() {
        for broken in [
            "",
            "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\ndata: [DONE]\n\n",
            "data: {nonsense\n\n",
            "data: {\"error\":{\"message\":\"overloaded\"}}\n\n",
            "{\"choices\":[{\"message\":{\"content\":\"not a stream\"}}]}",
            "<html>Bad gateway</html>",
        ] {
            let failure = decode(&[broken.as_bytes()]).unwrap_err();
            assert_eq!(failure.code, Code::UpstreamInterrupted, "{broken}");
        }
    }

    #[test]
    fn a_missing_done_is_forgiven_and_length_is_told() {
        let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"length\"}]}\n\n";
        assert_eq!(
            decode(&[stream.as_bytes()]).unwrap(),
            [Delta::Text("a".into()), Delta::Finish(Finish::Length)]
        );
    }

    #[test]
    fn the_key_goes_into_a_header_and_nowhere_else() {
        let server = Server {
            base_url: "https://api.example/v1/".into(),
            api_key: Some("sk-secret".into()),
            model: "m".into(),
        };
        let question = crate::fakes::question("Bonjour");
        let prompt = crate::prompt::build(&question, &crate::retrieval::Passages::default(), &[]);
        let request = Model {
            server: &server,
            name: "m",
        }
        .request(&prompt, None)
        .unwrap();
        assert_eq!(request.url, "https://api.example/v1/chat/completions");
        assert!(!request.body.contains("sk-secret"));
        assert!(
            request
                .headers
                .contains(&("authorization", "Bearer sk-secret".to_owned()))
        );
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["stream"], true);
        assert_eq!(body["messages"][0]["role"], "system");
        assert_eq!(body["stream_options"]["include_usage"], true);
    }
}
