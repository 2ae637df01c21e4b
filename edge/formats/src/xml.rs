//! XML as a stream of events: without a tree, without DTDs, and without entities except those of XML itself and
//! `&nbsp;`.

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
    let broken = || {
        Unreadable::corrupt(
            "The XML of the file is broken, or was not received whole. Make the file anew.",
        )
    };
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let (mut depth, mut nodes) = (0_usize, 0_usize);
    let mut attributes = Vec::new();
    loop {
        let event = reader.read_event().map_err(|_| broken())?;
        nodes += 1;
        if nodes > limits::MAX_XML_EVENTS {
            return Err(Unreadable::too_large(
                "The file has too many parts. Divide it into several.",
            ));
        }
        match &event {
            Raw::Start(start) | Raw::Empty(start) => {
                attributes.clear();
                for attribute in start.attributes().with_checks(false).flatten().take(100) {
                    let key = attribute.key.into_inner().to_owned();
                    let raw = attribute.value;
                    let value = quick_xml::escape::unescape(&raw)
                        .map_or_else(|_| raw.to_string(), Into::into);
                    attributes.push((key, value));
                }
                let name = start.name();
                let full: &str = name.as_ref();
                let (prefix, local) = full.split_once(':').unwrap_or(("", full));
                each(XmlEvent::Start(local, prefix, &attributes))?;
                if matches!(event, Raw::Empty(_)) {
                    each(XmlEvent::End(local))?;
                } else {
                    depth += 1;
                    if depth > limits::MAX_HTML_DEPTH {
                        return Err(Unreadable::too_large(
                            "The file nests its parts too deeply.",
                        ));
                    }
                }
            }
            Raw::End(end) => {
                let name = end.name();
                let full: &str = name.as_ref();
                depth = depth.saturating_sub(1);
                each(XmlEvent::End(
                    full.split_once(':').map_or(full, |(_, local)| local),
                ))?;
            }
            Raw::Text(text) => each(XmlEvent::Text(text))?,
            Raw::CData(text) => each(XmlEvent::Text(text))?,
            Raw::GeneralRef(reference) => {
                let name = reference.to_string();
                let resolved = reference
                    .resolve_char_ref()
                    .ok()
                    .flatten()
                    .map(String::from);
                let named = || match name.as_str() {
                    "amp" => Some("&"),
                    "lt" => Some("<"),
                    "gt" => Some(">"),
                    "quot" => Some("\""),
                    "apos" => Some("'"),
                    "nbsp" => Some("\u{a0}"),
                    _ => None,
                };
                if let Some(text) = resolved.or_else(|| named().map(str::to_owned)) {
                    each(XmlEvent::Text(&text))?;
                }
            }
            Raw::Eof if depth > 0 => return Err(broken()),
            Raw::Eof => return Ok(()),
            _ => {}
        }
    }
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
