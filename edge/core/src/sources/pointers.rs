//! Pages that name another address in their place: by a redirect, by `meta http-equiv=refresh`, by a canonical link.
//!
//! A pointer is a hint until the other address has been read. It may answer 404, lead back, or lead on; a page that answered
//! is not given up for one that does not. So a crawl reads the other address first and decides then, by [`decide`]. The
//! kinds of trouble: circles of canonicals, of redirects, of both; chains that end in an error, outside the site, or beyond
//! its limits; a door that is closed for now (a redirect to a login or to a notice of maintenance).

use serde::{Deserialize, Serialize};

use super::{Failure, FailureCode, failure};

/// How a page names another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PointerKind {
    /// `link rel=canonical`: the page itself was read, too.
    Canonical,
    /// It has moved for good: 301, 308.
    Moved,
    /// It leads on by itself, by `meta http-equiv=refresh`. What it shows meanwhile is worth reading in a circle alone, as
    /// of a slide show.
    Refresh,
    /// It is elsewhere for now: 302, 303, 307.
    Elsewhere,
}

/// A page names another address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// How.
    pub kind: PointerKind,
    /// The other address.
    pub target: String,
}

/// What a crawl has found of an address so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was read.
    Read,
    /// It could not be read.
    Failed,
    /// Nothing is there, or it asks not to be indexed.
    Gone,
    /// It waits to be fetched.
    Open,
    /// It is none of the site's pages, or one too many.
    Outside,
    /// It names another address itself.
    Points(Pointer),
}

/// What becomes of a page that names another address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is too early to tell.
    Wait,
    /// The other page stands for it.
    Replaced,
    /// It is read itself, whatever it names.
    ReadItself,
    /// Nothing is there.
    Gone,
    /// Its last version stays.
    Keep(Failure),
}

/// What becomes of the page of this address, which is a pointer.
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
            Standing::Read if !for_now(&chain) => return Verdict::Replaced,
            end => return dead_end(&chain, &end),
        }
    }
}

/// Of a circle, one page that shows something stands for all.
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

/// Of a chain that leads to nothing, the last page that was read stands for those before it.
fn dead_end(chain: &[(String, Pointer)], end: &Standing) -> Verdict {
    let readable = chain
        .iter()
        .rposition(|(_, pointer)| pointer.kind == PointerKind::Canonical);
    match (readable, end) {
        (Some(0), _) => Verdict::ReadItself,
        (Some(_), _) => Verdict::Wait,
        (None, _) if for_now(chain) => Verdict::Keep(elsewhere()),
        (None, Standing::Failed) => Verdict::Keep(failure(
            FailureCode::RedirectLoop,
            "The page leads on to an address that cannot be read, or leads back. Its last version stays. Open it in a \
             private window of a browser and correct where it leads.",
        )),
        (None, _) => Verdict::Gone,
    }
}

/// Whether a page of the chain leads on only for now.
fn for_now(chain: &[(String, Pointer)]) -> bool {
    chain
        .iter()
        .any(|(_, pointer)| pointer.kind == PointerKind::Elsewhere)
}

fn elsewhere() -> Failure {
    failure(
        FailureCode::Forbidden,
        "The page leads elsewhere for now (a temporary redirect), as to a login or a notice of maintenance. Its last \
         version stays. If it has moved, redirect with 301; if it is to be forgotten, answer 404 or delete it here.",
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
        /// However pages point at one another: where nothing is open, somebody can be decided, so a crawl ends.
        #[test]
        fn there_is_always_something_to_decide(pages in proptest::collection::vec(("[>=~*]", "[a-f]"), 1..6)) {
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
