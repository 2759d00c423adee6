//! Which rule a request falls under: the first that matches.

use percent_encoding::percent_decode;

use crate::config::{PathMatcher, Rule};
use crate::request::Request;

/// Finds the first rule that matches, in time that hardly grows with their number: prepared once for a configuration.
#[derive(Debug, Clone)]
pub struct RuleIndex {
    /// Exact paths, sorted, each with the first rule for it.
    exact: Vec<(String, usize)>,
    /// Prefixes, sorted.
    prefixes: Vec<Prefix>,
}

/// A prefix that rules have.
#[derive(Debug, Clone)]
struct Prefix {
    text: String,
    /// The first rule for this prefix or a shorter one of it.
    first: usize,
    /// The longest of the other prefixes that this one begins with.
    parent: Option<usize>,
}

impl RuleIndex {
    /// The index of these rules.
    #[must_use]
    pub fn new(rules: &[Rule]) -> Self {
        let (mut exact, mut prefixes) = (Vec::new(), Vec::new());
        for (index, rule) in rules.iter().enumerate() {
            match &rule.matcher {
                PathMatcher::Exact(path) => exact.push((path.clone(), index)),
                PathMatcher::Prefix(prefix) => prefixes.push((prefix.clone(), index)),
            }
        }
        Self { exact: firsts(exact), prefixes: linked(firsts(prefixes)) }
    }

    /// The position of the first rule that matches the request.
    #[must_use]
    pub fn first_match(&self, request: &Request<'_>) -> Option<usize> {
        let path = request.path();
        let exact = self.exact.binary_search_by(|(exact, _)| exact.as_bytes().cmp(path)).ok();
        let exact = exact.and_then(|found| self.exact.get(found)).map(|(_, first)| *first);
        let prefix = self.longest_prefix(path).map(|prefix| prefix.first);
        exact.into_iter().chain(prefix).min()
    }

    /// The longest prefix of `path`. In sorted order it is the last one not after `path`, or one that this begins with.
    fn longest_prefix(&self, path: &[u8]) -> Option<&Prefix> {
        let after = self.prefixes.partition_point(|prefix| prefix.text.as_bytes() <= path);
        let mut position = after.checked_sub(1);
        while let Some(prefix) = position.and_then(|position| self.prefixes.get(position)) {
            if path.starts_with(prefix.text.as_bytes()) {
                return Some(prefix);
            }
            position = prefix.parent;
        }
        None
    }
}

/// Whether a segment of the path is `.` or `..` (RFC 3986 section 3.3), in any form that some upstream resolves: encoded,
/// beside a backslash, with parameters behind it. Such a path is one for the rules and another for the upstream.
#[must_use]
pub fn has_dot_segment(path: &[u8]) -> bool {
    if !path.iter().any(|byte| matches!(byte, b'.' | b'%')) {
        return false;
    }
    let decoded: Vec<u8> = percent_decode(path).collect();
    decoded.split(|byte| b"/\\".contains(byte)).any(|segment| {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        matches!(name, b"." | b"..")
    })
}

/// Each text once, sorted, with the first rule that has it.
fn firsts(mut texts: Vec<(String, usize)>) -> Vec<(String, usize)> {
    texts.sort_unstable();
    texts.dedup_by(|later, earlier| later.0 == earlier.0);
    texts
}

/// Links each prefix to the longest other one that it begins with. In sorted order those stand before it, and each is
/// the one before it, or an ancestor of that.
fn linked(sorted: Vec<(String, usize)>) -> Vec<Prefix> {
    let mut prefixes: Vec<Prefix> = Vec::with_capacity(sorted.len());
    for (text, rule) in sorted {
        let mut parent = prefixes.len().checked_sub(1);
        while let Some(candidate) = parent.and_then(|position| prefixes.get(position)) {
            if text.starts_with(&candidate.text) {
                break;
            }
            parent = candidate.parent;
        }
        let above = parent.and_then(|position| prefixes.get(position)).map(|parent| parent.first);
        prefixes.push(Prefix { text, first: above.map_or(rule, |above| above.min(rule)), parent });
    }
    prefixes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(matchers: &[PathMatcher]) -> Vec<Rule> {
        matchers.iter().map(|matcher| Rule { matcher: matcher.clone(), requires: None }).collect()
    }

    fn matched(path: &[u8]) -> Option<usize> {
        let rules = rules(&[PathMatcher::Exact("/exact".into()), PathMatcher::Prefix("/pre".into())]);
        RuleIndex::new(&rules).first_match(&Request::new(vec![(b":path", path)]))
    }

    #[test]
    fn exact_ignores_the_query_and_nothing_else() {
        assert_eq!(matched(b"/exact"), Some(0));
        assert_eq!(matched(b"/exact?x=/pre"), Some(0));
        for path in [&b"/exact/"[..], b"/Exact", b"/exac", b"/%65xact", b""] {
            assert_eq!(matched(path), None);
        }
    }

    #[test]
    fn prefix_is_case_sensitive_and_does_not_stop_at_a_slash() {
        assert_eq!(matched(b"/prefix/x"), Some(1));
        assert_eq!(matched(b"/pre"), Some(1));
        assert_eq!(matched(b"/PRE"), None);
        assert_eq!(matched(b"/x?/pre"), None);
    }

    fn matches(matcher: &PathMatcher, path: &str) -> bool {
        match matcher {
            PathMatcher::Prefix(prefix) => path.starts_with(prefix),
            PathMatcher::Exact(exact) => path == exact,
        }
    }

    proptest! {
        #[test]
        fn the_index_finds_what_looking_at_each_rule_in_turn_finds(
            texts in prop::collection::vec(("[ab/]{0,4}", any::<bool>()), 0..20),
            path in "[ab/]{0,6}",
        ) {
            let matcher = |(text, exact): &(String, bool)| {
                if *exact { PathMatcher::Exact(text.clone()) } else { PathMatcher::Prefix(text.clone()) }
            };
            let rules = rules(&texts.iter().map(matcher).collect::<Vec<_>>());
            let expected = rules.iter().position(|rule| matches(&rule.matcher, &path));
            let request = Request::new(vec![(b":path", path.as_bytes())]);
            prop_assert_eq!(RuleIndex::new(&rules).first_match(&request), expected);
        }
    }

    #[test]
    fn dot_segments_are_seen_in_every_form() {
        for path in [
            "/..",
            "/a/../b",
            "/./a",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/a%2f..%2Fb",
            "/a\\..\\b",
            "/a%5c../b",
            "/a/..;x=1/b",
            "..",
            ".",
        ] {
            assert!(has_dot_segment(path.as_bytes()), "{path}");
        }
        for path in ["", "/", "/a", "/a/...", "/a..b/c", "/.well-known/x", "/a/b.", "/a//b", "/%2", "*"] {
            assert!(!has_dot_segment(path.as_bytes()), "{path}");
        }
    }
}
