//! Which rule a request falls under: the first that matches.

mod conditions;
mod host;
mod path_table;
mod readings;
#[cfg(test)]
mod tests;

use percent_encoding::percent_decode;

use crate::config::{PathMatcher, RequestMatcher, Rule, Unmatched};
use crate::reason::Reason;
use crate::request::Request;
use crate::sorted::sorted;
use crate::string_matcher::Text;
use conditions::Target;
use host::Authority;
use path_table::{PathTable, first_of};

/// Finds the first rule that matches, in time that hardly grows with the number of paths and prefixes: prepared once for
/// a configuration.
#[derive(Debug, Clone)]
pub struct RuleIndex {
    rules: Vec<IndexedRule>,
    /// The rules whose paths are compared with their case.
    paths: PathTable,
    /// The rules whose paths are compared without: their texts, and what is looked up, are in lower case.
    folded_paths: PathTable,
    /// The other rules, in order: they are looked at one by one.
    others: Vec<usize>,
    asks_for_host: bool,
    asks_for_pattern_of_path: bool,
    /// The headers, `:path` with its query among them, that regular expressions are held against.
    pattern_headers: Vec<String>,
}

/// A longer path that upstreams may read in several ways is ambiguous, whatever the rules say.
const MAX_DOUBTFUL_PATH: usize = 2048;
/// Longer texts are not held against regular expressions: their requests are refused.
const MAX_PATTERN_TEXT: usize = 8192;

#[derive(Debug, Clone)]
struct IndexedRule {
    matcher: RequestMatcher,
    /// The position of the first rule that requires the same, as strictly; `None` for what becomes of requests without a rule.
    like: Option<usize>,
}

/// What the rules have to say about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The rule at this position is the first that matches.
    Rule(usize),
    /// No rule matches.
    Nothing,
    /// The upstream might take the request for one of another rule.
    Ambiguous(Reason),
}

impl RuleIndex {
    /// The index of these rules; `unmatched` is what becomes of requests that none of them matches.
    #[must_use]
    pub fn new(rules: &[Rule], unmatched: Unmatched) -> Self {
        let mut sorting = Sorting::default();
        rules.iter().enumerate().for_each(|(position, rule)| sorting.add(position, &rule.matcher.path));
        Self {
            rules: indexed(rules, unmatched),
            paths: PathTable::new(sorting.exact, sorting.prefixes),
            folded_paths: PathTable::new(sorting.folded_exact, sorting.folded_prefixes),
            others: sorting.others,
            asks_for_host: rules.iter().any(|rule| !rule.matcher.hosts.is_empty()),
            asks_for_pattern_of_path: rules.iter().any(|rule| matches!(rule.matcher.path, PathMatcher::Regex(_))),
            pattern_headers: sorted(rules.iter().flat_map(|rule| rule.matcher.pattern_headers()).map(str::to_owned)),
        }
    }

    /// The first rule that matches the request, if every path that an upstream may take the request's for falls under
    /// that rule too, or under one that requires the same.
    #[must_use]
    pub fn find(&self, request: &Request<'_>) -> Found {
        let text = request.header_values(":authority").next().unwrap_or_default();
        let authority = if self.asks_for_host { Authority::parse(text) } else { None };
        if self.asks_for_host && authority.is_none() {
            return Found::Ambiguous(Reason::HostAmbiguous);
        }
        let path = request.path();
        let target = Target { request, path, authority };
        if !is_path(path) || self.takes_too_long(target) || has_dot_segment(path) {
            return Found::Ambiguous(Reason::PathAmbiguous);
        }
        let literal = authority
            .and_then(Authority::as_it_stands)
            .map(|authority| Target { authority: Some(authority), ..target });
        if literal.is_some_and(|literal| self.like(literal) != self.like(target)) {
            return Found::Ambiguous(Reason::HostAmbiguous);
        }
        let has_one_meaning = |target| self.has_one_meaning(target);
        if readings::is_doubtful(path) && !(has_one_meaning(target) && literal.is_none_or(has_one_meaning)) {
            return Found::Ambiguous(Reason::PathAmbiguous);
        }
        self.first_match(target).map_or(Found::Nothing, Found::Rule)
    }

