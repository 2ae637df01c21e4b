//! Templates of `snippet/templates`, with the key of a site and the address of the edge filled in.

use bulle_api::admin::snippet::Snippet;

/// The placeholder of the edge's origin in the templates.
const EDGE: &str = "https://EDGE";

/// The placeholder of the site's key in the templates.
const SITE: &str = "SITE_KEY";

/// The context of a value in a template, which decides how it is escaped.
#[derive(Clone, Copy)]
enum Place {
    /// An attribute of HTML, in quotes.
    Attribute,
    /// A string of JavaScript in quotes, perhaps in a `<script>`.
    Script,
    /// A string of Rust in quotes.
    Rust,
    /// Code in a text of Markdown, in backticks.
    Code,
}

/// Name, file, language, the context of the values, and the template.
const TEMPLATES: [(&str, &str, &str, Place, &str); 7] = [
    (
        "HTML",
        "tag.html",
        "html",
        Place::Attribute,
        include_str!("../../../../snippet/templates/tag.html"),
    ),
    (
        "React",
        "BulleChat.tsx",
        "tsx",
        Place::Script,
        include_str!("../../../../snippet/templates/BulleChat.tsx"),
    ),
    (
        "Vue",
        "BulleChat.vue",
        "vue",
        Place::Script,
        include_str!("../../../../snippet/templates/BulleChat.vue"),
    ),
    (
        "Svelte",
        "BulleChat.svelte",
        "svelte",
        Place::Script,
        include_str!("../../../../snippet/templates/BulleChat.svelte"),
    ),
    (
        "Leptos",
        "bulle_chat.rs",
        "rust",
        Place::Rust,
        include_str!("../../../../snippet/templates/bulle_chat.rs"),
    ),
    (
        "Astro",
        "BulleChat.astro",
        "astro",
        Place::Script,
        include_str!("../../../../snippet/templates/BulleChat.astro"),
    ),
    (
        "WordPress",
        "wordpress.md",
        "markdown",
        Place::Code,
        include_str!("../../../../snippet/templates/wordpress.md"),
    ),
];

/// Every template for a site; `edge` is the origin of the edge.
pub fn snippets(edge: &str, site: &str) -> Vec<Snippet> {
    let filled = TEMPLATES.map(|(name, file, language, place, template)| Snippet {
        name: name.to_owned(),
        file: file.to_owned(),
        language: language.to_owned(),
        content: fill(template, &escape(place, edge), &escape(place, site)),
    });
    filled.into()
}

/// Replaces both placeholders in one pass, so that a value which looks like the other placeholder is not replaced.
fn fill(template: &str, edge: &str, site: &str) -> String {
    let parts: Vec<String> = template
        .split(EDGE)
        .map(|part| part.replace(SITE, site))
        .collect();
    parts.join(edge)
}

fn escape(place: Place, value: &str) -> String {
    match place {
        Place::Attribute => value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;"),
        Place::Script => {
            let json = serde_json::to_string(value).unwrap_or_default();
            let inside = json
                .strip_prefix('"')
                .and_then(|json| json.strip_suffix('"'));
            inside
                .unwrap_or_default()
                // `<` could end the script element, or begin an HTML comment.
                .replace('<', "\\u003c")
                .replace('\u{2028}', "\\u2028")
                .replace('\u{2029}', "\\u2029")
        }
        Place::Rust => value.escape_default().to_string(),
        Place::Code => value.replace(['`', '\n', '\r'], ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_names_the_edge_and_the_site() {
        let items = snippets("https://chat.example.com", "bk_live_7Qm2");
        assert_eq!(items.len(), 7);
        for Snippet { name, content, .. } in &items {
            for value in ["https://chat.example.com", "bk_live_7Qm2"] {
                assert_eq!(content.matches(value).count(), 1, "{name}: {value} once");
            }
            assert!(
                !content.contains("EDGE\"") && !content.contains(SITE),
                "{name}"
            );
            assert!(content.ends_with('\n'), "{name}");
        }
        let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "HTML",
                "React",
                "Vue",
                "Svelte",
                "Leptos",
                "Astro",
                "WordPress"
            ]
        );
    }

    #[test]
    fn values_cannot_leave_their_place() {
        let evil = "a\"b'c</script><!--&`\\\n\u{2028}${x}";
        for (place, expected) in [
            (
                Place::Attribute,
                "a&quot;b&#39;c&lt;/script&gt;&lt;!--&amp;`\\\n\u{2028}${x}",
            ),
            (
                Place::Script,
                r#"a\"b'c\u003c/script>\u003c!--&`\\\n\u2028${x}"#,
            ),
            (Place::Rust, r#"a\"b\'c</script><!--&`\\\n\u{2028}${x}"#),
            (Place::Code, "a\"b'c</script><!--&\\\u{2028}${x}"),
        ] {
            assert_eq!(escape(place, evil), expected);
        }
    }

    #[test]
    fn a_value_that_looks_like_a_placeholder_stays() {
        let tag = fill(
            "https://EDGE/s/SITE_KEY.js",
            "https://SITE_KEY",
            "https://EDGE",
        );
        assert_eq!(tag, "https://SITE_KEY/s/https://EDGE.js");
    }
}
