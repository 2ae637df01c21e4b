//! `/v1/admin/tenants/{tenant}/usage` and `…/answers`: the calls of models, and their cost.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, Response, StatusCode, header},
};
use bulle_api::admin::Scope;
#[cfg(test)]
use bulle_api::usage::UsageReport;
#[cfg(test)]
use bulle_edge_core::admin::answer;
use bulle_edge_core::{
    admin::{
        csv, nothing_here,
        usage::{UsageQuery, next_page},
    },
    ports::{Clock, PortError},
    provider::prices,
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, unavailable},
    context::OwnerContext,
    crud::text,
};
use crate::http::{self, Answer, json, path_id, query_pairs};

/// A [`bulle_api::usage::UsageReport`], whose rows are JSON already.
#[derive(Serialize)]
struct Report {
    from: String,
    to: String,
    prices_as_of: String,
    items: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Sums of the tenant's model calls and their cost; as a table with `Accept: text/csv`, whose header `Link` names the
/// next page.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/usage", tag = "owner", operation_id = "usage", security(("api_key" = [])),
    params(TenantPath, Reporting), responses((status = 200, description = "Sums", content((UsageReport = "application/json"), (String = "text/csv"))), Refusals)))]
#[send]
pub async fn report(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::UsageRead).await?;
    let pairs = query_pairs(&context.uri)?;
    let query = UsageQuery::read(&pairs, context.edge.now_ms())?;
    let (items, next) = context
        .edge
        .usage()
        .page(&tenant, &query)
        .await
        .map_err(|e| unavailable(&e))?;
    let [from, to] = query.days();
    let broken = |e: serde_json::Error| unavailable(&PortError(e.to_string()));
    if !csv::wanted(http::header(&context.headers, "accept")) {
        let report = Report {
            from,
            to,
            prices_as_of: prices::as_of(),
            items: RawValue::from_string(items).map_err(broken)?,
            next,
        };
        return json(StatusCode::OK, &report);
    }
    let rows: Vec<Value> = serde_json::from_str(&items).map_err(broken)?;
    let mut response = Response::new(Body::from(csv::table(&query.by, &rows)));
    let file = format!("attachment; filename=\"usage-{from}-{to}.csv\"");
    let link = next.map(|next| format!("<{}>; rel=\"next\"", next_page(&pairs, &next)));
    for (name, value) in [
        (header::CONTENT_TYPE, Some(csv::CSV.to_owned())),
        (header::CACHE_CONTROL, Some("no-store".to_owned())),
        (header::CONTENT_DISPOSITION, Some(file)),
        (header::LINK, link),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// The record of an answer, without its text: its model, its passages, and each model that was asked or passed over.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/answers/{reply_id}", tag = "owner", operation_id = "answer", security(("api_key" = [])),
    params(TenantPath, ReplyPath), responses((status = 200, body = answer::Answer), Refusals)))]
#[send]
pub async fn answer(Path((tenant, id)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::UsageRead).await?;
    let found = context
        .edge
        .usage()
        .answer(&tenant, path_id(&id)?)
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(text(StatusCode::OK, found.ok_or_else(nothing_here)?))
}
