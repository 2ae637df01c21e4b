//! Identifiers.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};
use ulid::Ulid;

/// A [ULID](https://github.com/ulid/spec): 48 bits of Unix milliseconds, then 80 random bits; 26 characters
/// of Crockford's base 32, so that ids sort by time of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Ulid);

impl Id {
    /// An id from a time in Unix milliseconds and randomness, of which the lower 80 bits are used.
    pub const fn from_parts(unix_ms: u64, random: u128) -> Self {
        Self(Ulid::from_parts(unix_ms, random))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The string is not a ULID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId;

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a ULID of 26 characters")
    }
}

impl FromStr for Id {
    type Err = InvalidId;

    /// Strict: upper case only, and no overflow, so that an id has exactly one spelling.
    fn from_str(s: &str) -> Result<Self, InvalidId> {
        let ulid: Ulid = s.parse().map_err(|_| InvalidId)?;
        if ulid.to_string() == s {
            Ok(Self(ulid))
        } else {
            Err(InvalidId)
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
mod openapi {
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{ObjectBuilder, RefOr, Schema, Type},
    };

    impl PartialSchema for super::Id {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .pattern(Some("^[0-7][0-9A-HJKMNP-TV-Z]{25}$"))
                .description(Some("ULID"))
                .into()
        }
    }

    impl ToSchema for super::Id {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_only() {
        let id = Id::from_parts(1_700_000_000_000, 42);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "x",
            "01arz3ndektsv4rrffq69g5fav",
            "81ARZ3NDEKTSV4RRFFQ69G5FAV",
            "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        ] {
            assert!(bad.parse::<Id>().is_err(), "{bad}");
        }
    }
}
