//! `/v1/admin/tenants/{tenant}/conversations`: what visitors and bots have said, for owners.

use axum::{extract::Path, http::StatusCode};
#[cfg(test)]
use bulle_api::admin::{
    Page,
    conversation::{Deletion, NewNote, Note, OwnerConversation, Transcript},
};
use bulle_api::admin::{
    Scope,
    conversation::{Deleted, Labels},
};
use bulle_edge_core::{
    admin::{
        Principal,
        conversations::{ConversationQuery, Filter, deletion, labels, note},
        nothing_here,
    },
    ports::{Clock, Entropy, PortError},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use serde::Serialize;
use serde_json::value::RawValue;
use worker::send;

#[cfg(test)]
use super::openapi_types::*;
use super::{
    access::{authorize_selected, unavailable},
    context::OwnerContext,
    crud::{deleted, located, text},
};
use crate::{
    conversation::{ConversationCommand, command},
    http::{Answer, Refusal, json, nothing, path_id, query_pairs, read_json},
    repositories::owner_conversations::Head,
};

/// Messages of a page of a transcript.
const MESSAGES: u32 = 100;

/// Most notes of a conversation.
const MAX_NOTES: u32 = 100;

/// A [`bulle_api::admin::Page`], whose items are JSON already.
#[derive(Serialize)]
struct List {
    items: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A page of the tenant's conversations, those that began last first. With filters, a page is made of the next
/// 500 conversations: it may have fewer than `limit`, or none, while `next` leads on.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/conversations", tag = "owner", operation_id = "conversation_list", security(("api_key" = [])),
    params(TenantPath, ConversationFilters), responses((status = 200, body = Page<OwnerConversation>), Refusals)))]
#[send]
pub async fn list(Path(tenant): Path<String>, context: OwnerContext) -> Answer {
    let caller = authorize_selected(&context, &tenant, Scope::ConversationsRead).await?;
    let mut query = ConversationQuery::read(&query_pairs(&context.uri)?)?;
    if let Some(bots) = caller.bots() {
        query.filters.push(Filter::Bots(bots.to_vec()));
    }
    let page = context
        .edge
        .owner_conversations()
        .page(&tenant, &query)
        .await
        .map_err(|e| unavailable(&e))?;
    let broken = |e: serde_json::Error| unavailable(&PortError(e.to_string()));
    let list = List {
        items: RawValue::from_string(page.items).map_err(broken)?,
        next: page.next,
    };
    json(StatusCode::OK, &list)
}

/// A conversation with everything that was said in it, and what each answer was made from: its last 100 messages, or those
/// before a position.
#[cfg_attr(test, utoipa::path(get, path = "/v1/admin/tenants/{tenant}/conversations/{id}", tag = "owner", operation_id = "transcript", security(("api_key" = [])),
    params(TenantPath, IdPath, BeforePosition), responses((status = 200, body = Transcript), Refusals)))]
#[send]
pub async fn get(Path((tenant, id)): Path<(String, String)>, context: OwnerContext) -> Answer {
    let (_, id, head) = reached(&context, &tenant, &id, Scope::ConversationsRead).await?;
    let before = before(&context)?;
    let transcript = context
        .edge
        .owner_conversations()
        .transcript(&head, id, before, MESSAGES)
        .await
        .map_err(|e| unavailable(&e))?;
    Ok(text(StatusCode::OK, transcript))
}

/// Replaces the labels of a conversation.
#[cfg_attr(test, utoipa::path(put, path = "/v1/admin/tenants/{tenant}/conversations/{id}/labels", tag = "owner", operation_id = "conversation_label", security(("api_key" = [])),
    params(TenantPath, IdPath), request_body = Labels, responses((status = 200, body = Labels), Refusals)))]
#[send]
pub async fn label(
    Path((tenant, id)): Path<(String, String)>,
    mut context: OwnerContext,
) -> Answer {
    let (_, id, _) = reached(&context, &tenant, &id, Scope::ConversationsWrite).await?;
    let labels = labels(&read_json(std::mem::take(&mut context.body)).await?)?;
    context
        .edge
        .owner_conversations()
        .label(&tenant, id, &labels)
        .await
        .map_err(|e| unavailable(&e))?;
    json(StatusCode::OK, &Labels { labels })
}

/// Adds a note to a conversation, which visitors and models never see. At most 100.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/conversations/{id}/notes", tag = "owner", operation_id = "note_create", security(("api_key" = [])),
    params(TenantPath, IdPath), request_body = NewNote, responses((status = 201, body = Note), Refusals)))]
