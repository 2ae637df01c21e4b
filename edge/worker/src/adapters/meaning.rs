//! The vector index: vectors by Workers AI, kept in Vectorize, over Cloudflare's API (v4). The crate `worker` has no
//! binding of Vectorize, and over HTTP any server can stand in for both in tests.
//!
//! Errors name the request and its status, never its text, which is a visitor's or an owner's words.

use bulle_edge_core::{
    ports::{Clock, Destination, ModelRequest, Models, PortError, VectorIndex},
    search::{Hit, Scope},
};
use futures_util::{
    StreamExt,
    future::{Either, join, select},
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{cell::Cell, pin::pin};

use super::Edge;
use crate::{
    config::{self, Cloudflare},
    repositories::{
        Match,
        library::{BotKey, Unembedded},
    },
};

/// Most bytes of an answer: 50 vectors are about 1 MB.
const MAX_ANSWER: usize = 8 * 1_048_576;

/// Most characters of a text that are embedded: models cut or refuse longer texts.
const MAX_CHARS: usize = 6_000;

/// Milliseconds that ingestion waits for one response, because other sources wait meanwhile. Visitors wait less.
const INDEXING_MS: u64 = 10_000;

thread_local! {
    /// The time before which this isolate sends no requests for visitors, in Unix milliseconds. A service that does not
    /// answer would cost each visitor the whole wait, and one that has answered 429 refuses for longer when requests go
    /// on.
    static RESTING: Cell<u64> = const { Cell::new(0) };
}

/// The error of a request to the API.
pub struct VectorIndexError {
    /// For the log.
    pub why: String,
    /// Milliseconds that the API asks to wait.
    pub rest_ms: u64,
}

impl VectorIndexError {
    fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            rest_ms: 0,
        }
    }
}

impl From<PortError> for VectorIndexError {
    fn from(error: PortError) -> Self {
        Self::new(error.0)
    }
}

#[derive(Deserialize)]
struct Answer<T> {
    result: T,
}

#[derive(Deserialize)]
struct Vectors<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Matches {
    matches: Vec<Match>,
}

/// A vector as JSON, on one line. Its numbers are passed on as they were received.
fn line(vector: &RawValue) -> Result<String, VectorIndexError> {
    let dense: String = vector.get().split_ascii_whitespace().collect();
    let numbers = dense
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let digits = |c: char| c.is_ascii_digit() || "+-.eE,".contains(c);
    match numbers {
        Some(numbers) if !numbers.is_empty() && numbers.chars().all(digits) => Ok(dense),
        _ => Err(VectorIndexError::new("Workers AI answered no vectors")),
    }
}

impl Edge {
    /// Puts the vectors of chunks into the index.
    ///
    /// # Errors
    /// The API failed; repeating the request does no harm.
    pub async fn embed(
        &self,
        cloudflare: &Cloudflare,
        bot_key: &BotKey,
        chunks: &[Unembedded],
    ) -> Result<(), VectorIndexError> {
        let texts = chunks.iter().map(Unembedded::text);
        let texts = texts.map(|text| cut(&text)).collect::<Vec<_>>();
        let vectors = self.vectors(cloudflare, &texts);
        let vectors = self.within(INDEXING_MS, vectors).await?;
        let namespace = namespace(&bot_key.tenant_id, &bot_key.bot_id);
        let lines = chunks.iter().zip(&vectors).map(|(chunk, values)| {
            let id = serde_json::json!(chunk.id);
            format!("{{\"id\":{id},\"values\":{values},\"namespace\":\"{namespace}\"}}\n")
        });
        let lines: String = lines.collect();
        let upsert = self.vectorize(cloudflare, "upsert", "application/x-ndjson", lines);
        self.within(INDEXING_MS, upsert).await.map(|_| ())
    }

    /// Deletes vectors from the index. Ids that the index does not have are ignored.
    ///
    /// # Errors
    /// The API failed.
    pub async fn delete_vectors(
        &self,
        cloudflare: &Cloudflare,
        ids: &[String],
    ) -> Result<(), VectorIndexError> {
        let body = serde_json::json!({ "ids": ids }).to_string();
        let delete = self.vectorize(cloudflare, "delete_by_ids", "application/json", body);
        self.within(INDEXING_MS, delete).await.map(|_| ())
    }

    /// A vector for each text, as JSON.
    async fn vectors(
        &self,
        cloudflare: &Cloudflare,
        texts: &[String],
    ) -> Result<Vec<String>, VectorIndexError> {
        let path = format!("ai/run/{}", cloudflare.model);
        let body = serde_json::json!({ "text": texts }).to_string();
        let bytes = self.api(cloudflare, &path, "application/json", body);
        let bytes = bytes.await?;
        let answer: Answer<Vectors<'_>> = serde_json::from_slice(&bytes)
            .map_err(|_| VectorIndexError::new("Workers AI answered no vectors"))?;
        let vectors = answer.result.data;
        if vectors.len() != texts.len() {
            let (got, wanted) = (vectors.len(), texts.len());
            let why = format!("Workers AI answered {got} vectors for {wanted} texts");
            return Err(VectorIndexError::new(why));
        }
        vectors.into_iter().map(line).collect()
    }

