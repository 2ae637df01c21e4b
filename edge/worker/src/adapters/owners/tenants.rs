//! Tenants: owners themselves. Their id is both `?1` and `?2`, except where the operator creates or lists them.

use bulle_api::admin::{NewTenant, Status, Tenant, TenantChange};
use bulle_edge_core::{admin::rules, ports::PortError};
use bulle_protocol::problem::Problem;
use serde_json::Value;

use super::{
    Change, Changes, Creation, Kind, Made, Maker, Reach, answer, bind, changed, name, show, time,
};
use crate::adapters::{Edge, port_error};

/// What is shown of them.
pub static KIND: Kind = Kind {
    row: "id, version, json_object('id', id, 'name', name, 'status', status, \
        'settings', json(settings), 'created_at', created_at, 'updated_at', updated_at) AS item",
    one: "FROM tenant WHERE id = ?2",
    page: "FROM tenant WHERE id > ?2 AND (?3 IS NULL OR status = ?3) ORDER BY id LIMIT ?5",
    show: show::<Tenant>,
};

/// How they are changed and deleted.
pub static CHANGES: Changes = Changes {
    kind: &KIND,
    update: "UPDATE tenant SET version = version + 1, updated_at = ?4, name = ?5, status = ?6, \
        settings = ?7 WHERE id = ?2 AND version = ?3",
    delete: &[
        "DELETE FROM chunk_fts WHERE rowid IN (SELECT id FROM chunk WHERE tenant_id = ?1) \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM chunk WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM source_text WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM source WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM golden_question WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM unanswered WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM model_call WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM notice WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM form_answer WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM attachment WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM erased WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM bot_version WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM summary WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM message WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM conversation WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM visitor WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM site WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM bot WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM api_key WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM identity_secret WHERE tenant_id = ?1 \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        // Also what the operator was answered when this tenant was created.
        "DELETE FROM idempotency \
         WHERE (tenant_id = ?1 OR tenant_id = '' AND json_extract(response, '$.id') = ?1) \
         AND EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)",
        "DELETE FROM tenant WHERE id = ?2 AND version = ?3 RETURNING id",
    ],
    apply,
    reach,
};

/// How they are created.
pub static CREATION: Creation = Creation {
    insert: "INSERT INTO tenant (id, name, settings, created_at, updated_at) VALUES (?2, ?3, ?4, ?5, ?5)",
    obstacle: "SELECT CASE WHEN EXISTS (SELECT 1 FROM tenant WHERE id = ?2) THEN 'exists' END AS obstacle, ?5 AS now",
    noticed: false,
    make,
    refusal,
};

fn apply(item: &str, patch: Value, now_ms: u64) -> Result<Option<Change>, Problem> {
    let change = changed(item, patch, now_ms, |tenant: Tenant| TenantChange {
        name: tenant.name,
        status: tenant.status,
        settings: tenant.settings,
    })?;
    let Some(change) = change else {
        return Ok(None);
    };
    Ok(Some(Change {
        values: vec![
            change.name.as_str().into(),
            name(change.status)?.into(),
            answer(&change.settings)?.into(),
        ],
        refusal: None,
    }))
}

fn reach(_: &str) -> Reach<'_> {
    Reach::default()
}

fn make(text: &str, maker: &Maker<'_>) -> Result<Made, Problem> {
    let new: NewTenant = rules::read(text, maker.now_ms)?;
    let tenant = Tenant {
        id: new.id,
        name: new.name,
        status: Status::Active,
        settings: new.settings,
        created_at: maker.now_ms,
        updated_at: maker.now_ms,
    };
    let values = vec![
        tenant.name.as_str().into(),
        answer(&tenant.settings)?.into(),
        time(maker.now_ms),
    ];
    Made::open(tenant.id.clone(), values, &tenant)
}

fn refusal(_: &str, made: &Made) -> Problem {
    rules::taken("tenant", &made.id)
}

impl Edge {
    /// Whether there is such a tenant.
    ///
    /// # Errors
    /// The database failed.
    pub async fn tenant_exists(&self, tenant_id: &str) -> Result<bool, PortError> {
        let sql = "SELECT 1 AS one FROM tenant WHERE id = ?1";
        let statement = bind(&self.db()?, sql, &[tenant_id.into()])?;
        let row: Option<Value> = statement.first(None).await.map_err(port_error)?;
        Ok(row.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every table with a tenant's rows is emptied of them when the tenant goes, also one that comes later.
    #[test]
    fn a_deletion_forgets_no_table() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut tables = 0;
        for file in std::fs::read_dir(folder).unwrap() {
            let sql = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for statement in sql.split("CREATE TABLE ").skip(1) {
                let statement = statement.split(") STRICT").next().unwrap();
                let table = statement.split_whitespace().next().unwrap();
                if statement.contains("tenant_id ") {
                    let deletes = |sql: &&str| sql.starts_with(&format!("DELETE FROM {table} "));
                    assert!(CHANGES.delete.iter().any(deletes), "{table}");
                    tables += 1;
                }
            }
        }
        assert!(tables >= 10, "only {tables} tables were found");
    }
}
