//! Role × right × scope × reach: what the one function decides.

use super::*;

const NOW: u64 = 1_700_000_000_000;

fn code(result: Result<(), Problem>) -> Option<Code> {
    result.err().map(|problem| problem.code)
}

fn key(scopes: &[Scope]) -> Principal {
    Principal::Key {
        tenant_id: "acme".into(),
        id: Id::from_parts(NOW, 7),
        scopes: scopes.to_vec(),
        person_id: None,
        bots: None,
    }
}

fn person(role: Option<Role>, bots: Option<&[&str]>, operator: bool) -> Principal {
    let member = |role| Member {
        tenant_id: "acme".into(),
        role,
        bots: bots.map(|bots| bots.iter().map(|bot| (*bot).to_owned()).collect()),
        rights: Vec::new(),
    };
    Principal::Person(Box::new(Signed {
        person_id: Id::from_parts(NOW, 1),
        session_id: Id::from_parts(NOW, 2),
        operator,
        membership: role.map(member),
        times: Times {
            created_at: NOW,
            seen_at: NOW,
            proved_at: NOW,
        },
    }))
}

fn need<'n>(tenant_id: &'n str, scope: Scope) -> Need<'n> {
    Need {
        tenant_id: Some(tenant_id),
        scope: Some(scope),
        reach: Reach::Tenant,
        unsafe_method: scope.as_str().ends_with(":write"),
        erases: false,
    }
}

fn operators(tenant_id: Option<&str>) -> Need<'_> {
    Need {
        tenant_id,
        scope: None,
        reach: Reach::Tenant,
        unsafe_method: true,
        erases: false,
    }
}

#[test]
fn a_key_is_good_for_its_scopes_and_its_tenant() {
    let caller = key(&[Scope::BotsRead, Scope::KeysWrite]);
    assert_eq!(
        code(access(&caller, &need("acme", Scope::BotsRead), NOW)),
        None
    );
    let problem = access(&caller, &need("acme", Scope::BotsWrite), NOW).unwrap_err();
    assert_eq!(problem.code, Code::ScopeMissing);
    assert!(problem.detail.contains("\"bots:write\""));
    // For another tenant, the scopes of the key make no difference.
    let elsewhere = access(&caller, &need("other", Scope::BotsRead), NOW).unwrap_err();
    assert_eq!(
        elsewhere,
        access(&caller, &need("other", Scope::BotsWrite), NOW).unwrap_err()
    );
    assert_eq!(elsewhere.code, Code::NotFound);
    // A key proves itself with every request.
    assert_eq!(
        code(access(&caller, &need("acme", Scope::KeysWrite), NOW * 2)),
        None
    );

    assert_eq!(code(caller.may_grant(&[Scope::BotsRead])), None);
    let problem = caller
        .may_grant(&[Scope::BotsRead, Scope::SitesRead])
        .unwrap_err();
    assert!(problem.detail.contains("\"sites:read\""));
    assert_eq!(
        code(caller.may_give(Role::Analyst)),
        Some(Code::ScopeMissing)
    );
    assert_eq!(code(key(&Scope::ALL).may_give(Role::Owner)), None);

    for (tenant, expected) in [
        (None, Code::ScopeMissing),
        (Some("acme"), Code::ScopeMissing),
        (Some("other"), Code::NotFound),
    ] {
        assert_eq!(
            code(access(&caller, &operators(tenant), NOW)),
            Some(expected)
        );
    }
}

#[test]
fn the_operator_may_do_everything_everywhere() {
    for caller in [Principal::Operator, person(None, None, true)] {
        assert!(caller.is_operator());
        for scope in Scope::ALL {
            assert_eq!(code(access(&caller, &need("any", scope), NOW)), None);
        }
        assert_eq!(code(access(&caller, &operators(Some("any")), NOW)), None);
        assert_eq!(code(access(&caller, &operators(None), NOW)), None);
        assert_eq!(code(caller.may_grant(&Scope::ALL)), None);
        assert_eq!(code(caller.may_give(Role::Owner)), None);
    }
}

#[test]
fn a_person_has_the_scopes_of_the_role_in_one_tenant() {
    for role in Role::ALL {
        let caller = person(Some(role), None, false);
        for scope in Scope::ALL {
            let expected = (!role::scopes(role).contains(&scope)).then_some(Code::ScopeMissing);
            assert_eq!(
                code(access(&caller, &need("acme", scope), NOW)),
                expected,
                "{role:?} {scope:?}"
            );
            let elsewhere = access(&caller, &need("other", scope), NOW);
            assert_eq!(elsewhere, Err(nothing_here()));
        }
        assert_eq!(
            code(access(&caller, &operators(Some("acme")), NOW)),
            Some(Code::ScopeMissing)
        );
        assert_eq!(
            code(access(&caller, &operators(None), NOW)),
            Some(Code::ScopeMissing)
        );
        assert_eq!(
            code(access(&caller, &operators(Some("other")), NOW)),
            Some(Code::NotFound)
        );
        assert!(!caller.is_operator());
    }
    // Who was removed reaches nothing.
    let gone = person(None, None, false);
    assert_eq!(
        access(&gone, &need("acme", Scope::BotsRead), NOW),
        Err(nothing_here())
    );
}

