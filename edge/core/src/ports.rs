//! The traits that the platform implements. Each is one dependency that can fail on its own; the in-memory
//! fakes in `edge/core/src/testing` fail on demand.
#![expect(
    async_fn_in_trait,
    reason = "an isolate is single-threaded: no port is ever asked to be Send"
)]

use bulle_api::notice::{Delivery, Notice};
use bulle_protocol::{Id, problem::Problem};
use futures_util::Stream;
use std::{any::Any, rc::Rc};

use crate::{
    meter::{Charge, ChargeOutcome, Settlement, tally::Uncount, window::Window},
    model::Owner,
    model::{Identity, Mailer, Material, Secret, Site, Summary},
    outbound::AddressPolicy,
    record::{ModelCall, Record},
    search::{Found, Hit, Query, Section},
};

/// The error of a dependency. The text is for the log, never for a visitor.
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
    /// Deletes the value, at once in this place and within about a minute elsewhere.
    async fn delete(&self, key: &str) -> Result<(), PortError>;
    /// Stores the value, or deletes it when there is none, after the response: no visitor waits for a write to KV, which goes
    /// to a central store. A failure is logged.
    fn put_later(&self, key: String, value: Option<String>, ttl_seconds: u64);
}

/// The memory of the isolate that serves the request. It may be lost at any time, other isolates do not see it, and its
/// calls do not wait.
pub trait IsolateCache {
    /// The window stored under the key; empty when there is none.
    fn recall(&self, key: &str) -> Window;
    /// Stores the window.
    fn remember(&self, key: &str, window: Window);
}

/// Values of any type in the memory of the isolate, see [`IsolateCache`]. Only `isolate_memory` reads and writes them.
pub trait IsolateValues {
    /// The value stored under the key.
    fn value(&self, key: &str) -> Option<Rc<dyn Any>>;
    /// Stores the value, or deletes it when there is none.
    fn set_value(&self, key: &str, value: Option<Rc<dyn Any>>);
}

/// The tenants' meters: exact counters in Durable Objects. One of each tenant counts its budgets, and shards of it the messages
/// of its visitors.
pub trait Meters {
    /// Counts a message of a subject in all lines, or in none.
    async fn count(
        &self,
        tenant_id: &str,
        subject: &str,
        charge: &Charge,
    ) -> Result<ChargeOutcome, PortError>;
    /// Takes a message of a subject back.
    async fn uncount(
        &self,
        tenant_id: &str,
        subject: &str,
        id: Id,
        how: Uncount,
    ) -> Result<(), PortError>;
    /// Charges all lines or none, atomically.
    async fn charge(&self, tenant_id: &str, charge: &Charge) -> Result<ChargeOutcome, PortError>;
    /// Replaces the charged amounts by the actual ones.
    async fn settle(&self, tenant_id: &str, settlement: &Settlement) -> Result<(), PortError>;
}

/// Visitors whom a site's server has identified.
pub trait Visitors {
    /// The id of the visitor with this identity: the one stored before, or `fresh`, which is stored now.
    async fn known(
        &self,
        tenant_id: &str,
        identity: &Identity,
        fresh: Id,
        now_ms: u64,
    ) -> Result<Id, PortError>;
}

/// Stored data of visitors, apart from their conversations.
pub trait Profiles {
    /// Whether the visitor has filled in the bot's form.
    async fn has_filled(&self, owner: &Owner) -> Result<bool, PortError>;
    /// Whether everything of the visitor was erased.
    async fn is_erased(&self, tenant_id: &str, visitor_id: Id) -> Result<bool, PortError>;
    /// Assigns files of the visitor's that no message has yet to a message. Gives the message's files, and behind them
    /// those of earlier messages of the conversation, the newest first.
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
    /// Whether the visitor has passed; `None` when the deployment has no secret of Turnstile.
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

    /// The chunks of the bot with these ids, whole and without scores, in any order; those that no longer answer are left
    /// out. Only an index whose search leaves texts out is asked.
    async fn texts(
        &self,
        _tenant_id: &str,
        _bot_id: &str,
        _ids: &[i64],
    ) -> Result<Vec<Hit>, PortError> {
        Ok(Vec::new())
    }
}

/// The headings of the bot's documents.
pub trait Sections {
    /// The first sections of the bot's first documents, some dozens at most, document by document.
    async fn sections(&self, tenant_id: &str, bot_id: &str) -> Result<Vec<Section>, PortError>;
}

/// The vector index, which finds chunks by their meaning in addition to their words. A deployment may have one.
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

/// The result of storing a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The whole record was stored.
    Everything,
    /// Only the costs were stored, because the bot was deleted, or the visitor's data erased. The caller has to delete
    /// its copy of the words.
    Costs,
}

/// The permanent transcript.
pub trait Archive {
    /// Stores the record; storing it again changes nothing.
    async fn record(&self, record: &Record) -> Result<Kept, PortError>;
    /// Stores calls of models that belong to no stored record, under the ids `{id_prefix}/{n}`; storing them again
    /// changes nothing. The prefix is the id of the reply for which they were made, or `{reply}/summary` for a summary
    /// made after the reply.
    async fn record_calls(
        &self,
        owner: &Owner,
        conversation_id: Id,
        question_id: Option<Id>,
        id_prefix: &str,
        calls: &[ModelCall],
    ) -> Result<(), PortError>;
}

/// Summaries of the beginnings of long conversations. Every summary is kept, because the prompts of earlier answers
/// contain it.
pub trait Summaries {
    /// The summary that covers most of the conversation; `None` when there is none for this owner.
    async fn latest(
        &self,
        owner: &Owner,
        conversation_id: Id,
    ) -> Result<Option<Summary>, PortError>;
    /// Stores a summary. If there is one up to the same position already, that one stays.
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
    /// The endpoint.
    pub to: Destination,
    /// JSON.
    pub body: String,
}

/// The endpoint of a model request.
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
    /// The body, in pieces cut at any byte.
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

/// The deployment's means to send notices.
pub struct Transports {
    /// Signs webhooks; or the error in its configuration.
    pub secret: Result<Secret, Problem>,
    /// The mail service, if the deployment has one.
    pub mailer: Option<Mailer>,
    /// Which addresses webhooks may have.
    pub policy: AddressPolicy,
}

/// Notices to owners: their storage, and the requests that deliver them.
pub trait Notices {
    /// The deployment's means to send them.
    fn transports(&self) -> Transports;
    /// Stores the notice: true when it is new, false when the tenant has one of the same kind and subject.
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
