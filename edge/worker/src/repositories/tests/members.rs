//! The people of a tenant: their roles change, they go with their keys and sessions, and a tenant keeps an owner.

use bulle_api::{
    admin::Scope,
    people::{Member, Right, Role},
};
use bulle_edge_core::{
    admin::{Principal, key},
    people::{
        session::NewSession,
        token::{InvitationToken, Token},
    },
};
use bulle_protocol::{Id, problem::Code};
use serde_json::{Value, json};

use super::world::*;
use crate::{
    d1::sqlite::Sqlite,
    repositories::{
        Owned, People,
        owners::{ChangeContext, CreateContext, invitations, keys, members},
        people::{Guest, NewInvitation},
    },
};

/// The token of the session of a person who has accepted an invitation.
pub fn join(
    database: &Sqlite,
    tenant_id: &str,
    email: &str,
    role: Role,
    bots: Option<&[String]>,
) -> Token {
    let digest = |n, byte| (n * 131 + u128::from(byte)) % (1 << 70);
    let number = email.bytes().fold(7, digest);
    let token = InvitationToken {
        tenant_id: tenant_id.to_owned(),
        token: Token::new(id(number), [1, 2]),
    };
    let people = People(database);
    let invitation = NewInvitation {
        token: &token,
        email,
        operator: tenant_id.is_empty(),
        role: (!tenant_id.is_empty()).then_some(role),
        bots,
        rights: &[],
        created_at: NOW,
        expires_at: NOW + 1_000,
    };
    assert!(wait(people.invite(&invitation, 9)));
    let open = wait(people.invitation(&token, NOW)).unwrap();
    let guest = Guest::Password {
        fresh_id: id(number + 1),
        name: "Ada",
        password: "$argon2id$…",
    };
    let session = NewSession::new(NOW, [number, 5, 6], "Browser".into());
    assert!(wait(people.accept(&open, &guest, &session)));
    session.token
}

fn person(database: &Sqlite, token: &Token) -> Id {
    wait(People(database).signed(token, None, NOW))
        .unwrap()
        .person_id
}

fn member(database: &Sqlite, tenant: &str, person: Id) -> Option<(Member, u64)> {
    let row = wait(Owned(database).get(&members::KIND, tenant, &person.to_string()))?;
    Some((serde_json::from_str(&row.item).unwrap(), row.version()))
}

/// The code of a refused patch, or whether the database took it.
fn patch(database: &Sqlite, caller: Principal, person: Id, patch: Value) -> Result<bool, Code> {
    let owned = Owned(database);
    let id = person.to_string();
    let row = wait(owned.get(&members::KIND, ACME, &id)).unwrap();
    let context = ChangeContext {
        caller,
        now_ms: NOW + 5,
        policy: bulle_edge_core::outbound::AddressPolicy::default(),
    };
    let change = (members::CHANGES.apply)(&row.item, patch, &context);
    let Some(change) = change.map_err(|problem| problem.code)? else {
        return Ok(true);
    };
    let at = (ACME, id.as_str(), row.version());
    Ok(wait(owned.change(&members::CHANGES, at, &change, NOW + 5)).is_some())
}

fn caller(database: &Sqlite, token: &Token) -> Principal {
    let signed = wait(People(database).signed(token, Some(ACME), NOW)).unwrap();
    Principal::Person(Box::new(signed))
}

#[test]
fn roles_change_and_only_owners_touch_owners() {
    let world = World::new();
    let database = &world.database;
    let owner = wait(Owned(database).page(&members::KIND, ACME, &everything()));
    let owner: Value = serde_json::to_value(owner).unwrap();
    let ada: Id = owner["items"][0]["id"].as_str().unwrap().parse().unwrap();
    let bo = person(
        database,
        &join(database, ACME, "bo@example.com", Role::Agent, None),
    );
    let admin = join(database, ACME, "admin@example.com", Role::Admin, None);
    let by_admin = || caller(database, &admin);

    assert_eq!(
        patch(
            database,
            by_admin(),
            bo,
            json!({ "role": "editor", "bots": ["guide"] })
        ),
        Ok(true)
    );
    let (shown, version) = member(database, ACME, bo).unwrap();
    assert_eq!(
        (shown.role, shown.bots, version),
        (Role::Editor, Some(vec!["guide".into()]), 2)
    );
    assert_eq!(
        (shown.email.as_str(), shown.name.as_str()),
        ("bo@example.com", "Ada")
    );
    assert_eq!((shown.created_at, shown.updated_at), (NOW, NOW + 5));
    assert_eq!(
        patch(database, by_admin(), bo, json!({ "bots": null })),
        Ok(true)
    );
    assert_eq!(member(database, ACME, bo).unwrap().0.bots, None);
    for (who, what, code) in [
        (bo, json!({ "role": "owner" }), Code::ScopeMissing),
        (ada, json!({ "role": "agent" }), Code::ScopeMissing),
        (bo, json!({ "rights": ["export"] }), Code::ScopeMissing),
        (bo, json!({ "bots": [] }), Code::InvalidValue),
        (bo, json!({ "rights": ["nothing"] }), Code::InvalidJson),
        (bo, json!({ "email": "x@example.com" }), Code::InvalidJson),
    ] {
        assert_eq!(patch(database, by_admin(), who, what), Err(code));
    }
    assert_eq!(
        patch(
            database,
            Principal::Operator,
            bo,
            json!({ "rights": ["export", "export"] })
        ),
        Err(Code::InvalidValue)
    );
    assert_eq!(
        patch(
            database,
            Principal::Operator,
            bo,
            json!({ "rights": ["export"] })
        ),
        Ok(true)
    );
    assert_eq!(
        member(database, ACME, bo).unwrap().0.rights,
        [Right::Export]
    );
    // Nobody of another tenant.
    assert!(member(database, EMPTY, bo).is_none());
}

