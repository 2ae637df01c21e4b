//! `/v1/admin/tenants/{tenant}/bots/{bot}/gaps`: questions of visitors that the documents do not answer.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderName, HeaderValue, Response, StatusCode, Uri},
};
#[cfg(test)]
use bulle_api::admin::source::Source;
use bulle_api::admin::{
    Scope,
    gap::{GapAnswer, GapList, GapStatus},
    source::{FaqEntry, NewSource, SourceKind},
};
use bulle_edge_core::{
    admin::nothing_here,
    digest::sha256_hex,
    knowledge::gaps::{Closed, Group, group},
    ports::Clock,
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::Deserialize;
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize, unavailable},
    bots::voice,
    context::OwnerContext,
    crud,
    sources::{add, bot_key},
};
use crate::http::{Answer, Refusal, json, parse_json, path_id, query_pairs, read_text};

/// Most gaps of a list.
const MAX_GAPS: usize = 100;

/// Default and largest number of days whose questions are listed.
const DAYS: [u64; 2] = [30, 366];

/// Longest question of a FAQ, in characters.
const MAX_QUESTION: usize = 500;

const DAY_MS: u64 = 86_400_000;

/// Unanswered questions of visitors, grouped by similarity, the largest group first. A question is listed when the
/// documents had nothing for it, when the answer says so itself, or when the visitor rated the answer down.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/bots/{bot}/gaps", tag = "owner", operation_id = "gap_list", security(("api_key" = [])),
    params(TenantPath, BotPath, ByGap), responses((status = 200, body = GapList), Refusals)))]
#[send]
pub async fn list(Path((tenant, bot)): Path<(String, String)>, context: OwnerContext) -> Answer {
    authorize(&context, &tenant, Scope::ConversationsRead).await?;
    let (status, days) = wanted(&context.uri)?;
    let (groups, questions) = gaps(&context, &tenant, &bot, days).await?;
    let mut items: Vec<_> = groups
        .iter()
        .filter(|group| group.status() == status)
        .map(Group::shown)
        .collect();
    items.sort_by_key(|gap| std::cmp::Reverse((gap.count, gap.last_at)));
    items.truncate(MAX_GAPS);
    json(StatusCode::OK, &GapList { items, questions })
}

/// Answers a gap: question and answer become a source of the kind `faq`, and the gap is closed. The same request again
/// answers the same source.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/gaps/{gap}/answer", tag = "owner", operation_id = "gap_answer", security(("api_key" = [])),
    params(TenantPath, BotPath, GapPath), request_body = GapAnswer, responses((status = 201, body = Source, headers(("ETag" = String, description = "Version of the resource"))), Refusals)))]
#[send]
pub async fn answer(
    Path((tenant, bot, gap)): Path<(String, String, String)>,
    mut context: OwnerContext,
) -> Answer {
    let caller = authorize(&context, &tenant, Scope::KnowledgeWrite).await?;
    let group = one(&context, (&tenant, &bot), &gap).await?;
    let said = read_text(std::mem::take(&mut context.body)).await?;
    let answer: GapAnswer = parse_json(&said)?;
    let question = answer
        .question
        .unwrap_or_else(|| one_line(group.question()));
    let new = NewSource {
        kind: SourceKind::Faq,
        url: answer.url,
        title: Some(question.chars().take(200).collect()),
        language: answer.language,
        text: None,
        entries: Some(vec![FaqEntry {
            question,
            answer: answer.answer,
        }]),
        refresh_seconds: None,
        max_pages: None,
        max_depth: None,
    };
    // The idempotency key is the gap's, until one of its questions is unanswered again: then a new answer can be given.
    let replies: Vec<Id> = group.replies().collect();
    let last = replies.last().map(Id::to_string).unwrap_or_default();
    let key = sha256_hex([last.as_bytes(), b"\n", said.as_bytes()]);
    let once = HeaderName::from_static("idempotency-key");
    if let Ok(key) = HeaderValue::from_str(&format!("gap-{key}")) {
        context.headers.entry(once).or_insert(key);
    }
    let bot_key = bot_key(&context, tenant, bot).await?;
    let path = format!(
        "/v1/admin/tenants/{}/bots/{}/sources",
        bot_key.tenant_id, bot_key.bot_id
    );
    let made = add(&context, &caller, &bot_key, new, &path).await?;
    let (head, body) = made.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    #[derive(Deserialize)]
    struct NewResource {
        id: String,
    }
    let made: Option<NewResource> = serde_json::from_slice(&body).ok();
    let source = made.as_ref().map(|made| made.id.as_str());
    let whose = (bot_key.tenant_id.as_str(), bot_key.bot_id.as_str());
    let closed = context
        .edge
        .gaps()
        .close(whose, &replies, Closed::Answered, source)
        .await;
    closed.map_err(|e| unavailable(&e))?;
    Ok(Response::from_parts(head, Body::from(body)))
}

