//! The line about business hours, which comes with the session: it is kept up to date while the page stays open. The edge
//! says for how long it holds; then the session is opened again. It is asked earlier when an owner's change is noticed (a
//! message is refused because it is closed), and when the visitor looks at the panel again or writes.

use bulle_protocol::session::Session;

use crate::{Chat, Phase};

/// Milliseconds within which looking at the panel does not ask again.
const FRESH_MS: u64 = 30_000;

/// Milliseconds after which it is asked again when the edge has not answered.
const RETRY_MS: u64 = 300_000;

/// The visitors of a site are spread over these milliseconds, because all their lines end at once.
const SPREAD_MS: u64 = 3_000;

/// When to ask for the line again.
#[derive(Debug, Default)]
pub(crate) struct HoursDue {
    /// When the session was opened, in Unix milliseconds.
    opened_at: u64,
    /// When the line ends; none for a bot without hours.
    pub(crate) at: Option<u64>,
}

impl Chat {
    /// Notes for how long the line of a session holds.
    pub(crate) fn note_hours(&mut self, opened: &Session) {
        let good_for_s = opened.bot.hours.as_ref().map(|hours| hours.good_for_s);
        let spread = self.random() % SPREAD_MS;
        let end = |s| self.now + u64::from(s) * 1_000 + spread;
        self.hours = HoursDue {
            opened_at: self.now,
            at: good_for_s.filter(|s| *s > 0).map(end),
        };
    }

    /// Opens the session again when the line ends.
    pub(crate) fn renew_hours_if_due(&mut self) {
        if self.phase == Phase::Ready && self.hours.at.is_some_and(|at| at <= self.now) {
            // Unless the edge answers.
            self.hours.at = Some(self.now + RETRY_MS);
            self.open();
        }
    }

    /// The visitor looks at the line: the owner may have changed the hours.
    pub(crate) fn look_at_hours(&mut self) {
        if self.now >= self.hours.opened_at + FRESH_MS {
            self.doubt_hours();
        }
    }

    /// The line is not true any more.
    pub(crate) fn doubt_hours(&mut self) {
        if self.hours.at.is_some() {
            self.hours.at = Some(self.now);
            self.renew_hours_if_due();
        }
    }
}
