//! Providers of models. A provider is sans-IO: it makes the bytes of a request, and reads the bytes of the response,
//! cut anywhere, into [`Delta`]s. [`crate::turn`] sends and receives them.

pub mod anthropic;
pub mod breaker;
pub mod decoder;
pub mod extractive;
pub mod gemini;
pub mod habits;
pub mod openai;
pub mod prices;
pub mod workers_ai;

use bulle_edge_text::tokens;
use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
};
use serde::Serialize;
use std::borrow::Cow;

use crate::{
    ports::{Destination, ModelRequest},
    prompt::{self, Prompt},
    record::Outcome,
    settings::{BotSettings, Price, ProviderChoice, TimeoutSettings},
    thinking::Expect,
};
use decoder::{Decoder, Read};
use habits::{Complaint, Habits};

/// A step of a model's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// More text.
    Text(String),
    /// All text of this response so far was thinking.
    TakenBack,
    /// The server sends thinking in a field of its own.
    Apart,
    /// The model's name in the response.
    Model(String),
    /// Tokens so far.
    Usage(Usage),
    /// The finish reason of the model.
    Finish(Finish),
}

/// Why a model did not answer, or not to the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {detail}")]
pub struct Failure {
    /// One of the `upstream_*` codes.
    pub code: Code,
    /// The outcome that is recorded.
    pub outcome: Outcome,
    /// For the log: may quote the vendor, never shown to visitors.
    pub detail: String,
    /// Status of the HTTP response, when it is an error.
    pub status: Option<u16>,
    /// What a refusal says about the request's parameters.
    pub complaint: Complaint,
    /// Seconds to wait, when the vendor gives them.
    pub retry_after: Option<u32>,
    /// The model had less time than the deployment's timeouts give it, so the failure does not count for its circuit.
    pub hasty: bool,
}

impl Failure {
    /// A failure with the usual outcome of the code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            outcome: match code {
                Code::UpstreamTimeout => Outcome::TimedOut,
                Code::UpstreamInterrupted => Outcome::Interrupted,
                Code::Misconfigured => Outcome::Refused,
                _ => Outcome::Unreachable,
            },
            detail: detail.into(),
            status: None,
            complaint: Complaint::default(),
            retry_after: None,
            hasty: false,
        }
    }

    /// The vendor's filter has refused the content; another vendor may answer.
    pub fn filtered(why: &str) -> Self {
        Self {
            outcome: Outcome::Filtered,
            ..Self::new(Code::UpstreamInterrupted, format!("filtered: {why}"))
        }
    }

    /// The response cannot be decoded.
    pub fn undecodable(detail: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Undecodable,
            ..Self::new(Code::UpstreamInterrupted, detail)
        }
    }

    /// Whether later requests will fail in the same way until the owner or the operator corrects the configuration.
    pub fn is_lasting(&self) -> bool {
        match self.outcome {
            Outcome::Undecodable => true,
            Outcome::Refused => (self.status).is_none_or(|status| {
                (400..500).contains(&status) && ![408, 409, 425, 429].contains(&status)
            }),
            _ => false,
        }
    }

    /// Whether a retry with the same model may help soon.
    pub fn is_passing(&self) -> bool {
        match self.outcome {
            Outcome::Unreachable => true,
            Outcome::Refused => self
                .status
                .is_some_and(|status| status == 408 || status == 429 || status >= 500),
            _ => false,
        }
    }

    /// Whether another key of the same vendor may help: this one is invalid or over its limit.
    pub fn is_of_the_key(&self) -> bool {
        matches!(self.status, Some(401 | 403 | 429))
    }

    /// Whether the failure counts for the model's circuit, and not only for this prompt.
    pub fn is_of_the_model(&self) -> bool {
        if self.code == Code::Misconfigured {
            return false;
        }
        match self.outcome {
            Outcome::Unreachable
            | Outcome::TimedOut
            | Outcome::Interrupted
            | Outcome::Undecodable => true,
            Outcome::Refused => self
                .status
                .is_none_or(|status| ![400, 413, 422].contains(&status)),
            _ => false,
        }
    }
}

/// How long to wait for a model, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the request to the head of the response.
    pub connect: u64,
    /// Milliseconds from the request to the first text.
    pub first_token: u64,
    /// Between two pieces of text.
    pub between_tokens: u64,
    /// For the whole answer, all models that are asked for it together.
    pub total: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: 10_000,
            first_token: 30_000,
            between_tokens: 20_000,
            total: 180_000,
        }
    }
}

impl Timeouts {
    /// These timeouts, with those of the bot's settings in their place.
    #[must_use]
    pub fn with(self, own: TimeoutSettings) -> Self {
        let or = |own: Option<u32>, default| own.map_or(default, u64::from);
        Self {
            connect: or(own.connect_ms, self.connect),
            first_token: or(own.first_token_ms, self.first_token),
            between_tokens: or(own.between_tokens_ms, self.between_tokens),
            total: or(own.total_ms, self.total),
        }
    }
}

