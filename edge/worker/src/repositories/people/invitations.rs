//! Invitations: links that give a person an account or a membership, once.

use bulle_api::people::{Invitation, Right, Role};
use bulle_edge_core::{
    people::{session::NewSession, token::InvitationToken},
    ports::PortError,
};
use bulle_protocol::Id;
use serde::Deserialize;

use super::People;
use crate::d1::{Database, Statement, to_json, values};

/// An invitation that can be used.
pub struct OpenInvitation {
    /// The tenant; empty for a link of the operator.
    pub tenant_id: String,
    /// Its id.
    pub id: Id,
    /// Whom it is for.
    pub email: String,
}

/// Who uses an invitation.
pub enum Guest<'g> {
    /// A person without an account, or a person who may set a new password by the operator's link.
    Password {
        /// The id of the person, if they are new.
        fresh_id: Id,
        /// The name, if they are new.
        name: &'g str,
        /// PHC string.
        password: &'g str,
    },
    /// A person who has proved who they are.
    Known(Id),
}

/// An invitation that is to be stored.
pub struct NewInvitation<'i> {
    /// Its token.
    pub token: &'i InvitationToken,
    /// Whom it is for.
    pub email: &'i str,
    /// Whether the person becomes an operator.
    pub operator: bool,
    /// The role, except in a link of the operator.
    pub role: Option<Role>,
    /// The bots that the membership is limited to.
    pub bots: Option<&'i [String]>,
    /// What the person may do whatever the role.
    pub rights: &'i [Right],
    /// Unix milliseconds.
    pub created_at: u64,
    /// Unix milliseconds.
    pub expires_at: u64,
}

#[derive(Deserialize)]
struct InvitationRow {
    hash: String,
    email: String,
}

impl<D: Database> People<D> {
    /// Stores an invitation. False when the tenant has as many as allowed.
    ///
    /// # Errors
    /// The database failed.
    pub async fn invite(&self, new: &NewInvitation<'_>, most: u32) -> Result<bool, PortError> {
        let sql = "INSERT INTO invitation (tenant_id, id, hash, email, operator, role, bots, rights, created_at, \
                   expires_at) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE (SELECT count(*) FROM invitation \
                   WHERE tenant_id = ?1 AND session_id IS NULL AND expires_at > ?9) < ?11 RETURNING id";
        let values = values![
            &new.token.tenant_id,
            new.token.token.id,
            new.token.token.hash(),
            new.email,
            new.operator,
            new.role.map(Role::as_str),
            new.bots.map(to_json).transpose()?,
            to_json(&new.rights)?,
            new.created_at,
            new.expires_at,
            most,
        ];
        self.0.any(Statement::new(sql, values)).await
    }

