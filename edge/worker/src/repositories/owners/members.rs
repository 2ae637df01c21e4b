//! The people of a tenant: memberships, shown with the person's address and name. The id is that of the person.

use bulle_api::people::{Member, MemberChange};
use bulle_edge_core::{json, people::last_owner, ports::PortError};
use bulle_protocol::problem::{Code, Problem};
use serde_json::Value;
use std::borrow::Cow;

use super::{
    AffectedSites, Change, ChangeContext, Changes, Owned, ResourceKind, answer, changed, name, show,
};
use crate::d1::{Database, Statement, values};

/// The statements that show the people of a tenant.
pub static KIND: ResourceKind = ResourceKind {
    // A merge patch removes members that are null.
    row: "person_id AS id, version, json_patch('{}', json_object('id', person_id, \
        'email', (SELECT email FROM person WHERE person.id = membership.person_id), \
        'name', (SELECT name FROM person WHERE person.id = membership.person_id), \
        'role', role, 'bots', json(bots), 'rights', json(rights), 'created_at', created_at, \
        'updated_at', coalesce(updated_at, created_at))) AS item",
    one: "FROM membership WHERE tenant_id = ?1 AND person_id = ?2",
    page: "FROM membership WHERE tenant_id = ?1 AND person_id > ?2 ORDER BY person_id LIMIT ?5",
    show: show::<Member>,
};

/// The statements that change the people of a tenant. [`Owned::remove_member`] removes them.
pub static CHANGES: Changes = Changes {
    kind: &KIND,
    // A tenant keeps an owner who reaches all of it.
    update: "UPDATE membership SET version = version + 1, updated_at = ?4, role = ?5, bots = ?6, rights = ?7 \
        WHERE tenant_id = ?1 AND person_id = ?2 AND version = ?3 \
        AND (role <> 'owner' OR bots IS NOT NULL OR ?5 = 'owner' AND ?6 IS NULL OR EXISTS (SELECT 1 FROM membership \
        AS other WHERE other.tenant_id = ?1 AND other.person_id <> ?2 AND other.role = 'owner' AND other.bots IS NULL))",
    delete: nothing,
    apply,
    affected_sites,
};

/// Whether the membership is of this version, and another owner reaches all of the tenant, or this person does not.
const REMOVABLE: &str = "EXISTS (SELECT 1 FROM membership AS own WHERE own.tenant_id = ?1 AND own.person_id = ?2 \
    AND own.version = ?3 AND (own.role <> 'owner' OR own.bots IS NOT NULL OR EXISTS (SELECT 1 FROM membership AS other \
    WHERE other.tenant_id = ?1 AND other.person_id <> ?2 AND other.role = 'owner' AND other.bots IS NULL)))";

fn nothing() -> Vec<Cow<'static, str>> {
    Vec::new()
}

fn apply(item: &str, patch: Value, context: &ChangeContext) -> Result<Option<Change>, Problem> {
    let before: Member = json::read(item)
        .map_err(|_| Problem::new(Code::Internal, "What is stored cannot be read."))?;
    context.caller.may_give(before.role)?;
    let editable = |member: Member| MemberChange {
        role: member.role,
        bots: member.bots,
        rights: member.rights,
    };
    changed(item, patch, context, editable, |change| {
        context.caller.may_give(change.role)?;
        let wanted = change.rights.iter().copied();
        let given: Vec<_> = wanted
            .filter(|right| !before.rights.contains(right))
            .collect();
        context.caller.may_give_rights(&given)?;
        Ok(Change {
            values: values![
                name(change.role)?,
                change.bots.as_ref().map(answer).transpose()?,
                answer(&change.rights)?,
            ],
            refusal: Some(last_owner()),
        })
    })
}

fn affected_sites(_: &str) -> AffectedSites<'_> {
    AffectedSites {
        bot: None,
        site: Some(""),
    }
}

impl<D: Database> Owned<D> {
    /// Removes a person from a tenant, with the keys that belong to them, and ends their sessions; a person who is left
    /// in no tenant and is no operator has no account any more. False when the membership has another version, or is
    /// that of the last owner.
    ///
    /// # Errors
    /// The database failed; nothing was removed then.
    pub async fn remove_member(
        &self,
        tenant_id: &str,
        person_id: &str,
        version: u64,
    ) -> Result<bool, PortError> {
        let on = |sql: String| Statement::new(sql, values![tenant_id, person_id, version]);
        let statements = [
            on(format!(
                "DELETE FROM api_key WHERE tenant_id = ?1 AND person_id = ?2 AND {REMOVABLE}"
            )),
            on(format!(
                "DELETE FROM person_session WHERE person_id = ?2 AND {REMOVABLE}"
            )),
            on(format!(
                "DELETE FROM membership WHERE tenant_id = ?1 AND person_id = ?2 AND {REMOVABLE} RETURNING person_id"
            )),
            Statement::new(
                "DELETE FROM person WHERE id = ?1 AND operator = 0 \
                 AND NOT EXISTS (SELECT 1 FROM membership WHERE membership.person_id = ?1)",
                values![person_id],
            ),
        ];
        let [_, _, removed, _] = self.0.batch(statements).await?;
        Ok(!removed.is_empty())
    }
}
