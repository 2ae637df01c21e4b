//! Sources that are one document: a file, a page, a text, a list of questions.

use bulle_edge_core::{
    digest::sha256_hex,
    ports::Clock,
    search::Scope,
    sources::{
        FailureCode, MAX_FILE_BYTES, MAX_ROBOTS_BYTES, SourceKind, Trouble,
        content::{self, Prepared},
        frontier,
        given::Given,
        schedule,
    },
};
use bulle_edge_formats::{File, Robots, Unreadable, UnreadableCode, read, robots};
use bulle_edge_text::Document;
use std::rc::Rc;

use super::{Desk, Librarian, Outcome, Stop};
use crate::adapters::{
    files::key,
    library::{End, Target, Validators, Work},
};

/// Batches of chunks of one document that are written before others get their turn.
const BATCHES: u32 = 10;

/// Milliseconds after which what a page said before is taken away: together with that of others.
const SWEEP_MS: u64 = 10_000;

/// A document that is being written.
pub struct Open {
    id: String,
    revision: u32,
    prepared: Prepared,
    validators: Validators,
}

/// What was gathered of a source.
pub struct Gathered {
    /// Its documents.
    pub documents: Vec<Document>,
    /// SHA-256 of what they were read from.
    pub checksum: String,
    /// Bytes of it.
    pub bytes: usize,
    /// For the next request.
    pub validators: Validators,
}

impl Librarian {
    /// Reads and writes a document, as far as it comes.
    pub(super) async fn document(&self, desk: &Desk, work: &Work) -> Result<Outcome, Stop> {
        let target = Target {
            id: &work.id,
            revision: work.revision,
        };
        let open = self.open.borrow().clone();
        let open = open.filter(|open| open.id == work.id && open.revision == work.revision);
        let open = match open {
            Some(open) => open,
            None => match self.prepare(desk, work).await? {
                Ok(open) => Rc::new(open),
                Err(end) => return Ok(Outcome::Ended(end)),
            },
        };
        self.open.replace(Some(Rc::clone(&open)));
        let next_at = schedule::refresh_at(self.edge.now_ms(), work.refresh_seconds);
        let next = (next_at, &open.validators);
        if self
            .index(desk, target, &open.prepared, next, Some(BATCHES))
            .await?
        {
            return Ok(Outcome::Settled);
        }
        Ok(Outcome::Paused)
    }

    /// Writes a document and makes it answer. False when there is more to write.
    pub(super) async fn index(
        &self,
        desk: &Desk,
        target: Target<'_>,
        prepared: &Prepared,
        next: (Option<u64>, &Validators),
        batches: Option<u32>,
    ) -> Result<bool, Stop> {
        let (edge, shelf) = (&self.edge, &desk.shelf);
        let Some(mut staged) = edge.stage(shelf, target, prepared).await? else {
            return Ok(true);
        };
        let scope = Scope::of(&shelf.tenant_id, &shelf.bot_id);
        for number in 0.. {
            if staged.written >= prepared.chunks.len() {
                break;
            }
            if batches.is_some_and(|most| number >= most) {
                return Ok(false);
            }
            let batch = prepared.batch(staged.written, &scope);
            edge.write(shelf, target, (prepared, &staged), &batch)
                .await?;
            staged.written += batch.len();
        }
        // Before the swap: what it leaves behind is not forgotten, whatever happens in between.
        let now = edge.now_ms();
        self.store.care(target.id, now + SWEEP_MS)?;
        edge.swap(shelf, target, (prepared, &staged), next, now)
            .await?;
        Ok(true)
    }

    /// Gathers a document; an end when there is nothing new.
    async fn prepare(&self, desk: &Desk, work: &Work) -> Result<Result<Open, End>, Stop> {
        let given = work.given()?;
        let next_at = schedule::refresh_at(self.edge.now_ms(), work.refresh_seconds);
        let unchanged = |validators| {
            Ok(Err(End::Unchanged {
                next_at,
                validators,
            }))
        };
        let gathered = match work.kind {
            SourceKind::File => self.uploaded(desk, work, &given).await?,
            SourceKind::Url => match self.fetched(desk, work, &given).await? {
                Ok(gathered) => Some(gathered),
                Err(validators) => return unchanged(validators),
            },
            _ => said(work, &given)?,
        };
        let Some(gathered) = gathered else {
            return unchanged(Validators::default());
        };
        let title = given.title.as_deref();
        let name = given.file.as_ref().map(|file| file.name.as_str());
        let mut document = content::merge(gathered.documents, title.or(name).unwrap_or("Document"))
            .unwrap_or_default();
        if let Some(title) = title {
            title.clone_into(&mut document.title);
        } else if work.kind == SourceKind::Faq {
            "FAQ".clone_into(&mut document.title);
        }
        if let Some(language) = &given.language {
            language.clone_into(&mut document.language);
        }
        if work.kind != SourceKind::Url {
            // A path within a site means nothing without the site.
            if let Some(page) = &given.url {
                page.clone_into(&mut document.url);
            } else if !document.url.starts_with("https://") && !document.url.starts_with("http://")
            {
                document.url.clear();
            }
        }
        let prepared = prepared(document, gathered.checksum, gathered.bytes)?;
        Ok(Ok(Open {
            id: work.id.clone(),
            revision: work.revision,
            prepared,
            validators: gathered.validators,
        }))
    }

