//! What a sitemap is worth: whether it may be believed, and what its owner is told if not.
//!
//! Sitemaps break in many ways: a notice of maintenance in their place, an end that is cut off, an empty body, an entry that
//! names no address, a plugin that lists nothing any more. All of them look like pages that are gone. So the absence of a
//! page from a sitemap says nothing: a page that is no longer listed is asked itself. While a sitemap is in doubt, not
//! even a page that answers 404 is removed, since the whole site may be under repair.

use super::{Failure, FailureCode, FetchError, failure};

/// Who has named a sitemap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The owner, or `robots.txt`, or another sitemap.
    Site,
    /// Nobody: it is the usual address.
    Nobody,
}

/// What a sitemap lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Pages and further sitemaps.
    pub entries: u32,
    /// Entries that name no address.
    pub unreadable: u32,
    /// Pages of other sites.
    pub foreign: u32,
    /// Its end is missing.
    pub cut: bool,
}

/// Why a sitemap is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// For the owner.
    pub failure: Failure,
    /// Whether no page is to be removed.
    pub keep_all: bool,
}

/// Whether a sitemap is to be doubted. `before` is how many entries it had when it was read last, if ever.
pub fn doubt(
    address: &str,
    named_by: NamedBy,
    before: Option<u32>,
    found: Result<&Listing, &FetchError>,
) -> Option<Doubt> {
    let doubt = |code, what: String, keep_all| {
        let stay = if keep_all {
            "No page is removed until it can be read. Repair it, then refresh this source."
        } else {
            "Correct it, then refresh this source."
        };
        let detail = format!("The sitemap {address} {what} {stay}");
        Some(Doubt {
            failure: failure(code, detail),
            keep_all,
        })
    };
    let listing = match found {
        Ok(listing) => listing,
        Err(error) => {
            let Failure { code, detail } = error.failure();
            let passing = matches!(error, FetchError::Transient(..));
            // A site that answers every address has a page at the usual address of sitemaps.
            let none_there = matches!(
                code,
                FailureCode::NotFound | FailureCode::Forbidden | FailureCode::Mislabelled
            );
            if named_by == NamedBy::Nobody && before.is_none() && !passing && none_there {
                return None;
            }
            let keep_all = passing || before.is_some() && *code != FailureCode::NotFound;
            return doubt(*code, format!("could not be read. {detail}"), keep_all);
        }
    };
    let Listing {
        entries,
        unreadable,
        foreign,
        cut,
    } = *listing;
    if cut {
        let what = "was not received whole: its end is missing.".to_owned();
        return doubt(FailureCode::Corrupt, what, true);
    }
    if unreadable > 0 {
        let all = entries + unreadable;
        let what = format!("has {all} entries, of which {unreadable} name no address.");
        return doubt(FailureCode::Corrupt, what, true);
    }
    if let Some(before) = before.filter(|before| entries.saturating_mul(2) < *before) {
        let what = format!(
            "lists {entries} addresses; it was {before} when it was read last. Pages that it no longer lists stay \
             while their addresses answer."
        );
        return doubt(FailureCode::Corrupt, what, true);
    }
    if entries > 0 && foreign == entries {
        let what = "lists no address of this site: another name (www), another port, or http:// instead of https://."
            .to_owned();
        return doubt(FailureCode::Mislabelled, what, false);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = "https://example.com/sitemap.xml";

    fn found(entries: u32) -> Listing {
        Listing {
            entries,
            ..Listing::default()
        }
    }

    #[test]
    fn a_sitemap_that_is_not_whole_keeps_all_pages() {
        for (before, listing) in [
            (
                Some(10),
                Listing {
                    cut: true,
                    ..found(9)
                },
            ),
            (
                None,
                Listing {
                    cut: true,
                    ..found(9)
                },
            ),
            (
                Some(10),
                Listing {
                    unreadable: 1,
                    ..found(10)
                },
            ),
            (Some(10), found(0)),
            (Some(10), found(4)),
            (Some(1), found(0)),
        ] {
            let doubt = doubt(MAP, NamedBy::Nobody, before, Ok(&listing)).unwrap();
            assert!(doubt.keep_all, "{listing:?}");
            assert!(doubt.failure.detail.contains(MAP) && doubt.failure.detail.contains("refresh"));
        }
        for (before, listing) in [
            (None, found(0)),
            (None, found(7)),
            (Some(10), found(5)),
            (Some(2), found(1)),
            (Some(1), found(9)),
        ] {
            assert_eq!(
                doubt(MAP, NamedBy::Site, before, Ok(&listing)),
                None,
                "{listing:?}"
            );
        }
        let foreign = Listing {
            foreign: 3,
            ..found(3)
        };
        assert!(
            !doubt(MAP, NamedBy::Site, None, Ok(&foreign))
                .unwrap()
                .keep_all
        );
        let some = Listing {
            foreign: 2,
            ..found(3)
        };
        assert_eq!(doubt(MAP, NamedBy::Site, None, Ok(&some)), None);
    }

    #[test]
    fn one_that_cannot_be_read_is_told_where_there_was_one() {
        use {FailureCode as Code, NamedBy::*};
        for (code, passing, named_by, before, expected) in [
            // A page in its place: where there never was a sitemap, and where there was one.
            (Code::Mislabelled, false, Nobody, None, None),
            (Code::Mislabelled, false, Nobody, Some(3), Some(true)),
            (Code::Mislabelled, false, Site, None, Some(false)),
            (Code::NotFound, false, Nobody, None, None),
            (Code::NotFound, false, Nobody, Some(3), Some(false)),
            (Code::NotFound, false, Site, None, Some(false)),
            (Code::Forbidden, false, Site, Some(3), Some(true)),
            (Code::Corrupt, false, Nobody, None, Some(false)),
            (Code::Corrupt, false, Nobody, Some(3), Some(true)),
            (Code::ServerError, true, Nobody, None, Some(true)),
            (Code::Timeout, true, Site, Some(3), Some(true)),
        ] {
            let error = if passing {
                FetchError::transient(code, "It failed.")
            } else {
                FetchError::permanent(code, "It failed.")
            };
            let doubt = doubt(MAP, named_by, before, Err(&error));
            assert_eq!(
                doubt.as_ref().map(|doubt| doubt.keep_all),
                expected,
                "{code:?}"
            );
            if let Some(doubt) = doubt {
                assert_eq!(doubt.failure.code, code);
                assert!(doubt.failure.detail.contains("It failed."));
            }
        }
    }
}
