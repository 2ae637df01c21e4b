//! Where answers come from. A provider is sans-IO: it makes the bytes of a request and reads the bytes of the
//! response, cut anywhere, into [`Delta`]s. [`crate::turn`] moves the bytes.

pub mod anthropic;
#[cfg(test)]
mod checks;
pub mod decoder;
pub mod extractive;
pub mod gemini;
pub mod openai;
pub mod prices;

use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
};

use serde::Serialize;

use crate::{
    ports::ModelRequest,
    prompt::{self, Prompt},
    settings::{BotSettings, ProviderChoice},
};
use decoder::Decoder;

/// A step of a model's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// More text.
    Text(String),
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
    /// For the log: may quote the vendor, never shown to visitors.
    pub detail: String,
    /// Seconds, when the vendor says so.
    pub retry_after: Option<u32>,
}

impl Failure {
    /// A failure without a hint when to retry.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after: None,
        }
    }
}

/// How long to wait for a model, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From the request to the first text.
    pub first_token: u64,
    /// Between two pieces of the body.
    pub between_tokens: u64,
    /// For the whole answer.
    pub total: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            first_token: 30_000,
            between_tokens: 20_000,
            total: 180_000,
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
}

impl Vendor {
    /// As answers and records name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}

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
    /// Whose API it has.
    pub vendor: Vendor,
    /// Where it runs.
    pub server: &'a Server,
    /// Its name.
    pub name: &'a str,
}

impl Model<'_> {
    /// The request for an answer to the prompt, of at most that many tokens.
    ///
    /// # Errors
    /// The prompt could not be serialised.
    pub fn request(&self, prompt: &Prompt, most: Option<u32>) -> Result<ModelRequest, Failure> {
        match self.vendor {
            Vendor::OpenAi => openai::request(self, prompt, most),
            Vendor::Anthropic => anthropic::request(self, prompt, most),
            Vendor::Gemini => gemini::request(self, prompt, most),
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
        headers.extend(self.server.api_key.as_deref().map(header));
        Ok(ModelRequest {
            url: format!("{}/{path}", self.server.base_url.trim_end_matches('/')),
            headers,
            body: body.map_err(|e| Failure::new(Code::Internal, e.to_string()))?,
        })
    }

    /// What reads the answer.
    pub fn decoder(&self) -> Decoder {
        Decoder::new(match self.vendor {
            Vendor::OpenAi => Box::new(openai::Reader::default()),
            Vendor::Anthropic => Box::new(anthropic::Reader::default()),
            Vendor::Gemini => Box::new(gemini::Reader::default()),
        })
    }
}

/// The models of the deployment.
#[derive(Clone, Default)]
pub struct Deployment {
    /// An OpenAI-compatible server, when one is configured.
    pub openai: Option<Server>,
    /// Anthropic, when it is configured.
    pub anthropic: Option<Server>,
    /// Gemini, when it is configured.
    pub gemini: Option<Server>,
    /// Patience.
    pub timeouts: Timeouts,
}

/// The provider that answers a bot's questions.
pub enum Provider<'a> {
    /// Sentences of the owner's documents.
    Extractive,
    /// A model.
    Model(Model<'a>),
}

impl Deployment {
    /// The provider for a bot. One that names a vendor whom the deployment does not have is answered from its documents.
    pub fn provider<'a>(&'a self, bot: &'a BotSettings) -> Provider<'a> {
        let named =
            |vendor, server: &'a Option<Server>| server.as_ref().map(|server| (vendor, server));
        let openai = named(Vendor::OpenAi, &self.openai);
        let anthropic = named(Vendor::Anthropic, &self.anthropic);
        let gemini = named(Vendor::Gemini, &self.gemini);
        let chosen = match bot.model.provider {
            ProviderChoice::Default => openai.or(anthropic).or(gemini),
            ProviderChoice::Openai => openai,
            ProviderChoice::Anthropic => anthropic,
            ProviderChoice::Gemini => gemini,
            _ => None,
        };
        chosen.map_or(Provider::Extractive, |(vendor, server)| {
            let name = bot.model.name.as_deref().unwrap_or(&server.model);
            Provider::Model(Model {
                vendor,
                server,
                name,
            })
        })
    }
}

/// The tokens of a prompt and of what was written to it, where a vendor has not counted them (it never does, it was
/// stopped, it broke off). docs/costs.md says how far from the truth that is.
pub fn estimate(turns: &[prompt::Turn], text: &str) -> Usage {
    let input = turns.iter().map(|turn| prompt::tokens(&turn.content)).sum();
    let output = match text {
        "" => 0,
        text => prompt::tokens(text),
    };
    let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    Usage {
        input_tokens: count(input),
        output_tokens: count(output),
        estimated: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_counted_is_estimated_and_marked() {
        let turn = |content: &str| prompt::Turn {
            role: prompt::Role::User,
            content: content.into(),
        };
        let turns = [turn("You are kind."), turn("Où as-tu étudié ?")];
        let expected = Usage {
            input_tokens: 3 + 4 + 4 + 4,
            output_tokens: 0,
            estimated: true,
        };
        assert_eq!(estimate(&turns, ""), expected);
        // They are 9 and 8 of OpenAI's o200k_base.
        assert_eq!(estimate(&[], "J’ai étudié à Lannion.").output_tokens, 9);
        assert_eq!(estimate(&[], "我在兰尼翁学习过。").output_tokens, 13);
        assert_eq!(estimate(&[], "").input_tokens, 0);
    }

    #[test]
    fn a_bot_is_answered_by_whom_it_names_or_by_the_first_there_is() {
        let server = |model: &str| {
            Some(Server {
                base_url: "https://m.test".into(),
                api_key: None,
                model: model.into(),
            })
        };
        let all = Deployment {
            openai: server("a"),
            anthropic: server("b"),
            gemini: server("c"),
            ..Deployment::default()
        };
        let last = Deployment {
            gemini: server("c"),
            ..Deployment::default()
        };
        for (deployment, choice, expected) in [
            (&all, ProviderChoice::Default, Some("a")),
            (&all, ProviderChoice::Openai, Some("a")),
            (&all, ProviderChoice::Anthropic, Some("b")),
            (&all, ProviderChoice::Gemini, Some("c")),
            (&all, ProviderChoice::Extractive, None),
            (&last, ProviderChoice::Default, Some("c")),
            (&last, ProviderChoice::Anthropic, None),
            (&Deployment::default(), ProviderChoice::Default, None),
        ] {
            let mut bot = BotSettings::default();
            bot.model.provider = choice;
            let name = match deployment.provider(&bot) {
                Provider::Extractive => None,
                Provider::Model(model) => Some(model.name.to_owned()),
            };
            assert_eq!(name.as_deref(), expected, "{choice:?}");
        }
    }
}
