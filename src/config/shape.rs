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

use super::{node::Node, report::joined, unknown_field};

/// What is wrong with the shape of a value: the way to it, and a sentence.
#[derive(Debug)]
pub(super) struct ShapeError {
    /// The steps from the outermost inwards, the last one first.
    steps: Vec<Step>,
    sentence: String,
}

/// A step into an object or a list.
#[derive(Debug, Clone)]
enum Step {
    Field(String),
    Index(usize),
}

impl ShapeError {
    fn new(sentence: String) -> Self {
        Self { steps: Vec::new(), sentence }
    }

    fn within(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The path of the field.
    pub(super) fn path(&self) -> String {
        self.steps.iter().rev().fold(String::new(), |path, step| match step {
            Step::Field(name) => joined(&path, name),
            Step::Index(index) => format!("{path}[{index}]"),
        })
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl std::error::Error for ShapeError {}

impl de::Error for ShapeError {
    fn custom<T: fmt::Display>(sentence: T) -> Self {
        Self::new(sentence.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("is {}, but has to be {}", kind(&unexpected), wording(expected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(unknown_field::sentence(field, known)).within(Step::Field(field.to_owned()))
    }

    // Names that are equal letter by letter were refused when the tree was built.
    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("`{field}` is given twice: in snake_case and in lowerCamelCase"))
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

/// A value within an object or a list: what is wrong with it is told with its place.
struct Part(Step, Node);

impl IntoDeserializer<'_, ShapeError> for Part {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Part {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        self.1.deserialize_any(visitor).map_err(|error| error.within(self.0))
    }

    // `null` is not the absence of a field: an empty `requires:` in YAML must not come to mean "no verification".
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_some(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        self.1.deserialize_struct(name, fields, visitor).map_err(|error| error.within(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn parts(members: Vec<(String, Node)>, spelling: fn(String) -> String) -> impl Iterator<Item = (String, Part)> {
    members.into_iter().map(move |(name, value)| {
        let name = spelling(name);
        (name.clone(), Part(Step::Field(name), value))
    })
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
            Self::List(items) => {
                let parts = items.into_iter().enumerate().map(|(index, item)| Part(Step::Index(index), item));
                visitor.visit_seq(SeqDeserializer::new(parts))
            }
            Self::Object(members) => visitor.visit_map(MapDeserializer::new(parts(members, std::convert::identity))),
        }
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
            Self::Object(members) => visitor.visit_map(MapDeserializer::new(parts(members, snake_case))),
            other => other.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map enum option identifier ignored_any
    }
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