#[send]
pub async fn annotate(
    Path((tenant, id)): Path<(String, String)>,
    mut context: OwnerContext,
) -> Answer {
    let (caller, id, _) = reached(&context, &tenant, &id, Scope::ConversationsWrite).await?;
    let words = note(&read_json(std::mem::take(&mut context.body)).await?)?;
    let edge = &context.edge;
    let now_ms = edge.now_ms();
    let note_id = Id::from_parts(now_ms, edge.random());
    let written = edge
        .owner_conversations()
        .annotate(
            (&tenant, id),
            note_id,
            caller.person_id(),
            &words,
            (now_ms, MAX_NOTES),
        )
        .await
        .map_err(|e| unavailable(&e))?;
    let full = || {
        let detail =
            format!("A conversation has at most {MAX_NOTES} notes. Delete one that is not needed.");
        Problem::new(Code::TooMany, detail)
    };
    let mut response = text(StatusCode::CREATED, written.ok_or_else(full)?);
    located(&mut response, context.uri.path(), note_id);
    Ok(response)
}

/// Deletes a note.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/conversations/{id}/notes/{note}", tag = "owner", operation_id = "note_delete", security(("api_key" = [])),
    params(TenantPath, IdPath, NotePath), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete_note(
    Path((tenant, id, note)): Path<(String, String, String)>,
    context: OwnerContext,
) -> Answer {
    let (_, id, _) = reached(&context, &tenant, &id, Scope::ConversationsWrite).await?;
    let found = context
        .edge
        .owner_conversations()
        .delete_note(&tenant, id, path_id(&note)?)
        .await;
    deleted(found.map_err(|e| unavailable(&e))?)
}

/// Deletes a conversation with everything that was said in it; a running answer is stopped. What its answers have cost
/// stays, without a word of them.
#[cfg_attr(test, utoipa::path(delete, path = "/v1/admin/tenants/{tenant}/conversations/{id}", tag = "owner", operation_id = "owner_conversation_delete", security(("api_key" = [])),
    params(TenantPath, IdPath), responses((status = 204, description = "Deleted"), Refusals)))]
#[send]
pub async fn delete(Path((tenant, id)): Path<(String, String)>, context: OwnerContext) -> Answer {
    let (_, id, head) = reached(&context, &tenant, &id, Scope::ConversationsDelete).await?;
    erase(&context, id, &head).await?;
    Ok(nothing())
}

/// Deletes several conversations. Those that are gone already count as none.
#[cfg_attr(test, utoipa::path(post, path = "/v1/admin/tenants/{tenant}/conversations/delete", tag = "owner", operation_id = "conversations_delete", security(("api_key" = [])),
    params(TenantPath), request_body = Deletion, responses((status = 200, body = Deleted), Refusals)))]
#[send]
pub async fn delete_many(Path(tenant): Path<String>, mut context: OwnerContext) -> Answer {
    let caller = authorize_selected(&context, &tenant, Scope::ConversationsDelete).await?;
    let ids = deletion(read_json(std::mem::take(&mut context.body)).await?)?;
    let mut erased: Vec<String> = Vec::new();
    for id in ids {
        let head = context.edge.owner_conversations().head(&tenant, id).await;
        let head = head.map_err(|e| unavailable(&e))?;
        let Some(head) = head.filter(|head| caller.reaches(&head.owner.bot_id).is_ok()) else {
            continue;
        };
        erase(&context, id, &head).await?;
        erased.push(id.to_string());
    }
    context.audited.detail(erased.join(" "));
    let deleted = u32::try_from(erased.len()).unwrap_or(u32::MAX);
    json(StatusCode::OK, &Deleted { deleted })
}

/// A conversation that the caller reaches.
async fn reached(
    context: &OwnerContext,
    tenant_id: &str,
    id: &str,
    scope: Scope,
) -> Result<(Principal, Id, Head), Refusal> {
    let caller = authorize_selected(context, tenant_id, scope).await?;
    let id = path_id(id)?;
    let found = context.edge.owner_conversations().head(tenant_id, id).await;
    let head = found
        .map_err(|e| unavailable(&e))?
        .ok_or_else(nothing_here)?;
    caller.reaches(&head.owner.bot_id)?;
    Ok((caller, id, head))
}

/// Erases a conversation: its object first, so that no running turn stores anything afterwards.
async fn erase(context: &OwnerContext, id: Id, head: &Head) -> Result<(), Refusal> {
    let edge = &context.edge;
    let erase = ConversationCommand::Erase {
        owner: head.owner.clone(),
    };
    match command(edge, id, erase).await {
        // Where the object is erased already, an earlier attempt may have failed before the database.
        Err(Refusal(problem)) if problem.code != Code::NotFound => return Err(problem.into()),
        _ => {}
    }
    let deleted = edge.conversations().delete(&head.owner, id).await;
    deleted.map(drop).map_err(|e| unavailable(&e))
}

/// The parameter `before`: a position.
fn before(context: &OwnerContext) -> Result<Option<u32>, Refusal> {
    let mut before = None;
    for (name, value) in query_pairs(&context.uri)? {
        let position = value
            .parse()
            .ok()
            .filter(|_| name == "before" && before.is_none());
        let detail = "A transcript knows before, the \"next\" of another page.";
        let wrong = || Problem::new(Code::InvalidParameter, detail);
        before = Some(position.ok_or_else(wrong)?);
    }
    Ok(before)
}
