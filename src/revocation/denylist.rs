//! A denylist: a JSON document of what is revoked.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Revoked;
use super::marks::Marks;
use super::text_table::TextTable;
use crate::jwt::json::{Depth, Member, ReadMember, Text, refuse};
use crate::jwt::{Rounding, timestamp};
use crate::time::Timestamp;

/// What is revoked.
#[derive(Debug, Default)]
pub struct Denylist {
    token_ids: TextTable,
    /// With the time before which the subject's tokens were issued, in milliseconds.
    subjects: TextTable,
    sessions: TextTable,
    clients: TextTable,
    issued_before: Option<Timestamp>,
}

const MEMBERS: &str = "`jti`, `sub`, `sid`, `client_id` and `issued_before`";

impl Denylist {
    /// Reads a document; `seed` is a random number.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without a word of it.
    pub fn parse(document: &[u8], seed: u64) -> Result<Self, String> {
        let text = std::str::from_utf8(document).map_err(|_| "it is not UTF-8".to_owned())?;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let list = deserializer.deserialize_any(ReadDenylist);
        let mut list = list.and_then(|list| deserializer.end().map(|()| list)).map_err(|error| error.to_string())?;
        let are_distinct = list.subjects.index(seed);
        // It does no harm to name one of these twice.
        let _ = [&mut list.token_ids, &mut list.sessions, &mut list.clients].map(|table| table.index(seed));
        if !are_distinct {
            return Err("a subject is there twice".to_owned());
        }
        Ok(list)
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        let tables = [&self.token_ids, &self.subjects, &self.sessions, &self.clients];
        tables.map(TextTable::len).into_iter().sum::<usize>() + usize::from(self.issued_before.is_some())
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Why the token is revoked; `None` if it is not.
    ///
    /// What was issued before some time is told by `iat`: a token without it may have been.
    #[must_use]
    pub fn revokes(&self, marks: &Marks) -> Option<Revoked> {
        let is_issued_before = |time: Timestamp| marks.issued_at.is_none_or(|issued_at| issued_at < time);
        let holds = |table: &TextTable, text: Option<&String>| text.is_some_and(|text| table.get(text).is_some());
        if holds(&self.token_ids, marks.token_id.as_ref()) {
            return Some("its jti is on a denylist");
        }
        if holds(&self.sessions, marks.session.as_ref()) {
            return Some("its sid is on a denylist");
        }
        if marks.clients.iter().any(|client| holds(&self.clients, Some(client))) {
            return Some("its client_id is on a denylist");
        }
        let subject_since = marks.subject.as_ref().and_then(|subject| self.subjects.get(subject));
        if subject_since.map(Timestamp::from_millis).is_some_and(is_issued_before) {
            return Some("it was issued before its sub was logged out");
        }
        self.issued_before.is_some_and(is_issued_before).then_some("it was issued before issued_before")
    }
}

struct ReadDenylist;

impl<'de> Visitor<'de> for ReadDenylist {
    type Value = Denylist;

    refuse!(all but objects);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Denylist, A::Error> {
        let mut list = Denylist::default();
        let mut seen = [false; 5];
        while let Some(name) = members.next_key_seed(Text)? {
            let index = match &*name {
                "jti" => 0,
                "sub" => 1,
                "sid" => 2,
                "client_id" => 3,
                "issued_before" => 4,
                _ => return Err(A::Error::custom(format_args!("it has another member than {MEMBERS}"))),
            };
            match seen.get_mut(index) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(A::Error::custom("a member name twice")),
            }
            match index {
                0 => members.next_value_seed(ReadTexts(&mut list.token_ids))?,
                1 => members.next_value_seed(ReadTimes(&mut list.subjects))?,
                2 => members.next_value_seed(ReadTexts(&mut list.sessions))?,
                3 => members.next_value_seed(ReadTexts(&mut list.clients))?,
                _ => list.issued_before = Some(members.next_value_seed(ReadTime)?),
            }
        }
        Ok(list)
    }
}

/// A list of strings.
struct ReadTexts<'t>(&'t mut TextTable);

impl<'de> DeserializeSeed<'de> for ReadTexts<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadTexts<'_> {
    type Value = ();

    refuse!(all but lists);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element_seed(ReadMember(Depth::MEMBER))? {
            let Member::Text(text) = element else { return Err(A::Error::custom("an entry that is no string")) };
            push(self.0, &text, 0)?;
        }
        Ok(())
    }
}

/// An object whose members are times.
struct ReadTimes<'t>(&'t mut TextTable);

impl<'de> DeserializeSeed<'de> for ReadTimes<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ReadTimes<'_> {
    type Value = ();

    refuse!(all but objects);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of times")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some((name, time)) = members.next_entry_seed(Text, ReadTime)? {
            push(self.0, &name, time.as_millis())?;
        }
        Ok(())
    }
}

