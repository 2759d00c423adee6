//! Which rule a request falls under: the first that matches.

use percent_encoding::percent_decode;

use crate::config::{PathMatcher, Rule};
use crate::request::Request;

/// The first rule that matches the request.
#[must_use]
pub fn first_match<'c>(rules: &'c [Rule], request: &Request<'_>) -> Option<&'c Rule> {
    let path = request.path();
    rules.iter().find(|rule| matches(&rule.matcher, path))
}

/// Whether a segment of the path is `.` or `..` (RFC 3986 section 3.3), in any form that some upstream resolves: encoded,
/// beside a backslash, with parameters behind it. Such a path is one for the rules and another for the upstream.
#[must_use]
pub fn has_dot_segment(path: &[u8]) -> bool {
    let decoded: Vec<u8> = percent_decode(path).collect();
    decoded.split(|byte| b"/\\".contains(byte)).any(|segment| {
        let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
        matches!(name, b"." | b"..")
    })
}

fn matches(matcher: &PathMatcher, path: &[u8]) -> bool {
    match matcher {
        PathMatcher::Prefix(prefix) => path.starts_with(prefix.as_bytes()),
        PathMatcher::Exact(exact) => path == exact.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(matcher: PathMatcher) -> Rule {
        Rule { matcher, requires: None }
    }

    fn matched(path: &[u8]) -> Option<usize> {
        let rules = [rule(PathMatcher::Exact("/exact".into())), rule(PathMatcher::Prefix("/pre".into()))];
        let found = first_match(&rules, &Request::new(vec![(b":path", path)]))?;
        rules.iter().position(|rule| rule == found)
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
