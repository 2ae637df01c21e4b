//! The table of access: which role, and which scope of a key, each operation of the owner's API demands. The tests write
//! it from the one function that decides (`access`); `e2e/people.test.mjs` asks every operation as every role.

use bulle_api::{
    admin::Scope::{self, *},
    people::Role,
};
use bulle_edge_core::{
    admin::{
        Member, Principal, Signed,
        access::{Need, Reach, access},
    },
    people::session::{PROVED_MS, Times},
};
use bulle_protocol::{Id, problem::Code};
use serde_json::{Map, Value, json};

/// Every operation of the owner's API with its scope (`None` for the operator's), and whether its handler selects what a
/// person who is limited to some bots sees.
const OPERATIONS: &[(&str, Option<Scope>, bool)] = &[
    ("bot_list", Some(BotsRead), true),
    ("bot_create", Some(BotsWrite), false),
    ("bot_get", Some(BotsRead), false),
    ("bot_change", Some(BotsWrite), false),
    ("bot_delete", Some(BotsWrite), false),
    ("conversation_list", Some(ConversationsRead), true),
    ("transcript", Some(ConversationsRead), true),
    ("conversation_label", Some(ConversationsWrite), true),
    ("note_create", Some(ConversationsWrite), true),
    ("note_delete", Some(ConversationsWrite), true),
    ("owner_conversation_delete", Some(ConversationsDelete), true),
    ("conversations_delete", Some(ConversationsDelete), true),
    ("form_list", Some(ConversationsRead), false),
    ("gap_list", Some(ConversationsRead), false),
    ("gap_answer", Some(KnowledgeWrite), false),
    ("gap_dismiss", Some(KnowledgeWrite), false),
    ("golden_report", Some(KnowledgeRead), false),
    ("golden_add", Some(KnowledgeWrite), false),
    ("golden_run", Some(KnowledgeWrite), false),
    ("golden_delete", Some(KnowledgeWrite), false),
    ("identity_secret_list", Some(IdentityRead), false),
    ("identity_secret_create", Some(IdentityWrite), false),
    ("identity_secret_delete", Some(IdentityWrite), false),
    ("operator_invitation_create", None, false),
    ("operator_invitation_list", None, false),
    ("operator_invitation_revoke", None, false),
    ("invitation_create", Some(PeopleWrite), false),
    ("invitation_list", Some(PeopleRead), false),
    ("invitation_revoke", Some(PeopleWrite), false),
    ("invitation_renew", Some(PeopleWrite), false),
    ("audit_list", Some(AuditRead), false),
    ("operator_audit_list", None, false),
    ("person_list", Some(PeopleRead), false),
    ("person_get", Some(PeopleRead), false),
    ("person_change", Some(PeopleWrite), false),
    ("person_remove", Some(PeopleWrite), false),
    ("key_list", Some(KeysRead), false),
    ("key_create", Some(KeysWrite), false),
    ("key_get", Some(KeysRead), false),
    ("key_revoke", Some(KeysWrite), false),
    ("notice_list", Some(NoticesRead), false),
    ("notice_test", Some(NoticesWrite), false),
    ("notice_secret", Some(NoticesWrite), false),
    ("answer_prompt", Some(ConversationsRead), false),
    ("site_list", Some(SitesRead), false),
    ("site_create", Some(SitesWrite), false),
    ("site_get", Some(SitesRead), false),
    ("site_change", Some(SitesWrite), false),
    ("site_delete", Some(SitesWrite), false),
    ("site_snippets", Some(SitesRead), false),
    ("source_list", Some(KnowledgeRead), false),
    ("source_create", Some(KnowledgeWrite), false),
    ("source_upload", Some(KnowledgeWrite), false),
    ("source_get", Some(KnowledgeRead), false),
    ("source_change", Some(KnowledgeWrite), false),
    ("source_replace", Some(KnowledgeWrite), false),
    ("source_refresh", Some(KnowledgeWrite), false),
    ("source_content", Some(KnowledgeRead), false),
    ("source_delete", Some(KnowledgeWrite), false),
    ("tenant_list", None, false),
    ("tenant_create", None, false),
    ("tenant_get", Some(TenantRead), false),
    ("tenant_change", Some(TenantWrite), false),
    ("tenant_delete", None, false),
    ("usage", Some(UsageRead), false),
    ("answer", Some(UsageRead), false),
];

