//! Source specifications: what owners give as sources, and which values are valid.

use bulle_api::admin::source::{FaqEntry, NewSource, SourceChange, SourceKind};
use bulle_protocol::problem::Problem;
use serde::{Deserialize, Serialize};

use super::MAX_PAGES;
use crate::{
    admin::rules::{Rules, check_address, invalid},
    outbound::{AddressPolicy, MAX_ADDRESS},
};

/// Longest title, in characters.
const MAX_TITLE: usize = 200;

/// Longest language tag, in bytes.
const MAX_LANGUAGE: usize = 35;

/// Longest name of a file, in bytes.
const MAX_NAME: usize = 255;

/// Most questions of a FAQ.
const MAX_FAQ: usize = 200;

/// Longest question and answer, in characters.
const MAX_QUESTION: usize = 500;
const MAX_ANSWER: usize = 10_000;

/// Seconds between two fetches: an hour to a year.
const REFRESH: std::ops::RangeInclusive<u32> = 3_600..=31_536_000;

/// Most links from the first page.
const MAX_DEPTH: u32 = 50;

/// A source specification as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFields {
    /// The address to fetch, or the page that answers link to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub url: Option<String>,
    /// The title of the source in answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    /// BCP 47.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// Markdown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub text: Option<String>,
    /// Questions and answers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entries: Option<Vec<FaqEntry>>,
    /// Most pages.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_pages: Option<u32>,
    /// Most links from the first page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_depth: Option<u32>,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<Upload>,
}

/// A file that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its name.
    pub name: String,
    /// Its declared type; may be empty.
    pub content_type: String,
    /// SHA-256, hexadecimal: names the object that holds it.
    pub checksum: String,
    /// Bytes.
    pub bytes: u64,
}

/// All values that an owner may set of a source, of every kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSpec {
    /// The kind of the source.
    pub kind: SourceKind,
    /// The specification.
    pub given: SourceFields,
    /// Seconds after which the source is fetched again.
    pub refresh_seconds: Option<u32>,
}

impl SourceSpec {
    /// The values of a new source.
    pub fn new(new: NewSource) -> Self {
        Self {
            kind: new.kind,
            refresh_seconds: new.refresh_seconds,
            given: SourceFields {
                url: new.url,
                title: new.title,
                language: new.language,
                text: new.text,
                entries: new.entries,
                max_pages: new.max_pages,
                max_depth: new.max_depth,
                file: None,
            },
        }
    }

    /// The values of a source that may be changed.
    pub fn editable(self) -> SourceChange {
        SourceChange {
            url: self.given.url,
            title: self.given.title,
            language: self.given.language,
            text: self.given.text,
            entries: self.given.entries,
            refresh_seconds: self.refresh_seconds,
            max_pages: self.given.max_pages,
            max_depth: self.given.max_depth,
        }
    }

    /// The values with the changes applied.
    pub fn changed(&self, change: SourceChange) -> Self {
        let SourceChange {
            url,
            title,
            language,
            text,
            entries,
            refresh_seconds,
            max_pages,
            max_depth,
        } = change;
        Self {
            kind: self.kind,
            refresh_seconds,
            given: SourceFields {
                url,
                title,
                language,
                text,
                entries,
                max_pages,
                max_depth,
                file: self.given.file.clone(),
            },
        }
    }

