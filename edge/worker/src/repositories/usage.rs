//! Model calls of a tenant and their cost, summed up by the database.

use bulle_api::usage::UsageKey;
use bulle_edge_core::{admin::usage::UsageQuery, ports::PortError};
use bulle_protocol::Id;
use serde::Deserialize;

use crate::d1::{Database, Statement, values};

/// Model calls, and answers without their words.
pub struct Usage<D>(pub D);

#[derive(Deserialize)]
struct Row {
    item: String,
    keys: Option<String>,
}

// `json_patch('{}', object)` is the object without its nulls.

/// The expression by which a key groups calls.
fn column(key: UsageKey) -> &'static str {
    match key {
        UsageKey::Day => "date(created_at / 1000, 'unixepoch')",
        UsageKey::Month => "strftime('%Y-%m', created_at / 1000, 'unixepoch')",
        UsageKey::Bot => "bot_id",
        UsageKey::Provider => "provider",
        UsageKey::Model => "model",
        UsageKey::Conversation => "conversation_id",
        UsageKey::Outcome => "outcome",
    }
}

impl<D: Database> Usage<D> {
    /// A page of sums as a JSON array, and the cursor of the next page.
    ///
    /// # Errors
    /// The database failed.
    pub async fn page(
        &self,
        tenant_id: &str,
        query: &UsageQuery,
    ) -> Result<(String, Option<String>), PortError> {
        let (mut columns, mut shown, mut only) = (String::new(), String::new(), String::new());
        for (n, key) in query.by.iter().enumerate() {
            let (comma, column) = (if n == 0 { "" } else { ", " }, column(*key));
            columns.push_str(&format!("{comma}{column}"));
            shown.push_str(&format!("'{}', keys ->> {n}, ", key.as_str()));
        }
        if query.bot.is_some() {
            only.push_str(" AND bot_id = ?4");
        }
        if query.conversation.is_some() {
            only.push_str(" AND conversation_id = ?5");
        }
        // Without keys, the sum over no calls is a row, too.
        let group = if query.by.is_empty() {
            ""
        } else {
            "GROUP BY keys ORDER BY keys"
        };
        // The pth percentile is the least value that at least p of 100 values do not exceed (nearest rank).
        let sql = format!(
            "WITH call AS (SELECT json_array({columns}) AS keys, asked, well, purpose, id, input_tokens, output_tokens, \
              estimated, microusd, first_token_ms AS first, passed, \
              iif(asked, total_ms, NULL) AS total \
              FROM (SELECT *, outcome IN ('circuit_open', 'unfunded', 'unconfigured') AS passed, \
               outcome NOT IN ('circuit_open', 'unfunded', 'unconfigured') \
               AND provider NOT IN ('extractive', 'persona', 'cache') AS asked, \
               outcome IN ('answered', 'truncated', 'stopped') AS well FROM model_call \
               WHERE tenant_id = ?1 AND created_at >= ?2 AND created_at < ?3{only})), \
             ranked AS (SELECT *, count(first) OVER same AS firsts, count(total) OVER same AS totals, \
              row_number() OVER (same ORDER BY first NULLS LAST) AS first_place, \
              row_number() OVER (same ORDER BY total NULLS LAST) AS total_place \
              FROM call WINDOW same AS (PARTITION BY keys)) \
             SELECT json_patch('{{}}', json_object({shown}\
              'answers', count(DISTINCT iif(well AND purpose <> 'summary', substr(id, 1, 26), NULL)), \
              'calls', coalesce(sum(asked), 0), 'failed', coalesce(sum(asked AND NOT well), 0), \
              'passed_over', coalesce(sum(passed), 0), \
              'input_tokens', coalesce(sum(input_tokens), 0), 'output_tokens', coalesce(sum(output_tokens), 0), \
              'estimated_calls', coalesce(sum(estimated), 0), 'microusd', coalesce(sum(microusd), 0), \
              'unpriced_calls', coalesce(sum(asked AND microusd IS NULL), 0), \
              'first_token_ms', iif(count(first), json_object('mean', CAST(round(avg(first)) AS INTEGER), \
               'p50', min(iif(first_place * 100 >= firsts * 50, first, NULL)), \
               'p95', min(iif(first_place * 100 >= firsts * 95, first, NULL))), NULL), \
              'total_ms', iif(count(total), json_object('mean', CAST(round(avg(total)) AS INTEGER), \
               'p50', min(iif(total_place * 100 >= totals * 50, total, NULL)), \
               'p95', min(iif(total_place * 100 >= totals * 95, total, NULL))), NULL))) AS item, keys \
             FROM ranked WHERE ?6 IS NULL OR keys > ?6 {group} LIMIT ?7"
        );
        let [begin, end] = query.span_ms();
        let values = values![
            tenant_id,
            begin,
            end,
            query.bot.as_deref(),
            query.conversation,
            query.after.as_deref(),
            query.limit + 1,
        ];
        let mut found: Vec<Row> = self.0.rows(Statement::new(sql, values)).await?;
        let more = found.len() > query.limit as usize;
        found.truncate(query.limit as usize);
        let items: Vec<&str> = found.iter().map(|row| row.item.as_str()).collect();
        let items = format!("[{}]", items.join(","));
        Ok((items, found.pop().filter(|_| more).and_then(|row| row.keys)))
    }

