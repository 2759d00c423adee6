//! Values as far as the rules for headers and claims look into them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::depth::Depth;
use super::skip::Skip;

/// The value of a member.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Member<'d> {
    /// A string.
    Text(Cow<'d, str>),
    /// An array of nothing but strings, the empty one included.
    Texts(Vec<Cow<'d, str>>),
    /// A number that fits `u64`, `i64` or `f64`.
    Number(Number),
    /// `true` or `false`.
    Bool(bool),
    /// `null`, an object, or an array that holds something else than strings.
    Other,
}

impl From<&Value> for Member<'_> {
    fn from(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Text(Cow::Owned(text.clone())),
            Value::Number(number) => Self::Number(number.clone()),
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Array(elements) => elements
                .iter()
                .map(|element| element.as_str().map(|text| Cow::Owned(text.to_owned())))
                .collect::<Option<_>>()
                .map_or(Self::Other, Self::Texts),
            Value::Null | Value::Object(_) => Self::Other,
        }
    }
}

/// Reads a text that is the value of a member and nothing else.
pub(crate) fn read_member(json: &str) -> Result<Member<'_>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let member = ReadMember(Depth::MEMBER).deserialize(&mut deserializer)?;
    deserializer.end().map(|()| member)
}

/// Reads a [`Member`].
#[derive(Clone, Copy)]
pub(crate) struct ReadMember(pub(crate) Depth);

impl<'d> DeserializeSeed<'d> for ReadMember {
    type Value = Member<'d>;

    fn deserialize<D: Deserializer<'d>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for ReadMember {
    type Value = Member<'d>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Member::Other)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Member::Bool(truth))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Member::Number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Member::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(number).map_or(Member::Other, Member::Number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'d str) -> Result<Self::Value, E> {
        Ok(Member::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Member::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let depth = self.0.deeper()?;
        let mut texts = Vec::new();
        while let Some(element) = elements.next_element_seed(Self(depth))? {
            let Member::Text(text) = element else {
                while elements.next_element_seed(Skip(depth))?.is_some() {}
                return Ok(Member::Other);
            };
            texts.push(text);
        }
        Ok(Member::Texts(texts))
    }

    fn visit_map<A: MapAccess<'d>>(self, members: A) -> Result<Self::Value, A::Error> {
        Skip(self.0).visit_map(members).map(|()| Member::Other)
    }
}
