//! The Durable Object that owns a conversation. It runs at most one turn, asks the model once per message id, goes on when
//! the browser has left, replays a turn from any event, and stores every ending in the archive.
//!
//! The guard has admitted the caller in the Worker; the object checks only that the conversation is theirs.

mod recovery;
mod reply;

use bulle_edge_core::{
    guard::{
        Question,
        limit::{self, Counted},
    },
    model::Owner,
    ports::{Clock, Entropy, Kept},
    record::Record,
    turn::{self, Ask, Ended, Reader, Sink},
};
use bulle_protocol::{
    Id,
    event::EventId,
    problem::{Code, Problem},
};
use futures_channel::oneshot;
use futures_util::FutureExt;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use worker::{DurableObject, Env, Request, Response, State, durable_object};

use recovery::after_gap;
use reply::{REPLAYED, Reply};

use super::{
    command::ConversationCommand,
    frames::Frame,
    live::{Live, TurnSink},
    place::Place,
    store::{ConversationStore, StoredTurn},
    stream::{self, KEEP_ALIVE_AFTER},
};
use crate::{
    adapters::{Edge, object::asked},
    config,
    http::status,
    log,
};

/// Milliseconds after which the alarm checks whether a turn still runs.
const WATCH_MS: u64 = 60_000;

/// Milliseconds that a conversation without a turn is kept.
const UNUSED_MS: u64 = 7 * 24 * 60 * 60 * 1_000;

/// How often, and after how many milliseconds each time, `erase` checks whether the stopped turn has ended.
const LOOKS: u32 = 100;
const LOOK_MS: u64 = 100;

/// The object of a conversation. Its state is shared with the turn that runs beside the requests.
#[durable_object(alarm)]
pub struct Conversation {
    inner: Rc<Inner>,
}

struct Inner {
    state: State,
    edge: Edge,
    store: ConversationStore,
    live: RefCell<Option<Live>>,
    /// Whether a summary of the conversation is being made.
    summing_up: Cell<bool>,
    /// Whether everything is being deleted, or was deleted.
    erased: Cell<bool>,
    /// When the alarm that this instance has set rings, in Unix milliseconds; 0 when it knows of none.
    alarm_ms: Cell<u64>,
}

/// What one attempt at a turn begins with.
struct Attempt {
    question: Question,
    number: u32,
    accepted: Record,
    /// The events of earlier attempts.
    before: Option<Vec<Frame>>,
    /// The number of the last event before it.
    seq: u32,
}

