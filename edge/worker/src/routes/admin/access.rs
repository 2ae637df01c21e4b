//! Authentication and authorization of callers of the owner's API.

use axum::http::{HeaderMap, Method};
use bulle_api::admin::Scope;
use bulle_edge_core::{
    admin::{
        Principal,
        access::{Need, Reach, access},
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
    routes::{
        caller::address,
        person::{Asked, signed},
    },
};

/// Authenticates a caller: the one place where API keys are compared and sessions of people are read. The operator's key
/// comes first, so that failures of others on the same network cannot lock the operator out; tenants' keys are not looked
/// up for an address that has failed too often. A key is named on purpose, a cookie is sent with every request: where
/// there are both, the key counts.
///
/// # Errors
/// `api_key_missing`, `api_key_invalid`, `rate_limited`, `storage_unavailable`; of people those of [`signed`].
async fn authenticate(
    edge: &Edge,
    asked: Asked<'_>,
    tenant_id: Option<&str>,
) -> Result<Principal, Refusal> {
    let authorization = header(asked.headers, "authorization");
    if authorization.is_none()
        && let Some(person) = signed(edge, asked, tenant_id).await?
    {
        return Ok(Principal::Person(Box::new(person)));
    }
    authenticate_key(edge, asked.headers).await
}

/// Authenticates a caller with a key.
async fn authenticate_key(edge: &Edge, headers: &HeaderMap) -> Result<Principal, Refusal> {
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

/// Authorizes a caller for a scope of an existing tenant. A path below `/bots/{bot}` reaches that bot, any other the whole
/// tenant.
///
/// # Errors
/// Those of keys and people; `not_found`, `scope_missing`, `step_up_required`.
pub async fn authorize(
    context: &OwnerContext,
    tenant_id: &str,
    scope: Scope,
) -> Result<Principal, Refusal> {
    let reach = match bot_of(context.uri.path()) {
        Some(bot) => Reach::Bot(bot),
        None => Reach::Tenant,
    };
    authorize_for(context, tenant_id, Some(scope), reach).await
}

/// Authorizes a caller for a request whose handler shows only the bots that the caller reaches ([`Principal::bots`]).
///
/// # Errors
/// Those of [`authorize`].
pub async fn authorize_selected(
    context: &OwnerContext,
    tenant_id: &str,
    scope: Scope,
) -> Result<Principal, Refusal> {
    authorize_for(context, tenant_id, Some(scope), Reach::Selected).await
}

/// Authorizes the operator alone; `tenant_id` is the tenant that the request is about, if there is one.
///
/// # Errors
/// Those of keys and people; `not_found`, `scope_missing`, `step_up_required`.
pub async fn operator(
    context: &OwnerContext,
    tenant_id: Option<&str>,
) -> Result<Principal, Refusal> {
    let caller = authenticate(&context.edge, context.asked(), tenant_id).await?;
    decide(context, &caller, tenant_id, None, Reach::Tenant)?;
    context.audited.by(&caller, tenant_id);
    Ok(caller)
}

async fn authorize_for(
    context: &OwnerContext,
    tenant_id: &str,
    scope: Option<Scope>,
    reach: Reach<'_>,
) -> Result<Principal, Refusal> {
    let caller = authenticate(&context.edge, context.asked(), Some(tenant_id)).await?;
    decide(context, &caller, Some(tenant_id), scope, reach)?;
    context.audited.by(&caller, Some(tenant_id));
    // The tenant of a key or a membership exists; an operator may name any id.
    if caller.is_operator() {
        let exists = context.edge.owned().tenant_exists(tenant_id).await;
        if !exists.map_err(|e| unavailable(&e))? {
            return Err(nothing_here().into());
        }
    }
    Ok(caller)
}

fn decide(
    context: &OwnerContext,
    caller: &Principal,
    tenant_id: Option<&str>,
    scope: Option<Scope>,
    reach: Reach<'_>,
) -> Result<(), Problem> {
    let deletes = context.method == Method::DELETE;
    let need = Need {
        tenant_id,
        scope,
        reach,
        unsafe_method: !context.asked().is_safe(),
        erases: deletes && matches!(scope, None | Some(Scope::BotsWrite)),
    };
    access(caller, &need, context.edge.now_ms())
}

/// The bot in a path `/v1/admin/tenants/{tenant}/bots/{bot}…`, as it is spelled there. A spelling with escapes is no id of
/// a bot, so that nobody's list of bots has it.
fn bot_of(path: &str) -> Option<&str> {
    let mut parts = path.split('/').skip(5);
    (parts.next()? == "bots").then(|| parts.next())?
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
    let caller = authenticate_key(edge, headers).await?;
    let Principal::Key { tenant_id, id, .. } = &caller else {
        let detail = "The operator's own key belongs to no tenant, so it has no bots. Use an API key of the tenant.";
        return Err(Problem::new(Code::ScopeMissing, detail).into());
    };
    let need = Need {
        tenant_id: Some(tenant_id),
        scope: Some(scope),
        reach: Reach::Tenant,
        unsafe_method: true,
        erases: false,
    };
    access(&caller, &need, edge.now_ms())?;
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

#[cfg(test)]
mod tests {
    use super::bot_of;

    #[test]
    fn the_bot_of_a_path_is_found() {
        for (path, bot) in [
            ("/v1/admin/tenants/acme/bots/guide", Some("guide")),
            ("/v1/admin/tenants/acme/bots/guide/sources/x", Some("guide")),
            ("/v1/admin/tenants/acme/bots/%67uide", Some("%67uide")),
            ("/v1/admin/tenants/acme/bots", None),
            ("/v1/admin/tenants/bots/sites/bots", None),
            ("/v1/admin/tenants/acme", None),
            ("/v1/admin/tenants", None),
        ] {
            assert_eq!(bot_of(path), bot, "{path}");
        }
    }
}
