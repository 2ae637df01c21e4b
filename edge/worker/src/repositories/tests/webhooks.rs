//! Which webhooks an owner may name: the policy of all addresses that requests are sent to.

use bulle_edge_core::{admin::Principal, model::Secret, outbound::AddressPolicy};
use serde_json::{Value, json};

use super::world::*;
use crate::repositories::owners::{ChangeContext, CreateContext, Owned, tenants};

const PRIVATE: [&str; 7] = [
    "http://127.0.0.1:9000/",
    "https://[::1]/",
    "https://169.254.169.254/latest/",
    "https://10.0.0.1/",
    "https://example.com:8443/",
    "https://kubernetes.default.svc/",
    "https://hooks.internal/",
];

fn with(webhook: &str) -> Value {
    json!({ "settings": { "notices": { "webhook": webhook } } })
}

#[test]
fn a_tenant_is_not_created_with_a_private_webhook() {
    let make = |webhook: &str, policy| {
        let mut body = with(webhook);
        body["id"] = "new".into();
        body["name"] = "New".into();
        let context = CreateContext {
            caller: &Principal::Operator,
            tenant_id: "",
            now_ms: NOW,
            random: [1, 2, 3],
            secret: Secret::new(Some(&"s".repeat(32))),
            policy,
        };
        let made = (tenants::CREATION.make)(&body.to_string(), &context);
        made.map(|_| ()).map_err(|problem| problem.detail)
    };
    for webhook in PRIVATE {
        let detail = make(webhook, AddressPolicy::default()).unwrap_err();
        assert!(detail.starts_with("settings.notices.webhook: "), "{detail}");
    }
    assert!(make("https://example.com/hook", AddressPolicy::default()).is_ok());
    let local = AddressPolicy::new(Some("127.0.0.1:9000"));
    assert!(make("http://127.0.0.1:9000/hook", local).is_ok());
}

#[test]
fn a_tenant_is_not_changed_to_a_private_webhook_and_keeps_one_of_before() {
    let world = World::new();
    let owned = Owned(&world.database);
    let row = wait(owned.get(&tenants::KIND, ACME, ACME)).unwrap();
    let context = ChangeContext {
        caller: Principal::Operator,
        now_ms: NOW,
        policy: AddressPolicy::default(),
    };
    let change = |item: &str, patch: Value| {
        let changed = (tenants::CHANGES.apply)(item, patch, &context);
        changed
            .map(|change| change.is_some())
            .map_err(|problem| problem.detail)
    };
    for webhook in PRIVATE {
        let detail = change(&row.item, with(webhook)).unwrap_err();
        assert!(detail.starts_with("settings.notices.webhook: "), "{detail}");
    }
    assert_eq!(
        change(&row.item, with("https://example.com/hook")),
        Ok(true)
    );
    // Of before there was a policy: the tenant can be changed all the same, and the address be taken away.
    let mut item: Value = serde_json::from_str(&row.item).unwrap();
    item["settings"]["notices"]["webhook"] = PRIVATE[0].into();
    let item = item.to_string();
    assert_eq!(change(&item, json!({ "status": "paused" })), Ok(true));
    assert_eq!(
        change(
            &item,
            json!({ "settings": { "notices": { "webhook": null } } })
        ),
        Ok(true)
    );
}
