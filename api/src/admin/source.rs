//! Sources of a bot's documents.

use serde::{Deserialize, Serialize};

/// Kind of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A file that was uploaded.
    File,
    /// One page or file on the web.
    Url,
    /// The pages of one origin, found by its sitemaps and links; or those of one sitemap.
    Site,
    /// The entries of an RSS, Atom or JSON feed.
    Feed,
    /// Markdown that the owner wrote.
    Text,
    /// Questions with their answers.
    Faq,
}

impl SourceKind {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Url => "url",
            Self::Site => "site",
            Self::Feed => "feed",
            Self::Text => "text",
            Self::Faq => "faq",
        }
    }

    /// Whether it is fetched from the web.
    pub fn is_fetched(self) -> bool {
        matches!(self, Self::Url | Self::Site | Self::Feed)
    }
}

/// State of a source. Its previous content answers until new content is indexed, also when reading fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// The source waits for its turn, or for another try.
    Queued,
    /// The source is being read.
    Indexing,
    /// The source is used in answers.
    Ready,
    /// The source could not be read; `failure` has the reason.
    Failed,
}

/// Why a source could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The file needs a password.
    Encrypted,
    /// The file has no text: pictures of text, an empty page.
    NoText,
    /// The file is broken, or was not received whole.
    Corrupt,
    /// The file is over a limit.
    TooLarge,
    /// The format is not supported.
    Unsupported,
    /// The content contradicts the file's name or type.
    Mislabelled,
    /// Only the command-line import reads the file.
    UseTheCommandLine,
    /// The uploaded file is missing.
    FileMissing,
    /// The address policy forbids the address.
    AddressRefused,
    /// The redirects form a circle.
    RedirectLoop,
    /// There are too many redirects.
    TooManyRedirects,
    /// There is no page at the address.
    NotFound,
    /// The site refuses access.
    Forbidden,
    /// The site's robots.txt forbids the address.
    RobotsForbid,
    /// The site answered with an error, several times.
    ServerError,
    /// The site could not be reached, several times.
    Unreachable,
    /// The site was too slow, several times.
    Timeout,
    /// Reading it needs more work than a Worker may do.
    TooMuchWork,
    /// Anything else; also a code from a newer edge.
    #[serde(other)]
    Internal,
}

/// Why a source could not be read, or why it is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// Stable code, for programs.
    pub code: FailureCode,
    /// Explanation for people: what happened, and what to do.
    pub detail: String,
}

/// Progress of reading a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// Passages that are indexed; for a site pages, for a feed entries that are read.
    pub done: u32,
    /// Number of all passages, pages or entries, as far as known.
    pub total: u32,
}

/// A source of a bot's knowledge: a page, a site, a feed, a file, a text or a list of questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = admin::Source))]
pub struct Source {
    /// Id of the source, made by the edge.
    pub id: String,
    /// Kind of the source.
    pub kind: SourceKind,
    /// State of the source.
    pub status: SourceStatus,
    /// Title that answers show: the owner's, else the document's own.
    pub title: String,
    /// Language (BCP 47); empty when unknown.
    pub language: String,
    /// Page that answers link to; empty when there is none.
    pub url: String,
    /// Address that is fetched, of a `url`, `site` or `feed`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// Name of the file that was uploaded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Why the source could not be read. While it waits, why the last attempt failed; of a ready site or feed, what is
    /// wrong with its sitemap or with the feed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub failure: Option<Failure>,
    /// Progress of reading the source.
    pub progress: Progress,
    /// SHA-256 of the content that was read last, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checksum: Option<String>,
    /// Size of the content in bytes.
    pub bytes: u64,
    /// Id of the site or feed that the source belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent: Option<String>,
    /// Seconds after which the source is fetched again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_seconds: Option<u32>,
    /// When the source is fetched next, in Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_at: Option<u64>,
    /// When the content that answers now was indexed, in Unix milliseconds; absent when no content answers yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub indexed_at: Option<u64>,
    /// Unix milliseconds; 0 when it was not created over HTTP.
    pub created_at: u64,
    /// Unix milliseconds.
    pub updated_at: u64,
}

/// A question with its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FaqEntry {
    /// On one line.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub question: String,
    /// Markdown.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 10_000))]
    pub answer: String,
}

/// Body of `POST /v1/admin/tenants/{tenant}/bots/{bot}/sources`. Files are uploaded to `…/files`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// Kind of the source: `url`, `site`, `feed`, `text` or `faq`.
    pub kind: SourceKind,
    /// For a `url`, `site` or `feed`, the address to fetch: `https://…`. For a `text` or `faq`, the page that answers
    /// link to.
    #[cfg_attr(feature = "openapi", schema(max_length = 2_000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// Title that answers show; taken from the document when absent.
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// Language (BCP 47); taken from the document when absent.
    #[cfg_attr(feature = "openapi", schema(max_length = 35))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// Markdown of a `text`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// Questions and answers of a `faq`.
    #[cfg_attr(feature = "openapi", schema(max_items = 200))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entries: Option<Vec<FaqEntry>>,
    /// Seconds after which a `url`, `site` or `feed` is fetched again; never when absent.
    #[cfg_attr(feature = "openapi", schema(minimum = 3_600, maximum = 31_536_000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_seconds: Option<u32>,
    /// Most pages of a `site`; 200 when absent.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 5_000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_pages: Option<u32>,
    /// Most links between the first page of a `site` and another; 10 when absent.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 50))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_depth: Option<u32>,
}

/// The fields of a source that a merge patch may change. A change of the content makes the edge read the source again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SourceChange {
    /// Address, as in `NewSource`; `null` removes it.
    #[cfg_attr(feature = "openapi", schema(max_length = 2_000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// Title, as in `NewSource`; `null` removes it.
    #[cfg_attr(feature = "openapi", schema(max_length = 200))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// Language, as in `NewSource`; `null` removes it.
    #[cfg_attr(feature = "openapi", schema(max_length = 35))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// Markdown of a `text`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// All questions and answers of a `faq`.
    #[cfg_attr(feature = "openapi", schema(max_items = 200))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entries: Option<Vec<FaqEntry>>,
    /// Seconds after which the source is fetched again; `null` for never.
    #[cfg_attr(feature = "openapi", schema(minimum = 3_600, maximum = 31_536_000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refresh_seconds: Option<u32>,
    /// Most pages of a `site`.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 5_000))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_pages: Option<u32>,
    /// Most links between the first page of a `site` and another.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 50))]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_depth: Option<u32>,
}
