//! The identity secrets of a tenant. Only their ids are stored: the secrets are derived from the deployment's secret.

use bulle_api::admin::{CreatedIdentitySecret, IdentitySecret, NewIdentitySecret};
use bulle_edge_core::{admin::rules, guard::identity, ports::PortError};
use bulle_protocol::{Id, problem::Problem};

use super::{CreateContext, Creation, NewResource, Owned, ResourceKind, answer, show};
use crate::d1::{Database, Statement, values};

/// The statements that show identity secrets.
pub static KIND: ResourceKind = ResourceKind {
    row: "id, 1 AS version, json_object('id', id, 'created_at', created_at) AS item",
    one: "FROM identity_secret WHERE tenant_id = ?1 AND id = ?2",
    page: "FROM identity_secret WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT ?5",
    show: show::<IdentitySecret>,
};

/// The statements that create identity secrets.
pub static CREATION: Creation = Creation {
    // `NOT NULL` refuses a time that is null: with too many secrets, the insertion fails.
    insert: "INSERT INTO identity_secret (tenant_id, id, created_at) VALUES (?1, ?2, \
        CASE WHEN (SELECT count(*) FROM identity_secret WHERE tenant_id = ?1) < ?4 THEN ?3 END)",
    obstacle: "SELECT CASE WHEN (SELECT count(*) FROM identity_secret WHERE tenant_id = ?1) >= ?4 \
        THEN 'full' END AS obstacle",
    noticed: true,
    make,
    refusal,
};

fn make(text: &str, maker: &CreateContext<'_>) -> Result<NewResource, Problem> {
    let _: Option<NewIdentitySecret> = rules::read(text, maker.now_ms)?;
    let deployment = maker.secret.as_ref().map_err(Problem::clone)?;
    let [random, ..] = maker.random;
    let id = Id::from_parts(maker.now_ms, random);
    let listed = IdentitySecret {
        id,
        created_at: maker.now_ms,
    };
    let remembered = answer(&listed)?;
    let id = id.to_string();
    let secret = Some(identity::derive(deployment, maker.tenant_id, &id));
    Ok(NewResource {
        id,
        values: values![maker.now_ms, rules::MAX_IDENTITY_SECRETS],
        shown: answer(&CreatedIdentitySecret { listed, secret })?,
        remembered,
    })
}

fn refusal(_: &str, _: &NewResource) -> Problem {
    rules::too_many(
        rules::MAX_IDENTITY_SECRETS,
        "identity secrets",
        "Delete the old one once none of your servers signs with it.",
    )
}

impl<D: Database> Owned<D> {
    /// Deletes an identity secret: identities that it has signed are refused from now on. False when there is none with this
    /// id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn delete_identity_secret(
        &self,
        tenant_id: &str,
        id: &str,
    ) -> Result<bool, PortError> {
        let sql = "DELETE FROM identity_secret WHERE tenant_id = ?1 AND id = ?2 RETURNING id";
        self.0
            .any(Statement::new(sql, values![tenant_id, id]))
            .await
    }
}
