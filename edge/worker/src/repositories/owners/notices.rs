//! What owners were told, newest first.

use super::ResourceKind;

/// What is shown of them.
pub static KIND: ResourceKind = ResourceKind {
    // A merge patch leaves out what is null.
    row: "id, 1 AS version, json_patch('{}', json_object('id', id, 'kind', kind, 'about', about, 'bot_id', bot_id, \
        'detail', json(detail), 'created_at', created_at, 'deliveries', json(deliveries))) AS item",
    one: "FROM notice WHERE tenant_id = ?1 AND id = ?2",
    page: "FROM notice WHERE tenant_id = ?1 AND (?2 = '' OR id < ?2) ORDER BY id DESC LIMIT ?5",
    // As it was written: to read it and write it again would be kilobytes more Worker.
    show: |item| Ok(item.to_owned()),
};
