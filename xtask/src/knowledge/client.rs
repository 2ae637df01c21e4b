//! Requests to the owner's API, with errors as sentences.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;

/// Makes a request with Node, which has TLS: method, address, key, type and file of the body are environment variables.
const CALL: &str = r"
const { METHOD, ADDRESS, KEY, TYPE, BODY, SECONDS } = process.env;
const body = BODY ? require('fs').readFileSync(BODY) : undefined;
const headers = { authorization: `Bearer ${KEY}`, 'if-match': '*', ...(TYPE ? { 'content-type': TYPE } : {}) };
fetch(ADDRESS, { method: METHOD, headers, body, signal: AbortSignal.timeout(SECONDS * 1000) })
  .then(async (response) => console.log(JSON.stringify([response.status, await response.text()])))
  .catch((error) => {
    const late = error.name === 'TimeoutError';
    console.error(late ? `no answer within ${SECONDS} seconds` : error.cause?.message || error.cause?.code || error.message);
    process.exit(1);
  });
";

/// The bot and its edge.
pub struct Bot {
    /// The origin of the edge.
    pub edge: String,
    /// `TENANT/BOT`.
    pub name: String,
    /// The operator's key, or an API key of the tenant.
    pub key: String,
    /// Seconds until a request without a response fails.
    pub seconds: u32,
}

impl Bot {
    /// Makes a request; the body of the response.
    pub fn call(&self, method: &str, path: &str, body: Option<(&str, &Path)>) -> Result<String> {
        let (tenant, id) = self.name.split_once('/').unwrap_or_default();
        let path = format!("/v1/admin/tenants/{tenant}/bots/{id}{path}");
        let caller = (self.key.as_str(), self.seconds);
        let (status, text) = send(&self.edge, caller, (method, &path), body)?;
        if status >= 400 {
            bail!(refusal(self, status, &text));
        }
        Ok(text)
    }
}

/// Makes a request to an edge with a key, which is given up after so many seconds: status and body of the response.
pub fn send(
    edge: &str,
    (key, seconds): (&str, u32),
    (method, path): (&str, &str),
    body: Option<(&str, &Path)>,
) -> Result<(u16, String)> {
    let mut command = process::npm_tool("node");
    command
        .args(["-e", CALL])
        .env("METHOD", method)
        .env("ADDRESS", format!("{edge}{path}"))
        .env("KEY", key)
        .env("SECONDS", seconds.to_string())
        .stdin(Stdio::null());
    if let Some((content_type, file)) = body {
        command
            .env("TYPE", content_type)
            .env("BODY", std::path::absolute(file)?);
    }
    let output = command.output().context("Node could not be started")?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!(
            "{edge} does not answer: {}. Is `cargo xtask dev` running? Another edge is named by --edge",
            why.trim()
        );
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Parses a response of the edge.
pub fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .context("what answers is no edge, or one of another release: see --edge")
}

/// The sentence that describes an error response.
fn refusal(bot: &Bot, status: u16, text: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let said = |name: &str| {
        problem
            .get(name)
            .and_then(Value::as_str)
            .filter(|said| !said.is_empty())
    };
    let edge = &bot.edge;
    match (status, said("detail").or_else(|| said("title"))) {
        (401, _) => format!(
            "{edge} does not know this key: ADMIN_KEY is that of another edge. `cargo xtask dev` writes it to \
             edge/worker/.dev.vars"
        ),
        (404, Some(_)) => format!(
            "{edge} has no such source, or no bot {}: see --to",
            bot.name
        ),
        (_, Some(detail)) => detail.to_owned(),
        (_, None) => format!("{edge} answers {status}, but not as an edge does: see --edge"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot(edge: &str, seconds: u32) -> Bot {
        Bot {
            edge: edge.to_owned(),
            name: "acme/guide".to_owned(),
            key: "k".to_owned(),
            seconds,
        }
    }

    #[test]
    fn an_edge_that_does_not_answer_is_not_waited_for() {
        // It takes the connection and says nothing.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let error = bot(&address, 1)
            .call("GET", "/sources", None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&address) && error.contains("no answer within 1 seconds"),
            "{error}"
        );
        drop(silent);
        let error = bot(&address, 1)
            .call("GET", "/sources", None)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("does not answer") && error.contains("--edge"),
            "{error}"
        );
    }

    #[test]
    fn a_refusal_is_a_sentence() {
        let bot = bot("https://chat.example.com", 1);
        let problem = r#"{"type":"about:blank","title":"Invalid value","status":422,"code":"invalid_value","detail":"url: say what is fetched."}"#;
        assert_eq!(refusal(&bot, 422, problem), "url: say what is fetched.");
        for (status, text, expected) in [
            (401, problem, "ADMIN_KEY"),
            (404, problem, "acme/guide"),
            (
                502,
                "<html><body>Bad gateway</body></html>",
                "not as an edge does",
            ),
            (500, "", "answers 500"),
            (409, r#"{"title":"Busy"}"#, "Busy"),
        ] {
            let said = refusal(&bot, status, text);
            assert!(
                said.contains(expected) && !said.contains(['{', '<']),
                "{said}"
            );
        }
        let error = read::<Value>("<html>").unwrap_err();
        assert!(format!("{error:#}").contains("--edge"));
    }
}
