//! Reading JSON: bodies of requests, identities, answers of other servers, stored values.
//!
//! The implementations of `Deserialize` that serde derives for structs accept an array too, with the fields in their
//! order: `["KEY"]` would open a session as `{"site": "KEY"}` does. The API has no such form, so these functions refuse an
//! array in the place of a struct, at any depth. Sequences, tuples, maps and enums are read as serde reads them. Stored
//! values are read by the same functions, so that the Worker contains the code to read each type once.

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use std::fmt;

/// Reads a value.
///
/// # Errors
/// It is no JSON, or not of this type.
pub fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Strict(&mut json))?;
    json.end()?;
    Ok(value)
}

/// Reads a value from bytes.
///
/// # Errors
/// Those of [`read`]; the bytes are no UTF-8.
pub fn read_bytes<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    read(std::str::from_utf8(bytes).map_err(serde_json::Error::custom)?)
}

/// Wraps a deserializer, and the accesses and seeds that it works with, so that structs are read from objects only.
struct Strict<D>(D);

macro_rules! as_it_is {
    ($($method:ident($($name:ident: $kind:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* visitor)
        })*
    };
}

macro_rules! with_its_content {
    ($($method:ident($($name:ident: $kind:ty),*) $reader:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* $reader(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    as_it_is! {
        // Values of any type, as `serde_json::Value`, contain no structs.
        deserialize_any() deserialize_ignored_any()
        deserialize_bool() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_identifier() deserialize_unit()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64()
        deserialize_unit_struct(name: &'static str)
    }

    with_its_content! {
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) Fields
        deserialize_map() Content
        deserialize_seq() Content
        deserialize_tuple(len: usize) Content
        deserialize_tuple_struct(name: &'static str, len: usize) Content
        deserialize_option() Content
        deserialize_newtype_struct(name: &'static str) Content
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) Content
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// The visitor of a struct: it accepts an object only.
struct Fields<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Fields<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(map))
    }
}

/// The visitor of a type that may contain structs.
struct Content<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Content<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Strict(seq))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Strict(data))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(inner))
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(inner))
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(from))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Strict<A> {
    type Error = A::Error;
    type Variant = Strict<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(seed)?;
        Ok((value, Strict(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Strict(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, Content(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Fields(visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::site;
    use bulle_api::{
        admin::{
            BotChange, NewApiKey, NewBot, NewSite, NewTenant, golden::NewGoldenQuestions,
            source::NewSource,
        },
        settings::BotSettings,
    };
    use bulle_protocol::{
        conversation::{Feedback, Rename, SendMessage},
        session::{Answers, SessionRequest},
    };
    use serde::{Deserialize, Serialize};
    use std::{borrow::Cow, collections::BTreeMap, fmt::Debug};

    fn error<T: DeserializeOwned + Debug>(text: &str) -> String {
        match read::<T>(text) {
            Ok(value) => panic!("{text} was read as {value:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_array_is_no_body() {
        for error in [
            error::<SessionRequest>(r#"["KEY"]"#),
            error::<SessionRequest>(r#"["KEY", null, null, null, null, null]"#),
            error::<SendMessage>(r#"["01ARZ3NDEKTSV4RRFFQ69G5FAV", "Hello", false, []]"#),
            error::<Rename>(r#"["Title"]"#),
            error::<Feedback>(r#"["up", null]"#),
            error::<Answers>("[{}, false]"),
            error::<NewTenant>(r#"["acme", "Acme", {}]"#),
            error::<NewBot>(r#"["bot", {}]"#),
            error::<NewSite>(r#"["bot", "Site", ["https://example.com"], "live"]"#),
            error::<NewApiKey>(r#"["Key", ["bots:read"], null]"#),
            error::<NewSource>(r#"["url", "https://example.com/"]"#),
            error::<NewGoldenQuestions>(r#"[[["When?", {}]]]"#),
            error::<BotChange>(r#"["active", {}]"#),
        ] {
            assert!(
                error.starts_with("invalid type: sequence, expected struct "),
                "{error}"
            );
        }
    }

    #[test]
    fn an_array_is_no_part_of_a_body() {
        for (error, place) in [
            (
                error::<SessionRequest>(
                    r#"{"site":"KEY","page":["https://example.com/","Title"]}"#,
                ),
                "struct Page",
            ),
            (
                error::<NewBot>(r#"{"id":"bot","settings":[]}"#),
                "struct BotSettings",
            ),
            (
                error::<BotSettings>(r#"{"limits":[]}"#),
                "struct LimitSettings",
            ),
            (
                error::<BotSettings>(r#"{"limits":{"tiers":{"free":[3, 10]}}}"#),
                "struct Tier",
            ),
            (
                error::<BotSettings>(r#"{"proactive":[["id"]]}"#),
                "struct ProactiveRule",
            ),
            (
                error::<NewGoldenQuestions>(r#"{"items":[["When?", {"text":"nine"}]]}"#),
                "struct NewGoldenQuestion",
            ),
        ] {
            assert!(
                error.starts_with("invalid type: sequence, expected struct "),
                "{error}"
            );
            assert!(error.contains(place), "{error}");
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pair {
        a: u8,
        b: Option<Box<Pair>>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Choice {
        Nothing,
        One(Pair),
        Two(u8, Pair),
        Named { pair: Pair },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(Pair);

    type All = (
        BTreeMap<String, Vec<Pair>>,
        Vec<Choice>,
        Wrapped,
        serde_json::Value,
        Option<Cow<'static, str>>,
    );

    #[test]
    fn structs_are_objects_wherever_they_stand() {
        let (good, bad) = (r#"{"a":1,"b":null}"#, "[1,null]");
        for place in ["_", r#"{"a":1,"b":_}"#] {
            assert!(read::<Pair>(&place.replace('_', good)).is_ok());
            assert!(read::<Pair>(&place.replace('_', bad)).is_err(), "{place}");
        }
        for place in [
            r#"{"One":_}"#,
            r#"{"Two":[1,_]}"#,
            r#"{"Named":{"pair":_}}"#,
        ] {
            assert!(read::<Choice>(&place.replace('_', good)).is_ok());
            assert!(read::<Choice>(&place.replace('_', bad)).is_err(), "{place}");
        }
        assert!(read::<Choice>(r#"{"Named":[{"a":1,"b":null}]}"#).is_err());
        assert!(read::<Wrapped>(bad).is_err());
        assert!(read::<BTreeMap<String, Vec<Pair>>>(r#"{"x":[[1,null]]}"#).is_err());
        assert!(read::<Pair>(r#"{"a":1,"b":null} 1"#).is_err());
        assert!(read_bytes::<Pair>(b"\xff").is_err());
    }

    #[test]
    fn everything_else_is_read_as_always() {
        let pair = |a| Pair {
            a,
            b: Some(Box::new(Pair { a, b: None })),
        };
        let all: All = (
            [("x".to_owned(), vec![pair(1), pair(2)])].into(),
            vec![
                Choice::Nothing,
                Choice::One(pair(1)),
                Choice::Two(3, pair(4)),
                Choice::Named { pair: pair(5) },
            ],
            Wrapped(pair(6)),
            serde_json::json!({"any": [1, {"x": null}]}),
            Some("é\n".into()),
        );
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(read::<All>(&text).unwrap(), all);
        assert_eq!(read_bytes::<All>(text.as_bytes()).unwrap(), all);
        let stored = serde_json::to_string(&site()).unwrap();
        assert_eq!(read::<crate::model::Site>(&stored).unwrap(), site());
    }
}