    /// Checks all values. `policy` decides which addresses may be fetched.
    ///
    /// # Errors
    /// `invalid_value`, naming the field.
    pub fn check(&self, policy: &AddressPolicy) -> Result<(), Problem> {
        let (kind, given) = (self.kind, &self.given);
        for (field, is_given, kinds) in [
            ("text", given.text.is_some(), [SourceKind::Text].as_slice()),
            ("entries", given.entries.is_some(), &[SourceKind::Faq]),
            ("max_pages", given.max_pages.is_some(), &[SourceKind::Site]),
            ("max_depth", given.max_depth.is_some(), &[SourceKind::Site]),
            (
                "refresh_seconds",
                self.refresh_seconds.is_some(),
                &[SourceKind::Url, SourceKind::Site, SourceKind::Feed],
            ),
        ] {
            if is_given && !kinds.contains(&kind) {
                return Err(invalid(&format!(
                    "{field}: a source of the kind \"{}\" has none. Leave it out.",
                    kind.as_str()
                )));
            }
        }
        self.check_url(policy)?;
        check_line("title", given.title.as_deref(), MAX_TITLE)?;
        check_language(given.language.as_deref())?;
        let blank = |text: &Option<String>| text.as_deref().is_none_or(|t| t.trim().is_empty());
        if kind == SourceKind::Text && blank(&given.text) {
            return Err(invalid("text: write what the bot is to know, as Markdown."));
        }
        if kind == SourceKind::Faq {
            check_entries(given.entries.as_deref().unwrap_or_default())?;
        }
        if self.refresh_seconds.is_some_and(|s| !REFRESH.contains(&s)) {
            return Err(invalid(
                "refresh_seconds: from 3600 (an hour) to 31536000 (a year), or leave it out.",
            ));
        }
        if given.max_pages.is_some_and(|n| n == 0 || n > MAX_PAGES) {
            return Err(invalid(&format!("max_pages: from 1 to {MAX_PAGES}.")));
        }
        if given.max_depth.is_some_and(|n| n > MAX_DEPTH) {
            return Err(invalid(&format!("max_depth: from 0 to {MAX_DEPTH}.")));
        }
        Ok(())
    }

    fn check_url(&self, policy: &AddressPolicy) -> Result<(), Problem> {
        let Some(url) = &self.given.url else {
            return if self.kind.is_fetched() {
                Err(invalid("url: say what is fetched."))
            } else {
                Ok(())
            };
        };
        if self.kind.is_fetched() {
            return check_address("url", url, policy);
        }
        check_page("url", url)
    }
}

/// Checks the values of an upload.
///
/// # Errors
/// `invalid_value`, naming the field.
pub fn check_upload(given: &SourceFields) -> Result<(), Problem> {
    let name = given.file.as_ref().map_or("", |file| file.name.as_str());
    if name.trim().is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(invalid(
            "name: the file's name with its ending, such as cv.pdf; at most 255 bytes.",
        ));
    }
    check_line("title", given.title.as_deref(), MAX_TITLE)?;
    check_language(given.language.as_deref())?;
    given
        .url
        .as_deref()
        .map_or(Ok(()), |url| check_page("url", url))
}

impl Rules for NewSource {
    fn check(&self, _: u64) -> Result<(), Problem> {
        if self.kind == SourceKind::File {
            return Err(invalid(
                "kind: files are uploaded to …/files, as they are. Here are url, site, feed, text and faq.",
            ));
        }
        Ok(())
    }
}

/// A change of a source is checked once its kind is known.
impl Rules for SourceChange {
    fn check(&self, _: u64) -> Result<(), Problem> {
        Ok(())
    }
}

fn check_page(field: &str, url: &str) -> Result<(), Problem> {
    let page = url::Url::parse(url).ok();
    let page = page.filter(|page| matches!(page.scheme(), "https" | "http"));
    if page.is_none() || url.len() > MAX_ADDRESS {
        return Err(invalid(&format!(
            "{field}: the page that answers link to, such as https://example.com/page."
        )));
    }
    Ok(())
}

fn check_line(field: &str, text: Option<&str>, most: usize) -> Result<(), Problem> {
    let Some(text) = text else { return Ok(()) };
    let wrong =
        text.trim().is_empty() || text.chars().count() > most || text.chars().any(char::is_control);
    if wrong {
        return Err(invalid(&format!(
            "{field}: 1 to {most} characters, on one line; or leave it out."
        )));
    }
    Ok(())
}

