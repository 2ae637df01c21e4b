//! The owner's side: who may manage what, and which values are possible. Routes and statements are in `edge/worker`.

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

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Whoever has the deployment's `ADMIN_KEY`.
    Operator,
    /// A tenant's API key.
    Key {
        /// Whose.
        tenant_id: String,
        /// Its id.
        id: Id,
        /// What it is good for.
        scopes: Vec<Scope>,
    },
}

impl Principal {
    /// Whether the caller may do this to the tenant. Another tenant is answered as if there were none, whether there
    /// is one or not.
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

    /// Whether the caller is the operator; `tenant_id` is the tenant that it is about, when it is about one.
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

    /// Whether the caller may give away these scopes: nobody gives more than they have.
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

/// What every address answers behind which there is nothing that the caller may see.
pub fn nothing_here() -> Problem {
    Problem::new(Code::NotFound, "There is nothing at this address.")
}

fn scope_missing(detail: &str) -> Problem {
    Problem::new(Code::ScopeMissing, detail)
}
