//! Google's Gemini API, streamed. Source: the API reference of `models.streamGenerateContent` with `alt=sse`: each event is
//! a `GenerateContentResponse`; the stream has no last event of its own.

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
    prompt::{Prompt, Role},
};

/// The categories of the vendor's safety filters. A bot speaks in its owner's name to everyone, so text that is
/// probably harmful in any of them is blocked.
/// of them is not said.
const HARMS: [&str; 4] = [
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    contents: Vec<Content<'a>>,
    safety_settings: Vec<SafetySetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<GenerationConfig>,
}

#[derive(Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: [Part<'a>; 1],
}

#[derive(Serialize)]
struct Part<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct SafetySetting {
    category: &'static str,
    threshold: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    max_output_tokens: u32,
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
    // The name becomes part of the URL, and a bot's settings may hold any name.
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if !model.name.chars().all(plain) {
        let detail = "the model's name has letters, digits, `-`, `.` and `_` only";
        return Err(Failure::new(Code::Misconfigured, detail));
    }
    let content = |role, text| Content {
        role,
        parts: [Part { text }],
    };
    let mut body = Body {
        system_instruction: None,
        contents: Vec::new(),
        safety_settings: HARMS
            .map(|category| SafetySetting {
                category,
                threshold: "BLOCK_MEDIUM_AND_ABOVE",
            })
            .into(),
        generation_config: most.map(|max_output_tokens| GenerationConfig { max_output_tokens }),
    };
    let turns = model.turns(prompt);
    for turn in turns.iter() {
        match turn.role {
            Role::System => body.system_instruction = Some(content(None, &turn.content)),
            Role::User => body.contents.push(content(Some("user"), &turn.content)),
            Role::Assistant => body.contents.push(content(Some("model"), &turn.content)),
        }
    }
    let path = format!("models/{}:streamGenerateContent?alt=sse", model.name);
    model.post(&path, &body, |key| ("x-goog-api-key", key.to_owned()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    #[serde(default)]
    candidates: Vec<Candidate>,
    usage_metadata: Option<UsageMetadata>,
    model_version: Option<String>,
    prompt_feedback: Option<PromptFeedback>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<AnswerContent>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct AnswerContent {
    #[serde(default)]
    parts: Vec<AnswerPart>,
}

#[derive(Deserialize)]
struct AnswerPart {
    #[serde(default)]
    text: String,
    /// True for the model's thoughts, which are not part of the answer.
    #[serde(default)]
    thought: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UsageMetadata {
    #[serde(default)]
    prompt_token_count: u32,
    #[serde(default)]
    candidates_token_count: u32,
    #[serde(default)]
    thoughts_token_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

fn counted(usage: UsageMetadata) -> Delta {
    Delta::Usage(Usage::counted(
        usage.prompt_token_count,
        usage
            .candidates_token_count
            .saturating_add(usage.thoughts_token_count),
    ))
}

/// Reads the chunks of an answer.
#[derive(Debug, Default)]
pub struct GeminiReader {
    named: bool,
    /// Whether the finish reason has come.
    finished: bool,
}

impl Read for GeminiReader {
    fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<Step, Failure> {
        let chunk: Chunk = serde_json::from_str(data).map_err(|e| malformed(&e))?;
        if let Some(error) = chunk.error {
            return Err(Failure::new(Code::UpstreamInterrupted, named(&error)));
        }
        if let Some(reason) = chunk
            .prompt_feedback
            .and_then(|feedback| feedback.block_reason)
        {
            deltas.extend(chunk.usage_metadata.map(counted));
            return Err(Failure::filtered(&format!("the prompt, {reason}")));
        }
        if let Some(model) = chunk
            .model_version
            .filter(|model| !self.named && !model.is_empty())
        {
            self.named = true;
            deltas.push(Delta::Model(model));
        }
        let candidate = chunk.candidates.into_iter().next();
        let (content, reason) = candidate.map_or((None, None), |c| (c.content, c.finish_reason));
        let parts = content.map(|content| content.parts).unwrap_or_default();
        let said = parts.into_iter().filter(|part| !part.thought);
        let text: String = said.map(|part| part.text).collect();
        if !text.is_empty() {
            deltas.push(Delta::Text(text));
        }
        let finish = match reason.as_deref() {
            None => None,
            Some("STOP") => Some(Finish::Stop),
            Some("MAX_TOKENS") => Some(Finish::Length),
            // A filter has blocked the rest: the answer is the text before it.
            Some(reason) => {
                deltas.extend(chunk.usage_metadata.map(counted));
                return Err(Failure::filtered(reason));
            }
        };
        self.finished |= finish.is_some();
        // Every chunk has a count; only the last one is complete, and it may come after the finish reason.
        let usage = chunk.usage_metadata.filter(|_| self.finished);
        deltas.extend(usage.map(counted));
        deltas.extend(finish.map(Delta::Finish));
        Ok(Step::More)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vendors;

    const STREAM: &str = concat!(
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":true},{\"text\":\"Été \"}],\"role\":\"model\"},\"index\":0}],",
        "\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":1},\"modelVersion\":\"gemini-x\"}\r\n\r\n",
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"🫧\"}]},\"finishReason\":\"STOP\"}],",
        "\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":3,\"thoughtsTokenCount\":4},\"modelVersion\":\"gemini-x\"}\r\n\r\n",
    );

    fn decode(stream: &str) -> Result<Vec<Delta>, Failure> {
        vendors::decode::<GeminiReader>(&[stream.as_bytes()])
    }

    #[test]
    fn an_answer_is_the_same_wherever_it_is_cut() {
        let usage = Usage::counted(7, 7);
        vendors::says::<GeminiReader>(
            STREAM,
            &[
                Delta::Model("gemini-x".into()),
                Delta::Text("Été ".into()),
                Delta::Text("🫧".into()),
                Delta::Usage(usage),
                Delta::Finish(Finish::Stop),
            ],
        );
    }

    #[test]
    fn tokens_that_are_counted_after_the_end_are_counted() {
        let stream = concat!(
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\n\n",
            "data: {\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":1}}\n\n",
        );
        let deltas = decode(stream).unwrap();
        assert_eq!(deltas.last(), Some(&Delta::Usage(Usage::counted(7, 1))));
    }

    #[test]
    fn what_breaks_off_or_is_blocked_is_a_failure() {
        let first = STREAM.split_inclusive("\r\n\r\n").next().unwrap();
        let said = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"SAFETY\"}]}\n\n";
        for (stream, says) in [
            (first, "without a finish reason"),
            (said, "SAFETY"),
            (
                "data: {\"promptFeedback\":{\"blockReason\":\"OTHER\"}}\n\n",
                "prompt, OTHER",
            ),
            (
                "data: {\"error\":{\"status\":\"UNAVAILABLE\",\"message\":\"secret\"}}\n\n",
                "error of type",
            ),
            ("data: <html>\n\n", "error at column"),
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
        let server = vendors::server("gemini", "https://api.example/v1beta/", Some("secret-key"));
        let model = vendors::model(&server, "gemini-x");
        let question = crate::testing::question("Bonjour");
        let prompt = crate::testing::prompt(&question);
        let request = model.request(&prompt, Some(2_000)).unwrap();
        let (url, headers) = vendors::http(&request);
        assert_eq!(
            url,
            "https://api.example/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
        );
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(body["generationConfig"]["maxOutputTokens"], 2_000);
        assert!(
            body["systemInstruction"]["parts"][0]["text"]
                .as_str()
                .unwrap()
                .contains("Jumeau")
        );
        assert_eq!(
            body["contents"],
            serde_json::json!([{"role": "user", "parts": [{"text": "Bonjour"}]}])
        );
        assert_eq!(body["safetySettings"].as_array().unwrap().len(), 4);
        assert!(!request.body.contains("secret-key") && !url.contains("secret-key"));
        let elsewhere = Model {
            name: "x/../../files?",
            ..model
        };
        assert!(elsewhere.request(&prompt, None).is_err());
        assert!(headers.contains(&("x-goog-api-key", "secret-key".to_owned())));
    }
}
