//! Where what bots know comes from: what owners may give, which addresses are fetched, how a site is walked through, when
//! something is tried again. What is read there becomes documents in `edge/formats`; the platform's part is the Durable
//! Object `Librarian` of the Worker.

pub mod content;
pub mod frontier;
pub mod redirects;
pub mod schedule;
pub mod spec;

pub use bulle_api::admin::source::{Failure, FailureCode, SourceKind, SourceStatus};

use crate::outbound::AddressRefused;

/// Most bytes of a file that is uploaded, or of what is fetched from an address that an owner named.
pub const MAX_FILE_BYTES: usize = 20 * 1_048_576;

/// Most bytes of a page that a crawl comes to, or of a sitemap or feed.
pub const MAX_PAGE_BYTES: usize = 5 * 1_048_576;

/// Most bytes of a `robots.txt` that are fetched.
pub const MAX_ROBOTS_BYTES: usize = 512 * 1_024;

/// Most sources of a bot, without the pages and entries that belong to others.
pub const MAX_SOURCES: u32 = 1_000;

/// Most pages of a site.
pub const MAX_PAGES: u32 = 5_000;

/// Most entries that are kept of a feed.
pub const MAX_ENTRIES: usize = 500;

/// What went wrong with a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// Trying again may help, after this many seconds where the server named a time.
    Transient(Failure, Option<u32>),
    /// A person has to do something.
    Permanent(Failure),
}

impl FetchError {
    /// A person has to do something.
    pub fn permanent(code: FailureCode, detail: impl Into<String>) -> Self {
        Self::Permanent(failure(code, detail))
    }

    /// Trying again may help.
    pub fn transient(code: FailureCode, detail: impl Into<String>) -> Self {
        Self::Transient(failure(code, detail), None)
    }

    /// What it is.
    pub fn failure(&self) -> &Failure {
        match self {
            Self::Transient(failure, _) | Self::Permanent(failure) => failure,
        }
    }
}

impl From<AddressRefused> for FetchError {
    fn from(AddressRefused(why): AddressRefused) -> Self {
        Self::permanent(FailureCode::AddressRefused, why)
    }
}

/// Why something could not be read.
pub fn failure(code: FailureCode, detail: impl Into<String>) -> Failure {
    Failure {
        code,
        detail: detail.into(),
    }
}
