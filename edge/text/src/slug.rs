//! Slugs: the names of sections in addresses.

use crate::fold::fold;

/// A fragment identifier for a heading: folded, with a hyphen for every run of characters other than `a-z0-9`.
pub fn slug(heading: &str) -> String {
    let mut out = String::new();
    for c in fold(heading).chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        for (heading, expected) in [
            ("Compétences techniques", "competences-techniques"),
            ("Puis-je télétravailler ?", "puis-je-teletravailler"),
            ("Kubernetes & « GitOps »", "kubernetes-gitops"),
            ("  ", ""),
        ] {
            assert_eq!(slug(heading), expected);
        }
    }
}
