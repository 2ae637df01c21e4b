//! `POST /v1/sessions`.

use axum::{
    body::Body,
    extract::{Extension, State},
    http::{HeaderMap, StatusCode},
};
use bulle_edge_core::{
    first_screen,
    guard::{self, Opened},
    hours, strings,
};
#[cfg(test)]
use bulle_protocol::problem::Problem;
use bulle_protocol::{
    MAX_MESSAGE_CHARS,
    session::{Bot, ConversationRef, Limits, Session, SessionRequest, Visitor},
};
use std::sync::Arc;
use worker::{Context, send};

use super::caller::{address, caller};
use crate::{
    adapters::Edge,
    config,
    http::{Answer, json, read_json},
    log,
};

/// Opens a session, of a new visitor or of the one that `resume` names.
#[cfg_attr(test, utoipa::path(post, path = "/v1/sessions", tag = "visitor", request_body = SessionRequest, responses(
    (status = 201, body = Session),
    (status = "4XX", description = "unknown_site, origin_not_allowed, paused, identity_*, challenge_*, rate_limited, invalid_json, …", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", description = "storage_unavailable, misconfigured, …", body = Problem, content_type = "application/problem+json"),
)))]
#[send]
pub async fn post(
    State(edge): State<Edge>,
    Extension(context): Extension<Arc<Context>>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let edge = edge.of_request(Some(context));
    let request: SessionRequest = read_json(body).await?;
    let secret = config::session_secret(edge.env())?;
    let address = address(&edge, &secret, &headers);
    let caller = caller(&headers, &address);
    let opened = guard::open_session(&edge, &secret, caller, &request).await?;
    let owner = opened.admitted.owner();
    let conversation = if opened.resumed {
        // A visitor whose conversations cannot be read now can still start a new one.
        edge.conversations()
            .latest(&owner)
            .await
            .unwrap_or_else(|error| {
                log::error("error", &error);
                None
            })
    } else {
        None
    };
    let answer = session(&edge, opened, conversation).await;
    json(StatusCode::CREATED, &answer)
}

async fn session(edge: &Edge, opened: Opened, conversation: Option<ConversationRef>) -> Session {
    let admitted = &opened.admitted;
    let bot = &admitted.site().bot;
    let locale = admitted.locale();
    let tier = admitted.tier();
    let form = guard::visitor::open_form(edge, admitted, !opened.resumed).await;
    let starters = first_screen::starters(edge, admitted.site(), locale).await;
    // A visitor can ask without a suggestion.
    let suggestions = starters.unwrap_or_else(|error| {
        log::error("error", &error);
        Vec::new()
    });
    Session {
        visitor: Visitor {
            id: admitted.visitor_id(),
            tier: admitted.tier_name().to_owned(),
            name: Some(opened.name).filter(|name| !name.is_empty()),
        },
        bot: Bot {
            name: bot.name.clone(),
            tagline: bot
                .tagline
                .get(locale, &bot.locale)
                .cloned()
                .unwrap_or_default(),
            greeting: bot
                .greeting
                .get(locale, &bot.locale)
                .cloned()
                .unwrap_or_default(),
            strings: strings::bubble(bot, locale),
            sheets: strings::sheets(bot, locale),
            locale: locale.to_owned(),
            topics: first_screen::topics(bot, locale, suggestions.len()),
            suggestions,
            shortcuts: first_screen::shortcuts(bot, locale, form.is_some()),
            features: bot.features,
            form,
            hours: hours::told(edge, bot, locale),
            privacy_url: bot.privacy_url.clone(),
        },
        conversation,
        limits: Limits {
            message_chars: MAX_MESSAGE_CHARS,
            per_minute: tier.map_or(0, |tier| tier.per_minute),
            per_day: tier.and_then(|tier| tier.per_day),
        },
        expires_at: opened.expires_at,
        token: opened.token,
    }
}
