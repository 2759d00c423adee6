//! Which rule a request falls under: the first that matches.

use crate::config::{PathMatcher, Rule};
use crate::request::Request;

/// The first rule that matches the request.
#[must_use]
pub fn first_match<'c>(rules: &'c [Rule], request: &Request<'_>) -> Option<&'c Rule> {
    let path = request.path();
    rules.iter().find(|rule| matches(&rule.matcher, path))
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
}
