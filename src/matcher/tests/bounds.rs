//! How much is looked at, and as what.

use serde_json::json;

use super::*;
use crate::trial::{config, provider_json};

#[test]
fn capitals_in_a_rule_are_capitals_in_a_path() {
    let rules = [rule(PathMatcher::Exact("/Exact".into())), rule(PathMatcher::Prefix("/Pre".into()))];
    assert_eq!((find(&rules, b"/Exact"), find(&rules, b"/Prefix")), (Found::Rule(0), Found::Rule(1)));
    assert_eq!((find(&rules, b"/exact"), find(&rules, b"/prefix")), (Found::Nothing, Found::Nothing));
}

#[test]
fn what_would_take_too_long_is_not_looked_at() {
    let rules = [rule(PathMatcher::Prefix("/".into()))];
    let doubtful = |length: usize| format!("/{};", "a".repeat(length - 2));
    assert_eq!(find(&rules, doubtful(MAX_DOUBTFUL_PATH).as_bytes()), Found::Rule(0));
    let too_long = doubtful(MAX_DOUBTFUL_PATH + 1);
    assert_eq!(find(&rules, too_long.as_bytes()), Found::Ambiguous(Reason::PathAmbiguous));
    assert_eq!(find(&rules, "/".repeat(MAX_DOUBTFUL_PATH + 1).replace("//", "/a").as_bytes()), Found::Rule(0));
    let condition = json!({"name": "x-asked", "safe_regex_match": {"regex": "a+"}});
    let matcher = json!({"prefix": "/", "headers": [condition]});
    let rules = json!([{"match": matcher, "requires": {"provider_name": "p"}}]);
    let config = config(&json!({"providers": {"p": provider_json(&json!({}))}, "rules": rules}));
    let index = RuleIndex::new(&config.rules, Unmatched::Deny);
    let found = |name: &str, length: usize| {
        let text = "a".repeat(length);
        index.find(&Request::new(vec![(b":path", b"/"), (name.as_bytes(), text.as_bytes())]))
    };
    assert_eq!(found("x-asked", MAX_PATTERN_TEXT), Found::Rule(0));
    assert_eq!(found("x-asked", MAX_PATTERN_TEXT + 1), Found::Ambiguous(Reason::PathAmbiguous));
    assert_eq!(found("x-other", MAX_PATTERN_TEXT + 1), Found::Nothing);
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn every_reading_is_told_with_its_rule() {
    let index = RuleIndex::new(&[rule(PathMatcher::Exact("/a".into()))], Unmatched::Deny);
    let readings = index.readings(&Request::new(vec![(b":path", b"/a;x")])).unwrap();
    assert_eq!(readings.first(), Some(&(b"/a;x".to_vec(), None)));
    assert!(readings.contains(&(b"/a".to_vec(), Some(0))), "{readings:?}");
}
