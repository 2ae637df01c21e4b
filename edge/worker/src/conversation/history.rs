//! The earlier exchanges of a conversation, for prompts.

use bulle_edge_core::{
    model::Exchange,
    prompt::{MAX_EXCHANGES, MAX_HISTORY_CHARS},
};
use serde::Deserialize;
use worker::{Result, SqlStorage};

#[derive(Deserialize)]
struct ExchangeRow {
    number: u32,
    text: String,
    answer: String,
}

/// The exchanges before a turn, oldest first: only the newest ones that a prompt can have room for.
pub fn before(sql: &SqlStorage, before: u32) -> Result<Vec<Exchange>> {
    if before == 0 {
        return Ok(Vec::new());
    }
    let most = |n: usize| i64::try_from(n).unwrap_or(i64::MAX).into();
    let mut rows: Vec<ExchangeRow> = sql
        .exec(
        "SELECT number, text, answer FROM (SELECT number, text, answer, \
         SUM(length(text) + length(answer)) OVER (ORDER BY number DESC) AS so_far \
         FROM (SELECT number, text, answer FROM turn WHERE number < ? ORDER BY number DESC LIMIT ?)) \
         WHERE so_far <= ? ORDER BY number DESC",
        vec![
            i64::from(before).into(),
            most(MAX_EXCHANGES),
            most(MAX_HISTORY_CHARS),
        ],
    )?
    .to_array()?;
    rows.reverse();
    Ok(rows
        .into_iter()
        .map(|row| Exchange {
            position: row.number.saturating_mul(2),
            question: row.text,
            answer: row.answer,
        })
        .collect())
}
