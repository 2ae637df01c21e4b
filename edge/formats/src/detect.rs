//! The format of a file: by its bytes first, then by its declared type, then by its name.

use crate::{File, Unreadable, charset, docx, json, limits, linkedin, unpack::Archive, xml};

/// A format that this crate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Markdown with or without front matter.
    Markdown,
    /// Plain text.
    Text,
    /// A web page.
    Html,
    /// A PDF file.
    Pdf,
    /// A Word document.
    Docx,
    /// A table, separated by commas, semicolons, tabs or bars.
    Csv,
    /// JSON, or JSON Lines.
    Json,
    /// The archive that LinkedIn exports of a member's data.
    LinkedIn,
    /// RSS, Atom or JSON feed.
    Feed,
    /// A sitemap or an index of sitemaps: addresses, no text.
    Sitemap,
}

/// Signatures of files that have no text to read, and the text of the error for the owner.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"BM", ""),
    (b"RIFF", "a picture, sound or film"),
    (b"ID3", "sound"),
    (b"OggS", "sound or film"),
    (b"fLaC", "sound"),
    (b"\x1aE\xdf\xa3", "film"),
    (b"MZ", ""),
    (b"\x7fELF", "a program"),
    (b"\0asm", "a program"),
    (b"Rar!", "an archive that is not read here"),
    (b"7z\xbc\xaf", "an archive that is not read here"),
    (b"\x1f\x8b", "a packed file"),
    (b"BZh", "a packed file"),
    (b"\xfd7zXZ", "a packed file"),
    (b"SQLite format 3", "a database"),
];

/// The format of a file.
///
/// # Errors
/// A format that this crate does not read, or content that contradicts the name.
pub fn format(file: &File<'_>) -> Result<Format, Unreadable> {
    let bytes = file.bytes;
    let declared = declared(file);
    let head = bytes.get(..bytes.len().min(1_024)).unwrap_or_default();
    if bytes
        .iter()
        .all(|byte| byte.is_ascii_whitespace() || *byte == 0)
    {
        return Err(Unreadable::no_text(
            "The file is empty. Give one that holds text.",
        ));
    }
    // Some programs put a line before the signature.
    if head.windows(5).any(|window| window == b"%PDF-") {
        return Ok(Format::Pdf);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return archive(bytes);
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(compound(bytes));
    }
    if head.starts_with(b"{\\rtf") {
        return Err(Unreadable::unsupported(
            "RTF is not read. Open the file in a word processor, save it as .docx and give that.",
        ));
    }
    let foreign = FOREIGN.iter().find(|(mark, _)| head.starts_with(mark));
    if let Some((_, what)) = foreign.filter(|(_, what)| !what.is_empty() || is_binary(head)) {
        return Err(not_text(what, declared));
    }
    if head.get(4..8) == Some(b"ftyp") {
        return Err(not_text("film or a picture", declared));
    }
    let text = charset::decode(head, file.content_type);
    if is_binary(head) {
        return Err(not_text("", declared));
    }
    if matches!(
        declared,
        Some(Format::Pdf | Format::Docx | Format::LinkedIn)
    ) {
        return Err(Unreadable::mislabelled(
            "The file is named as a document or an archive, but holds plain text. Perhaps an error page was saved in \
             its place: open it, and give the true file.",
        ));
    }
    told_by_text(file, &text, declared)
}

