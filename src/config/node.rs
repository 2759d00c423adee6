//! The configuration as a tree: what JSON text and a protobuf Struct have in common.

use std::{collections::BTreeSet, fmt};

use prost_types::value::Kind;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::report::quoted;

/// Objects and lists within each other: more levels than these are refused.
const MAX_DEPTH: usize = 64;

/// Whole numbers up to this one are exact as doubles, which is what a Struct has (RFC 7493 section 2.2).
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// A value of the configuration. Objects keep their order and hold no name twice.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// `null`, or a protobuf Value without a kind.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, not negative; `60.0` is one.
    Whole(u64),
    /// Any other number, NaN and the infinities of a Struct included.
    OtherNumber(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// An object.
    Object(Vec<(String, Node)>),
}

impl From<f64> for Node {
    fn from(number: f64) -> Self {
        if number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&number) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was just checked")]
            return Self::Whole(number as u64);
        }
        Self::OtherNumber(number)
    }
}

impl From<prost_types::Struct> for Node {
    // prost bounds the depth of what it decodes, so this recursion is bounded too.
    fn from(structure: prost_types::Struct) -> Self {
        Self::Object(structure.fields.into_iter().map(|(name, value)| (name, value.into())).collect())
    }
}

impl From<prost_types::Value> for Node {
    fn from(value: prost_types::Value) -> Self {
        match value.kind {
            None | Some(Kind::NullValue(_)) => Self::Null,
            Some(Kind::BoolValue(value)) => Self::Bool(value),
            Some(Kind::NumberValue(number)) => number.into(),
            Some(Kind::StringValue(text)) => Self::Text(text),
            Some(Kind::ListValue(list)) => Self::List(list.values.into_iter().map(Self::from).collect()),
            Some(Kind::StructValue(structure)) => structure.into(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed { levels_left: MAX_DEPTH }.deserialize(deserializer)
    }
}

#[derive(Clone, Copy)]
struct Seed {
    levels_left: usize,
}

impl Seed {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        match self.levels_left.checked_sub(1) {
            Some(levels_left) => Ok(Self { levels_left }),
            None => Err(E::custom(format_args!("is nested deeper than {MAX_DEPTH} levels"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Whole(number))
    }

    // JSON text has negative numbers only here. Those that a double cannot hold are refused where they matter.
    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        #[allow(clippy::cast_precision_loss, reason = "what is lost is too large to be accepted")]
        Ok(Node::OtherNumber(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(number.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let seed = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(seed)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let seed = self.inner()?;
        let mut names = BTreeSet::new();
        let mut members = Vec::new();
        while let Some(name) = access.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(de::Error::custom(format_args!("{} is given twice", quoted(&name))));
            }
            members.push((name, access.next_value_seed(seed)?));
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integral_doubles_are_whole_numbers() {
        assert_eq!(Node::from(60.0), Node::Whole(60));
        assert_eq!(Node::from(-0.0), Node::Whole(0));
        assert_eq!(Node::from(MAX_EXACT), Node::Whole(9_007_199_254_740_991));
        for number in [0.5, -1.0, MAX_EXACT + 1.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert!(matches!(Node::from(number), Node::OtherNumber(_)), "{number}");
        }
    }
}