fn check_language(tag: Option<&str>) -> Result<(), Problem> {
    let Some(tag) = tag else { return Ok(()) };
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    let possible = tag.len() <= MAX_LANGUAGE
        && (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts
            .all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    if possible {
        return Ok(());
    }
    Err(invalid(
        "language: a tag such as fr, pt-BR or zh-Hant; or leave it out.",
    ))
}

fn check_entries(entries: &[FaqEntry]) -> Result<(), Problem> {
    if entries.is_empty() || entries.len() > MAX_FAQ {
        return Err(invalid(&format!(
            "entries: 1 to {MAX_FAQ} questions with their answers."
        )));
    }
    let wrong = |text: &str, most| text.trim().is_empty() || text.chars().count() > most;
    for (index, entry) in entries.iter().enumerate() {
        if wrong(&entry.question, MAX_QUESTION) || wrong(&entry.answer, MAX_ANSWER) {
            return Err(invalid(&format!(
                "entries[{index}]: a question of 1 to {MAX_QUESTION} characters and an answer of 1 to {MAX_ANSWER}."
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulle_protocol::problem::Code;
    use serde_json::json;

    fn checked(value: serde_json::Value) -> Result<(), Problem> {
        let new: NewSource = serde_json::from_value(value).unwrap();
        Rules::check(&new, 0)?;
        SourceSpec::new(new).check(&AddressPolicy::default())
    }

    #[test]
    fn what_is_possible() {
        for good in [
            json!({"kind":"url","url":"https://example.com/a","refresh_seconds":86400}),
            json!({"kind":"site","url":"https://example.com","max_pages":5000,"max_depth":0}),
            json!({"kind":"feed","url":"https://example.com/feed.xml"}),
            json!({"kind":"text","title":"Hours","text":"# Hours","language":"zh-Hant","url":"http://example.com/"}),
            json!({"kind":"faq","entries":[{"question":"Q?","answer":"A."}]}),
        ] {
            assert_eq!(checked(good.clone()), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_is_not_names_its_field() {
        for (bad, field) in [
            (json!({"kind":"file"}), "kind"),
            (json!({"kind":"url"}), "url"),
            (json!({"kind":"url","url":"http://example.com"}), "url"),
            (json!({"kind":"site","url":"https://127.0.0.1/"}), "url"),
            (json!({"kind":"text"}), "text"),
            (json!({"kind":"text","text":" \n"}), "text"),
            (
                json!({"kind":"text","text":"a","url":"javascript:x"}),
                "url",
            ),
            (json!({"kind":"text","text":"a","title":"a\nb"}), "title"),
            (json!({"kind":"text","text":"a","title":" "}), "title"),
            (
                json!({"kind":"text","text":"a","language":"french"}),
                "language",
            ),
            (
                json!({"kind":"text","text":"a","refresh_seconds":7200}),
                "refresh_seconds",
            ),
            (
                json!({"kind":"url","url":"https://example.com","refresh_seconds":60}),
                "refresh_seconds",
            ),
            (
                json!({"kind":"url","url":"https://example.com","text":"a"}),
                "text",
            ),
            (
                json!({"kind":"url","url":"https://example.com","max_pages":3}),
                "max_pages",
            ),
            (
                json!({"kind":"site","url":"https://example.com","max_pages":0}),
                "max_pages",
            ),
            (
                json!({"kind":"site","url":"https://example.com","max_pages":5001}),
                "max_pages",
            ),
            (
                json!({"kind":"site","url":"https://example.com","max_depth":51}),
                "max_depth",
            ),
            (json!({"kind":"faq"}), "entries"),
            (json!({"kind":"faq","entries":[]}), "entries"),
            (
                json!({"kind":"faq","entries":[{"question":" ","answer":"A"}]}),
                "entries[0]",
            ),
        ] {
            let problem = checked(bad.clone()).unwrap_err();
            assert_eq!(problem.code, Code::InvalidValue, "{bad}");
            assert!(
                problem.detail.starts_with(&format!("{field}: ")),
                "{bad}: {}",
                problem.detail
            );
        }
    }

    #[test]
    fn changes_keep_the_kind_and_the_file() {
        let said = SourceSpec {
            kind: SourceKind::File,
            refresh_seconds: None,
            given: SourceFields {
                title: Some("Old".into()),
                file: Some(Upload {
                    name: "cv.pdf".into(),
                    content_type: String::new(),
                    checksum: "c".into(),
                    bytes: 1,
                }),
                ..SourceFields::default()
            },
        };
        let mut change = said.clone().editable();
        assert_eq!(said.changed(change.clone()), said);
        change.title = None;
        let changed = said.changed(change);
        assert_eq!(changed.given.title, None);
        assert_eq!(changed.given.file, said.given.file);
    }

    #[test]
    fn an_upload_has_a_name() {
        for (name, good) in [("cv.pdf", true), ("", false), (" ", false), ("a\nb", false)] {
            let given = SourceFields {
                file: Some(Upload {
                    name: name.into(),
                    content_type: String::new(),
                    checksum: String::new(),
                    bytes: 0,
                }),
                ..SourceFields::default()
            };
            assert_eq!(check_upload(&given).is_ok(), good, "{name}");
        }
    }
}
