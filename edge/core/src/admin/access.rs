//! Who may do what: the one function that decides it, for the operator, API keys and people alike.

use bulle_api::{
    admin::Scope,
    people::{Right, Role},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

use crate::people::{role, session::Times, step_up_required};

/// The caller of the owner's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A caller with the deployment's `ADMIN_KEY`.
    Operator,
    /// A tenant's API key.
    Key {
        /// The tenant of the key.
        tenant_id: String,
        /// The key's id.
        id: Id,
        /// The key's scopes; of a person's key, those that the person has.
        scopes: Vec<Scope>,
        /// Whose key it is; `None` when it is the tenant's.
        person_id: Option<Id>,
        /// The bots that this person is limited to; `None` for all.
        bots: Option<Vec<String>>,
    },
    /// A person who is signed in.
    Person(Box<Signed>),
}

/// A person who is signed in, as far as a request about one tenant concerns them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The person's id.
    pub person_id: Id,
    /// The session's id.
    pub session_id: Id,
    /// Whether the person may do everything in every tenant.
    pub operator: bool,
    /// The person's membership of the tenant that the request is about.
    pub membership: Option<Member>,
    /// The times of the session.
    pub times: Times,
}

/// What a person may do in a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The tenant.
    pub tenant_id: String,
    /// The role.
    pub role: Role,
    /// The bots that the membership is limited to; `None` for all.
    pub bots: Option<Vec<String>>,
    /// What the person may do whatever the role.
    pub rights: Vec<Right>,
}

impl Member {
    /// The scopes of the role and of the rights.
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes = role::scopes(self.role);
        scopes.extend(self.rights.iter().copied().map(role::scope_of));
        scopes
    }
}

/// What a request demands of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need<'n> {
    /// The tenant that the request is about; `None` when it is about none.
    pub tenant_id: Option<&'n str>,
    /// The scope; `None` for what only the operator may do.
    pub scope: Option<Scope>,
    /// How much of the tenant the request reaches.
    pub reach: Reach<'n>,
    /// Whether it changes something.
    pub unsafe_method: bool,
    /// Whether it deletes something with all that belongs to it.
    pub erases: bool,
}

/// How much of a tenant a request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach<'n> {
    /// What belongs to no single bot. People who are limited to some bots do not reach it.
    Tenant,
    /// One bot, and what belongs to it.
    Bot(&'n str),
    /// Only what the handler selects by [`Principal::bots`].
    Selected,
}

/// Decides whether a caller may do what a request demands.
///
/// # Errors
/// `not_found` for another tenant, whether or not it exists, and for a bot that the caller does not reach;
/// `scope_missing`; `step_up_required`.
pub fn access(caller: &Principal, need: &Need<'_>, now_ms: u64) -> Result<(), Problem> {
    match caller {
        Principal::Operator => Ok(()),
        Principal::Key {
            tenant_id,
            scopes,
            bots,
            ..
        } => {
            if need.tenant_id.is_some_and(|id| id != tenant_id) {
                return Err(nothing_here());
            }
            match need.scope {
                None => Err(scope_missing(
                    "Only the operator may do this, with the secret ADMIN_KEY or signed in.",
                )),
                Some(scope) if scopes.contains(&scope) => reached(bots.as_deref(), need.reach),
                Some(scope) => Err(scope_missing(&format!(
                    "This API key lacks the scope \"{}\", or the person whose key it is. Use one that has it.",
                    scope.as_str()
                ))),
            }
        }
        Principal::Person(person) => {
            if !person.operator {
                member(person.membership.as_ref(), need)?;
            }
            let sensitive = need.scope.is_none_or(role::needs_step_up);
            let must_prove = need.unsafe_method && (sensitive || need.erases);
            if must_prove && now_ms >= person.times.proved_until() {
                return Err(step_up_required());
            }
            Ok(())
        }
    }
}

fn member(member: Option<&Member>, need: &Need<'_>) -> Result<(), Problem> {
    let member = match (member, need.tenant_id) {
        (Some(member), Some(tenant_id)) if member.tenant_id == tenant_id => member,
        (_, Some(_)) => return Err(nothing_here()),
        (_, None) => return Err(scope_missing("Only an operator may do this.")),
    };
    let Some(scope) = need.scope else {
        return Err(scope_missing("Only an operator may do this."));
    };
    if !member.scopes().contains(&scope) {
        return Err(scope_missing(&format!(
            "Your role in this tenant is {}, which lacks \"{}\". Ask an owner or admin.",
            member.role.as_str(),
            scope.as_str()
        )));
    }
    reached(member.bots.as_deref(), need.reach)
}