impl DurableObject for Conversation {
    fn new(state: State, env: Env) -> Self {
        let store = ConversationStore::new(state.storage().sql());
        Self {
            inner: Rc::new(Inner {
                state,
                edge: Edge::new(env),
                store,
                live: RefCell::new(None),
                summing_up: Cell::new(false),
                erased: Cell::new(false),
                alarm_ms: Cell::new(0),
            }),
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let answer = match asked::<(Id, ConversationCommand)>(&mut request).await {
            Ok((_, ConversationCommand::Erase { owner })) => self.inner.erase(&owner).await,
            Ok((id, command)) => match self.inner.obey(id, command) {
                Ok(reply) => reply.response().await,
                Err(problem) => Err(problem),
            },
            Err(error) => Err(internal(&error)),
        };
        answer.or_else(|problem| {
            Ok(Response::from_json(&problem)?.with_status(status(problem.status).as_u16()))
        })
    }

    /// Recovers from failures: a turn that died with its isolate, a record that the archive refused.
    async fn alarm(&self) -> worker::Result<Response> {
        self.inner.alarm_ms.set(0);
        let is_idle = self.inner.live.borrow().is_none();
        if is_idle && matches!(self.inner.store.is_unused(), Ok(true)) {
            self.inner.forget().await?;
            return Response::empty();
        }
        if let Err(problem) = self.inner.end_dead_turn() {
            log::error("alarm", &problem.detail);
        }
        self.inner.offer_records(WATCH_MS).await;
        Response::empty()
    }
}

/// The problem for a failure of the platform, whose error goes to the log alone.
fn internal(error: &worker::Error) -> Problem {
    log::error("conversation", error);
    Problem::new(Code::Internal, "The conversation could not be read.")
}

fn not_found() -> Problem {
    Problem::new(Code::NotFound, "There is nothing at this address.")
}

impl Inner {
    fn obey(
        self: &Rc<Self>,
        conversation: Id,
        command: ConversationCommand,
    ) -> Result<Reply, Problem> {
        let owner = command.owner();
        if self.erased.get() {
            return Err(not_found());
        }
        match (self.store.owner().map_err(|e| internal(&e))?, &command) {
            (Some(known), _) if known == owner => {}
            (None, ConversationCommand::Open { .. }) => {
                self.store.set_owner(&owner).map_err(|e| internal(&e))?;
                let inner = Rc::clone(self);
                self.state
                    .wait_until(async move { inner.wake_in(UNUSED_MS).await });
            }
            _ => return Err(not_found()),
        }
        let response = match command {
            ConversationCommand::Open { .. }
            | ConversationCommand::Check { .. }
            | ConversationCommand::Erase { .. } => done(),
            ConversationCommand::Unrecorded { .. } => self.unrecorded(),
            ConversationCommand::Ask { question } => return self.ask(conversation, *question),
            ConversationCommand::Attach { after, .. } => self.attach(after.as_deref()),
            ConversationCommand::Cancel { .. } => {
                if let Some(live) = self.live.borrow_mut().as_mut() {
                    live.cancel();
                }
                done()
            }
        };
        response.map(Reply::Now)
    }

    /// Stops the running turn, waits for its end so that nothing of it is stored afterwards, and deletes everything.
    async fn erase(&self, owner: &Owner) -> Result<Response, Problem> {
        let known = self.store.owner().map_err(|e| internal(&e))?;
        if known.as_ref() != Some(owner) {
            return Err(not_found());
        }
        self.erased.set(true);
        for _ in 0..LOOKS {
            match self.live.borrow_mut().as_mut() {
                Some(live) => live.cancel(),
                None => break,
            }
            self.edge.sleep(LOOK_MS).await;
        }
        if self.live.borrow().is_some() {
            self.erased.set(false);
            let detail = "An answer is still being written. Try again in a few seconds.";
            return Err(Problem::new(Code::TurnInProgress, detail).retry_after(5));
        }
        let forgotten = self.forget().await;
        forgotten.map_err(|e| internal(&e))?;
        done()
    }

    async fn forget(&self) -> worker::Result<()> {
        let storage = self.state.storage();
        storage.delete_alarm().await?;
        storage.delete_all().await?;
        self.alarm_ms.set(0);
        self.store.forget();
        Ok(())
    }

    /// Answers a message: with a new turn, a new attempt at a failed turn, or the turn that the message already has. Nothing is
    /// awaited here, so no other request can come between the look and the start.
    fn ask(self: &Rc<Self>, conversation: Id, question: Question) -> Result<Reply, Problem> {
        let store = |e| internal(&e);
        self.end_dead_turn()?;
        if let Some(reply) = self.not_accepted_yet(&question)? {
            return Ok(reply);
        }
        let Some(turn) = self.store.turn_of(question.id()).map_err(store)? else {
            if self.live.borrow().is_some() {
                return Err(Problem::new(
                    Code::TurnInProgress,
                    "Wait until the running answer has ended, or stop it.",
                ));
            }
            let number = self.store.next_number().map_err(store)?;
            return self.begin(conversation, question, number, None);
        };
        if turn.text != question.text() {
            return Err(conflict());
        }
        if turn.may_be_retried() && question.retry() && self.live.borrow().is_none() {
            let frames = self.store.frames(turn.number).map_err(store)?;
            return self.begin(conversation, question, turn.number, Some(frames));
        }
        let replayed = self.replay(&turn, 0)?;
        let marked = replayed.headers().set(REPLAYED, "true");
        marked.map_err(|e| internal(&e))?;
        Ok(Reply::Now(replayed))
    }

