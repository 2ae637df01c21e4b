//! The Durable Object that owns a conversation: one running turn, asked of the model once per message id,
//! going on when the browser has left, replayed from any event, and stored in the archive on every ending.
//!
//! The Worker in front of it has already let the caller through the guard; the object checks only that the
//! conversation is theirs.

mod command;
mod live;
mod store;
mod stream;

use bulle_edge_core::{
    guard::Question,
    ports::{Archive, Clock, Entropy},
    record::{self, Record},
    strings,
    turn::{self, Ask},
};
use bulle_protocol::{
    Id,
    event::{self, EventId, ServerEvent, TurnError, Usage},
    problem::{Code, Problem},
};
use futures_channel::oneshot;
use futures_util::FutureExt;
use std::{cell::RefCell, rc::Rc};
use worker::{DurableObject, Env, Request, Response, State, console_error, durable_object};

use crate::{adapters::Edge, config, http::status};
pub use command::{Command, command};
use live::{Live, TurnSink};
use store::{Store, StoredTurn, TurnState};

/// How long a running turn may be silent in memory before the alarm looks whether it still runs.
const WATCH_MS: u64 = 60_000;

/// How soon a record that the archive refused is offered again for the first time.
const OFFER_AGAIN_MS: u64 = 5_000;

/// The object. Its state is shared with the turn that runs beside the requests.
#[durable_object(alarm)]
pub struct Conversation {
    inner: Rc<Inner>,
}

struct Inner {
    state: State,
    edge: Edge,
    store: Store,
    live: RefCell<Option<Live>>,
}

impl DurableObject for Conversation {
    fn new(state: State, env: Env) -> Self {
        let store = Store::new(state.storage().sql());
        Self {
            inner: Rc::new(Inner {
                state,
                edge: Edge::new(env),
                store,
                live: RefCell::new(None),
            }),
        }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let answer = match request.json::<(Id, Command)>().await {
            Ok((id, command)) => self.inner.obey(id, command).await,
            Err(error) => Err(internal(&error)),
        };
        answer.or_else(|problem| {
            Ok(Response::from_json(&problem)?.with_status(status(problem.status).as_u16()))
        })
    }

    /// Looks after what went wrong: a turn that died with its isolate, a record that the archive refused.
    async fn alarm(&self) -> worker::Result<Response> {
        if let Err(problem) = self.inner.look_after().await {
            console_error!("{}", serde_json::json!({ "alarm": problem.detail }));
            self.inner.watch().await?;
        }
        Response::empty()
    }
}

fn internal(error: &worker::Error) -> Problem {
    console_error!(
        "{}",
        serde_json::json!({ "conversation": error.to_string() })
    );
    Problem::new(Code::Internal, "The conversation could not be read.")
}

fn not_found() -> Problem {
    Problem::new(Code::NotFound, "There is nothing at this address.")
}

impl Inner {
    async fn obey(
        self: &Rc<Self>,
        conversation: Id,
        command: Command,
    ) -> Result<Response, Problem> {
        let owner = command.owner();
        match (self.store.owner().map_err(|e| internal(&e))?, &command) {
            (Some(known), _) if known == owner => {}
            (None, Command::Open { .. }) => {
                self.store.set_owner(&owner).map_err(|e| internal(&e))?;
            }
            _ => return Err(not_found()),
        }
        match command {
            Command::Open { .. } | Command::Check { .. } => done(),
            Command::Ask { question } => self.ask(conversation, *question).await,
            Command::Attach { after, .. } => self.attach(after.as_deref()).await,
            Command::Cancel { .. } => {
                if let Some(live) = self.live.borrow_mut().as_mut() {
                    live.cancel();
                }
                done()
            }
        }
    }

    /// A message: a new turn, a new attempt at a failed one, or the turn that it already has.
    async fn ask(
        self: &Rc<Self>,
        conversation: Id,
        question: Question,
    ) -> Result<Response, Problem> {
        let store = |e| internal(&e);
        let Some(turn) = self.store.turn_of(question.id()).map_err(store)? else {
            if self.is_live(None) {
                return Err(Problem::new(
                    Code::TurnInProgress,
                    "Wait until the running answer has ended, or stop it.",
                ));
            }
            self.settle_dead_turn().await?;
            let number = self.store.next_number().map_err(store)?;
            return self
                .begin(conversation, question, number, 0, Vec::new())
                .await;
        };
        if turn.text != question.text() {
            return Err(Problem::new(
                Code::MessageConflict,
                "This message id was used for another text. Make a new id.",
            ));
        }
        let turn = self.settled(turn).await?;
        if turn.state == TurnState::Failed && question.retry() && !self.is_live(None) {
            let frames = self.store.frames(turn.number).map_err(store)?;
            let seq = u32::try_from(frames.len()).unwrap_or(u32::MAX);
            return self
                .begin(conversation, question, turn.number, seq, frames)
                .await;
        }
        self.replay(&turn, 0)
    }

    async fn attach(self: &Rc<Self>, after: Option<&str>) -> Result<Response, Problem> {
        let last = self.store.last_turn().map_err(|e| internal(&e))?;
        let turn = last.ok_or_else(|| Problem::new(Code::NoTurn, "Nothing was asked here yet."))?;
        let turn = self.settled(turn).await?;
        let after = after.and_then(|after| after.parse::<EventId>().ok());
        let seq = after
            .filter(|id| id.turn == turn.message_id)
            .map_or(0, |id| id.seq);
        self.replay(&turn, seq)
    }

