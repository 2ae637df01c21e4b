//! API keys, of which only the hash is stored. A key never changes; its version grows with its use and its revocation.

use bulle_api::{
    admin::{ApiKey, CreatedApiKey, NewApiKey, Scope},
    people::Right,
};
use bulle_edge_core::{
    admin::{
        Member, Principal, key,
        key::{StoredKey, USE_GRAIN_MS},
        rules,
    },
    ports::PortError,
};
use bulle_protocol::{Id, problem::Problem};
use serde::Deserialize;

use super::{CreateContext, Creation, NewResource, Owned, ResourceKind, answer, show};
use crate::{
    d1::{Database, Statement, from_json, from_name, to_id, values},
    log,
};

/// The statements that show API keys.
pub static KIND: ResourceKind = ResourceKind {
    // `prefix` is that of `admin::key::prefix`. The times in the version only grow.
    row: "id, 1 + coalesce(last_used_at, 0) + coalesce(revoked_at, 0) AS version, \
        json_object('id', id, 'prefix', 'bulle_' || tenant_id || '_' || id, 'name', name, 'scopes', json(scopes), \
        'created_at', created_at, 'expires_at', expires_at, 'revoked_at', revoked_at, \
        'last_used_at', last_used_at, 'person_id', person_id) AS item",
    one: "FROM api_key WHERE tenant_id = ?1 AND id = ?2",
    page: "FROM api_key WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT ?5",
    show: show::<ApiKey>,
};

/// The statements that create API keys.
pub static CREATION: Creation = Creation {
    // `NOT NULL` refuses a time that is null: with too many keys, the insertion fails.
    insert: "INSERT INTO api_key (tenant_id, id, hash, name, scopes, expires_at, person_id, created_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, CASE WHEN (SELECT count(*) FROM api_key WHERE tenant_id = ?1 \
        AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?8)) < ?9 THEN ?8 END)",
    obstacle: "SELECT CASE WHEN (SELECT count(*) FROM api_key WHERE tenant_id = ?1 \
        AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?8)) >= ?9 THEN 'full' END AS obstacle",
    noticed: false,
    make,
    refusal,
};

fn make(text: &str, maker: &CreateContext<'_>) -> Result<NewResource, Problem> {
    let new: NewApiKey = rules::read(text, maker.now_ms)?;
    maker.caller.may_grant(&new.scopes)?;
    let person_id = match maker.caller {
        Principal::Person(person) if new.personal => Some(person.person_id),
        _ if new.personal => {
            let detail = "personal: only a person who is signed in has keys of their own. Leave it out for a key of the tenant.";
            return Err(rules::invalid(detail));
        }
        _ => None,
    };
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
        person_id,
    };
    let values = values![
        secret.hash(),
        &listed.name,
        answer(&listed.scopes)?,
        listed.expires_at,
        person_id,
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
    person_id: Option<String>,
    operator: Option<f64>,
    role: Option<String>,
    bots: Option<String>,
    rights: Option<String>,
}

impl KeyRow {
    /// The person whose key it is, as far as their membership of the tenant decides what it permits. `None` when they are
    /// no member any more.
    fn member(&self, tenant_id: &str) -> Result<Option<Member>, PortError> {
        let Some(role) = &self.role else {
            return Ok(None);
        };
        let rights: Option<Vec<Right>> = self.rights.as_deref().map(from_json).transpose()?;
        Ok(Some(Member {
            tenant_id: tenant_id.to_owned(),
            role: from_name(role)?,
            bots: self.bots.as_deref().map(from_json).transpose()?,
            rights: rights.unwrap_or_default(),
        }))
    }
}

impl<D: Database> Owned<D> {
    /// The principal of this API key, with no more scopes and bots than the person whose key it is. `None` when the key
    /// is unknown, revoked or expired, or that person is gone.
    ///
    /// # Errors
    /// The database failed, or the row cannot be read.
    pub async fn holder(
        &self,
        presented: &key::ApiKey,
        now_ms: u64,
    ) -> Result<Option<Principal>, PortError> {
        let sql = "SELECT api_key.hash, api_key.scopes, api_key.expires_at, api_key.revoked_at, api_key.last_used_at, \
                   api_key.person_id, person.operator, membership.role, membership.bots, membership.rights FROM api_key \
                   LEFT JOIN person ON person.id = api_key.person_id \
                   LEFT JOIN membership ON membership.tenant_id = ?1 AND membership.person_id = api_key.person_id \
                   WHERE api_key.tenant_id = ?1 AND api_key.id = ?2";
        let values = values![&presented.tenant_id, presented.id];
        let row: Option<KeyRow> = self.0.first(Statement::new(sql, values)).await?;
        let Some(row) = row else { return Ok(None) };
        let member = row.member(&presented.tenant_id)?;
        let stored = StoredKey {
            hash: row.hash,
            expires_at: row.expires_at.map(|ms| ms as u64),
            revoked_at: row.revoked_at.map(|ms| ms as u64),
        };
        let all = row.person_id.is_none() || row.operator.is_some_and(|operator| operator > 0.0);
        if !stored.accepts(presented, now_ms) || !all && member.is_none() {
            return Ok(None);
        }
        let last = row.last_used_at.map(|ms| ms as u64);
        if last.is_none_or(|last| now_ms.saturating_sub(last) >= USE_GRAIN_MS) {
            self.used(presented, now_ms).await;
        }
        let mut scopes: Vec<Scope> = from_json(&row.scopes)
            .map_err(|e| PortError(format!("scopes of API key {}: {e}", presented.id)))?;
        let member = member.filter(|_| !all);
        if let Some(member) = &member {
            let own = member.scopes();
            scopes.retain(|scope| own.contains(scope));
        }
        Ok(Some(Principal::Key {
            tenant_id: presented.tenant_id.clone(),
            id: presented.id,
            scopes,
            person_id: row.person_id.as_deref().map(to_id).transpose()?,
            bots: member.and_then(|member| member.bots),
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
