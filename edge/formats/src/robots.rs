//! A site's rules for crawlers: the paths that may be fetched, in `robots.txt` (RFC 9309); whether a page or file may be
//! indexed and its links followed, in `meta name=robots` and in the header `X-Robots-Tag`.

use crate::limits;

/// The name under which the crawler looks for rules.
pub const PRODUCT_TOKEN: &str = "BulleBot";

/// The rules of a site for one crawler.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Robots {
    rules: Vec<PathRule>,
    crawl_delay: Option<f32>,
    sitemaps: Vec<String>,
}

/// The rules of one page or file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageRules {
    /// The page must not be indexed.
    pub noindex: bool,
    /// The links of the page must not be followed.
    pub nofollow: bool,
}

/// Rules of the header `X-Robots-Tag` with a value. The word before their colon is not the name of a crawler.
const VALUED: [&str; 4] = [
    "unavailable_after",
    "max-snippet",
    "max-image-preview",
    "max-video-preview",
];

impl PageRules {
    /// Reads the header `X-Robots-Tag`: `noindex`, `none, nofollow`, `googlebot: nofollow, BulleBot: noindex`. A repeated
    /// header arrives as one, joined by commas, so the name of a crawler applies to all rules up to the next name. A rule
    /// that may be for another crawler removes no page.
    pub fn of_header(header: &str) -> Self {
        let mut rules = Self::default();
        let mut for_us = true;
        for part in header.split(',') {
            let words = match part.split_once(':') {
                None => part,
                Some((name, _))
                    if VALUED
                        .iter()
                        .any(|valued| name.trim().eq_ignore_ascii_case(valued)) =>
                {
                    continue;
                }
                Some((name, words)) if is_token(name.trim()) => {
                    for_us = is_ours(name.trim());
                    words
                }
                // A date has colons as well.
                Some(_) => continue,
            };
            if for_us {
                rules.add(words);
            }
        }
        rules
    }

    /// Adds the rules of a list of words.
    pub(crate) fn add(&mut self, words: &str) {
        for word in words.split(|c: char| matches!(c, ',' | ';') || c.is_whitespace()) {
            let is = |rule: &str| word.eq_ignore_ascii_case(rule);
            self.noindex |= is("noindex") || is("none");
            self.nofollow |= is("nofollow") || is("none");
        }
    }
}

/// Whether a word may be the name of a crawler.
fn is_token(name: &str) -> bool {
    name == "*"
        || name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
}

/// Whether a name, with or without a version, is that of this crawler or `*`.
fn is_ours(name: &str) -> bool {
    let token = name.split('/').next().unwrap_or_default();
    token == "*" || token.eq_ignore_ascii_case(PRODUCT_TOKEN)
}

#[derive(Clone, Debug, PartialEq)]
struct PathRule {
    allow: bool,
    pattern: Vec<u8>,
}

/// The rules for [`PRODUCT_TOKEN`]. An empty text allows everything.
pub fn robots(text: &str) -> Robots {
    robots_for(text, PRODUCT_TOKEN)
}

/// The rules for a crawler of another name: all groups that name it, else those for `*`.
pub fn robots_for(text: &str, token: &str) -> Robots {
    let mut reader = RobotsParser::default();
    let text = bulle_edge_text::prefix(text, limits::MAX_ROBOTS_BYTES);
    for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
        reader.line(line, token);
    }
    let named = reader.named.seen;
    Robots {
        sitemaps: reader.sitemaps,
        ..if named { reader.named } else { reader.any }.into_robots()
    }
}

#[derive(Default)]
struct RuleGroup {
    seen: bool,
    rules: Vec<PathRule>,
    crawl_delay: Option<f32>,
}

impl RuleGroup {
    fn into_robots(self) -> Robots {
        Robots {
            rules: self.rules,
            crawl_delay: self.crawl_delay,
            sitemaps: Vec::new(),
        }
    }
}

#[derive(Default)]
struct RobotsParser {
    named: RuleGroup,
    any: RuleGroup,
    sitemaps: Vec<String>,
    /// Whether the group being read is for this crawler, and whether it is for every crawler.
    for_named: bool,
    for_any: bool,
    /// Whether the last line of a group was one that names a crawler.
    naming: bool,
}

