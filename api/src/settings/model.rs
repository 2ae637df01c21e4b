//! The models of a bot's chain, and their timeouts.

use serde::{Deserialize, Serialize};

use super::at;

/// Most models after the first.
const MAX_ALTERNATIVES: usize = 5;

/// Longest name of a model, in characters.
const MAX_NAME: usize = 200;

/// The models that answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ModelChoice {
    /// Provider of the first model.
    pub provider: ProviderChoice,
    /// Overrides the deployment's model name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Price of the model's tokens; the price in Bulle's own table when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Models that are asked when the models before them do not answer, or have no budget left. At most 5.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Alternative>,
    /// Time limits of models.
    pub timeouts: TimeoutSettings,
    /// Seconds, 0 to 600, after which an answer is stopped that no client listens to. When absent, the answer is written
    /// to its end, and the visitor can come back to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandoned_after_seconds: Option<u32>,
}

/// A further model, asked when the models before it in the list do not answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Alternative {
    /// Provider of the model.
    pub provider: ProviderChoice,
    /// Overrides the deployment's model name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Price of the model's tokens; the price in Bulle's own table when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// Time limits of models, in milliseconds; the deployment's defaults where absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TimeoutSettings {
    /// From the request to the head of the response: 100 to 60000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u32>,
    /// From the request to the first text: 100 to 120000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<u32>,
    /// Between two pieces of an answer: 100 to 120000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between_tokens_ms: Option<u32>,
    /// For a whole answer, all models that are asked for it together: 1000 to 600000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<u32>,
}

/// A provider of models. It can be used when the deployment has its key or address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProviderChoice {
    /// The first provider that the deployment has; only the documents when it has none.
    #[default]
    Default,
    /// Only the documents.
    Extractive,
    /// OpenAI, or any compatible server.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Google's Gemini.
    Gemini,
    /// Azure OpenAI.
    Azure,
    /// Mistral.
    Mistral,
    /// Groq.
    Groq,
    /// OpenRouter.
    Openrouter,
    /// Ollama.
    Ollama,
    /// vLLM.
    Vllm,
    /// LiteLLM.
    Litellm,
    /// Cloudflare Workers AI.
    WorkersAi,
}

/// What a model's tokens cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Millionths of a US dollar for a million tokens of prompt: 150000 is $0.15.
    pub input: u64,
    /// Millionths of a US dollar for a million tokens of answer.
    pub output: u64,
}

impl ModelChoice {
    pub(super) fn validate(&self) -> Result<(), String> {
        if self.alternatives.len() > MAX_ALTERNATIVES {
            return at("model.alternatives", "at most 5.");
        }
        let names = self.alternatives.iter().map(|model| &model.name);
        for name in names.chain([&self.name]).flatten() {
            if name.trim().is_empty() || name.chars().count() > MAX_NAME {
                return at("model.name", "a model's name has 1 to 200 characters.");
            }
        }
        for (path, value, least, most) in [
            ("connect_ms", self.timeouts.connect_ms, 100, 60_000),
            ("first_token_ms", self.timeouts.first_token_ms, 100, 120_000),
            (
                "between_tokens_ms",
                self.timeouts.between_tokens_ms,
                100,
                120_000,
            ),
            ("total_ms", self.timeouts.total_ms, 1_000, 600_000),
        ] {
            if value.is_some_and(|value| !(least..=most).contains(&value)) {
                let message = format!("from {least} to {most}.");
                return at(&format!("model.timeouts.{path}"), &message);
            }
        }
        if self.abandoned_after_seconds.is_some_and(|s| s > 600) {
            return at("model.abandoned_after_seconds", "from 0 to 600.");
        }
        Ok(())
    }
}
