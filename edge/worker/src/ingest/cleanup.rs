//! The cleanup queue: traces of sources that are gone or have changed, and of the bot itself.

use bulle_edge_core::ports::PortError;

use super::step::{StepContext, stored};
use crate::adapters::files::key;

/// The bot is gone.
pub struct BotGone {
    /// When to go on with its vectors; `None` when none are left.
    pub next_at: Option<u64>,
}

impl StepContext<'_> {
    /// Cleans up after the sources whose time in the queue has come.
    ///
    /// # Errors
    /// The database, the bucket or the object's storage failed.
    pub async fn clean_up(&self, now: u64) -> Result<Option<BotGone>, PortError> {
        let bot = &self.bot;
        let ids = self.store.due_cleanups(now).map_err(stored)?;
        if ids.is_empty() {
            return Ok(None);
        }
        if ids.iter().any(String::is_empty) && !self.edge.library().bot_exists(bot).await? {
            let prefix = key(&bot.tenant_id, &bot.bot_id, "", "");
            let prefix = prefix.trim_end_matches('/');
            self.edge.delete_files(&format!("{prefix}/"), None).await?;
            let next_at = self.delete_unwanted_vectors().await?;
            return Ok(Some(BotGone { next_at }));
        }
        self.delete_files(&ids).await?;
        self.edge.library().sweep(bot, &ids).await?;
        for id in &ids {
            self.store.finish_cleanup(id, now).map_err(stored)?;
        }
        Ok(None)
    }

    /// Deletes the files of sources that are gone, and of the others those that were replaced.
    async fn delete_files(&self, ids: &[String]) -> Result<(), PortError> {
        let bot = &self.bot;
        let stored_files = self.edge.library().files_of(bot, ids).await?;
        for id in ids.iter().filter(|id| !id.is_empty()) {
            let prefix = key(&bot.tenant_id, &bot.bot_id, id, "");
            match stored_files.iter().find(|file| file.id == *id) {
                None => {
                    self.edge.delete_files(&prefix, None).await?;
                    self.store.delete_source(id).map_err(stored)?;
                }
                Some(file) => {
                    if let Some(checksum) = &file.checksum {
                        let current = format!("{prefix}{checksum}");
                        self.edge.delete_files(&prefix, Some(&current)).await?;
                    }
                }
            }
        }
        Ok(())
    }
}
