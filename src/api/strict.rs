//! Reads JSON, and tells a field that nobody knows from everything else that can be wrong with it.
//!
//! serde_json has one category of error for a field that a struct lacks and for a value of the wrong type; the rest it says in English.
//! So the reader is watched: a key that is JSON and is refused all the same is a field that its struct has not.

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;
use serde_json::error::Category;
use std::cell::Cell;
use std::fmt;

/// Why a text is not what was expected.
#[derive(Debug)]
pub enum Refusal {
    /// It has a field that its struct has not.
    UnknownField(Error),
    /// Anything else: no JSON, a value of another type, a field that is missing or there twice.
    Malformed(Error),
}

/// Reads a value; nothing may come after it.
///
/// # Errors
/// [`Refusal`], with line and column.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    let key_failed = Cell::new(false);
    let mut json = serde_json::Deserializer::from_str(text);
    let read = T::deserialize(Watched { inner: &mut json, key_failed: &key_failed });
    read.and_then(|value| json.end().map(|()| value)).map_err(|error| {
        // A key that is cut short or no text is bad JSON, which has a category of its own.
        let unknown = key_failed.get() && error.classify() == Category::Data;
        if unknown { Refusal::UnknownField(error) } else { Refusal::Malformed(error) }
    })
}

/// Does what `inner` does, in every role that serde has for it, and notes when a key cannot be read.
struct Watched<'a, T> {
    inner: T,
    key_failed: &'a Cell<bool>,
}

impl<'a, T> Watched<'a, T> {
    fn of<U>(&self, inner: U) -> Watched<'a, U> {
        Watched { inner, key_failed: self.key_failed }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Watched<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.of(visitor);
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.of(visitor);
        self.inner.deserialize_option(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.of(visitor);
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.of(visitor);
        self.inner.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watched<'_, V> {
    type Value = V::Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(out)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.inner.visit_bool(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.inner.visit_i64(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.inner.visit_u64(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.inner.visit_f64(value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<V::Value, E> {
        self.inner.visit_str(value)
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.inner.visit_borrowed_str(value)
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<V::Value, E> {
        self.inner.visit_string(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.of(deserializer);
        self.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.of(deserializer);
        self.inner.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        let elements = self.of(elements);
        self.inner.visit_seq(elements)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let entries = self.of(entries);
        self.inner.visit_map(entries)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(variant)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Watched<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.of(seed);
        self.inner.next_element_seed(seed)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Watched<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(seed).inspect_err(|_| self.key_failed.set(true))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.of(seed);
        self.inner.next_value_seed(seed)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Watched<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.of(deserializer);
        self.inner.deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(default, rename = "inner")]
        _inner: Option<Inner>,
        #[serde(default, rename = "list")]
        _list: Vec<Inner>,
        #[serde(default, rename = "map")]
        _map: BTreeMap<String, Inner>,
        #[serde(default, rename = "unknown field")]
        _odd: Word,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "number")]
        _number: u8,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        #[default]
        One,
    }

    #[test]
    fn an_unknown_field_is_told_at_any_depth_and_nothing_else_is_taken_for_one() {
        from_str::<Outer>(
            r#" {"inner":{"number":1},"list":[{"number":2}],"map":{"x":{"number":3}},"unknown field":"one"} "#,
        )
        .unwrap();
        for unknown in [
            r#"{"x":1}"#,
            r#"{"inner":{"number":1,"x":1}}"#,
            r#"{"list":[{"number":1},{"y":1}]}"#,
            r#"{"map":{"any":{"z":1}}}"#,
        ] {
            assert!(matches!(from_str::<Outer>(unknown), Err(Refusal::UnknownField(_))), "{unknown}");
        }
        for malformed in [
            "",
            "{",
            r#"{"x"#,
            "{1:2}",
            "[1]",
            "null",
            r#"{"inner":{}}"#,
            r#"{"inner":{"number":300}}"#,
            r#"{"inner":{"number":"unknown field"}}"#,
            r#"{"unknown field":"unknown field"}"#,
            r#"{"list":[],"list":[]}"#,
            r#"{"map":{"x":1}}"#,
            r#"{} {"x":1}"#,
        ] {
            assert!(matches!(from_str::<Outer>(malformed), Err(Refusal::Malformed(_))), "{malformed}");
        }
        let Err(Refusal::UnknownField(error)) = from_str::<Outer>("{\n  \"x\":1}") else { panic!("x is no field") };
        assert_eq!((error.line(), error.column()), (2, 5));
    }
}
