//! Cloudflare Turnstile: <https://developers.cloudflare.com/turnstile/get-started/server-side-validation/>.

use bulle_edge_core::ports::{Challenges, PortError};
use serde::Deserialize;
use worker::{Fetch, Method, Request, RequestInit};

use super::{Edge, port_error};
use crate::config;

#[derive(Deserialize)]
struct Verdict {
    success: bool,
}

impl Challenges for Edge {
    async fn passed(&self, token: &str) -> Result<Option<bool>, PortError> {
        let Some(turnstile) = config::turnstile(&self.env) else {
            return Ok(None);
        };
        let body = serde_json::json!({ "secret": turnstile.secret, "response": token });
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_body(Some(body.to_string().into()));
        let request = Request::new_with_init(&turnstile.url, &init).map_err(port_error)?;
        let headers = request.headers();
        headers
            .set("content-type", "application/json")
            .map_err(port_error)?;
        let answer = Fetch::Request(request).send().await;
        let mut answer = answer.map_err(port_error)?;
        let verdict: Verdict = answer.json().await.map_err(port_error)?;
        Ok(Some(verdict.success))
    }
}
