//! Rules that no request falls under.

use serde_json::{Value, json};

use super::{check, least_with, load};

fn unreachable(first: &Value, second: &Value) {
    let rules = json!([{"match": {"path": "/other"}}, {"match": first}, {"match": second}]);
    let expected = "rules[2]: never matches: rules[1] comes first and takes all of its requests";
    check(&[("/rules", rules, expected)]);
}

fn reachable(first: &Value, second: &Value) {
    let rules = json!([{"match": first}, {"match": second}]);
    assert!(load(&least_with("/rules", rules.clone())).is_ok(), "{rules}");
}

#[test]
fn paths_that_an_earlier_rule_takes() {
    for (first, second) in [
        (json!({"prefix": "/"}), json!({"prefix": "/a"})),
        (json!({"prefix": "/a"}), json!({"prefix": "/a"})),
        (json!({"prefix": "/a"}), json!({"path": "/abc"})),
        (json!({"prefix": "/a"}), json!({"path_separated_prefix": "/ab"})),
        (json!({"path": "/a"}), json!({"path": "/a"})),
        (json!({"path_separated_prefix": "/a"}), json!({"path_separated_prefix": "/a"})),
        (json!({"path_separated_prefix": "/a"}), json!({"path_separated_prefix": "/a/b"})),
        (json!({"path_separated_prefix": "/a"}), json!({"path": "/a"})),
        (json!({"path_separated_prefix": "/a"}), json!({"path": "/a/b"})),
        (json!({"path_separated_prefix": "/a"}), json!({"prefix": "/a/"})),
        (json!({"prefix": "/A", "case_sensitive": false}), json!({"path": "/ab"})),
        (json!({"prefix": "/A", "case_sensitive": false}), json!({"prefix": "/aB", "case_sensitive": false})),
        (json!({"prefix": "/1"}), json!({"prefix": "/1a", "case_sensitive": false})),
        (json!({"safe_regex": {"regex": "/a.*"}}), json!({"safe_regex": {"regex": "/a.*", "google_re2": {}}})),
        (json!({"connect_matcher": {}}), json!({"connect_matcher": {}})),
        (json!({"methods": ["GET", "CONNECT"]}), json!({"connect_matcher": {}})),
    ] {
        unreachable(&first, &second);
    }
    for (first, second) in [
        (json!({"prefix": "/ab"}), json!({"prefix": "/a"})),
        (json!({"path": "/a"}), json!({"prefix": "/a"})),
        (json!({"path": "/a"}), json!({"path_separated_prefix": "/a"})),
        (json!({"path": "/a"}), json!({"path": "/A"})),
        (json!({"path_separated_prefix": "/a"}), json!({"prefix": "/a"})),
        (json!({"path_separated_prefix": "/a"}), json!({"path": "/ab"})),
        (json!({"prefix": "/a"}), json!({"prefix": "/ab", "case_sensitive": false})),
        (json!({"path": "/a"}), json!({"path": "/a", "case_sensitive": false})),
        (json!({"safe_regex": {"regex": "/a.*"}}), json!({"safe_regex": {"regex": "/a.+"}})),
        (json!({"prefix": "/"}), json!({"connect_matcher": {}})),
        (json!({"methods": ["GET"]}), json!({"connect_matcher": {}})),
        (json!({"connect_matcher": {}}), json!({"prefix": "/"})),
    ] {
        reachable(&first, &second);
    }
}

#[test]
fn conditions_that_are_weaker_in_an_earlier_rule() {
    let text = json!([{"name": "x", "exact_match": "a"}]);
    for (first, second) in [
        (json!({"methods": ["GET", "PUT"]}), json!({"prefix": "/a", "methods": ["PUT"]})),
        (json!({"hosts": ["*.example"]}), json!({"hosts": ["a.example", "*.a.example", "*.example", "a.example:1"]})),
        (json!({"route_name": "a"}), json!({"route_name": "a", "methods": ["GET"]})),
        (json!({"headers": text}), json!({"headers": [{"name": "y"}, {"name": "X", "exact_match": "a"}]})),
        (json!({"headers": [{"name": "x"}]}), json!({"headers": text})),
        (
            json!({"headers": [{"name": "x", "present_match": false}]}),
            json!({"headers": [{"name": "x", "invert_match": true}]}),
        ),
        (
            json!({"query_parameters": [{"name": "a"}]}),
            json!({"query_parameters": [{"name": "a", "string_match": {"exact": "b"}}]}),
        ),
        (json!({"prefix": "/a"}), json!({"prefix": "/ab", "headers": text})),
    ] {
        unreachable(&first, &second);
    }
    for (first, second) in [
        (json!({"methods": ["GET"]}), json!({"methods": ["GET", "PUT"]})),
        (json!({"methods": ["GET"]}), json!({"prefix": "/"})),
        (json!({"hosts": ["*.example"]}), json!({"hosts": ["example"]})),
        (json!({"hosts": ["*.example"]}), json!({"hosts": ["aexample"]})),
        (json!({"hosts": ["a.example"]}), json!({"hosts": ["*.a.example"]})),
        (json!({"hosts": ["a.example:1"]}), json!({"hosts": ["a.example"]})),
        (json!({"hosts": ["a.example"]}), json!({"hosts": ["a.example", "b.example"]})),
        (json!({"route_name": "a"}), json!({"route_name": "b"})),
        (json!({"route_name": "a"}), json!({"prefix": "/"})),
        (json!({"headers": text}), json!({"headers": [{"name": "x"}]})),
        (json!({"headers": text}), json!({"headers": [{"name": "x", "exact_match": "a", "invert_match": true}]})),
        (
            json!({"headers": [{"name": "x"}]}),
            json!({"headers": [{"name": "x", "exact_match": "a", "treat_missing_header_as_empty": true}]}),
        ),
        (
            json!({"query_parameters": [{"name": "a"}]}),
            json!({"query_parameters": [{"name": "a", "present_match": false}]}),
        ),
        (json!({"prefix": "/ab", "headers": text}), json!({"prefix": "/ab"})),
    ] {
        reachable(&first, &second);
    }
}

#[test]
fn a_rule_behind_one_that_takes_every_path_is_doubtful() {
    let rules = |second: Value| {
        let requires = json!({"provider_name": "acme"});
        json!([{"match": {"prefix": "/"}, "requires": requires}, {"match": second, "requires": requires}])
    };
    let warnings = |second| load(&least_with("/rules", rules(second))).unwrap().warnings;
    let expected = "rules[1]: rules[0] takes every path: only requests without one (CONNECT, `OPTIONS *`) come here";
    for second in [json!({"methods": ["GET"]}), json!({"safe_regex": {"regex": "/a"}})] {
        assert_eq!(warnings(second).iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    }
    assert_eq!(warnings(json!({"connect_matcher": {}})), []);
}
