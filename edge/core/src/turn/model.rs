//! Asking a model over HTTP and moving its bytes into the reply, with patience and no more than that.

use bulle_protocol::{
    event::{Finish, Usage},
    problem::Code,
};
use futures_util::{
    StreamExt,
    future::{Either, select},
};
use std::pin::pin;

use super::{Platform, Sink, Written};
use crate::{
    ports::{Clock, ModelResponse},
    prompt::Prompt,
    provider::{
        Delta, Deployment, Failure, Model,
        decoder::{self, Decoder},
    },
    reply::Reply,
};

/// A model writes.
pub(super) async fn ask<P: Platform>(
    ports: &P,
    deployment: &Deployment,
    model: Model<'_>,
    prompt: &Prompt,
    most: Option<u32>,
    sink: &mut impl Sink,
    mut cancel: impl Future<Output = ()> + Unpin,
) -> Written {
    let mut written = Written {
        reply: Reply::new(prompt.passages()),
        end: Ok(Finish::Stop),
        provider: model.vendor.name(),
        model: model.name.to_owned(),
        usage: Usage::default(),
        paid: true,
        suggestions: Vec::new(),
    };
    let mut end = match model.request(prompt, most) {
        Ok(request) => {
            let patience = Patience::start(ports, deployment);
            match patience
                .wait(ports.open(request), &written, &mut cancel)
                .await
            {
                Ok(Ok(response)) => {
                    read(
                        &patience,
                        model.decoder(),
                        response,
                        &mut written,
                        sink,
                        &mut cancel,
                    )
                    .await
                }
                Ok(Err(error)) => {
                    written.paid = false;
                    Err(Failure::new(Code::UpstreamUnavailable, error.0))
                }
                Err(Interruption::Stopped) => Ok(Finish::Stopped),
                Err(Interruption::Failed(failure)) => Err(failure),
            }
        }
        Err(failure) => Err(failure),
    };
    if written.reply.is_empty() {
        end = match end {
            Ok(Finish::Stop | Finish::Length | Finish::Fallback) => Err(Failure::new(
                Code::UpstreamUnavailable,
                "the answer is empty",
            )),
            // Nothing was visible yet, so nothing was interrupted.
            Err(failure) if failure.code == Code::UpstreamInterrupted => Err(Failure {
                code: Code::UpstreamUnavailable,
                ..failure
            }),
            other => other,
        };
    }
    written.end = end;
    written
}

/// Reads the body of a response to its end.
async fn read<P: Platform>(
    patience: &Patience<'_, P>,
    mut decoder: Decoder,
    mut response: ModelResponse<P::Body>,
    written: &mut Written,
    sink: &mut impl Sink,
    cancel: &mut (impl Future<Output = ()> + Unpin),
) -> Result<Finish, Failure> {
    written.paid = response.status == 200;
    let mut finish = Finish::Stop;
    loop {
        let piece = match patience.wait(response.body.next(), written, cancel).await {
            Ok(piece) => piece,
            Err(Interruption::Stopped) => return Ok(Finish::Stopped),
            Err(Interruption::Failed(_)) if decoder.is_finished() => return Ok(finish),
            Err(Interruption::Failed(failure)) => return Err(failure),
        };
        let bytes = match piece {
            Some(Ok(bytes)) => bytes,
            // What comes after the finish reason is not missed.
            Some(Err(_)) if decoder.is_finished() => return Ok(finish),
            Some(Err(error)) => return Err(Failure::new(Code::UpstreamInterrupted, error.0)),
            None => break,
        };
        if response.status != 200 {
            return Err(decoder::refusal(
                response.status,
                response.retry_after,
                &bytes,
            ));
        }
        let mut deltas = Vec::new();
        let pushed = decoder.push(&bytes, &mut deltas);
        let mut text = String::new();
        for delta in deltas {
            match delta {
                Delta::Text(more) => text.push_str(&more),
                Delta::Model(model) => written.model = model,
                Delta::Usage(usage) => written.usage = usage,
                Delta::Finish(reason) => finish = reason,
            }
        }
        // What came in one piece is parsed and told at once.
        for event in written.reply.push(&text) {
            sink.emit(event);
        }
        pushed?;
        if written.reply.is_full() {
            return Ok(Finish::Length);
        }
        if decoder.is_done() {
            break;
        }
    }
    if response.status != 200 {
        return Err(decoder::refusal(response.status, response.retry_after, &[]));
    }
    decoder.end()?;
    Ok(finish)
}

/// Why a wait ended without what was waited for.
enum Interruption {
    Stopped,
    Failed(Failure),
}

/// The deadlines of an answer.
struct Patience<'a, P> {
    ports: &'a P,
    deployment: &'a Deployment,
    started_ms: u64,
}

impl<'a, P: Clock> Patience<'a, P> {
    fn start(ports: &'a P, deployment: &'a Deployment) -> Self {
        Self {
            ports,
            deployment,
            started_ms: ports.now_ms(),
        }
    }

    /// Waits for the model, for as long as the answer so far allows.
    async fn wait<T>(
        &self,
        next: impl Future<Output = T>,
        written: &Written,
        cancel: &mut (impl Future<Output = ()> + Unpin),
    ) -> Result<T, Interruption> {
        let timeouts = self.deployment.timeouts;
        let elapsed = self.ports.now_ms().saturating_sub(self.started_ms);
        let silent = written.reply.is_empty();
        let patience = if silent {
            timeouts.first_token.saturating_sub(elapsed)
        } else {
            timeouts.between_tokens
        };
        let patience = patience.min(timeouts.total.saturating_sub(elapsed));
        let next = pin!(next);
        let sleep = pin!(self.ports.sleep(patience));
        match select(select(next, cancel), sleep).await {
            Either::Left((Either::Left((value, _)), _)) => Ok(value),
            Either::Left((Either::Right(_), _)) => Err(Interruption::Stopped),
            Either::Right(_) => Err(Interruption::Failed(Failure::new(
                if silent {
                    Code::UpstreamTimeout
                } else {
                    Code::UpstreamInterrupted
                },
                format!("silent for {patience} ms"),
            ))),
        }
    }
}
