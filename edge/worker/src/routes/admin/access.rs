//! Who calls, and whether they may.

use bulle_edge_core::{
    admin::{
        Caller,
        key::{self, ApiKey},
        nothing_here,
    },
    guard::attempts,
    ports::{Clock, PortError},
};
use bulle_protocol::{
    admin::Scope,
    problem::{Code, Problem},
};
use worker::console_error;

use super::Call;
use crate::{
    config,
    http::{Refusal, address, header},
};

/// Who calls; whoever fails too often is not looked at any more.
///
/// # Errors
/// `api_key_missing`, `api_key_invalid`, `rate_limited`, `storage_unavailable`.
async fn authenticate(call: &Call) -> Result<Caller, Refusal> {
    let edge = &call.edge;
    let secret = config::session_secret(edge.env())?;
    let address = address(edge, &secret, &call.headers);
    attempts::check(edge, &address)?;
    match look_up(call).await {
        Err(Refusal(problem)) if problem.code == Code::ApiKeyInvalid => {
            Err(attempts::failed(edge, &address, problem).await.into())
        }
        other => other,
    }
}

/// The one place where keys are looked at.
async fn look_up(Call { edge, headers, .. }: &Call) -> Result<Caller, Refusal> {
    let presented = key::bearer(header(headers, "authorization"))?;
    if config::operator_key(edge.env()).is_some_and(|operator| operator.is(presented)) {
        return Ok(Caller::Operator);
    }
    let presented = ApiKey::parse(presented).ok_or_else(key::invalid)?;
    let holder = edge.holder(&presented, edge.now_ms()).await;
    let holder = holder.map_err(|e| unavailable(&e))?;
    Ok(holder.ok_or_else(key::invalid)?)
}

/// Whoever calls may do this to this tenant, and there is such a tenant.
///
/// # Errors
/// Those of keys; `not_found`, `scope_missing`.
pub async fn authorize(call: &Call, tenant_id: &str, scope: Scope) -> Result<Caller, Refusal> {
    let caller = authenticate(call).await?;
    caller.may(tenant_id, scope)?;
    // A key's own tenant exists; the operator may name any.
    if caller == Caller::Operator {
        let exists = call.edge.tenant_exists(tenant_id).await;
        if !exists.map_err(|e| unavailable(&e))? {
            return Err(nothing_here().into());
        }
    }
    Ok(caller)
}

/// The operator calls; `tenant_id` is the tenant that it is about, when it is about one.
///
/// # Errors
/// Those of keys; `not_found`, `scope_missing`.
pub async fn operator(call: &Call, tenant_id: Option<&str>) -> Result<Caller, Refusal> {
    let caller = authenticate(call).await?;
    caller.must_be_operator(tenant_id)?;
    Ok(caller)
}

/// The database failed.
pub fn unavailable(error: &PortError) -> Refusal {
    console_error!("{}", serde_json::json!({ "error": error.to_string() }));
    Problem::new(
        Code::StorageUnavailable,
        "The database cannot be reached now. Try again in a few seconds; a creation with the same Idempotency-Key \
         happens once.",
    )
    .retry_after(5)
    .into()
}
