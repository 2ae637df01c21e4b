//! Formulas of Word (OMML) as text: `10⁶`, `1/2`, `√(a+b)`. Their runs are read like other runs; this adds what their structure
//! says.

use crate::{raised, xml::attribute};

/// The parts of formulas that are open.
#[derive(Default)]
pub(super) struct Math(Vec<(Part, usize)>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Superscript,
    Subscript,
    Numerator,
    Denominator,
    Root,
    /// The degree of a root.
    Degree,
    Brackets,
}

impl Part {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "sup" => Self::Superscript,
            "sub" => Self::Subscript,
            "num" => Self::Numerator,
            "den" => Self::Denominator,
            "rad" => Self::Root,
            "deg" => Self::Degree,
            "d" => Self::Brackets,
            _ => return None,
        })
    }
}

impl Math {
    /// An element of a formula begins, behind this text of its paragraph.
    pub(super) fn start(&mut self, name: &str, attributes: &[(String, String)], text: &mut String) {
        if let Some(part) = Part::of(name) {
            self.0.push((part, text.len()));
        } else if name == "chr" {
            // The sign of a sum or an integral.
            let sign = attribute(attributes, "val").unwrap_or_default();
            text.push_str(sign);
        }
    }

    /// An element ends behind this text of its paragraph.
    pub(super) fn end(&mut self, name: &str, text: &mut String) {
        let ends = |(part, _): &mut (Part, usize)| Part::of(name) == Some(*part);
        let Some((part, from)) = self.0.pop_if(ends) else {
            return;
        };
        if from > text.len() {
            return;
        }
        let inside = text.split_off(from);
        let written = match part {
            Part::Superscript => raised::superscript("x", &inside),
            Part::Subscript => raised::subscript(&inside),
            Part::Numerator => raised::enclosed(&inside),
            Part::Denominator => format!("/{}", raised::enclosed(&inside)),
            Part::Root => raised::root(&inside),
            Part::Degree => String::new(),
            Part::Brackets => format!("({inside})"),
        };
        text.push_str(&written);
    }
}
