//! OpenAI-compatible chat completions, streamed: OpenAI, Mistral, Groq, OpenRouter, Ollama, vLLM, LiteLLM and
//! others. Source: the API reference of `POST /chat/completions` and its `chat.completion.chunk` objects.
//! Servers differ, so the reader is lenient: a missing `[DONE]`, usage in any chunk, content as text or as
//! parts. It is strict about one thing: an answer without a finish reason has not ended.

use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
};
use serde::Serialize;
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
        stream: !model.habits.unstreamed,
        stream_options: (!model.habits.uncounted && !model.habits.unstreamed).then_some(
            StreamOptions {
                include_usage: true,
            },
        ),
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

/// Reads chunks of an answer.
#[derive(Debug, Default)]
pub struct OpenAiReader {
    model: Option<String>,
    /// Whether the answer has text.
    wrote: bool,
}

impl Read for OpenAiReader {
    fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<Step, Failure> {
        if data == "[DONE]" {
            return Ok(Step::Last);
        }
        let chunk: Value = serde_json::from_str(data).map_err(|e| malformed(&e))?;
        match chunk {
            // Several chunks in one event.
            Value::Array(chunks) => (chunks.iter()).try_for_each(|one| self.chunk(one, deltas))?,
            chunk => self.chunk(&chunk, deltas)?,
        }
        Ok(Step::More)
    }
}

impl OpenAiReader {
    /// Reads a chunk. A field of an unexpected type is taken for a missing one.
    pub(super) fn chunk(&mut self, chunk: &Value, deltas: &mut Vec<Delta>) -> Result<(), Failure> {
        if let Some(error) = chunk.get("error").filter(|error| !is_nothing(error)) {
            return Err(Failure::new(Code::UpstreamInterrupted, named(error)));
        }
        let model = chunk.get("model").and_then(Value::as_str);
        if let Some(model) = model.filter(|model| !model.is_empty())
            && self.model.as_deref() != Some(model)
        {
            deltas.push(Delta::Model(model.to_owned()));
            self.model = Some(model.to_owned());
        }
        deltas.extend(chunk.get("usage").and_then(usage).map(Delta::Usage));
        // Of several answers to one question, the first is read.
        let choices = chunk.get("choices").and_then(Value::as_array);
        let first = |choice: &&Value| choice.get("index").is_none_or(|index| *index == 0);
        let Some(choice) = choices.and_then(|choices| choices.iter().find(first)) else {
            return Ok(());
        };
        let delta = choice.get("delta").filter(|delta| delta.is_object());
        if delta.is_some_and(thinks) {
            deltas.push(Delta::Apart);
        }
        let text = delta.and_then(|delta| delta.get("content"));
        let mut text = text.map(content_text).unwrap_or_default();
        // All of it, of a server that does not stream.
        if text.is_empty() && !self.wrote {
            let whole = choice.pointer("/message/content").or(choice.get("text"));
            text = whole.map(content_text).unwrap_or_default();
        }
        if !text.is_empty() {
            self.wrote = true;
            deltas.push(Delta::Text(text));
        }
        let reason = choice.get("finish_reason").and_then(Value::as_str);
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            deltas.push(Delta::Finish(finish(reason)?));
        }
        Ok(())
    }
}

/// Whether a field says nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether thinking is sent in a field of its own, under one of the names that servers give it. It is not read.
fn thinks(delta: &Value) -> bool {
    let named = |name: &str| {
        ["reasoning", "think", "thought"]
            .iter()
            .any(|it| name.starts_with(it))
    };
    let mut fields = delta.as_object().into_iter().flatten();
    fields.any(|(name, value)| named(name) && !is_nothing(value))
}

/// The counted tokens; `None` when one of the two counts cannot be read.
fn usage(usage: &Value) -> Option<Usage> {
    let count = |name: &str| {
        let value = usage.get(name)?;
        let number = value
            .as_str()
            .map_or_else(|| value.as_f64(), |text| text.trim().parse().ok());
        number.filter(|n| *n >= 0.0).map(|n| n as u32)
    };
    Some(Usage::counted(
        count("prompt_tokens")?,
        count("completion_tokens")?,
    ))
}

/// What a finish reason means. An unknown one is an end like any other.
fn finish(reason: &str) -> Result<Finish, Failure> {
    match reason.to_ascii_lowercase().as_str() {
        "length" | "max_tokens" | "max_length" | "max_output_tokens" | "max_new_tokens"
        | "model_length" => Ok(Finish::Length),
        "content_filter" | "content_filtered" | "safety" | "sensitive" | "recitation"
        | "prohibited_content" | "blocklist" => Err(Failure::filtered(reason)),
        "error"
        | "network_error"
        | "server_error"
        | "insufficient_system_resource"
        | "abort"
        | "aborted"
        | "cancelled"
        | "canceled"
        | "timeout" => {
            let detail = format!(
                "the model ended with the reason {}",
                reason.to_ascii_lowercase()
            );
            Err(Failure::new(Code::UpstreamInterrupted, detail))
        }
        _ => Ok(Finish::Stop),
    }
}

