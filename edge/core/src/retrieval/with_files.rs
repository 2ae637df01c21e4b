//! An index that includes the visitor's files, for a bot without a model, which quotes from documents and files.

use bulle_edge_text::{Document, words::words};

use crate::{
    knowledge::chunk::chunks,
    model::Material,
    ports::{Index, PortError, VectorIndex},
    search::{Found, Hit, Query},
};

/// An index of the bot's documents and a visitor's files.
pub struct WithFiles<'a, I> {
    /// The bot's own index.
    pub index: &'a I,
    /// The files; may be empty.
    pub files: &'a [Material],
}

impl<I: Index> Index for WithFiles<'_, I> {
    async fn search(
        &self,
        tenant_id: &str,
        bot_id: &str,
        query: &Query,
        limit: u32,
    ) -> Result<Found, PortError> {
        let mut found = self.index.search(tenant_id, bot_id, query, limit).await?;
        let mut ids = (1..).map(|n: i64| -n);
        for file in self.files {
            let document = Document {
                body: file.text.clone(),
                ..Document::default()
            };
            for chunk in chunks(&document) {
                let held: Vec<String> = (words(&chunk.heading).into_iter())
                    .chain(words(&chunk.text))
                    .map(|word| word.key)
                    .collect();
                let hit = Hit {
                    id: ids.next().unwrap_or_default(),
                    title: file.name.clone(),
                    heading: chunk.heading,
                    text: chunk.text,
                    url: None,
                    language: String::new(),
                    score: 0.0,
                };
                found.all += 1;
                let keys = query.keys.iter().filter(|key| held.contains(key));
                let mut fits = false;
                for key in keys {
                    *found.chunks.entry(key.clone()).or_default() += 1;
                    fits = true;
                }
                if fits {
                    found.hits.push(hit.into());
                }
            }
        }
        Ok(found)
    }

    async fn texts(
        &self,
        tenant_id: &str,
        bot_id: &str,
        ids: &[i64],
    ) -> Result<Vec<Hit>, PortError> {
        self.index.texts(tenant_id, bot_id, ids).await
    }
}

impl<I: VectorIndex> VectorIndex for WithFiles<'_, I> {
    async fn near(
        &self,
        tenant_id: &str,
        bot_id: &str,
        text: &str,
        limit: u32,
    ) -> Result<Vec<Hit>, PortError> {
        self.index.near(tenant_id, bot_id, text, limit).await
    }
}
