//! Whether a request fulfils the conditions of a rule: those of Envoy's `RouteMatch`, and a few more.

use std::borrow::Cow;

use super::host::Authority;
use crate::config::{
    HeaderCondition, HeaderMatcher, ParameterCondition, PathMatcher, QueryParameterMatcher, RequestMatcher,
};
use crate::request::Request;
use crate::string_matcher::Text;

/// A request, and the path to take for its own.
#[derive(Clone, Copy)]
pub(super) struct Target<'r> {
    pub(super) request: &'r Request<'r>,
    /// Without the query.
    pub(super) path: &'r [u8],
    /// What `:authority` says; `None` if no rule asks.
    pub(super) authority: Option<Authority<'r>>,
}

impl RequestMatcher {
    pub(super) fn matches(&self, target: Target<'_>) -> bool {
        self.path.matches(target)
            && (self.methods.is_empty() || self.methods.iter().any(|name| name.as_bytes() == target.request.method()))
            && (self.hosts.is_empty() || self.is_for_host(target.authority))
            && self.route_name.as_ref().is_none_or(|name| target.request.route_name() == Some(name.as_bytes()))
            && self.headers.iter().all(|header| header.matches(target))
            && self.query_parameters.iter().all(|parameter| parameter.matches(target.request))
    }

    fn is_for_host(&self, authority: Option<Authority<'_>>) -> bool {
        authority.is_some_and(|authority| self.hosts.iter().any(|host| host.matches(authority)))
    }
}

impl PathMatcher {
    fn matches(&self, target: Target<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Prefix(prefix) => prefix.begins(target.path),
            Self::SeparatedPrefix(prefix) => begins_separated(prefix, target.path),
            Self::Exact(exact) => exact.is(target.path),
            Self::Regex(pattern) => pattern.matches(target.path),
            Self::Connect => target.request.method() == b"CONNECT",
        }
    }
}

fn begins_separated(prefix: &Text, path: &[u8]) -> bool {
    prefix.begins(path) && path.get(prefix.as_str().len()).is_none_or(|next| *next == b'/')
}

impl HeaderMatcher {
    fn matches(&self, target: Target<'_>) -> bool {
        // As in Envoy since 1.39, one of several values is enough; before, they were one with commas.
        let mut values = header_values(&self.name, target).peekable();
        if values.peek().is_some() {
            return values.any(|value| self.condition.holds(&value)) != self.invert;
        }
        if self.missing_as_empty {
            return self.condition.holds(b"") != self.invert;
        }
        // Inverted or not, a header that is missing fulfils no condition on its value.
        matches!(self.condition, HeaderCondition::Present(wanted) if wanted == self.invert)
    }
}

impl HeaderCondition {
    fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Text(matcher) => matcher.matches(value),
            Self::Range(start, end) => number(value).is_some_and(|number| (*start..*end).contains(&number)),
            Self::Present(wanted) => *wanted,
        }
    }
}

/// The values of all headers of this name. `:path` has the path at hand.
fn header_values<'r>(name: &str, target: Target<'r>) -> impl Iterator<Item = Cow<'r, [u8]>> {
    let other_path = name == ":path" && target.path != target.request.path();
    target.request.header_values(name).map(move |value| match target.request.query() {
        _ if !other_path => Cow::Borrowed(value),
        None => Cow::Borrowed(target.path),
        Some(query) => Cow::Owned([target.path, b"?", query].concat()),
    })
}

/// A whole number with blanks around it or not.
fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text.trim_ascii()).ok()?.parse().ok()
}

impl QueryParameterMatcher {
    /// As in Envoy, nothing is decoded and the first of several counts.
    fn matches(&self, request: &Request<'_>) -> bool {
        let value = first_value(&self.name, request);
        match &self.condition {
            ParameterCondition::Text(matcher) => value.is_some_and(|value| matcher.matches(value)),
            ParameterCondition::Present(wanted) => value.is_some() == *wanted,
        }
    }
}

fn first_value<'r>(name: &str, request: &Request<'r>) -> Option<&'r [u8]> {
    let query = request.query()?;
    query.split(|byte| *byte == b'&').find_map(|parameter| {
        let mut parts = parameter.splitn(2, |byte| *byte == b'=');
        (parts.next() == Some(name.as_bytes())).then(|| parts.next().unwrap_or_default())
    })
}

#[cfg(test)]
#[path = "conditions_tests.rs"]
mod tests;
