//! Rules: what they match, and every mistake in that.

use serde_json::{Value, json};

use super::{
    super::{
        HeaderCondition, HeaderMatcher, HostPattern, ParameterCondition, PathMatcher, QueryParameterMatcher,
        RequestMatcher,
    },
    check, least_with, load,
};
use crate::pattern::Pattern;
use crate::string_matcher::{StringMatcher, Text};

/// The only rule, which matches so.
fn one(matcher: &Value) -> Value {
    json!([{"match": matcher, "requires": {"provider_name": "acme"}}])
}

fn matcher(raw: &Value) -> RequestMatcher {
    load(&least_with("/rules", one(raw))).unwrap().config.rules[0].matcher.clone()
}

fn mistake(raw: &Value, expected: &str) {
    check(&[("/rules", one(raw), &format!("rules[0].match{expected}"))]);
}

#[test]
fn every_kind_of_path_arrives() {
    let pattern = || Pattern::new("/a.*".to_owned()).unwrap();
    for (raw, expected) in [
        (json!({"prefix": "/a"}), PathMatcher::Prefix("/a".into())),
        (json!({"path": "/a", "case_sensitive": true}), PathMatcher::Exact("/a".into())),
        (json!({"path": "/A", "caseSensitive": false}), PathMatcher::Exact(Text::new("/a".to_owned(), true))),
        (json!({"path_separated_prefix": "/a"}), PathMatcher::SeparatedPrefix("/a".into())),
        (json!({"safe_regex": {"regex": "/a.*"}}), PathMatcher::Regex(pattern())),
        (json!({"safeRegex": {"googleRe2": {}, "regex": "/a.*"}}), PathMatcher::Regex(pattern())),
        (json!({"connect_matcher": {}}), PathMatcher::Connect),
    ] {
        assert_eq!(matcher(&raw), expected.into());
    }
}

#[test]
fn every_condition_arrives() {
    let raw = json!({
        "methods": ["GET", "M-SEARCH"],
        "hosts": ["API.example", "*.a.example:8443"],
        "route_name": "orders",
        "headers": [
            {"name": "X-A", "string_match": {"suffix": "A", "ignore_case": true}, "invert_match": true},
            {"name": "host", "exact_match": "a"},
            {"name": ":path", "prefix_match": "/a"},
            {"name": "x-b", "range_match": {"start": -5, "end": "10"}, "treat_missing_header_as_empty": true},
            {"name": "x-c"},
            {"name": "x-d", "present_match": false}
        ],
        "query_parameters": [
            {"name": "a", "string_match": {"contains": "x"}},
            {"name": "b", "present_match": false},
            {"name": "c"}
        ]
    });
    let header = |name: &str, condition| HeaderMatcher {
        name: name.to_owned(),
        condition,
        invert: false,
        missing_as_empty: false,
    };
    let text = |matcher| HeaderCondition::Text(matcher);
    let parameter = |name: &str, condition| QueryParameterMatcher { name: name.to_owned(), condition };
    let expected = RequestMatcher {
        path: PathMatcher::Any,
        methods: vec!["GET".to_owned(), "M-SEARCH".to_owned()],
        hosts: vec![
            HostPattern { name: "api.example".to_owned(), below: false, port: None },
            HostPattern { name: "a.example".to_owned(), below: true, port: Some(8443) },
        ],
        route_name: Some("orders".to_owned()),
        headers: vec![
            HeaderMatcher {
                invert: true,
                ..header("x-a", text(StringMatcher::Suffix(Text::new("a".to_owned(), true))))
            },
            header(":authority", text(StringMatcher::Exact("a".into()))),
            header(":path", text(StringMatcher::Prefix("/a".into()))),
            HeaderMatcher { missing_as_empty: true, ..header("x-b", HeaderCondition::Range(-5, 10)) },
            header("x-c", HeaderCondition::Present(true)),
            header("x-d", HeaderCondition::Present(false)),
        ],
        query_parameters: vec![
            parameter("a", ParameterCondition::Text(StringMatcher::Contains("x".into()))),
            parameter("b", ParameterCondition::Present(false)),
            parameter("c", ParameterCondition::Present(true)),
        ],
    };
    assert_eq!(matcher(&raw), expected);
}

