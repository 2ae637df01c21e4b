//! Sitemaps and their indexes.
//!
//! Real sitemaps are often malformed: an address with a bare `&`, an entry without an address, a truncated file, a warning of
//! a script before the first line, an entry without its end tag, an address that is escaped twice. The readable entries are read;
//! [`Sitemap::unreadable`] and [`Sitemap::truncated`] say that there were more.

use std::borrow::Cow;

use url::Url;

use crate::{
    Unreadable, feed, limits,
    unpack::gunzip,
    xml::{self, XmlEvent},
};

/// An address of a sitemap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitemapEntry {
    /// The address, absolute.
    pub url: String,
    /// When the page was last changed, as the sitemap writes it (W3C date).
    pub lastmod: Option<String>,
}

/// The entries of a sitemap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Pages.
    pub pages: Vec<SitemapEntry>,
    /// Further sitemaps.
    pub sitemaps: Vec<SitemapEntry>,
    /// The number of entries without an address.
    pub unreadable: usize,
    /// Whether the end of the sitemap is missing.
    pub truncated: bool,
}

/// Reads a sitemap, an index of sitemaps, a feed, or a text with an address a line; each may be compressed with gzip. Relative
/// addresses are resolved against the address of the sitemap, `url`.
///
/// # Errors
/// Not a sitemap, no entry is readable, or over a limit.
pub fn sitemap(bytes: &[u8], url: &str) -> Result<Sitemap, Unreadable> {
    let base = Url::parse(url).ok();
    if bytes.len() > limits::MAX_FILE_BYTES {
        return Err(too_large());
    }
    let unpacked = gunzip(bytes, limits::MAX_PART_BYTES)?;
    let bytes = unpacked.map_or(Cow::Borrowed(bytes), Cow::Owned);
    let text = xml::decode(&bytes, None);
    let mut sitemap = Sitemap::default();
    if text.contains('<') {
        of_xml(&text, base.as_ref(), &mut sitemap)?;
        return Ok(sitemap);
    }
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        sitemap.add(Listed::Page, line, None, None)?;
    }
    if sitemap.pages.is_empty() {
        return Err(no_sitemap());
    }
    Ok(sitemap)
}

/// The kind of an entry.
#[derive(Clone, Copy)]
enum Listed {
    Page,
    Sitemap,
}

impl Sitemap {
    /// Adds the entry that was open, if one was.
    fn end(
        &mut self,
        entry: Option<(Listed, String, String)>,
        base: Option<&Url>,
    ) -> Result<(), Unreadable> {
        let Some((listed, url, lastmod)) = entry else {
            return Ok(());
        };
        self.add(listed, url.trim(), Some(lastmod), base)
    }

    /// Adds an entry, or counts it as unreadable.
    fn add(
        &mut self,
        listed: Listed,
        url: &str,
        lastmod: Option<String>,
        base: Option<&Url>,
    ) -> Result<(), Unreadable> {
        // Some generators escape an address twice.
        let url = &url.replace("&amp;", "&");
        // A note such as `TODO` is not a relative address.
        let base = base.filter(|_| url.starts_with(['/', '.']));
        let address = Url::options().base_url(base).parse(url);
        let Some(address) = address.ok().filter(Url::has_host) else {
            self.unreadable += 1;
            return Ok(());
        };
        let list = match listed {
            Listed::Page => &mut self.pages,
            Listed::Sitemap => &mut self.sitemaps,
        };
        if list.len() >= limits::MAX_SITEMAP_URLS {
            return Err(too_large());
        }
        list.push(SitemapEntry {
            url: address.into(),
            lastmod: lastmod.filter(|date| !date.is_empty()),
        });
        Ok(())
    }
}

