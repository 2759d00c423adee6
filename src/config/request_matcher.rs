//! Which requests a rule is for.

use crate::pattern::Pattern;
use crate::string_matcher::{StringMatcher, Text};

/// Which requests: those that fulfil every condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestMatcher {
    /// The path.
    pub path: PathMatcher,
    /// The methods, as they are written; empty for any.
    pub methods: Vec<String>,
    /// The hosts; empty for any.
    pub hosts: Vec<HostPattern>,
    /// The name of the route that the proxy has chosen.
    pub route_name: Option<String>,
    /// The headers.
    pub headers: Vec<HeaderMatcher>,
    /// The parameters of the query.
    pub query_parameters: Vec<QueryParameterMatcher>,
}

/// How a rule recognises a path (without the query).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathMatcher {
    /// Any path, and none.
    Any,
    /// The path begins with this text.
    Prefix(Text),
    /// The path is this text, or goes on behind it with a slash.
    SeparatedPrefix(Text),
    /// The path is this text.
    Exact(Text),
    /// The expression matches the whole path.
    Regex(Pattern),
    /// Any path and none, of a CONNECT request.
    Connect,
}

/// A host, or all that are below a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPattern {
    /// The host or the domain, lower case.
    pub name: String,
    /// Whether the hosts below `name` are meant (`*.`), and not itself.
    pub below: bool,
    /// The port that has to be given; `None` for any and for none.
    pub port: Option<u16>,
}

/// A condition on a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderMatcher {
    /// The header's name, lower case; `:method`, `:authority`, `:path` and `:scheme` count as headers.
    pub name: String,
    /// The condition.
    pub condition: HeaderCondition,
    /// Whether the condition must not be fulfilled.
    pub invert: bool,
    /// Whether the header counts as empty where it is missing.
    pub missing_as_empty: bool,
}

/// What a header has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderCondition {
    /// Its values, joined by commas, fulfil this.
    Text(StringMatcher),
    /// It is a whole number, from the first of these to below the second.
    Range(i64, i64),
    /// It is there, or it is not.
    Present(bool),
}

/// A condition on a parameter of the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryParameterMatcher {
    /// The parameter's name, compared as it came.
    pub name: String,
    /// The condition.
    pub condition: ParameterCondition,
}

/// What a parameter of the query has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterCondition {
    /// Its first value, as it came, fulfils this.
    Text(StringMatcher),
    /// It is there, or it is not.
    Present(bool),
}

impl RequestMatcher {
    /// The headers, `:path` with its query among them, that regular expressions are held against.
    pub fn pattern_headers(&self) -> impl Iterator<Item = &str> {
        let is_pattern = |matcher: &StringMatcher| matches!(matcher, StringMatcher::Regex(_));
        let of_query = self
            .query_parameters
            .iter()
            .any(|parameter| matches!(&parameter.condition, ParameterCondition::Text(matcher) if is_pattern(matcher)));
        let of_headers = self
            .headers
            .iter()
            .filter(move |header| matches!(&header.condition, HeaderCondition::Text(matcher) if is_pattern(matcher)));
        of_query.then_some(":path").into_iter().chain(of_headers.map(|header| header.name.as_str()))
    }
}

impl From<PathMatcher> for RequestMatcher {
    /// Matches the path alone.
    fn from(path: PathMatcher) -> Self {
        Self {
            path,
            methods: Vec::new(),
            hosts: Vec::new(),
            route_name: None,
            headers: Vec::new(),
            query_parameters: Vec::new(),
        }
    }
}

impl RequestMatcher {
    /// Whether anything but the path is looked at.
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        let lists = [self.methods.len(), self.hosts.len(), self.headers.len(), self.query_parameters.len()];
        self.route_name.is_some() || lists.iter().any(|length| *length > 0)
    }
}
