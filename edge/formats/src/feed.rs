//! RSS 2.0, RSS 1.0, Atom and JSON feed.

use serde_json::Value;
use url::Url;

use crate::{
    Document, Unreadable,
    html::{self, language_tag},
    json, limits, write,
    xml::{self, XmlEvent, attribute},
};

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

/// The entries, in the feed's order, at most [`crate::limits::MAX_FEED_ENTRIES`].
///
/// # Errors
/// Not a feed, broken, or over a limit.
pub fn feed(bytes: &[u8], url: &str) -> Result<Vec<FeedEntry>, Unreadable> {
    if bytes.len() > limits::MAX_HTML_BYTES {
        return Err(Unreadable::too_large(format!(
            "The feed has more than {} MB. Give the addresses of its pages instead.",
            limits::MAX_HTML_BYTES / limits::MEGABYTE
        )));
    }
    let text = xml::decode(bytes, None);
    let (language, entries) = match text.trim_start().chars().next() {
        Some('{') => of_json(&json::parse(&text)?)?,
        Some('<') => of_xml(&text)?,
        _ => return Err(no_feed()),
    };
    let base = Url::parse(url).ok();
    entries
        .into_iter()
        .map(|entry| entry.finish(&language, base.as_ref()))
        .collect()
}

fn no_feed() -> Unreadable {
    Unreadable::mislabelled(
        "This is no feed of RSS, Atom or JSON. Check the address; it may be that of a page.",
    )
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
        // Entities of titles may be escaped twice.
        let title =
            html::fragment(&self.title, "").map(|text| write::flat(&text.replace('\\', "")))?;
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

fn of_xml(text: &str) -> Result<(String, Vec<RawEntry>), Unreadable> {
    let (mut language, mut root) = (String::new(), String::new());
    let mut entries: Vec<RawEntry> = Vec::new();
    let mut open: Option<RawEntry> = None;
    // The elements that are open within an entry. XHTML within `content` is written out again as HTML.
    let mut path: Vec<String> = Vec::new();
    let mut xhtml = false;
    xml::read(text, |event| {
        match event {
            XmlEvent::Start(name, prefix, attributes) => {
                if root.is_empty() {
                    name.clone_into(&mut root);
                    language = attribute(attributes, "lang")
                        .map(language_tag)
                        .unwrap_or_default();
                }
                let Some(entry) = open.as_mut() else {
                    if matches!(name, "item" | "entry") {
                        open = Some(RawEntry::default());
                        path.clear();
                    } else {
                        path = vec![name.to_owned()];
                    }
                    return Ok(());
                };
                path.push(format!("{prefix}:{name}"));
                if xhtml && path.len() > 1 {
                    let href = attribute(attributes, "href")
                        .map(|href| format!(" href=\"{}\"", href.replace('"', "%22")));
                    entry
                        .content
                        .push_str(&format!("<{name}{}>", href.unwrap_or_default()));
                } else if path.len() == 1 {
                    let kind = attribute(attributes, "type").unwrap_or_default();
                    xhtml = name == "content" && kind == "xhtml";
                    if name == "content" && prefix.is_empty() {
                        entry.plain = kind == "text";
                    }
                    let rel = attribute(attributes, "rel").unwrap_or("alternate");
                    if let (true, Some(href)) = (
                        name == "link" && rel == "alternate",
                        attribute(attributes, "href"),
                    ) {
                        href.clone_into(&mut entry.link);
                    }
                }
            }
            XmlEvent::Text(text) => match (open.as_mut(), path.first().map(String::as_str)) {
                (None, Some("language")) if language.is_empty() => language = language_tag(text),
                (Some(entry), Some(_)) if xhtml && path.len() > 1 => {
                    entry
                        .content
                        .push_str(&text.replace('&', "&amp;").replace('<', "&lt;"));
                }
                (Some(entry), Some(name)) if path.len() == 1 => {
                    let field = match name {
                        ":title" => &mut entry.title,
                        ":link" => &mut entry.link,
                        ":guid" | ":id" => &mut entry.id,
                        ":pubDate" | ":updated" | "dc:date" | ":lastBuildDate" => {
                            &mut entry.updated
                        }
                        ":published" if entry.updated.is_empty() => &mut entry.updated,
                        ":description" | ":summary" | "itunes:summary" => &mut entry.summary,
                        ":content" | "content:encoded" => &mut entry.content,
                        _ => return Ok(()),
                    };
                    field.push_str(text);
                }
                _ => {}
            },
            XmlEvent::End(name) => {
                if matches!(name, "item" | "entry") && path.is_empty() {
                    entries.extend(
                        open.take()
                            .filter(|_| entries.len() < limits::MAX_FEED_ENTRIES),
                    );
                } else if let Some(entry) = open.as_mut() {
                    if xhtml && path.len() > 1 {
                        entry.content.push_str(&format!("</{name}>"));
                    }
                    path.pop();
                    xhtml &= !path.is_empty();
                } else {
                    path.clear();
                }
            }
        }
        Ok(())
    })?;
    if matches!(root.as_str(), "rss" | "feed" | "RDF") {
        Ok((language, entries))
    } else {
        Err(no_feed())
    }
}

fn of_json(value: &Value) -> Result<(String, Vec<RawEntry>), Unreadable> {
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
    let items = value
        .get("items")
        .and_then(Value::as_array)
        .ok_or_else(no_feed)?;
    let entry = |item: &Value| {
        let html = of(item, "content_html");
        let modified = of(item, "date_modified");
        RawEntry {
            id: of(item, "id"),
            title: of(item, "title").replace('&', "&amp;").replace('<', "&lt;"),
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
    Ok((language_tag(&of(value, "language")), entries))
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

    #[test]
    fn entries_of_every_kind() {
        let all: Vec<FeedEntry> = [RSS, ATOM, JSON]
            .iter()
            .flat_map(|text| feed(text.as_bytes(), "https://a.example/feed").unwrap())
            .collect();
        insta::assert_debug_snapshot!(all);
    }

    #[test]
    fn what_is_none_says_so() {
        for (text, code) in [
            ("<html><body>x</body></html>", "mislabelled"),
            ("{\"a\":1}", "mislabelled"),
            ("plain", "mislabelled"),
            (write::head(RSS, 300), "corrupt"),
        ] {
            assert_eq!(
                feed(text.as_bytes(), "").unwrap_err().code.as_str(),
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
            let _ = feed(&bytes, "https://a.example/");
            let _ = crate::sitemap(&bytes);
        }
    }
}
