//! People: invitations are used once, sessions end, and a membership is of one tenant.

use bulle_api::people::Role;
use bulle_edge_core::{
    admin::Signed,
    people::{
        session::{IDLE_MS, LONGEST_MS, NewSession},
        token::{InvitationToken, Token},
    },
};

use super::world::*;
use crate::{
    d1::sqlite::Sqlite,
    repositories::{
        People,
        people::{Guest, NewInvitation},
    },
};

fn signed(database: &Sqlite, token: &Token, tenant: Option<&str>, now: u64) -> Option<Signed> {
    wait(People(database).signed(token, tenant, now))
}

fn link(tenant_id: &str, number: u128) -> InvitationToken {
    InvitationToken {
        tenant_id: tenant_id.into(),
        token: Token::new(id(number), [1, 2]),
    }
}

fn invitation<'i>(token: &'i InvitationToken, email: &'i str) -> NewInvitation<'i> {
    NewInvitation {
        token,
        email,
        operator: token.tenant_id.is_empty(),
        role: (!token.tenant_id.is_empty()).then_some(Role::Agent),
        bots: None,
        rights: &[],
        created_at: NOW,
        expires_at: NOW + 1_000,
    }
}

fn guest(number: u128, password: &str) -> Guest<'_> {
    Guest::Password {
        fresh_id: id(number),
        name: "Bo",
        password,
    }
}

fn session(number: u128) -> NewSession {
    NewSession::new(NOW, [number, 3, 4], "Browser".into())
}

#[test]
fn a_person_is_a_member_of_one_tenant_and_unknown_in_another() {
    let world = World::new();
    let bots = ["guide".to_owned()];
    let token = join(
        &world.database,
        ACME,
        "bo@example.com",
        Role::Agent,
        Some(&bots),
    );
    let here = signed(&world.database, &token, Some(ACME), NOW).unwrap();
    let member = here.membership.unwrap();
    assert_eq!(
        (member.role, member.bots.as_deref()),
        (Role::Agent, Some(&bots[..]))
    );
    assert!(!here.operator);
    for tenant in [Some(GLOBEX), Some(EMPTY), Some("none"), None] {
        let elsewhere = signed(&world.database, &token, tenant, NOW).unwrap();
        assert_eq!(elsewhere.membership, None, "{tenant:?}");
    }
    let wrong = Token::new(token.id, [9, 9]);
    assert!(signed(&world.database, &wrong, Some(ACME), NOW).is_none());
    let (person, memberships, sessions) =
        wait(People(&world.database).account(here.person_id, token.id, NOW)).unwrap();
    assert_eq!(
        (person.email.as_str(), person.operator),
        ("bo@example.com", false)
    );
    assert_eq!(memberships.len(), 1);
    assert_eq!(
        (
            memberships[0].tenant_id.as_str(),
            memberships[0].tenant_name.as_str()
        ),
        (ACME, "Tenant")
    );
    assert!(sessions[0].current && sessions.len() == 1);
    // Nothing of the token is stored.
    let rows = world.database.query("SELECT * FROM person_session");
    let secret = token.reveal().split('_').nth(1).unwrap().to_owned();
    assert!(!format!("{rows:?}").contains(&secret));
}

#[test]
fn a_session_ends_by_time_and_by_hand() {
    let world = World::new();
    let people = People(&world.database);
    let token = join(&world.database, ACME, "bo@example.com", Role::Agent, None);
    let at = |now| signed(&world.database, &token, Some(ACME), now);
    let person_id = at(NOW).unwrap().person_id;
    assert!(at(NOW + IDLE_MS - 1).is_some() && at(NOW + IDLE_MS).is_none());
    let mut now = NOW;
    while now < NOW + LONGEST_MS {
        assert!(at(now).is_some());
        wait(people.seen(token.id, now));
        now += IDLE_MS / 2;
    }
    assert!(at(NOW + LONGEST_MS).is_none(), "in use, and yet at its end");
    // Another person cannot end it.
    assert!(!wait(people.close(id(999), token.id)));
    assert!(wait(people.close(person_id, token.id)));
    assert!(at(NOW).is_none());
    let second = session(50);
    wait(people.open(person_id, &second));
    let third = session(51);
    wait(people.open(person_id, &third));
    wait(people.close_all(person_id));
    for token in [&second.token, &third.token] {
        assert!(signed(&world.database, token, None, NOW).is_none());
    }
}

