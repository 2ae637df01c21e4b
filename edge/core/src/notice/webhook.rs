//! Webhooks after the [Standard Webhooks specification](https://www.standardwebhooks.com).

use base64::{Engine, engine::general_purpose::STANDARD as B64};
use bulle_api::notice::{Detail, Kind, Notice};
use hmac::Mac;
use serde::Serialize;
use time::OffsetDateTime;

use super::Envelope;
use crate::{
    model::{Secret, mac},
    ports::OutboundPost,
};

/// The body: the type of event, its time, and its data.
#[derive(Serialize)]
struct Event<'n> {
    r#type: Kind,
    timestamp: String,
    data: Data<'n>,
}

#[derive(Serialize)]
struct Data<'n> {
    tenant_id: &'n str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot_id: Option<&'n str>,
    #[serde(flatten)]
    detail: &'n Detail,
}

/// The secret that signs a tenant's webhooks, in the form that the libraries take. It is derived from the deployment's
/// `SESSION_SECRET` and not stored; a change of `SESSION_SECRET` changes it.
pub fn secret(deployment: &Secret, tenant_id: &str) -> String {
    format!("whsec_{}", B64.encode(key(deployment, tenant_id)))
}

/// 64 bytes, the most that the specification allows.
fn key(deployment: &Secret, tenant_id: &str) -> String {
    deployment.derive(&format!("notices/{tenant_id}"))
}

/// The webhook's request at a moment, in Unix milliseconds. The moment is signed, too, so that the request cannot be
/// replayed later.
pub(super) fn envelope(
    deployment: &Secret,
    tenant_id: &str,
    url: &str,
    notice: &Notice,
) -> Envelope {
    let event = Event {
        r#type: notice.kind,
        timestamp: iso8601(notice.created_at),
        data: Data {
            tenant_id,
            bot_id: notice.bot_id.as_deref(),
            detail: &notice.detail,
        },
    };
    let body = serde_json::to_string(&event).unwrap_or_default();
    let (key, id, url) = (
        key(deployment, tenant_id),
        notice.id.to_string(),
        url.to_owned(),
    );
    Box::new(move |now_ms| {
        let seconds = (now_ms / 1_000).to_string();
        let signed = mac(key.as_bytes(), &format!("{id}.{seconds}.{body}"));
        let tag = signed.map(|mac| B64.encode(mac.finalize().into_bytes()));
        OutboundPost {
            url: url.clone(),
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("user-agent".to_owned(), "Bulle".to_owned()),
                ("webhook-id".to_owned(), id.clone()),
                ("webhook-timestamp".to_owned(), seconds),
                (
                    "webhook-signature".to_owned(),
                    format!("v1,{}", tag.unwrap_or_default()),
                ),
            ],
            body: body.clone(),
        }
    })
}

/// `2026-11-21T09:30:00.000Z`
fn iso8601(unix_ms: u64) -> String {
    let seconds = i64::try_from(unix_ms / 1_000).unwrap_or_default();
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second) = moment.time().as_hms();
    let ms = unix_ms % 1_000;
    format!(
        "{}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z",
        moment.date()
    )
}
