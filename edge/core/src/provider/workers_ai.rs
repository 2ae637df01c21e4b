//! Cloudflare Workers AI through the Worker's own binding: no key, no address. Source: the reference of
//! `env.AI.run(model, { messages, stream: true })`, which gives a stream of server-sent events. Older models write
//! `{"response": "…"}` and end with `[DONE]` alone; newer ones write chunks of chat completions.

use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
};
use serde::Serialize;
use serde_json::Value;

use super::{
    Delta, Failure, Model,
    decoder::{Read, Step, malformed, named},
    openai,
};
use crate::{
    ports::{Destination, ModelRequest},
    prompt::{Prompt, Turn},
};

/// Tokens of an answer where no budget bounds it: the platform's own default of 256 cuts most answers.
const MOST_TOKENS: u32 = 4_096;

#[derive(Serialize)]
struct Input<'a> {
    messages: &'a [Turn],
    stream: bool,
    max_tokens: u32,
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
    let input = Input {
        messages: &model.turns(prompt),
        stream: true,
        max_tokens: most.unwrap_or(MOST_TOKENS),
    };
    let body = serde_json::to_string(&input);
    Ok(ModelRequest {
        to: Destination::Binding {
            model: model.name.to_owned(),
        },
        body: body.map_err(|e| Failure::new(Code::Internal, e.to_string()))?,
    })
}

/// Reads the events of an answer.
#[derive(Debug, Default)]
pub struct WorkersAiReader {
    chunks: openai::OpenAiReader,
    /// Whether the model gives a finish reason; where it does not, `[DONE]` ends the answer.
    tells: bool,
}

impl Read for WorkersAiReader {
    fn event(&mut self, data: &str, deltas: &mut Vec<Delta>) -> Result<Step, Failure> {
        if data == "[DONE]" {
            if !self.tells {
                deltas.push(Delta::Finish(Finish::Stop));
            }
            return Ok(Step::Last);
        }
        let event: Value = serde_json::from_str(data).map_err(|e| malformed(&e))?;
        if event.get("choices").is_some() {
            self.tells = true;
            self.chunks.chunk(&event, deltas)?;
            return Ok(Step::More);
        }
        let first = event.pointer("/errors/0").or(event.get("error"));
        if let Some(error) = first.filter(|error| !error.is_null()) {
            return Err(Failure::new(Code::UpstreamInterrupted, named(error)));
        }
        // A piece of text that is a number comes as a JSON number.
        let text = match event.get("response") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        if !text.is_empty() {
            deltas.push(Delta::Text(text));
        }
        if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
            let count = |name: &str| {
                let count = usage.get(name).and_then(Value::as_u64);
                count
                    .and_then(|n| u32::try_from(n).ok())
                    .unwrap_or_default()
            };
            deltas.push(Delta::Usage(Usage::counted(
                count("prompt_tokens"),
                count("completion_tokens"),
            )));
        }
        Ok(Step::More)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::vendors;

    #[test]
    fn both_ways_of_streaming_are_read_wherever_they_are_cut() {
        let old = concat!(
            "data: {\"response\":\"Été 🫧 \",\"p\":\"abc\"}\n\n",
            "data: {\"response\":8}\n\n",
            "data: {\"response\":\"\",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}\n\n",
            "data: [DONE]\n\n",
        );
        let text = |text: &str| Delta::Text(text.into());
        let usage = || Delta::Usage(Usage::counted(7, 3));
        let stop = || Delta::Finish(Finish::Stop);
        vendors::says::<WorkersAiReader>(old, &[text("Été 🫧 "), text("8"), usage(), stop()]);
        let new = concat!(
            "data: {\"model\":\"@cf/m\",\"choices\":[{\"delta\":{\"content\":\"Été\"}}]}\n\n",
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\n",
            "data: [DONE]\n\n",
        );
        let model = Delta::Model("@cf/m".into());
        vendors::says::<WorkersAiReader>(new, &[model, text("Été"), usage(), stop()]);
    }

    #[test]
    fn what_is_not_an_answer_is_a_failure() {
        for broken in [
            "",
            "data: {\"response\":\"half\"}\n\n",
            "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\ndata: [DONE]\n\n",
            "data: {\"errors\":[{\"message\":\"no\",\"code\":5007}]}\n\n",
            "data: {nonsense\n\n",
        ] {
            let failure = vendors::decode::<WorkersAiReader>(&[broken.as_bytes()]).unwrap_err();
            assert_eq!(failure.code, Code::UpstreamInterrupted, "{broken}");
        }
    }

    #[test]
    fn the_request_goes_to_the_binding() {
        let server = vendors::server("workers_ai", "", None);
        let question = crate::testing::question("Bonjour");
        let prompt = crate::testing::prompt(&question);
        let request = vendors::model(&server, "@cf/x").request(&prompt, Some(9));
        let request = request.unwrap();
        assert!(matches!(request.to, Destination::Binding { model } if model == "@cf/x"));
        let body: Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!(
            (&body["stream"], &body["max_tokens"]),
            (&true.into(), &9.into())
        );
    }
}
