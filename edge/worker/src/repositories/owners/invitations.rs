//! Invitations that nobody has used. What makes, uses and revokes them stands in `repositories/people/invitations.rs`.

use bulle_api::people::Invitation;

use super::{ResourceKind, show};

/// The statements that show invitations.
pub static KIND: ResourceKind = ResourceKind {
    // A merge patch removes members that are null.
    row: "id, created_at AS version, json_patch('{}', json_object('id', id, 'email', email, \
        'operator', json(iif(operator, 'true', 'false')), 'role', role, 'bots', json(bots), 'rights', json(rights), \
        'created_at', created_at, 'expires_at', expires_at)) AS item",
    one: "FROM invitation WHERE tenant_id = ?1 AND id = ?2 AND session_id IS NULL",
    page: "FROM invitation WHERE tenant_id = ?1 AND id > ?2 AND session_id IS NULL ORDER BY id LIMIT ?5",
    show: show::<Invitation>,
};
