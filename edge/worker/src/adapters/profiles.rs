//! What is kept of visitors beside their words: forms that they have filled in, files that they have given. And all of it
//! together: shown, and erased. Every statement binds the tenant and the visitor.

use bulle_edge_core::{
    attachments::UNSENT_MS,
    guard::token::RESUME_SECONDS,
    model::{Material, Owner},
    ports::{Clock, PortError, Profiles},
};
use bulle_protocol::Id;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use worker::{D1PreparedStatement, D1Result, wasm_bindgen::JsValue};

use super::{Edge, history::id, nullable, port_error, time};

/// Files of a conversation that an answer may be made from.
const MAX_FILES: u32 = 6;

#[derive(Deserialize)]
struct One {}

#[derive(Deserialize)]
struct FileRow {
    id: String,
    name: String,
    text: String,
}

/// Something as JSON, and the conversation that it belongs to.
#[derive(Deserialize)]
struct Item {
    of: String,
    item: String,
}

/// A conversation of a visitor, and what its object knows its owner by.
#[derive(Deserialize)]
struct Owned {
    id: String,
    bot_id: String,
    bot_since: f64,
}

impl Profiles for Edge {
    async fn has_filled(&self, owner: &Owner) -> Result<bool, PortError> {
        let sql =
            "SELECT 1 FROM form_answer WHERE tenant_id = ?1 AND visitor_id = ?2 AND bot_id = ?3";
        let values = [
            owner.tenant_id.as_str().into(),
            owner.visitor_id.to_string().into(),
            owner.bot_id.as_str().into(),
        ];
        self.is_there(sql, &values).await
    }

    async fn is_erased(&self, tenant_id: &str, visitor_id: Id) -> Result<bool, PortError> {
        let sql = "SELECT 1 FROM erased WHERE tenant_id = ?1 AND visitor_id = ?2";
        let values = [tenant_id.into(), visitor_id.to_string().into()];
        self.is_there(sql, &values).await
    }

    async fn attach(
        &self,
        owner: &Owner,
        conversation_id: Id,
        message_id: Id,
        files: &[Id],
    ) -> Result<Vec<Material>, PortError> {
        let ids = serde_json::to_string(files).map_err(|e| PortError(e.to_string()))?;
        let whose: [JsValue; 4] = [
            owner.tenant_id.as_str().into(),
            owner.visitor_id.to_string().into(),
            conversation_id.to_string().into(),
            message_id.to_string().into(),
        ];
        let mut given = whose.to_vec();
        given.extend([
            owner.bot_id.as_str().into(),
            ids.into(),
            time(self.now_ms().saturating_sub(UNSENT_MS)),
        ]);
        let mut known = whose.to_vec();
        known.push(MAX_FILES.into());
        let done = self
            .batched(&[
                (
                    "UPDATE attachment SET conversation_id = ?3, message_id = ?4 \
                     WHERE tenant_id = ?1 AND visitor_id = ?2 AND bot_id = ?5 \
                     AND (message_id IS NULL OR message_id = ?4) AND id IN (SELECT value FROM json_each(?6)) AND created_at > ?7",
                    given,
                ),
                (
                    "SELECT id, name, text FROM attachment \
                     WHERE tenant_id = ?1 AND visitor_id = ?2 AND conversation_id = ?3 \
                     ORDER BY message_id = ?4 DESC, id DESC LIMIT ?5",
                    known,
                ),
            ])
            .await?;
        let rows: Vec<FileRow> = rows(done.last())?;
        let files = rows.into_iter().map(|row| {
            Ok(Material {
                id: id(&row.id)?,
                name: row.name,
                text: row.text,
            })
        });
        files.collect()
    }
}

impl Edge {
    async fn is_there(&self, sql: &str, values: &[JsValue]) -> Result<bool, PortError> {
        let statement = self.db()?.prepare(sql).bind(values).map_err(port_error)?;
        let row: Option<One> = statement.first(None).await.map_err(port_error)?;
        Ok(row.is_some())
    }

