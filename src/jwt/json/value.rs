//! Whole values, for claims that the configuration names.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::depth::Depth;

/// Reads a text that is one value and nothing else.
pub(crate) fn read_value(json: &str) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = ReadValue { depth: Depth::MEMBER, unique_names: false }.deserialize(&mut deserializer)?;
    deserializer.end().map(|()| value)
}

/// Reads a [`Value`].
#[derive(Clone, Copy)]
pub(super) struct ReadValue {
    /// Where it stands.
    pub(super) depth: Depth,
    /// Whether a name that stands twice in an object is an error; else the last one counts.
    pub(super) unique_names: bool,
}

impl ReadValue {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        Ok(Self { depth: self.depth.deeper()?, ..self })
    }
}

impl<'d> DeserializeSeed<'d> for ReadValue {
    type Value = Value;

    fn deserialize<D: Deserializer<'d>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'d> Visitor<'d> for ReadValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'d>>(self, mut elements: A) -> Result<Value, A::Error> {
        let element = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(element)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'d>>(self, mut members: A) -> Result<Value, A::Error> {
        let member = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key()? {
            let earlier = object.insert(name, members.next_value_seed(member)?);
            if self.unique_names && earlier.is_some() {
                return Err(Error::custom("a member name twice"));
            }
        }
        Ok(Value::Object(object))
    }
}
