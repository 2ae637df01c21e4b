//! Web pages: the main text, without navigation, banners and footers.

mod body;
mod controls;
mod dom;
mod email;
mod main_part;
mod math;
mod meta_refresh;
mod raised;
mod reading;
mod shape;
mod sheet;
mod struck;
mod table;
mod tabs;

use std::collections::HashSet;

use url::Url;

use crate::{
    Document, File, Unreadable, charset, limits,
    robots::{PRODUCT_TOKEN, PageRules},
    write,
};
use dom::{Dom, NodeId};
pub use meta_refresh::{Refresh, refresh};
use reading::Reading;

/// A web page, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebPage {
    /// Its text. `url` is the canonical address if that has the origin of the fetched one, else the fetched one. The body is
    /// empty if there is nothing to read.
    pub document: Document,
    /// Addresses of its links, navigation included, without those with `rel=nofollow`: absolute, `http` or `https`, without
    /// fragment, each once, in the order of the page.
    pub links: Vec<String>,
    /// Addresses of feeds that the page names.
    pub feeds: Vec<String>,
    /// `link rel=canonical`, absolute, whatever its origin.
    pub canonical: Option<String>,
    /// The rules of `meta name=robots`.
    pub rules: PageRules,
}

/// Reads a page that was fetched from an address.
///
/// # Errors
/// Over a limit. A page without text is no error: a crawl may need its links alone.
pub fn page(html: &[u8], url: &str, content_type: Option<&str>) -> Result<WebPage, Unreadable> {
    if html.len() > limits::MAX_HTML_BYTES {
        return Err(Unreadable::too_large(format!(
            "The page has {} MB; the most is {} MB. Divide it into several pages.",
            html.len().div_ceil(limits::MEGABYTE),
            limits::MAX_HTML_BYTES / limits::MEGABYTE
        )));
    }
    of_text(&decode(html, content_type), url)
}

/// The text of a page.
fn decode(html: &[u8], content_type: Option<&str>) -> String {
    let head = String::from_utf8_lossy(html.get(..html.len().min(2_048)).unwrap_or_default());
    let label = content_type
        .and_then(charset::charset_of)
        .or_else(|| meta_charset(&head));
    charset::decode_with(html, label)
}

/// The document of a file.
pub(crate) fn read(file: &File<'_>) -> Result<Document, Unreadable> {
    let page = page(file.bytes, file.url, file.content_type)?;
    if page.document.body.trim().is_empty() {
        return Err(Unreadable::no_text(
            "The page holds no text of its own. If scripts build it in the browser, save it from there as a file, or \
             give its text.",
        ));
    }
    Ok(page.document)
}

/// The Markdown of a piece of HTML, such as the content of a feed's entry.
pub(crate) fn fragment(html: &str, url: &str) -> Result<String, Unreadable> {
    let mut dom = Dom::parse(html)?;
    struck::remove(&mut dom);
    body::markdown(&Reading::piece(&dom), &[0], Url::parse(url).ok().as_ref())
}

/// `charset` of a `meta` element in the first bytes.
fn meta_charset(head: &str) -> Option<&str> {
    let at = head.to_ascii_lowercase().find("charset=")? + "charset=".len();
    let value = head.get(at..)?.trim_start_matches([' ', '"', '\'']);
    let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':')))?;
    // The label itself was read as ASCII, so the page cannot be UTF-16.
    value
        .get(..end)
        .filter(|label| !label.to_ascii_lowercase().starts_with("utf-16"))
}