/// Whether a caller who is limited to these bots reaches so much of the tenant.
fn reached(bots: Option<&[String]>, reach: Reach<'_>) -> Result<(), Problem> {
    match (bots, reach) {
        (None, _) | (Some(_), Reach::Selected) => Ok(()),
        (Some(bots), Reach::Bot(bot)) if bots.iter().any(|own| own == bot) => Ok(()),
        (Some(_), Reach::Bot(_)) => Err(nothing_here()),
        (Some(bots), Reach::Tenant) => Err(scope_missing(&format!(
            "Access is limited to these bots, and this belongs to the whole tenant: {}.",
            bots.join(", ")
        ))),
    }
}

impl Principal {
    /// Checks that the caller may grant these scopes: a caller can grant only scopes that it has.
    ///
    /// # Errors
    /// `scope_missing`, naming the first one.
    pub fn may_grant(&self, scopes: &[Scope]) -> Result<(), Problem> {
        let (own, who) = match self {
            Self::Operator => return Ok(()),
            Self::Key { scopes, .. } => (scopes.clone(), "This API key"),
            Self::Person(person) if person.operator => return Ok(()),
            Self::Person(person) => {
                let member = person.membership.as_ref();
                (member.map(Member::scopes).unwrap_or_default(), "Your role")
            }
        };
        match scopes.iter().find(|scope| !own.contains(scope)) {
            None => Ok(()),
            Some(missing) => Err(scope_missing(&format!(
                "{who} lacks the scope \"{}\" and cannot give it to another.",
                missing.as_str()
            ))),
        }
    }

    /// Checks that the caller may give this role to another, or take it away.
    ///
    /// # Errors
    /// `scope_missing`.
    pub fn may_give(&self, wanted: Role) -> Result<(), Problem> {
        let Self::Person(person) = self else {
            return self.may_grant(&role::scopes(wanted));
        };
        let own = person.membership.as_ref().map(|member| member.role);
        if person.operator || own.is_some_and(|own| role::may_give(own, wanted)) {
            return Ok(());
        }
        Err(scope_missing(&format!(
            "Your role cannot give the role {}. Ask an owner.",
            wanted.as_str()
        )))
    }

    /// Checks that the caller may give these rights to another: an owner any, others those that they have.
    ///
    /// # Errors
    /// `scope_missing`, naming the first one.
    pub fn may_give_rights(&self, rights: &[Right]) -> Result<(), Problem> {
        if let Self::Person(person) = self
            && let Some(member) = &person.membership
            && member.role == Role::Owner
        {
            return Ok(());
        }
        let scopes: Vec<Scope> = rights.iter().copied().map(role::scope_of).collect();
        self.may_grant(&scopes)
    }

    /// The person who calls, or whose key it is.
    pub fn person_id(&self) -> Option<Id> {
        match self {
            Self::Operator => None,
            Self::Key { person_id, .. } => *person_id,
            Self::Person(person) => Some(person.person_id),
        }
    }

    /// The bots that the caller reaches; `None` for all of the tenant.
    pub fn bots(&self) -> Option<&[String]> {
        match self {
            Self::Person(person) if !person.operator => {
                let member = person.membership.as_ref()?;
                member.bots.as_deref()
            }
            Self::Key { bots, .. } => bots.as_deref(),
            Self::Operator | Self::Person(_) => None,
        }
    }

    /// Checks that the caller reaches this bot.
    ///
    /// # Errors
    /// `not_found`.
    pub fn reaches(&self, bot_id: &str) -> Result<(), Problem> {
        match self.bots() {
            Some(bots) if !bots.iter().any(|own| own == bot_id) => Err(nothing_here()),
            _ => Ok(()),
        }
    }

    /// Whether the caller is an operator, by key or as a person.
    pub fn is_operator(&self) -> bool {
        match self {
            Self::Operator => true,
            Self::Key { .. } => false,
            Self::Person(person) => person.operator,
        }
    }
}

/// The answer for every address at which the caller may see no resource.
pub fn nothing_here() -> Problem {
    Problem::new(Code::NotFound, "There is nothing at this address.")
}

fn scope_missing(detail: &str) -> Problem {
    Problem::new(Code::ScopeMissing, detail)
}

#[cfg(test)]
mod tests;
