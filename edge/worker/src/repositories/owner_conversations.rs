//! Visitors' conversations as owners list, read, label, annotate and delete them. SQLite writes the JSON; a merge patch
//! leaves out members that are null. Whether JSON from a subquery is still JSON, and not text, depends on the version of
//! SQLite: `json()` reads it again.

use bulle_edge_core::{
    admin::conversations::{ConversationQuery, Filter, SCANNED},
    model::Owner,
    ports::PortError,
};
use bulle_protocol::Id;
use serde::Deserialize;

use crate::d1::{Database, Statement, Value, to_id, to_json, values};

/// Conversations of a tenant, for its owner.
pub struct OwnerConversations<D>(pub D);

/// A page of a list, as a JSON array, and the cursor of the next one.
pub struct ConversationPage {
    /// JSON.
    pub items: String,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// The head of a conversation, as JSON, and whose it is.
pub struct Head {
    /// JSON.
    pub item: String,
    /// Whose it is.
    pub owner: Owner,
}

#[derive(Deserialize)]
struct ItemRow {
    item: String,
    id: String,
}

#[derive(Deserialize)]
struct HeadRow {
    item: String,
    bot_id: String,
    visitor_id: String,
    bot_since: f64,
}

#[derive(Deserialize)]
struct LastRow {
    id: String,
}

#[derive(Deserialize)]
struct MessageRow {
    item: String,
    position: u32,
}

#[derive(Deserialize)]
struct Item {
    item: String,
}

/// A conversation `c` of the tenant `?1` as JSON.
const ITEM: &str = "json_patch('{}', json_object('id', c.id, 'bot_id', c.bot_id, 'visitor_id', c.visitor_id, \
     'visitor', json((SELECT json_object('subject', subject, 'name', name, 'email', email, 'tier', tier) FROM visitor \
     WHERE visitor.tenant_id = ?1 AND visitor.id = c.visitor_id)), 'title', c.title, 'created_at', c.created_at, \
     'updated_at', c.updated_at, 'messages', (SELECT count(*) FROM message WHERE message.tenant_id = ?1 \
     AND message.conversation_id = c.id), 'unanswered', json(iif(EXISTS (SELECT 1 FROM unanswered \
     WHERE unanswered.tenant_id = ?1 AND unanswered.conversation_id = c.id), 'true', 'false')), \
     'rating', (SELECT min(feedback ->> 'rating') FROM message WHERE message.tenant_id = ?1 \
     AND message.conversation_id = c.id), 'labels', json((SELECT json_group_array(label) FROM conversation_label \
     WHERE conversation_label.tenant_id = ?1 AND conversation_label.conversation_id = c.id))))";

impl<D: Database> OwnerConversations<D> {
    /// A page of a tenant's conversations, those that began last first. Where there are filters, it looks at
    /// [`SCANNED`] conversations: a page may have fewer than asked for, or none, and yet be followed by another.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn page(
        &self,
        tenant_id: &str,
        query: &ConversationQuery,
    ) -> Result<ConversationPage, PortError> {
        let scanned = if query.filters.is_empty() {
            query.limit + 1
        } else {
            SCANNED
        };
        let [from, until] = query.ids();
        let mut values = values![tenant_id, from, until];
        // Without the index, SQLite may look at every conversation of the tenant for those of one visitor.
        let index = match query.visitor {
            Some(_) => "INDEXED BY conversation_by_visitor",
            None => "",
        };
        let mut window = format!(
            "SELECT id, bot_id, visitor_id, title, created_at, updated_at FROM conversation {index} \
             WHERE tenant_id = ?1 AND id >= ?2 AND id < ?3"
        );
        if let Some(visitor) = query.visitor {
            values.push(visitor.into());
            window.push_str(&format!(" AND visitor_id = ?{}", values.len()));
        }
        window.push_str(" ORDER BY id DESC");
        let last = Statement::new(
            format!("SELECT id FROM ({window} LIMIT 1 OFFSET {})", scanned - 1),
            values.clone(),
        );
        let mut conditions = String::from("1");
        for filter in &query.filters {
            let place = format!("?{}", values.len() + 1);
            conditions.push_str(" AND ");
            conditions.push_str(&condition(filter, &place));
            values.extend(parameter(filter)?);
        }
        let items = Statement::new(
            format!(
                "SELECT {ITEM} AS item, c.id FROM ({window} LIMIT {scanned}) AS c WHERE {conditions} \
                 ORDER BY c.id DESC LIMIT {}",
                query.limit + 1
            ),
            values,
        );
        let [items, last] = self.0.batch([items, last]).await?;
        let mut rows: Vec<ItemRow> = items.list()?;
        let more = rows.len() > query.limit as usize;
        rows.truncate(query.limit as usize);
        let next = match rows.last().filter(|_| more) {
            Some(row) => Some(row.id.clone()),
            None => last.first::<LastRow>()?.map(|row| row.id),
        };
        Ok(ConversationPage {
            items: array(rows.into_iter().map(|row| row.item)),
            next,
        })
    }

