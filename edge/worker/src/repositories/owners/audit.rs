//! The audit of a tenant, newest first. What writes it stands in `repositories/audit.rs`.

use bulle_api::admin::audit::AuditEntry;

use super::{ResourceKind, show};

/// The statements that show the audit.
pub static KIND: ResourceKind = ResourceKind {
    // A merge patch removes members that are null.
    row: "id, 1 AS version, json_patch('{}', json_object('id', id, 'at', at, 'action', action, 'object', object, \
        'detail', detail, 'person_id', person_id, \
        'email', (SELECT email FROM person WHERE person.id = audit.person_id), 'key_id', key_id, \
        'key_name', (SELECT name FROM api_key WHERE api_key.tenant_id = ?1 AND api_key.id = audit.key_id))) AS item",
    one: "FROM audit WHERE tenant_id = ?1 AND id = ?2",
    // `~` comes after every id.
    page: "FROM audit WHERE tenant_id = ?1 AND id < iif(?2 = '', '~', ?2) ORDER BY id DESC LIMIT ?5",
    show: show::<AuditEntry>,
};
