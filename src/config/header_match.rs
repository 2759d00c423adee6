//! Conditions on headers and query parameters: which are sound.

use super::{
    HeaderCondition, HeaderMatcher, ParameterCondition, QueryParameterMatcher,
    fields::Fields,
    names,
    node::Node,
    report::{Checked, Place},
    string_match::{part, regex, string_matcher},
};
use crate::string_matcher::StringMatcher;

/// The pseudo-headers that requests have (RFC 9113 section 8.3.1).
const PSEUDO_HEADERS: &[&str] = &[":method", ":authority", ":path", ":scheme"];

const CONDITIONS: [&str; 8] = [
    "string_match",
    "exact_match",
    "prefix_match",
    "suffix_match",
    "contains_match",
    "safe_regex_match",
    "range_match",
    "present_match",
];
const HEADER_FIELDS: &[&str] = &[
    "name",
    "string_match",
    "exact_match",
    "prefix_match",
    "suffix_match",
    "contains_match",
    "safe_regex_match",
    "range_match",
    "present_match",
    "invert_match",
    "treat_missing_header_as_empty",
];

/// Validates Envoy's `HeaderMatcher`.
pub(super) fn header_matcher(node: Node, at: &Place<'_>) -> Checked<HeaderMatcher> {
    let mut fields = Fields::of(node, HEADER_FIELDS, "an object, with `name` and a condition", at)?;
    let name = fields.text("name")?;
    let name = fields.at("name").required(name, "the name of the header");
    let name = name.and_then(|name| header_name(&name, &fields.at("name")));
    let missing_as_empty = fields.flag("treat_missing_header_as_empty")?.unwrap_or(false);
    let invert = fields.flag("invert_match")?.unwrap_or(false);
    let condition = condition(&mut fields, at)?;
    if missing_as_empty && matches!(condition, HeaderCondition::Present(_)) {
        return fields
            .at("treat_missing_header_as_empty")
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
fn condition(fields: &mut Fields<'_>, at: &Place<'_>) -> Checked<HeaderCondition> {
    let mut given = CONDITIONS.into_iter().filter(|name| fields.has(name));
    let (kind, more) = (given.next(), given.next());
    if more.is_some() {
        return at.mistake("has more than one condition: give each an entry of its own, all have to be fulfilled");
    }
    let Some(kind) = kind.filter(|kind| *kind != "present_match") else {
        return fields.flag("present_match").map(|wanted| HeaderCondition::Present(wanted.unwrap_or(true)));
    };
    let value = fields.take(kind).unwrap_or(Node::Null);
    let at = fields.at(kind);
    let matcher = match kind {
        "range_match" => return range(value, &at),
        "exact_match" => part(value, false, &at).map(StringMatcher::Exact),
        "prefix_match" => part(value, false, &at).map(StringMatcher::Prefix),
        "suffix_match" => part(value, false, &at).map(StringMatcher::Suffix),
        "contains_match" => part(value, false, &at).map(StringMatcher::Contains),
        "safe_regex_match" => regex(value, &at).map(StringMatcher::Regex),
        _ => string_matcher(value, &at),
    };
    matcher.map(HeaderCondition::Text)
}

fn range(node: Node, at: &Place<'_>) -> Checked<HeaderCondition> {
    let mut fields = Fields::of(node, &["start", "end"], "an object, with `start` and `end`", at)?;
    let (start, end) = (fields.whole("start")?.unwrap_or(0), fields.whole("end")?.unwrap_or(0));
    if start >= end {
        return at.mistake("holds no number: `start` is the first, and `end` the first behind it");
    }
    Ok(HeaderCondition::Range(start, end))
}

/// Validates Envoy's `QueryParameterMatcher`.
pub(super) fn query_parameter(node: Node, at: &Place<'_>) -> Checked<QueryParameterMatcher> {
    let known = ["name", "string_match", "present_match"];
    let mut fields = Fields::of(node, &known, "an object, with `name` and a condition", at)?;
    let name = fields.text("name")?;
    let place = fields.at("name");
    let name = place.required(name, "the name of the parameter").and_then(|name| parameter_name(name, &place));
    let wanted = fields.flag("present_match")?;
    let condition = match fields.take("string_match") {
        Some(_) if wanted.is_some() => at.mistake("has more than one condition"),
        Some(node) => string_matcher(node, &fields.at("string_match")).map(ParameterCondition::Text),
        None => Ok(ParameterCondition::Present(wanted.unwrap_or(true))),
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
