//! Golden questions of a bot, and the rank at which search found the expected passage of each.

use bulle_api::admin::golden::{Expected, GoldenQuestion, GoldenReport, NewGoldenQuestion};
use bulle_edge_core::{
    ports::PortError,
    retrieval::golden::{MAX_QUESTIONS, mrr, places, recall, regressed},
};
use bulle_protocol::Id;
use serde::{Deserialize, Serialize};

use crate::d1::{Database, Statement, from_json, to_id, to_json, values};

/// Golden questions.
pub struct Golden<D>(pub D);

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

/// A new question with its id.
#[derive(Serialize)]
pub struct Added<'a> {
    /// A ULID.
    pub id: Id,
    /// The question and the expected passage.
    #[serde(flatten)]
    pub new: &'a NewGoldenQuestion,
}

/// The result of one question.
#[derive(Serialize)]
pub struct Looked {
    /// The question.
    pub id: Id,
    /// Rank of the expected passage, from 1; 0 when it was not found.
    pub place: u32,
    /// Title of the first hit.
    pub first: Option<String>,
}

impl<D: Database> Golden<D> {
    /// A bot's golden questions with their last results, and the version of the bot's knowledge (0 without questions).
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn report(
        &self,
        tenant_id: &str,
        bot_id: &str,
    ) -> Result<(GoldenReport, u64), PortError> {
        let statement = Statement::new(
            "SELECT golden_question.id, question, expected, golden_question.knowledge, place, place_before, first, \
             checked_at, bot.knowledge AS current FROM golden_question \
             JOIN bot ON bot.tenant_id = ?1 AND bot.id = ?2 \
             WHERE golden_question.tenant_id = ?1 AND golden_question.bot_id = ?2 ORDER BY golden_question.id",
            values![tenant_id, bot_id],
        );
        let rows: Vec<Row> = self.0.rows(statement).await?;
        let current = rows.first().map_or(0.0, |row| row.current);
        let stale = rows.iter().any(|row| row.knowledge != Some(current));
        let checked_at = rows
            .iter()
            .filter_map(|row| row.checked_at)
            .map(|at| at as u64)
            .max();
        let items = rows
            .into_iter()
            .map(Row::into_question)
            .collect::<Result<Vec<_>, _>>()?;
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

    /// Adds all of the questions. False, and none is added, when the bot would have too many.
    ///
    /// # Errors
    /// The database failed, or the bot does not exist.
    pub async fn add(
        &self,
        tenant_id: &str,
        bot_id: &str,
        added: &[Added<'_>],
    ) -> Result<bool, PortError> {
        let most = u32::try_from(MAX_QUESTIONS).unwrap_or(u32::MAX);
        let statement = Statement::new(
            "INSERT INTO golden_question (tenant_id, bot_id, id, question, expected) \
             SELECT ?1, ?2, value ->> 'id', value ->> 'question', value -> 'expected' FROM json_each(?3) \
             WHERE (SELECT count(*) FROM golden_question WHERE tenant_id = ?1 AND bot_id = ?2) \
             + json_array_length(?3) <= ?4 RETURNING id",
            values![tenant_id, bot_id, to_json(added)?, most],
        );
        self.0.any(statement).await
    }

    /// Deletes a question. False when the bot has none with this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete(&self, tenant_id: &str, bot_id: &str, id: Id) -> Result<bool, PortError> {
        let statement = Statement::new(
            "DELETE FROM golden_question WHERE tenant_id = ?1 AND bot_id = ?2 AND id = ?3 RETURNING id",
            values![tenant_id, bot_id, id],
        );
        self.0.any(statement).await
    }

    /// Stores the results in this version of the bot's knowledge. A result in another version becomes the one that the
    /// new result is compared with.
    ///
    /// # Errors
    /// The database failed.
    pub async fn keep(
        &self,
        (tenant_id, bot_id): (&str, &str),
        knowledge: u64,
        looked: &[Looked],
        now_ms: u64,
    ) -> Result<(), PortError> {
        let statement = Statement::new(
            "UPDATE golden_question SET place_before = iif(golden_question.knowledge <> ?4, place, place_before), \
             knowledge = ?4, place = looked.value ->> 'place', first = looked.value ->> 'first', checked_at = ?5 \
             FROM json_each(?3) AS looked \
             WHERE tenant_id = ?1 AND bot_id = ?2 AND golden_question.id = looked.value ->> 'id'",
            values![tenant_id, bot_id, to_json(looked)?, knowledge, now_ms],
        );
        self.0.execute(statement).await
    }
}

impl Row {
    fn into_question(self) -> Result<GoldenQuestion, PortError> {
        let expected: Expected = from_json(&self.expected)?;
        Ok(GoldenQuestion {
            id: to_id(&self.id)?,
            question: self.question,
            expected,
            regressed: regressed(self.place_before, self.place),
            rank: self.place.filter(|place| *place > 0),
            rank_before: self.place_before,
            first: self.first,
        })
    }
}