fn push<E: Error>(table: &mut TextTable, text: &str, number: u64) -> Result<(), E> {
    if table.push(text, number) { Ok(()) } else { Err(E::custom("an entry has more than 64 KiB")) }
}

/// Seconds since 1970, as in `iat`.
struct ReadTime;

impl<'de> DeserializeSeed<'de> for ReadTime {
    type Value = Timestamp;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Timestamp, D::Error> {
        let time = match ReadMember(Depth::MEMBER).deserialize(deserializer)? {
            Member::Number(number) => timestamp(&number, Rounding::Up),
            _ => None,
        };
        time.ok_or_else(|| D::Error::custom("a time is no number of seconds from 1970 to 9999"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(json: &str) -> Denylist {
        Denylist::parse(json.as_bytes(), 1).unwrap()
    }

    fn token(change: impl FnOnce(&mut Marks)) -> Marks {
        let mut marks = Marks { issued_at: Some(Timestamp::from_secs(100)), ..Marks::default() };
        change(&mut marks);
        marks
    }

    #[test]
    fn each_member_revokes_what_it_names_and_nothing_else() {
        let list = list(r#"{"jti":["j"],"sub":{"s":101,"t":100},"sid":["d"],"client_id":["c"]}"#);
        assert_eq!(list.len(), 5);
        let text = |text: &str| Some(text.to_owned());
        let revoked = |change: &dyn Fn(&mut Marks)| list.revokes(&token(change)).is_some();
        assert!(revoked(&|marks| marks.token_id = text("j")) && !revoked(&|marks| marks.token_id = text("d")));
        assert!(revoked(&|marks| marks.session = text("d")) && !revoked(&|marks| marks.session = text("j")));
        assert!(revoked(&|marks| marks.clients = vec!["x".into(), "c".into()]));
        assert!(!revoked(&|marks| marks.clients = vec!["s".into()]));
        assert!(revoked(&|marks| marks.subject = text("s")), "issued before");
        assert!(!revoked(&|marks| marks.subject = text("t")), "issued at that time");
        assert!(!revoked(&|marks| marks.subject = text("S")) && !revoked(&|_| {}));
        assert!(revoked(&|marks| (marks.subject, marks.issued_at) = (text("t"), None)), "nobody knows when");
    }

    #[test]
    fn everything_before_a_time_can_be_revoked() {
        let list = list(r#"{"issued_before":100.5}"#);
        assert!(list.revokes(&token(|_| {})).is_some());
        assert!(list.revokes(&token(|marks| marks.issued_at = None)).is_some());
        assert!(list.revokes(&token(|marks| marks.issued_at = Some(Timestamp::from_millis(100_500)))).is_none());
    }

    #[test]
    fn every_entry_is_counted() {
        let list = list(r#"{"jti":["a","b"],"sub":{"c":1},"sid":["d"],"client_id":["e"],"issued_before":1}"#);
        assert_eq!((list.len(), list.is_empty()), (6, false));
    }

    #[test]
    fn empty_lists_revoke_nothing() {
        for json in ["{}", r#"{"jti":[],"sub":{},"sid":[],"client_id":[]}"#] {
            assert!(list(json).is_empty() && list(json).revokes(&token(|_| {})).is_none());
        }
    }

    #[test]
    fn anything_else_is_refused_without_being_quoted() {
        for json in [
            "",
            "[]",
            "null",
            "\"sEcret\"",
            "{",
            r#"{"jti":["a"]"#,
            r#"{"jti":["a"]} x"#,
            r#"{"sEcret":1}"#,
            r#"{"JTI":[]}"#,
            r#"{"jti":[],"jti":[]}"#,
            r#"{"jti":[],"\u006ati":[]}"#,
            r#"{"jti":"sEcret"}"#,
            r#"{"jti":{"sEcret":1}}"#,
            r#"{"jti":[1]}"#,
            r#"{"jti":[null]}"#,
            r#"{"jti":[["sEcret"]]}"#,
            r#"{"jti":["\ud800"]}"#,
            r#"{"sub":["s"]}"#,
            r#"{"sub":{"s":"sEcret"}}"#,
            r#"{"sub":{"s":-1}}"#,
            r#"{"sub":{"s":1e99}}"#,
            r#"{"sub":{"s":null}}"#,
            r#"{"sub":{"s":1,"s":2}}"#,
            r#"{"issued_before":null}"#,
            r#"{"issued_before":"1"}"#,
            r#"{"issued_before":253402300800}"#,
        ] {
            let error = Denylist::parse(json.as_bytes(), 1).unwrap_err();
            assert!(!error.contains("sEcret"), "{json}: {error}");
        }
        assert!(Denylist::parse(b"{\"jti\":[\"\xff\"]}", 1).is_err());
    }
}