#[test]
fn a_session_gets_another_token_when_the_password_is_given_or_changed() {
    let world = World::new();
    let people = People(&world.database);
    let first = join(&world.database, ACME, "bo@example.com", Role::Agent, None);
    let bo = signed(&world.database, &first, None, NOW).unwrap();
    let second = Token::new(first.id, [7, 8]);
    assert!(wait(people.prove(first.id, &second, NOW + 5)));
    assert!(signed(&world.database, &first, None, NOW + 5).is_none());
    let proved = signed(&world.database, &second, None, NOW + 5).unwrap();
    assert_eq!(proved.times.proved_at, NOW + 5);
    assert!(!wait(people.prove(id(998), &second, NOW)));

    let other = session(52);
    wait(people.open(bo.person_id, &other));
    let third = Token::new(first.id, [8, 9]);
    wait(people.change_password(&bo, "new", &third, NOW + 9));
    assert!(signed(&world.database, &third, None, NOW + 9).is_some());
    for gone in [&second, &other.token] {
        assert!(signed(&world.database, gone, None, NOW + 9).is_none());
    }
    assert_eq!(
        wait(people.credentials("bo@example.com")).unwrap().password,
        "new"
    );
    assert_eq!(wait(people.password(bo.person_id)).unwrap().password, "new");
    assert!(wait(people.credentials("nobody@example.com")).is_none());
}

#[test]
fn an_invitation_is_used_once() {
    let world = World::new();
    let people = People(&world.database);
    let token = link(ACME, 70);
    assert!(wait(
        people.invite(&invitation(&token, "bo@example.com"), 2)
    ));
    assert!(
        wait(people.invitation(&token, NOW + 1_000)).is_none(),
        "expired"
    );
    assert!(
        wait(people.invitation(&link(EMPTY, 70), NOW)).is_none(),
        "another tenant"
    );
    assert!(wait(people.invitation(&link("", 70), NOW)).is_none());
    let wrong = InvitationToken {
        tenant_id: ACME.into(),
        token: Token::new(id(70), [9, 9]),
    };
    assert!(wait(people.invitation(&wrong, NOW)).is_none());

    let open = wait(people.invitation(&token, NOW)).unwrap();
    assert!(wait(people.accept(
        &open,
        &guest(71, "first"),
        &session(72)
    )));
    // Somebody who has read the invitation before, and comes second.
    let before = world.database.query("SELECT * FROM person");
    assert!(!wait(people.accept(
        &open,
        &guest(73, "second"),
        &session(74)
    )));
    assert_eq!(world.database.query("SELECT * FROM person"), before);
    assert!(signed(&world.database, &session(74).token, None, NOW).is_none());
    assert!(wait(people.invitation(&token, NOW)).is_none());
    // A full tenant: this one has one that is open.
    assert!(wait(
        people.invite(&invitation(&link(ACME, 75), "c@example.com"), 1)
    ));
    assert!(!wait(
        people.invite(&invitation(&link(ACME, 76), "d@example.com"), 1)
    ));
}

/// A tenant's link must not take over the account of somebody who has one.
#[test]
fn a_tenants_link_never_changes_a_person() {
    let world = World::new();
    let people = People(&world.database);
    join(&world.database, ACME, "bo@example.com", Role::Agent, None);
    let token = link(EMPTY, 80);
    assert!(wait(
        people.invite(&invitation(&token, "bo@example.com"), 9)
    ));
    let open = wait(people.invitation(&token, NOW)).unwrap();
    let before = world.database.query("SELECT * FROM person");
    error(people.accept(&open, &guest(81, "stolen"), &session(82)));
    assert_eq!(world.database.query("SELECT * FROM person"), before);
    // It is unused, so that the person can use it once they have proved who they are.
    let bo = wait(people.credentials("bo@example.com"))
        .unwrap()
        .id
        .parse()
        .unwrap();
    assert!(wait(people.accept(&open, &Guest::Known(bo), &session(83))));
    let token = session(83).token;
    let role = |tenant| {
        signed(&world.database, &token, Some(tenant), NOW)
            .unwrap()
            .membership
            .map(|member| member.role)
    };
    assert_eq!(
        [EMPTY, ACME, GLOBEX].map(role),
        [Some(Role::Agent), Some(Role::Agent), None]
    );
    // Somebody signed in may use a link that was sent to another address.
    let token = link(EMPTY, 84);
    assert!(wait(
        people.invite(&invitation(&token, "elsewhere@example.com"), 9)
    ));
    let open = wait(people.invitation(&token, NOW)).unwrap();
    assert!(wait(people.accept(&open, &Guest::Known(bo), &session(85))));
    assert!(wait(people.credentials("elsewhere@example.com")).is_none());
}

