//! Conditions on headers and query parameters: which are sound.

use super::{
    HeaderCondition, HeaderMatcher, ParameterCondition, QueryParameterMatcher, names,
    raw_match::{RawHeaderMatcher, RawQueryParameter, RawRange},
    report::{Checked, Place},
    string_match::{Given, comparison, only, regex, string_matcher},
};
use crate::string_matcher::StringMatcher;

/// The pseudo-headers that requests have (RFC 9113 section 8.3.1).
const PSEUDO_HEADERS: &[&str] = &[":method", ":authority", ":path", ":scheme"];

/// Validates Envoy's `HeaderMatcher`.
pub(super) fn header_matcher(mut raw: RawHeaderMatcher, at: &Place<'_>) -> Checked<HeaderMatcher> {
    let place = at.field("name");
    let name = place.required(raw.name.take(), "the name of the header").and_then(|name| header_name(&name, &place));
    let missing_as_empty = raw.treat_missing_header_as_empty.unwrap_or(false);
    let invert = raw.invert_match.unwrap_or(false);
    let condition = condition(raw, at)?;
    if missing_as_empty && matches!(condition, HeaderCondition::Present(_)) {
        return at
            .field("treat_missing_header_as_empty")
            .mistake("contradicts present_match: every request would have the header");
    }
    Ok(HeaderMatcher { name: name?, condition, invert, missing_as_empty })
}

/// The name in lower case. Proxies know the header `host` as `:authority`.
fn header_name(name: &str, at: &Place<'_>) -> Checked<String> {
    let name = name.to_ascii_lowercase();
    if name == "host" {
        return Ok(":authority".to_owned());
    }
    if names::is_token(&name) || PSEUDO_HEADERS.contains(&name.as_str()) {
        return Ok(name);
    }
    at.mistake("has to be the name of a header, or one of `:method`, `:authority`, `:path` and `:scheme`")
}

/// The one condition that is given; without any, the header has to be there.
fn condition(raw: RawHeaderMatcher, at: &Place<'_>) -> Checked<HeaderCondition> {
    let texts = only([
        ("exact", raw.exact_match),
        ("prefix", raw.prefix_match),
        ("suffix", raw.suffix_match),
        ("contains", raw.contains_match),
    ]);
    let matcher = match (texts, raw.string_match, raw.safe_regex_match, raw.range_match, raw.present_match) {
        (Given::None, None, None, None, wanted) => return Ok(HeaderCondition::Present(wanted.unwrap_or(true))),
        (Given::None, None, None, Some(raw), None) => return range(&raw, &at.field("range_match")),
        (Given::None, None, Some(raw), None, None) => {
            regex(raw, &at.field("safe_regex_match")).map(StringMatcher::Regex)
        }
        (Given::None, Some(raw), None, None, None) => string_matcher(raw, &at.field("string_match")),
        (Given::One(kind, text), None, None, None, None) => {
            comparison(kind, text, false, &at.field(&format!("{kind}_match")))
        }
        _ => at.mistake("has more than one condition: give each an entry of its own, all have to be fulfilled"),
    };
    matcher.map(HeaderCondition::Text)
}

fn range(raw: &RawRange, at: &Place<'_>) -> Checked<HeaderCondition> {
    let [start, end] = [&raw.start, &raw.end].map(|bound| bound.as_ref().map_or(0, |bound| bound.0));
    if start >= end {
        return at.mistake("holds no number: `start` is the first, and `end` the first behind it");
    }
    Ok(HeaderCondition::Range(start, end))
}

/// Validates Envoy's `QueryParameterMatcher`.
pub(super) fn query_parameter(raw: RawQueryParameter, at: &Place<'_>) -> Checked<QueryParameterMatcher> {
    let place = at.field("name");
    let name = place.required(raw.name, "the name of the parameter").and_then(|name| parameter_name(name, &place));
    let condition = match (raw.string_match, raw.present_match) {
        (Some(_), Some(_)) => at.mistake("has more than one condition"),
        (Some(raw), None) => string_matcher(raw, &at.field("string_match")).map(ParameterCondition::Text),
        (None, wanted) => Ok(ParameterCondition::Present(wanted.unwrap_or(true))),
    };
    Ok(QueryParameterMatcher { name: name?, condition: condition? })
}

/// The name as it stands in a query: nothing is decoded.
fn parameter_name(name: String, at: &Place<'_>) -> Checked<String> {
    let possible = name.bytes().all(|byte| byte.is_ascii_graphic() && !b"&=#".contains(&byte));
    if name.is_empty() || !possible {
        return at.mistake("has to be printable ASCII without blanks, `&`, `=` and `#`, as it stands in the query");
    }
    Ok(name)
}

/// No two entries may be the same, nor such that no request fulfils both.
pub(super) fn check_headers(headers: &[HeaderMatcher], at: &Place<'_>) {
    for (index, later) in headers.iter().enumerate() {
        let mut earlier = headers.iter().take(index).filter(|earlier| earlier.name == later.name);
        if earlier.clone().any(|earlier| earlier == later) {
            at.index(index).note("is listed a second time");
        } else if earlier.any(|earlier| exclude_each_other(earlier, later)) {
            at.index(index).note("contradicts an earlier one: no request fulfils both");
        }
    }
}

fn exclude_each_other(one: &HeaderMatcher, other: &HeaderMatcher) -> bool {
    match (needed(one), needed(other)) {
        (Some(one), Some(other)) if one != other => true,
        _ => matches!((only_value(one), only_value(other)), (Some(one), Some(other)) if one != other),
    }
}

/// Whether the header has to be there, or not to be; `None` if it may be either.
pub(super) fn needed(matcher: &HeaderMatcher) -> Option<bool> {
    match matcher.condition {
        HeaderCondition::Present(wanted) => Some(wanted != matcher.invert),
        _ => (!matcher.missing_as_empty).then_some(true),
    }
}

/// The only value that the header may have.
fn only_value(matcher: &HeaderMatcher) -> Option<&str> {
    match &matcher.condition {
        HeaderCondition::Text(StringMatcher::Exact(text)) if !matcher.invert && !text.ignores_case() => {
            Some(text.as_str())
        }
        _ => None,
    }
}
