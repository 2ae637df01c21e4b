//! Formatting of interface texts.

/// Replaces every `{name}` in a text by a value.
pub fn fill(text: &str, name: &str, value: &str) -> String {
    let mut parts = text.split('{');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.strip_prefix(name).and_then(|r| r.strip_prefix('}'));
        match rest {
            Some(rest) => {
                out.push_str(value);
                out.push_str(rest);
            }
            None => {
                out.push('{');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_what_it_knows_and_leaves_the_rest() {
        let table = [
            ("Ask {name}…", "Ask Al…"),
            ("{name}{name}", "AlAl"),
            ("{n}: {title}", "{n}: {title}"),
            ("{name", "{name"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(fill(text, "name", "Al"), expected);
        }
    }
}
