//! The style sheets of a page, as far as its own `style` elements say without a condition what a class looks like.

use super::dom::Dom;

/// Calls `each` with a class and the declarations of a rule for it: `.c7{…}`, `span.old{…}`. A rule within `@media` is not
/// read, nor one for an element within another.
pub(super) fn classes(dom: &Dom, mut each: impl FnMut(&str, &str)) {
    let sheets = dom.descendants(0).filter(|id| dom.name(*id) == "style");
    for sheet in sheets.map(|id| dom.text(id)) {
        for rule in sheet.split('}') {
            let Some((selectors, style)) = rule.rsplit_once('{') else {
                continue;
            };
            // After `@import …;`. Within `@media …{` the selector has a brace and is no class.
            let selectors = selectors.rsplit(';').next().unwrap_or_default();
            for selector in selectors.split(',') {
                let selector = selector.trim();
                let selector = ["span", "small", "sup"]
                    .iter()
                    .find_map(|name| selector.strip_prefix(name))
                    .unwrap_or(selector);
                let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
                if let Some(class) = selector
                    .strip_prefix('.')
                    .filter(|it| it.chars().all(plain))
                {
                    each(class, style);
                }
            }
        }
    }
}
