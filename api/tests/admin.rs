//! Snapshots of the owner's API in JSON, so that a change shows in review.

use bulle_api::{
    admin::{
        ApiKey, Bot, CreatedApiKey, CreatedIdentitySecret, Environment, IdentitySecret, NewApiKey,
        NewBot, NewSite, NewTenant, Page, Scope, Site, Status, Tenant,
    },
    settings::{BotSettings, TenantSettings, Theme},
    usage::{Durations, UsageKey, UsageReport, UsageRow},
};
use bulle_protocol::Id;
use insta::assert_json_snapshot;
use serde_json::json;

const NOW: u64 = 1_700_000_000_000;

fn id(n: u128) -> Id {
    Id::from_parts(NOW, n)
}

#[test]
fn what_is_shown() {
    let tenant = Tenant {
        id: "acme".into(),
        name: "Acme".into(),
        status: Status::Active,
        settings: TenantSettings::default(),
        created_at: NOW,
        updated_at: NOW + 1,
    };
    let bot = Bot {
        id: "guide".into(),
        status: Status::Paused,
        settings: BotSettings {
            name: "Guide".into(),
            ..BotSettings::default()
        },
        created_at: NOW,
        updated_at: NOW,
    };
    let site = Site {
        key: "01hf7yat00000000000r".into(),
        bot_id: "guide".into(),
        name: "Shop".into(),
        origins: vec!["https://example.com".into()],
        environment: Environment::Staging,
        status: Status::Active,
        created_at: NOW,
        updated_at: NOW,
    };
    let listed = ApiKey {
        id: id(1),
        prefix: format!("bulle_acme_{}", id(1)),
        name: "CI".into(),
        scopes: Scope::ALL.to_vec(),
        created_at: NOW,
        expires_at: Some(NOW + 2),
        revoked_at: None,
        last_used_at: None,
        person_id: None,
    };
    let secret = IdentitySecret {
        id: id(2),
        created_at: NOW,
    };
    // The settings of a bot have tests of their own.
    let mut bot = serde_json::to_value(bot).unwrap();
    bot["settings"] = json!("…");
    assert_json_snapshot!(json!({
        "tenant": tenant,
        "bot": bot,
        "page of sites": Page { items: vec![site], next: Some("01hf7yat00000000000r".into()) },
        "last page": Page::<Site> { items: Vec::new(), next: None },
        "created key": CreatedApiKey { listed: listed.clone(), key: Some("bulle_…".into()) },
        "repeated key": CreatedApiKey { listed, key: None },
        "created secret": CreatedIdentitySecret { listed: secret, secret: Some("…".into()) },
    }));
}

#[test]
fn usage() {
    let row = UsageRow {
        day: Some("2026-11-21".into()),
        model: Some("gpt-4o-mini".into()),
        answers: 2,
        calls: 3,
        failed: 1,
        microusd: 750,
        first_token_ms: Some(Durations {
            mean: 400,
            p50: 300,
            p95: 900,
        }),
        ..UsageRow::default()
    };
    assert_eq!(row.key(UsageKey::Day), "2026-11-21");
    for key in UsageKey::ALL {
        assert_eq!(
            serde_json::to_value(key).unwrap(),
            json!(key.as_str()),
            "{key:?}"
        );
        let json = json!({ key.as_str(): "it" });
        let row: UsageRow = serde_json::from_value(json).unwrap();
        assert_eq!(row.key(key), "it");
    }
    let report = UsageReport {
        from: "2026-11-01".into(),
        to: "2026-11-30".into(),
        prices_as_of: "2025-06-01".into(),
        items: vec![row],
        next: Some("[\"2026-11-21\",\"gpt-4o-mini\"]".into()),
    };
    assert_json_snapshot!(report);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<UsageReport>(&json).unwrap(), report);
}

#[test]
fn what_is_said_may_be_little_but_nothing_unknown() {
    let tenant: NewTenant = serde_json::from_value(json!({"id": "a", "name": "A"})).unwrap();
    assert_eq!(tenant.settings, TenantSettings::default());
    let site: NewSite = serde_json::from_value(json!({"bot_id": "b", "origins": []})).unwrap();
    assert_eq!(
        (site.name.as_str(), site.environment),
        ("", Environment::Production)
    );
    let key: NewApiKey = serde_json::from_value(json!({"name": "k", "scopes": []})).unwrap();
    assert_eq!(key.expires_at, None);
    assert!(serde_json::from_value::<NewBot>(json!({"id": "b"})).is_err());
    let more = json!({"id": "a", "name": "A", "status": "active"});
    assert!(serde_json::from_value::<NewTenant>(more).is_err());
}

#[test]
fn a_colour_is_a_colour() {
    let theme =
        |accent: &str| serde_json::from_str::<Theme>(&format!("{{\"accent\":\"{accent}\"}}"));
    assert_eq!(theme("#0F766e").unwrap().accent, "#0F766e");
    for accent in ["banana", "#fff", "0f766e", "#0f766", "#gg766e", "#0f766é"] {
        assert!(theme(accent).is_err(), "{accent}");
    }
}
