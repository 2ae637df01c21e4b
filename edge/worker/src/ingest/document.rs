//! Sources that are one document: a file, a page, a text, a list of questions.

use bulle_edge_core::{
    digest::sha256_hex,
    ports::Clock,
    sources::{
        FailureCode, FetchError, MAX_FILE_BYTES, SourceKind, content, schedule, spec::SourceFields,
    },
};
use bulle_edge_formats::{File, read};
use bulle_edge_text::Document;
use std::rc::Rc;

use super::{
    index::prepare,
    parse_page::unreadable,
    robots::check_allowed,
    step::{Draft, StepContext, StepError, StepOutcome, target},
};
use crate::{
    adapters::files::key,
    repositories::library::{AttemptResult, IngestJob, Validators},
};

/// Batches of chunks of one document that are written before other sources get their turn.
const BATCHES: u32 = 10;

/// The documents that were read of a source.
struct Content {
    documents: Vec<Document>,
    /// SHA-256 of what they were read from.
    checksum: String,
    /// Bytes of what they were read from.
    bytes: usize,
    validators: Validators,
}

/// The content of a source that can be read.
enum Reading {
    New(Content),
    /// The source is unchanged: its content is the one in the index.
    Unchanged(Validators),
}

impl StepContext<'_> {
    /// Reads a document and writes it, as far as one step goes.
    ///
    /// # Errors
    /// The source cannot be read, or the platform failed.
    pub async fn document(&self, job: &IngestJob) -> Result<StepOutcome, StepError> {
        let next_at = || schedule::refresh_at(self.edge.now_ms(), job.refresh_seconds);
        let kept = self
            .draft
            .borrow()
            .clone()
            .filter(|draft| draft.id == job.id && draft.revision == job.revision);
        let draft = match kept {
            Some(draft) => draft,
            None => match self.read(job).await? {
                Reading::New(content) => Rc::new(draft(job, content)?),
                Reading::Unchanged(validators) => {
                    return Ok(StepOutcome::Ended(AttemptResult::Unchanged {
                        next_at: next_at(),
                        validators,
                    }));
                }
            },
        };
        self.draft.replace(Some(Rc::clone(&draft)));
        let next = (next_at(), &draft.validators);
        let written = self
            .index(target(job), &draft.prepared, next, Some(BATCHES))
            .await?;
        Ok(if written {
            StepOutcome::Settled
        } else {
            StepOutcome::Paused
        })
    }

    async fn read(&self, job: &IngestJob) -> Result<Reading, StepError> {
        let given = job.given()?;
        match job.kind {
            SourceKind::File => self.read_upload(job, &given).await,
            SourceKind::Url => self.read_address(job, &given).await,
            _ => Ok(read_text(job, &given)?),
        }
    }

    /// Reads the file that an owner uploaded.
    async fn read_upload(
        &self,
        job: &IngestJob,
        given: &SourceFields,
    ) -> Result<Reading, StepError> {
        let missing = || {
            FetchError::permanent(
                FailureCode::FileMissing,
                "There is no file any more. Upload it again.",
            )
        };
        let file = given.file.as_ref().ok_or_else(missing)?;
        if file.checksum == job.checksum {
            return Ok(Reading::Unchanged(Validators::default()));
        }
        let bot = &self.bot;
        let key = key(&bot.tenant_id, &bot.bot_id, &job.id, &file.checksum);
        let bytes = self.edge.file(&key).await?.ok_or_else(missing)?;
        let documents = read(&File {
            name: &file.name,
            content_type: Some(file.content_type.as_str()).filter(|kind| !kind.is_empty()),
            url: "",
            bytes: &bytes,
        })
        .map_err(|e| unreadable(&e))?;
        Ok(Reading::New(Content {
            documents,
            checksum: file.checksum.clone(),
            bytes: bytes.len(),
            validators: Validators::default(),
        }))
    }

    /// Fetches the address that an owner gave.
    async fn read_address(
        &self,
        job: &IngestJob,
        given: &SourceFields,
    ) -> Result<Reading, StepError> {
        let address = given.url.as_deref().unwrap_or_default();
        let url = self.fetcher.guard.check(address)?;
        check_allowed(&self.fetch_robots(&url).await?.1, &url)?;
        let known = Validators {
            etag: job.etag.clone(),
            last_modified: job.last_modified.clone(),
        };
        let fetched = self
            .fetcher
            .get(self.edge, address, &known, MAX_FILE_BYTES)
            .await?;
        let Some(bytes) = fetched.bytes else {
            return Ok(Reading::Unchanged(known));
        };
        let checksum = sha256_hex([bytes.as_slice()]);
        if checksum == job.checksum {
            return Ok(Reading::Unchanged(fetched.validators));
        }
        let documents = read(&File {
            name: fetched.url.path().rsplit('/').next().unwrap_or_default(),
            content_type: fetched.content_type.as_deref(),
            url: fetched.url.as_str(),
            bytes: &bytes,
        })
        .map_err(|e| unreadable(&e))?;
        Ok(Reading::New(Content {
            documents,
            checksum,
            bytes: bytes.len(),
            validators: fetched.validators,
        }))
    }
}

/// Reads the text or the questions that an owner wrote.
fn read_text(job: &IngestJob, given: &SourceFields) -> Result<Reading, FetchError> {
    let text = match job.kind {
        SourceKind::Faq => content::faq(given.entries.as_deref().unwrap_or_default()),
        _ => given.text.clone().unwrap_or_default(),
    };
    let checksum = sha256_hex([text.as_bytes()]);
    if checksum == job.checksum {
        return Ok(Reading::Unchanged(Validators::default()));
    }
    let documents = read(&File {
        name: "text.md",
        content_type: Some("text/markdown; charset=utf-8"),
        url: "",
        bytes: text.as_bytes(),
    })
    .map_err(|e| unreadable(&e))?;
    Ok(Reading::New(Content {
        documents,
        checksum,
        bytes: text.len(),
        validators: Validators::default(),
    }))
}

/// Joins the documents of a source into one, with the title, language and address that the owner gave.
fn draft(job: &IngestJob, content: Content) -> Result<Draft, StepError> {
    let given = job.given()?;
    let title = given.title.as_deref();
    let name = given.file.as_ref().map(|file| file.name.as_str());
    let mut document =
        content::merge(content.documents, title.or(name).unwrap_or("Document")).unwrap_or_default();
    if let Some(title) = title {
        title.clone_into(&mut document.title);
    } else if job.kind == SourceKind::Faq {
        "FAQ".clone_into(&mut document.title);
    }
    if let Some(language) = &given.language {
        language.clone_into(&mut document.language);
    }
    if job.kind != SourceKind::Url {
        // A path is only valid together with its site.
        if let Some(page) = &given.url {
            page.clone_into(&mut document.url);
        } else if !document.url.starts_with("https://") && !document.url.starts_with("http://") {
            document.url.clear();
        }
    }
    Ok(Draft {
        id: job.id.clone(),
        revision: job.revision,
        prepared: prepare(document, content.checksum, content.bytes)?,
        validators: content.validators,
    })
}
