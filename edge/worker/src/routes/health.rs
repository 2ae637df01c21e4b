//! `GET /health`.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use bulle_edge_core::{
    admin::key::MIN_OPERATOR_KEY_CHARS,
    ports::{Clock, Kv},
    provider::{Model, breaker::Breaker, extractive, habits::Habits},
};
use serde::Serialize;
use worker::send;

use crate::{
    adapters::Edge,
    config,
    http::{Answer, json},
};

/// Answer of `GET /health`.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Health {
    /// False when visitors cannot be served.
    ok: bool,
    /// A row per dependency.
    checks: Vec<Check>,
}

/// State of a dependency.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Check {
    /// Name of the dependency.
    name: &'static str,
    /// Whether the dependency works.
    ok: bool,
    /// Milliseconds that the check took.
    ms: u64,
    /// What is wrong, or which variant is in use. Never holds a secret.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

/// The state of the edge and of what it depends on. 503 when visitors cannot be served.
#[cfg_attr(test, utoipa::path(get, path = "/health", tag = "operator", responses(
    (status = 200, body = Health), (status = 503, body = Health),
)))]
#[send]
pub async fn get(State(edge): State<Edge>, _headers: HeaderMap) -> Answer {
    let mut checks = vec![
        timed(&edge, "database", edge.database_answers()).await,
        timed(&edge, "kv", async {
            edge.get("health")
                .await
                .map(|_| ())
                .map_err(|e| e.to_string())
        })
        .await,
        timed(&edge, "session_secret", async {
            config::session_secret(edge.env())
                .map(|_| ())
                .map_err(|problem| problem.detail)
        })
        .await,
        model(&edge).await,
        admin(&edge),
    ];
    checks.extend(meaning(&edge));
    checks.extend(own_addresses(&edge));
    // Without KV all functions work, only slower; without the vector index, passages are found by their words.
    let spared = ["kv", "meaning"];
    let ok = checks
        .iter()
        .all(|check| check.ok || spared.contains(&check.name));
    let status = if ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json(status, &Health { ok, checks })
}

async fn timed(
    edge: &Edge,
    name: &'static str,
    check: impl Future<Output = Result<(), String>>,
) -> Check {
    let started = edge.now_ms();
    let result = check.await;
    Check {
        name,
        ok: result.is_ok(),
        ms: edge.now_ms().saturating_sub(started),
        detail: result.err().unwrap_or_default(),
    }
}

/// The error in `PUBLIC_URL`; no row when there is none.
fn own_addresses(edge: &Edge) -> Option<Check> {
    let problem = config::own_addresses(edge.env()).err()?;
    Some(Check {
        name: "public_url",
        ok: false,
        ms: 0,
        detail: problem.detail,
    })
}

/// The models of the deployment, the first one for bots without a choice of their own. They are not asked: a health check
/// must not cost money.
async fn model(edge: &Edge) -> Check {
    let deployment = config::deployment(edge.env());
    let mut known = Vec::new();
    for server in &deployment.servers {
        let model = Model {
            server,
            name: &server.model,
            price: None,
            key: 0,
            habits: Habits::default(),
        };
        let breaker = Breaker::look(edge, &model).await;
        let mut remarks = Vec::new();
        if breaker.is_open(edge.now_ms()) {
            remarks.push("not asked for a while: it failed too often".to_owned());
        }
        let habits = breaker.habits();
        remarks.extend(Model { habits, ..model }.differences());
        let remarks = match remarks.is_empty() {
            true => String::new(),
            false => format!(" ({})", remarks.join(", ")),
        };
        known.push(format!(
            "{}/{}{remarks}",
            server.provider.name, server.model
        ));
    }
    let detail = if known.is_empty() {
        extractive::NAME.to_owned()
    } else {
        known.join(", ")
    };
    Check {
        name: "model",
        ok: true,
        ms: 0,
        detail,
    }
}

/// The vector index; no row when none of its variables is set.
fn meaning(edge: &Edge) -> Option<Check> {
    let configured = config::cloudflare(edge.env()).transpose()?;
    Some(Check {
        name: "meaning",
        ok: configured.is_ok(),
        ms: 0,
        detail: match configured {
            Ok(cloudflare) => format!("{} in {}", cloudflare.model, cloudflare.index),
            Err(why) => why,
        },
    })
}

/// Whether the operator has a key. Without one the check is ok: tenants' API keys work, and visitors are served.
fn admin(edge: &Edge) -> Check {
    let detail = match config::operator_key(edge.env()) {
        Some(_) => "open".to_owned(),
        None => format!(
            "closed: set the secret ADMIN_KEY to at least {MIN_OPERATOR_KEY_CHARS} random characters"
        ),
    };
    Check {
        name: "admin",
        ok: true,
        ms: 0,
        detail,
    }
}