fn told_by_text(
    file: &File<'_>,
    head: &str,
    declared: Option<Format>,
) -> Result<Format, Unreadable> {
    let start = head.trim_start_matches('\u{feff}').trim_start();
    let lower = start.to_ascii_lowercase();
    if ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|mark| lower.starts_with(mark))
    {
        return Ok(Format::Html);
    }
    let roots = [
        ("<rss", Format::Feed),
        ("<feed", Format::Feed),
        ("<rdf:rdf", Format::Feed),
        ("<urlset", Format::Sitemap),
        ("<sitemapindex", Format::Sitemap),
    ];
    let xml = lower.starts_with("<?xml") || roots.iter().any(|(root, _)| lower.starts_with(root));
    if xml {
        let text = xml::decode(
            file.bytes
                .get(..file.bytes.len().min(16_384))
                .unwrap_or_default(),
            file.content_type,
        );
        let lower = text.to_ascii_lowercase();
        let first = roots
            .iter()
            .filter_map(|(root, format)| Some((lower.find(root)?, *format)))
            .min_by_key(|(at, _)| *at);
        let html = lower.find("<html");
        return match (first, html) {
            (Some((at, format)), html) if html.is_none_or(|html| at < html) => Ok(format),
            (_, Some(_)) => Ok(Format::Html),
            _ => Err(Unreadable::unsupported(
                "This kind of XML is not read. Give the text as a page, a Word document, Markdown or CSV.",
            )),
        };
    }
    let comment = lower.starts_with("<!--") && declared == Some(Format::Html);
    match declared {
        Some(Format::Markdown) => return Ok(Format::Markdown),
        Some(Format::Html) if comment || start.contains('<') || start.contains('&') => {
            return Ok(Format::Html);
        }
        Some(Format::Csv) => return Ok(Format::Csv),
        _ => {}
    }
    if start.starts_with(['{', '[']) || declared == Some(Format::Json) {
        if file.bytes.len() > limits::MAX_JSON_BYTES && declared == Some(Format::Json) {
            return Ok(Format::Json);
        }
        return match json::parse(&charset::decode(file.bytes, file.content_type)) {
            Ok(value)
                if value
                    .get("version")
                    .and_then(|v| v.as_str())
                    .is_some_and(|v| v.contains("jsonfeed.org")) =>
            {
                Ok(Format::Feed)
            }
            Ok(value) if value.is_object() || value.is_array() => Ok(Format::Json),
            Err(error) if declared == Some(Format::Json) => Err(error),
            _ => Ok(Format::Text),
        };
    }
    Ok(if start.starts_with("---\n") {
        Format::Markdown
    } else {
        Format::Text
    })
}

/// The format that the declared type names, else the ending of the name.
fn declared(file: &File<'_>) -> Option<Format> {
    let media_type = file
        .content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let by_type = match media_type.as_str() {
        "text/markdown" | "text/x-markdown" => Some(Format::Markdown),
        "text/html" | "application/xhtml+xml" => Some(Format::Html),
        "application/pdf" => Some(Format::Pdf),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
            Some(Format::Docx)
        }
        "text/csv" | "text/tab-separated-values" => Some(Format::Csv),
        "application/json" | "application/ld+json" | "application/x-ndjson" => Some(Format::Json),
        "application/zip" | "application/x-zip-compressed" => Some(Format::LinkedIn),
        _ => None,
    };
    let path = file.name.split(['?', '#']).next().unwrap_or_default();
    let ending = path
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    by_type.or_else(|| match ending.as_deref()? {
        "md" | "markdown" | "mdx" => Some(Format::Markdown),
        "html" | "htm" | "xhtml" => Some(Format::Html),
        "pdf" => Some(Format::Pdf),
        "docx" => Some(Format::Docx),
        "csv" | "tsv" => Some(Format::Csv),
        "json" | "jsonl" | "ndjson" => Some(Format::Json),
        "zip" => Some(Format::LinkedIn),
        _ => None,
    })
}

fn archive(bytes: &[u8]) -> Result<Format, Unreadable> {
    let archive = Archive::open(bytes)?;
    if archive.names().any(docx::is_main) {
        return Ok(Format::Docx);
    }
    if linkedin::is_export(archive.names()) {
        return Ok(Format::LinkedIn);
    }
    let has = |part: &str| archive.names().any(|name| name.starts_with(part));
    let detail = if has("xl/") {
        "Excel files are not read. Save each sheet as CSV and give that."
    } else if has("ppt/") {
        "Slides are not read. Export them as PDF and give that."
    } else if has("content.xml") {
        "OpenDocument files are not read. Save the document as .docx or PDF and give that."
    } else if has("META-INF/container.xml") {
        "Books (EPUB) are not read. Convert the book to PDF or .docx and give that."
    } else if archive.names().next().is_none() {
        return Err(Unreadable::no_text(
            "The archive is empty. Give one that holds text.",
        ));
    } else {
        "Of archives only LinkedIn's export of one's data is read. Unpack this one and give its files."
    };
    Err(Unreadable::unsupported(detail))
}

/// The reason why a compound file (OLE) cannot be read: a document of before 2007, or a newer one with a password.
fn compound(bytes: &[u8]) -> Unreadable {
    let name: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    if bytes.windows(name.len()).any(|window| window == name) {
        Unreadable::encrypted(
            "The document asks for a password. Save a copy without one and give that.",
        )
    } else {
        Unreadable::unsupported(
            "Documents of Office 97 to 2003 are not read. Open the file, save it as .docx or PDF and give that.",
        )
    }
}

fn not_text(what: &str, declared: Option<Format>) -> Unreadable {
    let what = if what.is_empty() {
        "data that is no text"
    } else {
        what
    };
    match declared {
        Some(_) => Unreadable::mislabelled(format!(
            "By its name or type the file is a document, but it holds {what}. Give the document itself."
        )),
        None => Unreadable::unsupported(format!(
            "The file holds {what}. Give text: a page, PDF, Word document, Markdown, CSV or JSON."
        )),
    }
}