    /// The head of a conversation. `None` when the tenant has none with this id.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn head(&self, tenant_id: &str, id: Id) -> Result<Option<Head>, PortError> {
        let sql = format!(
            "SELECT {ITEM} AS item, c.bot_id, c.visitor_id, bot.created_at AS bot_since FROM conversation AS c \
             JOIN bot ON bot.tenant_id = c.tenant_id AND bot.id = c.bot_id WHERE c.tenant_id = ?1 AND c.id = ?2"
        );
        let row: Option<HeadRow> = self
            .0
            .first(Statement::new(sql, values![tenant_id, id]))
            .await?;
        row.map(|row| {
            Ok(Head {
                item: row.item,
                owner: Owner {
                    tenant_id: tenant_id.to_owned(),
                    bot_id: row.bot_id,
                    bot_since: row.bot_since as u64,
                    visitor_id: to_id(&row.visitor_id)?,
                },
            })
        })
        .transpose()
    }

    /// What was said in a conversation: the `limit` messages before a position, or the last ones, with the notes and the
    /// visitor's form, as the JSON of a transcript.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn transcript(
        &self,
        head: &Head,
        id: Id,
        before: Option<u32>,
        limit: u32,
    ) -> Result<String, PortError> {
        let owner = &head.owner;
        let tenant_id = &owner.tenant_id;
        let messages = Statement::new(
            MESSAGES,
            values![tenant_id, id, before.unwrap_or(i32::MAX as u32), limit + 1],
        );
        let notes = Statement::new(NOTES, values![tenant_id, id]);
        let form = Statement::new(
            "SELECT fields AS item FROM form_answer WHERE tenant_id = ?1 AND visitor_id = ?2 AND bot_id = ?3",
            values![tenant_id, owner.visitor_id, &owner.bot_id],
        );
        let [messages, notes, form] = self.0.batch([messages, notes, form]).await?;
        let mut rows: Vec<MessageRow> = messages.list()?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| row.position);
        let next = next.map_or(String::new(), |next| format!(",\"next\":\"{next}\""));
        let form: Option<Item> = form.first()?;
        let form = form.map_or(String::new(), |form| format!(",\"form\":{}", form.item));
        let notes: Vec<Item> = notes.list()?;
        Ok(format!(
            "{{\"conversation\":{},\"messages\":{},\"notes\":{}{form}{next}}}",
            head.item,
            array(rows.into_iter().rev().map(|row| row.item)),
            array(notes.into_iter().map(|note| note.item)),
        ))
    }

    /// Replaces the labels of a conversation. Nothing is stored when it is gone.
    ///
    /// # Errors
    /// The database failed; nothing was stored then.
    pub async fn label(&self, tenant_id: &str, id: Id, labels: &[String]) -> Result<(), PortError> {
        let old = Statement::new(
            "DELETE FROM conversation_label WHERE tenant_id = ?1 AND conversation_id = ?2",
            values![tenant_id, id],
        );
        let new = Statement::new(
            "INSERT INTO conversation_label (tenant_id, conversation_id, label) SELECT ?1, ?2, value FROM json_each(?3) \
             WHERE EXISTS (SELECT 1 FROM conversation WHERE tenant_id = ?1 AND id = ?2)",
            values![tenant_id, id, to_json(labels)?],
        );
        self.0.batch([old, new]).await.map(drop)
    }

    /// Stores a note of a person or, without one, of a key: its JSON. `None` when the conversation is gone or has
    /// `most` notes.
    ///
    /// # Errors
    /// The database failed.
    pub async fn annotate(
        &self,
        (tenant_id, id): (&str, Id),
        note_id: Id,
        person_id: Option<Id>,
        text: &str,
        (now_ms, most): (u64, u32),
    ) -> Result<Option<String>, PortError> {
        let sql = "INSERT INTO conversation_note (tenant_id, conversation_id, id, person_id, text, created_at) \
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM conversation WHERE tenant_id = ?1 AND id = ?2) \
                   AND (SELECT count(*) FROM conversation_note WHERE tenant_id = ?1 AND conversation_id = ?2) < ?7 \
                   RETURNING json_patch('{}', json_object('id', id, 'author', \
                   (SELECT name FROM person WHERE person.id = person_id), 'text', text, 'created_at', created_at)) AS item";
        let values = values![tenant_id, id, note_id, person_id, text, now_ms, most];
        let row: Option<Item> = self.0.first(Statement::new(sql, values)).await?;
        Ok(row.map(|row| row.item))
    }

    /// Deletes a note. False when there is none with this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_note(
        &self,
        tenant_id: &str,
        id: Id,
        note_id: Id,
    ) -> Result<bool, PortError> {
        let sql = "DELETE FROM conversation_note WHERE tenant_id = ?1 AND conversation_id = ?2 AND id = ?3 RETURNING id";
        let values = values![tenant_id, id, note_id];
        self.0.any(Statement::new(sql, values)).await
    }
}

