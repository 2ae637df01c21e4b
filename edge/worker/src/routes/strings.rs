//! `GET /v1/strings/{locale}`: texts of the sheets that few visitors open, for the code that draws them.

use axum::{
    extract::Path,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use bulle_edge_core::strings;
#[cfg(test)]
use bulle_protocol::problem::Problem;
use bulle_protocol::strings::SheetStrings;
use worker::send;

use crate::http::{Answer, json};

/// The texts of the served locale that is nearest to the wanted one; `locale` names it. English when none is near.
#[cfg_attr(test, utoipa::path(get, path = "/v1/strings/{locale}", tag = "page", params(("locale" = String, Path, description = "BCP 47")), responses(
    (status = 200, body = SheetStrings),
    (status = 400, description = "invalid_parameter: no UTF-8", body = Problem, content_type = "application/problem+json"),
)))]
#[send]
pub async fn get(Path(locale): Path<String>) -> Answer {
    let locale = strings::negotiate(&[&locale]);
    let texts = SheetStrings {
        locale: locale.to_owned(),
        strings: strings::texts(locale).panel,
    };
    let mut response = json(StatusCode::OK, &texts)?;
    for (name, value) in [
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
