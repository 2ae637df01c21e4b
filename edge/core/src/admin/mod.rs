//! The owner's API: who may manage which resources, and which values are valid. Routes and statements are in
//! `edge/worker`.

pub mod answer;
pub mod csv;
pub mod key;
pub mod merge;
pub mod precondition;
pub mod rules;
pub mod snippet;
pub mod usage;

#[cfg(test)]
mod tests;

use bulle_api::admin::Scope;
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

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
        /// The key's scopes.
        scopes: Vec<Scope>,
    },
}

impl Principal {
    /// Checks that the caller may use this scope on the tenant. For another tenant the answer is `not_found`, whether
    /// or not that tenant exists.
    ///
    /// # Errors
    /// `not_found`, `scope_missing`.
    pub fn may(&self, tenant_id: &str, scope: Scope) -> Result<(), Problem> {
        match self {
            Self::Operator => Ok(()),
            Self::Key { tenant_id: own, .. } if own != tenant_id => Err(nothing_here()),
            Self::Key { scopes, .. } if scopes.contains(&scope) => Ok(()),
            Self::Key { .. } => Err(scope_missing(&format!(
                "This API key lacks the scope \"{}\". Use one that has it.",
                scope.as_str()
            ))),
        }
    }

    /// Checks that the caller is the operator; `tenant_id` is the tenant that the request is about, if there is one.
    ///
    /// # Errors
    /// `not_found`, `scope_missing`.
    pub fn must_be_operator(&self, tenant_id: Option<&str>) -> Result<(), Problem> {
        match self {
            Self::Operator => Ok(()),
            Self::Key { tenant_id: own, .. } if tenant_id.is_some_and(|id| own != id) => {
                Err(nothing_here())
            }
            Self::Key { .. } => Err(scope_missing(
                "Only the operator's own key, the secret ADMIN_KEY, is good for this.",
            )),
        }
    }

    /// Checks that the caller may grant these scopes: a caller can grant only scopes that it has.
    ///
    /// # Errors
    /// `scope_missing`, naming the first one.
    pub fn may_grant(&self, scopes: &[Scope]) -> Result<(), Problem> {
        let Self::Key { scopes: own, .. } = self else {
            return Ok(());
        };
        match scopes.iter().find(|scope| !own.contains(scope)) {
            None => Ok(()),
            Some(missing) => Err(scope_missing(&format!(
                "This API key lacks the scope \"{}\" and cannot give it to another.",
                missing.as_str()
            ))),
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
