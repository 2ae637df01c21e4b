//! Notices in D1, and over `fetch`.

use bulle_api::notice::{Delivery, Notice};
use bulle_edge_core::{
    notice::Told,
    ports::{Carriers, Letter, Notices, PortError},
};
use bulle_protocol::Id;
use serde::Serialize;
use worker::{Fetch, Headers, Method, Request, RequestInit, RequestRedirect, console_error};

use super::{Cancel, Edge, nullable, port_error, time};
use crate::config;

fn json<T: Serialize>(value: &T) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|e| PortError(e.to_string()))
}

impl Notices for Edge {
    fn carriers(&self) -> Carriers {
        Carriers {
            secret: config::session_secret(&self.env),
            mailer: config::mailer(&self.env),
        }
    }

    async fn insert(&self, tenant_id: &str, notice: &Notice) -> Result<bool, PortError> {
        let statement = self.db()?.prepare(
            "INSERT INTO notice (tenant_id, id, kind, about, bot_id, detail, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (tenant_id, kind, about) DO NOTHING RETURNING id",
        );
        let values = [
            tenant_id.into(),
            notice.id.to_string().into(),
            notice.kind.as_str().into(),
            notice.about.as_str().into(),
            nullable(notice.bot_id.as_deref()),
            json(&notice.detail)?.into(),
            time(notice.created_at),
        ];
        let statement = statement.bind(&values).map_err(port_error)?;
        let row: Option<serde_json::Value> = statement.first(None).await.map_err(port_error)?;
        Ok(row.is_some())
    }

    async fn delivered(
        &self,
        tenant_id: &str,
        id: Id,
        delivery: &Delivery,
    ) -> Result<(), PortError> {
        // Both ways end at their own time: each adds to what is there.
        let statement = self.db()?.prepare(
            "UPDATE notice SET deliveries = json_insert(deliveries, '$[#]', json(?3)) \
             WHERE tenant_id = ?1 AND id = ?2",
        );
        let values = [
            tenant_id.into(),
            id.to_string().into(),
            json(delivery)?.into(),
        ];
        let statement = statement.bind(&values).map_err(port_error)?;
        statement.run().await.map_err(port_error).map(|_| ())
    }

    async fn post(&self, letter: Letter) -> Result<u16, PortError> {
        let headers = Headers::new();
        for (name, value) in &letter.headers {
            headers.set(name, value).map_err(port_error)?;
        }
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            .with_redirect(RequestRedirect::Manual)
            .with_body(Some(letter.body.into()));
        let request = Request::new_with_init(&letter.url, &init).map_err(port_error)?;
        // Dropped at the end: the body is not waited for.
        let (_cancel, signal) = Cancel::new();
        let answer = Fetch::Request(request).send_with_signal(&signal).await;
        Ok(answer.map_err(port_error)?.status_code())
    }
}

/// Logs what went wrong with a notice.
pub fn log(told: &Told) {
    for line in &told.log {
        console_error!("{}", serde_json::json!({ "notice": line }));
    }
}
