//! API keys, of which only the hash is stored. A key never changes; its version grows with its use and its revocation.

use bulle_api::admin::{ApiKey, CreatedApiKey, NewApiKey, Scope};
use bulle_edge_core::{
    admin::{
        Principal, key,
        key::{StoredKey, USE_GRAIN_MS},
        rules,
    },
    ports::PortError,
};
use bulle_protocol::{Id, problem::Problem};
use serde::Deserialize;

use super::{CreateContext, Creation, NewResource, Owned, ResourceKind, answer, show};
use crate::{
    d1::{Database, Statement, from_json, values},
    log,
};

/// The statements that show API keys.
pub static KIND: ResourceKind = ResourceKind {
    // `prefix` is that of `admin::key::prefix`. The times in the version only grow.
    row: "id, 1 + coalesce(last_used_at, 0) + coalesce(revoked_at, 0) AS version, \
        json_object('id', id, 'prefix', 'bulle_' || tenant_id || '_' || id, 'name', name, 'scopes', json(scopes), \
        'created_at', created_at, 'expires_at', expires_at, 'revoked_at', revoked_at, \
        'last_used_at', last_used_at) AS item",
    one: "FROM api_key WHERE tenant_id = ?1 AND id = ?2",
    page: "FROM api_key WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT ?5",
    show: show::<ApiKey>,
};

/// The statements that create API keys.
pub static CREATION: Creation = Creation {
    // `NOT NULL` refuses a time that is null: with too many keys, the insertion fails.
    insert: "INSERT INTO api_key (tenant_id, id, hash, name, scopes, expires_at, created_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN (SELECT count(*) FROM api_key WHERE tenant_id = ?1 \
        AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?7)) < ?8 THEN ?7 END)",
    obstacle: "SELECT CASE WHEN (SELECT count(*) FROM api_key WHERE tenant_id = ?1 \
        AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?7)) >= ?8 THEN 'full' END AS obstacle",
    noticed: false,
    make,
    refusal,
};

fn make(text: &str, maker: &CreateContext<'_>) -> Result<NewResource, Problem> {
    let new: NewApiKey = rules::read(text, maker.now_ms)?;
    maker.caller.may_grant(&new.scopes)?;
    let [random, high, low] = maker.random;
    let id = Id::from_parts(maker.now_ms, random);
    let secret = key::ApiKey::new(maker.tenant_id, id, [high, low]);
    let listed = ApiKey {
        id,
        prefix: secret.prefix(),
        name: new.name,
        scopes: new.scopes,
        created_at: maker.now_ms,
        expires_at: new.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    let values = values![
        secret.hash(),
        &listed.name,
        answer(&listed.scopes)?,
        listed.expires_at,
        maker.now_ms,
        rules::MAX_KEYS,
    ];
    let remembered = answer(&listed)?;
    let key = Some(secret.reveal());
    Ok(NewResource {
        id: id.to_string(),
        values,
        shown: answer(&CreatedApiKey { listed, key })?,
        remembered,
    })
}

fn refusal(_: &str, _: &NewResource) -> Problem {
    rules::too_many(rules::MAX_KEYS, "API keys", "Revoke one that is not used.")
}

#[derive(Deserialize)]
struct KeyRow {
    hash: String,
    scopes: String,
    expires_at: Option<f64>,
    revoked_at: Option<f64>,
    last_used_at: Option<f64>,
}

impl<D: Database> Owned<D> {
    /// The principal of this API key. `None` when the key is unknown, revoked or expired.
    ///
    /// # Errors
    /// The database failed, or the row cannot be read.
    pub async fn holder(
        &self,
        presented: &key::ApiKey,
        now_ms: u64,
    ) -> Result<Option<Principal>, PortError> {
        let sql = "SELECT hash, scopes, expires_at, revoked_at, last_used_at FROM api_key \
                   WHERE tenant_id = ?1 AND id = ?2";
        let values = values![&presented.tenant_id, presented.id];
        let row: Option<KeyRow> = self.0.first(Statement::new(sql, values)).await?;
        let Some(row) = row else { return Ok(None) };
        let stored = StoredKey {
            hash: row.hash,
            expires_at: row.expires_at.map(|ms| ms as u64),
            revoked_at: row.revoked_at.map(|ms| ms as u64),
        };
        if !stored.accepts(presented, now_ms) {
            return Ok(None);
        }
        let last = row.last_used_at.map(|ms| ms as u64);
        if last.is_none_or(|last| now_ms.saturating_sub(last) >= USE_GRAIN_MS) {
            self.used(presented, now_ms).await;
        }
        let scopes: Vec<Scope> = from_json(&row.scopes)
            .map_err(|e| PortError(format!("scopes of API key {}: {e}", presented.id)))?;
        Ok(Some(Principal::Key {
            tenant_id: presented.tenant_id.clone(),
            id: presented.id,
            scopes,
        }))
    }

    /// Stores the time of the use, which owners can see. A failure is only logged: the key is valid nevertheless.
    async fn used(&self, presented: &key::ApiKey, now_ms: u64) {
        let sql = "UPDATE api_key SET last_used_at = ?3 WHERE tenant_id = ?1 AND id = ?2";
        let values = values![&presented.tenant_id, presented.id, now_ms];
        if let Err(error) = self.0.execute(Statement::new(sql, values)).await {
            log::error("error", &error);
        }
    }

    /// Revokes an API key, at once and everywhere; the time of an earlier revocation stays. False when there is none with
    /// this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn revoke_key(
        &self,
        tenant_id: &str,
        id: &str,
        now_ms: u64,
    ) -> Result<bool, PortError> {
        let sql = "UPDATE api_key SET revoked_at = coalesce(revoked_at, ?3) \
                   WHERE tenant_id = ?1 AND id = ?2 RETURNING id";
        self.0
            .any(Statement::new(sql, values![tenant_id, id, now_ms]))
            .await
    }
}