    /// One transaction.
    async fn batched(
        &self,
        statements: &[(&str, Vec<JsValue>)],
    ) -> Result<Vec<D1Result>, PortError> {
        let db = self.db()?;
        let bound = statements
            .iter()
            .map(|(sql, values)| db.prepare(*sql).bind(values).map_err(port_error));
        let bound: Vec<D1PreparedStatement> = bound.collect::<Result<_, _>>()?;
        db.batch(bound).await.map_err(port_error)
    }

    /// Keeps what a visitor has answered, in place of what they had answered before.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_form(
        &self,
        owner: &Owner,
        new_id: Id,
        fields: &BTreeMap<String, String>,
        consent: Option<&str>,
    ) -> Result<(), PortError> {
        let fields = serde_json::to_string(fields).map_err(|e| PortError(e.to_string()))?;
        let sql = "INSERT INTO form_answer (tenant_id, id, bot_id, visitor_id, fields, consent, updated_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3) \
             ON CONFLICT (tenant_id, visitor_id, bot_id) DO UPDATE SET fields = excluded.fields, \
             consent = excluded.consent, updated_at = excluded.updated_at";
        let values = vec![
            owner.tenant_id.as_str().into(),
            new_id.to_string().into(),
            owner.bot_id.as_str().into(),
            owner.visitor_id.to_string().into(),
            fields.into(),
            nullable(consent),
            time(self.now_ms()),
        ];
        self.batched(&[(sql, values)]).await.map(drop)
    }

    /// Keeps the text of a file that a visitor has given and not sent yet.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_file(
        &self,
        owner: &Owner,
        file: &Material,
        bytes: u64,
    ) -> Result<(), PortError> {
        let sql = "INSERT INTO attachment (tenant_id, id, bot_id, visitor_id, name, bytes, text, created_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM bot WHERE tenant_id = ?1 AND id = ?3)";
        let values = vec![
            owner.tenant_id.as_str().into(),
            file.id.to_string().into(),
            owner.bot_id.as_str().into(),
            owner.visitor_id.to_string().into(),
            file.name.as_str().into(),
            time(bytes),
            file.text.as_str().into(),
            time(self.now_ms()),
        ];
        self.batched(&[(sql, values)]).await.map(drop)
    }

    /// Forgets files that nobody has sent, and who was erased so long ago that no token brings them back.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_old(&self) -> Result<(), PortError> {
        let before = |ms| vec![time(self.now_ms().saturating_sub(ms))];
        // A session that was resumed while this could not be asked has renewed its token once.
        let erased_ms = 2 * RESUME_SECONDS * 1_000;
        self.batched(&[
            (
                "DELETE FROM attachment WHERE message_id IS NULL AND created_at < ?1",
                before(UNSENT_MS),
            ),
            ("DELETE FROM erased WHERE at < ?1", before(erased_ms)),
        ])
        .await
        .map(drop)
    }

    /// Calls a conversation otherwise. False when the visitor has none with this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn rename(
        &self,
        owner: &Owner,
        conversation: Id,
        title: &str,
    ) -> Result<bool, PortError> {
        let sql = "UPDATE conversation SET title = ?5 \
             WHERE tenant_id = ?1 AND id = ?2 AND visitor_id = ?3 AND bot_id = ?4 RETURNING id";
        let values = vec![
            owner.tenant_id.as_str().into(),
            conversation.to_string().into(),
            owner.visitor_id.to_string().into(),
            owner.bot_id.as_str().into(),
            title.into(),
        ];
        let done = self.batched(&[(sql, values)]).await?;
        has_rows(done.last())
    }

    /// Deletes a conversation with all that belongs to it. False when the visitor has none with this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_conversation(
        &self,
        owner: &Owner,
        conversation: Id,
    ) -> Result<bool, PortError> {
        let values = [
            owner.tenant_id.as_str().into(),
            owner.visitor_id.to_string().into(),
            conversation.to_string().into(),
            owner.bot_id.as_str().into(),
        ];
        let statements: Vec<_> = WORDS.iter().map(|sql| (*sql, values.to_vec())).collect();
        let done = self.batched(&statements).await?;
        has_rows(done.last())
    }

    /// Notes that a visitor wants everything erased, and answers their conversations.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn begin_erasing(
        &self,
        tenant_id: &str,
        visitor: Id,
    ) -> Result<Vec<(Id, Owner)>, PortError> {
        let values: [JsValue; 2] = [tenant_id.into(), visitor.to_string().into()];
        let mut noted = values.to_vec();
        noted.push(time(self.now_ms()));
        let done = self
            .batched(&[
                (
                    "INSERT OR REPLACE INTO erased (tenant_id, visitor_id, at) VALUES (?1, ?2, ?3)",
                    noted,
                ),
                (
                    "SELECT conversation.id, conversation.bot_id, bot.created_at AS bot_since FROM conversation \
                     JOIN bot ON bot.tenant_id = conversation.tenant_id AND bot.id = conversation.bot_id \
                     WHERE conversation.tenant_id = ?1 AND conversation.visitor_id = ?2",
                    values.to_vec(),
                ),
            ])
            .await?;
        let owned: Vec<Owned> = rows(done.last())?;
        let owned = owned.into_iter().map(|row| {
            let owner = Owner {
                tenant_id: tenant_id.to_owned(),
                bot_id: row.bot_id,
                bot_since: row.bot_since as u64,
                visitor_id: visitor,
            };
            Ok((id(&row.id)?, owner))
        });
        owned.collect()
    }

    /// Erases everything of a visitor but the note that it was erased, and what answers have cost.
    ///
    /// # Errors
    /// The database failed; nothing was erased then.
    pub async fn erase(&self, tenant_id: &str, visitor: Id) -> Result<(), PortError> {
        let values: [JsValue; 2] = [tenant_id.into(), visitor.to_string().into()];
        let mut all = values.to_vec();
        all.extend([JsValue::NULL, JsValue::NULL]);
        let mut statements: Vec<_> = WORDS.iter().map(|sql| (*sql, all.clone())).collect();
        statements.extend([
            (
                "DELETE FROM form_answer WHERE tenant_id = ?1 AND visitor_id = ?2",
                values.to_vec(),
            ),
            (
                "DELETE FROM visitor WHERE tenant_id = ?1 AND id = ?2",
                values.to_vec(),
            ),
        ]);
        self.batched(&statements).await.map(drop)
    }

    /// Everything that is stored of a visitor, as JSON. `counted` is how many messages the meter has counted today.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn export(
        &self,
        tenant_id: &str,
        visitor: Id,
        counted: Option<u64>,
    ) -> Result<String, PortError> {
        let values: Vec<JsValue> = vec![tenant_id.into(), visitor.to_string().into()];
        let statements: Vec<_> = EXPORT.iter().map(|sql| (*sql, values.clone())).collect();
        let done = self.batched(&statements).await?;
        let items = |place: usize| rows::<Item>(done.get(place));
        let joined = |items: Vec<Item>| {
            let items: Vec<String> = items.into_iter().map(|row| row.item).collect();
            items.join(",")
        };
        let mut said: HashMap<String, Vec<String>> = HashMap::new();
        for row in items(3)? {
            said.entry(row.of).or_default().push(row.item);
        }
        let conversations = items(2)?.into_iter().map(|row| {
            let messages = said.remove(&row.of).unwrap_or_default().join(",");
            let head = row.item.strip_suffix('}').unwrap_or_default();
            format!("{head},\"messages\":[{messages}]}}")
        });
        let conversations: Vec<String> = conversations.collect();
        let identity = joined(items(0)?);
        let counted = counted.map_or("null".to_owned(), |counted| counted.to_string());
        Ok(format!(
            "{{\"exported_at\":{},\"visitor_id\":\"{visitor}\",\"identity\":{},\"messages_counted_today\":{counted},\
             \"forms\":[{}],\"conversations\":[{}],\"attachments\":[{}]}}",
            self.now_ms(),
            if identity.is_empty() {
                "null"
            } else {
                &identity
            },
            joined(items(1)?),
            conversations.join(","),
            joined(items(4)?),
        ))
    }
}

