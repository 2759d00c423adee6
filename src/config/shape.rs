//! The tree as a serde data format: gives the raw shapes their values, and mistakes of shape their sentences.
//!
//! The error type is our own because serde's texts quote the values they refuse, and those may be keys.

use std::{fmt, iter::Enumerate, vec};

use serde::{
    de::{
        self, DeserializeSeed, Deserializer, Error as _, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
        value::StrDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{node::Node, path::Path, unknown_field};

/// What is wrong with the shape of a value, and where.
#[derive(Debug)]
pub(super) struct ShapeError(Box<Mistake>);

#[derive(Debug)]
struct Mistake {
    sentence: String,
    path: Path,
}

impl ShapeError {
    /// Where the value stands.
    pub(super) fn path(&self) -> &Path {
        &self.0.path
    }

    fn in_field(mut self, name: String) -> Self {
        self.0.path.in_field(name);
        self
    }

    fn in_index(mut self, index: usize) -> Self {
        self.0.path.in_index(index);
        self
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.sentence)
    }
}

impl std::error::Error for ShapeError {}

impl de::Error for ShapeError {
    fn custom<T: fmt::Display>(sentence: T) -> Self {
        Self(Box::new(Mistake { sentence: sentence.to_string(), path: Path::default() }))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!("is {}, but has to be {}", kind(&unexpected), wording(expected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::custom(unknown_field::sentence(field, known))
    }

    // Names that are equal letter by letter were refused when the tree was built.
    fn duplicate_field(field: &'static str) -> Self {
        Self::custom(format_args!("`{field}` is given twice: in snake_case and in lowerCamelCase"))
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

impl<'de> Deserializer<'de> for Node {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Whole(number) => visitor.visit_u64(number),
            Self::OtherNumber(number) => visitor.visit_f64(number),
            Self::Text(text) => visitor.visit_string(text),
            Self::List(items) => visitor.visit_seq(Items(items.into_iter().enumerate())),
            Self::Object(members) => visitor.visit_map(Members(members.into_iter())),
        }
    }

    // `null` is not the absence of a field: an empty `requires:` in YAML must not come to mean "no verification".
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_some(self)
    }

    // serde takes a list for a struct, field by field; no operator means that.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match self {
            Self::Object(members) => visitor.visit_map(fields(members)),
            other => Err(other.is_not(&visitor)),
        }
    }

    // These say no more than `deserialize_any`, but the code for all that the visitor would refuse is left out.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self {
            Self::Bool(value) => visitor.visit_bool(value),
            other => Err(other.is_not(&visitor)),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self {
            Self::Whole(number) => visitor.visit_u64(number),
            other => Err(other.is_not(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self {
            Self::Text(text) => visitor.visit_string(text),
            other => Err(other.is_not(&visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self {
            Self::List(items) => visitor.visit_seq(Items(items.into_iter().enumerate())),
            other => Err(other.is_not(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self {
            Self::Object(members) => visitor.visit_map(Members(members.into_iter())),
            other => Err(other.is_not(&visitor)),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char str bytes byte_buf unit unit_struct
        newtype_struct tuple tuple_struct enum identifier ignored_any
    }
}

impl Node {
    fn is_not(self, expected: &dyn Expected) -> ShapeError {
        ShapeError::invalid_type(self.unexpected(), expected)
    }

    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::Whole(number) => Unexpected::Unsigned(*number),
            Self::OtherNumber(number) => Unexpected::Float(*number),
            Self::Text(text) => Unexpected::Str(text),
            Self::List(_) => Unexpected::Seq,
            Self::Object(_) => Unexpected::Map,
        }
    }
}

/// The elements of a list, one by one.
struct Items(Enumerate<vec::IntoIter<Node>>);

impl<'de> SeqAccess<'de> for Items {
    type Error = ShapeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ShapeError> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(item).map(Some).map_err(|error| error.in_index(index))
    }
}

/// The members of an object, one by one.
struct Members(vec::IntoIter<(String, Node)>);

impl<'de> MapAccess<'de> for Members {
    type Error = ShapeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ShapeError> {
        let Some((name, _)) = self.0.as_slice().first() else { return Ok(None) };
        let key = StrDeserializer::new(name);
        seed.deserialize(key).map(Some).map_err(|error: ShapeError| error.in_field(name.clone()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ShapeError> {
        let (name, value) = self.0.next().ok_or_else(|| ShapeError::custom("is a member without a name"))?;
        seed.deserialize(value).map_err(|error| error.in_field(name))
    }
}

/// The members of an object that is one of our shapes: only its fields have two spellings; the names of providers have
/// one.
fn fields(members: Vec<(String, Node)>) -> Members {
    Members(members.into_iter().map(|(name, value)| (snake_case(name), value)).collect::<Vec<_>>().into_iter())
}

/// The `snake_case` spelling of a lowerCamelCase name; any other name stays as it is.
fn snake_case(name: String) -> String {
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
