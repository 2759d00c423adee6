//! Which requests a rule is for: which conditions are sound, and sound together.

use super::{
    PathMatcher, RequestMatcher,
    fields::{self, Fields},
    header_match::{check_headers, header_matcher, query_parameter},
    hosts::host,
    node::Node,
    report::{Checked, Place, quoted},
    string_match::{nothing, regex},
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

const PATHS: [&str; 5] = ["prefix", "path", "path_separated_prefix", "safe_regex", "connect_matcher"];
const OTHERS: [&str; 5] = ["methods", "hosts", "route_name", "headers", "query_parameters"];
const FIELDS: &[&str] = &[
    "prefix",
    "path",
    "path_separated_prefix",
    "safe_regex",
    "connect_matcher",
    "case_sensitive",
    "methods",
    "hosts",
    "route_name",
    "headers",
    "query_parameters",
];

/// Validates `match`.
pub(super) fn request_matcher(node: Node, at: &Place<'_>) -> Checked<RequestMatcher> {
    let what = "an object, with `prefix`, `path` or another condition";
    let mut fields = Fields::of(node, FIELDS, what, at)?;
    let path = path_matcher(&mut fields, at);
    let methods = fields.list("methods", MAX_ENTRIES, method);
    let hosts = fields.list("hosts", MAX_ENTRIES, host);
    let route_name = route_name(&mut fields);
    let headers = fields.list("headers", MAX_ENTRIES, header_matcher);
    let query_parameters = fields.list("query_parameters", MAX_ENTRIES, query_parameter);
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

fn method(node: Node, at: &Place<'_>) -> Checked<String> {
    let name = fields::text(node, at)?;
    if METHODS.contains(&name.as_str()) {
        return Ok(name);
    }
    at.mistake(format!("{} is not a known method: they are in upper case, such as `GET`", quoted(&name)))
}

fn route_name(fields: &mut Fields<'_>) -> Checked<Option<String>> {
    let name = fields.text("route_name")?;
    if name.as_ref().is_some_and(String::is_empty) {
        return fields.at("route_name").mistake("is empty: a route without a name has none");
    }
    Ok(name)
}

fn path_matcher(fields: &mut Fields<'_>, at: &Place<'_>) -> Checked<PathMatcher> {
    let ignore_case = fields.flag("case_sensitive")? == Some(false);
    let mut given = PATHS.into_iter().filter(|name| fields.has(name));
    let (kind, more) = (given.next(), given.next());
    let is_conditional = OTHERS.iter().any(|name| fields.has(name));
    let place = fields.at("case_sensitive");
    match kind {
        Some(kind) if more.is_none() => {
            let value = fields.take(kind).unwrap_or(Node::Null);
            path_of_kind(kind, value, ignore_case, &fields.at(kind), &place)
        }
        None if is_conditional && ignore_case => place.mistake("has no effect without a path to compare"),
        None if is_conditional => Ok(PathMatcher::Any),
        _ => at.mistake(
            "needs exactly one of prefix, path, path_separated_prefix, safe_regex and connect_matcher, or none beside \
             another condition",
        ),
    }
}

fn path_of_kind(
    kind: &str,
    value: Node,
    ignore_case: bool,
    at: &Place<'_>,
    case_sensitive: &Place<'_>,
) -> Checked<PathMatcher> {
    match kind {
        "safe_regex" if ignore_case => {
            case_sensitive.mistake("contradicts safe_regex: begin the expression with `(?i)`")
        }
        "safe_regex" => path_regex(value, at),
        "connect_matcher" if ignore_case => case_sensitive.mistake("has no effect without a path to compare"),
        "connect_matcher" => nothing(value, at).map(|()| PathMatcher::Connect),
        _ => {
            let text = path(fields::text(value, at)?, at)?;
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
    }
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

fn path_regex(node: Node, at: &Place<'_>) -> Checked<PathMatcher> {
    let pattern = regex(node, at)?;
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