    /// What an owner uploaded; nothing when that is indexed.
    async fn uploaded(
        &self,
        desk: &Desk,
        work: &Work,
        given: &Given,
    ) -> Result<Option<Gathered>, Stop> {
        let missing = || {
            Trouble::lasting(
                FailureCode::FileMissing,
                "There is no file any more. Upload it again.",
            )
        };
        let file = given.file.as_ref().ok_or_else(missing)?;
        if file.checksum == work.checksum {
            return Ok(None);
        }
        let shelf = &desk.shelf;
        let key = key(&shelf.tenant_id, &shelf.bot_id, &work.id, &file.checksum);
        let bytes = self.edge.file(&key).await?.ok_or_else(missing)?;
        let kind = Some(file.content_type.as_str()).filter(|kind| !kind.is_empty());
        let read = read(&File {
            name: &file.name,
            content_type: kind,
            url: "",
            bytes: &bytes,
        });
        Ok(Some(Gathered {
            documents: read.map_err(|e| unreadable(&e))?,
            checksum: file.checksum.clone(),
            bytes: bytes.len(),
            validators: Validators::default(),
        }))
    }

    /// What an address brings; what it said of itself when that is indexed.
    async fn fetched(
        &self,
        desk: &Desk,
        work: &Work,
        given: &Given,
    ) -> Result<Result<Gathered, Validators>, Stop> {
        let address = given.url.as_deref().unwrap_or_default();
        let url = desk.fetcher.guard.check(address)?;
        allowed(&self.robots(desk, &url).await?.1, &url)?;
        let known = Validators {
            etag: work.etag.clone(),
            last_modified: work.last_modified.clone(),
        };
        let fetched = desk
            .fetcher
            .get(&self.edge, address, &known, MAX_FILE_BYTES)
            .await?;
        let Some(bytes) = fetched.bytes else {
            return Ok(Err(known));
        };
        let checksum = sha256_hex([bytes.as_slice()]);
        if checksum == work.checksum {
            return Ok(Err(fetched.validators));
        }
        let documents = read(&File {
            name: fetched.url.path().rsplit('/').next().unwrap_or_default(),
            content_type: fetched.content_type.as_deref(),
            url: fetched.url.as_str(),
            bytes: &bytes,
        });
        Ok(Ok(Gathered {
            documents: documents.map_err(|e| unreadable(&e))?,
            checksum,
            bytes: bytes.len(),
            validators: fetched.validators,
        }))
    }

    /// What a site asks of crawlers: as text, and read. A site that has no such file allows everything; one that fails
    /// just now is asked again later.
    pub(super) async fn robots(
        &self,
        desk: &Desk,
        url: &worker::Url,
    ) -> Result<(String, Robots), Trouble> {
        let mut address = url.clone();
        address.set_path("/robots.txt");
        address.set_query(None);
        let none = Validators::default();
        let got = desk
            .fetcher
            .get(&self.edge, address.as_str(), &none, MAX_ROBOTS_BYTES);
        let text = match got.await {
            Ok(fetched) => {
                let bytes = fetched.bytes.unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            // What it asks for at its end cannot be known.
            Err(Trouble::Lasting(failure)) if failure.code == FailureCode::TooLarge => {
                "User-agent: *\nDisallow: /".to_owned()
            }
            Err(Trouble::Lasting(_)) => String::new(),
            Err(passing) => return Err(passing),
        };
        let read = robots(&text);
        Ok((text, read))
    }
}

/// Whether robots.txt allows an address.
pub(super) fn allowed(robots: &Robots, url: &worker::Url) -> Result<(), Trouble> {
    if robots.allows(&frontier::path(url)) {
        return Ok(());
    }
    Err(Trouble::lasting(
        FailureCode::RobotsForbid,
        "The site's robots.txt asks to stay away from this address. Allow \"User-agent: BulleBot\" there, or upload the \
         content.",
    ))
}

/// A document that can be written.
pub(super) fn prepared(
    document: Document,
    checksum: String,
    bytes: usize,
) -> Result<Prepared, Trouble> {
    let prepared = Prepared::new(document, checksum, bytes as u64);
    if prepared.chunks.is_empty() {
        return Err(Trouble::lasting(
            FailureCode::NoText,
            "There is no text in it. Give something that holds text.",
        ));
    }
    Ok(prepared)
}

/// What an owner wrote; nothing when that is indexed.
fn said(work: &Work, given: &Given) -> Result<Option<Gathered>, Trouble> {
    let text = match work.kind {
        SourceKind::Faq => content::faq(given.entries.as_deref().unwrap_or_default()),
        _ => given.text.clone().unwrap_or_default(),
    };
    let checksum = sha256_hex([text.as_bytes()]);
    if checksum == work.checksum {
        return Ok(None);
    }
    let documents = read(&File {
        name: "text.md",
        content_type: Some("text/markdown; charset=utf-8"),
        url: "",
        bytes: text.as_bytes(),
    });
    Ok(Some(Gathered {
        documents: documents.map_err(|e| unreadable(&e))?,
        checksum,
        bytes: text.len(),
        validators: Validators::default(),
    }))
}

/// Why a file cannot be read, as a trouble.
pub(super) fn unreadable(error: &Unreadable) -> Trouble {
    let code = match error.code {
        UnreadableCode::Encrypted => FailureCode::Encrypted,
        UnreadableCode::NoText => FailureCode::NoText,
        UnreadableCode::Corrupt => FailureCode::Corrupt,
        UnreadableCode::TooLarge => FailureCode::TooLarge,
        UnreadableCode::Unsupported => FailureCode::Unsupported,
        UnreadableCode::Mislabelled => FailureCode::Mislabelled,
        UnreadableCode::UseTheCommandLine => FailureCode::UseTheCommandLine,
    };
    Trouble::lasting(code, error.detail.clone())
}
