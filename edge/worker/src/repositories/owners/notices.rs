//! Notices to owners, newest first.

use super::ResourceKind;

/// The statements that show notices.
pub static KIND: ResourceKind = ResourceKind {
    // A merge patch removes members that are null.
    row: "id, 1 AS version, json_patch('{}', json_object('id', id, 'kind', kind, 'about', about, 'bot_id', bot_id, \
        'detail', json(detail), 'created_at', created_at, 'deliveries', json(deliveries))) AS item",
    one: "FROM notice WHERE tenant_id = ?1 AND id = ?2",
    page: "FROM notice WHERE tenant_id = ?1 AND (?2 = '' OR id < ?2) ORDER BY id DESC LIMIT ?5",
    // The JSON of the row is passed on unread: reading and writing it again would be kilobytes more Worker.
    show: |item| Ok(item.to_owned()),
};