impl RobotsParser {
    fn line(&mut self, line: &str, token: &str) {
        let line = line.split('#').next().unwrap_or_default();
        // The colon may be missing; the first colon is then part of the value.
        let is_key = |key: &str| {
            let key = key.trim();
            !key.contains(char::is_whitespace) || key.eq_ignore_ascii_case("user agent")
        };
        let parts = line.split_once(':').filter(|(key, _)| is_key(key));
        let Some((key, value)) = parts.or_else(|| line.trim().split_once(char::is_whitespace))
        else {
            return;
        };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "user-agent" | "useragent" | "user agent" => {
                if !self.naming {
                    (self.for_named, self.for_any) = (false, false);
                }
                self.naming = true;
                // A version or comment after the token is ignored.
                let end = value
                    .find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '-' | '_' | '*')))
                    .unwrap_or(value.len());
                let agent = value.get(..end).unwrap_or_default();
                if agent == "*" {
                    self.for_any = true;
                    self.any.seen = true;
                } else if agent.eq_ignore_ascii_case(token) {
                    self.for_named = true;
                    self.named.seen = true;
                }
            }
            "allow" => self.rule(true, value),
            "disallow" | "dissallow" | "disalow" => self.rule(false, value),
            "crawl-delay" | "crawldelay" => {
                self.naming = false;
                let delay = value
                    .parse()
                    .ok()
                    .filter(|d: &f32| d.is_finite() && *d >= 0.0);
                for group in self.groups() {
                    group.crawl_delay = group.crawl_delay.or(delay);
                }
            }
            "sitemap" | "site-map" if self.sitemaps.len() < 100 && !value.is_empty() => {
                self.sitemaps.push(value.to_owned());
            }
            _ => {}
        }
    }

    fn rule(&mut self, allow: bool, value: &str) {
        self.naming = false;
        if value.is_empty() {
            return;
        }
        let pattern = normal(value);
        for group in self.groups() {
            group.rules.push(PathRule {
                allow,
                pattern: pattern.clone(),
            });
        }
    }

    fn groups(&mut self) -> impl Iterator<Item = &mut RuleGroup> {
        let named = self.for_named.then_some(&mut self.named);
        let any = self.for_any.then_some(&mut self.any);
        named.into_iter().chain(any)
    }
}

impl Robots {
    /// The rules of a site whose `robots.txt` answers with a server error: nothing may be fetched (RFC 9309, 2.3.1.4).
    pub fn nothing() -> Self {
        robots_for("User-agent: *\nDisallow: /", "*")
    }

    /// Whether the path, with its query, may be fetched: the longest rule decides, and of two equally long ones the one
    /// that allows. `/robots.txt` is always allowed.
    pub fn allows(&self, path: &str) -> bool {
        let path = normal(path.split('#').next().unwrap_or_default());
        if path == b"/robots.txt" {
            return true;
        }
        self.rules
            .iter()
            .filter(|rule| matches(&rule.pattern, &path))
            .max_by_key(|rule| (rule.pattern.len(), rule.allow))
            .is_none_or(|rule| rule.allow)
    }

    /// Seconds to wait between two requests, if the site sets them.
    pub fn crawl_delay(&self) -> Option<f32> {
        self.crawl_delay
    }

    /// Addresses of sitemaps, as the file writes them.
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }
}

/// Normalises percent-encoding: unreserved characters bare, others encoded with capital digits.
fn normal(path: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    let encode = |out: &mut Vec<u8>, byte: u8| {
        out.push(b'%');
        for digit in [byte >> 4, byte & 15] {
            out.push(if digit < 10 {
                b'0' + digit
            } else {
                b'A' + digit - 10
            });
        }
    };
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let hex = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
        let pair = (byte == b'%')
            .then(|| Some(hex(ahead.next())? * 16 + hex(ahead.next())?))
            .flatten()
            .and_then(|value| u8::try_from(value).ok());
        if let Some(value) = pair {
            bytes = ahead;
            if value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~') {
                out.push(value);
            } else {
                encode(&mut out, value);
            }
        } else if byte.is_ascii_graphic() {
            out.push(byte);
        } else {
            encode(&mut out, byte);
        }
    }
    out
}