    /// The same message again while it is being counted.
    fn not_accepted_yet(&self, question: &Question) -> Result<Option<Reply>, Problem> {
        let mut live = self.live.borrow_mut();
        let same = |live: &&mut Live| !live.is_accepted() && live.message == question.id();
        let Some(live) = live.as_mut().filter(same) else {
            return Ok(None);
        };
        if live.text != question.text() {
            return Err(conflict());
        }
        Ok(Some(Reply::Accepted(live.verdict(), live.listen(0), true)))
    }

    /// The number of the running turn, if its message is accepted.
    fn running(&self) -> Option<u32> {
        let live = self.live.borrow();
        let live = live.as_ref().filter(|live| live.is_accepted());
        live.map(|live| live.number)
    }

    /// Streams the running turn; else the one that the caller has seen; else the last.
    fn attach(self: &Rc<Self>, after: Option<&str>) -> Result<Response, Problem> {
        self.end_dead_turn()?;
        let after = after.and_then(|after| after.parse::<EventId>().ok());
        let turn = match (self.running(), after) {
            (Some(number), _) => self.store.turn_at(number),
            (None, Some(after)) => self.store.turn_of(after.turn),
            (None, None) => self.store.last_turn(),
        };
        let turn = turn
            .map_err(|e| internal(&e))?
            .ok_or_else(|| Problem::new(Code::NoTurn, "Nothing was asked here yet."))?;
        let seen = after.filter(|id| id.turn == turn.message_id);
        self.replay(&turn, seen.map_or(0, |id| id.seq))
    }

    /// Starts a turn, or another attempt at one with the frames of those `before`. Its answer waits for the count of the
    /// message, and nothing is stored before that.
    fn begin(
        self: &Rc<Self>,
        conversation: Id,
        question: Question,
        number: u32,
        before: Option<Vec<Frame>>,
    ) -> Result<Reply, Problem> {
        let place = Place::take(config::most_answers(self.edge.env()))?;
        let now = self.edge.now_ms();
        let accepted = Record::accepted(&question, conversation, number, now);
        let frames = before.clone().unwrap_or_default();
        let seq = if frames.is_empty() {
            0
        } else {
            after_gap(&frames)
        };
        let (stop, stopped) = oneshot::channel();
        let mut live = Live::new(number, &question, frames, stop);
        let reply = Reply::Accepted(live.verdict(), live.listen(seq), false);
        self.live.replace(Some(live));
        let attempt = Attempt {
            question,
            number,
            accepted,
            before,
            seq,
        };
        let inner = Rc::clone(self);
        self.state
            .wait_until(async move { inner.run(attempt, stopped, place).await });
        Ok(reply)
    }

    /// Counts the message of a turn, and stores that the turn begins.
    async fn accept(self: &Rc<Self>, attempt: &Attempt) -> Result<Counted, Problem> {
        let Attempt {
            question, accepted, ..
        } = attempt;
        let number = attempt.number;
        let counted = limit::count(&self.edge, question).await?;
        if self.erased.get() {
            return Err(not_found());
        }
        let started = match &attempt.before {
            None => self.store.begin(number, question, accepted),
            Some(before) => self.store.begin_again(number, question, accepted, before),
        };
        started.map_err(|e| internal(&e))?;
        if let Some(live) = self.live.borrow_mut().as_mut() {
            live.decide(&Ok(counted.limits().to_vec()));
        }
        let inner = Rc::clone(self);
        self.state
            .wait_until(async move { inner.wake_in(WATCH_MS).await });
        Ok(counted)
    }

