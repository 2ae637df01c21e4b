//! The ports of the core that the database implements, through the repositories.

use bulle_edge_core::{
    model::{Identity, Material, Owner, Site, Summary},
    ports::{
        Archive, Clock, Index, Kept, PortError, Profiles, Sections, Summaries, Tenants, Visitors,
    },
    record::{ModelCall, Record},
    search::{Found, Hit, Query, Section},
};
use bulle_protocol::Id;

use super::Edge;
use crate::{d1::D1, log, repositories};

/// A method of [`Edge`] for each repository.
macro_rules! repositories {
    ($($method:ident -> $repository:ident: $doc:literal,)*) => {
        impl Edge {
            $(
                #[doc = $doc]
                pub fn $method(&self) -> repositories::$repository<D1<'_>> {
                    repositories::$repository(D1(self.env()))
                }
            )*
        }
    };
}

repositories! {
    audit -> Audit: "Who did what.",
    conversations -> Conversations: "Conversations of visitors.",
    directory -> Directory: "Sites and bots as they are served.",
    gaps -> Gaps: "Unanswered questions, and ratings.",
    golden -> Golden: "Golden questions.",
    library -> Library: "Sources as the indexer writes them.",
    notices -> Notices: "Notices to owners.",
    owner_conversations -> OwnerConversations: "Conversations of a tenant, for its owner.",
    owned -> Owned: "What owners manage.",
    people -> People: "People, their sessions and invitations.",
    profiles -> Profiles: "Data of visitors.",
    prompts -> Prompts: "Prompts of stored answers.",
    search_index -> Search: "The search index.",
    summaries -> Summaries: "Summaries of conversations.",
    transcripts -> Transcripts: "Stored turns.",
    usage -> Usage: "Model calls, and answers without their words.",
    visitors -> Visitors: "Identified visitors.",
}

impl Edge {
    /// Whether the database answers and has been migrated.
    ///
    /// # Errors
    /// The defect, with a text that says how to correct it.
    pub async fn database_answers(&self) -> Result<(), String> {
        self.directory().answers().await.map_err(|error| {
            format!("{error}. Were the migrations applied? `npx wrangler d1 migrations apply DB`")
        })
    }
}

impl Tenants for Edge {
    async fn site(&self, key: &str) -> Result<Option<Site>, PortError> {
        let found = self.directory().site(key).await;
        if let Err(error) = &found {
            log::error_line(&serde_json::json!({ "site": key, "error": error.to_string() }));
        }
        found
    }

    async fn bot(&self, tenant_id: &str, bot_id: &str) -> Result<Option<Site>, PortError> {
        let found = self.directory().bot(tenant_id, bot_id).await;
        if let Err(error) = &found {
            log::error_line(&serde_json::json!({ "bot": bot_id, "error": error.to_string() }));
        }
        found
    }
}

impl Archive for Edge {
    async fn record(&self, record: &Record) -> Result<Kept, PortError> {
        self.transcripts().record(record).await
    }

    async fn record_calls(
        &self,
        owner: &Owner,
        conversation_id: Id,
        question_id: Option<Id>,
        id_prefix: &str,
        calls: &[ModelCall],
    ) -> Result<(), PortError> {
        self.transcripts()
            .record_calls(owner, conversation_id, question_id, id_prefix, calls)
            .await
    }
}

impl Summaries for Edge {
    async fn latest(
        &self,
        owner: &Owner,
        conversation_id: Id,
    ) -> Result<Option<Summary>, PortError> {
        self.summaries().latest(owner, conversation_id).await
    }

    async fn keep(
        &self,
        owner: &Owner,
        conversation_id: Id,
        summary: &Summary,
    ) -> Result<(), PortError> {
        self.summaries()
            .keep(owner, conversation_id, summary, self.now_ms())
            .await
    }
}

impl Profiles for Edge {
    async fn has_filled(&self, owner: &Owner) -> Result<bool, PortError> {
        self.profiles().has_filled(owner).await
    }

    async fn is_erased(&self, tenant_id: &str, visitor_id: Id) -> Result<bool, PortError> {
        self.profiles().is_erased(tenant_id, visitor_id).await
    }

    async fn attach(
        &self,
        owner: &Owner,
        conversation_id: Id,
        message_id: Id,
        files: &[Id],
    ) -> Result<Vec<Material>, PortError> {
        self.profiles()
            .attach(owner, conversation_id, message_id, files, self.now_ms())
            .await
    }
}

impl Visitors for Edge {
    async fn known(
        &self,
        tenant_id: &str,
        identity: &Identity,
        fresh: Id,
        now_ms: u64,
    ) -> Result<Id, PortError> {
        self.visitors()
            .known(tenant_id, identity, fresh, now_ms)
            .await
    }
}

impl Index for Edge {
    async fn search(
        &self,
        tenant_id: &str,
        bot_id: &str,
        query: &Query,
        limit: u32,
    ) -> Result<Found, PortError> {
        let search = self.search_index();
        let found = search.search(tenant_id, bot_id, query, limit).await?;
        if found.hits.iter().any(|candidate| candidate.words.is_none()) {
            self.store_words_later(tenant_id, bot_id);
        }
        Ok(found)
    }

    async fn texts(
        &self,
        tenant_id: &str,
        bot_id: &str,
        ids: &[i64],
    ) -> Result<Vec<Hit>, PortError> {
        self.search_index().texts(tenant_id, bot_id, ids).await
    }
}

impl Sections for Edge {
    async fn sections(&self, tenant_id: &str, bot_id: &str) -> Result<Vec<Section>, PortError> {
        self.search_index().sections(tenant_id, bot_id).await
    }
}
