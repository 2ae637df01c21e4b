//! The main part of a page: its text, without what surrounds it.

use super::{dom::NodeId, reading::Reading};

/// Most elements of a kind that are looked at.
const MAX_LOOK: usize = 64;

/// The elements to read, in their order.
///
/// All of `main` where a page has it, each where it has several, with the element of its main heading where that stands
/// before. Else the only `article` if it is the page: if it holds the main heading or nearly all of the text, for a
/// testimonial is an `article`, too. Else all of the page. What has hardly any of the text is not it.
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
        if (headed && weight * 2 >= all && weight > 0) || weight * 5 > all * 4 {
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
