//! Notices in memory, and a fake of the HTTP requests that deliver them.

use bulle_api::notice::{Delivery, Notice};
use bulle_protocol::Id;
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
};

use super::{Fakes, secret};
use crate::{
    model::{Mailer, Secret},
    ports::{Notices, OutboundPost, PortError, Transports},
};

/// The stored notices and the posted letters. `fail("notices")`, `fail("deliveries")` and `fail("post")` make these
/// calls fail.
#[derive(Default)]
pub struct Post {
    /// Tenant and notice.
    pub stored: RefCell<Vec<(String, Notice)>>,
    /// Time and letter.
    pub letters: RefCell<Vec<(u64, OutboundPost)>>,
    /// The next responses of an address; 200 when none is set.
    pub answers: RefCell<BTreeMap<String, VecDeque<Answer>>>,
    /// The deployment's mail service.
    pub mailer: RefCell<Option<Mailer>>,
    /// The deployment has no secret.
    pub unsigned: Cell<bool>,
}

/// The response of an address to a letter.
#[derive(Clone, Copy)]
pub enum Answer {
    Status(u16),
    Silence,
    Broken,
}

impl Post {
    pub fn answer(&self, url: &str, answers: &[Answer]) {
        let mut all = self.answers.borrow_mut();
        all.entry(url.to_owned()).or_default().extend(answers);
    }

    /// The letters to an address.
    pub fn to(&self, url: &str) -> Vec<(u64, OutboundPost)> {
        let letters = self.letters.borrow();
        letters
            .iter()
            .filter(|(_, letter)| letter.url == url)
            .cloned()
            .collect()
    }
}

impl Notices for Fakes {
    fn transports(&self) -> Transports {
        Transports {
            secret: if self.post.unsigned.get() {
                Secret::new(None)
            } else {
                Ok(secret())
            },
            mailer: self.post.mailer.borrow().clone(),
        }
    }

    async fn insert(&self, tenant_id: &str, notice: &Notice) -> Result<bool, PortError> {
        self.enter("notices")?;
        let mut stored = self.post.stored.borrow_mut();
        let known = stored.iter().any(|(tenant, known)| {
            tenant == tenant_id && known.kind == notice.kind && known.about == notice.about
        });
        if !known {
            stored.push((tenant_id.to_owned(), notice.clone()));
        }
        Ok(!known)
    }

    async fn delivered(
        &self,
        tenant_id: &str,
        id: Id,
        delivery: &Delivery,
    ) -> Result<(), PortError> {
        self.enter("deliveries")?;
        let mut stored = self.post.stored.borrow_mut();
        let mut found = stored
            .iter_mut()
            .filter(|(tenant, notice)| tenant == tenant_id && notice.id == id);
        let (_, notice) = found.next().unwrap();
        notice.deliveries.push(delivery.clone());
        Ok(())
    }

    async fn post(&self, letter: OutboundPost) -> Result<u16, PortError> {
        self.enter("post")?;
        let url = letter.url.clone();
        let now = self.now.get();
        self.post.letters.borrow_mut().push((now, letter));
        let next = self
            .post
            .answers
            .borrow_mut()
            .get_mut(&url)
            .and_then(VecDeque::pop_front);
        match next.unwrap_or(Answer::Status(200)) {
            Answer::Status(status) => Ok(status),
            Answer::Silence => std::future::pending().await,
            Answer::Broken => Err(PortError(format!("cannot reach {url}"))),
        }
    }
}