fn of_text(html: &str, url: &str) -> Result<WebPage, Unreadable> {
    let mut dom = Dom::parse(html)?;
    struck::remove(&mut dom);
    let address = Url::parse(url).ok();
    let base = base(&dom, address.as_ref());
    let base = base.as_ref();
    let mut page = WebPage::default();
    // A link of the page to itself is not collected.
    let mut seen: HashSet<String> = web(None, url).into_iter().collect();
    for id in dom.descendants(0) {
        match dom.name(id) {
            "meta" => meta(&dom, id, &mut page),
            "link" => head_link(&dom, id, base, &mut page),
            "a" | "area" if !rel(&dom, id).any(|rel| rel == "nofollow") => {
                let link = dom.attribute(id, "href").and_then(|href| web(base, href));
                if let Some(link) = link
                    && page.links.len() < limits::MAX_LINKS
                    && seen.insert(link.clone())
                {
                    page.links.push(link);
                }
            }
            "html" if page.document.language.is_empty() => {
                let language = dom
                    .attribute(id, "lang")
                    .or_else(|| dom.attribute(id, "xml:lang"));
                page.document.language = language.map(language_tag).unwrap_or_default();
            }
            _ => {}
        }
    }
    let reading = Reading::page(&dom);
    let main = main_part::find(&reading);
    page.document.body = body::markdown(&reading, &main, base)?;
    page.document.title = title(&dom, &main);
    page.document.url = page
        .canonical
        .as_deref()
        .and_then(|canonical| Url::parse(canonical).ok())
        .filter(|canonical| {
            address
                .as_ref()
                .is_some_and(|url| url.origin() == canonical.origin())
        })
        .map_or_else(|| url.to_owned(), String::from);
    Ok(page)
}

/// The base of the page's relative references.
fn base(dom: &Dom, address: Option<&Url>) -> Option<Url> {
    dom.find(0, "base")
        .and_then(|id| dom.attribute(id, "href"))
        .and_then(|href| absolute(address, href))
        .or_else(|| address.cloned())
}

/// The `title` of the head, else the first heading. Pictures (SVG) have a `title` of their own.
fn title(dom: &Dom, main: &[NodeId]) -> String {
    let head = dom.find(0, "head").unwrap_or(0);
    let title = dom.find(head, "title").map(|id| write::flat(&dom.text(id)));
    title
        .filter(|title| !title.is_empty())
        .or_else(|| {
            let heading = main.iter().find_map(|main| dom.find(*main, "h1"))?;
            Some(write::flat(&dom.text(heading)))
        })
        .unwrap_or_default()
}

fn meta(dom: &Dom, id: NodeId, page: &mut WebPage) {
    let of = |name| dom.attribute(id, name).unwrap_or_default();
    let content = of("content");
    let name = of("name");
    if name.eq_ignore_ascii_case("robots") || name.eq_ignore_ascii_case(PRODUCT_TOKEN) {
        page.rules.add(content);
    }
    if of("http-equiv").eq_ignore_ascii_case("content-language")
        && page.document.language.is_empty()
    {
        page.document.language = language_tag(content);
    }
    if of("property") == "og:locale" && page.document.language.is_empty() {
        page.document.language = language_tag(content);
    }
}

fn head_link(dom: &Dom, id: NodeId, base: Option<&Url>, page: &mut WebPage) {
    let Some(url) = dom.attribute(id, "href").and_then(|href| web(base, href)) else {
        return;
    };
    if rel(dom, id).any(|rel| rel == "canonical") {
        page.canonical.get_or_insert(url);
    } else if rel(dom, id).any(|rel| rel == "alternate")
        && page.feeds.len() < 20
        && matches!(
            dom.attribute(id, "type"),
            Some("application/rss+xml" | "application/atom+xml" | "application/feed+json")
        )
    {
        page.feeds.push(url);
    }
}

fn rel(dom: &Dom, id: NodeId) -> impl Iterator<Item = String> {
    let rel = dom.attribute(id, "rel").unwrap_or_default();
    rel.split_ascii_whitespace().map(str::to_ascii_lowercase)
}

/// A reference of a page, resolved against its base.
fn absolute(base: Option<&Url>, href: &str) -> Option<Url> {
    Url::options().base_url(base).parse(href.trim()).ok()
}

/// A reference resolved to `http` or `https`, without fragment.
fn web(base: Option<&Url>, href: &str) -> Option<String> {
    let mut url = absolute(base, href).filter(|url| matches!(url.scheme(), "http" | "https"))?;
    // Cloudflare's own addresses, such as those behind which it hides addresses of mail, are no pages.
    if url.path().starts_with("/cdn-cgi/") {
        return None;
    }
    url.set_fragment(None);
    Some(url.into())
}

/// The language tag in a text: `pt-BR` of ` pt_BR `; empty if there is none.
pub(crate) fn language_tag(text: &str) -> String {
    let tag = text
        .split([',', ';', '.'])
        .next()
        .unwrap_or_default()
        .trim()
        .replace('_', "-");
    let fits = (2..=35).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && tag.bytes().take(2).all(|b| b.is_ascii_alphabetic());
    if fits { tag } else { String::new() }
}

#[cfg(test)]
mod tests;
