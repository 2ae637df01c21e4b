//! RSS 2.0, RSS 1.0, Atom and JSON feed.
//!
//! Real feeds are often malformed XML: HTML's entities without a DTD, a bare `&` or `<`, HTML elements without an end, a
//! truncated file. They are read leniently ([`xml::read_lenient`]). Of a truncated feed, the complete entries are read.

use std::borrow::Cow;

use serde_json::Value;
use url::Url;

use crate::{
    Document, Unreadable,
    html::{self, language_tag},
    json, limits, write,
    xml::{self, XmlEvent, attribute},
};

/// A feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its title; may be empty.
    pub title: String,
    /// Its entries in the feed's order, at most [`crate::limits::MAX_FEED_ENTRIES`].
    pub entries: Vec<FeedEntry>,
    /// Whether the end of the feed is missing.
    pub truncated: bool,
}

/// An entry of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its id in the feed; its address when it has none.
    pub id: String,
    /// When it was last changed, as the feed writes it; empty when it has no date.
    pub updated: String,
    /// Its text. The address is absolute.
    pub document: Document,
}

/// Reads a feed that was fetched from an address.
///
/// # Errors
/// Not a feed, truncated before the end of the first entry, or over a limit.
pub fn feed(bytes: &[u8], url: &str, content_type: Option<&str>) -> Result<Feed, Unreadable> {
    if bytes.len() > limits::MAX_HTML_BYTES {
        return Err(Unreadable::too_large(format!(
            "The feed has more than {} MB. Give the addresses of its pages instead.",
            limits::MAX_HTML_BYTES / limits::MEGABYTE
        )));
    }
    let text = xml::decode(bytes, content_type);
    let raw = if text.trim_start().starts_with('{') {
        of_json(&json::parse(&text)?)?
    } else if text.contains('<') {
        of_xml(&text)?
    } else {
        return Err(no_feed());
    };
    if raw.truncated && raw.entries.is_empty() {
        return Err(Unreadable::corrupt(
            "The feed is truncated before its first entry ends. Generate it again.",
        ));
    }
    let base = Url::parse(url).ok();
    let entries = raw
        .entries
        .into_iter()
        .map(|entry| entry.finish(&raw.language, base.as_ref()))
        .collect::<Result<_, _>>()?;
    Ok(Feed {
        title: title(&raw.title)?,
        entries,
        truncated: raw.truncated,
    })
}

fn no_feed() -> Unreadable {
    Unreadable::mislabelled(
        "This is no feed of RSS, Atom or JSON. Check the address; it may be that of a page.",
    )
}

/// A title in one line. Titles contain HTML, and their entities may be escaped twice.
fn title(html: &str) -> Result<String, Unreadable> {
    let text = html::fragment(html, "")?;
    let line = write::flat(&text.replace('\\', ""));
    Ok(line.chars().take(limits::MAX_TITLE_CHARS).collect())
}

/// A feed before its HTML is read.
#[derive(Default)]
struct RawFeed {
    title: String,
    language: String,
    entries: Vec<RawEntry>,
    truncated: bool,
}

#[derive(Default)]
struct RawEntry {
    id: String,
    title: String,
    link: String,
    updated: String,
    summary: String,
    content: String,
    /// Whether the content is text, not HTML.
    plain: bool,
}

impl RawEntry {
    fn finish(self, language: &str, base: Option<&Url>) -> Result<FeedEntry, Unreadable> {
        // Some feeds give an address as `guid` alone.
        let link = if self.link.trim().is_empty() && self.id.starts_with("http") {
            &self.id
        } else {
            &self.link
        };
        let url = Url::options()
            .base_url(base)
            .parse(link.trim())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .map(String::from)
            .unwrap_or_default();
        let title = title(&self.title)?;
        let mut body = String::new();
        write::heading(&mut body, 1, &write::escape(&title), None);
        let text = if self.content.trim().is_empty() {
            &self.summary
        } else {
            &self.content
        };
        if self.plain {
            write::paragraph(&mut body, text);
        } else {
            write::block(&mut body, &html::fragment(text, &url)?);
        }
        Ok(FeedEntry {
            id: if self.id.trim().is_empty() {
                url.clone()
            } else {
                self.id.trim().to_owned()
            },
            updated: self.updated.trim().to_owned(),
            document: Document {
                title,
                language: language.to_owned(),
                url,
                body,
            },
        })
    }
}

