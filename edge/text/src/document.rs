//! A document of a bot, as Markdown with a title, whatever the format of its source.

/// A document with its front matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// `title:`, or the first heading.
    pub title: String,
    /// `lang:` (BCP 47), possibly empty.
    pub language: String,
    /// `url:`, the page that shows the document.
    pub url: String,
    /// Markdown.
    pub body: String,
}

impl Document {
    /// Reads Markdown that may begin with front matter: `key: value` lines between two `---`.
    pub fn parse(markdown: &str) -> Self {
        let text = markdown
            .trim_start_matches('\u{feff}')
            .replace("\r\n", "\n");
        let mut document = Self::default();
        let front = text
            .strip_prefix("---\n")
            .and_then(|rest| rest.split_once("\n---\n"));
        if let Some((front, body)) = front {
            for (key, value) in front.lines().filter_map(|line| line.split_once(':')) {
                let value = value.trim().trim_matches('"').to_owned();
                match key.trim() {
                    "title" => document.title = value,
                    "lang" => document.language = value,
                    "url" => document.url = value,
                    _ => {}
                }
            }
            document.body = body.to_owned();
        } else {
            document.body = text;
        }
        if document.title.is_empty() {
            let heading = document
                .body
                .lines()
                .find_map(|line| line.strip_prefix("# "))
                .unwrap_or("Document")
                .trim();
            document.title = match heading.rsplit_once(" {#") {
                Some((title, id)) if id.ends_with('}') => title.trim_end().to_owned(),
                _ => heading.to_owned(),
            };
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_front_matter_the_first_heading_is_the_title() {
        assert_eq!(Document::parse("text\n# Titre\n").title, "Titre");
        assert_eq!(Document::parse("# Titre {#t}\n").title, "Titre");
        assert_eq!(Document::parse("# Titre {#t} a\n").title, "Titre {#t} a");
        assert_eq!(Document::parse("").title, "Document");
    }

    #[test]
    fn front_matter_is_read_whatever_the_line_ends_are() {
        let document = Document::parse(
            "\u{feff}---\r\ntitle: \"Mon CV\"\r\nlang: fr\r\nurl: /cv.html\r\n---\r\nA\r\n",
        );
        assert_eq!(
            (
                &*document.title,
                &*document.language,
                &*document.url,
                &*document.body
            ),
            ("Mon CV", "fr", "/cv.html", "A\n")
        );
    }
}
