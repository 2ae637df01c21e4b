//! Recovery codes, of which only a keyed hash is stored.

use bulle_edge_core::{people::session::NewSession, ports::PortError};
use bulle_protocol::Id;
use serde::Deserialize;

use super::People;
use crate::d1::{Database, Statement, to_json, values};

#[derive(Deserialize)]
struct Count {
    left: f64,
}

impl<D: Database> People<D> {
    /// How many recovery codes of a person are left.
    ///
    /// # Errors
    /// The database failed.
    pub async fn recovery_codes(&self, person_id: Id) -> Result<u32, PortError> {
        let sql = "SELECT count(*) AS left FROM recovery_code WHERE person_id = ?1";
        let row: Option<Count> = self
            .0
            .first(Statement::new(sql, values![person_id]))
            .await?;
        Ok(row.map_or(0, |row| row.left as u32))
    }

    /// Replaces the recovery codes of a person.
    ///
    /// # Errors
    /// The database failed; the old ones are good then.
    pub async fn replace_recovery_codes(
        &self,
        person_id: Id,
        hashes: &[String],
        now_ms: u64,
    ) -> Result<(), PortError> {
        let statements = [
            Statement::new(
                "DELETE FROM recovery_code WHERE person_id = ?1",
                values![person_id],
            ),
            Statement::new(
                "INSERT INTO recovery_code (person_id, hash, created_at) SELECT ?1, value, ?3 FROM json_each(?2)",
                values![person_id, to_json(&hashes)?, now_ms],
            ),
        ];
        self.0.batch(statements).await.map(drop)
    }

    /// Uses a recovery code, once, in one transaction: the person is signed in and, where there is a new password, it is
    /// stored and their other sessions end. False when the person has no such code.
    ///
    /// # Errors
    /// The database failed; nothing was stored then.
    pub async fn recover(
        &self,
        person_id: Id,
        hash: &str,
        new_password: Option<&str>,
        session: &NewSession,
    ) -> Result<bool, PortError> {
        // The code goes last, so that what comes before happens only with it.
        let with_code = "EXISTS (SELECT 1 FROM recovery_code WHERE person_id = ?1 AND hash = ?2)";
        let mut statements = Vec::new();
        if let Some(password) = new_password {
            statements.push(Statement::new(
                format!("UPDATE person SET password = ?3 WHERE id = ?1 AND {with_code}"),
                values![person_id, hash, password],
            ));
            statements.push(Statement::new(
                format!("DELETE FROM person_session WHERE person_id = ?1 AND {with_code}"),
                values![person_id, hash],
            ));
        }
        statements.push(Statement::new(
            format!(
                "INSERT INTO person_session (id, person_id, hash, user_agent, created_at, seen_at, proved_at) \
                 SELECT ?3, ?1, ?4, ?5, ?6, ?6, ?6 WHERE {with_code}"
            ),
            values![
                person_id,
                hash,
                session.token.id,
                session.token.hash(),
                &session.user_agent,
                session.now_ms,
            ],
        ));
        statements.push(Statement::new(
            "DELETE FROM recovery_code WHERE person_id = ?1 AND hash = ?2 RETURNING hash",
            values![person_id, hash],
        ));
        let done = self.0.run(statements).await?;
        Ok(done.last().is_some_and(|rows| !rows.is_empty()))
    }
}
