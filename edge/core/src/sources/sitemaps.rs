//! Sitemaps in doubt: which response of a sitemap is not trusted, and what the owner reads about it.
//!
//! A sitemap may be replaced by a maintenance page, truncated, empty, without most of its entries, or have entries without an
//! address. In each case pages seem to have disappeared. So a missing entry never removes a page: the crawl requests the page
//! itself. While a sitemap is in doubt, even a page that answers 404 stays, because the whole site may be under maintenance.

use super::{Failure, FailureCode, FetchError, failure};

/// Where the address of a sitemap comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The owner, `robots.txt`, or another sitemap.
    Site,
    /// The convention, `/sitemap.xml`: many sites have no sitemap there.
    Convention,
}

/// Counts of a sitemap's entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Entries with an address: pages and further sitemaps.
    pub entries: u32,
    /// Entries without an address.
    pub unreadable: u32,
    /// Pages of other sites.
    pub foreign: u32,
    /// Whether the end of the sitemap is missing.
    pub truncated: bool,
}

/// The reason why a sitemap is not trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// For the owner.
    pub failure: Failure,
    /// Whether this crawl must remove no page.
    pub keep_all: bool,
}

/// The doubt about a sitemap, if any. `before` is the number of entries at its last successful reading.
pub fn doubt(
    address: &str,
    named_by: NamedBy,
    before: Option<u32>,
    found: Result<&Listing, &FetchError>,
) -> Option<Doubt> {
    let doubt = |code, what: String, keep_all| {
        let stay = if keep_all {
            "No page is removed meanwhile. Repair the sitemap, then refresh this source."
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
            // Single-page applications answer every address with a page.
            let no_sitemap = matches!(
                code,
                FailureCode::NotFound | FailureCode::Forbidden | FailureCode::Mislabelled
            );
            if named_by == NamedBy::Convention && before.is_none() && !passing && no_sitemap {
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
        truncated,
    } = *listing;
    if truncated {
        let what = "is truncated: its end is missing.".to_owned();
        return doubt(FailureCode::Corrupt, what, true);
    }
    if unreadable > 0 {
        let all = entries + unreadable;
        let what = format!("has {all} entries, {unreadable} of them without an address.");
        return doubt(FailureCode::Corrupt, what, true);
    }
    if let Some(before) = before.filter(|before| entries.saturating_mul(2) < *before) {
        let what = format!("has {entries} entries; the last time it had {before}.");
        return doubt(FailureCode::Corrupt, what, true);
    }
    if entries > 0 && foreign == entries {
        let what = "has no address of this site, but of another name (www), another port, or http:// instead of https://."
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
                    truncated: true,
                    ..found(9)
                },
            ),
            (
                None,
                Listing {
                    truncated: true,
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
            let doubt = doubt(MAP, NamedBy::Convention, before, Ok(&listing)).unwrap();
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
            (Code::Mislabelled, false, Convention, None, None),
            (Code::Mislabelled, false, Convention, Some(3), Some(true)),
            (Code::Mislabelled, false, Site, None, Some(false)),
            (Code::NotFound, false, Convention, None, None),
            (Code::NotFound, false, Convention, Some(3), Some(false)),
            (Code::NotFound, false, Site, None, Some(false)),
            (Code::Forbidden, false, Site, Some(3), Some(true)),
            (Code::Corrupt, false, Convention, None, Some(false)),
            (Code::Corrupt, false, Convention, Some(3), Some(true)),
            (Code::ServerError, true, Convention, None, Some(true)),
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
