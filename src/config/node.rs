//! The configuration as a tree: what JSON text and a protobuf Struct have in common.

use std::fmt;

use prost_types::value::Kind;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{path::Path, report::quoted};
use crate::jwt::json::{Text, UniqueNames};

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

impl Node {
    /// Reads JSON text.
    ///
    /// # Errors
    ///
    /// What is wrong, and, unless it is the syntax, in which place.
    pub(super) fn from_json(text: &str) -> Result<Self, (Path, serde_json::Error)> {
        let mut path = Path::default();
        let seed = Seed { levels_left: MAX_DEPTH, path: &mut path };
        let node = seed.deserialize(&mut serde_json::Deserializer::from_str(text));
        node.map_err(|error| (path, error))
    }
}

/// Reads a node, and leaves the path of a mistake.
struct Seed<'path> {
    levels_left: usize,
    path: &'path mut Path,
}

impl Seed<'_> {
    fn levels_within<E: de::Error>(&self) -> Result<usize, E> {
        let too_deep = || E::custom(format_args!("is nested deeper than {MAX_DEPTH} levels"));
        self.levels_left.checked_sub(1).ok_or_else(too_deep)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
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
        let levels_left = self.levels_within()?;
        let mut items = Vec::new();
        while let Some(item) = access
            .next_element_seed(Seed { levels_left, path: &mut *self.path })
            .inspect_err(|_| self.path.in_index(items.len()))?
        {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let levels_left = self.levels_within()?;
        let mut names = UniqueNames::new();
        let mut members = Vec::new();
        while let Some(name) = access.next_key_seed(Text)? {
            if !names.insert(name.clone()) {
                return Err(de::Error::custom(format_args!("{} is given twice", quoted(&name))));
            }
            let value = access
                .next_value_seed(Seed { levels_left, path: &mut *self.path })
                .inspect_err(|_| self.path.in_field(name.to_string()))?;
            members.push((name.into_owned(), value));
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