#[test]
fn paths() {
    let path =
        "has to begin with `/` and to be printable ASCII without blanks, `?` and `#`: the query is not looked at";
    for text in ["", "api", "/a?b", "/a#b", "/a b", "/\u{e9}", "*"] {
        mistake(&json!({"prefix": text}), &format!(".prefix: {path}"));
        mistake(&json!({"path": text}), &format!(".path: {path}"));
        mistake(&json!({"path_separated_prefix": text}), &format!(".path_separated_prefix: {path}"));
    }
    let exactly_one = ": needs exactly one of prefix, path, path_separated_prefix, safe_regex and connect_matcher, or \
                       none beside another condition";
    mistake(&json!({}), exactly_one);
    mistake(&json!({"case_sensitive": true}), exactly_one);
    mistake(&json!({"prefix": "/", "path": "/"}), exactly_one);
    mistake(&json!({"prefix": "/", "connect_matcher": {}}), exactly_one);
    for text in ["/", "/a/"] {
        let expected = ".path_separated_prefix: must not end with `/`: it stops at slashes by itself";
        mistake(&json!({"path_separated_prefix": text}), expected);
    }
    let no_effect = ".case_sensitive: has no effect without a path to compare";
    mistake(&json!({"case_sensitive": false, "connect_matcher": {}}), no_effect);
    mistake(&json!({"case_sensitive": false, "methods": ["GET"]}), no_effect);
    check(&[(
        "/rules",
        json!([{}]),
        "rules[0].match: is required: an object with `prefix` or `path`, or other conditions",
    )]);
}

