//! The query of a list.

use axum::http::Uri;
use bulle_protocol::problem::{Code, Problem};

use crate::{
    http::{Refusal, query_pairs},
    repositories::owners::Filter,
};

/// Default number of rows of a page.
const DEFAULT_LIMIT: u32 = 50;

/// Most rows of a page.
const MAX_LIMIT: u32 = 100;

/// Longest id that a page can begin after.
const MAX_AFTER: usize = 64;

/// Reads the query of a list that has the parameters `limit`, `after` and these filters. Other parameters are refused:
/// a misspelled filter would otherwise list everything.
///
/// # Errors
/// `invalid_parameter`.
pub fn filter(uri: &Uri, known: &[&str]) -> Result<Filter, Refusal> {
    let pairs = query_pairs(uri)?;
    let mut filter = Filter {
        limit: DEFAULT_LIMIT,
        after: String::new(),
        status: None,
        bot: None,
        bots: None,
        kind: None,
        parent: None,
    };
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in &pairs {
        if seen.contains(&name.as_str()) {
            return Err(invalid(&format!("{name} stands twice.")));
        }
        seen.push(name);
        match name.as_str() {
            "limit" => filter.limit = limit(value)?,
            "after" if value.chars().count() <= MAX_AFTER => filter.after.clone_from(value),
            "after" => return Err(invalid("after is the \"next\" of another page.")),
            "status" if known.contains(&"kind") => filter.status = Some(source_status(value)?),
            "status" if known.contains(&"status") => filter.status = Some(status(value)?),
            "kind" if known.contains(&"kind") => filter.kind = Some(kind(value)?),
            "parent" if known.contains(&"parent") => filter.parent = Some(value.clone()),
            "bot" if known.contains(&"bot") => filter.bot = Some(value.clone()),
            _ => {
                let known = [&["limit", "after"], known].concat().join(", ");
                return Err(invalid(&format!("This list knows {known}.")));
            }
        }
    }
    Ok(filter)
}

fn limit(text: &str) -> Result<u32, Refusal> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let limit = text.parse().ok().filter(|_| digits);
    limit
        .filter(|limit| (1..=MAX_LIMIT).contains(limit))
        .ok_or_else(|| invalid("limit is a number from 1 to 100."))
}

fn status(text: &str) -> Result<&'static str, Refusal> {
    match text {
        "active" => Ok("active"),
        "paused" => Ok("paused"),
        _ => Err(invalid("status is active or paused.")),
    }
}

fn source_status(text: &str) -> Result<&'static str, Refusal> {
    ["queued", "indexing", "ready", "failed"]
        .into_iter()
        .find(|known| *known == text)
        .ok_or_else(|| invalid("status is queued, indexing, ready or failed."))
}

fn kind(text: &str) -> Result<String, Refusal> {
    let known = ["file", "url", "site", "feed", "text", "faq"].contains(&text);
    known
        .then(|| text.to_owned())
        .ok_or_else(|| invalid("kind is file, url, site, feed, text or faq."))
}

fn invalid(detail: &str) -> Refusal {
    Problem::new(Code::InvalidParameter, detail).into()
}