    /// Starts a turn, or another attempt at one, and answers with its events.
    async fn begin(
        self: &Rc<Self>,
        conversation: Id,
        question: Question,
        number: u32,
        seq: u32,
        frames: Vec<String>,
    ) -> Result<Response, Problem> {
        let now = self.edge.now_ms();
        let record = Record::accepted(&question, conversation, number, now);
        let started = self.store.begin(number, &question, &record);
        started.map_err(|e| internal(&e))?;
        self.watch().await.map_err(|e| internal(&e))?;
        let (stop, stopped) = oneshot::channel();
        let mut live = Live::new(number, frames, stop);
        let stream = live.listen(seq);
        self.live.replace(Some(live));
        let inner = Rc::clone(self);
        self.state.wait_until(async move {
            inner
                .run(conversation, question, number, seq, stopped)
                .await;
        });
        stream::respond(stream).map_err(|e| internal(&e))
    }

    async fn run(
        self: Rc<Self>,
        conversation: Id,
        question: Question,
        number: u32,
        seq: u32,
        stopped: oneshot::Receiver<()>,
    ) {
        let deployment = config::deployment(self.edge.env());
        let history = self.store.history(number).unwrap_or_default();
        let ask = Ask {
            question: &question,
            conversation_id: conversation,
            reply_id: Id::from_parts(self.edge.now_ms(), self.edge.random()),
            number,
            history: &history,
        };
        let mut sink = TurnSink::new(&self, question.id(), number, seq);
        // A dropped sender is no wish to stop.
        let stop = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let ended = turn::run(&self.edge, &deployment, &ask, &mut sink, stop.boxed_local()).await;
        sink.flush();
        if let Err(error) = self.store.end(number, &ended.record, !ended.kept) {
            console_error!("{}", serde_json::json!({ "turn": error.to_string() }));
        }
        self.live.replace(None);
        let alarm = if ended.kept {
            self.state.storage().delete_alarm().await
        } else {
            self.wake_in(OFFER_AGAIN_MS).await
        };
        if let Err(error) = alarm {
            console_error!("{}", serde_json::json!({ "alarm": error.to_string() }));
        }
    }

    /// The events of a turn after `seq`, and those to come.
    fn replay(&self, turn: &StoredTurn, seq: u32) -> Result<Response, Problem> {
        let mut live = self.live.borrow_mut();
        let stream = match live.as_mut().filter(|live| live.number == turn.number) {
            Some(live) => live.listen(seq),
            None => {
                let frames = self.store.frames(turn.number).map_err(|e| internal(&e))?;
                stream::ended(frames.into_iter().skip(seq as usize).collect())
            }
        };
        stream::respond(stream).map_err(|e| internal(&e))
    }

    /// Whether a turn runs in this object: that one, or any.
    fn is_live(&self, number: Option<u32>) -> bool {
        let live = self.live.borrow();
        live.as_ref()
            .is_some_and(|live| number.is_none_or(|number| live.number == number))
    }

    /// The turn as it stands, after giving it an ending if it died with its isolate.
    async fn settled(&self, turn: StoredTurn) -> Result<StoredTurn, Problem> {
        if turn.state != TurnState::Running || self.is_live(Some(turn.number)) {
            return Ok(turn);
        }
        self.settle_dead_turn().await?;
        Ok(StoredTurn {
            state: TurnState::Failed,
            ..turn
        })
    }

    /// Gives the last turn an honest end when it is stored as running but runs nowhere.
    async fn settle_dead_turn(&self) -> Result<(), Problem> {
        let last = self.store.last_turn().map_err(|e| internal(&e))?;
        let Some(turn) =
            last.filter(|turn| turn.state == TurnState::Running && !self.is_live(None))
        else {
            return Ok(());
        };
        let frames = self.store.frames(turn.number).map_err(|e| internal(&e))?;
        let mut blocks = Vec::new();
        for frame in stream::decode(&frames) {
            // A frame that does not fit ends what can be told of the answer.
            if event::apply(&mut blocks, &frame).is_err() {
                break;
            }
        }
        let now = self.edge.now_ms();
        let mut record = turn.record;
        record.reply(
            record::Reply {
                id: Id::from_parts(now, self.edge.random()),
                blocks,
                sources: Vec::new(),
                finish: None,
                error: Some(Code::Interrupted),
                provider: String::new(),
                model: String::new(),
                usage: Usage::default(),
            },
            now,
        );
        let kept = self.edge.record(&record).await.is_ok();
        let last = ServerEvent::Error(TurnError {
            code: Code::Interrupted,
            message: strings::failure(&turn.locale, Code::Interrupted),
            retry_after: None,
            action: None,
            kept,
        });
        let seq = u32::try_from(frames.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let id = EventId {
            turn: turn.message_id,
            seq,
        };
        let frame = last
            .to_frame(id)
            .map(|frame| frame.encode())
            .unwrap_or_default();
        let stored = self
            .store
            .add_frames(turn.number, seq, &[frame])
            .and_then(|()| self.store.end(turn.number, &record, !kept));
        stored.map_err(|e| internal(&e))
    }

    /// The alarm's work.
    async fn look_after(&self) -> Result<(), Problem> {
        self.settle_dead_turn().await?;
        for (number, record) in self.store.unrecorded().map_err(|e| internal(&e))? {
            self.edge
                .record(&record)
                .await
                .map_err(|error| Problem::new(Code::StorageUnavailable, error.to_string()))?;
            self.store.recorded(number).map_err(|e| internal(&e))?;
        }
        if self.is_live(None) {
            self.watch().await.map_err(|e| internal(&e))?;
        }
        Ok(())
    }

    async fn watch(&self) -> worker::Result<()> {
        self.wake_in(WATCH_MS).await
    }

    async fn wake_in(&self, ms: u64) -> worker::Result<()> {
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        self.state.storage().set_alarm(ms).await
    }
}

fn done() -> Result<Response, Problem> {
    Response::empty()
        .map(|response| response.with_status(204))
        .map_err(|e| internal(&e))
}