/// Whether the data contains more than a few bytes that are in no single-byte or UTF-8 text.
fn is_binary(head: &[u8]) -> bool {
    let odd = head
        .iter()
        .filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
        .count();
    odd * 100 > head.len() && !charset::is_utf16(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case<'a> = (&'a str, Option<&'a str>, &'a [u8], Result<Format, &'a str>);

    fn of(name: &str, content_type: Option<&str>, bytes: &[u8]) -> Result<Format, &'static str> {
        let file = File {
            name,
            content_type,
            url: "",
            bytes,
        };
        format(&file).map_err(|error| error.code.as_str())
    }

    #[test]
    fn bytes_come_before_type_and_type_before_name() {
        let docx = include_bytes!("../tests/samples/letter.docx");
        let linkedin = include_bytes!("../tests/samples/linkedin.zip");
        let cases: &[Case<'_>] = &[
            ("a.md", None, b"# T", Ok(Format::Markdown)),
            ("a.txt", None, b"hello", Ok(Format::Text)),
            ("a.md", None, b"<!DOCTYPE html><p>x", Ok(Format::Html)),
            (
                "a.md",
                None,
                b"<p align=center>x</p>\n# T",
                Ok(Format::Markdown),
            ),
            ("a.txt", None, b"%PDF-1.7 ...", Ok(Format::Pdf)),
            ("a.pdf", None, docx, Ok(Format::Docx)),
            ("a.docx", None, linkedin, Ok(Format::LinkedIn)),
            ("a.pdf", None, b"<html>Please log in", Err("mislabelled")),
            ("a.docx", Some("text/plain"), b"text", Err("mislabelled")),
            ("a.txt", None, b"\x89PNG\r\n\x1a\n\0\0", Err("unsupported")),
            ("a.pdf", None, b"\x89PNG\r\n\x1a\n\0\0", Err("mislabelled")),
            (
                "a.csv",
                None,
                b"a\0\x01\x02\xff\xfe\x03",
                Err("mislabelled"),
            ),
            (
                "",
                Some("text/csv; charset=utf-8"),
                b"a,b\n1,2",
                Ok(Format::Csv),
            ),
            ("a.html", Some("text/csv"), b"a,b\n1,2", Ok(Format::Csv)),
            ("x?y.html", Some("text/html"), b"<p>x", Ok(Format::Html)),
            ("a.html", None, b"just text", Ok(Format::Text)),
            ("a.txt", None, b"{\"a\": [1]}", Ok(Format::Json)),
            ("a.txt", None, b"[Scene] {not json", Ok(Format::Text)),
            ("a.json", None, b"{broken", Err("corrupt")),
            (
                "f",
                None,
                b"{\"version\":\"https://jsonfeed.org/version/1\",\"items\":[]}",
                Ok(Format::Feed),
            ),
            (
                "f.xml",
                None,
                b"<?xml version='1.0'?><!-- x --><rss version='2.0'/>",
                Ok(Format::Feed),
            ),
            (
                "f.xml",
                None,
                b"<?xml version='1.0'?><urlset/>",
                Ok(Format::Sitemap),
            ),
            (
                "f.xml",
                None,
                b"<?xml version='1.0'?><other/>",
                Err("unsupported"),
            ),
            ("a.rtf", None, b"{\\rtf1 x}", Err("unsupported")),
            (
                "a.doc",
                None,
                b"\xd0\xcf\x11\xe0 E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
                Err("encrypted"),
            ),
            ("a.doc", None, b"\xd0\xcf\x11\xe0 x", Err("unsupported")),
            ("a.txt", None, b" \n\0", Err("no_text")),
            ("a.txt", None, b"\xff\xfeh\0e\0l\0l\0o\0", Ok(Format::Text)),
            ("a.txt", None, b"MZ is a code", Ok(Format::Text)),
        ];
        for (name, content_type, bytes, expected) in cases {
            assert_eq!(
                of(name, *content_type, bytes),
                *expected,
                "{name} {content_type:?}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), name in "[a-z]{0,2}\\.(md|pdf|csv|json|html|zip|docx|txt)") {
            let _ = crate::read(&File { name: &name, content_type: None, url: "", bytes: &bytes });
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}", name in "a\\.(md|csv|json|html|txt)") {
            let _ = crate::read(&File { name: &name, content_type: None, url: "", bytes: text.as_bytes() });
        }
    }
}
