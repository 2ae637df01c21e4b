//! Authentication and authorization of callers of the owner's API.

use axum::http::HeaderMap;
use bulle_api::admin::Scope;
use bulle_edge_core::{
    admin::{
        Principal,
        key::{self, ApiKey},
        nothing_here,
    },
    guard::attempts,
    ports::{Clock, PortError},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};

use super::context::OwnerContext;
use crate::{
    adapters::Edge,
    config,
    http::{Refusal, header},
    log,
    routes::caller::address,
};

/// Authenticates a caller: the one place where API keys are compared. The operator's key comes first, so that failures of
/// others on the same network cannot lock the operator out; tenants' keys are not looked up for an address that has failed
/// too often.
///
/// # Errors
/// `api_key_missing`, `api_key_invalid`, `rate_limited`, `storage_unavailable`.
async fn authenticate(edge: &Edge, headers: &HeaderMap) -> Result<Principal, Refusal> {
    let presented = key::bearer(header(headers, "authorization"))?;
    if config::operator_key(edge.env()).is_some_and(|operator| operator.is(presented)) {
        return Ok(Principal::Operator);
    }
    let secret = config::session_secret(edge.env())?;
    let address = address(edge, &secret, headers);
    attempts::check(edge, attempts::Credential::ApiKey, &address)?;
    let holder = match ApiKey::parse(presented) {
        Some(key) => edge.owned().holder(&key, edge.now_ms()).await,
        None => Ok(None),
    };
    match holder.map_err(|e| unavailable(&e))? {
        Some(holder) => Ok(holder),
        None => {
            let kind = attempts::Credential::ApiKey;
            Err(attempts::failed(edge, kind, &address, key::invalid())
                .await
                .into())
        }
    }
}

/// Authorizes a caller for a scope of an existing tenant.
///
/// # Errors
/// Those of keys; `not_found`, `scope_missing`.
pub async fn authorize(
    context: &OwnerContext,
    tenant_id: &str,
    scope: Scope,
) -> Result<Principal, Refusal> {
    let caller = authenticate(&context.edge, &context.headers).await?;
    caller.may(tenant_id, scope)?;
    // A key's own tenant exists; the operator may name any id.
    if caller == Principal::Operator {
        let exists = context.edge.owned().tenant_exists(tenant_id).await;
        if !exists.map_err(|e| unavailable(&e))? {
            return Err(nothing_here().into());
        }
    }
    Ok(caller)
}

/// Authorizes the operator alone; `tenant_id` is the tenant that the request is about, if there is one.
///
/// # Errors
/// Those of keys; `not_found`, `scope_missing`.
pub async fn operator(
    context: &OwnerContext,
    tenant_id: Option<&str>,
) -> Result<Principal, Refusal> {
    let caller = authenticate(&context.edge, &context.headers).await?;
    caller.must_be_operator(tenant_id)?;
    Ok(caller)
}

/// Authorizes a tenant's own server, with an API key that has this scope. Returns the tenant and the id of the key.
///
/// # Errors
/// Those of keys; `scope_missing`.
pub async fn server(
    edge: &Edge,
    headers: &HeaderMap,
    scope: Scope,
) -> Result<(String, Id), Refusal> {
    let caller = authenticate(edge, headers).await?;
    let Principal::Key { tenant_id, id, .. } = &caller else {
        let detail = "The operator's own key belongs to no tenant, so it has no bots. Use an API key of the tenant.";
        return Err(Problem::new(Code::ScopeMissing, detail).into());
    };
    caller.may(tenant_id, scope)?;
    Ok((tenant_id.clone(), *id))
}

/// The refusal when the database failed; the error goes to the log.
pub fn unavailable(error: &PortError) -> Refusal {
    log::error("error", error);
    Problem::new(
        Code::StorageUnavailable,
        "The database cannot be reached now. Try again in a few seconds; a creation with the same Idempotency-Key \
         happens once.",
    )
    .retry_after(5)
    .into()
}