    /// Runs a turn to its end, and does what comes after it.
    async fn run(self: Rc<Self>, attempt: Attempt, stopped: oneshot::Receiver<()>, _place: Place) {
        let Attempt {
            question,
            number,
            accepted,
            seq,
            ..
        } = &attempt;
        let number = *number;
        let deployment = config::deployment(self.edge.env());
        let history = self.store.history(number).unwrap_or_default();
        let written = self.store.written(number).unwrap_or_default();
        let ask = Ask {
            question,
            accepted,
            reply_id: Id::from_parts(self.edge.now_ms(), self.edge.random()),
            history: &history,
            written: &written,
            most: None,
            reader: Reader::Page,
        };
        let mut sink = TurnSink::new(
            (&self.edge, &self.store, &self.live),
            question,
            number,
            *seq,
        );
        // A sender that is dropped is not a request to stop.
        let stop = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let counted = self.accept(&attempt).boxed_local();
        let running = turn::run(
            &self.edge,
            &deployment,
            &ask,
            &mut sink,
            stop.boxed_local(),
            counted,
        );
        let mut ended = match running.await {
            Ok(ended) => ended,
            Err(problem) => {
                if let Some(mut live) = self.live.take() {
                    live.decide(&Err(problem));
                }
                return;
            }
        };
        self.keep(number, &ended, &sink.unsaved());
        sink.tell_last();
        self.live.replace(None);
        self.see_to_records().await;
        // One summary at a time, because two at once would cost twice for the same text.
        let sums_up = ended.outgrown && !self.summing_up.replace(true);
        ended.outgrown = sums_up;
        let mut log = |line: &str| sink.log(line);
        turn::after(&self.edge, &deployment, &ask, ended, &mut log).await;
        if sums_up {
            self.summing_up.set(false);
        }
    }

    /// Stores the ending of a turn with its last frames; for a failed turn also the text so far, for the next attempt.
    fn keep(&self, number: u32, ended: &Ended, last: &[Frame]) {
        let Ended { record, text, .. } = ended;
        let failed = record
            .reply
            .as_ref()
            .is_some_and(|reply| reply.error.is_some());
        let unrecorded = ended.kept != Some(Kept::Everything);
        let stored = (self.store.end(number, record, unrecorded, last)).and_then(|()| {
            let rest = if failed { text.as_str() } else { "" };
            self.store.keep_written(number, rest)
        });
        if let Err(error) = stored {
            log::error("turn", &error);
        }
    }

    /// The events of a turn after `seq`, and those to come.
    fn replay(&self, turn: &StoredTurn, seq: u32) -> Result<Response, Problem> {
        let mut live = self.live.borrow_mut();
        if let Some(live) = live
            .as_mut()
            .filter(|live| live.is_accepted() && live.number == turn.number)
        {
            return stream::respond(live.listen(seq), KEEP_ALIVE_AFTER).map_err(|e| internal(&e));
        }
        let frames = self.store.frames(turn.number).map_err(|e| internal(&e))?;
        let frames = if frames.is_empty() {
            stream::ended(stream::rebuilt(turn), 0)
        } else {
            stream::ended(frames, seq)
        };
        stream::respond(frames, KEEP_ALIVE_AFTER).map_err(|e| internal(&e))
    }

    /// Has the alarm ring in so many milliseconds, or earlier where this instance has set it so.
    async fn wake_in(&self, ms: u64) {
        let now = self.edge.now_ms();
        let at = now.saturating_add(ms);
        if (now..=at).contains(&self.alarm_ms.get()) {
            return;
        }
        self.alarm_ms.set(at);
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        if let Err(error) = self.state.storage().set_alarm(ms).await {
            self.alarm_ms.set(0);
            internal(&error);
        }
    }
}

fn conflict() -> Problem {
    Problem::new(
        Code::MessageConflict,
        "This message id was used for another text. Make a new id.",
    )
}

fn done() -> Result<Response, Problem> {
    Response::empty()
        .map(|response| response.with_status(204))
        .map_err(|e| internal(&e))
}