    /// An answer with its evidence and model calls, without its words, as JSON. `None` when the tenant has none with this
    /// id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn answer(&self, tenant_id: &str, id: Id) -> Result<Option<String>, PortError> {
        // Whether JSON from a subquery is still JSON, and not text, depends on the version of SQLite: json() reads it again.
        // Without NOT MATERIALIZED and INDEXED BY, SQLite copies every call of the tenant and scans its messages.
        let sql = "WITH steps AS NOT MATERIALIZED (SELECT id, question_id, conversation_id, created_at, \
              json_object('purpose', purpose, 'provider', provider, 'model', model, 'outcome', outcome, \
              'status', status, 'usage', json_object('input_tokens', input_tokens, 'output_tokens', output_tokens, \
              'estimated', json(iif(estimated, 'true', 'false'))), 'microusd', microusd, \
              'first_token_ms', first_token_ms, 'total_ms', total_ms, 'at', created_at) AS step \
              FROM model_call WHERE tenant_id = ?1) \
             SELECT NULL AS keys, json_patch('{}', json_object('id', message.id, 'question_id', message.reply_to, \
              'conversation_id', message.conversation_id, 'bot_id', conversation.bot_id, 'status', message.status, \
              'finish', message.finish, 'error', message.error, 'provider', message.provider, \
              'model', message.model, 'usage', json_object('input_tokens', message.input_tokens, \
              'output_tokens', message.output_tokens, 'estimated', json(iif(message.estimated, 'true', 'false'))), \
              'evidence', json_remove(message.evidence, '$.prompt.added'), 'created_at', message.created_at, \
              'calls', json((SELECT json_group_array(json(step)) FROM (SELECT step FROM steps \
               WHERE id >= ?2 || '/' AND id < ?2 || '0' ORDER BY created_at, length(id), id))), \
              'earlier_calls', json((SELECT json_group_array(json(step)) FROM (SELECT step FROM steps \
               WHERE steps.conversation_id = message.conversation_id AND question_id = message.reply_to \
               AND NOT (id >= ?2 || '/' AND id < ?2 || '0') ORDER BY created_at, length(id), id))))) AS item \
             FROM message INDEXED BY answer_by_id JOIN conversation ON conversation.tenant_id = message.tenant_id \
              AND conversation.id = message.conversation_id \
             WHERE message.tenant_id = ?1 AND message.id = ?2 AND message.role = 'assistant'";
        let statement = Statement::new(sql, values![tenant_id, id]);
        let row: Option<Row> = self.0.first(statement).await?;
        Ok(row.map(|row| row.item))
    }
}
