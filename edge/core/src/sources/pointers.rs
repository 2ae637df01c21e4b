//! Pointers: redirects, `meta http-equiv=refresh` and canonical links, by which a page names another address in its place.
//!
//! The other address may answer 404, point back, or point on. A page that answered is not given up for an address that does
//! not. So a crawl first reads the other address; [`decide`] then decides about the page. Handled are circles of canonical
//! links, of redirects, and of both; chains that end in an error, outside the site, or beyond its limits; and temporary
//! redirects, for example to a login or a maintenance page.

use serde::{Deserialize, Serialize};

use super::{Failure, FailureCode, failure};

/// The kind of a pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PointerKind {
    /// `link rel=canonical`. The page itself has content.
    Canonical,
    /// A permanent redirect: 301, 308.
    Moved,
    /// `meta http-equiv=refresh`. The content of the page itself counts only in a circle, for example of a slide show.
    Refresh,
    /// A temporary redirect: 302, 303, 307.
    Elsewhere,
}

/// A pointer of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// Its kind.
    pub kind: PointerKind,
    /// The address that it names.
    pub target: String,
}

/// The state of an address in a crawl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The page was read.
    Read,
    /// The page could not be read.
    Failed,
    /// The address answers 404, or the page forbids indexing.
    Gone,
    /// The page is in the queue.
    Open,
    /// The address does not belong to the site, or exceeds a limit.
    Outside,
    /// The page has a pointer itself.
    Points(Pointer),
}

/// The decision about a page with a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Another page must be decided or read first.
    Wait,
    /// The page that the pointer names was read and replaces this page.
    Replaced,
    /// The page itself is read; its pointer is ignored.
    ReadItself,
    /// The page is gone.
    Gone,
    /// The last version of the page stays in use.
    Keep(Failure),
}

/// Decides about the page of an address.
pub fn decide(address: &str, pointer: Pointer, standing: impl Fn(&str) -> Standing) -> Verdict {
    let mut chain = vec![(address.to_owned(), pointer)];
    loop {
        let Some((_, last)) = chain.last() else {
            return Verdict::Wait;
        };
        let target = last.target.clone();
        if let Some(from) = chain.iter().position(|(address, _)| *address == target) {
            return circle(&chain, from);
        }
        match standing(&target) {
            Standing::Points(next) => chain.push((target, next)),
            Standing::Open => return Verdict::Wait,
            Standing::Read if !is_temporary(&chain) => return Verdict::Replaced,
            end => return dead_end(&chain, &end),
        }
    }
}

/// Decides in a circle: one page with content replaces the others.
fn circle(chain: &[(String, Pointer)], from: usize) -> Verdict {
    let members = chain.get(from..).unwrap_or_default();
    let readable = members
        .iter()
        .filter(|(_, pointer)| {
            matches!(pointer.kind, PointerKind::Canonical | PointerKind::Refresh)
        })
        .map(|(address, _)| address)
        .min();
    match readable {
        Some(chosen) if chain.first().is_some_and(|(first, _)| first == chosen) => {
            Verdict::ReadItself
        }
        Some(_) => Verdict::Wait,
        None => dead_end(chain, &Standing::Failed),
    }
}

/// Decides in a chain whose end cannot be read: the last page with content replaces the pages before it.
fn dead_end(chain: &[(String, Pointer)], end: &Standing) -> Verdict {
    let readable = chain
        .iter()
        .rposition(|(_, pointer)| pointer.kind == PointerKind::Canonical);
    match (readable, end) {
        (Some(0), _) => Verdict::ReadItself,
        (Some(_), _) => Verdict::Wait,
        (None, _) if is_temporary(chain) => Verdict::Keep(elsewhere()),
        (None, Standing::Failed) => Verdict::Keep(failure(
            FailureCode::RedirectLoop,
            "The page redirects in a circle, or to an address that cannot be read. Its last version stays in use. Open it \
             in a private window of a browser and correct the redirect.",
        )),
        (None, _) => Verdict::Gone,
    }
}

/// Whether the chain contains a temporary redirect.
fn is_temporary(chain: &[(String, Pointer)]) -> bool {
    chain
        .iter()
        .any(|(_, pointer)| pointer.kind == PointerKind::Elsewhere)
}

fn elsewhere() -> Failure {
    failure(
        FailureCode::Forbidden,
        "The page redirects temporarily, for example to a login or a maintenance page. Its last version stays in use. If \
         the page has moved, redirect with 301; to remove it, answer 404 or delete it here.",
    )
}