fn of_xml(text: &str, base: Option<&Url>, sitemap: &mut Sitemap) -> Result<(), Unreadable> {
    // Warnings of a script may stand before the root.
    let mut in_root = false;
    let mut root_prefix = String::new();
    let mut of_feed = false;
    sitemap.truncated = true;
    let mut open: Option<(Listed, String, String)> = None;
    let mut within = String::new();
    xml::read_lenient(text, |event| {
        match event {
            XmlEvent::Start(name, prefix, _) => {
                of_feed |= !in_root && matches!(name, "rss" | "feed" | "RDF");
                if matches!(name, "urlset" | "sitemapindex") {
                    in_root = true;
                    prefix.clone_into(&mut root_prefix);
                }
                let listed = match name {
                    "url" => Some(Listed::Page),
                    "sitemap" => Some(Listed::Sitemap),
                    _ => None,
                };
                if let Some(listed) = listed.filter(|_| in_root) {
                    // The entry before it may lack its end tag.
                    sitemap.end(open.take(), base)?;
                    open = Some((listed, String::new(), String::new()));
                }
                within.clear();
                // Addresses of images and the like (`image:loc`), which have a namespace of their own, are not pages.
                if prefix == root_prefix {
                    within.push_str(name);
                }
            }
            XmlEvent::Text(text) => match (within.as_str(), &mut open) {
                ("loc", Some((_, url, _))) => url.push_str(text),
                ("lastmod", Some((_, _, lastmod))) => lastmod.push_str(text.trim()),
                _ => {}
            },
            XmlEvent::End(name) => {
                within.clear();
                match name {
                    "url" | "sitemap" => sitemap.end(open.take(), base)?,
                    "urlset" | "sitemapindex" => {
                        sitemap.end(open.take(), base)?;
                        sitemap.truncated = false;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    })?;
    if of_feed && !in_root {
        return of_feed_entries(text, base, sitemap);
    }
    if !in_root {
        return Err(no_sitemap());
    }
    if sitemap.truncated && sitemap.pages.is_empty() && sitemap.sitemaps.is_empty() {
        return Err(Unreadable::corrupt(
            "The sitemap is truncated before its first entry. Generate it again.",
        ));
    }
    Ok(())
}

/// The pages of a feed, which the protocol of sitemaps allows in their place.
fn of_feed_entries(
    text: &str,
    base: Option<&Url>,
    sitemap: &mut Sitemap,
) -> Result<(), Unreadable> {
    let read = feed(text.as_bytes(), base.map_or("", Url::as_str), None)?;
    sitemap.truncated = read.truncated;
    for entry in read.entries {
        // An entry without an address has that of its feed.
        let url =
            Some(entry.document.url).filter(|url| base.is_none_or(|base| base.as_str() != url));
        sitemap.add(
            Listed::Page,
            &url.unwrap_or_default(),
            Some(entry.updated),
            base,
        )?;
    }
    Ok(())
}

fn no_sitemap() -> Unreadable {
    Unreadable::mislabelled(
        "This is no sitemap: neither its XML nor a list of addresses. Check the address; servers often answer with a \
         page there.",
    )
}

fn too_large() -> Unreadable {
    Unreadable::too_large(format!(
        "The sitemap lists more than {} addresses. Divide it and list its parts in an index.",
        limits::MAX_SITEMAP_URLS
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://a.example/maps/map.xml";

    const MAP: &str = "<?xml version=\"1.0\"?><urlset xmlns=\"s\" xmlns:image=\"i\"><url><loc> https://a.example/?a=1&amp;b=2\n</loc>\
        <lastmod>2026-01-02</lastmod><image:image><image:loc>https://a.example/x.png</image:loc></image:image></url>\
        <url><loc><![CDATA[https://a.example/料金]]></loc></url></urlset>";

    fn urls(text: &str) -> Vec<String> {
        let map = sitemap(text.as_bytes(), ADDRESS).unwrap();
        map.pages.into_iter().map(|page| page.url).collect()
    }

    #[test]
    fn pages_indexes_and_lists() {
        let map = sitemap(MAP.as_bytes(), ADDRESS).unwrap();
        let listed: Vec<_> = map
            .pages
            .iter()
            .map(|page| (page.url.as_str(), page.lastmod.as_deref()))
            .collect();
        assert_eq!(
            listed,
            [
                ("https://a.example/?a=1&b=2", Some("2026-01-02")),
                ("https://a.example/%E6%96%99%E9%87%91", None)
            ]
        );
        assert_eq!((map.unreadable, map.truncated), (0, false));
        let packed = [
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0][..],
            &miniz_oxide::deflate::compress_to_vec(MAP.as_bytes(), 6),
        ]
        .concat();
        assert_eq!(sitemap(&packed, ADDRESS), Ok(map));
        let index = sitemap(
            b"<sitemapindex><sitemap><loc>https://a.example/1.xml</loc></sitemap></sitemapindex>",
            ADDRESS,
        );
        assert_eq!(index.unwrap().sitemaps.len(), 1);
        assert_eq!(urls("https://a.example/\r\nhttps://a.example/b\n").len(), 2);
    }

    #[test]
    fn one_bad_entry_costs_no_other() {
        let list = |locs: &[&str]| {
            let entries: String = locs
                .iter()
                .map(|loc| format!("<url><loc>{loc}</loc></url>"))
                .collect();
            format!("<urlset>{entries}</urlset>")
        };
        for (loc, expected) in [
            ("https://a.example/?a=1&b=2", "https://a.example/?a=1&b=2"),
            (
                "https://a.example/?a=1&copy=2",
                "https://a.example/?a=1&copy=2",
            ),
            (
                "https://a.example/caf&eacute;",
                "https://a.example/caf%C3%A9",
            ),
            ("https://a.example/a&#38;b", "https://a.example/a&b"),
            ("/about", "https://a.example/about"),
            ("//a.example/x", "https://a.example/x"),
            ("https://a.example/a b", "https://a.example/a%20b"),
        ] {
            let map = sitemap(
                list(&["https://a.example/1", loc, "/3"]).as_bytes(),
                ADDRESS,
            );
            let map = map.unwrap();
            assert_eq!(map.pages.len(), 3, "{loc}");
            assert_eq!(map.pages[1].url, expected, "{loc}");
            assert_eq!(map.unreadable, 0, "{loc}");
        }
        for loc in [
            "",
            "https://",
            "https://a b/",
            "mailto:a@b.example",
            "TODO",
            "about the site",
            "www.a.example/x",
            "javascript:1",
            "http://[::1",
        ] {
            let map = sitemap(list(&["/1", loc, "/3"]).as_bytes(), ADDRESS).unwrap();
            assert_eq!((map.pages.len(), map.unreadable), (2, 1), "{loc}");
        }
        let text = sitemap(b"https://a.example/\nsoon\n", ADDRESS).unwrap();
        assert_eq!((text.pages.len(), text.unreadable), (1, 1));
        let warned = format!("<br />\n<b>Warning</b>: x in <b>y</b>\n{MAP}");
        assert_eq!(urls(&warned).len(), 2);
    }

    #[test]
    fn entries_are_read_as_generators_write_them() {
        for (map, expected) in [
            (
                "<urlset xmlns:x='i'><url><loc>https://a.example/1</loc><x:image><x:loc>https://a.example/i.png</x:loc></x:image>\
                 </url></urlset>",
                &["https://a.example/1"][..],
            ),
            (
                "<s:urlset><s:url><s:loc>https://a.example/1</s:loc></s:url></s:urlset>",
                &["https://a.example/1"],
            ),
            (
                "<urlset><url><loc>https://a.example/1</loc><url><loc>https://a.example/2</loc></url></urlset>",
                &["https://a.example/1", "https://a.example/2"],
            ),
            (
                "<urlset><url><loc>https://a.example/?a=1&amp;amp;b=2</loc></url></urlset>",
                &["https://a.example/?a=1&b=2"],
            ),
            (
                "<rss><channel><item><link>https://a.example/1</link></item><item><title>x</title></item></channel></rss>",
                &["https://a.example/1"],
            ),
            (
                "<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='/2'/></entry></feed>",
                &["https://a.example/2"],
            ),
        ] {
            assert_eq!(urls(map), expected, "{map}");
        }
    }

    #[test]
    fn what_comes_before_a_missing_end_is_read() {
        let end = MAP.find("<url><loc><![").unwrap();
        for cut in [end, end + 9, MAP.len() - 3] {
            let map = sitemap(&MAP.as_bytes()[..cut], ADDRESS).unwrap();
            assert!(map.truncated && !map.pages.is_empty(), "{cut}");
        }
    }

    #[test]
    fn what_is_none_says_so() {
        for (bytes, code) in [
            (&b"<html><body>Not found</body></html>"[..], "mislabelled"),
            (b"<!doctype html><title>Maintenance", "mislabelled"),
            (b"hello", "mislabelled"),
            (b"", "mislabelled"),
            (b" \n", "mislabelled"),
            (&MAP.as_bytes()[..120], "corrupt"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\0nonsense", "corrupt"),
        ] {
            assert_eq!(
                sitemap(bytes, ADDRESS).unwrap_err().code.as_str(),
                code,
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
        let many = "https://a.example/\n".repeat(limits::MAX_SITEMAP_URLS + 1);
        assert_eq!(
            sitemap(many.as_bytes(), ADDRESS).unwrap_err().code.as_str(),
            "too_large"
        );
    }
}
