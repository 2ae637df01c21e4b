//! What a tenant's models were asked for and what it cost, summed up by D1.

use bulle_edge_core::{
    admin::{answer::Answer, usage::Query},
    ports::PortError,
};
use bulle_protocol::{
    Id,
    usage::{UsageKey, UsageRow},
};
use serde::{Deserialize, de::DeserializeOwned};
use worker::wasm_bindgen::JsValue;

use super::{Edge, port_error};

#[derive(Deserialize)]
struct Row {
    item: String,
    keys: Option<String>,
}

/// What is read of a call to sum it up by a key.
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

/// The mean and percentiles of a column of `ranked`, whose values have the places `{name}_place` among `{name}_count`:
/// a percentile is the least value that so many of a hundred do not exceed.
fn durations(name: &str) -> String {
    let percentile =
        |p: u32| format!("min(CASE WHEN {name}_place * 100 >= {name}_count * {p} THEN {name} END)");
    format!(
        "CASE WHEN count({name}) > 0 THEN json_object('mean', CAST(round(avg({name})) AS INTEGER), \
         'p50', {}, 'p95', {}) END",
        percentile(50),
        percentile(95)
    )
}

impl Edge {
    /// A page of sums, and the `next` of it.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn usage(
        &self,
        tenant_id: &str,
        query: &Query,
    ) -> Result<(Vec<UsageRow>, Option<String>), PortError> {
        let mut values: Vec<JsValue> = vec![tenant_id.into()];
        let mut bind = |value: JsValue| {
            values.push(value);
            format!("?{}", values.len())
        };
        let [begin, end] = query.span_ms().map(|ms| bind(JsValue::from_f64(ms as f64)));
        let mut only = String::new();
        if let Some(bot) = &query.bot {
            only.push_str(&format!(" AND bot_id = {}", bind(bot.as_str().into())));
        }
        if let Some(conversation) = query.conversation {
            let id = bind(conversation.to_string().into());
            only.push_str(&format!(" AND conversation_id = {id}"));
        }
        let names = query.by.iter().map(|key| format!("\"{}\"", key.as_str()));
        let names = names.collect::<Vec<_>>().join(", ");
        let (mut columns, mut shown) = (String::new(), String::new());
        for key in &query.by {
            let (name, column) = (key.as_str(), column(*key));
            columns.push_str(&format!("{column} AS \"{name}\", "));
            shown.push_str(&format!("'{name}', \"{name}\", "));
        }
        let (mut after, mut group) = (String::new(), String::new());
        if let Some(keys) = &query.after {
            let keys = keys.iter().map(|key| bind(key.as_str().into()));
            let keys = keys.collect::<Vec<_>>().join(", ");
            after = format!("WHERE ({names}) > ({keys})");
        }
        if !query.by.is_empty() {
            group = format!("GROUP BY {names} ORDER BY {names}");
        }
        let limit = bind((query.limit + 1).into());
        let sql = format!(
            "WITH call AS (SELECT tenant_id, {columns} input_tokens, output_tokens, estimated, microusd, first_token_ms, \
              CASE WHEN asked THEN total_ms END AS total_ms, asked, \
              asked AND outcome NOT IN ('answered', 'truncated', 'stopped') AS failed, \
              CASE WHEN outcome IN ('answered', 'truncated', 'stopped') AND purpose <> 'summary' \
               THEN substr(id, 1, 26) END AS answer \
              FROM (SELECT *, outcome NOT IN ('circuit_open', 'unfunded', 'unconfigured') AS asked FROM model_call \
               WHERE tenant_id = ?1 AND created_at >= {begin} AND created_at < {end}{only})), \
             ranked AS (SELECT *, \
              count(first_token_ms) OVER keys AS first_token_ms_count, \
              row_number() OVER (keys ORDER BY first_token_ms NULLS LAST) AS first_token_ms_place, \
              count(total_ms) OVER keys AS total_ms_count, \
              row_number() OVER (keys ORDER BY total_ms NULLS LAST) AS total_ms_place \
              FROM call WINDOW keys AS (PARTITION BY {partition})) \
             SELECT json_object({shown}'answers', count(DISTINCT answer), 'calls', coalesce(sum(asked), 0), \
              'failed', coalesce(sum(failed), 0), 'passed_over', count(*) - coalesce(sum(asked), 0), \
              'input_tokens', coalesce(sum(input_tokens), 0), 'output_tokens', coalesce(sum(output_tokens), 0), \
              'estimated_calls', coalesce(sum(estimated), 0), 'microusd', coalesce(sum(microusd), 0), \
              'unpriced_calls', coalesce(sum(asked AND microusd IS NULL), 0), \
              'first_token_ms', {first}, 'total_ms', {total}) AS item, json_array({names}) AS keys \
             FROM ranked {after} {group} LIMIT {limit}",
            partition = if names.is_empty() {
                "tenant_id"
            } else {
                &names
            },
            first = durations("first_token_ms"),
            total = durations("total_ms"),
        );
        let statement = self.db()?.prepare(sql).bind(&values).map_err(port_error)?;
        let result = statement.all().await.map_err(port_error)?;
        let mut found: Vec<Row> = result.results().map_err(port_error)?;
        let more = found.len() > query.limit as usize;
        found.truncate(query.limit as usize);
        let rows = found.iter().map(|row| read(&row.item));
        let rows = rows.collect::<Result<_, _>>()?;
        Ok((rows, found.pop().filter(|_| more).and_then(|row| row.keys)))
    }

    /// What is known of an answer but its words.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn answer(&self, tenant_id: &str, id: Id) -> Result<Option<Answer>, PortError> {
        let sql = "WITH steps AS (SELECT id, question_id, conversation_id, created_at, \
              json_object('purpose', purpose, 'provider', provider, 'model', model, 'outcome', outcome, \
              'status', status, 'usage', json_object('input_tokens', input_tokens, 'output_tokens', output_tokens, \
              'estimated', json(iif(estimated, 'true', 'false'))), 'microusd', microusd, \
              'first_token_ms', first_token_ms, 'total_ms', total_ms, 'at', created_at) AS step \
              FROM model_call WHERE tenant_id = ?1) \
             SELECT NULL AS keys, json_object('id', message.id, 'question_id', message.reply_to, \
              'conversation_id', message.conversation_id, 'bot_id', conversation.bot_id, 'status', message.status, \
              'finish', message.finish, 'error', message.error, 'provider', message.provider, \
              'model', message.model, 'usage', json_object('input_tokens', message.input_tokens, \
              'output_tokens', message.output_tokens, 'estimated', json(iif(message.estimated, 'true', 'false'))), \
              'evidence', json(message.evidence), 'created_at', message.created_at, \
              'calls', (SELECT json_group_array(json(step)) FROM (SELECT step FROM steps \
               WHERE id >= ?2 || '/' AND id < ?2 || '0' ORDER BY created_at, length(id), id)), \
              'earlier_calls', (SELECT json_group_array(json(step)) FROM (SELECT step FROM steps \
               WHERE steps.conversation_id = message.conversation_id AND question_id = message.reply_to \
               AND NOT (id >= ?2 || '/' AND id < ?2 || '0') ORDER BY created_at, length(id), id))) AS item \
             FROM message JOIN conversation ON conversation.tenant_id = message.tenant_id \
              AND conversation.id = message.conversation_id \
             WHERE message.tenant_id = ?1 AND message.id = ?2 AND message.role = 'assistant'";
        let values = [tenant_id.into(), id.to_string().into()];
        let statement = self.db()?.prepare(sql).bind(&values).map_err(port_error)?;
        let row: Option<Row> = statement.first(None).await.map_err(port_error)?;
        row.map(|row| read(&row.item)).transpose()
    }
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, PortError> {
    serde_json::from_str(json).map_err(|e| PortError(e.to_string()))
}
