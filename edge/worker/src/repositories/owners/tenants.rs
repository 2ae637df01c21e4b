//! Tenants: owners themselves. Their id is both `?1` and `?2`, except where the operator creates or lists them.

use bulle_api::admin::{NewTenant, Status, Tenant, TenantChange};
use bulle_edge_core::{admin::rules, json, ports::PortError};
use bulle_protocol::problem::{Code, Problem};
use serde_json::Value;

use super::{
    AffectedSites, Change, ChangeContext, Changes, CreateContext, Creation, NewResource, Owned,
    ResourceKind, answer, belongings, changed, name, show,
};
use crate::d1::{Database, Statement, values};

/// The statements that show tenants.
pub static KIND: ResourceKind = ResourceKind {
    row: "id, version, json_object('id', id, 'name', name, 'status', status, \
        'settings', json(settings), 'created_at', created_at, 'updated_at', updated_at) AS item",
    one: "FROM tenant WHERE id = ?2",
    page: "FROM tenant WHERE id > ?2 AND (?3 IS NULL OR status = ?3) ORDER BY id LIMIT ?5",
    show: show::<Tenant>,
};

/// The statements that change and delete tenants.
pub static CHANGES: Changes = Changes {
    kind: &KIND,
    update: "UPDATE tenant SET version = version + 1, updated_at = ?4, name = ?5, status = ?6, \
        settings = ?7 WHERE id = ?2 AND version = ?3",
    delete: || {
        let own = "DELETE FROM tenant WHERE id = ?2 AND version = ?3 RETURNING id";
        belongings(BELONGINGS, UNCHANGED)
            .chain([own.into()])
            .collect()
    },
    apply,
    affected_sites,
};

const UNCHANGED: &str = "EXISTS (SELECT 1 FROM tenant WHERE id = ?2 AND version = ?3)";

const OF_TENANT: &str = "tenant_id = ?1";

/// The tables with rows of a tenant: all except `vector_unwanted`, whose ids identify no tenant.
const BELONGINGS: &[(&str, &str)] = &[
    (
        "chunk_fts",
        "rowid IN (SELECT id FROM chunk WHERE tenant_id = ?1)",
    ),
    ("chunk", OF_TENANT),
    ("source_text", OF_TENANT),
    ("source", OF_TENANT),
    ("golden_question", OF_TENANT),
    ("unanswered", OF_TENANT),
    ("model_call", OF_TENANT),
    ("notice", OF_TENANT),
    ("form_answer", OF_TENANT),
    ("attachment", OF_TENANT),
    ("erased", OF_TENANT),
    ("bot_version", OF_TENANT),
    ("summary", OF_TENANT),
    ("conversation_label", OF_TENANT),
    ("conversation_note", OF_TENANT),
    ("message", OF_TENANT),
    ("conversation", OF_TENANT),
    ("visitor", OF_TENANT),
    ("site", OF_TENANT),
    ("bot", OF_TENANT),
    ("api_key", OF_TENANT),
    ("audit", OF_TENANT),
    ("membership", OF_TENANT),
    ("invitation", OF_TENANT),
    ("identity_secret", OF_TENANT),
    // The stored answer to the creation of this tenant is deleted as well; it belongs to the operator.
    (
        "idempotency",
        "(tenant_id = ?1 OR tenant_id = '' AND json_extract(response, '$.id') = ?1)",
    ),
];

/// The statements that create tenants.
pub static CREATION: Creation = Creation {
    insert: "INSERT INTO tenant (id, name, settings, created_at, updated_at) VALUES (?2, ?3, ?4, ?5, ?5)",
    obstacle: "SELECT CASE WHEN EXISTS (SELECT 1 FROM tenant WHERE id = ?2) THEN 'exists' END AS obstacle, ?5 AS now",
    noticed: false,
    make,
    refusal,
};

fn apply(item: &str, patch: Value, context: &ChangeContext) -> Result<Option<Change>, Problem> {
    let before: Tenant = json::read(item)
        .map_err(|_| Problem::new(Code::Internal, "What is stored cannot be read."))?;
    let editable = |tenant: Tenant| TenantChange {
        name: tenant.name,
        status: tenant.status,
        settings: tenant.settings,
    };
    changed(item, patch, context, editable, |change| {
        // One that stays is judged when something is posted.
        if change.settings.notices.webhook != before.settings.notices.webhook {
            rules::check_webhook(&change.settings, &context.policy)?;
        }
        Ok(Change {
            values: values![
                &change.name,
                name(change.status)?,
                answer(&change.settings)?,
            ],
            refusal: None,
        })
    })
}

fn affected_sites(_: &str) -> AffectedSites<'_> {
    AffectedSites::default()
}

fn make(text: &str, maker: &CreateContext<'_>) -> Result<NewResource, Problem> {
    let new: NewTenant = rules::read(text, maker.now_ms)?;
    rules::check_webhook(&new.settings, &maker.policy)?;
    let tenant = Tenant {
        id: new.id,
        name: new.name,
        status: Status::Active,
        settings: new.settings,
        created_at: maker.now_ms,
        updated_at: maker.now_ms,
    };
    let values = values![&tenant.name, answer(&tenant.settings)?, maker.now_ms];
    NewResource::open(tenant.id.clone(), values, &tenant)
}

fn refusal(_: &str, made: &NewResource) -> Problem {
    rules::taken("tenant", &made.id)
}

impl<D: Database> Owned<D> {
    /// Whether the tenant exists.
    ///
    /// # Errors
    /// The database failed.
    pub async fn tenant_exists(&self, tenant_id: &str) -> Result<bool, PortError> {
        let sql = "SELECT 1 AS one FROM tenant WHERE id = ?1";
        self.0.any(Statement::new(sql, values![tenant_id])).await
    }
}