#[test]
fn expressions() {
    let regex = |text: &str| json!({"safe_regex": {"regex": text}});
    let unusable = ".safe_regex.regex: is no regular expression that can be used";
    mistake(&regex("a)|(b"), &format!("{unusable}: found closing ')' without matching '('"));
    mistake(&regex("/(?:a{99}){99}"), &format!("{unusable}: compiled regex exceeded size limit"));
    mistake(&regex(""), ".safe_regex.regex: is empty");
    mistake(&regex(&"/".repeat(1025)), ".safe_regex.regex: is longer than 1024 bytes");
    mistake(
        &json!({"safe_regex": {}}),
        ".safe_regex.regex: is required: the regular expression, which has to match the whole text",
    );
    mistake(
        &json!({"safe_regex": {"regex": "/", "google_re2": {"max_program_size": 1}}}),
        ".safe_regex.google_re2.max_program_size: is not a field of this object: it has none",
    );
    mistake(
        &json!({"safe_regex": {"regex": "/"}, "case_sensitive": false}),
        ".case_sensitive: contradicts safe_regex: begin the expression with `(?i)`",
    );
    let warnings = load(&least_with("/rules", one(&regex("a/.*")))).unwrap().warnings;
    let expected = "rules[0].match.safe_regex.regex: has to match the whole path, which begins with `/`";
    assert_eq!(warnings.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn methods_hosts_and_routes() {
    for name in ["get", "GTE", "", "*", "GET "] {
        let expected = format!("`{name}` is not a known method: they are in upper case, such as `GET`");
        mistake(&json!({"methods": [name]}), &format!(".methods[0]: {expected}"));
    }
    mistake(&json!({"methods": ["GET", "GET"]}), ".methods[1]: is listed a second time");
    let connect = json!({"connect_matcher": {}, "methods": ["CONNECT"]});
    let expected = ".methods: contradicts connect_matcher, which takes CONNECT requests alone: give one of the two";
    mistake(&connect, expected);
    let long = "a.".repeat(130) + "a";
    for text in
        ["", "*", "*.", "*a.example", "a.*.example", "a/b", "a..b", ".a", "a.", "a b", "\u{e9}", "[::1]", "u@a", &long]
    {
        let answer = load(&least_with("/rules", one(&json!({"hosts": [text]})))).unwrap_err();
        assert!(
            answer.starts_with("rules[0].match.hosts[0]: `") && answer.contains("` is not a host such as"),
            "{answer}"
        );
    }
    for port in ["", "0", "65536", "080", "+1", "x"] {
        mistake(&json!({"hosts": [format!("a:{port}")]}), &format!(".hosts[0]: `{port}` is not a port"));
    }
    mistake(&json!({"hosts": ["a.example", "A.example"]}), ".hosts[1]: is listed a second time");
    mistake(&json!({"route_name": ""}), ".route_name: is empty: a route without a name has none");
    for field in ["methods", "hosts", "headers", "query_parameters"] {
        let expected = format!(".{field}: has to hold 1 to 256 entries: leave it out where any will do");
        mistake(&json!({"prefix": "/", field: []}), &expected);
        let many =
            if field.ends_with('s') && field.len() < 8 { json!(vec!["a"; 257]) } else { json!(vec![json!({}); 257]) };
        if field != "headers" {
            mistake(&json!({"prefix": "/", field: many}), &expected);
        }
    }
}

#[test]
fn headers() {
    let header = |raw: Value| json!({"headers": [raw]});
    let name = ".headers[0].name: has to be the name of a header, or one of `:method`, `:authority`, `:path` and \
                `:scheme`";
    for text in ["", "x y", "x:", ":status", ":protocol", "\u{e9}"] {
        mistake(&header(json!({"name": text})), name);
    }
    mistake(&header(json!({"exact_match": "a"})), ".headers[0].name: is required: the name of the header");
    let more = ".headers[0]: has more than one condition: give each an entry of its own, all have to be fulfilled";
    mistake(&header(json!({"name": "x", "exact_match": "a", "prefix_match": "a"})), more);
    mistake(&header(json!({"name": "x", "string_match": {"exact": "a"}, "present_match": true})), more);
    for field in ["exact_match", "prefix_match", "suffix_match", "contains_match"] {
        let expected = format!(".headers[0].{field}: is empty: every value would do");
        mistake(&header(json!({"name": "x", field: ""})), &expected);
        let expected = format!(".headers[0].{field}: is longer than 1024 bytes");
        mistake(&header(json!({"name": "x", field: "a".repeat(1025)})), &expected);
    }
    let empty = ".headers[0].range_match: holds no number: `start` is the first, and `end` the first behind it";
    for range in [json!({}), json!({"start": 5, "end": 5}), json!({"start": 5})] {
        mistake(&header(json!({"name": "x", "range_match": range})), empty);
    }
    mistake(
        &header(json!({"name": "x", "treat_missing_header_as_empty": true})),
        ".headers[0].treat_missing_header_as_empty: contradicts present_match: every request would have the header",
    );
    let whole = ".headers[0].range_match.end: has to be a whole number of 64 bits";
    for number in [json!(0.5), json!(-1e300), json!("1e3"), json!("")] {
        mistake(&header(json!({"name": "x", "range_match": {"end": number}})), whole);
    }
    mistake(
        &header(json!({"name": "x", "range_match": {"end": u64::MAX}})),
        ".headers[0].range_match.end: has to be a whole number of 64 bits",
    );
}

#[test]
fn headers_that_contradict_each_other() {
    let second = |one: Value, other: Value| json!({"headers": [one, {"name": "y"}, other]});
    let contradicts = ".headers[2]: contradicts an earlier one: no request fulfils both";
    let a = || json!({"name": "x", "exact_match": "a"});
    mistake(&second(a(), json!({"name": "X", "exact_match": "b"})), contradicts);
    mistake(&second(a(), json!({"name": "x", "present_match": false})), contradicts);
    mistake(&second(json!({"name": "x"}), json!({"name": "x", "invert_match": true})), contradicts);
    mistake(&second(a(), a()), ".headers[2]: is listed a second time");
    for other in [
        json!({"name": "z", "exact_match": "b"}),
        json!({"name": "x", "exact_match": "b", "invert_match": true}),
        json!({"name": "x", "prefix_match": "b"}),
        json!({"name": "x", "present_match": true}),
    ] {
        assert!(load(&least_with("/rules", one(&second(a(), other)))).is_ok());
    }
    let empty = json!({"name": "x", "exact_match": "a", "treat_missing_header_as_empty": true, "invert_match": true});
    assert!(load(&least_with("/rules", one(&second(empty, json!({"name": "x", "present_match": false}))))).is_ok());
}

#[test]
fn query_parameters() {
    let parameter = |raw: Value| json!({"query_parameters": [raw]});
    let name = ".query_parameters[0].name: has to be printable ASCII without blanks, `&`, `=` and `#`, as it stands in \
                the query";
    for text in ["", "a b", "a&b", "a=b", "a#b", "\u{e9}"] {
        mistake(&parameter(json!({"name": text})), name);
    }
    mistake(&parameter(json!({})), ".query_parameters[0].name: is required: the name of the parameter");
    mistake(
        &parameter(json!({"name": "a", "string_match": {"exact": "a"}, "present_match": true})),
        ".query_parameters[0]: has more than one condition",
    );
    let twice = json!({"query_parameters": [{"name": "a"}, {"name": "a", "present_match": true}]});
    mistake(&twice, ".query_parameters[1]: is listed a second time");
}

#[test]
fn conditions_on_texts() {
    let place = "providers.acme.subjects";
    let subjects = |raw: Value, expected: &str| {
        check(&[("/providers/acme/subjects", raw, &format!("{place}{expected}"))]);
    };
    let exactly_one = ": needs exactly one of exact, prefix, suffix, contains and safe_regex";
    subjects(json!({}), exactly_one);
    subjects(json!({"ignore_case": true}), exactly_one);
    subjects(json!({"exact": "a", "prefix": "a"}), exactly_one);
    for field in ["prefix", "suffix", "contains"] {
        subjects(json!({field: ""}), &format!(".{field}: is empty: every value would do"));
        subjects(json!({field: "a".repeat(1025)}), &format!(".{field}: is longer than 1024 bytes"));
    }
    subjects(json!({"exact": "a".repeat(1025)}), ".exact: is longer than 1024 bytes");
    subjects(
        json!({"safe_regex": {"regex": "a"}, "ignore_case": true}),
        ".ignore_case: has no effect on safe_regex: begin the expression with `(?i)`",
    );
    let custom = "providers.acme.subjects.custom: is not supported in this version: remove it";
    check(&[("/providers/acme/subjects", json!({"custom": {}}), custom)]);
}
