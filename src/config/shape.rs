//! The tree as a serde data format: gives the raw shapes their values, and mistakes of shape their sentences.
//!
//! The error type is our own because serde's texts quote the values they refuse, and those may be keys.

use std::fmt;

use serde::{
    de::{
        self, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{node::Node, unknown_field};

/// What is wrong with the shape of a value: a sentence.
#[derive(Debug)]
pub(super) struct ShapeError(String);

impl fmt::Display for ShapeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ShapeError {}

impl de::Error for ShapeError {
    fn custom<T: fmt::Display>(sentence: T) -> Self {
        Self(sentence.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(format!("is {}, but has to be {}", kind(&unexpected), wording(expected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self(unknown_field::sentence(field, known))
    }

    // Names that are equal letter by letter were refused when the tree was built.
    fn duplicate_field(field: &'static str) -> Self {
        Self(format!("`{field}` is given twice: in snake_case and in lowerCamelCase"))
    }
}

fn kind(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Bool(_) => "true or false",
        Unexpected::Unsigned(_) => "a whole number",
        Unexpected::Signed(_) | Unexpected::Float(_) => "a number that is negative or not whole",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        _ => "a string",
    }
}

fn wording(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    match expected.as_str() {
        "a boolean" => "true or false".to_owned(),
        "u64" => "a whole number, zero or more".to_owned(),
        "a sequence" => "a list".to_owned(),
        _ => expected,
    }
}

impl IntoDeserializer<'_, ShapeError> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Whole(number) => visitor.visit_u64(number),
            Self::OtherNumber(number) => visitor.visit_f64(number),
            Self::Text(text) => visitor.visit_string(text),
            Self::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Self::Object(members) => visitor.visit_map(MapDeserializer::new(members.into_iter())),
        }
    }

    // `null` is not the absence of a field: an empty `requires:` in YAML must not come to mean "no verification".
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_some(self)
    }

    // Only the fields of our shapes have two spellings; the names of providers have one.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match self {
            // serde takes a list for a struct, field by field; no operator means that.
            Self::List(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            Self::Object(members) => {
                let fields = members.into_iter().map(|(name, value)| (snake_case(name), value));
                visitor.visit_map(MapDeserializer::new(fields))
            }
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The `snake_case` spelling of a lowerCamelCase name; any other name stays as it is.
pub(super) fn snake_case(name: String) -> String {
    let camel = name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.contains('_');
    if !camel {
        return name;
    }
    name.chars().fold(String::with_capacity(name.len()), |mut snake, character| {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
        snake
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lower_camel_case_is_another_spelling() {
        for (name, expected) in [
            ("clockSkewSeconds", "clock_skew_seconds"),
            ("clock_skew_seconds", "clock_skew_seconds"),
            ("issuer", "issuer"),
            ("ClockSkewSeconds", "ClockSkewSeconds"),
            ("clock_skewSeconds", "clock_skewSeconds"),
            ("", ""),
        ] {
            assert_eq!(snake_case(name.to_owned()), expected);
        }
    }
}