/// The member of an entry for the text of an element.
fn field<'e>(entry: &'e mut RawEntry, name: &str) -> Option<&'e mut String> {
    Some(match name {
        ":title" => &mut entry.title,
        ":link" => &mut entry.link,
        ":guid" | ":id" => &mut entry.id,
        ":pubDate" | ":updated" | "dc:date" | ":lastBuildDate" => &mut entry.updated,
        ":published" if entry.updated.is_empty() => &mut entry.updated,
        ":description" | ":summary" | "itunes:summary" => &mut entry.summary,
        ":content" | "content:encoded" => &mut entry.content,
        _ => return None,
    })
}

fn of_xml(text: &str) -> Result<RawFeed, Unreadable> {
    let mut feed = RawFeed {
        truncated: true,
        ..RawFeed::default()
    };
    // Warnings of a script may stand before the root.
    let mut in_root = false;
    let mut open: Option<RawEntry> = None;
    // The elements that are open within the feed, or within the entry that is open.
    let mut path: Vec<String> = Vec::new();
    // Whether the open title or summary declares plain text (Atom).
    let mut plain = false;
    xml::read_lenient(text, |event| {
        match event {
            XmlEvent::Start(name, _, attributes) if !in_root => {
                in_root = matches!(name, "rss" | "feed" | "RDF");
                if in_root {
                    feed.language = attribute(attributes, "lang")
                        .map(language_tag)
                        .unwrap_or_default();
                }
            }
            XmlEvent::Start(name, prefix, attributes) => {
                if path.is_empty() {
                    plain = matches!(name, "title" | "summary")
                        && attribute(attributes, "type") == Some("text");
                }
                let Some(entry) = open.as_mut() else {
                    if matches!(name, "item" | "entry") {
                        open = Some(RawEntry::default());
                        path.clear();
                    } else if !(path.is_empty() && name == "channel") {
                        path.push(name.to_owned());
                    }
                    return Ok(());
                };
                path.push(format!("{prefix}:{name}"));
                if path.len() == 1 {
                    start_field(entry, name, prefix, attributes);
                } else if let Some(field) = path.first().and_then(|first| field(entry, first)) {
                    // XHTML, or HTML without escapes, is written out again as HTML.
                    let href = attribute(attributes, "href")
                        .map(|href| format!(" href=\"{}\"", href.replace('"', "%22")));
                    field.push_str(&format!("<{name}{}>", href.unwrap_or_default()));
                }
            }
            XmlEvent::Text(text) => match open.as_mut() {
                None if feed.language.is_empty() && path == ["language"] => {
                    feed.language = language_tag(text);
                }
                // The title of an Atom feed may contain XHTML.
                None if path.first().is_some_and(|name| name == "title") => {
                    feed.title.push_str(&as_html(text, plain));
                }
                None => {}
                Some(entry) => {
                    if let Some(field) = path.first().and_then(|first| field(entry, first)) {
                        field.push_str(&as_html(text, plain || path.len() > 1));
                    }
                }
            },
            XmlEvent::End(name) => {
                if matches!(name, "item" | "entry") && path.is_empty() {
                    if feed.entries.len() < limits::MAX_FEED_ENTRIES {
                        feed.entries.extend(open.take());
                    }
                    open = None;
                    return Ok(());
                }
                if let Some(entry) = open.as_mut()
                    && path.len() > 1
                    && let Some(field) = path.first().and_then(|first| field(entry, first))
                {
                    field.push_str(&format!("</{name}>"));
                }
                feed.truncated &= !matches!(name, "rss" | "feed" | "RDF") || open.is_some();
                path.pop();
            }
        }
        Ok(())
    })?;
    if !in_root {
        return Err(no_feed());
    }
    Ok(feed)
}