    async fn vectorize(
        &self,
        cloudflare: &Cloudflare,
        verb: &str,
        content_type: &str,
        body: String,
    ) -> Result<Vec<u8>, VectorIndexError> {
        let path = format!("vectorize/v2/indexes/{}/{verb}", cloudflare.index);
        self.api(cloudflare, &path, content_type, body).await
    }

    /// The body of a successful response.
    async fn api(
        &self,
        cloudflare: &Cloudflare,
        path: &str,
        content_type: &str,
        body: String,
    ) -> Result<Vec<u8>, VectorIndexError> {
        let Cloudflare { url, account, .. } = cloudflare;
        let headers = vec![
            ("authorization", format!("Bearer {}", cloudflare.token)),
            ("content-type", content_type.to_owned()),
        ];
        let url = format!("{url}/accounts/{account}/{path}");
        let to = Destination::Http { url, headers };
        let mut answer = self.open(ModelRequest { to, body }).await?;
        if !(200..300).contains(&answer.status) {
            return Err(VectorIndexError {
                why: format!("Cloudflare answered {} to {path}", answer.status),
                rest_ms: u64::from(answer.retry_after.unwrap_or_default()) * 1_000,
            });
        }
        let mut bytes = Vec::new();
        while let Some(piece) = answer.body.next().await {
            bytes.extend_from_slice(&piece?);
            if bytes.len() > MAX_ANSWER {
                return Err(VectorIndexError::new(format!(
                    "the answer to {path} does not end"
                )));
            }
        }
        Ok(bytes)
    }

    async fn within<T>(
        &self,
        ms: u64,
        work: impl Future<Output = Result<T, VectorIndexError>>,
    ) -> Result<T, VectorIndexError> {
        match select(pin!(work), pin!(self.sleep(ms))).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => Err(VectorIndexError::new(format!("no answer within {ms} ms"))),
        }
    }

    async fn find_near(
        &self,
        cloudflare: &Cloudflare,
        bot_key: &BotKey,
        text: &str,
        limit: u32,
    ) -> Result<Vec<Hit>, VectorIndexError> {
        let texts = [cut(text)];
        let (vectors, woken) = join(
            self.vectors(cloudflare, &texts),
            self.wake_embedder(bot_key),
        )
        .await;
        let vector = vectors?.concat();
        woken?;
        let namespace = namespace(&bot_key.tenant_id, &bot_key.bot_id);
        let query =
            format!("{{\"vector\":{vector},\"topK\":{limit},\"namespace\":\"{namespace}\"}}");
        let bytes = self.vectorize(cloudflare, "query", "application/json", query);
        let bytes = bytes.await?;
        let found: Answer<Matches> = serde_json::from_slice(&bytes)
            .map_err(|_| VectorIndexError::new("Vectorize answered no matches"))?;
        let mut matches = found.result.matches;
        matches.truncate(limit as usize);
        if matches.is_empty() {
            return Ok(Vec::new());
        }
        let BotKey { tenant_id, bot_id } = bot_key;
        let hits = self
            .search_index()
            .near(tenant_id, bot_id, &matches)
            .await?;
        Ok(hits)
    }

    /// Has a bot's vectors made whose chunks were never marked for vectors, because the vector index was configured
    /// after its sources were read.
    async fn wake_embedder(&self, bot_key: &BotKey) -> Result<(), PortError> {
        if !self.library().has_unmarked(bot_key).await? {
            return Ok(());
        }
        self.request_ingest(bot_key, "", "", 0).await
    }
}

impl VectorIndex for Edge {
    async fn near(
        &self,
        tenant_id: &str,
        bot_id: &str,
        text: &str,
        limit: u32,
    ) -> Result<Vec<Hit>, PortError> {
        let Some(cloudflare) = config::cloudflare(self.env()).map_err(PortError)? else {
            return Ok(Vec::new());
        };
        if RESTING.get() > self.now_ms() {
            return Err(PortError("not asked: it failed a moment ago".to_owned()));
        }
        let bot_key = BotKey {
            tenant_id: tenant_id.to_owned(),
            bot_id: bot_id.to_owned(),
        };
        let found = self.find_near(&cloudflare, &bot_key, text, limit);
        let found = self.within(cloudflare.patience_ms, found).await;
        found.map_err(|failed| {
            let rest_ms = failed.rest_ms.max(cloudflare.retry_ms);
            RESTING.set(self.now_ms() + rest_ms);
            PortError(failed.why)
        })
    }
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_CHARS).collect()
}

/// The namespace of a bot's vectors: at most 64 bytes.
fn namespace(tenant_id: &str, bot_id: &str) -> String {
    Scope::of(tenant_id, bot_id).word("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_passed_on_as_one_line_of_numbers_and_nothing_else_is() {
        let read = |json: &str| {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            line(&raw).ok()
        };
        assert_eq!(
            read("[0.25,\n -1e-3 ,\t2]").as_deref(),
            Some("[0.25,-1e-3,2]")
        );
        for garbage in ["[]", "{}", "\"[1]\"", "[[1]]", "[null]", "[\"a\"]", "7"] {
            assert_eq!(read(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn a_namespace_is_short_and_each_bots_own() {
        assert!((1..=64).contains(&namespace(&"t".repeat(200), "b").len()));
        assert_ne!(namespace("a", "b"), namespace("b", "b"));
    }
}
