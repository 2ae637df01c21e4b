//! XML as a stream of events: without a tree and without DTDs. Named entities are those of HTML, which include those of XML.
//!
//! [`read`] reads the files of office programs, which are well-formed or corrupt. [`read_lenient`] reads feeds and sitemaps,
//! which are often malformed: a bare `&` in an address, `&eacute;` without a DTD, a `<` before a number, a `<br>` without an
//! end, a script's warning before the first line, a missing end.

use std::borrow::Cow;

use quick_xml::{Reader, events::Event as Raw};

use crate::{Unreadable, charset, limits};

/// An event of an XML file.
pub(crate) enum XmlEvent<'a> {
    /// An element begins: its name without prefix, its prefix, its attributes.
    Start(&'a str, &'a str, &'a [(String, String)]),
    /// An element ends; an element without content ends at once.
    End(&'a str),
    /// Text.
    Text(&'a str),
}

/// The events of an XML file.
pub(crate) fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    let head = String::from_utf8_lossy(bytes.get(..bytes.len().min(200)).unwrap_or_default());
    let declared = head.split_once("encoding=").and_then(|(_, rest)| {
        let quote = rest.chars().next()?;
        rest.get(1..)?.split(quote).next().map(str::to_owned)
    });
    let label = content_type
        .and_then(charset::charset_of)
        .or(declared.as_deref());
    charset::decode_with(bytes, label)
}

/// Reads a whole file and calls `each` for every event.
///
/// # Errors
/// Not well-formed, over a limit, or an error of `each`.
pub(crate) fn read(
    text: &str,
    mut each: impl FnMut(XmlEvent<'_>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut depth = 0_usize;
    let mut events = Events::default();
    loop {
        let event = reader.read_event().map_err(|_| broken())?;
        let closes = matches!(event, Raw::Empty(_));
        match events.next(&event, &mut each)? {
            Markup::Opened(name) if closes => each(XmlEvent::End(&name))?,
            Markup::Opened(_) => {
                depth += 1;
                check_depth(depth)?;
            }
            Markup::Closed(name) => {
                depth = depth.saturating_sub(1);
                each(XmlEvent::End(&name))?;
            }
            Markup::Other => {}
            Markup::Eof if depth > 0 => return Err(broken()),
            Markup::Eof => return Ok(()),
        }
    }
}

/// Reads a file that may be malformed and calls `each` for every event. The end of an element also ends the elements within
/// it. If the end of the file is missing, the open elements have no end.
///
/// # Errors
/// Over a limit, or an error of `each`.
pub(crate) fn read_lenient(
    text: &str,
    mut each: impl FnMut(XmlEvent<'_>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let text = bare_less_than(text);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    reader.config_mut().allow_dangling_amp = true;
    let mut open: Vec<String> = Vec::new();
    let mut events = Events::default();
    loop {
        let Ok(event) = reader.read_event() else {
            return Ok(());
        };
        let closes = matches!(event, Raw::Empty(_));
        match events.next(&event, &mut each)? {
            Markup::Opened(name) if closes => each(XmlEvent::End(&name))?,
            Markup::Opened(name) => {
                open.push(name);
                check_depth(open.len())?;
            }
            Markup::Closed(name) => {
                let Some(at) = open.iter().rposition(|opened| *opened == name) else {
                    continue;
                };
                for name in open.drain(at..).rev() {
                    each(XmlEvent::End(&name))?;
                }
            }
            Markup::Other => {}
            Markup::Eof => return Ok(()),
        }
    }
}

/// The effect of an event on the open elements.
enum Markup {
    /// An element of this name begins.
    Opened(String),
    /// An element of this name ends.
    Closed(String),
    /// Nothing.
    Other,
    /// The file has ended.
    Eof,
}

/// The events of a file, counted.
#[derive(Default)]
struct Events {
    count: usize,
    attributes: Vec<(String, String)>,
}

impl Events {
    /// Passes on the beginning of an element, or text. The caller passes on the ends.
    fn next(
        &mut self,
        event: &Raw<'_>,
        each: &mut impl FnMut(XmlEvent<'_>) -> Result<(), Unreadable>,
    ) -> Result<Markup, Unreadable> {
        self.count += 1;
        if self.count > limits::MAX_XML_EVENTS {
            return Err(Unreadable::too_large(
                "The file has too many parts. Divide it into several.",
            ));
        }
        match event {
            Raw::Start(start) | Raw::Empty(start) => {
                self.attributes.clear();
                for attribute in start.attributes().with_checks(false).flatten().take(100) {
                    let key = attribute.key.into_inner().to_owned();
                    let value = unescape(&attribute.value).into_owned();
                    self.attributes.push((key, value));
                }
                let name = start.name();
                let full: &str = name.as_ref();
                let (prefix, local) = full.split_once(':').unwrap_or(("", full));
                each(XmlEvent::Start(local, prefix, &self.attributes))?;
                return Ok(Markup::Opened(local.to_owned()));
            }
            Raw::End(end) => {
                let name = end.name();
                let full: &str = name.as_ref();
                let local = full.split_once(':').map_or(full, |(_, local)| local);
                return Ok(Markup::Closed(local.to_owned()));
            }
            Raw::Text(text) => each(XmlEvent::Text(text))?,
            Raw::CData(text) => each(XmlEvent::Text(text))?,
            Raw::GeneralRef(name) => match resolve(name) {
                Some(text) => each(XmlEvent::Text(&text))?,
                // An unknown entity is text, as in HTML.
                None => each(XmlEvent::Text(&format!("&{};", &**name)))?,
            },
            Raw::Eof => return Ok(Markup::Eof),
            _ => {}
        }
        Ok(Markup::Other)
    }
}

fn broken() -> Unreadable {
    Unreadable::corrupt(
        "The XML of the file is broken, or was not received whole. Make the file anew.",
    )
}

fn check_depth(depth: usize) -> Result<(), Unreadable> {
    if depth > limits::MAX_HTML_DEPTH {
        return Err(Unreadable::too_large(
            "The file nests its parts too deeply.",
        ));
    }
    Ok(())
}

/// The characters of a reference: `#233`, `#xe9` or `eacute`.
fn resolve(name: &str) -> Option<String> {
    if let Some(digits) = name.strip_prefix('#') {
        let hex = digits.strip_prefix(['x', 'X']);
        let code = match hex {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => digits.parse(),
        };
        // As in HTML, the numbers of control characters mean those of Windows-1252.
        let character = match code.ok()? {
            code @ 0x80..=0x9f => u8::try_from(code).ok().map(charset::windows_1252),
            code => char::from_u32(code),
        };
        return character.filter(|c| *c != '\0').map(String::from);
    }
    let (first, second) = *html5ever::data::NAMED_ENTITIES.get(&*format!("{name};"))?;
    let chars = [first, second].into_iter().filter(|code| *code != 0);
    let text: String = chars.filter_map(char::from_u32).collect();
    (!text.is_empty()).then_some(text)
}

/// A text with its references resolved. A `&` without a reference stays.
fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut parts = raw.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let resolved = part
            .split_once(';')
            .and_then(|(name, rest)| Some((resolve(name)?, rest)));
        match resolved {
            Some((text, rest)) => {
                out.push_str(&text);
                out.push_str(rest);
            }
            None => {
                out.push('&');
                out.push_str(part);
            }
        }
    }
    Cow::Owned(out)
}

/// The text with `&lt;` for every `<` that begins no markup, as in `a < b` or `<3`. Comments and CDATA stay as they are.
fn bare_less_than(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('<')) {
        at += found;
        let rest = text.get(at..).unwrap_or_default();
        let literal = [("<![CDATA[", "]]>"), ("<!--", "-->")]
            .iter()
            .find(|(begins, _)| rest.starts_with(begins));
        if let Some((_, ends)) = literal {
            at += rest.find(ends).unwrap_or(rest.len());
            continue;
        }
        let next = rest.chars().nth(1);
        if next.is_none_or(|next| !next.is_alphabetic() && !"/!?_:".contains(next)) {
            out.push_str(text.get(copied..at).unwrap_or_default());
            out.push_str("&lt;");
            copied = at + 1;
        }
        at += 1;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// The value of an attribute, whatever its prefix.
pub(crate) fn attribute<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let local = |key: &str| {
        key.split_once(':')
            .map_or(key == name, |(_, local)| local == name)
    };
    attributes
        .iter()
        .find(|(key, _)| local(key))
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a text, an element as `<name>`.
    fn lenient(text: &str) -> String {
        let mut out = String::new();
        let read = read_lenient(text, |event| {
            match event {
                XmlEvent::Start(name, _, attributes) => {
                    out.push_str(&format!("<{name}"));
                    for (key, value) in attributes {
                        out.push_str(&format!(" {key}={value}"));
                    }
                    out.push('>');
                }
                XmlEvent::End(name) => out.push_str(&format!("</{name}>")),
                XmlEvent::Text(text) => out.push_str(text),
            }
            Ok(())
        });
        assert_eq!(read, Ok(()), "{text}");
        out
    }

    #[test]
    fn what_sites_serve_is_read_as_they_mean_it() {
        for (text, expected) in [
            (
                "<a>R & D, AT&T; x=1&copy=2</a>",
                "<a>R & D, AT&T; x=1&copy=2</a>",
            ),
            (
                "<a>Caf&eacute; &mdash; &#233;&#xE9;&nbsp;&hellip;</a>",
                "<a>Café — éé\u{a0}…</a>",
            ),
            ("<a>I&#146;m &#150; &#x80;5&#133;</a>", "<a>I’m – €5…</a>"),
            ("<a>&amp;eacute; &lt;b&gt;</a>", "<a>&eacute; <b></a>"),
            (
                "<a>&NotEqualTilde;&nosuch;&#0;&#xD800;</a>",
                "<a>≂̸&nosuch;&#0;&#xD800;</a>",
            ),
            ("<a h=\"?a=1&b=2&amp;c&eacute;\"/>", "<a h=?a=1&b=2&cé></a>"),
            ("<a>2 < 3, I <3 you, <</a>", "<a>2 < 3, I <3 you, <</a>"),
            (
                "<a><![CDATA[1 < 2 & 3]]><!-- < -->4 < 5</a>",
                "<a>1 < 2 & 34 < 5</a>",
            ),
            (
                "<a>one<br>two<i>three</a>",
                "<a>one<br>two<i>three</i></br></a>",
            ),
            ("<a>x</b></a>", "<a>x</a>"),
            (
                "Warning: no such file\n<?xml version=\"1.0\"?><a/>",
                "Warning: no such file\n<a></a>",
            ),
            ("<a>&", "<a>&"),
        ] {
            assert_eq!(lenient(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_missing_end_would_have_closed_stays_open() {
        for text in [
            "<a><b>x</b>",
            "<a><b>x</b",
            "<a><b",
            "<a><![CDATA[x",
            "<a><!-- x",
            "<a x=\"1",
        ] {
            assert!(!lenient(text).contains("</a>"), "{text}");
            assert!(read(text, |_| Ok(())).is_err(), "{text}");
        }
    }
}
