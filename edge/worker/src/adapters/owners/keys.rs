//! API keys, of which only the hash is stored. They never change: their version is what happened to them.

use bulle_api::admin::{ApiKey, CreatedApiKey, NewApiKey, Scope};
use bulle_edge_core::{
    admin::{
        Caller, key,
        key::{Stored, USE_GRAIN_MS},
        rules,
    },
    ports::PortError,
};
use bulle_protocol::{Id, problem::Problem};
use serde::Deserialize;
use worker::console_error;

use super::{Creation, Kind, Made, Maker, answer, bind, nullable, show, time};
use crate::adapters::{Edge, port_error};

/// What is shown of them.
pub static KIND: Kind = Kind {
    // `prefix` is that of `admin::key::prefix`. Neither time in the version ever goes back.
    row: "id, 1 + coalesce(last_used_at, 0) + coalesce(revoked_at, 0) AS version, \
        json_object('id', id, 'prefix', 'bulle_' || tenant_id || '_' || id, 'name', name, 'scopes', json(scopes), \
        'created_at', created_at, 'expires_at', expires_at, 'revoked_at', revoked_at, \
        'last_used_at', last_used_at) AS item",
    one: "FROM api_key WHERE tenant_id = ?1 AND id = ?2",
    page: "FROM api_key WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT ?5",
    show: show::<ApiKey>,
};

/// How they are created.
pub static CREATION: Creation = Creation {
    // A time that is null is refused: when there are too many, nothing is stored.
    insert: "INSERT INTO api_key (tenant_id, id, hash, name, scopes, expires_at, created_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN (SELECT count(*) FROM api_key WHERE tenant_id = ?1 \
        AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?7)) < ?8 THEN ?7 END)",
    obstacle: "SELECT CASE WHEN (SELECT count(*) FROM api_key WHERE tenant_id = ?1 \
        AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?7)) >= ?8 THEN 'full' END AS obstacle",
    noticed: false,
    make,
    refusal,
};

fn make(text: &str, maker: &Maker<'_>) -> Result<Made, Problem> {
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
    let values = vec![
        secret.hash().into(),
        listed.name.as_str().into(),
        answer(&listed.scopes)?.into(),
        nullable(listed.expires_at.map(time)),
        time(maker.now_ms),
        rules::MAX_KEYS.into(),
    ];
    let remembered = answer(&listed)?;
    let key = Some(secret.reveal());
    Ok(Made {
        id: id.to_string(),
        values,
        shown: answer(&CreatedApiKey { listed, key })?,
        remembered,
    })
}

fn refusal(_: &str, _: &Made) -> Problem {
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

impl Edge {
    /// Who holds this API key. `None` when it is unknown, revoked or expired.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn holder(
        &self,
        presented: &key::ApiKey,
        now_ms: u64,
    ) -> Result<Option<Caller>, PortError> {
        let sql = "SELECT hash, scopes, expires_at, revoked_at, last_used_at FROM api_key \
                   WHERE tenant_id = ?1 AND id = ?2";
        let id = presented.id.to_string();
        let values = [presented.tenant_id.as_str().into(), id.as_str().into()];
        let statement = bind(&self.db()?, sql, &values)?;
        let row: Option<KeyRow> = statement.first(None).await.map_err(port_error)?;
        let Some(row) = row else { return Ok(None) };
        let stored = Stored {
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
        let scopes: Vec<Scope> = serde_json::from_str(&row.scopes)
            .map_err(|e| PortError(format!("scopes of API key {id}: {e}")))?;
        Ok(Some(Caller::Key {
            tenant_id: presented.tenant_id.clone(),
            id: presented.id,
            scopes,
        }))
    }

    /// Notes the use. It is for people to look at: when it cannot be noted, the key is good all the same.
    async fn used(&self, presented: &key::ApiKey, now_ms: u64) {
        let sql = "UPDATE api_key SET last_used_at = ?3 WHERE tenant_id = ?1 AND id = ?2";
        let values = [
            presented.tenant_id.as_str().into(),
            presented.id.to_string().into(),
            time(now_ms),
        ];
        let done = async {
            let statement = bind(&self.db()?, sql, &values)?;
            statement.run().await.map_err(port_error)
        };
        if let Err(error) = done.await {
            console_error!("{}", serde_json::json!({ "error": error.to_string() }));
        }
    }

    /// Revokes an API key, at once and everywhere. False when there is none.
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
        let values = [tenant_id.into(), id.into(), time(now_ms)];
        let statement = bind(&self.db()?, sql, &values)?;
        let row: Option<serde_json::Value> = statement.first(None).await.map_err(port_error)?;
        Ok(row.is_some())
    }
}
