//! Notices: stored in the database, sent over `fetch`.

use bulle_api::notice::{Delivery, Notice};
use bulle_edge_core::{
    notice::Told,
    ports::{Notices, OutboundPost, PortError, Transports},
};
use bulle_protocol::Id;
use worker::{Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

use super::{Cancel, Edge, port_error};
use crate::{config, log};

impl Notices for Edge {
    fn transports(&self) -> Transports {
        Transports {
            secret: config::session_secret(&self.env),
            mailer: config::mailer(&self.env),
        }
    }

    async fn insert(&self, tenant_id: &str, notice: &Notice) -> Result<bool, PortError> {
        self.notices().insert(tenant_id, notice).await
    }

    async fn delivered(
        &self,
        tenant_id: &str,
        id: Id,
        delivery: &Delivery,
    ) -> Result<(), PortError> {
        self.notices().delivered(tenant_id, id, delivery).await
    }

    async fn post(&self, letter: OutboundPost) -> Result<u16, PortError> {
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
        // The response is dropped here, so its body is not waited for.
        let (_cancel, signal) = Cancel::new();
        let answer = Fetch::Request(request).send_with_signal(&signal).await;
        Ok(answer.map_err(port_error)?.status_code())
    }
}

/// Logs the failures of a notice.
pub fn log(told: &Told) {
    for line in &told.log {
        log::error("notice", line);
    }
}
