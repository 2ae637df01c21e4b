//! Writing a document into the index: chunks in batches, then one swap that makes them answer.

use bulle_edge_core::{
    digest::sha256_hex,
    ports::Clock,
    search::Scope,
    sources::{FailureCode, FetchError, content::Prepared},
};
use bulle_edge_text::Document;

use super::step::{StepContext, StepError};
use crate::repositories::library::{Target, Validators};

/// Milliseconds after which the replaced chunks of a page are deleted: together with those of other pages.
const SWEEP_MS: u64 = 10_000;

impl StepContext<'_> {
    /// Writes a document and makes it answer. Returns false when `max_batches` were written and there are more.
    ///
    /// # Errors
    /// The database or the object's storage failed.
    pub async fn index(
        &self,
        target: Target<'_>,
        prepared: &Prepared,
        next: (Option<u64>, &Validators),
        max_batches: Option<u32>,
    ) -> Result<bool, StepError> {
        let (edge, bot) = (self.edge, &self.bot);
        let Some(mut staged) = edge.library().stage(bot, target, prepared).await? else {
            return Ok(true);
        };
        let scope = Scope::of(&bot.tenant_id, &bot.bot_id);
        for number in 0.. {
            if staged.written >= prepared.chunks.len() {
                break;
            }
            if max_batches.is_some_and(|most| number >= most) {
                return Ok(false);
            }
            let batch = prepared.batch(staged.written, &scope);
            edge.library()
                .write(bot, target, (prepared, &staged), &batch)
                .await?;
            staged.written += batch.len();
        }
        // Queued before the swap, so that the replaced chunks are cleaned up even when the isolate dies in between.
        let now = edge.now_ms();
        self.store.queue_cleanup(target.id, now + SWEEP_MS)?;
        edge.library()
            .swap(bot, target, (prepared, &staged), next, now)
            .await?;
        Ok(true)
    }
}

/// A document in chunks, ready to be written.
///
/// # Errors
/// `no_text`.
pub fn prepare(document: Document, checksum: String, bytes: usize) -> Result<Prepared, FetchError> {
    let prepared = Prepared::new(document, checksum, bytes as u64);
    if prepared.chunks.is_empty() {
        return Err(FetchError::permanent(
            FailureCode::NoText,
            "There is no text in it. Give something that holds text.",
        ));
    }
    Ok(prepared)
}

/// SHA-256 of the content of a page or an entry: title, language and text.
pub fn checksum(document: &Document) -> String {
    let parts = [
        document.title.as_str(),
        "\n",
        &document.language,
        "\n",
        &document.body,
    ];
    sha256_hex(parts.map(str::as_bytes))
}
