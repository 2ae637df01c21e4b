//! Finds the main part of a page: its text, without navigation, banners and footers.

use super::{dom::NodeId, reading::Reading};

/// Most elements of a kind that are looked at.
const MAX_LOOK: usize = 64;

/// The elements to read, in document order: every `main`, with the element around the first heading when that is outside of
/// them; else the only `article`, if the page's main heading is not outside of it and it contains half of the text
/// (a testimonial is an `article`, too); else the whole page. Elements with hardly any of the page's text are not taken.
pub(super) fn find(reading: &Reading<'_>) -> Vec<NodeId> {
    let dom = reading.dom;
    let body = dom.find(0, "body").unwrap_or(0);
    let all = reading.weight(body);
    let within_skipped = |id: NodeId| {
        dom.ancestors(id)
            .take_while(|id| *id != body)
            .chain([id])
            .any(|id| reading.skips(id, body))
    };
    let outermost = |wanted: &dyn Fn(NodeId) -> bool| -> Vec<NodeId> {
        let found = dom.descendants(body).filter(|id| wanted(*id));
        let found = found.take(MAX_LOOK);
        found
            .filter(|id| !dom.ancestors(*id).any(wanted) && !within_skipped(*id))
            .collect()
    };
    let mut mains =
        outermost(&|id| dom.name(id) == "main" || dom.attribute(id, "role") == Some("main"));
    let weight: usize = mains.iter().map(|id| reading.weight(*id)).sum();
    if weight > 0 && weight * 5 >= all {
        mains.extend(heading_outside(reading, body, &mains));
        mains.sort_unstable();
        return mains;
    }
    let articles = outermost(&|id| dom.name(id) == "article");
    if let [only] = articles.as_slice() {
        let weight = reading.weight(*only);
        let headed = dom.find(*only, "h1").is_some() || dom.find(body, "h1").is_none();
        if headed && weight * 2 >= all && weight > 0 {
            return articles;
        }
    }
    vec![body]
}

/// The part of the page with its main heading, where that stands outside of `main`: a banner with a text.
fn heading_outside(reading: &Reading<'_>, body: NodeId, mains: &[NodeId]) -> Option<NodeId> {
    let dom = reading.dom;
    if mains.iter().any(|main| dom.find(*main, "h1").is_some()) {
        return None;
    }
    let heading = dom.find(body, "h1")?;
    let holds_main = |id: NodeId| mains.iter().any(|main| dom.is_within(id, *main));
    let around = dom
        .ancestors(heading)
        .take_while(|id| *id != body && !holds_main(*id));
    let part = around.last().unwrap_or(heading);
    (!reading.skips(part, body)).then_some(part)
}