/// The API of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Chat completions: OpenAI and all compatible servers.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Google's Gemini.
    Gemini,
    /// Cloudflare's Workers AI, a binding of the Worker.
    WorkersAi,
}

/// A provider that a deployment may have.
#[derive(Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name in settings.
    pub choice: ProviderChoice,
    /// Its name in answers and records; in capitals, the prefix of its variables (`MISTRAL_API_KEY`).
    pub name: &'static str,
    /// The API of its servers.
    pub vendor: Vendor,
    /// Its address unless `…_BASE_URL` sets another; empty where every deployment has its own.
    pub base_url: &'static str,
    /// Its model unless `…_MODEL` sets another; empty where there is no stable name.
    pub model: &'static str,
}

/// Every provider, in the order in which bots without a choice use them. A new one is a line here and in
/// [`ProviderChoice`], and a file where its API is a new one.
#[rustfmt::skip]
pub static PROVIDERS: [Provider; 11] = {
    use {ProviderChoice as Choice, Vendor::{Anthropic, Gemini, OpenAi, WorkersAi}};
    const fn known(choice: Choice, name: &'static str, vendor: Vendor, base_url: &'static str, model: &'static str) -> Provider {
        Provider { choice, name, vendor, base_url, model }
    }
    [
        known(Choice::Openai, "openai", OpenAi, "https://api.openai.com/v1", "gpt-4o-mini"),
        known(Choice::Anthropic, "anthropic", Anthropic, "https://api.anthropic.com/v1", ""),
        known(Choice::Gemini, "gemini", Gemini, "https://generativelanguage.googleapis.com/v1beta", ""),
        known(Choice::Azure, "azure", OpenAi, "", ""),
        known(Choice::Mistral, "mistral", OpenAi, "https://api.mistral.ai/v1", "mistral-small-latest"),
        known(Choice::Groq, "groq", OpenAi, "https://api.groq.com/openai/v1", ""),
        known(Choice::Openrouter, "openrouter", OpenAi, "https://openrouter.ai/api/v1", "openrouter/auto"),
        known(Choice::Ollama, "ollama", OpenAi, "", ""),
        known(Choice::Vllm, "vllm", OpenAi, "", ""),
        known(Choice::Litellm, "litellm", OpenAi, "", ""),
        known(Choice::WorkersAi, "workers_ai", WorkersAi, "", ""),
    ]
};

/// A provider as the deployment has it, from its secrets and variables.
#[derive(Clone)]
pub struct Server {
    /// The provider.
    pub provider: &'static Provider,
    /// Such as `https://api.openai.com/v1`, with or without a trailing slash; empty for a binding.
    pub base_url: String,
    /// Its keys, used in turn; empty for servers that need none (Ollama, vLLM).
    pub api_keys: Vec<String>,
    /// Model name unless a bot has its own; empty when the deployment names none.
    pub model: String,
}

/// A model of a server.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    /// The server that runs it.
    pub server: &'a Server,
    /// Its name.
    pub name: &'a str,
    /// Its price in the bot's settings.
    pub price: Option<Price>,
    /// The index of the key to use; it may exceed the number of keys, and starts again from the first.
    pub key: usize,
    /// Its known habits.
    pub habits: Habits,
}