fn everything() -> crate::repositories::owners::Filter {
    crate::repositories::owners::Filter {
        limit: 50,
        after: String::new(),
        status: None,
        bot: None,
        bots: None,
        kind: None,
        parent: None,
    }
}

#[test]
fn a_tenant_keeps_an_owner() {
    let world = World::new();
    let database = &world.database;
    let owned = Owned(database);
    let first = person(
        database,
        &join(database, EMPTY, "one@example.com", Role::Owner, None),
    );
    let id = first.to_string();
    let demote = |role: &str, bots: Value| {
        let row = wait(owned.get(&members::KIND, EMPTY, &id)).unwrap();
        let context = ChangeContext {
            caller: Principal::Operator,
            now_ms: NOW,
            policy: bulle_edge_core::outbound::AddressPolicy::default(),
        };
        let change =
            (members::CHANGES.apply)(&row.item, json!({ "role": role, "bots": bots }), &context)
                .unwrap_or_else(|problem| panic!("{}", problem.detail))
                .unwrap();
        assert_eq!(change.refusal.as_ref().unwrap().code, Code::LastOwner);
        wait(owned.change(&members::CHANGES, (EMPTY, &id, row.version()), &change, NOW)).is_some()
    };
    // An owner of some bots is none of the tenant.
    join(
        database,
        EMPTY,
        "some@example.com",
        Role::Owner,
        Some(&["guide".to_owned()]),
    );
    let before = database.rows_of_tenant(EMPTY);
    assert!(!demote("admin", Value::Null));
    assert!(!demote("owner", json!(["guide"])));
    assert!(!wait(owned.remove_member(EMPTY, &id, 1)));
    assert_eq!(database.rows_of_tenant(EMPTY), before);

    // A link to a smaller role does not demote the last owner either.
    let token = InvitationToken {
        tenant_id: EMPTY.into(),
        token: Token::new(Id::from_parts(NOW, 900), [1, 2]),
    };
    let people = People(database);
    let invitation = NewInvitation {
        token: &token,
        email: "one@example.com",
        operator: false,
        role: Some(Role::Analyst),
        bots: None,
        rights: &[],
        created_at: NOW,
        expires_at: NOW + 1_000,
    };
    assert!(wait(people.invite(&invitation, 9)));
    let open = wait(people.invitation(&token, NOW)).unwrap();
    let session = NewSession::new(NOW, [901, 1, 2], "Browser".into());
    assert!(wait(people.accept(&open, &Guest::Known(first), &session)));
    assert_eq!(member(database, EMPTY, first).unwrap().0.role, Role::Owner);

    join(database, EMPTY, "two@example.com", Role::Owner, None);
    assert!(demote("admin", Value::Null));
}

