//! OpenAI-compatible chat completions, streamed: OpenAI, Mistral, Groq, OpenRouter, Ollama, vLLM, LiteLLM and
//! others. Source: the API reference of `POST /chat/completions` and its `chat.completion.chunk` objects.
//! Servers differ, so the reader is lenient: a missing `[DONE]`, usage in any chunk, content as text or as
//! parts. It is strict about one thing: an answer without a finish reason has not ended.

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
    ports::ModelRequest,
    prompt::{Prompt, Turn},
    settings::ProviderChoice,
};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: &'a [Turn],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
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
    let bound = model.habits.bound_name(&model.server.base_url);
    let named = |name| most.filter(|_| bound == Some(name));
    let body = Body {
        model: model.name,
        messages: &model.turns(prompt),
        stream: true,
        stream_options: (!model.habits.uncounted).then_some(StreamOptions {
            include_usage: true,
        }),
        max_tokens: named("max_tokens"),
        max_completion_tokens: named("max_completion_tokens"),
    };
    model.post("chat/completions", &body, |key| {
        // https://learn.microsoft.com/azure/ai-foundry/openai/latest: the same API with another header for the key.
        match model.server.provider.choice {
            ProviderChoice::Azure => ("api-key", key.to_owned()),
            _ => ("authorization", format!("Bearer {key}")),
        }
    })
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
    /// All of it, of a server that does not stream.
    message: Option<ChoiceDelta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct ChoiceDelta {
    content: Option<Value>,
    /// The model's thinking, under the names that servers give it. It is not read.
    reasoning_content: Option<Value>,
    reasoning: Option<Value>,
}

impl ChoiceDelta {
    /// Whether thinking is sent apart.
    fn thinks(&self) -> bool {
        let fields = [&self.reasoning_content, &self.reasoning];
        let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        fields.into_iter().flatten().any(is_text)
    }
}

#[derive(Deserialize)]
struct ChunkUsage {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
}

/// Reads chunks of an answer.
#[derive(Debug, Default)]
pub struct OpenAiReader {
    model: Option<String>,
}

impl Read for OpenAiReader {
    fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<Step, Failure> {
        if data == "[DONE]" {
            return Ok(Step::Last);
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|e| malformed(&e))?;
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
            deltas.push(Delta::Usage(Usage::counted(
                usage.prompt_tokens,
                usage.completion_tokens,
            )));
        }
        let Some(choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) else {
            return Ok(Step::More);
        };
        let delta = choice.delta.or(choice.message);
        if delta.as_ref().is_some_and(ChoiceDelta::thinks) {
            deltas.push(Delta::Apart);
        }
        let content = delta.and_then(|delta| delta.content);
        let text = content.map(content_text).unwrap_or_default();
        if !text.is_empty() {
            deltas.push(Delta::Text(text));
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            if reason == "content_filter" {
                return Err(Failure::filtered(&reason));
            }
            deltas.push(Delta::Finish(match reason.as_str() {
                "length" => Finish::Length,
                _ => Finish::Stop,
            }));
        }
        Ok(Step::More)
    }
}

/// Content is a string, or for some servers a list of parts, of which some may be the model's thinking.
fn content_text(content: Value) -> String {
    match content {
        Value::String(text) => text,
        Value::Array(parts) => parts
            .iter()
            .filter(|part| {
                let kind = part.get("type").and_then(Value::as_str);
                kind.is_none_or(|kind| kind == "text" || kind == "output_text")
            })
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vendors;

    fn decode(stream: &str) -> Result<Vec<Delta>, Failure> {
        vendors::decode::<OpenAiReader>(&[stream.as_bytes()])
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
        vendors::says::<OpenAiReader>(
            STREAM,
            &[
                Delta::Model("m-1".into()),
                Delta::Text("Été 🫧".into()),
                Delta::Text("!".into()),
                Delta::Finish(Finish::Stop),
                Delta::Usage(Usage::counted(7, 3)),
            ],
        );
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
            let failure = decode(broken).unwrap_err();
            assert_eq!(failure.code, Code::UpstreamInterrupted, "{broken}");
        }
    }

    #[test]
    fn a_missing_done_is_forgiven_and_length_is_told() {
        let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"length\"}]}\n\n";
        assert_eq!(
            decode(stream).unwrap(),
            [Delta::Text("a".into()), Delta::Finish(Finish::Length)]
        );
    }

    #[test]
    fn the_key_goes_into_a_header_and_nowhere_else() {
        let server = vendors::server("openai", "https://api.example/v1/", Some("sk-secret"));
        let question = crate::testing::question("Bonjour");
        let prompt = crate::testing::prompt(&question);
        let model = vendors::model(&server, "m");
        let request = model.request(&prompt, None).unwrap();
        let (url, headers) = vendors::http(&request);
        assert_eq!(url, "https://api.example/v1/chat/completions");
        assert!(!request.body.contains("sk-secret"));
        assert!(headers.contains(&("authorization", "Bearer sk-secret".to_owned())));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["stream"], true);
        assert_eq!(body["messages"][0]["role"], "system");
        assert_eq!(body["stream_options"]["include_usage"], true);
    }
}
