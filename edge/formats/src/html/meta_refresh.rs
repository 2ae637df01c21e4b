//! Redirects by `meta http-equiv=refresh`: pages that show "You are being redirected", and the pages that generators of static
//! sites write at old addresses.

use url::Url;

use super::{Dom, NodeId, base, body, decode, main_part, reading::Reading, web};

/// The refresh of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The delay in seconds.
    pub seconds: u32,
    /// The next address: absolute, `http` or `https`, without fragment.
    pub url: String,
}

/// The refresh of a page to another address. `None` for a page without one, and for a page that only reloads itself.
pub fn refresh(html: &[u8], url: &str, content_type: Option<&str>) -> Option<Refresh> {
    // Nearly all pages have none, and are not parsed for it.
    if !mentions(html, b"http-equiv") || !mentions(html, b"refresh") {
        return None;
    }
    let dom = Dom::parse(&decode(html, content_type)).ok()?;
    let address = Url::parse(url).ok();
    let base = base(&dom, address.as_ref());
    let is_refresh = |id: &NodeId| {
        let http_equiv = dom.attribute(*id, "http-equiv");
        dom.name(*id) == "meta"
            && !within(&dom, *id, "template")
            && http_equiv.is_some_and(|it| it.trim().eq_ignore_ascii_case("refresh"))
    };
    // As in browsers, the first valid one counts.
    let (id, (seconds, target)) = dom.descendants(0).filter(is_refresh).find_map(|id| {
        let content = dom.attribute(id, "content")?;
        Some((id, parse(content)?))
    })?;
    let url = web(base.as_ref(), target)?;
    let itself = address.and_then(|address| web(None, address.as_str()));
    if target.is_empty() || itself.as_ref() == Some(&url) {
        return None;
    }
    // In `noscript`, a refresh often leads to a version without scripts. It counts only if the page itself has no text.
    if within(&dom, id, "noscript") {
        let reading = Reading::page(&dom);
        let text = body::markdown(&reading, &main_part::find(&reading), base.as_ref()).ok()?;
        if !text.trim().is_empty() {
            return None;
        }
    }
    Some(Refresh { seconds, url })
}

fn mentions(bytes: &[u8], word: &[u8]) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}

fn within(dom: &Dom, id: NodeId, name: &str) -> bool {
    let mut parents = std::iter::successors(Some(id), |id| dom.get(*id)?.parent);
    parents.any(|id| dom.name(id) == name)
}

/// The delay and the address, which may be empty, after the HTML standard: `0; url=/next`, `5,URL='/next'`, `0 /next`.
fn parse(content: &str) -> Option<(u32, &str)> {
    let content = content.trim_start();
    let end = content
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(content.len());
    let (digits, rest) = content.split_at_checked(end)?;
    if digits.is_empty() && !rest.starts_with('.') {
        return None;
    }
    let seconds = if digits.is_empty() {
        0
    } else {
        digits.parse().unwrap_or(u32::MAX)
    };
    // Fractions of a second are ignored.
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let target = rest.trim_start();
    if target.len() == rest.len() && !rest.is_empty() && !rest.starts_with([';', ',']) {
        return None;
    }
    let target = target
        .strip_prefix([';', ','])
        .unwrap_or(target)
        .trim_start();
    let after_key = target
        .get(..3)
        .filter(|key| key.eq_ignore_ascii_case("url"))
        .and_then(|_| target.get(3..)?.trim_start().strip_prefix('='));
    let target = after_key.unwrap_or(target).trim();
    let quote = target.chars().next().filter(|c| matches!(c, '"' | '\''));
    Some((
        seconds,
        match quote {
            Some(quote) => target.split(quote).nth(1).map_or("", str::trim),
            None => target,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://a.example/dir/page?x";

    fn leads(html: &str) -> Option<(u32, String)> {
        refresh(html.as_bytes(), ADDRESS, None).map(|refresh| (refresh.seconds, refresh.url))
    }

    #[test]
    fn every_way_to_write_it() {
        for (content, seconds, path) in [
            ("0; url=/next", 0, "/next"),
            ("0;URL='/next'", 0, "/next"),
            ("3,url = \"/next\"", 3, "/next"),
            ("0;url=/next#part", 0, "/next"),
            ("0 url=next", 0, "/dir/next"),
            ("0; /next", 0, "/next"),
            ("0;/next", 0, "/next"),
            (" 2 ; UrL=  /next ", 2, "/next"),
            ("0.5; url=/next", 0, "/next"),
            (".1; url=/next", 0, "/next"),
            ("0; url=/next?url=/x&y=1", 0, "/next?url=/x&y=1"),
            ("99999999999; url=/next", u32::MAX, "/next"),
            ("0; url='/next' x", 0, "/next"),
        ] {
            let html = format!(
                "<meta http-equiv=Refresh content='{}'>",
                content.replace('\'', "&#39;")
            );
            assert_eq!(
                leads(&html),
                Some((seconds, format!("https://a.example{path}"))),
                "{content}"
            );
        }
        for content in [
            "",
            "5",
            "5;",
            "5; url=",
            "url=/next",
            "x; url=/next",
            "0; url=mailto:a@b.example",
            "0; url=javascript:1",
            "300; url=/dir/page?x",
            "300; url=page?x#top",
            "5x; url=/next",
            "-1; url=/next",
        ] {
            let html = format!("<meta http-equiv=refresh content=\"{content}\">");
            assert_eq!(leads(&html), None, "{content}");
        }
    }

    #[test]
    fn where_it_counts() {
        let meta = "<META content='0; url=/next' HTTP-EQUIV=REFRESH>";
        let next = Some((0, "https://a.example/next".to_owned()));
        for (html, expected) in [
            (
                format!(
                    "<html><head><title>Redirect</title>{meta}</head><body>You are being redirected."
                ),
                &next,
            ),
            (format!("<p>Text</p>{meta}"), &next),
            (
                format!("<noscript>{meta}</noscript><script>location='/next'</script>"),
                &next,
            ),
            (
                format!("<head><noscript>{meta}</noscript></head><body><p>A page with text."),
                &None,
            ),
            (format!("<!-- {meta} --><p>Text"), &None),
            (format!("<template>{meta}</template><p>Text"), &None),
            (
                format!("<meta http-equiv=refresh content=60>{meta}<p>Text"),
                &None,
            ),
            ("<p>http-equiv=refresh</p>".to_owned(), &None),
            (
                "<base href=https://b.example/><meta http-equiv=refresh content='0;url=c'>"
                    .to_owned(),
                &Some((0, "https://b.example/c".to_owned())),
            ),
        ] {
            assert_eq!(&leads(&html), expected, "{html}");
        }
    }
}