/// Deletes what was said by the visitor `?2`: in the conversation `?3` with the bot `?4`, or in all when these are null. The
/// conversation comes last and returns something.
const WORDS: [&str; 5] = [
    "DELETE FROM summary WHERE tenant_id = ?1 AND conversation_id IN (SELECT id FROM conversation \
     WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR id = ?3 AND bot_id = ?4))",
    "DELETE FROM unanswered WHERE tenant_id = ?1 AND conversation_id IN (SELECT id FROM conversation \
     WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR id = ?3 AND bot_id = ?4))",
    "DELETE FROM attachment WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR conversation_id = ?3 AND bot_id = ?4)",
    "DELETE FROM message WHERE tenant_id = ?1 AND conversation_id IN (SELECT id FROM conversation \
     WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR id = ?3 AND bot_id = ?4))",
    "DELETE FROM conversation WHERE tenant_id = ?1 AND visitor_id = ?2 AND (?3 IS NULL OR id = ?3 AND bot_id = ?4) RETURNING id",
];

/// What is stored of the visitor `?2`: who the site says they are, forms, conversations, messages, files. SQLite writes the
/// JSON; a merge patch leaves out what is null.
const EXPORT: [&str; 5] = [
    "SELECT '' AS of, json_object('subject', subject, 'name', name, 'email', email, 'tier', tier, \
     'created_at', created_at, 'seen_at', seen_at) AS item FROM visitor WHERE tenant_id = ?1 AND id = ?2",
    "SELECT '' AS of, json_patch('{}', json_object('bot_id', bot_id, 'fields', json(fields), 'consent', consent, \
     'updated_at', updated_at)) AS item FROM form_answer WHERE tenant_id = ?1 AND visitor_id = ?2",
    "SELECT id AS of, json_object('id', id, 'bot_id', bot_id, 'title', title, 'created_at', created_at, \
     'updated_at', updated_at, 'summaries', (SELECT json_group_array(text) FROM summary \
     WHERE summary.tenant_id = ?1 AND summary.conversation_id = conversation.id)) AS item \
     FROM conversation WHERE tenant_id = ?1 AND visitor_id = ?2 ORDER BY id",
    "SELECT conversation_id AS of, json_patch('{}', json_object('id', id, 'role', role, 'text', text, \
     'status', status, 'reply_to', reply_to, 'feedback', json(feedback), 'created_at', created_at)) AS item \
     FROM message WHERE tenant_id = ?1 AND conversation_id IN (SELECT id FROM conversation \
     WHERE tenant_id = ?1 AND visitor_id = ?2) ORDER BY conversation_id, position",
    "SELECT '' AS of, json_patch('{}', json_object('id', id, 'name', name, 'bytes', bytes, 'text', text, \
     'message_id', message_id, 'created_at', created_at)) AS item \
     FROM attachment WHERE tenant_id = ?1 AND visitor_id = ?2 ORDER BY id",
];

/// Whether a statement answered anything.
pub(super) fn has_rows(result: Option<&D1Result>) -> Result<bool, PortError> {
    Ok(!rows::<One>(result)?.is_empty())
}

fn rows<T: for<'de> Deserialize<'de>>(result: Option<&D1Result>) -> Result<Vec<T>, PortError> {
    let result = result.ok_or_else(|| PortError("a batch answered too little".to_owned()))?;
    result.results().map_err(port_error)
}