impl Model<'_> {
    /// The request for an answer to the prompt, of at most that many tokens.
    ///
    /// # Errors
    /// The prompt could not be serialised, or the model's name cannot stand in an address.
    pub fn request(&self, prompt: &Prompt, most: Option<u32>) -> Result<ModelRequest, Failure> {
        match self.server.provider.vendor {
            Vendor::OpenAi => openai::request(self, prompt, most),
            Vendor::Anthropic => anthropic::request(self, prompt, most),
            Vendor::Gemini => gemini::request(self, prompt, most),
            Vendor::WorkersAi => workers_ai::request(self, prompt, most),
        }
    }

    /// A POST of JSON to a path below the server's address; `header` is the header for the key in the vendor's form.
    fn post(
        &self,
        path: &str,
        body: &impl Serialize,
        header: impl Fn(&str) -> (&'static str, String),
    ) -> Result<ModelRequest, Failure> {
        let body = serde_json::to_string(body);
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("accept", "text/event-stream".to_owned()),
        ];
        let keys = &self.server.api_keys;
        let key = self.key.checked_rem(keys.len()).and_then(|n| keys.get(n));
        headers.extend(key.map(|key| header(key)));
        let base = self.server.base_url.trim_end_matches('/');
        Ok(ModelRequest {
            to: Destination::Http {
                url: format!("{base}/{path}"),
                headers,
            },
            body: body.map_err(|e| Failure::new(Code::Internal, e.to_string()))?,
        })
    }

    /// The reader of the answer.
    pub fn decoder(&self) -> Decoder {
        let reader: Box<dyn Read> = match self.server.provider.vendor {
            Vendor::OpenAi => Box::new(openai::OpenAiReader::default()),
            Vendor::Anthropic => Box::new(anthropic::AnthropicReader::default()),
            Vendor::Gemini => Box::new(gemini::GeminiReader::default()),
            Vendor::WorkersAi => Box::new(workers_ai::WorkersAiReader::default()),
        };
        Decoder::new(reader, self.expect())
    }

    /// How the model is expected to mark its thinking.
    pub fn expect(&self) -> Expect {
        match (self.server.provider.vendor, self.habits.thinking) {
            // These APIs send thinking in a field of its own.
            (Vendor::Anthropic | Vendor::Gemini, _) => Expect::Marked,
            (_, Expect::Unknown) if thinks_unopened(self.name) => Expect::Unopened,
            (_, known) => known,
        }
    }

    /// The habits with which to repeat the request after this failure; `None` where no adaptation helps. `bounded`: the
    /// request bounded the answer's tokens.
    pub fn after(&self, failure: &Failure, bounded: bool) -> Option<Habits> {
        let complaint = failure.complaint;
        match self.server.provider.vendor {
            Vendor::OpenAi => self.habits.after(complaint, &self.server.base_url, bounded),
            Vendor::Gemini | Vendor::WorkersAi => self.habits.after_system(complaint),
            Vendor::Anthropic => None,
        }
    }

    /// The adaptations of its requests, in words for the owner.
    pub fn differences(&self) -> Vec<String> {
        self.habits.differences(&self.server.base_url)
    }

    /// The messages of a prompt, adapted to the model.
    fn turns<'p>(&self, prompt: &'p Prompt) -> Cow<'p, [prompt::Turn]> {
        if self.habits.without_system {
            Cow::Owned(without_system(prompt.turns()))
        } else {
            Cow::Borrowed(prompt.turns())
        }
    }
}

/// Whether models of this name are known to think first. Servers of such models often write the begin mark into the
/// prompt, so that the response contains the end mark alone.
fn thinks_unopened(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| ["r1", "qwq", "thinking", "reasoning", "reasoner"].contains(&part))
}

/// The messages with the instructions in the first message of the user.
fn without_system(turns: &[prompt::Turn]) -> Vec<prompt::Turn> {
    let mut instructions = String::new();
    let mut out: Vec<prompt::Turn> = Vec::new();
    for turn in turns {
        let mut turn = turn.clone();
        match turn.role {
            prompt::Role::System => {
                instructions.push_str(&turn.content);
                instructions.push_str("\n\n");
                continue;
            }
            prompt::Role::User => turn
                .content
                .insert_str(0, &std::mem::take(&mut instructions)),
            prompt::Role::Assistant => {}
        }
        out.push(turn);
    }
    out
}

/// The models of the deployment.
#[derive(Clone, Default)]
pub struct Deployment {
    /// The configured servers, in the order of [`PROVIDERS`].
    pub servers: Vec<Server>,
    /// The timeouts.
    pub timeouts: Timeouts,
}

/// A link of a bot's chain.
pub enum Link<'a> {
    /// A model to ask.
    Model(Model<'a>),
    /// A provider that the bot names and the deployment does not have.
    Unconfigured(&'static Provider),
}

impl Deployment {
    /// The chain of a bot, in order. When it is empty, only the documents answer.
    pub fn chain<'a>(&'a self, bot: &'a BotSettings) -> Vec<Link<'a>> {
        let mut links = Vec::new();
        let first = &bot.model;
        let wanted = [(first.provider, first.name.as_deref(), first.price)];
        let others = bot.model.alternatives.iter();
        let others = others.map(|other| (other.provider, other.name.as_deref(), other.price));
        for (choice, name, price) in wanted.into_iter().chain(others) {
            let server = match choice {
                ProviderChoice::Extractive => break,
                ProviderChoice::Default => {
                    (self.servers.iter()).find(|server| name.is_some() || !server.model.is_empty())
                }
                named => self
                    .servers
                    .iter()
                    .find(|server| server.provider.choice == named),
            };
            let named = PROVIDERS.iter().find(|provider| provider.choice == choice);
            let model = server.map(|server| (server, name.unwrap_or(&server.model)));
            match (model.filter(|(_, name)| !name.is_empty()), named) {
                (Some((server, name)), _) => links.push(Link::Model(Model {
                    server,
                    name,
                    price,
                    key: 0,
                    habits: Habits::default(),
                })),
                (None, Some(provider)) => links.push(Link::Unconfigured(provider)),
                (None, None) => {}
            }
        }
        links
    }
}

/// Estimated tokens of a prompt and its answer, for an answer whose tokens the vendor has not counted (it never does,
/// or the answer was stopped or broke off). docs/costs.md says how exact the estimate is.
pub fn estimate(turns: &[prompt::Turn], text: &str) -> Usage {
    let input = turns.iter().map(|turn| tokens(&turn.content)).sum();
    let output = match text {
        "" => 0,
        text => tokens(text),
    };
    let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        estimated: true,
    }
}

#[cfg(test)]
mod tests;
