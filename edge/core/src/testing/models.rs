//! Models in memory.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, VecDeque},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use futures_util::Stream;

use super::Fakes;
use crate::ports::{ModelRequest, ModelResponse, Models, PortError};

/// What a fake model does when it is asked.
pub struct FakeAnswer {
    /// 0: it never answers.
    pub status: u16,
    /// Milliseconds before the head of the response.
    pub slow: u64,
    pub retry_after: Option<u32>,
    pub pieces: Vec<Piece>,
}

/// A step of a fake model's body.
pub enum Piece {
    Bytes(Vec<u8>),
    /// Nothing for so many milliseconds.
    Rest(u64),
    Broken,
    Silence,
}

impl Fakes {
    pub fn answer(&self, status: u16, pieces: Vec<Piece>) {
        self.answers.borrow_mut().push_back(FakeAnswer {
            status,
            slow: 0,
            retry_after: None,
            pieces,
        });
    }

    /// The model takes so long for the head of its response.
    pub fn answer_slowly(&self, slow: u64, pieces: Vec<Piece>) {
        self.answer(200, pieces);
        if let Some(answer) = self.answers.borrow_mut().back_mut() {
            answer.slow = slow;
        }
    }

    /// The model lets wait for the head of its response.
    pub fn answer_never(&self) {
        self.answer(0, Vec::new());
    }

    /// The model says when to come back.
    pub fn answer_later(&self, status: u16, seconds: u32) {
        self.answer(status, Vec::new());
        if let Some(answer) = self.answers.borrow_mut().back_mut() {
            answer.retry_after = Some(seconds);
        }
    }
}

impl Models for Fakes {
    type Body = FakeBody;

    async fn open(&self, request: ModelRequest) -> Result<ModelResponse<FakeBody>, PortError> {
        self.enter("models")?;
        self.requests.borrow_mut().push(request);
        let answer = self.answers.borrow_mut().pop_front();
        let Some(answer) = answer.filter(|answer| answer.status > 0) else {
            return std::future::pending().await;
        };
        let body = FakeBody {
            pieces: answer.pieces.into(),
            now: Rc::clone(&self.now),
            due: Rc::clone(&self.due),
            until: self.now.get() + answer.slow,
        };
        std::future::poll_fn(|_| body.rests()).await;
        Ok(ModelResponse {
            status: answer.status,
            retry_after: answer.retry_after,
            body,
        })
    }
}

/// The body of a fake model's response.
pub struct FakeBody {
    pieces: VecDeque<Piece>,
    now: Rc<Cell<u64>>,
    due: Rc<RefCell<BTreeSet<u64>>>,
    /// It gives nothing before, in Unix milliseconds.
    until: u64,
}

impl FakeBody {
    fn rests(&self) -> Poll<()> {
        if self.now.get() >= self.until {
            return Poll::Ready(());
        }
        self.due.borrow_mut().insert(self.until);
        Poll::Pending
    }
}

impl Stream for FakeBody {
    type Item = Result<Vec<u8>, PortError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if self.rests().is_pending() {
                return Poll::Pending;
            }
            match self.pieces.pop_front() {
                Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Piece::Rest(ms)) => self.until = self.now.get() + ms,
                Some(Piece::Broken) => {
                    return Poll::Ready(Some(Err(PortError("connection lost".into()))));
                }
                Some(Piece::Silence) => {
                    self.pieces.push_front(Piece::Silence);
                    return Poll::Pending;
                }
                None => return Poll::Ready(None),
            }
        }
    }
}
