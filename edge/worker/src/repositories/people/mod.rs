//! People, their sessions and memberships.

mod invitations;
mod recovery;

pub use invitations::{Guest, NewInvitation, OpenInvitation};

use bulle_api::people::{Membership, Person, PersonSession};
use bulle_edge_core::{
    admin::{Member, Signed},
    people::{
        session::{IDLE_MS, LONGEST_MS, NewSession, Times},
        token::Token,
    },
    ports::PortError,
};
use bulle_protocol::Id;
use serde::Deserialize;

use crate::d1::{Database, Statement, from_json, from_name, to_id, values};

/// Milliseconds for which an invitation that nobody can use any more stays.
const INVITATION_KEPT_MS: u64 = 30 * 86_400_000;

/// People and what lets them in.
pub struct People<D>(pub D);

/// A person as the sign-in needs them.
#[derive(Deserialize)]
pub struct Credentials {
    /// The person's id.
    pub id: String,
    /// The address of the account.
    pub email: String,
    /// PHC string.
    pub password: String,
}

#[derive(Deserialize)]
struct SignedRow {
    person_id: String,
    hash: String,
    created_at: f64,
    seen_at: f64,
    proved_at: f64,
    operator: f64,
    role: Option<String>,
    bots: Option<String>,
    rights: Option<String>,
}

#[derive(Deserialize)]
struct PersonRow {
    id: String,
    email: String,
    name: String,
    operator: f64,
    created_at: f64,
}

#[derive(Deserialize)]
struct MembershipRow {
    tenant_id: String,
    tenant_name: String,
    role: String,
    bots: Option<String>,
    rights: String,
}

#[derive(Deserialize)]
struct SessionRow {
    id: String,
    user_agent: String,
    created_at: f64,
    seen_at: f64,
    proved_at: f64,
}

impl<D: Database> People<D> {
    /// The person with this address. `None` when there is none.
    ///
    /// # Errors
    /// The database failed.
    pub async fn credentials(&self, email: &str) -> Result<Option<Credentials>, PortError> {
        let sql = "SELECT id, email, password FROM person WHERE email = ?1";
        self.0.first(Statement::new(sql, values![email])).await
    }

    /// Whether there is a person who is an operator.
    ///
    /// # Errors
    /// The database failed.
    pub async fn has_operator(&self) -> Result<bool, PortError> {
        let sql = "SELECT 1 AS one FROM person WHERE operator = 1 LIMIT 1";
        self.0.any(Statement::new(sql, Vec::new())).await
    }

    /// The stored password of a person.
    ///
    /// # Errors
    /// The database failed.
    pub async fn password(&self, person_id: Id) -> Result<Option<Credentials>, PortError> {
        let sql = "SELECT id, email, password FROM person WHERE id = ?1";
        self.0.first(Statement::new(sql, values![person_id])).await
    }

    /// Whoever has signed in with this token, with their membership of the tenant. `None` when the token is unknown or
    /// the session has ended.
    ///
    /// # Errors
    /// The database failed, or the row cannot be read.
    pub async fn signed(
        &self,
        token: &Token,
        tenant_id: Option<&str>,
        now_ms: u64,
    ) -> Result<Option<Signed>, PortError> {
        let sql = "SELECT person_session.person_id, person_session.hash, person_session.created_at, \
                   person_session.seen_at, person_session.proved_at, person.operator, membership.role, membership.bots, \
                   membership.rights FROM person_session JOIN person ON person.id = person_session.person_id \
                   LEFT JOIN membership ON membership.tenant_id = ?2 AND membership.person_id = person.id \
                   WHERE person_session.id = ?1";
        let values = values![token.id, tenant_id];
        let row: Option<SignedRow> = self.0.first(Statement::new(sql, values)).await?;
        let Some(row) = row.filter(|row| token.is(&row.hash)) else {
            return Ok(None);
        };
        let times = times(row.created_at, row.seen_at, row.proved_at);
        if now_ms >= times.expires_at() {
            return Ok(None);
        }
        let member = |(role, tenant_id): (String, &str)| {
            Ok::<_, PortError>(Member {
                tenant_id: tenant_id.to_owned(),
                role: from_name(&role)?,
                bots: row.bots.as_deref().map(from_json).transpose()?,
                rights: from_json(row.rights.as_deref().unwrap_or("[]"))?,
            })
        };
        Ok(Some(Signed {
            person_id: to_id(&row.person_id)?,
            session_id: token.id,
            operator: row.operator > 0.0,
            membership: row.role.zip(tenant_id).map(member).transpose()?,
            times,
        }))
    }

