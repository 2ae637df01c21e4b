//! `/v1/chat/completions` and `/v1/models`: bots for owners' own servers, as OpenAI's API. The edge keeps no
//! conversation, so a turn runs beside its request. When the client of a stream leaves, the model is stopped and the
//! text so far is recorded.

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, Response, StatusCode},
    response::IntoResponse,
};
#[cfg(test)]
use bulle_api::completion::ErrorBody;
use bulle_api::{
    admin::Scope,
    completion::{Completion, Model, ModelList},
};
use bulle_edge_core::{
    completion::{
        Unfit,
        answer::{Client, Writer},
        request,
    },
    guard::{self, Question},
    model::{Exchange, Site},
    ports::{Archive, Clock, Entropy, PortError},
    record::Record,
    turn::{self, Ask, Ended, Reader},
};
use bulle_protocol::{
    Id,
    problem::{Code, Problem},
};
use futures_channel::{mpsc, oneshot};
use futures_util::{
    FutureExt, StreamExt,
    future::{LocalBoxFuture, ready},
};
use std::{rc::Rc, sync::Arc, time::Duration};
use worker::{Context, send};

use super::admin::access::{server, unavailable};
use crate::{
    adapters::Edge,
    config, conversation,
    http::{Param, Refusal, json, passed_on, read_text},
    log,
};

/// Silence after which a comment is sent: only a write shows that the client has left.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(2);

/// Pauses before a record that the archive has refused is offered again, in milliseconds.
const OFFER_AGAIN_MS: [u64; 3] = [1_000, 4_000, 12_000];

/// A refusal that can name a parameter.
pub struct CompletionRefusal(Unfit);

impl From<Unfit> for CompletionRefusal {
    fn from(unfit: Unfit) -> Self {
        Self(unfit)
    }
}

impl From<Problem> for CompletionRefusal {
    fn from(problem: Problem) -> Self {
        Self(problem.into())
    }
}

impl From<Refusal> for CompletionRefusal {
    fn from(refusal: Refusal) -> Self {
        refusal.0.into()
    }
}

impl IntoResponse for CompletionRefusal {
    fn into_response(self) -> Response<Body> {
        let mut response = Refusal(self.0.problem).into_response();
        if let Some(param) = self.0.param {
            response.extensions_mut().insert(Param(param));
        }
        response
    }
}

type Reply = Result<Response<Body>, CompletionRefusal>;

/// A bot answers a conversation that the caller keeps. The official clients of OpenAI's API work unchanged;
/// docs/openai.md lists the parameters that are ignored or refused.
#[cfg_attr(test, utoipa::path(post, path = "/v1/chat/completions", tag = "owner server", operation_id = "completion_create", security(("api_key" = [])),
    request_body = super::openapi_types::CompletionRequest, responses(
    (status = 200, description = "The answer, whole or as a stream", content((Completion = "application/json"), (super::openapi_types::CompletionEvent = "text/event-stream"))),
    (status = "4XX", description = "api_key_missing, invalid_api_key, scope_missing, paused, model_not_found, invalid_json, invalid_value, message_empty, message_too_long, …", body = ErrorBody),
    (status = "5XX", description = "storage_unavailable, upstream_unavailable, upstream_timeout, upstream_interrupted, …", body = ErrorBody),
)))]
#[send]
pub async fn create(State(edge): State<Edge>, request: Request) -> Reply {
    let (mut parts, body) = request.into_parts();
    let edge = edge.of_request(parts.extensions.get().cloned());
    let (tenant, key) = server(&edge, &parts.headers, Scope::ChatWrite).await?;
    let request = request::read(&read_text(body).await?)?;
    let site = guard::completion::bot(&edge, &tenant, &request.model).await?;
    let (question, history) = guard::completion::admit(&edge, site, key, &request.messages)?;
    let Some(context) = parts.extensions.remove::<Arc<Context>>() else {
        return Err(Problem::new(Code::Internal, "The request has no context.").into());
    };
    let (tell, told) = mpsc::unbounded();
    let now = edge.now_ms();
    let reply = Id::from_parts(now, edge.random());
    let writer = Writer::new(Pieces { tell, reply }, &request, reply, now);
    let (here, gone) = oneshot::channel::<()>();
    let (done, ended) = oneshot::channel();
    let turn = Turn {
        edge: edge.clone(),
        question,
        history,
        reply,
        most: request.most,
    };
    context.wait_until(async move { turn.run(writer, gone.map(|_| ()).boxed_local(), done).await });
    if request.stream {
        let pieces = told.inspect(move |_: &Rc<str>| {
            // Dropped with the stream, which resolves `gone`: the client has left.
            let _ = &here;
        });
        let streamed = conversation::stream::respond(pieces.boxed_local(), KEEP_ALIVE_AFTER);
        let response = streamed.map_err(|error| internal(&error.to_string()))?;
        return Ok(passed_on(response));
    }
    let completion = ended
        .await
        .map_err(|_| internal("a turn ended without an end"))?;
    drop(here);
    Ok(json(StatusCode::OK, &completion?)?)
}

