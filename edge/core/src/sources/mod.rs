//! Sources of a bot's documents: what owners may give, which addresses are fetched, how a site is crawled, and when a
//! fetch is tried again. `edge/formats` reads what was fetched into documents; the platform's part is the Durable
//! Object `Librarian` of the Worker.

pub mod address;
pub mod content;
pub mod frontier;
pub mod pointers;
pub mod redirects;
pub mod schedule;
pub mod sitemaps;
pub mod spec;

pub use bulle_api::admin::source::{Failure, FailureCode, SourceKind, SourceStatus};

/// Most bytes of an uploaded file, or of a response from an address that an owner named.
pub const MAX_FILE_BYTES: usize = 20 * 1_048_576;

/// Most bytes of a page of a crawl, or of a sitemap or feed.
pub const MAX_PAGE_BYTES: usize = 5 * 1_048_576;

/// Most bytes of a `robots.txt` that are fetched.
pub const MAX_ROBOTS_BYTES: usize = 512 * 1_024;

/// Most sources of a bot, without their parts.
pub const MAX_SOURCES: u32 = 1_000;

/// Most pages of a site.
pub const MAX_PAGES: u32 = 5_000;

/// Most entries of a feed that are kept.
pub const MAX_ENTRIES: usize = 500;

/// Why a source could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// A passing failure: another try may help, after this many seconds where the server named a time.
    Transient(Failure, Option<u32>),
    /// A lasting failure: the owner has to correct something.
    Permanent(Failure),
}

impl FetchError {
    /// A lasting failure.
    pub fn permanent(code: FailureCode, detail: impl Into<String>) -> Self {
        Self::Permanent(failure(code, detail))
    }

    /// A passing failure.
    pub fn transient(code: FailureCode, detail: impl Into<String>) -> Self {
        Self::Transient(failure(code, detail), None)
    }

    /// The problem of the failure.
    pub fn failure(&self) -> &Failure {
        match self {
            Self::Transient(failure, _) | Self::Permanent(failure) => failure,
        }
    }
}

/// The error of a fetch or of a reader.
pub fn failure(code: FailureCode, detail: impl Into<String>) -> Failure {
    Failure {
        code,
        detail: detail.into(),
    }
}