#[cfg(test)]
mod tests {
    use super::{PointerKind::*, *};

    /// Decides all pointers of a little site, where `a>b` is a canonical, `a=b` a move, `a*b` a refresh, `a~b` a temporary
    /// redirect, `a+`
    /// a page that was read, `a-` one that failed, `a.` one that is gone and `a?` one that waits.
    fn verdicts(site: &str) -> String {
        let standing = |wanted: &str| {
            let found = site.split(' ').find(|page| page.starts_with(wanted));
            let rest = found.and_then(|page| page.get(1..)).unwrap_or_default();
            let target = rest.get(1..).unwrap_or_default().to_owned();
            let points = |kind| {
                Standing::Points(Pointer {
                    kind,
                    target: target.clone(),
                })
            };
            match rest.chars().next() {
                Some('>') => points(Canonical),
                Some('=') => points(Moved),
                Some('*') => points(Refresh),
                Some('~') => points(Elsewhere),
                Some('+') => Standing::Read,
                Some('-') => Standing::Failed,
                Some('.') => Standing::Gone,
                Some('?') => Standing::Open,
                _ => Standing::Outside,
            }
        };
        site.split(' ')
            .filter_map(|page| match standing(page.get(..1)?) {
                Standing::Points(pointer) => Some((page.get(..1)?, pointer)),
                _ => None,
            })
            .map(|(page, pointer)| match decide(page, pointer, standing) {
                Verdict::Wait => "wait".to_owned(),
                Verdict::Replaced => "replaced".to_owned(),
                Verdict::ReadItself => "itself".to_owned(),
                Verdict::Gone => "gone".to_owned(),
                Verdict::Keep(failure) => format!("keep:{:?}", failure.code),
            })
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_page_that_answered_is_not_given_up_for_one_that_does_not() {
        for (site, expected) in [
            // What is usual.
            ("a>b b+", "replaced"),
            ("a=b b+", "replaced"),
            ("a>b b=c c+", "replaced replaced"),
            ("a>b b?", "wait"),
            // A canonical that answers 404, fails, or is none of the site's.
            ("a>b b.", "itself"),
            ("a>b b-", "itself"),
            ("a>x", "itself"),
            // Circles: of canonicals, of a canonical and a redirect, of redirects.
            ("a>b b>a", "itself wait"),
            ("a>b b>c c>b", "wait itself wait"),
            ("a>b b=a", "itself wait"),
            ("a=b b>a", "wait itself"),
            ("a=b b=a", "keep:RedirectLoop keep:RedirectLoop"),
            ("a*b b*a", "itself wait"),
            ("a*b b=a", "itself wait"),
            // A page that leads on.
            ("a*b b*c c+", "replaced replaced"),
            ("a*b b.", "gone"),
            ("a*b b-", "keep:RedirectLoop"),
            // Chains: the last page that was read stands for those before it.
            ("a>b b>c c.", "wait itself"),
            ("a>b b=c c.", "itself gone"),
            ("a=b b>c c-", "wait itself"),
            // Redirects that lead to nothing.
            ("a=b b.", "gone"),
            ("a=x", "gone"),
            ("a=b b-", "keep:RedirectLoop"),
            // A door that is closed for now.
            ("a~b b+", "keep:Forbidden"),
            ("a~b b.", "keep:Forbidden"),
            ("a~x", "keep:Forbidden"),
            ("a=b b~c c+", "keep:Forbidden keep:Forbidden"),
            ("a>b b~c c+", "itself keep:Forbidden"),
            ("a~b b>c c+", "wait replaced"),
        ] {
            assert_eq!(verdicts(site), expected, "{site}");
        }
    }

    proptest::proptest! {
        /// A crawl ends: with an empty queue, at least one page with a pointer can be decided.
        #[test]
        fn one_page_can_always_be_decided(pages in proptest::collection::vec(("[>=~*]", "[a-f]"), 1..6)) {
            let site: Vec<String> = pages
                .iter()
                .zip('a'..)
                .map(|((kind, target), name)| format!("{name}{kind}{target}"))
                .collect();
            let verdicts = verdicts(&site.join(" "));
            proptest::prop_assert!(verdicts.split(' ').any(|verdict| verdict != "wait"), "{site:?}: {verdicts}");
        }
    }
}
