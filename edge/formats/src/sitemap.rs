//! Sitemaps and their indexes.

use std::borrow::Cow;

use crate::{
    Unreadable, limits,
    unpack::gunzip,
    xml::{self, XmlEvent},
};

/// An address of a sitemap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitemapEntry {
    /// The address as the sitemap writes it, without white space around it.
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
}

/// Reads a sitemap, an index of sitemaps or a text with an address a line; each may be compressed with gzip.
///
/// # Errors
/// Not a sitemap, broken, or over a limit.
pub fn sitemap(bytes: &[u8]) -> Result<Sitemap, Unreadable> {
    if bytes.len() > limits::MAX_FILE_BYTES {
        return Err(too_large());
    }
    let unpacked = gunzip(bytes, limits::MAX_PART_BYTES)?;
    let bytes = unpacked.map_or(Cow::Borrowed(bytes), Cow::Owned);
    let text = xml::decode(&bytes, None);
    if text.trim_start().starts_with('<') {
        return of_xml(&text);
    }
    let mut sitemap = Sitemap::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if !line.starts_with("http://") && !line.starts_with("https://") {
            return Err(no_sitemap());
        }
        add(&mut sitemap.pages, line, None)?;
    }
    if sitemap.pages.is_empty() {
        Err(no_sitemap())
    } else {
        Ok(sitemap)
    }
}

fn of_xml(text: &str) -> Result<Sitemap, Unreadable> {
    let mut sitemap = Sitemap::default();
    let mut root = String::new();
    let (mut url, mut lastmod, mut within) = (String::new(), String::new(), String::new());
    xml::read(text, |event| {
        match event {
            XmlEvent::Start(name, prefix, _) => {
                if root.is_empty() {
                    name.clone_into(&mut root);
                }
                if matches!(name, "url" | "sitemap") {
                    url.clear();
                    lastmod.clear();
                }
                // Addresses of images and the like (`image:loc`) are not pages.
                within.clear();
                if !matches!(prefix, "image" | "video" | "news" | "xhtml") {
                    within.push_str(name);
                }
            }
            XmlEvent::Text(text) => match within.as_str() {
                "loc" => url.push_str(text.trim()),
                "lastmod" => lastmod.push_str(text.trim()),
                _ => {}
            },
            XmlEvent::End(name) => {
                within.clear();
                let list = match name {
                    "url" => &mut sitemap.pages,
                    "sitemap" => &mut sitemap.sitemaps,
                    _ => return Ok(()),
                };
                if !url.is_empty() {
                    add(list, &url, Some(lastmod.clone()))?;
                }
            }
        }
        Ok(())
    })?;
    if matches!(root.as_str(), "urlset" | "sitemapindex") {
        Ok(sitemap)
    } else {
        Err(no_sitemap())
    }
}

fn add(list: &mut Vec<SitemapEntry>, url: &str, lastmod: Option<String>) -> Result<(), Unreadable> {
    if list.len() >= limits::MAX_SITEMAP_URLS {
        return Err(too_large());
    }
    list.push(SitemapEntry {
        url: url.to_owned(),
        lastmod: lastmod.filter(|date| !date.is_empty()),
    });
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

    const MAP: &str = "<?xml version=\"1.0\"?><urlset xmlns=\"s\" xmlns:image=\"i\"><url><loc> https://a.example/?a=1&amp;b=2\n</loc>\
        <lastmod>2026-01-02</lastmod><image:image><image:loc>https://a.example/x.png</image:loc></image:image></url>\
        <url><loc><![CDATA[https://a.example/料金]]></loc></url><url></url></urlset>";

    #[test]
    fn pages_indexes_and_lists() {
        let map = sitemap(MAP.as_bytes()).unwrap();
        let urls: Vec<_> = map
            .pages
            .iter()
            .map(|page| (page.url.as_str(), page.lastmod.as_deref()))
            .collect();
        assert_eq!(
            urls,
            [
                ("https://a.example/?a=1&b=2", Some("2026-01-02")),
                ("https://a.example/料金", None)
            ]
        );
        let packed = [
            &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0][..],
            &miniz_oxide::deflate::compress_to_vec(MAP.as_bytes(), 6),
        ]
        .concat();
        assert_eq!(sitemap(&packed), Ok(map));
        let index = sitemap(
            b"<sitemapindex><sitemap><loc>https://a.example/1.xml</loc></sitemap></sitemapindex>",
        );
        assert_eq!(index.unwrap().sitemaps.len(), 1);
        assert_eq!(
            sitemap(b"https://a.example/\r\nhttps://a.example/b\n")
                .unwrap()
                .pages
                .len(),
            2
        );
    }

    #[test]
    fn what_is_none_says_so() {
        for (bytes, code) in [
            (&b"<html><body>Not found</body></html>"[..], "mislabelled"),
            (b"hello", "mislabelled"),
            (b"", "mislabelled"),
            (&MAP.as_bytes()[..120], "corrupt"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\0nonsense", "corrupt"),
        ] {
            assert_eq!(sitemap(bytes).unwrap_err().code.as_str(), code);
        }
        let many = "https://a.example/\n".repeat(limits::MAX_SITEMAP_URLS + 1);
        assert_eq!(
            sitemap(many.as_bytes()).unwrap_err().code.as_str(),
            "too_large"
        );
    }
}