#[test]
fn whoever_is_removed_is_gone_with_keys_and_sessions() {
    let world = World::new();
    let database = &world.database;
    let (owned, people) = (Owned(database), People(database));
    let token = join(database, ACME, "bo@example.com", Role::Admin, None);
    let bo = person(database, &token);
    let text = bo.to_string();
    let body = json!({ "name": "Mine", "scopes": ["bots:read", "keys:read"], "personal": true })
        .to_string();
    let made = |caller: &Principal| {
        (keys::CREATION.make)(
            &body,
            &CreateContext {
                caller,
                tenant_id: ACME,
                now_ms: NOW,
                random: [77, 1, 2],
                policy: bulle_edge_core::outbound::AddressPolicy::default(),
                secret: Err(bulle_edge_core::people::last_owner()),
            },
        )
    };
    let Err(problem) = made(&Principal::Operator) else {
        panic!("the operator's key has no keys of its own");
    };
    assert_eq!(problem.code, Code::InvalidValue);
    let new =
        made(&caller(database, &token)).unwrap_or_else(|problem| panic!("{}", problem.detail));
    wait(owned.create(&keys::CREATION, ACME, &new, None, NOW));
    let key = key::ApiKey::new(ACME, new.id.parse().unwrap(), [1, 2]);
    let holder = || wait(owned.holder(&key, NOW));
    let scopes = || match holder() {
        Some(Principal::Key {
            scopes,
            person_id,
            bots,
            ..
        }) => {
            assert_eq!(person_id, Some(bo));
            Some((scopes, bots))
        }
        _ => None,
    };
    assert_eq!(
        scopes(),
        Some((vec![Scope::BotsRead, Scope::KeysRead], None))
    );
    // The key has no more than its person has now.
    let less = json!({ "role": "editor", "bots": ["guide"] });
    assert_eq!(patch(database, Principal::Operator, bo, less), Ok(true));
    assert_eq!(
        scopes(),
        Some((vec![Scope::BotsRead], Some(vec!["guide".to_owned()])))
    );

    // Another tenant and another version remove nothing.
    let (_, version) = member(database, ACME, bo).unwrap();
    for (tenant, version) in [(GLOBEX, version), (EMPTY, version), (ACME, version + 1)] {
        assert!(!wait(owned.remove_member(tenant, &text, version)));
    }
    assert!(holder().is_some() && wait(people.signed(&token, None, NOW)).is_some());
    assert!(wait(owned.remove_member(ACME, &text, version)));
    assert!(holder().is_none());
    assert!(wait(people.signed(&token, None, NOW)).is_none());
    assert!(
        wait(people.credentials("bo@example.com")).is_none(),
        "in no tenant any more"
    );

    // Who belongs to another tenant keeps the account.
    let token = join(database, ACME, "both@example.com", Role::Agent, None);
    let both = person(database, &token);
    database.script(&format!(
        "INSERT INTO membership (tenant_id, person_id, role, created_at) VALUES ('initech', '{both}', 'agent', 1)"
    ));
    assert!(wait(owned.remove_member(ACME, &both.to_string(), 1)));
    assert!(wait(people.credentials("both@example.com")).is_some());
    assert!(member(database, EMPTY, both).is_some());
}

#[test]
fn an_invitation_is_listed_renewed_and_revoked() {
    let world = World::new();
    let database = &world.database;
    let (owned, people) = (Owned(database), People(database));
    let link = |secret| InvitationToken {
        tenant_id: EMPTY.into(),
        token: Token::new(Id::from_parts(NOW, 700), [1, secret]),
    };
    let (first, second) = (link(1), link(2));
    let invitation = NewInvitation {
        token: &first,
        email: "bo@example.com",
        operator: false,
        role: Some(Role::Agent),
        bots: None,
        rights: &[Right::Code],
        created_at: NOW,
        expires_at: NOW + 1_000,
    };
    assert!(wait(people.invite(&invitation, 9)));
    let id = first.token.id.to_string();
    let row = wait(owned.get(&invitations::KIND, EMPTY, &id)).unwrap();
    let shown: bulle_api::people::Invitation = serde_json::from_str(&row.item).unwrap();
    assert_eq!(shown, invitation.shown());
    assert!(!row.item.contains("hash"));
    assert!(wait(owned.get(&invitations::KIND, ACME, &id)).is_none());

    let times = (NOW + 60_000, NOW + 90_000);
    assert!(!wait(people.renew(&second, times, NOW - 1)), "too early");
    let elsewhere = InvitationToken {
        tenant_id: ACME.into(),
        token: Token::new(first.token.id, [1, 2]),
    };
    assert!(!wait(people.renew(&elsewhere, times, NOW)));
    assert!(wait(people.renew(&second, times, NOW)));
    assert!(
        wait(people.invitation(&first, NOW)).is_none(),
        "the old link"
    );
    assert!(wait(people.invitation(&second, NOW + 89_999)).is_some());

    assert!(!wait(people.revoke(ACME, &id)));
    assert!(wait(people.revoke(EMPTY, &id)));
    assert!(!wait(people.revoke(EMPTY, &id)));
    assert!(wait(people.invitation(&second, NOW)).is_none());
    assert!(!wait(people.renew(&first, times, NOW + 1)));
}