/// Whether the pattern matches the beginning of the path; in it `*` is any run of characters and a final `$` the end.
/// Memory is linear, and time is at most the product of the lengths, so no pattern is expensive.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (pattern, whole) = match pattern {
        [head @ .., b'$'] => (head, true),
        _ => (pattern, false),
    };
    let mut parts = pattern.split(|byte| *byte == b'*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return !whole || rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if part.is_empty() {
            if parts.peek().is_none() {
                return true;
            }
            continue;
        }
        if whole && parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.windows(part.len()).position(|window| window == part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_group_and_the_longest_rule_decide() {
        let text = "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: bullebot/1.0 # us\nDisallow: /private\n\
            Allow: /private/open\nCrawl-delay: 2.5\nSitemap: https://a.example/map.xml\n\nUser-Agent: BulleBot\n\
            Disallow: /again\n";
        let robots = robots(text);
        for (path, allowed) in [
            ("/", true),
            ("/private", false),
            ("/private/x", false),
            ("/private/open", true),
            ("/again", false),
            ("/robots.txt", true),
        ] {
            assert_eq!(robots.allows(path), allowed, "{path}");
        }
        assert_eq!(robots.crawl_delay(), Some(2.5));
        assert_eq!(robots.sitemaps(), ["https://a.example/map.xml"]);
        assert!(!robots_for(text, "third").allows("/"));
        assert!(Robots::default().allows("/x") && !Robots::nothing().allows("/x"));
    }

    #[test]
    fn examples_of_the_standard() {
        for (pattern, path, expected) in [
            ("/", "/x", true),
            ("/fish", "/fish.html", true),
            ("/fish", "/Fish.asp", false),
            ("/fish*", "/fish/salmon.html", true),
            ("/fish/", "/fish", false),
            ("/*.php", "/folder/any.php.file.html", true),
            ("/*.php$", "/folder/filename.php", true),
            ("/*.php$", "/filename.php?parameters", false),
            ("/*.php$", "/filename.php5", false),
            ("/fish*.php", "/fishheads/catfish.php?p", true),
            ("/a*b*c$", "/axbxxc", true),
            ("/a*b*c$", "/axbxxcd", false),
            ("/x*$", "/xyz", true),
            (
                "/foo/bar?baz=http://foo.bar",
                "/foo/bar?baz=http://foo.bar",
                true,
            ),
            ("/caf\u{e9}", "/caf%c3%a9", true),
            ("/%7ejoe", "/~joe/x", true),
            ("/a%2fb", "/a/b", false),
            ("*", "/x", true),
            (
                "/**************************************************y",
                "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                false,
            ),
        ] {
            let robots = robots(&format!("user-agent:*\ndisallow:{pattern}"));
            assert_eq!(!robots.allows(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_header_of_a_page_or_file() {
        for (header, rules) in [
            ("", ""),
            ("noindex", "noindex"),
            ("NoIndex , NOFOLLOW", "noindex nofollow"),
            ("none", "noindex nofollow"),
            ("noindex nofollow", "noindex nofollow"),
            ("noindex; nofollow", "noindex nofollow"),
            ("bullebot : noindex;nofollow", "noindex nofollow"),
            ("all", ""),
            ("index, follow", ""),
            ("noarchive, nosnippet, noimageindex", ""),
            ("bullebot: noindex", "noindex"),
            ("BulleBot/1.0: noindex, nofollow", "noindex nofollow"),
            ("*: noindex", "noindex"),
            ("googlebot: noindex", ""),
            ("googlebot: nofollow, otherbot: noindex, nofollow", ""),
            ("noindex, googlebot: nofollow", "noindex"),
            ("googlebot: noindex, BulleBot: nofollow", "nofollow"),
            ("googlebot:noindex,*:nofollow", "nofollow"),
            (
                "unavailable_after: Friday, 25-Jun-2010 15:00:00 PST, noindex",
                "noindex",
            ),
            (
                "max-snippet: 20, max-image-preview: large, nofollow",
                "nofollow",
            ),
            ("noindexed", ""),
        ] {
            let read = PageRules::of_header(header);
            let expected = PageRules {
                noindex: rules.contains("noindex"),
                nofollow: rules.contains("nofollow"),
            };
            assert_eq!(read, expected, "{header}");
        }
    }

    #[test]
    fn a_colon_may_be_missing() {
        let robots = robots(
            "User-agent *\nDisallow /private:x\nDisallow /private\nCrawl-delay\t3\nSitemap https://a.example/b\n",
        );
        assert_eq!(robots.sitemaps(), ["https://a.example/b"]);
        assert!(!robots.allows("/private/x") && robots.allows("/"));
        assert_eq!(robots.crawl_delay(), Some(3.0));
    }

    #[test]
    fn of_two_equal_rules_the_one_that_allows_wins_and_odd_lines_are_passed_over() {
        let robots = robots(
            "\u{feff}nonsense\nDisallow: /before\nuser-agent:*\nfoo: bar\nDisallow: /p\nAllow: /p\nDisallow:\n",
        );
        assert!(robots.allows("/p") && robots.allows("/before"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(user-agent: ?\\*|disallow: ?[/*$%a]{0,9}|\\PC{0,9}|\n){0,30}", path in "/[/*$%a-c]{0,9}") {
            let robots = robots(&text);
            robots.allows(&path);
        }
    }
}
