//! What roles allow: the scopes of each, and which roles a role may give.

use bulle_api::{
    admin::Scope::{self, *},
    people::{Right, Role},
};

/// The scope of a right.
pub fn scope_of(right: Right) -> Scope {
    match right {
        Right::Export => DataExport,
        Right::Code => CodeWrite,
    }
}

/// The scopes of a role. Those of a role include those of every role below it, except what only agents do.
pub fn scopes(role: Role) -> Vec<Scope> {
    let reads = [
        TenantRead,
        BotsRead,
        SitesRead,
        ConversationsRead,
        NoticesRead,
        UsageRead,
        KnowledgeRead,
    ];
    let more: &[Scope] = match role {
        Role::Owner | Role::Admin => {
            let rights = Right::ALL.map(scope_of);
            let every = Scope::ALL.into_iter();
            return every.filter(|scope| !rights.contains(scope)).collect();
        }
        Role::Editor => &[BotsWrite, SitesWrite, KnowledgeWrite, ConversationsWrite],
        Role::Agent => &[ConversationsWrite],
        Role::Analyst => &[],
    };
    reads.into_iter().chain(more.iter().copied()).collect()
}

/// Whether a person of this role may give, change or take away the other role. Only owners make owners.
pub fn may_give(role: Role, other: Role) -> bool {
    match role {
        Role::Owner => true,
        Role::Admin => other != Role::Owner,
        Role::Editor | Role::Agent | Role::Analyst => false,
    }
}

/// Whether the scope lets its holder do what a stolen session must not do: a person proves the password again first.
pub fn needs_step_up(scope: Scope) -> bool {
    matches!(
        scope,
        KeysWrite | IdentityWrite | PeopleWrite | ConversationsDelete | DataExport | CodeWrite
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_what_the_roles_below_it_have() {
        for pair in Role::ALL.windows(2) {
            let [above, below] = [scopes(pair[0]), scopes(pair[1])];
            for scope in below {
                assert!(above.contains(&scope), "{:?} lacks {scope:?}", pair[0]);
            }
        }
    }

    #[test]
    fn no_role_has_a_right() {
        for role in Role::ALL {
            for right in Right::ALL {
                assert!(
                    !scopes(role).contains(&scope_of(right)),
                    "{role:?} {right:?}"
                );
            }
        }
    }

    #[test]
    fn an_analyst_changes_nothing() {
        for scope in scopes(Role::Analyst) {
            assert!(scope.as_str().ends_with(":read"), "{scope:?}");
        }
    }

    #[test]
    fn only_owners_make_owners_and_editors_nobody() {
        let given = |role| {
            Role::ALL
                .into_iter()
                .filter(|other| may_give(role, *other))
                .count()
        };
        assert_eq!(Role::ALL.map(given), [5, 4, 0, 0, 0]);
    }
}
