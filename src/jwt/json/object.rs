//! The one object that a header or a set of claims is.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, Visitor};
use serde_json::{Deserializer, Error, Value};

use super::depth::Depth;
use super::member::{Member, ReadMember};
use super::names::UniqueNames;
use super::refuse::refuse;
use super::skip::Skip;
use super::text::Text;
use super::value::ReadValue;

/// What to keep of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jwt) enum Keep {
    /// Nothing, but it has to be strict JSON too.
    Nothing,
    /// What the rules look at.
    Member,
    /// That, and the whole value.
    Value,
    /// The same, and no object in it may have a name twice.
    ValueWithUniqueNames,
}

/// Is told what is kept of an object, member by member as they stand in the text: the name, what the rules look at, and
/// the whole value if it was asked for.
pub(in crate::jwt) type Take<'t, 'd> = dyn FnMut(Cow<'d, str>, Member<'d>, Option<Value>) + 't;

/// Reads the one object that `json` has to be; `keep` chooses what `take` is told of each member, before it is known
/// whether the rest is right.
///
/// The error's words hold nothing of the text: a reader that expects any value never quotes one that it did not
/// expect.
pub(in crate::jwt) fn read_object<'d>(
    json: &'d str,
    keep: &dyn Fn(&str) -> Keep,
    take: &mut Take<'_, 'd>,
) -> Result<(), Error> {
    if !json.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        return Err(Error::custom("not an object"));
    }
    let mut deserializer = Deserializer::from_str(json);
    deserializer.deserialize_any(ReadObject { keep, take })?;
    deserializer.end()
}

struct ReadObject<'k, 't, 'd> {
    keep: &'k dyn Fn(&str) -> Keep,
    take: &'k mut Take<'t, 'd>,
}

impl<'de> Visitor<'de> for ReadObject<'_, '_, 'de> {
    type Value = ();

    refuse!(all but objects);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = UniqueNames::new();
        while let Some(name) = members.next_key_seed(Text)? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("a member name twice"));
            }
            let keep = (self.keep)(&name);
            read_member(name, keep, &mut members, self.take)?;
        }
        Ok(())
    }
}

fn read_member<'d, A: MapAccess<'d>>(
    name: Cow<'d, str>,
    keep: Keep,
    from: &mut A,
    take: &mut Take<'_, 'd>,
) -> Result<(), A::Error> {
    let depth = Depth::MEMBER;
    let unique_names = keep == Keep::ValueWithUniqueNames;
    match keep {
        Keep::Nothing => from.next_value_seed(Skip(depth))?,
        Keep::Member => take(name, from.next_value_seed(ReadMember(depth))?, None),
        Keep::Value | Keep::ValueWithUniqueNames => {
            let value = from.next_value_seed(ReadValue { depth, unique_names })?;
            take(name, Member::from(&value), Some(value));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps() -> [Keep; 4] {
        [Keep::Nothing, Keep::Member, Keep::Value, Keep::ValueWithUniqueNames]
    }

    fn read(json: &str, keep: Keep) -> Result<(), Error> {
        read_object(json, &|_: &str| keep, &mut |_, _, _| {})
    }

    fn accepted(json: &str) -> bool {
        let verdicts = keeps().map(|keep| read(json, keep).is_ok());
        assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{json}: {verdicts:?}");
        verdicts[0]
    }

    fn nested(levels: usize, open: &str, close: &str) -> String {
        format!("{{\"a\":{}0{}}}", open.repeat(levels), close.repeat(levels))
    }

    #[test]
    fn the_object_itself_is_the_first_of_32_levels() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[\"s\",", "]"), ("[0,", "]")] {
            assert!(accepted(&nested(31, open, close)), "{open}");
            assert!(!accepted(&nested(32, open, close)), "{open}");
        }
    }

    #[test]
    fn a_deep_text_is_not_read_to_its_end() {
        for keep in keeps() {
            let error = read(&nested(10_000, "[", "]"), keep).unwrap_err();
            assert!(error.column() < 50, "{keep:?}: {error}");
            assert!(error.to_string().contains("too deeply"), "{keep:?}: {error}");
        }
    }

    #[test]
    fn only_one_object_and_white_space_around_it() {
        assert!(accepted("{}") && accepted(" \t\r\n{\"a\" : [ ] } \n"));
        let others =
            ["", " ", "[]", "\"{}\"", "null", "true", "1", "{}{}", "{},", "{} x", "{}\0", "\u{feff}{}", "//\n{}"];
        for json in
            others.into_iter().chain(["{}//", "/**/{}", "{'a':1}", "{a:1}", "{\"a\":1,}", "{\u{a0}}", "\u{b}{}"])
        {
            assert!(!accepted(json), "{json:?}");
        }
    }

    #[test]
    fn strings_and_names_are_strict_even_where_nobody_looks() {
        for text in [r"\ud800", r"\udc00", r"\udc00\ud800", r"\ud800\u0041", r"\ud83d\ud83d", r"\ud800x", r"\uD800\n"] {
            for json in [r#"{"a":"S"}"#, r#"{"S":1}"#, r#"{"a":["S"]}"#, r#"{"a":{"b":"S"}}"#, r#"{"a":{"S":1}}"#] {
                assert!(!accepted(&json.replace('S', text)), "{text} in {json}");
            }
        }
        for text in ["\n", "\0", "\t", "\u{1f}", r"\x", r"\u12", r"\'", "\\"] {
            assert!(!accepted(&format!("{{\"a\":\"{text}\"}}")), "{text:?}");
        }
        assert!(accepted("{\"a\":\"\\ud83d\\ude00 \u{7f} \\u0000 \u{ffff}\"}"));
    }

    #[test]
    fn numbers_are_in_range_even_where_nobody_looks() {
        for number in ["1e309", "-1e309", "1e99999999999", "NaN", "Infinity", "0x1", "01", "1.", "-", "+1"] {
            assert!(!accepted(&format!("{{\"a\":[{number}]}}")), "{number}");
        }
        for number in ["1e308", "123456789012345678901234567890", "1e-400", "-0", "0e0"] {
            assert!(accepted(&format!("{{\"a\":[{number}]}}")), "{number}");
        }
    }

    #[test]
    fn errors_do_not_repeat_the_text() {
        for json in
            ["\"sEcret\"", "{\"sEcret\":sEcret}", "{\"sEcret\":1,\"sEcret\":1}", "[\"sEcret\"]", "{\"a\":\"sEcret"]
        {
            for keep in keeps() {
                let error = read(json, keep).unwrap_err();
                assert!(!error.to_string().contains("sEcret"), "{error}");
            }
        }
    }
}