#[test]
fn a_limited_person_reaches_these_bots_alone() {
    let caller = person(Some(Role::Editor), Some(&["guide", "shop"]), false);
    let at = |reach| {
        let need = Need {
            reach,
            ..need("acme", Scope::BotsRead)
        };
        code(access(&caller, &need, NOW))
    };
    assert_eq!(at(Reach::Bot("guide")), None);
    assert_eq!(at(Reach::Selected), None);
    assert_eq!(at(Reach::Bot("other")), Some(Code::NotFound));
    assert_eq!(at(Reach::Bot("Guide")), Some(Code::NotFound));
    assert_eq!(at(Reach::Tenant), Some(Code::ScopeMissing));
    assert_eq!(
        caller.bots(),
        Some(&["guide".to_owned(), "shop".to_owned()][..])
    );
    assert_eq!(code(caller.reaches("shop")), None);
    assert_eq!(code(caller.reaches("other")), Some(Code::NotFound));
    for all in [
        person(Some(Role::Editor), None, false),
        key(&[]),
        Principal::Operator,
        person(None, None, true),
    ] {
        assert_eq!(all.bots(), None);
    }
}

#[test]
fn a_key_of_a_limited_person_reaches_these_bots_alone() {
    let caller = Principal::Key {
        tenant_id: "acme".into(),
        id: Id::from_parts(NOW, 7),
        scopes: vec![Scope::BotsRead],
        person_id: Some(Id::from_parts(NOW, 1)),
        bots: Some(vec!["guide".into()]),
    };
    let at = |reach| {
        let need = Need {
            reach,
            ..need("acme", Scope::BotsRead)
        };
        code(access(&caller, &need, NOW))
    };
    assert_eq!(at(Reach::Bot("guide")), None);
    assert_eq!(at(Reach::Bot("other")), Some(Code::NotFound));
    assert_eq!(at(Reach::Tenant), Some(Code::ScopeMissing));
    assert_eq!(code(caller.reaches("other")), Some(Code::NotFound));
    assert_eq!(caller.person_id(), Some(Id::from_parts(NOW, 1)));
}

/// Role × right × scope: a right adds its scope to any role and nothing else, and no role has that scope without it.
#[test]
fn rights_are_apart_from_roles() {
    for role in Role::ALL {
        for rights in [
            vec![],
            vec![Right::Export],
            vec![Right::Code],
            Right::ALL.to_vec(),
        ] {
            let mut caller = person(Some(role), None, false);
            let Principal::Person(signed) = &mut caller else {
                continue;
            };
            signed.membership.as_mut().unwrap().rights = rights.clone();
            for scope in Scope::ALL {
                let right = Right::ALL
                    .into_iter()
                    .find(|right| role::scope_of(*right) == scope);
                let may = right.map_or_else(
                    || role::scopes(role).contains(&scope),
                    |right| rights.contains(&right),
                );
                let expected = (!may).then_some(Code::ScopeMissing);
                assert_eq!(
                    code(access(&caller, &need("acme", scope), NOW)),
                    expected,
                    "{role:?} {rights:?} {scope:?}"
                );
            }
            // Owners give any right, others those that they have.
            for right in Right::ALL {
                let may = role == Role::Owner || rights.contains(&right);
                assert_eq!(
                    caller.may_give_rights(&[right]).is_ok(),
                    may,
                    "{role:?} {right:?}"
                );
            }
        }
    }
}

#[test]
fn what_a_stolen_session_must_not_do_needs_the_password_again() {
    let late = NOW + crate::people::session::PROVED_MS;
    let at = |caller: &Principal, need: Need<'_>| code(access(caller, &need, late));
    let operator = person(None, None, true);
    let mut owner = person(Some(Role::Owner), None, false);
    if let Principal::Person(signed) = &mut owner {
        signed.membership.as_mut().unwrap().rights = Right::ALL.to_vec();
    }
    for caller in [owner, operator.clone()] {
        for scope in Scope::ALL {
            let expected = role::needs_step_up(scope).then_some(Code::StepUpRequired);
            let changes = Need {
                unsafe_method: true,
                ..need("acme", scope)
            };
            assert_eq!(at(&caller, changes), expected, "{scope:?}");
            let reads = Need {
                unsafe_method: false,
                ..changes
            };
            assert_eq!(at(&caller, reads), None, "{scope:?}");
        }
        let erases = Need {
            erases: true,
            ..need("acme", Scope::BotsWrite)
        };
        assert_eq!(at(&caller, erases), Some(Code::StepUpRequired));
        assert_eq!(code(access(&caller, &erases, late - 1)), None);
    }
    assert_eq!(at(&operator, operators(None)), Some(Code::StepUpRequired));
    // The refusal of a role comes first: the password would not help.
    let analyst = person(Some(Role::Analyst), None, false);
    assert_eq!(
        at(&analyst, need("acme", Scope::KeysWrite)),
        Some(Code::ScopeMissing)
    );
}

#[test]
fn nobody_gives_more_than_they_have() {
    let gives = |role| {
        let caller = person(Some(role), None, false);
        Role::ALL
            .into_iter()
            .filter(|other| caller.may_give(*other).is_ok())
            .count()
    };
    assert_eq!(Role::ALL.map(gives), [5, 4, 0, 0, 0]);
    let editor = person(Some(Role::Editor), None, false);
    assert_eq!(code(editor.may_grant(&[Scope::BotsWrite])), None);
    assert_eq!(
        code(editor.may_grant(&[Scope::KeysWrite])),
        Some(Code::ScopeMissing)
    );
    assert_eq!(
        code(person(None, None, false).may_give(Role::Analyst)),
        Some(Code::ScopeMissing)
    );
}