/// A text as HTML: plain text is escaped.
fn as_html(text: &str, plain: bool) -> Cow<'_, str> {
    if plain {
        Cow::Owned(text.replace('&', "&amp;").replace('<', "&lt;"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Reads the attributes of an element of an entry.
fn start_field(entry: &mut RawEntry, name: &str, prefix: &str, attributes: &[(String, String)]) {
    if name == "content" && prefix.is_empty() {
        entry.plain = attribute(attributes, "type") == Some("text");
    }
    let rel = attribute(attributes, "rel").unwrap_or("alternate");
    if name == "link"
        && rel == "alternate"
        && let Some(href) = attribute(attributes, "href")
    {
        href.clone_into(&mut entry.link);
    }
}

fn of_json(value: &Value) -> Result<RawFeed, Unreadable> {
    let of = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    if !of(value, "version").contains("jsonfeed.org") {
        return Err(no_feed());
    }
    let escaped = |value: &Value| as_html(&of(value, "title"), true).into_owned();
    let items = value
        .get("items")
        .and_then(Value::as_array)
        .ok_or_else(no_feed)?;
    let entry = |item: &Value| {
        let html = of(item, "content_html");
        let modified = of(item, "date_modified");
        RawEntry {
            id: of(item, "id"),
            title: escaped(item),
            link: of(item, "url"),
            updated: if modified.is_empty() {
                of(item, "date_published")
            } else {
                modified
            },
            summary: of(item, "summary"),
            plain: html.is_empty(),
            content: if html.is_empty() {
                of(item, "content_text")
            } else {
                html
            },
        }
    };
    let entries = items
        .iter()
        .take(limits::MAX_FEED_ENTRIES)
        .map(entry)
        .collect();
    Ok(RawFeed {
        title: escaped(value),
        language: language_tag(&of(value, "language")),
        entries,
        truncated: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSS: &str = r#"<?xml version="1.0"?><rss version="2.0" xmlns:content="c" xmlns:media="m"><channel><title>Journal</title>
<language>fr-fr</language><image><title>non</title><link>https://non.example/</link></image>
<item><title>Pain &amp;amp; four</title><link>/a</link><guid isPermaLink="false">7</guid><pubDate>Mon, 05 Jan 2026 10:00:00 GMT</pubDate>
<description>court</description><content:encoded><![CDATA[<h2 id="x">Le <b>four</b></h2><p>Chauffe.</p><script>1</script>]]></content:encoded>
<media:group><media:title>autre</media:title></media:group></item>
<item><title>パンの日</title><guid>https://a.example/2</guid><description>&lt;p&gt;毎朝七時。&lt;/p&gt;</description></item></channel></rss>"#;

    const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ar"><title>t</title><link href="https://a.example/"/>
<entry><title type="html">خبر</title><id>urn:1</id><updated>2026-01-02T00:00:00Z</updated><link rel="self" href="/self"/><link href="/3"/>
<content type="xhtml"><div xmlns="h"><p>في <a href="https://b.example/">السابعة</a> &lt;</p><ul><li>خبز</li></ul></div></content></entry></feed>"#;

    const JSON: &str = r#"{"version":"https://jsonfeed.org/version/1.1","language":"th","items":[{"id":"1","url":"https://a.example/1",
        "title":"เปิด","content_text":"เปิดทุกวัน *","date_published":"2026-01-01"}]}"#;

    fn read(text: &str) -> Feed {
        feed(text.as_bytes(), "https://a.example/feed", None).unwrap()
    }

    /// An RSS feed of one item with this inside, and what its document says.
    fn said(item: &str) -> String {
        let text = format!("<rss><channel><title>T</title><item>{item}</item></channel></rss>");
        let feed = read(&text);
        assert_eq!(feed.entries.len(), 1, "{item}");
        let body = &feed.entries[0].document.body;
        body.trim_end().replace('\\', "").replace('\u{a0}', " ")
    }

    #[test]
    fn what_is_not_quite_xml_is_read_as_it_is_meant() {
        for (item, expected) in [
            ("<title>Caf&eacute; &mdash; new</title>", "# Café — new"),
            ("<title>Fish & Chips</title>", "# Fish & Chips"),
            ("<title>AT&amp;T &amp;amp; Co</title>", "# AT&T & Co"),
            ("<title>I <3 bread, 2 < 3</title>", "# I <3 bread, 2 < 3"),
            (
                "<title>A</title><description>one<br>two<p>three</description>",
                "# A\n\none\ntwo\n\nthree",
            ),
            (
                "<title>A</title><description>&lt;p&gt;caf&amp;eacute;&lt;/p&gt;</description>",
                "# A\n\ncafé",
            ),
            (
                "<title>A &hellip;</title><description>1 &euro;, 2&nbsp;€ &nosuch;</description>",
                "# A …\n\n1 €, 2 € &nosuch;",
            ),
        ] {
            assert_eq!(said(item), expected, "{item}");
        }
        let link = read(
            "<rss><channel><item><title>A</title><link>/p?a=1&b=2&copy=3</link></item></channel></rss>",
        );
        assert_eq!(
            link.entries[0].document.url,
            "https://a.example/p?a=1&b=2&copy=3"
        );
    }

    #[test]
    fn a_feed_says_its_own_title() {
        for (text, title) in [
            (RSS, "Journal"),
            (ATOM, "t"),
            (JSON, ""),
            (
                "<feed><title type=\"xhtml\"><div>Bread &amp; <b>more</b></div></title></feed>",
                "Bread & more",
            ),
            (
                "<rdf:RDF><channel><title>Caf&eacute;</title></channel><image><title>no</title></image><item><title>no</title></item></rdf:RDF>",
                "Café",
            ),
            (
                "<rss><channel><image><title>no</title></image><title>Yes &amp;amp; no</title><textInput><title>no</title></textInput></channel></rss>",
                "Yes & no",
            ),
            (
                "{\"version\":\"https://jsonfeed.org/version/1\",\"title\":\"a < b & c\",\"items\":[]}",
                "a < b & c",
            ),
        ] {
            assert_eq!(read(text).title, title, "{text}");
        }
    }

    #[test]
    fn the_entries_before_a_missing_end_are_read() {
        let second = RSS.find("</title><guid>").unwrap();
        let feed = read(bulle_edge_text::prefix(RSS, second));
        assert_eq!((feed.entries.len(), feed.truncated), (1, true));
        let whole = read(RSS);
        assert_eq!((whole.entries.len(), whole.truncated), (2, false));
        assert_eq!(feed.entries[0], whole.entries[0]);
        let warned = format!("\n<br />\n<b>Notice</b>: x\n{RSS}");
        assert_eq!(read(&warned).entries, whole.entries);
    }

    #[test]
    fn the_encoding_of_the_answer_counts() {
        let text = b"<rss><channel><title>\xcf\xf0\xe8</title></channel></rss>";
        let feed = feed(text, "", Some("application/rss+xml; charset=windows-1251"));
        assert_eq!(feed.unwrap().title, "При");
    }

    #[test]
    fn entries_of_every_kind() {
        let all: Vec<FeedEntry> = [RSS, ATOM, JSON]
            .iter()
            .flat_map(|text| read(text).entries)
            .collect();
        insta::assert_debug_snapshot!(all);
    }

    #[test]
    fn what_is_none_says_so() {
        for (text, code) in [
            ("<html><body>x</body></html>", "mislabelled"),
            ("{\"a\":1}", "mislabelled"),
            ("plain", "mislabelled"),
            (bulle_edge_text::prefix(RSS, 300), "corrupt"),
        ] {
            assert_eq!(
                feed(text.as_bytes(), "", None).unwrap_err().code.as_str(),
                code,
                "{text}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn a_broken_feed_does_not_panic(which: bool, at in 0..900_usize, byte: u8, cut in 0..3_000_usize) {
            let mut bytes = if which { RSS } else { ATOM }.as_bytes().to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            bytes.truncate(cut);
            let _ = feed(&bytes, "https://a.example/", None);
            let _ = crate::sitemap(&bytes, "https://a.example/");
        }
    }
}