/// Dismisses a gap, and with it similar questions that visitors ask later.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/bots/{bot}/gaps/{gap}/dismiss", tag = "owner", operation_id = "gap_dismiss", security(("api_key" = [])),
    params(TenantPath, BotPath, GapPath), responses((status = 204, description = "Dismissed"), Refusals)))]
#[send]
pub async fn dismiss(
    Path((tenant, bot, gap)): Path<(String, String, String)>,
    context: OwnerContext,
) -> Answer {
    authorize(&context, &tenant, Scope::KnowledgeWrite).await?;
    let group = one(&context, (&tenant, &bot), &gap).await?;
    let replies: Vec<Id> = group.replies().collect();
    let closed = context
        .edge
        .gaps()
        .close((&tenant, &bot), &replies, Closed::Dismissed, None)
        .await;
    closed.map_err(|e| unavailable(&e))?;
    crud::deleted(true)
}

/// The gaps of an existing bot, and the number of their questions.
async fn gaps(
    context: &OwnerContext,
    tenant: &str,
    bot: &str,
    days: u64,
) -> Result<(Vec<Group>, u32), Refusal> {
    let (_, locale) = voice(context, tenant, bot).await?;
    let since = context.edge.now_ms().saturating_sub(days * DAY_MS);
    let found = context
        .edge
        .gaps()
        .unanswered(tenant, bot, since)
        .await
        .map_err(|e| unavailable(&e))?;
    let questions = u32::try_from(found.len()).unwrap_or(u32::MAX);
    Ok((group(found, &locale), questions))
}

/// The gap that the reply belongs to.
async fn one(
    context: &OwnerContext,
    (tenant, bot): (&str, &str),
    gap: &str,
) -> Result<Group, Refusal> {
    let id = path_id(gap)?;
    let (groups, _) = gaps(context, tenant, bot, DAYS[1]).await?;
    let found = groups.into_iter().find(|group| group.holds(id));
    Ok(found.ok_or_else(nothing_here)?)
}

fn one_line(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").chars().take(MAX_QUESTION).collect()
}

/// The status and the days of a query.
fn wanted(uri: &Uri) -> Result<(GapStatus, u64), Refusal> {
    let invalid = |detail: &str| Refusal(Problem::new(Code::InvalidParameter, detail));
    let pairs = query_pairs(uri)?;
    let (mut status, mut days) = (None, None);
    for (name, value) in &pairs {
        let place = match name.as_str() {
            "status" => status
                .replace(match value.as_str() {
                    "open" => GapStatus::Open,
                    "answered" => GapStatus::Answered,
                    "dismissed" => GapStatus::Dismissed,
                    _ => return Err(invalid("status is open, answered or dismissed.")),
                })
                .is_some(),
            "days" => {
                let number = value
                    .parse()
                    .ok()
                    .filter(|days| (1..=DAYS[1]).contains(days))
                    .filter(|_| value.bytes().all(|b| b.is_ascii_digit()));
                days.replace(number.ok_or_else(|| invalid("days is a number from 1 to 366."))?)
                    .is_some()
            }
            _ => return Err(invalid("This list knows status and days.")),
        };
        if place {
            return Err(invalid(&format!("{name} stands twice.")));
        }
    }
    Ok((status.unwrap_or(GapStatus::Open), days.unwrap_or(DAYS[0])))
}
