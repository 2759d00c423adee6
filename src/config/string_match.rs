//! Conditions on texts: which are sound.

use super::{
    fields::Fields,
    node::Node,
    report::{Checked, Place},
};
use crate::pattern::Pattern;
use crate::string_matcher::{StringMatcher, Text};

/// Texts to compare with are no longer than this.
const MAX_TEXT: usize = 1024;

const KINDS: [&str; 5] = ["exact", "prefix", "suffix", "contains", "safe_regex"];
const FIELDS: &[&str] = &["exact", "prefix", "suffix", "contains", "safe_regex", "ignore_case"];

/// Validates Envoy's `StringMatcher`.
pub(super) fn string_matcher(node: Node, at: &Place<'_>) -> Checked<StringMatcher> {
    let mut fields = Fields::of(node, FIELDS, "an object, with `exact` or another condition", at)?;
    let ignore_case = fields.flag("ignore_case")?.unwrap_or(false);
    let mut given = KINDS.into_iter().filter(|name| fields.has(name));
    let (Some(kind), None) = (given.next(), given.next()) else {
        return at.mistake("needs exactly one of exact, prefix, suffix, contains and safe_regex");
    };
    let value = fields.take(kind).unwrap_or(Node::Null);
    let place = fields.at(kind);
    match kind {
        "exact" => bounded(value, &place).map(|text| StringMatcher::Exact(Text::new(text, ignore_case))),
        "prefix" => part(value, ignore_case, &place).map(StringMatcher::Prefix),
        "suffix" => part(value, ignore_case, &place).map(StringMatcher::Suffix),
        "contains" => part(value, ignore_case, &place).map(StringMatcher::Contains),
        _ if ignore_case => {
            fields.at("ignore_case").mistake("has no effect on safe_regex: begin the expression with `(?i)`")
        }
        _ => regex(value, &place).map(StringMatcher::Regex),
    }
}

/// A text that has to be found in another.
pub(super) fn part(node: Node, ignore_case: bool, at: &Place<'_>) -> Checked<Text> {
    let text = bounded(node, at)?;
    if text.is_empty() {
        return at.mistake("is empty: every value would do");
    }
    Ok(Text::new(text, ignore_case))
}

fn bounded(node: Node, at: &Place<'_>) -> Checked<String> {
    let text = super::fields::text(node, at)?;
    if text.len() > MAX_TEXT {
        return at.mistake(format!("is longer than {MAX_TEXT} bytes"));
    }
    Ok(text)
}

/// Validates Envoy's `RegexMatcher`. Older configurations name its engine, `google_re2`.
pub(super) fn regex(node: Node, at: &Place<'_>) -> Checked<Pattern> {
    let mut fields = Fields::of(node, &["regex", "google_re2"], "an object, with `regex`", at)?;
    if let Some(engine) = fields.take("google_re2") {
        nothing(engine, &fields.at("google_re2"))?;
    }
    let text = fields.text("regex")?;
    let at = fields.at("regex");
    let text = at.required(text, "the regular expression, which has to match the whole text")?;
    Pattern::new(text).map_err(|sentence| at.note(sentence))
}

/// An object without fields.
pub(super) fn nothing(node: Node, at: &Place<'_>) -> Checked<()> {
    Fields::of(node, &[], "an empty object", at).map(|_| ())
}
