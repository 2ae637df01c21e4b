//! The parts of the OpenAPI document that all owners' routes share. Compiled for tests only, which write the document.
#![expect(
    dead_code,
    reason = "read by the generator of the document, not by code"
)]

use bulle_api::admin::{
    Status,
    gap::GapStatus,
    source::{SourceKind, SourceStatus},
};
use bulle_protocol::problem::Problem;
use utoipa::{IntoParams, IntoResponses};

/// Which part of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Most entries of the page; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the page before.
    #[param(max_length = 64)]
    after: Option<String>,
}

/// A filter of lists.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ByStatus {
    /// Only entries with this status.
    #[param(inline)]
    status: Option<Status>,
}

/// A filter of lists.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ByBot {
    /// Only entries of this bot.
    bot: Option<String>,
}

/// Filters of conversations.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ConversationFilters {
    /// Only of this bot.
    #[param(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")]
    bot: Option<String>,
    /// Only of this visitor: a ULID.
    #[param(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    visitor: Option<String>,
    /// Begun on this day or later, in UTC.
    #[param(
        format = "date",
        pattern = r"^(19[7-9]\d|2\d{3})-\d{2}-\d{2}$",
        example = "2026-11-01"
    )]
    from: Option<String>,
    /// Begun on this day or earlier, in UTC.
    #[param(
        format = "date",
        pattern = r"^(19[7-9]\d|2\d{3})-\d{2}-\d{2}$",
        example = "2026-11-30"
    )]
    to: Option<String>,
    /// With an answer that a visitor has rated so.
    #[param(pattern = "^(up|down)$")]
    rating: Option<String>,
    /// With an answer that ended so.
    #[param(min_length = 1, max_length = 200)]
    finish: Option<String>,
    /// With an answer of this model.
    #[param(min_length = 1, max_length = 200)]
    model: Option<String>,
    /// With a question of this topic.
    #[param(min_length = 1, max_length = 200)]
    topic: Option<String>,
    /// With this label.
    #[param(min_length = 1, max_length = 200)]
    label: Option<String>,
    /// Of visitors whose latest identity has this tier.
    #[param(min_length = 1, max_length = 200)]
    tier: Option<String>,
    /// Whether a question was not answered, or an answer rated down.
    unanswered: Option<bool>,
    /// Whether the visitor has filled in the bot's form.
    form: Option<bool>,
    /// How many at most; 50 when absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the page before.
    #[param(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    after: Option<String>,
}

/// Which part of a transcript.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BeforePosition {
    /// The `next` of the page with later messages.
    #[param(pattern = "^[0-9]{1,9}$")]
    before: Option<String>,
}

/// Part of the address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct NotePath {
    /// A ULID.
    #[param(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    note: String,
}

/// What is summed up, and how.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Reporting {
    /// The first day, in UTC; 29 days before the last one when absent. At most 366 days, both included.
    #[param(
        format = "date",
        pattern = r"^\d{4}-\d{2}-\d{2}$",
        example = "2026-11-01"
    )]
    from: Option<String>,
    /// The last day, in UTC; today when absent.
    #[param(
        format = "date",
        pattern = r"^\d{4}-\d{2}-\d{2}$",
        example = "2026-11-30"
    )]
    to: Option<String>,
    /// Keys by which calls are summed up, with commas between them; one row for all calls when absent.
    #[param(
        pattern = "^(day|month|bot|provider|model|conversation|outcome)(,(day|month|bot|provider|model|conversation|outcome))*$",
        example = "day,model"
    )]
    by: Option<String>,
    /// Only calls of this bot, which may be deleted.
    #[param(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")]
    bot: Option<String>,
    /// Only calls of this conversation: a ULID.
    #[param(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    conversation: Option<String>,
    /// Most rows of the page; 1000 when absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// The `next` of the rows before, with the same `by`.
    after: Option<String>,
}

/// Part of the address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TenantPath {
    /// Id of the tenant.
    #[param(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")]
    tenant: String,
}

/// Part of the address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BotPath {
    /// Id of the bot.
    #[param(min_length = 1, max_length = 40, pattern = "^[a-z0-9][a-z0-9-]{0,39}$")]
    bot: String,
}

/// Part of the address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SitePath {
    /// Key of the site.
    #[param(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    key: String,
}

/// Part of the address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct IdPath {
    /// A ULID.
    #[param(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    id: String,
}

/// Filters of lists.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BySource {
    /// Only entries with this status.
    #[param(inline)]
    status: Option<SourceStatus>,
    /// Only sources of this kind.
    #[param(inline)]
    kind: Option<SourceKind>,
    /// Only parts of this site or feed; when absent, only sources that are no parts.
    parent: Option<String>,
}

/// Which gaps.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ByGap {
    /// Only gaps with this status; `open` when absent.
    #[param(inline)]
    status: Option<GapStatus>,
    /// Only questions of so many days until now; 30 when absent.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

/// Part of the address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct GapPath {
    /// Id of a gap, or of any of the replies to its questions: a ULID.
    #[param(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    gap: String,
}

/// What is said of a file.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Uploading {
    /// Name of the file, with its ending.
    #[param(min_length = 1, max_length = 255)]
    name: String,
    /// Title that answers show; taken from the document when absent.
    #[param(max_length = 200)]
    title: Option<String>,
    /// Language (BCP 47); taken from the document when absent.
    #[param(max_length = 35)]
    language: Option<String>,
    /// Page that answers link to.
    #[param(max_length = 2_000)]
    url: Option<String>,
}

/// Part of the address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SourcePath {
    /// Id of the source.
    source: String,
}

/// Part of the address.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReplyPath {
    /// Id of the answer, a ULID.
    #[param(pattern = "^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
    reply_id: String,
}

/// A condition.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfMatch {
    /// ETag of the version that was read, or `*`. A change without it is refused with 428; with the ETag of an older
    /// version, with 412.
    #[param(rename = "If-Match", value_type = String, required = false)]
    if_match: Option<String>,
}

/// A condition.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfNoneMatch {
    /// ETag of the known version: 304 when it is still the current one.
    #[param(rename = "If-None-Match", value_type = String, required = false)]
    if_none_match: Option<String>,
}

/// Protection against creating twice.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IdempotencyKey {
    /// Made by the client. The same request with the same key in 24 hours creates nothing more: it is answered as the
    /// first was, with `Idempotent-Replayed: true` and without secrets.
    #[param(
        rename = "Idempotency-Key", value_type = String, required = false,
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]{1,255}$"
    )]
    idempotency_key: Option<String>,
}

/// Refusals.
#[derive(IntoResponses)]
pub enum Refusals {
    /// api_key_missing, api_key_invalid, scope_missing, not_found, invalid_json, invalid_value, invalid_parameter,
    /// already_exists, too_many, precondition_required, precondition_failed, idempotency_conflict, …
    #[response(status = "4XX", content_type = "application/problem+json")]
    Client(Problem),
    /// storage_unavailable, misconfigured, internal
    #[response(status = "5XX", content_type = "application/problem+json")]
    Server(Problem),
}

/// A visitor's answers to a bot's form.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct FormAnswers {
    /// ULID.
    id: String,
    /// Id of the form's bot.
    bot_id: String,
    /// Random id of the visitor who answered.
    visitor_id: String,
    /// Answers by the names of the fields.
    fields: std::collections::BTreeMap<String, String>,
    /// Text that the visitor has agreed to; absent when the form asks no consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<String>,
    /// Unix milliseconds of the last answer.
    updated_at: u64,
}