/// Content is a string, or for some servers a part or a list of parts, of which some may be the model's thinking.
fn content_text(content: &Value) -> String {
    let parts = match content {
        Value::String(text) => return text.clone(),
        Value::Array(parts) => parts.as_slice(),
        part => std::slice::from_ref(part),
    };
    let is_text = |part: &&Value| {
        let kind = part.get("type").and_then(Value::as_str);
        kind.is_none_or(|kind| kind == "text" || kind == "output_text")
    };
    let texts = parts.iter().filter(is_text);
    texts
        .filter_map(|part| part.get("text").and_then(Value::as_str))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{record::Outcome, testing::vendors};

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

    /// What compatible servers send in the place of what the reference says.
    #[test]
    fn unusual_fields_cost_no_answer() {
        let text = || Delta::Text("Hi".into());
        let stop = || Delta::Finish(Finish::Stop);
        let hi = r#"{"choices":[{"delta":{"content":"Hi"}}]}"#;
        let end = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
        for events in [
            format!("[{hi},{end}]"),
            format!(
                "{}\n{end}",
                hi.replace("\"Hi\"", r#"{"type":"text","text":"Hi"}"#)
            ),
            format!(
                "{}\n{end}",
                hi.replace("\"delta\"", r#""delta":null,"message""#)
            ),
            format!(
                "{}\n{end}",
                hi.replace("\"delta\"", r#""delta":"","message""#)
            ),
            format!(
                "{hi}\n{}",
                end.replace("\"delta\":{}", r#""message":{"content":"Hi"}"#)
            ),
            r#"{"choices":[{"text":"Hi","finish_reason":"eos"}]}"#.to_owned(),
            format!("{{\"model\":null,\"choices\":null}}\n{hi}\n{end}"),
            format!("{hi}\n{}", end.replacen('{', r#"{"error":{},"#, 1)),
            format!(
                "{hi}\n{}",
                end.replacen('{', r#"{"error":"","model":7,"#, 1)
            ),
            format!("{hi}\n{}", end.replacen('{', r#"{"usage":[],"#, 1)),
            format!(
                "{hi}\n{}",
                end.replacen(
                    '{',
                    r#"{"usage":{"prompt_tokens":7,"completion_tokens":null},"#,
                    1
                )
            ),
            format!("{hi}\n{}\n{end}", end.replace("\"stop\"", "false")),
            format!(
                "{}\n{}\n{end}",
                hi.replace("}]", r#"},{"index":1,"delta":{"content":"No"}}]"#),
                r#"{"choices":[{"index":1,"delta":{"content":"No"},"finish_reason":"stop"}]}"#
            ),
        ] {
            let stream: String = events
                .lines()
                .map(|line| format!("data: {line}\n\n"))
                .collect();
            assert_eq!(decode(&stream).unwrap(), [text(), stop()], "{events}");
        }
        for count in ["7", "7.0", "\"7\""] {
            let stream = format!(
                "data: {{\"usage\":{{\"prompt_tokens\":{count},\"completion_tokens\":3}}}}\n\ndata: {end}\n\n"
            );
            let usage = Delta::Usage(Usage::counted(7, 3));
            assert_eq!(decode(&stream).unwrap(), [usage, stop()], "{count}");
        }
    }

    #[test]
    fn finish_reasons_have_many_names() {
        let ended = |reason: &str| {
            let stream = format!(
                "data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\"}},\"finish_reason\":\"{reason}\"}}]}}\n\n"
            );
            decode(&stream).map(|deltas| deltas.last().cloned())
        };
        for length in ["length", "max_tokens", "MAX_TOKENS", "model_length"] {
            assert_eq!(
                ended(length),
                Ok(Some(Delta::Finish(Finish::Length))),
                "{length}"
            );
        }
        for stop in ["stop", "eos", "stop_sequence", "end_turn"] {
            assert_eq!(ended(stop), Ok(Some(Delta::Finish(Finish::Stop))), "{stop}");
        }
        for (reason, outcome) in [
            ("content_filter", Outcome::Filtered),
            ("SAFETY", Outcome::Filtered),
            ("sensitive", Outcome::Filtered),
            ("error", Outcome::Interrupted),
            ("abort", Outcome::Interrupted),
            ("insufficient_system_resource", Outcome::Interrupted),
        ] {
            assert_eq!(ended(reason).unwrap_err().outcome, outcome, "{reason}");
        }
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
