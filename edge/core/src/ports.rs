//! What the platform implements. Each trait is one dependency that can fail on its own; the in-memory
//! fakes in `edge/core/src/testing` fail on demand.
#![expect(
    async_fn_in_trait,
    reason = "an isolate is single-threaded: no port is ever asked to be Send"
)]

use bulle_api::notice::{Delivery, Notice};
use bulle_protocol::{Id, problem::Problem};
use futures_util::Stream;

use crate::{
    meter::{Charge, ChargeOutcome, Settlement, window::Window},
    model::Owner,
    model::{Identity, Mailer, Material, Secret, Site, Summary},
    outbound::AddressPolicy,
    record::{ModelCall, Record},
    search::{Found, Hit, Query},
};

/// A dependency failed. The text is for the log, never for a visitor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// Wall clock and timers.
pub trait Clock {
    /// Unix milliseconds.
    fn now_ms(&self) -> u64;
    /// Resolves after that many milliseconds.
    async fn sleep(&self, ms: u64);
}

/// Time zones.
pub trait Zones {
    /// Minutes that clocks in the zone are ahead of UTC at that time (Unix milliseconds). `None` for a zone that is not
    /// known.
    fn offset_minutes(&self, zone: &str, at_ms: u64) -> Option<i32>;
}

/// Randomness fit for secrets.
pub trait Entropy {
    /// 128 random bits.
    fn random(&self) -> u128;
}

/// An eventually consistent key-value store.
pub trait Kv {
    /// The value, or `None` when there is none or it has expired.
    async fn get(&self, key: &str) -> Result<Option<String>, PortError>;
    /// Stores for that many seconds; the platform's minimum is 60.
    async fn put(&self, key: &str, value: &str, ttl_seconds: u64) -> Result<(), PortError>;
    /// Forgets the value, at once where it is done and within about a minute elsewhere.
    async fn delete(&self, key: &str) -> Result<(), PortError>;
}

/// The memory of the isolate that serves the request: it may be lost at any time, other isolates do not see it, and it never
/// waits.
pub trait IsolateCache {
    /// What is remembered under the key; an empty window when there is nothing.
    fn recall(&self, key: &str) -> Window;
    /// Remembers.
    fn remember(&self, key: &str, window: Window);
}

/// The tenants' meters: exact counts, one place for each tenant.
pub trait Meters {
    /// Charges all lines or none, atomically.
    async fn charge(&self, tenant_id: &str, charge: &Charge) -> Result<ChargeOutcome, PortError>;
    /// Replaces what was charged by what was spent.
    async fn settle(&self, tenant_id: &str, settlement: &Settlement) -> Result<(), PortError>;
}

/// Visitors whom a site's server has vouched for.
pub trait Visitors {
    /// The id of the visitor with this identity: the one they were given before, or `fresh` from now on.
    async fn known(
        &self,
        tenant_id: &str,
        identity: &Identity,
        fresh: Id,
        now_ms: u64,
    ) -> Result<Id, PortError>;
}

/// What is kept of visitors beside their conversations.
pub trait Profiles {
    /// Whether the visitor has filled in the bot's form.
    async fn has_filled(&self, owner: &Owner) -> Result<bool, PortError>;
    /// Whether everything of the visitor was erased.
    async fn is_erased(&self, tenant_id: &str, visitor_id: Id) -> Result<bool, PortError>;
    /// Gives files of the visitor's that were not sent yet to a message. Answers the message's files, and behind them
    /// those that were sent earlier in the conversation, the newest first.
    async fn attach(
        &self,
        owner: &Owner,
        conversation_id: Id,
        message_id: Id,
        files: &[Id],
    ) -> Result<Vec<Material>, PortError>;
}

/// Cloudflare Turnstile.
pub trait Challenges {
    /// Whether the visitor has passed; `None` when the deployment has no secret to ask with.
    async fn passed(&self, token: &str) -> Result<Option<bool>, PortError>;
}

/// Tenants, bots and sites in the database.
pub trait Tenants {
    /// The site with this public key, with its bot.
    async fn site(&self, key: &str) -> Result<Option<Site>, PortError>;
    /// A bot of a tenant, as a site that no page shows: without key and origins.
    async fn bot(&self, tenant_id: &str, bot_id: &str) -> Result<Option<Site>, PortError>;
}

/// The full-text index.
pub trait Index {
    /// At most `limit` chunks of the bot with any of the words, best first, and how frequent the words are.
    async fn search(
        &self,
        tenant_id: &str,
        bot_id: &str,
        query: &Query,
        limit: u32,
    ) -> Result<Found, PortError>;
}