    /// Stores that the session is in use.
    ///
    /// # Errors
    /// The database failed.
    pub async fn seen(&self, session_id: Id, now_ms: u64) -> Result<(), PortError> {
        let sql = "UPDATE person_session SET seen_at = max(seen_at, ?2) WHERE id = ?1";
        self.0
            .execute(Statement::new(sql, values![session_id, now_ms]))
            .await
    }

    /// Stores a session of a person, and deletes their sessions that have ended.
    ///
    /// # Errors
    /// The database failed, or the person is gone.
    pub async fn open(&self, person_id: Id, session: &NewSession) -> Result<(), PortError> {
        let old = Statement::new(
            "DELETE FROM person_session WHERE person_id = ?1 AND (seen_at <= ?2 OR created_at <= ?3)",
            values![
                person_id,
                session.now_ms.saturating_sub(IDLE_MS),
                session.now_ms.saturating_sub(LONGEST_MS),
            ],
        );
        let new = Statement::new(
            "INSERT INTO person_session (id, person_id, hash, user_agent, created_at, seen_at, proved_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5)",
            values![
                session.token.id,
                person_id,
                session.token.hash(),
                &session.user_agent,
                session.now_ms,
            ],
        );
        self.0.batch([old, new]).await.map(drop)
    }

    /// Gives a session another token and stores that the password was given. False when the session is gone.
    ///
    /// # Errors
    /// The database failed.
    pub async fn prove(
        &self,
        session_id: Id,
        token: &Token,
        now_ms: u64,
    ) -> Result<bool, PortError> {
        let sql = "UPDATE person_session SET hash = ?2, proved_at = ?3, seen_at = ?3 WHERE id = ?1 RETURNING id";
        let values = values![session_id, token.hash(), now_ms];
        self.0.any(Statement::new(sql, values)).await
    }

