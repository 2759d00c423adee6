//! JSON objects as lists of members whose values are still text: nothing is read before it is asked for.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of one JSON object.
#[derive(Debug)]
pub(super) struct Members<'a> {
    values: BTreeMap<String, &'a RawValue>,
    /// Whether a name is there twice, escaped twins included; the first value is kept.
    pub(super) has_duplicates: bool,
}

impl<'a> Members<'a> {
    /// Reads `text`, which has to be one JSON object and nothing else.
    pub(super) fn parse(text: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Whether there is a member `name`, whatever its value.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The value of the member `name`; `Ok(None)` if there is no such member, an error if it is no `T`, null included.
    pub(super) fn get<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, WrongType> {
        let read = |value: &&RawValue| serde_json::from_str(value.get()).map_err(|_| WrongType(name));
        self.values.get(name).map(read).transpose()
    }

    /// The elements of the array `name`, still as text.
    pub(super) fn elements(&self, name: &'static str) -> Result<Option<Vec<&'a RawValue>>, WrongType> {
        let read = |value: &&'a RawValue| serde_json::from_str(value.get()).map_err(|_| WrongType(name));
        self.values.get(name).map(read).transpose()
    }
}

/// The member of this name has a value of another type than it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WrongType(pub(super) &'static str);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Members { values: BTreeMap::new(), has_duplicates: false };
        while let Some((name, value)) = access.next_entry::<String, &'de RawValue>()? {
            match members.values.entry(name) {
                Entry::Vacant(entry) => _ = entry.insert(value),
                Entry::Occupied(_) => members.has_duplicates = true,
            }
        }
        Ok(members)
    }

    fn visit_seq<A>(self, _: A) -> Result<Self::Value, A::Error>
    where
        A: serde::de::SeqAccess<'de>,
    {
        Err(A::Error::custom("an array instead of an object"))
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
