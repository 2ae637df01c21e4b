//! The answers of `/v1/chat/completions` and `/v1/models` in the form of OpenAI's API, which its official clients read,
//! with one additional field, [`Extra`].

use serde::{Deserialize, Serialize};

use bulle_protocol::event::{Finish, Source};

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Completion {
    /// `chatcmpl-` and a ULID.
    pub id: String,
    /// `chat.completion`.
    pub object: String,
    /// Unix seconds.
    pub created: u64,
    /// Id of the bot.
    pub model: String,
    /// One.
    pub choices: Vec<Choice>,
    /// Tokens of all models that were asked.
    pub usage: CompletionUsage,
    /// Fields of Bulle that OpenAI's API does not have.
    pub bulle: Extra,
}

/// The answer itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = completion::Choice))]
pub struct Choice {
    /// 0.
    pub index: u32,
    /// The text of the answer.
    pub message: Answer,
    /// `stop` or `length`.
    pub finish_reason: String,
    /// Always absent.
    pub logprobs: Option<bool>,
}

/// The text of the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = completion::Answer))]
pub struct Answer {
    /// `assistant`.
    pub role: String,
    /// Markdown; `[n]` cites the source with this number.
    pub content: String,
    /// Always absent.
    pub refusal: Option<String>,
}

/// A chunk of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = completion::Chunk))]
pub struct Chunk {
    /// `chatcmpl-` and a ULID, the same for all pieces.
    pub id: String,
    /// `chat.completion.chunk`.
    pub object: String,
    /// Unix seconds.
    pub created: u64,
    /// Id of the bot.
    pub model: String,
    /// One choice; none in the chunk that holds the usage.
    pub choices: Vec<ChunkChoice>,
    /// Token counts, in the last chunk, when the request has `stream_options.include_usage`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usage: Option<CompletionUsage>,
    /// With the `finish_reason`: fields of Bulle that OpenAI's API does not have.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bulle: Option<Extra>,
}

/// The part of the choice that a chunk adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = completion::ChunkChoice))]
pub struct ChunkChoice {
    /// 0.
    pub index: u32,
    /// The text that the chunk adds.
    pub delta: Delta,
    /// `stop` or `length`, in the last chunk of the choice.
    pub finish_reason: Option<String>,
    /// Always absent.
    pub logprobs: Option<bool>,
}

/// The text that a chunk adds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = completion::Delta))]
pub struct Delta {
    /// `assistant`, in the first piece.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<String>,
    /// Markdown to append.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content: Option<String>,
}

/// Token counts; zero when no model was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompletionUsage {
    /// Tokens of the prompts, with persona and passages.
    pub prompt_tokens: u32,
    /// Tokens of the answers.
    pub completion_tokens: u32,
    /// Tokens of prompts and answers together.
    pub total_tokens: u32,
}

/// Fields of Bulle that OpenAI's API does not have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = completion::Extra))]
pub struct Extra {
    /// How the answer ended: `fallback` when it was written without the models that the bot has.
    pub finish: Finish,
    /// Provider of the answer, such as `openai`; `extractive` for sentences of the documents, `persona` for the owner's
    /// own lines.
    pub provider: String,
    /// The passages that the answer cites, by their numbers in the text.
    pub sources: Vec<Source>,
    /// Suggested next questions.
    pub suggestions: Vec<String>,
    /// 0 to 1, from evidence; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub confidence: Option<f32>,
    /// True when the same question has been answered before with the same settings and documents.
    pub cached: bool,
}

/// A bot as a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = completion::Model))]
pub struct Model {
    /// The bot's id.
    pub id: String,
    /// `model`.
    pub object: String,
    /// Unix seconds at which the bot was made.
    pub created: u64,
    /// The tenant.
    pub owned_by: String,
}

/// All bots of a tenant that serve visitors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelList {
    /// `list`.
    pub object: String,
    /// The bots, in the order of their ids.
    pub data: Vec<Model>,
}

/// An error as OpenAI's API tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorInfo,
}

/// Details of the error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorInfo {
    /// What happened and what to do about it.
    pub message: String,
    /// `invalid_request_error`, `authentication_error`, `permission_error`, `rate_limit_error` or `server_error`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name of the wrong parameter.
    pub param: Option<String>,
    /// Stable code: `invalid_api_key`, `model_not_found`, otherwise the code of a problem.
    pub code: Option<String>,
}
