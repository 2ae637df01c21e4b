//! Addresses of mail that are hidden from programs: by Cloudflare in hexadecimal, of which the first byte is the key of the
//! others; by other pages written backwards, and shown from right to left.

use super::dom::{Dom, NodeId};

/// Where the links to such addresses lead.
const PATH: &str = "/cdn-cgi/l/email-protection#";

/// The address that an element stands for, whatever it shows.
pub(super) fn protected(dom: &Dom, id: NodeId) -> Option<String> {
    decode(dom.attribute(id, "data-cfemail")?)
}

/// The link that leads to such an address.
pub(super) fn link(href: &str) -> Option<String> {
    let (_, code) = href.split_once(PATH)?;
    Some(format!("mailto:{}", decode(code)?))
}

/// Whether the letters of an element are shown in the reverse of their order.
pub(super) fn is_reversed(dom: &Dom, id: NodeId) -> bool {
    let style = dom.attribute(id, "style").unwrap_or_default();
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    let style = style.to_ascii_lowercase();
    let overrides = style.contains("unicode-bidi:bidi-override") && style.contains("direction:rtl");
    let named = dom.name(id) == "bdo" && dom.attribute(id, "dir") == Some("rtl");
    if !overrides && !named {
        return false;
    }
    let text = dom.text(id);
    // Scripts that are written from the right are not meant.
    text.is_ascii() && text.contains('@')
}

fn decode(code: &str) -> Option<String> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = code.trim().as_bytes().chunks(2).map(byte).collect();
    let bytes = bytes?;
    let (key, rest) = bytes.split_first()?;
    let text = String::from_utf8(rest.iter().map(|byte| byte ^ key).collect()).ok()?;
    let fits = text.contains('@') && !text.chars().any(char::is_control);
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_the_key() {
        let code: String = [0x42_u8]
            .into_iter()
            .chain("hello@a.example".bytes().map(|byte| byte ^ 0x42))
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(decode(&code).as_deref(), Some("hello@a.example"));
        for wrong in ["", "42", "4", "zz00", "42é", "4242"] {
            assert_eq!(decode(wrong), None);
        }
    }
}
