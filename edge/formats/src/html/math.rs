//! Formulas in MathML as text: `10⁶`, `1/2`, `√(a+b)`.

use super::dom::{Dom, NodeData, NodeId};
use crate::{raised, write};

/// The escaped text of a formula.
pub(super) fn text(dom: &Dom, id: NodeId) -> String {
    let mut out = String::new();
    add(dom, id, &mut out);
    out
}

fn add(dom: &Dom, id: NodeId, out: &mut String) {
    if let Some(NodeData::Text(text)) = dom.get(id).map(|node| &node.data) {
        out.push_str(&write::escape(&write::flat(text)));
        return;
    }
    let parts = dom.children(id).iter().copied();
    let parts: Vec<NodeId> = parts.filter(|id| !dom.name(*id).is_empty()).collect();
    let part = |at: usize| parts.get(at).map(|id| text(dom, *id)).unwrap_or_default();
    let raise = |out: &mut String, at| out.push_str(&raised::superscript("x", &part(at)));
    let lower = |out: &mut String, at| out.push_str(&raised::subscript(&part(at)));
    match dom.name(id) {
        // The source of the formula in another language.
        "annotation" | "annotation-xml" => {}
        "msup" | "mover" => {
            out.push_str(&part(0));
            raise(out, 1);
        }
        "msub" | "munder" => {
            out.push_str(&part(0));
            lower(out, 1);
        }
        "msubsup" | "munderover" => {
            out.push_str(&part(0));
            lower(out, 1);
            raise(out, 2);
        }
        "mfrac" => out.push_str(&raised::fraction(&part(0), &part(1))),
        "msqrt" => {
            let inside: String = parts.iter().map(|id| text(dom, *id)).collect();
            out.push_str(&raised::root(&inside));
        }
        "mroot" => out.push_str(&raised::root(&part(0))),
        "mspace" => out.push(' '),
        _ => dom
            .children(id)
            .iter()
            .for_each(|child| add(dom, *child, out)),
    }
}
