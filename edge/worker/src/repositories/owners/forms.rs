//! Visitors' answers to forms, newest first.

use super::ResourceKind;

/// The statements that show answers to forms.
pub static KIND: ResourceKind = ResourceKind {
    // A merge patch removes members that are null.
    row: "id, 1 AS version, json_patch('{}', json_object('id', id, 'bot_id', bot_id, 'visitor_id', visitor_id, \
        'fields', json(fields), 'consent', consent, 'updated_at', updated_at)) AS item",
    one: "FROM form_answer WHERE tenant_id = ?1 AND id = ?2",
    page: "FROM form_answer WHERE tenant_id = ?1 AND (?2 = '' OR id < ?2) AND (?4 IS NULL OR bot_id = ?4) \
        ORDER BY id DESC LIMIT ?5",
    show: |item| Ok(item.to_owned()),
};
