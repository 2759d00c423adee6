//! JSON objects as lists of members whose values are still text: nothing is read before it is asked for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::jwt::json::{Member, Text, UniqueNames, read_member, refuse};

/// The members of one JSON object.
#[derive(Debug)]
pub(super) struct Members<'a> {
    values: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// Whether a name is there twice, escaped twins included; the first value is kept.
    pub(super) has_duplicates: bool,
}

impl<'a> Members<'a> {
    /// Reads `text`, which has to be one JSON object and nothing else.
    #[inline(never)]
    pub(super) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        read(text, ReadMembers)
    }

    /// Whether there is a member `name`, whatever its value.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The string `name`; `Ok(None)` if there is no such member, an error if it is no string, null included.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, WrongType> {
        match self.member(name)? {
            None => Ok(None),
            Some(Member::Text(text)) => Ok(Some(text.into_owned())),
            Some(_) => Err(WrongType(name)),
        }
    }

    /// The strings of the array `name`.
    pub(super) fn texts(&self, name: &'static str) -> Result<Option<Vec<Cow<'a, str>>>, WrongType> {
        match self.member(name)? {
            None => Ok(None),
            Some(Member::Texts(texts)) => Ok(Some(texts)),
            Some(_) => Err(WrongType(name)),
        }
    }

    /// The value of the member `name`, still as text.
    pub(super) fn value(&self, name: &str) -> Option<&'a RawValue> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    fn member(&self, name: &'static str) -> Result<Option<Member<'a>>, WrongType> {
        let value = self.value(name);
        value.map(|value| read_member(value.get()).map_err(|_| WrongType(name))).transpose()
    }

    /// The elements of the array `name`, still as text.
    pub(super) fn elements(&self, name: &'static str) -> Result<Option<Vec<&'a RawValue>>, WrongType> {
        let value = self.value(name);
        value.map(|value| read(value.get(), ReadElements).map_err(|_| WrongType(name))).transpose()
    }
}

/// The member of this name has a value of another type than it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WrongType(pub(super) &'static str);

fn read<'de, V: Visitor<'de>>(text: &'de str, visitor: V) -> Result<V::Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = deserializer.deserialize_any(visitor)?;
    deserializer.end().map(|()| value)
}

struct ReadMembers;

impl<'de> Visitor<'de> for ReadMembers {
    type Value = Members<'de>;

    refuse!(all but objects);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Members { values: Vec::new(), has_duplicates: false };
        let mut names = UniqueNames::new();
        while let Some(name) = access.next_key_seed(Text)? {
            let is_new = names.insert(name.clone());
            members.has_duplicates |= !is_new;
            members.values.push((name, access.next_value()?));
        }
        Ok(members)
    }
}

struct ReadElements;

impl<'de> Visitor<'de> for ReadElements {
    type Value = Vec<&'de RawValue>;

    refuse!(all but lists);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = access.next_element()? {
            elements.push(element);
        }
        Ok(elements)
    }
}

/// Whether arrays and objects stand in each other at most `limit` deep. For text that is no JSON the answer means
/// nothing, but comes in one pass over the bytes all the same.
pub(super) fn nests_within(text: &str, limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        assert!(nests_within("[[]]", 2));
        assert!(!nests_within("[[]]", 1));
        assert!(nests_within(r#"["[[[[", "\"[[[", "\\"]"#, 1));
        assert!(!nests_within(r#"["\\", [1]]"#, 1));
        assert!(nests_within("[{}, {}, {}]", 2));
    }

    #[test]
    fn escaped_twins_are_duplicates() {
        assert!(Members::parse(r#"{"kid":"a","\u006bid":"b"}"#).unwrap().has_duplicates);
        assert!(!Members::parse(r#"{"kid":"a","Kid":"b"}"#).unwrap().has_duplicates);
    }

    #[test]
    fn only_an_object_is_an_object() {
        for text in ["", "[]", "null", "1", "\"a\"", "{}{}", "{} x", "\u{feff}{}", "{,}", "{\"a\":1,}", "{'a':1}"] {
            assert!(Members::parse(text).is_err(), "{text:?}");
        }
        assert!(Members::parse(" {\"a\" : [1]}\n").is_ok());
    }
}