    /// Every path that an upstream may take the request's for, itself the first, and the rule that each falls under; `None` if
    /// these are too many. For those who ask why a path is ambiguous.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn readings(&self, request: &Request<'_>) -> Option<Vec<(Vec<u8>, Option<usize>)>> {
        let text = request.header_values(":authority").next().unwrap_or_default();
        let authority = if self.asks_for_host { Authority::parse(text) } else { None };
        let rule = |path: &[u8]| self.first_match(Target { request, path, authority });
        let readings = readings::readings(request.path())?;
        Some(readings.into_iter().map(|path| (path.clone(), rule(&path))).collect())
    }

    /// Whether expressions would be held against so much text, or a path be read in so many ways, that other requests
    /// had to wait for it.
    fn takes_too_long(&self, target: Target<'_>) -> bool {
        let doubtful = target.path.len() > MAX_DOUBTFUL_PATH && readings::is_doubtful(target.path);
        let asked = |(name, value): (&[u8], &[u8])| {
            value.len() > MAX_PATTERN_TEXT && self.pattern_headers.iter().any(|asked| asked.as_bytes() == name)
        };
        let path = self.asks_for_pattern_of_path && target.path.len() > MAX_PATTERN_TEXT;
        doubtful || path || target.request.headers().any(asked)
    }

    /// What stands for all rules that require the same as the one that matches.
    fn like(&self, target: Target<'_>) -> Option<usize> {
        self.first_match(target).and_then(|rule| self.rules.get(rule)).and_then(|rule| rule.like)
    }

    /// Whether all readings of the path lead to rules that require the same, and none is to be resolved.
    fn has_one_meaning(&self, target: Target<'_>) -> bool {
        let Some(readings) = readings::readings(target.path) else { return false };
        let expected = self.like(target);
        readings.iter().all(|path| !has_dot_segment(path) && self.like(Target { path, ..target }) == expected)
    }

    fn first_match(&self, target: Target<'_>) -> Option<usize> {
        let matches = |rule: usize| self.rules.get(rule).is_some_and(|rule| rule.matcher.matches(target));
        let mut first = self.paths.first_before(usize::MAX, target.path, &matches);
        if !self.folded_paths.is_empty() {
            first = self.folded_paths.first_before(first, &target.path.to_ascii_lowercase(), &matches);
        }
        first = first_of(&self.others, first, &matches);
        (first < usize::MAX).then_some(first)
    }
}

/// The rules by how they are looked up.
#[derive(Default)]
struct Sorting {
    exact: Vec<(String, usize)>,
    prefixes: Vec<(String, usize)>,
    folded_exact: Vec<(String, usize)>,
    folded_prefixes: Vec<(String, usize)>,
    others: Vec<usize>,
}

impl Sorting {
    fn add(&mut self, position: usize, path: &PathMatcher) {
        let entry = |text: &Text| (text.as_str().to_owned(), position);
        match path {
            PathMatcher::Exact(text) if text.ignores_case() => self.folded_exact.push(entry(text)),
            PathMatcher::Exact(text) => self.exact.push(entry(text)),
            PathMatcher::Prefix(text) | PathMatcher::SeparatedPrefix(text) if text.ignores_case() => {
                self.folded_prefixes.push(entry(text));
            }
            PathMatcher::Prefix(text) | PathMatcher::SeparatedPrefix(text) => self.prefixes.push(entry(text)),
            PathMatcher::Any | PathMatcher::Regex(_) | PathMatcher::Connect => self.others.push(position),
        }
    }
}

fn indexed(rules: &[Rule], unmatched: Unmatched) -> Vec<IndexedRule> {
    // The positions of rules that require different things, or only report what the others refuse.
    let mut distinct: Vec<usize> = Vec::new();
    let like = |(position, rule): (usize, &Rule)| {
        let require_alike = |other: &Rule| other.requires == rule.requires && other.report_only == rule.report_only;
        let is_like = |other: &&usize| rules.get(**other).is_some_and(require_alike);
        let known = distinct.iter().find(is_like).copied();
        if known.is_none() {
            distinct.push(position);
        }
        let as_unmatched = rule.requires.is_none() && unmatched == Unmatched::Allow;
        let like = if as_unmatched { None } else { known.or(Some(position)) };
        IndexedRule { matcher: rule.matcher.clone(), like }
    };
    rules.iter().enumerate().map(like).collect()
}

/// What a path may consist of (RFC 3986 section 3.3, and what browsers send beside that): anything else is read in one way
/// by one server and in another way by the next.
fn is_path(path: &[u8]) -> bool {
    path.iter().all(u8::is_ascii_graphic)
}

/// Whether a segment of the path is `.` or `..` (RFC 3986 section 3.3), in any form that some upstream resolves: encoded,
/// beside a backslash, with parameters behind it. Such a path is one for the rules and another for the upstream.
fn has_dot_segment(path: &[u8]) -> bool {
    if !path.iter().any(|byte| matches!(byte, b'.' | b'%')) {
        return false;
    }
    let decoded: Vec<u8> = percent_decode(path).collect();
    decoded.split(|byte| b"/\\".contains(byte)).any(|segment| {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        matches!(name, b"." | b"..")
    })
}