/// The messages of the conversation `?2` before the position `?3`, at most `?4`, the latest first.
const MESSAGES: &str = "SELECT m.position, json_patch('{}', json_object('id', m.id, 'position', m.position, 'role', m.role, \
     'text', m.text, 'blocks', json(m.blocks), 'sources', json(m.sources), \
     'passages', json((SELECT json_group_array(json_object('title', coalesce(chunk.retired_title, source.title, ''), \
     'heading', chunk.heading)) FROM json_each(m.evidence, '$.prompt.passages') AS passage \
     JOIN chunk ON chunk.id = passage.value AND chunk.tenant_id = ?1 \
     LEFT JOIN source ON source.tenant_id = ?1 AND source.bot_id = chunk.bot_id AND source.id = chunk.source_id)), \
     'status', m.status, 'reply_to', m.reply_to, 'finish', m.finish, 'error', m.error, 'provider', m.provider, \
     'model', m.model, 'usage', json_object('input_tokens', m.input_tokens, 'output_tokens', m.output_tokens, \
     'estimated', json(iif(m.estimated, 'true', 'false'))), 'evidence', json_remove(m.evidence, '$.prompt.added'), \
     'microusd', (SELECT sum(microusd) FROM model_call WHERE model_call.tenant_id = ?1 \
     AND model_call.id >= m.id || '/' AND model_call.id < m.id || '0'), 'feedback', json(m.feedback), \
     'attachments', json((SELECT json_group_array(json_object('id', a.id, 'name', a.name, 'bytes', a.bytes)) \
     FROM attachment AS a WHERE a.tenant_id = ?1 AND a.conversation_id = ?2 AND a.message_id = m.id)), \
     'created_at', m.created_at)) AS item FROM message AS m \
     WHERE m.tenant_id = ?1 AND m.conversation_id = ?2 AND m.position < ?3 ORDER BY m.position DESC LIMIT ?4";

/// The notes of the conversation `?2`, the oldest first.
const NOTES: &str = "SELECT json_patch('{}', json_object('id', n.id, 'author', person.name, 'text', n.text, \
     'created_at', n.created_at)) AS item FROM conversation_note AS n LEFT JOIN person ON person.id = n.person_id \
     WHERE n.tenant_id = ?1 AND n.conversation_id = ?2 ORDER BY n.id";

/// The condition of a filter on the conversation `c`, with its parameter at this place.
fn condition(filter: &Filter, place: &str) -> String {
    let answered = |test: &str| {
        format!(
            "EXISTS (SELECT 1 FROM message WHERE message.tenant_id = ?1 AND message.conversation_id = c.id AND {test} = {place})"
        )
    };
    match filter {
        Filter::Bot(_) => format!("c.bot_id = {place}"),
        Filter::Bots(_) => format!("c.bot_id IN (SELECT value FROM json_each({place}))"),
        Filter::Rating(_) => answered("message.feedback ->> 'rating'"),
        Filter::Finish(_) => answered("message.finish"),
        Filter::Model(_) => answered("message.model"),
        Filter::Topic(_) => answered("message.evidence ->> 'topic'"),
        Filter::Label(_) => format!(
            "EXISTS (SELECT 1 FROM conversation_label WHERE conversation_label.tenant_id = ?1 \
             AND conversation_label.conversation_id = c.id AND label = {place})"
        ),
        Filter::Tier(_) => format!(
            "EXISTS (SELECT 1 FROM visitor WHERE visitor.tenant_id = ?1 AND visitor.id = c.visitor_id AND tier = {place})"
        ),
        Filter::Unanswered(_) => format!(
            "EXISTS (SELECT 1 FROM unanswered WHERE unanswered.tenant_id = ?1 AND unanswered.conversation_id = c.id) = {place}"
        ),
        Filter::Form(_) => format!(
            "EXISTS (SELECT 1 FROM form_answer WHERE form_answer.tenant_id = ?1 AND form_answer.visitor_id = c.visitor_id \
             AND form_answer.bot_id = c.bot_id) = {place}"
        ),
    }
}

fn parameter(filter: &Filter) -> Result<Vec<Value>, PortError> {
    Ok(match filter {
        Filter::Bots(bots) => values![to_json(bots)?],
        Filter::Unanswered(flag) | Filter::Form(flag) => values![*flag],
        Filter::Bot(text)
        | Filter::Rating(text)
        | Filter::Finish(text)
        | Filter::Model(text)
        | Filter::Topic(text)
        | Filter::Label(text)
        | Filter::Tier(text) => values![text],
    })
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}