/// The committed table. `BLESS=1 cargo test -p bulle-edge-worker` writes it anew.
const TABLE: &str = include_str!("../../../access.json");

const NOW: u64 = 1_700_000_000_000;

/// The operations of the committed document: method and path.
fn documented() -> Map<String, Value> {
    let document = include_str!("../../../openapi.json");
    let document: Value = serde_json::from_str(document).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut found = Map::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            if operation["tags"][0] == "owner" {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                found.insert(id, json!([method, path]));
            }
        }
    }
    found
}

fn person(role: Role, bots: Option<Vec<String>>) -> Principal {
    Principal::Person(Box::new(Signed {
        person_id: Id::from_parts(NOW, 1),
        session_id: Id::from_parts(NOW, 2),
        operator: false,
        membership: Some(Member {
            tenant_id: "acme".into(),
            role,
            bots,
            rights: Vec::new(),
        }),
        times: Times {
            created_at: NOW,
            seen_at: NOW,
            proved_at: NOW,
        },
    }))
}

/// The row of an operation.
fn row(scope: Option<Scope>, selects: bool, method: &str, path: &str) -> Value {
    let need = Need {
        tenant_id: path.contains("{tenant}").then_some("acme"),
        scope,
        reach: match (selects, path.contains("/bots/{bot}")) {
            (true, _) => Reach::Selected,
            (false, true) => Reach::Bot("guide"),
            (false, false) => Reach::Tenant,
        },
        unsafe_method: method != "get",
        erases: method == "delete" && matches!(scope, None | Some(BotsWrite)),
    };
    let may = |role: &Role| access(&person(*role, None), &need, NOW).is_ok();
    let limited = person(Role::Owner, Some(vec!["guide".into()]));
    let late = access(&person(Role::Owner, None), &need, NOW + PROVED_MS);
    json!({
        "scope": scope.map_or("operator", Scope::as_str),
        "roles": Role::ALL.into_iter().filter(may).map(Role::as_str).collect::<Vec<_>>(),
        "of_some_bots": access(&limited, &need, NOW).is_ok(),
        "step_up": late.is_err_and(|problem| problem.code == Code::StepUpRequired),
    })
}

#[test]
fn every_operation_has_a_row_and_the_committed_table_is_that_of_the_code() {
    let mut documented = documented();
    let mut table = Map::new();
    for (id, scope, selects) in OPERATIONS {
        let found = documented
            .remove(*id)
            .unwrap_or_else(|| panic!("{id} is not in openapi.json"));
        let [method, path] = [0, 1].map(|place| found[place].as_str().unwrap().to_owned());
        table.insert((*id).to_owned(), row(*scope, *selects, &method, &path));
    }
    assert!(
        documented.is_empty(),
        "add a row to OPERATIONS for {:?}",
        documented.keys()
    );
    let mut written = serde_json::to_string_pretty(&table).unwrap();
    written.push('\n');
    if std::env::var_os("BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/access.json");
        std::fs::write(path, &written).unwrap();
        return;
    }
    assert!(
        written == TABLE,
        "access changed: run `BLESS=1 cargo test -p bulle-edge-worker` and review the difference"
    );
}

/// Of what is read, nothing needs the password again; whoever only reads changes nothing.
#[test]
fn the_table_keeps_its_rules() {
    let table: Map<String, Value> = serde_json::from_str(TABLE).unwrap();
    let documented = documented();
    for (id, row) in &table {
        let reads = documented[id][0] == "get";
        assert!(!reads || row["step_up"] == false, "{id}");
        let analyst = row["roles"].as_array().unwrap().contains(&json!("analyst"));
        assert!(reads || !analyst, "{id}");
    }
}
