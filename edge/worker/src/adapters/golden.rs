//! Golden questions, and how they did.

use bulle_api::admin::golden::{Expected, GoldenQuestion, GoldenReport, NewGoldenQuestion};
use bulle_edge_core::{
    ports::PortError,
    retrieval::golden::{MAX_QUESTIONS, mrr, places, recall, regressed},
};
use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

use super::{Edge, history::id, port_error, time};

#[derive(Deserialize)]
struct Row {
    id: String,
    question: String,
    expected: String,
    knowledge: Option<f64>,
    place: Option<u32>,
    place_before: Option<u32>,
    first: Option<String>,
    checked_at: Option<f64>,
    current: f64,
}

/// A question with its id.
#[derive(Serialize)]
pub struct Added<'a> {
    /// Its id.
    pub id: Id,
    /// What was said of it.
    #[serde(flatten)]
    pub new: &'a NewGoldenQuestion,
}

/// What a question found.
#[derive(Serialize)]
pub struct Looked {
    /// The question.
    pub id: Id,
    /// Place of what was expected, from 1; 0: not found.
    pub place: u32,
    /// Title of what came first.
    pub first: Option<String>,
}

impl Edge {
    /// A bot's golden questions and how they did; and the version of its knowledge, when it has any questions.
    ///
    /// # Errors
    /// The database failed, or holds what it should not.
    pub async fn golden(
        &self,
        tenant_id: &str,
        bot_id: &str,
    ) -> Result<(GoldenReport, u64), PortError> {
        let statement = self.db()?.prepare(
            "SELECT golden_question.id, question, expected, golden_question.knowledge, place, place_before, first, \
             checked_at, bot.knowledge AS current FROM golden_question \
             JOIN bot ON bot.tenant_id = ?1 AND bot.id = ?2 \
             WHERE golden_question.tenant_id = ?1 AND golden_question.bot_id = ?2 ORDER BY golden_question.id",
        );
        let statement = statement.bind(&[tenant_id.into(), bot_id.into()]);
        let result = statement.map_err(port_error)?.all().await;
        let rows: Vec<Row> = result.and_then(|all| all.results()).map_err(port_error)?;
        let current = rows.first().map_or(0.0, |row| row.current);
        let stale = rows.iter().any(|row| row.knowledge != Some(current));
        let checked_at = rows
            .iter()
            .filter_map(|row| row.checked_at)
            .map(|at| at as u64);
        let checked_at = checked_at.max();
        let items = rows.into_iter().map(Row::into_question);
        let items = items.collect::<Result<Vec<_>, _>>()?;
        let places = places(&items);
        let regressions = items.iter().filter(|item| item.regressed).count();
        let report = GoldenReport {
            checked_at,
            stale,
            recall_at_1: recall(&places, 1),
            recall_at_5: recall(&places, 5),
            mrr: mrr(&places),
            regressions: u32::try_from(regressions).unwrap_or(u32::MAX),
            items,
        };
        Ok((report, current as u64))
    }

    /// Adds questions, all or none. False when the bot would have too many.
    ///
    /// # Errors
    /// The database failed.
    pub async fn add_golden(
        &self,
        tenant_id: &str,
        bot_id: &str,
        added: &[Added<'_>],
    ) -> Result<bool, PortError> {
        let statement = self.db()?.prepare(
            "INSERT INTO golden_question (tenant_id, bot_id, id, question, expected) \
             SELECT ?1, ?2, value ->> 'id', value ->> 'question', value -> 'expected' FROM json_each(?3) \
             WHERE (SELECT count(*) FROM golden_question WHERE tenant_id = ?1 AND bot_id = ?2) \
             + json_array_length(?3) <= ?4 RETURNING id",
        );
        let statement = statement.bind(&[
            tenant_id.into(),
            bot_id.into(),
            serde_json::json!(added).to_string().into(),
            u32::try_from(MAX_QUESTIONS).unwrap_or(u32::MAX).into(),
        ]);
        let result = statement.map_err(port_error)?.all().await;
        let rows: Vec<serde_json::Value> =
            result.and_then(|all| all.results()).map_err(port_error)?;
        Ok(!rows.is_empty())
    }

    /// Deletes a question. False when there is none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_golden(
        &self,
        tenant_id: &str,
        bot_id: &str,
        id: Id,
    ) -> Result<bool, PortError> {
        let statement = self.db()?.prepare(
            "DELETE FROM golden_question WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 RETURNING id",
        );
        let statement = statement.bind(&[tenant_id.into(), bot_id.into(), id.to_string().into()]);
        let result = statement.map_err(port_error)?.all().await;
        let rows: Vec<serde_json::Value> =
            result.and_then(|all| all.results()).map_err(port_error)?;
        Ok(!rows.is_empty())
    }

    /// Keeps what the questions have found in this version of the bot's knowledge. What they found in another one before
    /// is what they are compared with.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep_golden(
        &self,
        (tenant_id, bot_id): (&str, &str),
        knowledge: u64,
        looked: &[Looked],
        now_ms: u64,
    ) -> Result<(), PortError> {
        let statement = self.db()?.prepare(
            "UPDATE golden_question SET place_before = iif(golden_question.knowledge <> ?4, place, place_before), \
             knowledge = ?4, place = looked.value ->> 'place', first = looked.value ->> 'first', checked_at = ?5 \
             FROM json_each(?3) AS looked \
             WHERE tenant_id = ?1 AND bot_id = ?2 AND golden_question.id = looked.value ->> 'id'",
        );
        let statement = statement.bind(&[
            tenant_id.into(),
            bot_id.into(),
            serde_json::json!(looked).to_string().into(),
            time(knowledge),
            time(now_ms),
        ]);
        statement
            .map_err(port_error)?
            .run()
            .await
            .map_err(port_error)?;
        Ok(())
    }
}

impl Row {
    fn into_question(self) -> Result<GoldenQuestion, PortError> {
        let expected: Expected =
            serde_json::from_str(&self.expected).map_err(|e| PortError(e.to_string()))?;
        Ok(GoldenQuestion {
            id: id(&self.id)?,
            question: self.question,
            expected,
            regressed: regressed(self.place_before, self.place),
            rank: self.place.filter(|place| *place > 0),
            rank_before: self.place_before,
            first: self.first,
        })
    }
}