#[test]
fn the_operators_link_helps_a_person_who_is_locked_out() {
    let world = World::new();
    let people = People(&world.database);
    let old = join(&world.database, ACME, "bo@example.com", Role::Agent, None);
    let token = link("", 90);
    assert!(wait(people.invite(
        &NewInvitation {
            operator: false,
            ..invitation(&token, "bo@example.com")
        },
        9
    )));
    let open = wait(people.invitation(&token, NOW)).unwrap();
    assert!(wait(people.accept(&open, &guest(91, "new"), &session(92))));
    assert!(
        signed(&world.database, &old, None, NOW).is_none(),
        "a thief is signed out"
    );
    let bo = signed(&world.database, &session(92).token, Some(ACME), NOW).unwrap();
    assert!(bo.membership.is_some() && !bo.operator);
    let stored = wait(people.credentials("bo@example.com")).unwrap();
    assert_eq!(
        (stored.password.as_str(), stored.id),
        ("new", bo.person_id.to_string())
    );
    // The first operator.
    let first = join(&world.database, "", "root@example.com", Role::Owner, None);
    assert!(signed(&world.database, &first, None, NOW).unwrap().operator);
}

#[test]
fn what_has_ended_is_swept() {
    let database = Sqlite::new();
    found(&database, ACME);
    join(&database, ACME, "bo@example.com", Role::Agent, None);
    let people = People(&database);
    let count = |table: &str| database.number(&format!("SELECT count(*) FROM {table}"));
    let counts = || {
        [
            count("person_session"),
            count("invitation"),
            count("person"),
        ]
    };
    wait(people.forget_old(NOW + IDLE_MS - 1));
    assert_eq!(counts(), [1, 1, 1]);
    wait(people.forget_old(NOW + IDLE_MS));
    assert_eq!(counts(), [0, 1, 1]);
    wait(people.forget_old(NOW + 40 * 86_400_000));
    assert_eq!(counts(), [0, 0, 1]);
}

#[test]
fn a_recovery_code_is_used_once() {
    let world = World::new();
    let people = People(&world.database);
    let old = join(&world.database, ACME, "bo@example.com", Role::Agent, None);
    let other = join(
        &world.database,
        ACME,
        "other@example.com",
        Role::Agent,
        None,
    );
    let bo = signed(&world.database, &old, None, NOW).unwrap().person_id;
    let stranger = signed(&world.database, &other, None, NOW)
        .unwrap()
        .person_id;
    let hashes = |texts: [&str; 2]| texts.map(str::to_owned);
    wait(people.replace_recovery_codes(bo, &hashes(["a", "b"]), NOW));
    assert_eq!(wait(people.recovery_codes(bo)), 2);
    assert!(!wait(people.recover(stranger, "a", None, &session(60))));
    assert!(!wait(people.recover(bo, "c", Some("new"), &session(61))));
    assert!(signed(&world.database, &session(61).token, None, NOW).is_none());
    assert!(wait(people.recover(bo, "a", None, &session(62))));
    assert!(
        !wait(people.recover(bo, "a", Some("new"), &session(63))),
        "twice"
    );
    assert!(signed(&world.database, &session(62).token, None, NOW).is_some());
    assert!(signed(&world.database, &old, None, NOW).is_some());
    // With a new password, whoever is signed in elsewhere is signed out.
    assert!(wait(people.recover(bo, "b", Some("new"), &session(64))));
    assert_eq!(wait(people.password(bo)).unwrap().password, "new");
    assert!(signed(&world.database, &old, None, NOW).is_none());
    assert!(signed(&world.database, &session(64).token, None, NOW).is_some());
    assert_eq!(wait(people.recovery_codes(bo)), 0);
    wait(people.replace_recovery_codes(bo, &hashes(["d", "e"]), NOW));
    wait(people.replace_recovery_codes(bo, &hashes(["f", "g"]), NOW));
    assert!(
        !wait(people.recover(bo, "d", None, &session(65))),
        "replaced"
    );
    assert_eq!(wait(people.recovery_codes(bo)), 2);
}