    /// Gives an invitation that nobody has used another token and another time: false when there is none with this id
    /// whose link was made before `before_ms`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn renew(
        &self,
        token: &InvitationToken,
        (created_at, expires_at): (u64, u64),
        before_ms: u64,
    ) -> Result<bool, PortError> {
        let sql = "UPDATE invitation SET hash = ?3, created_at = ?4, expires_at = ?5 \
                   WHERE tenant_id = ?1 AND id = ?2 AND session_id IS NULL AND created_at <= ?6 RETURNING id";
        let values = values![
            &token.tenant_id,
            token.token.id,
            token.token.hash(),
            created_at,
            expires_at,
            before_ms,
        ];
        self.0.any(Statement::new(sql, values)).await
    }

    /// Revokes an invitation that nobody has used. False when there is none with this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn revoke(&self, tenant_id: &str, id: &str) -> Result<bool, PortError> {
        let sql = "DELETE FROM invitation WHERE tenant_id = ?1 AND id = ?2 AND session_id IS NULL RETURNING id";
        self.0
            .any(Statement::new(sql, values![tenant_id, id]))
            .await
    }

    /// The invitation of this token. `None` when it is unknown, used, or has expired.
    ///
    /// # Errors
    /// The database failed.
    pub async fn invitation(
        &self,
        token: &InvitationToken,
        now_ms: u64,
    ) -> Result<Option<OpenInvitation>, PortError> {
        let sql = "SELECT hash, email FROM invitation \
                   WHERE tenant_id = ?1 AND id = ?2 AND session_id IS NULL AND expires_at > ?3";
        let values = values![&token.tenant_id, token.token.id, now_ms];
        let row: Option<InvitationRow> = self.0.first(Statement::new(sql, values)).await?;
        let row = row.filter(|row| token.token.is(&row.hash));
        Ok(row.map(|row| OpenInvitation {
            tenant_id: token.tenant_id.clone(),
            id: token.token.id,
            email: row.email,
        }))
    }

    /// Uses an invitation, once, in one transaction: the person gets what it gives and is signed in. False when somebody
    /// else was faster. A link of the operator sets the password of a person who has an account, and ends their sessions.
    ///
    /// # Errors
    /// The database failed, or somebody got an account with this address meanwhile; nothing was stored then.
    pub async fn accept(
        &self,
        invitation: &OpenInvitation,
        guest: &Guest<'_>,
        session: &NewSession,
    ) -> Result<bool, PortError> {
        let (tenant_id, id, now_ms) = (&invitation.tenant_id, invitation.id, session.now_ms);
        let used = session.token.id;
        // What follows happens only where this session has used the invitation.
        let mut statements = vec![Statement::new(
            "UPDATE invitation SET session_id = ?3 \
             WHERE tenant_id = ?1 AND id = ?2 AND session_id IS NULL AND expires_at > ?4 RETURNING id",
            values![tenant_id, id, used, now_ms],
        )];
        if let Guest::Password {
            fresh_id,
            name,
            password,
        } = guest
        {
            // Only a link of the operator changes a person who has an account; any other fails.
            let known = if tenant_id.is_empty() {
                "ON CONFLICT (email) DO UPDATE SET password = excluded.password, \
                 operator = max(person.operator, excluded.operator)"
            } else {
                ""
            };
            let sql = format!(
                "INSERT INTO person (id, email, name, password, operator, created_at) \
                 SELECT ?4, email, ?5, ?6, operator, ?7 FROM invitation \
                 WHERE tenant_id = ?1 AND id = ?2 AND session_id = ?3 {known}"
            );
            statements.push(Statement::new(
                sql,
                values![tenant_id, id, used, *fresh_id, *name, *password, now_ms],
            ));
        }
        let person_id = match guest {
            Guest::Known(person_id) => Some(*person_id),
            Guest::Password { .. } => None,
        };
        if person_id.is_none() && tenant_id.is_empty() {
            statements.push(Statement::new(
                "DELETE FROM person_session WHERE person_id = (SELECT person.id FROM invitation \
                 JOIN person ON person.email = invitation.email \
                 WHERE invitation.tenant_id = ?1 AND invitation.id = ?2 AND invitation.session_id = ?3)",
                values![tenant_id, id, used],
            ));
        }
        statements.push(Statement::new(
            // The last owner who accepts a smaller role stays the owner.
            "INSERT INTO membership (tenant_id, person_id, role, bots, rights, created_at) \
             SELECT invitation.tenant_id, coalesce(?4, person.id), invitation.role, invitation.bots, invitation.rights, ?5 \
             FROM invitation \
             LEFT JOIN person ON person.email = invitation.email \
             WHERE invitation.tenant_id = ?1 AND invitation.id = ?2 AND invitation.session_id = ?3 \
             AND invitation.role IS NOT NULL \
             ON CONFLICT (tenant_id, person_id) DO UPDATE SET role = excluded.role, bots = excluded.bots, \
             rights = excluded.rights, version = membership.version + 1, updated_at = ?5 \
             WHERE membership.role <> 'owner' OR membership.bots IS NOT NULL \
             OR excluded.role = 'owner' AND excluded.bots IS NULL OR EXISTS (SELECT 1 FROM membership AS other \
             WHERE other.tenant_id = ?1 AND other.person_id <> excluded.person_id AND other.role = 'owner' \
             AND other.bots IS NULL)",
            values![tenant_id, id, used, person_id, now_ms],
        ));
        statements.push(Statement::new(
            "INSERT INTO person_session (id, person_id, hash, user_agent, created_at, seen_at, proved_at) \
             SELECT ?3, coalesce(?4, person.id), ?5, ?6, ?7, ?7, ?7 FROM invitation \
             LEFT JOIN person ON person.email = invitation.email \
             WHERE invitation.tenant_id = ?1 AND invitation.id = ?2 AND invitation.session_id = ?3",
            values![
                tenant_id,
                id,
                used,
                person_id,
                session.token.hash(),
                &session.user_agent,
                now_ms,
            ],
        ));
        let done = self.0.run(statements).await?;
        Ok(done.first().is_some_and(|rows| !rows.is_empty()))
    }
}

impl NewInvitation<'_> {
    /// The invitation as it is shown.
    pub fn shown(&self) -> Invitation {
        Invitation {
            id: self.token.token.id,
            email: self.email.to_owned(),
            operator: self.operator,
            role: self.role,
            bots: self.bots.map(<[String]>::to_vec),
            rights: self.rights.to_vec(),
            created_at: self.created_at,
            expires_at: self.expires_at,
        }
    }
}