/// The tenant's bots that serve visitors.
#[cfg_attr(test, utoipa::path(get, path = "/v1/models", tag = "owner server", operation_id = "model_list", security(("api_key" = [])), responses(
    (status = 200, body = ModelList),
    (status = "4XX", description = "api_key_missing, invalid_api_key, scope_missing, …", body = ErrorBody),
    (status = "5XX", description = "storage_unavailable, …", body = ErrorBody),
)))]
#[send]
pub async fn models(State(edge): State<Edge>, headers: HeaderMap) -> Reply {
    let (tenant, _) = server(&edge, &headers, Scope::ChatWrite).await?;
    let bots = edge
        .directory()
        .active_bots(&tenant)
        .await
        .map_err(|e| unavailable(&e))?
        .into_iter();
    let list = ModelList {
        object: "list".to_owned(),
        data: bots.map(|(id, since)| shown(id, since, &tenant)).collect(),
    };
    Ok(json(StatusCode::OK, &list)?)
}

/// A bot of the tenant.
#[cfg_attr(test, utoipa::path(get, path = "/v1/models/{id}", tag = "owner server", operation_id = "model_get", security(("api_key" = [])),
    params(("id" = String, Path, description = "Id of the bot")), responses(
    (status = 200, body = Model),
    (status = "4XX", description = "api_key_missing, invalid_api_key, scope_missing, paused, model_not_found, …", body = ErrorBody),
    (status = "5XX", description = "storage_unavailable, …", body = ErrorBody),
)))]
#[send]
pub async fn model(State(edge): State<Edge>, Path(id): Path<String>, headers: HeaderMap) -> Reply {
    let (tenant, _) = server(&edge, &headers, Scope::ChatWrite).await?;
    let Site { bot_since, .. } = guard::completion::bot(&edge, &tenant, &id).await?;
    Ok(json(StatusCode::OK, &shown(id, bot_since, &tenant))?)
}

fn shown(id: String, since_ms: u64, tenant: &str) -> Model {
    Model {
        id,
        object: "model".to_owned(),
        created: since_ms / 1_000,
        owned_by: tenant.to_owned(),
    }
}

fn internal(error: &str) -> Problem {
    log::error("completion", &error);
    Problem::new(Code::Internal, "The answer could not be begun.")
}

/// The client of a stream.
struct Pieces {
    tell: mpsc::UnboundedSender<Rc<str>>,
    reply: Id,
}

impl Client for Pieces {
    fn tell(&mut self, piece: String) {
        // The receiver is gone when the client has left.
        let _ = self.tell.unbounded_send(piece.into());
    }

    fn log(&mut self, line: &str) {
        note(self.reply, line);
    }
}

fn note(reply: Id, line: &str) {
    let line = serde_json::json!({ "reply": reply.to_string(), "note": line });
    log::line(&line);
}

/// A turn without a conversation object.
struct Turn {
    edge: Edge,
    question: Question,
    history: Vec<Exchange>,
    reply: Id,
    most: Option<u32>,
}

impl Turn {
    /// Runs the turn until the client has `left`, sends the answer through `done`, and runs `after`.
    async fn run(
        self,
        mut writer: Writer<Pieces>,
        left: LocalBoxFuture<'_, ()>,
        done: oneshot::Sender<Result<Completion, Problem>>,
    ) {
        let edge = &self.edge;
        let deployment = config::deployment(edge.env());
        let now = edge.now_ms();
        let conversation = Id::from_parts(now, edge.random());
        let accepted = Record::accepted(&self.question, conversation, 0, now);
        let ask = Ask {
            question: &self.question,
            accepted: &accepted,
            reply_id: self.reply,
            history: &self.history,
            written: "",
            most: self.most,
            reader: Reader::Client,
        };
        let counted = ready(Ok(guard::completion::counted())).boxed_local();
        let ended = match turn::run(edge, &deployment, &ask, &mut writer, left, counted).await {
            Ok(ended) => ended,
            Err(problem) => {
                let _ = done.send(Err(problem));
                return;
            }
        };
        // A client that has left gets no answer.
        let _ = done.send(writer.end(&ended.cites));
        self.offer_again(&ended).await;
        let mut log = |line: &str| note(self.reply, line);
        turn::after(edge, &deployment, &ask, ended, &mut log).await;
    }

    /// Offers the archive the record that it refused, because no conversation object will do it later.
    async fn offer_again(&self, ended: &Ended) {
        if ended.kept.is_some() {
            return;
        }
        for wait in OFFER_AGAIN_MS {
            self.edge.sleep(wait).await;
            match self.edge.record(&ended.record).await {
                Ok(_) => return,
                Err(PortError(error)) => {
                    log::error("archive", &error);
                }
            }
        }
    }
}
