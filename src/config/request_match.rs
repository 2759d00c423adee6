//! Which requests a rule is for: which conditions are sound, and sound together.

use super::{
    PathMatcher, RequestMatcher,
    header_match::{check_headers, header_matcher, query_parameter},
    hosts::host,
    raw_match::{RawMatch, RawRegex},
    report::{Checked, Place, quoted},
    string_match::{Given, only, regex},
};
use crate::string_matcher::Text;

/// A request is held against each entry of a list.
const MAX_ENTRIES: usize = 256;

/// The methods that Envoy lets pass over HTTP/1, and those of newer documents.
const METHODS: &[&str] = &[
    "ACL",
    "BIND",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "M-SEARCH",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "NOTIFY",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
];

/// Validates `match`.
pub(super) fn request_matcher(mut raw: RawMatch, at: &Place<'_>) -> Checked<RequestMatcher> {
    let is_conditional = raw.methods.is_some()
        || raw.hosts.is_some()
        || raw.route_name.is_some()
        || raw.headers.is_some()
        || raw.query_parameters.is_some();
    let methods = entries(raw.methods.take(), &at.field("methods"), method);
    let hosts = entries(raw.hosts.take(), &at.field("hosts"), |text, at| host(&text, at));
    let route_name = route_name(raw.route_name.take(), &at.field("route_name"));
    let headers = entries(raw.headers.take(), &at.field("headers"), header_matcher);
    let query_parameters = entries(raw.query_parameters.take(), &at.field("query_parameters"), query_parameter);
    let path = path_matcher(raw, is_conditional, at);
    let matcher = RequestMatcher {
        path: path?,
        methods: methods?,
        hosts: hosts?,
        route_name: route_name?,
        headers: headers?,
        query_parameters: query_parameters?,
    };
    check_together(&matcher, at);
    Ok(matcher)
}

/// The entries of a list; there are none where it is left out.
fn entries<T, U>(raw: Option<Vec<T>>, at: &Place<'_>, check: impl Fn(T, &Place<'_>) -> Checked<U>) -> Checked<Vec<U>> {
    let Some(list) = raw else { return Ok(Vec::new()) };
    if !(1..=MAX_ENTRIES).contains(&list.len()) {
        return at.mistake(format!("has to hold 1 to {MAX_ENTRIES} entries: leave it out where any will do"));
    }
    at.each(list, check)
}

fn method(name: String, at: &Place<'_>) -> Checked<String> {
    if METHODS.contains(&name.as_str()) {
        return Ok(name);
    }
    at.mistake(format!("{} is not a known method: they are in upper case, such as `GET`", quoted(&name)))
}

fn route_name(name: Option<String>, at: &Place<'_>) -> Checked<Option<String>> {
    if name.as_ref().is_some_and(String::is_empty) {
        return at.mistake("is empty: a route without a name has none");
    }
    Ok(name)
}

fn path_matcher(raw: RawMatch, is_conditional: bool, at: &Place<'_>) -> Checked<PathMatcher> {
    let ignore_case = raw.case_sensitive == Some(false);
    let place = at.field("case_sensitive");
    let texts = [("prefix", raw.prefix), ("path", raw.path), ("path_separated_prefix", raw.path_separated_prefix)];
    match (only(texts), raw.safe_regex, raw.connect_matcher) {
        (Given::One(kind, text), None, None) => path_text(kind, text, ignore_case, &at.field(kind)),
        (Given::None, Some(_), None) if ignore_case => {
            place.mistake("contradicts safe_regex: begin the expression with `(?i)`")
        }
        (Given::None, Some(raw), None) => path_regex(raw, &at.field("safe_regex")),
        (Given::None, None, connect) if (connect.is_some() || is_conditional) && ignore_case => {
            place.mistake("has no effect without a path to compare")
        }
        (Given::None, None, Some(_)) => Ok(PathMatcher::Connect),
        (Given::None, None, None) if is_conditional => Ok(PathMatcher::Any),
        _ => at.mistake(
            "needs exactly one of prefix, path, path_separated_prefix, safe_regex and connect_matcher, or none beside \
             another condition",
        ),
    }
}

fn path_text(kind: &str, text: String, ignore_case: bool, at: &Place<'_>) -> Checked<PathMatcher> {
    let text = path(text, at)?;
    if kind == "path_separated_prefix" && text.ends_with('/') {
        return at.mistake("must not end with `/`: it stops at slashes by itself");
    }
    let text = Text::new(text, ignore_case);
    Ok(match kind {
        "prefix" => PathMatcher::Prefix(text),
        "path" => PathMatcher::Exact(text),
        _ => PathMatcher::SeparatedPrefix(text),
    })
}

/// What can be, or begin, the path of a request (RFC 9112 section 3.2.1); anything else could never match.
fn path(text: String, at: &Place<'_>) -> Checked<String> {
    let possible = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?' && byte != b'#');
    if text.starts_with('/') && possible {
        return Ok(text);
    }
    at.mistake(
        "has to begin with `/` and to be printable ASCII without blanks, `?` and `#`: the query is not looked at",
    )
}

fn path_regex(raw: RawRegex, at: &Place<'_>) -> Checked<PathMatcher> {
    let pattern = regex(raw, at)?;
    if !pattern.as_str().starts_with(['/', '(', '[', '\\', '^', '.']) {
        at.field("regex").warn("has to match the whole path, which begins with `/`");
    }
    Ok(PathMatcher::Regex(pattern))
}

fn check_together(matcher: &RequestMatcher, at: &Place<'_>) {
    if matcher.path == PathMatcher::Connect && !matcher.methods.is_empty() {
        at.field("methods")
            .note("contradicts connect_matcher, which takes CONNECT requests alone: give one of the two");
    }
    check_distinct(&matcher.methods, &at.field("methods"));
    check_distinct(&matcher.hosts, &at.field("hosts"));
    check_headers(&matcher.headers, &at.field("headers"));
    check_distinct(&matcher.query_parameters, &at.field("query_parameters"));
}

/// No entry may be listed twice.
fn check_distinct<T: PartialEq>(entries: &[T], at: &Place<'_>) {
    for (index, entry) in entries.iter().enumerate() {
        if entries.iter().take(index).any(|earlier| earlier == entry) {
            at.index(index).note("is listed a second time");
        }
    }
}
