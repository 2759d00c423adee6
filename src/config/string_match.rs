//! Conditions on texts: which are sound.

use super::{
    raw_match::{RawRegex, RawStringMatcher},
    report::{Checked, Place},
};
use crate::pattern::Pattern;
use crate::string_matcher::{StringMatcher, Text};

/// Texts to compare with are no longer than this.
const MAX_TEXT: usize = 1024;

/// Validates Envoy's `StringMatcher`.
pub(super) fn string_matcher(raw: RawStringMatcher, at: &Place<'_>) -> Checked<StringMatcher> {
    let ignore_case = raw.ignore_case.unwrap_or(false);
    let texts = [("exact", raw.exact), ("prefix", raw.prefix), ("suffix", raw.suffix), ("contains", raw.contains)];
    match (only(texts), raw.safe_regex) {
        (Given::One("exact", text), None) if text.is_empty() => Ok(StringMatcher::Exact(Text::new(text, ignore_case))),
        (Given::One(kind, text), None) => comparison(kind, text, ignore_case, &at.field(kind)),
        (Given::None, Some(_)) if ignore_case => {
            at.field("ignore_case").mistake("has no effect on safe_regex: begin the expression with `(?i)`")
        }
        (Given::None, Some(raw)) => regex(raw, &at.field("safe_regex")).map(StringMatcher::Regex),
        _ => at.mistake("needs exactly one of exact, prefix, suffix, contains and safe_regex"),
    }
}

/// Which of several fields is given, and its text.
pub(super) enum Given {
    None,
    One(&'static str, String),
    Several,
}

/// The field that is given, of fields of which one may be.
pub(super) fn only<const N: usize>(fields: [(&'static str, Option<String>); N]) -> Given {
    let mut only = Given::None;
    for (name, text) in fields {
        only = match (only, text) {
            (only, None) => only,
            (Given::None, Some(text)) => Given::One(name, text),
            _ => Given::Several,
        };
    }
    only
}

/// The condition of this kind: `exact`, `prefix`, `suffix` or `contains`. The text has to be found in another.
pub(super) fn comparison(kind: &str, text: String, ignore_case: bool, at: &Place<'_>) -> Checked<StringMatcher> {
    if text.is_empty() {
        return at.mistake("is empty: every value would do");
    }
    if text.len() > MAX_TEXT {
        return at.mistake(format!("is longer than {MAX_TEXT} bytes"));
    }
    let text = Text::new(text, ignore_case);
    Ok(match kind {
        "exact" => StringMatcher::Exact(text),
        "prefix" => StringMatcher::Prefix(text),
        "suffix" => StringMatcher::Suffix(text),
        _ => StringMatcher::Contains(text),
    })
}

/// Validates Envoy's `RegexMatcher`.
pub(super) fn regex(raw: RawRegex, at: &Place<'_>) -> Checked<Pattern> {
    let at = at.field("regex");
    let text = at.required(raw.regex, "the regular expression, which has to match the whole text")?;
    Pattern::new(text).map_err(|sentence| at.note(sentence))
}
