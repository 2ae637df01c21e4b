//! Where answers come from. A provider is sans-IO: it makes the bytes of a request and reads the bytes of the
//! response, cut anywhere, into [`Delta`]s. [`crate::turn`] moves the bytes.

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
    /// All text so far was the model's private thinking.
    TakenBack,
    /// The server sends the model's thinking apart from its text.
    Apart,
    /// The model's own name for itself.
    Model(String),
    /// Tokens so far.
    Usage(Usage),
    /// The model says that it has ended.
    Finish(Finish),
}

/// Why a model did not answer, or not to the end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {detail}")]
pub struct Failure {
    /// One of the `upstream_*` codes.
    pub code: Code,
    /// How this is recorded.
    pub outcome: Outcome,
    /// For the log: may quote the vendor, never shown to visitors.
    pub detail: String,
    /// Status of the HTTP response, when it is one that refuses.
    pub status: Option<u16>,
    /// What a refusal says about the request.
    pub complaint: Complaint,
    /// Seconds, when the vendor says so.
    pub retry_after: Option<u32>,
    /// The model had less time than the deployment gives it, so it says nothing of the model's health.
    pub hasty: bool,
}

impl Failure {
    /// A failure of the code's usual kind.
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

    /// The vendor would not write about this; another may.
    pub fn filtered(why: &str) -> Self {
        Self {
            outcome: Outcome::Filtered,
            ..Self::new(Code::UpstreamInterrupted, format!("filtered: {why}"))
        }
    }

    /// The server answered with something that is no answer.
    pub fn undecodable(detail: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Undecodable,
            ..Self::new(Code::UpstreamInterrupted, detail)
        }
    }

    /// Whether the same is to be expected of the next request, however late: somebody has to mend something.
    pub fn is_lasting(&self) -> bool {
        match self.outcome {
            Outcome::Undecodable => true,
            Outcome::Refused => (self.status).is_none_or(|status| {
                (400..500).contains(&status) && ![408, 409, 425, 429].contains(&status)
            }),
            _ => false,
        }
    }

    /// Whether asking the same model again, soon, may help.
    pub fn is_passing(&self) -> bool {
        match self.outcome {
            Outcome::Unreachable => true,
            Outcome::Refused => self
                .status
                .is_some_and(|status| status == 408 || status == 429 || status >= 500),
            _ => false,
        }
    }

    /// Whether another key of the same vendor may help: this one is not good, or has had enough for now.
    pub fn is_of_the_key(&self) -> bool {
        matches!(self.status, Some(401 | 403 | 429))
    }

    /// Whether it says something of the model's health, and not only of this one prompt.
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
    /// From the request to the first text.
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
    /// These, with what the bot's owner has set in their place.
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

/// Whose API a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Chat completions: OpenAI and all who speak its language.
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
    /// As settings name it.
    pub choice: ProviderChoice,
    /// As answers and records name it; in capitals, the beginning of its variables (`MISTRAL_API_KEY`).
    pub name: &'static str,
    /// Whose API it speaks.
    pub vendor: Vendor,
    /// Where it answers unless `…_BASE_URL` says otherwise; empty where only the owner knows.
    pub base_url: &'static str,
    /// Model unless `…_MODEL` says otherwise; empty where no name stays.
    pub model: &'static str,
}

/// Every provider, the first first where a bot has not chosen. Adding one is a line here and in [`ProviderChoice`], and
/// a file where it speaks a language of its own.
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
    /// Whose it is.
    pub provider: &'static Provider,
    /// Such as `https://api.openai.com/v1`, with or without a trailing slash; empty for a binding.
    pub base_url: String,
    /// Empty for servers that need none (Ollama, vLLM). They are used in turn.
    pub api_keys: Vec<String>,
    /// Model name unless a bot has its own; empty when the deployment names none.
    pub model: String,
}

/// A model of a server.
#[derive(Clone, Copy)]
pub struct Model<'a> {
    /// Where it runs.
    pub server: &'a Server,
    /// Its name.
    pub name: &'a str,
    /// What the bot's owner says that it costs.
    pub price: Option<Price>,
    /// Which of the server's keys to use, counted on from the first for ever.
    pub key: usize,
    /// What is known of it.
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

    /// A POST of JSON to a path below the server's address; `header` is how the vendor wants its key.
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

    /// What reads the answer.
    pub fn decoder(&self) -> Decoder {
        let reader: Box<dyn Read> = match self.server.provider.vendor {
            Vendor::OpenAi => Box::new(openai::OpenAiReader::default()),
            Vendor::Anthropic => Box::new(anthropic::AnthropicReader::default()),
            Vendor::Gemini => Box::new(gemini::GeminiReader::default()),
            Vendor::WorkersAi => Box::new(workers_ai::WorkersAiReader::default()),
        };
        Decoder::new(reader, self.expect())
    }

    /// Where its thinking is to be expected.
    pub fn expect(&self) -> Expect {
        match (self.server.provider.vendor, self.habits.thinking) {
            // They have a place of their own for it.
            (Vendor::Anthropic | Vendor::Gemini, _) => Expect::Marked,
            (_, Expect::Unknown) if thinks_unopened(self.name) => Expect::Unopened,
            (_, known) => known,
        }
    }

    /// What to do otherwise after this failure; `None` where nothing helps. `bounded`: the answer's tokens were bounded.
    pub fn after(&self, failure: &Failure, bounded: bool) -> Option<Habits> {
        let complaint = failure.complaint;
        match self.server.provider.vendor {
            Vendor::OpenAi => self.habits.after(complaint, &self.server.base_url, bounded),
            Vendor::Gemini | Vendor::WorkersAi => self.habits.after_system(complaint),
            Vendor::Anthropic => None,
        }
    }

    /// What it is asked otherwise than others, in words for the owner.
    pub fn differences(&self) -> Vec<String> {
        self.habits.differences(&self.server.base_url)
    }

    /// The messages of a prompt as it takes them.
    fn turns<'p>(&self, prompt: &'p Prompt) -> Cow<'p, [prompt::Turn]> {
        if self.habits.without_system {
            Cow::Owned(without_system(prompt.turns()))
        } else {
            Cow::Borrowed(prompt.turns())
        }
    }
}

/// Whether models of this name are known to think first, on servers that write the beginning of the thinking into the
/// prompt.
fn thinks_unopened(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    parts.any(|part| ["r1", "qwq", "thinking", "reasoning", "reasoner"].contains(&part))
}

/// Messages whose first one holds the instructions, too.
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
    /// Those that are configured, in the order of [`PROVIDERS`].
    pub servers: Vec<Server>,
    /// Patience.
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
    /// Whom to ask for a bot's answers, in order. Nobody: the documents alone answer.
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

/// The tokens of a prompt and of what was written to it, where a vendor has not counted them (it never does, it was
/// stopped, it broke off). docs/costs.md says how far from the truth that is.
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