/// The index of what chunks mean: a second signal beside their words, which a deployment may have.
pub trait VectorIndex {
    /// At most `limit` answering chunks of the bot, those first whose meaning is nearest to the text; the score is the
    /// likeness, -1 to 1. None when the deployment has no such index. Answers or fails within about a second.
    async fn near(
        &self,
        _tenant_id: &str,
        _bot_id: &str,
        _text: &str,
        _limit: u32,
    ) -> Result<Vec<Hit>, PortError> {
        Ok(Vec::new())
    }
}

/// What the archive has kept of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// All of it.
    Everything,
    /// What it has cost: the bot was deleted, or the visitor's data erased. Whoever holds the words is to forget them.
    Costs,
}

/// The permanent transcript.
pub trait Archive {
    /// Stores what the record holds; storing it again changes nothing.
    async fn record(&self, record: &Record) -> Result<Kept, PortError>;
    /// Stores calls that belong to no record that is stored, under the ids `{id_prefix}/{n}`; storing them again changes
    /// nothing. The prefix is the id of the reply that they were made for; `{reply}/summary` for a summary afterwards,
    /// which answers no question.
    async fn record_calls(
        &self,
        owner: &Owner,
        conversation_id: Id,
        question_id: Option<Id>,
        id_prefix: &str,
        calls: &[ModelCall],
    ) -> Result<(), PortError>;
}

/// What stands for the beginnings of long conversations. Every summary is kept: answers were given with it.
pub trait Summaries {
    /// The one that reaches furthest; `None` when there is none for this owner.
    async fn latest(
        &self,
        owner: &Owner,
        conversation_id: Id,
    ) -> Result<Option<Summary>, PortError>;
    /// Stores one. The first that reaches to a position stays.
    async fn keep(
        &self,
        owner: &Owner,
        conversation_id: Id,
        summary: &Summary,
    ) -> Result<(), PortError>;
}

/// A request to a model.
#[derive(Clone, PartialEq, Eq)]
pub struct ModelRequest {
    /// Where it goes.
    pub to: Destination,
    /// JSON.
    pub body: String,
}

/// Where a request to a model goes.
#[derive(Clone, PartialEq, Eq)]
pub enum Destination {
    /// Over HTTP, as a POST.
    Http {
        /// Absolute URL.
        url: String,
        /// Name and value; may hold a secret, hence no `Debug`.
        headers: Vec<(&'static str, String)>,
    },
    /// To the Workers AI binding of the Worker.
    Binding {
        /// Name of the model.
        model: String,
    },
}

/// The head of a model's answer; the body comes piece by piece.
pub struct ModelResponse<S> {
    /// HTTP status.
    pub status: u16,
    /// Seconds, from `Retry-After`.
    pub retry_after: Option<u32>,
    /// The body, cut anywhere.
    pub body: S,
}

/// Models.
pub trait Models {
    /// The body of a response.
    type Body: Stream<Item = Result<Vec<u8>, PortError>> + Unpin;
    /// Sends the request and waits for the head of the response. Dropping the body cancels it.
    async fn open(&self, request: ModelRequest) -> Result<ModelResponse<Self::Body>, PortError>;
}

/// A POST to an owner's webhook or to the deployment's mail service.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboundPost {
    /// Absolute URL; may hold a secret, hence no `Debug`.
    pub url: String,
    /// Name and value; may hold a secret.
    pub headers: Vec<(String, String)>,
    /// JSON.
    pub body: String,
}

/// What the deployment sends notices with.
pub struct Transports {
    /// Signs webhooks; or what is wrong with it.
    pub secret: Result<Secret, Problem>,
    /// Sends mail, when there is such a service.
    pub mailer: Option<Mailer>,
    /// Which addresses webhooks may have.
    pub policy: AddressPolicy,
}

/// Notices to owners: where they are kept, and what carries them.
pub trait Notices {
    /// What the deployment sends them with.
    fn transports(&self) -> Transports;
    /// Stores the notice: true once for each tenant, kind and what it is about, false when there was such a one.
    async fn insert(&self, tenant_id: &str, notice: &Notice) -> Result<bool, PortError>;
    /// Adds a delivery to a stored notice.
    async fn delivered(
        &self,
        tenant_id: &str,
        id: Id,
        delivery: &Delivery,
    ) -> Result<(), PortError>;
    /// Posts, follows no redirect, and reads no body: the status of the answer. Dropping the future cancels it.
    async fn post(&self, letter: OutboundPost) -> Result<u16, PortError>;
}