    /// Ends a session of this person. False when there is none with this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn close(&self, person_id: Id, session_id: Id) -> Result<bool, PortError> {
        let sql = "DELETE FROM person_session WHERE person_id = ?1 AND id = ?2 RETURNING id";
        let values = values![person_id, session_id];
        self.0.any(Statement::new(sql, values)).await
    }

    /// Ends all sessions of a person.
    ///
    /// # Errors
    /// The database failed.
    pub async fn close_all(&self, person_id: Id) -> Result<(), PortError> {
        let sql = "DELETE FROM person_session WHERE person_id = ?1";
        self.0
            .execute(Statement::new(sql, values![person_id]))
            .await
    }

    /// Stores another password, ends all other sessions, and gives this one another token.
    ///
    /// # Errors
    /// The database failed; nothing was stored then.
    pub async fn change_password(
        &self,
        signed: &Signed,
        password: &str,
        token: &Token,
        now_ms: u64,
    ) -> Result<(), PortError> {
        let person_id = signed.person_id;
        let statements = [
            Statement::new(
                "UPDATE person SET password = ?2 WHERE id = ?1",
                values![person_id, password],
            ),
            Statement::new(
                "DELETE FROM person_session WHERE person_id = ?1 AND id <> ?2",
                values![person_id, signed.session_id],
            ),
            Statement::new(
                "UPDATE person_session SET hash = ?2, proved_at = ?3 WHERE id = ?1",
                values![signed.session_id, token.hash(), now_ms],
            ),
        ];
        self.0.batch(statements).await.map(drop)
    }

    /// A person with their memberships, and their sessions that have not ended, the last used first. `current` is the
    /// session that asks.
    ///
    /// # Errors
    /// The database failed, or a row cannot be read.
    pub async fn account(
        &self,
        person_id: Id,
        current: Id,
        now_ms: u64,
    ) -> Result<Option<(Person, Vec<Membership>, Vec<PersonSession>)>, PortError> {
        let statements = [
            Statement::new(
                "SELECT id, email, name, operator, created_at FROM person WHERE id = ?1",
                values![person_id],
            ),
            Statement::new(
                "SELECT membership.tenant_id, tenant.name AS tenant_name, membership.role, membership.bots, \
                 membership.rights FROM membership JOIN tenant ON tenant.id = membership.tenant_id \
                 WHERE membership.person_id = ?1 ORDER BY membership.tenant_id",
                values![person_id],
            ),
            Statement::new(
                "SELECT id, user_agent, created_at, seen_at, proved_at FROM person_session \
                 WHERE person_id = ?1 ORDER BY seen_at DESC, id DESC",
                values![person_id],
            ),
        ];
        let [person, memberships, sessions] = self.0.batch(statements).await?;
        let Some(row) = person.first::<PersonRow>()? else {
            return Ok(None);
        };
        let person = Person {
            id: to_id(&row.id)?,
            email: row.email,
            name: row.name,
            operator: row.operator > 0.0,
            created_at: row.created_at as u64,
        };
        let memberships = memberships.list::<MembershipRow>()?.into_iter();
        let memberships = memberships
            .map(MembershipRow::read)
            .collect::<Result<_, _>>()?;
        let sessions = sessions.list::<SessionRow>()?.into_iter();
        let sessions: Vec<PersonSession> = sessions
            .map(|row| row.read(current))
            .collect::<Result<_, _>>()?;
        let sessions = sessions
            .into_iter()
            .filter(|session| session.expires_at > now_ms);
        Ok(Some((person, memberships, sessions.collect())))
    }

    /// Deletes sessions that have ended, and invitations that ended a month ago.
    ///
    /// # Errors
    /// The database failed.
    pub async fn forget_old(&self, now_ms: u64) -> Result<(), PortError> {
        let sessions = Statement::new(
            "DELETE FROM person_session WHERE seen_at <= ?1 OR created_at <= ?2",
            values![
                now_ms.saturating_sub(IDLE_MS),
                now_ms.saturating_sub(LONGEST_MS),
            ],
        );
        let invitations = Statement::new(
            "DELETE FROM invitation WHERE expires_at < ?1",
            values![now_ms.saturating_sub(INVITATION_KEPT_MS)],
        );
        self.0.batch([sessions, invitations]).await.map(drop)
    }
}

impl MembershipRow {
    fn read(self) -> Result<Membership, PortError> {
        Ok(Membership {
            tenant_id: self.tenant_id,
            tenant_name: self.tenant_name,
            role: from_name(&self.role)?,
            bots: self.bots.as_deref().map(from_json).transpose()?,
            rights: from_json(&self.rights)?,
        })
    }
}

impl SessionRow {
    fn read(self, current: Id) -> Result<PersonSession, PortError> {
        let times = times(self.created_at, self.seen_at, self.proved_at);
        let id = to_id(&self.id)?;
        Ok(PersonSession {
            id,
            current: id == current,
            user_agent: self.user_agent,
            created_at: times.created_at,
            seen_at: times.seen_at,
            expires_at: times.expires_at(),
            proved_until: times.proved_until(),
        })
    }
}

fn times(created_at: f64, seen_at: f64, proved_at: f64) -> Times {
    Times {
        created_at: created_at as u64,
        seen_at: seen_at as u64,
        proved_at: proved_at as u64,
    }
}
