mod bounds;

use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::config::Unmatched;
use crate::config::{
    HeaderCondition, HeaderMatcher, HostPattern, ParameterCondition, ProviderId, QueryParameterMatcher, Requirement,
};
use crate::pattern::Pattern;
use crate::route::Route;
use crate::string_matcher::StringMatcher;

fn rule(matcher: impl Into<RequestMatcher>) -> Rule {
    Rule { name: None, matcher: matcher.into(), requires: None, report_only: false }
}

/// A rule that requires something else than the rules with other numbers.
fn demanding(provider: usize, path: PathMatcher) -> Rule {
    Rule {
        name: None,
        matcher: path.into(),
        requires: Some(Rc::new(Requirement::AnyProvider(vec![ProviderId(provider)]))),
        report_only: false,
    }
}

fn find(rules: &[Rule], path: &[u8]) -> Found {
    RuleIndex::new(rules, Unmatched::Deny).find(&Request::new(vec![(b":path", path)]))
}

#[test]
fn exact_ignores_the_query_and_nothing_else() {
    let rules = [rule(PathMatcher::Exact("/exact".into()))];
    assert_eq!(find(&rules, b"/exact?x=/pre"), Found::Rule(0));
    for path in [&b"/exact/"[..], b"/Exact", b"/exac", b""] {
        assert_eq!(find(&rules, path), Found::Nothing);
    }
}

#[test]
fn prefix_is_case_sensitive_and_does_not_stop_at_a_slash() {
    let rules = [rule(PathMatcher::Prefix("/pre".into()))];
    for path in [&b"/prefix/x"[..], b"/pre"] {
        assert_eq!(find(&rules, path), Found::Rule(0));
    }
    for path in [&b"/PRE"[..], b"/x?/pre", b"/pr"] {
        assert_eq!(find(&rules, path), Found::Nothing);
    }
}

#[test]
fn the_case_of_paths_can_be_ignored() {
    let text = || Text::new("/Api".to_owned(), true);
    for path in [PathMatcher::Exact(text()), PathMatcher::Prefix(text()), PathMatcher::SeparatedPrefix(text())] {
        let rules = [rule(PathMatcher::Exact("/api".into())), rule(path)];
        assert_eq!(find(&rules, b"/api"), Found::Rule(0));
        assert_eq!(find(&rules, b"/aPI"), Found::Rule(1));
        assert_eq!(find(&rules, b"/ap"), Found::Nothing);
    }
}

#[test]
fn a_separated_prefix_stops_at_a_slash() {
    let rules = [rule(PathMatcher::SeparatedPrefix("/a".into()))];
    for path in [&b"/a"[..], b"/a/", b"/a/b", b"/a?b"] {
        assert_eq!(find(&rules, path), Found::Rule(0));
    }
    for path in [&b"/ab"[..], b"/", b"/a:b", b"/A"] {
        assert_eq!(find(&rules, path), Found::Nothing);
    }
}

#[test]
fn expressions_match_the_path_without_the_query() {
    let rules = [rule(PathMatcher::Regex(Pattern::new("/v[0-9]+/x".to_owned()).unwrap()))];
    assert_eq!(find(&rules, b"/v12/x?y"), Found::Rule(0));
    for path in [&b"/v12/xy"[..], b"/v/x", b"/?/v1/x"] {
        assert_eq!(find(&rules, path), Found::Nothing);
    }
}

#[test]
fn connect_requests_need_no_path() {
    let rules = [rule(PathMatcher::Prefix("/".into())), rule(PathMatcher::Connect)];
    let index = RuleIndex::new(&rules, Unmatched::Deny);
    assert_eq!(index.find(&Request::new(vec![(b":method", b"CONNECT"), (b":authority", b"a:443")])), Found::Rule(1));
    assert_eq!(index.find(&Request::new(vec![(b":method", b"CONNECT"), (b":path", b"/ws")])), Found::Rule(0));
    assert_eq!(index.find(&Request::new(vec![(b":method", b"GET")])), Found::Nothing);
}

#[test]
fn a_path_that_another_rule_may_be_for_is_ambiguous() {
    let rules = [
        demanding(1, PathMatcher::Prefix("/admin".into())),
        demanding(1, PathMatcher::Exact("/root".into())),
        demanding(2, PathMatcher::Prefix("/".into())),
    ];
    for path in [
        "//admin",
        "/%61dmin",
        "/%2561dmin",
        "/;x/admin",
        "\\admin",
        "/\\admin",
        "/%5cadmin",
        "/%2fadmin",
        "/%252fadmin",
        "/root;x",
        "/root%3bx",
        "/root#x",
        "/root%23",
        "/root%3f",
        "/root%00",
        "//root;x",
        "/;/%72oot",
        "/;x%2fadmin",
    ] {
        assert_eq!(find(&rules, path.as_bytes()), Found::Ambiguous(Reason::PathAmbiguous), "{path}");
    }
    for (path, rule) in [
        ("/admin//x", 0),
        ("/admin%20x", 0),
        ("/admin;x=%2F", 0),
        ("/x//y", 2),
        ("/x%20y", 2),
        ("/x;y", 2),
        ("/%2541x", 2),
        ("/roo%74x", 2),
        ("/x?a=%61dmin//;", 2),
        ("/%ADMIN", 2),
    ] {
        assert_eq!(find(&rules, path.as_bytes()), Found::Rule(rule), "{path}");
    }
}

#[test]
fn a_path_is_not_ambiguous_between_rules_that_require_the_same() {
    let rules = [demanding(1, PathMatcher::Exact("/a".into())), demanding(1, PathMatcher::Prefix("/".into()))];
    assert_eq!(find(&rules, b"/a;x"), Found::Rule(1));
    assert_eq!(find(&rules, b"/%61"), Found::Rule(1));
    // No rule at all is something else than any rule.
    assert_eq!(find(&rules[..1], b"/a;x"), Found::Ambiguous(Reason::PathAmbiguous));
    assert_eq!(find(&rules[..1], b"/b;x"), Found::Nothing);
}

#[test]
fn a_path_is_not_ambiguous_between_no_rule_and_one_that_asks_for_nothing_where_both_let_it_pass() {
    let rules = [rule(PathMatcher::Exact("/open".into())), demanding(1, PathMatcher::Exact("/closed".into()))];
    let find = |unmatched, path| RuleIndex::new(&rules, unmatched).find(&Request::new(vec![(b":path", path)]));
    assert_eq!(find(Unmatched::Allow, b"/%6fpen"), Found::Nothing);
    assert_eq!(find(Unmatched::Allow, b"/%63losed"), Found::Ambiguous(Reason::PathAmbiguous));
    assert_eq!(find(Unmatched::Deny, b"/%6fpen"), Found::Ambiguous(Reason::PathAmbiguous));
}

#[test]
fn a_path_with_too_many_readings_is_ambiguous() {
    let rules = [rule(PathMatcher::Prefix("/".into()))];
    assert_eq!(find(&rules, b"/a;b\\c//d%2520e"), Found::Ambiguous(Reason::PathAmbiguous));
}

#[test]
fn a_condition_on_the_path_header_is_held_against_each_reading_too() {
    let text = HeaderCondition::Text(StringMatcher::Exact("/a?b".into()));
    let header = HeaderMatcher { name: ":path".to_owned(), condition: text, invert: false, missing_as_empty: false };
    let rules =
        [rule(RequestMatcher { headers: vec![header], ..PathMatcher::Any.into() }), demanding(1, PathMatcher::Any)];
    assert_eq!(find(&rules, b"/a?b"), Found::Rule(0));
    assert_eq!(find(&rules, b"/a"), Found::Rule(1));
    assert_eq!(find(&rules, b"/%61?b"), Found::Ambiguous(Reason::PathAmbiguous));
    assert_eq!(find(&rules, b"/%61?c"), Found::Rule(1));
}

#[test]
fn dot_segments_are_seen_in_every_form() {
    let rules = [rule(PathMatcher::Any)];
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
        "/%252e%252e/a",
        "/a/..#",
        "/a/..%23",
        "/a/.%00",
        "/%252e%252e%255cb",
    ] {
        assert_eq!(find(&rules, path.as_bytes()), Found::Ambiguous(Reason::PathAmbiguous), "{path}");
    }
    for path in ["", "/", "/a", "/a/...", "/a..b/c", "/.well-known/x", "/a/b.", "/a//b", "/%2", "*"] {
        assert_eq!(find(&rules, path.as_bytes()), Found::Rule(0), "{path}");
    }
}

#[test]
fn a_port_or_a_final_dot_is_ambiguous_where_it_leads_to_another_rule() {
    let for_hosts = |names: &[(&str, Option<u16>)]| {
        let host =
            |(name, port): &(&str, Option<u16>)| HostPattern { name: (*name).to_owned(), below: false, port: *port };
        RequestMatcher { hosts: names.iter().map(host).collect(), ..PathMatcher::Any.into() }
    };
    let find = |names: &[(&str, Option<u16>)], authority: &str| {
        let open = Rule { name: None, matcher: for_hosts(names), requires: None, report_only: false };
        let rules = [open, demanding(1, PathMatcher::Prefix("/".into()))];
        let headers: Vec<(&[u8], &[u8])> = vec![(b":path", b"/"), (b":authority", authority.as_bytes())];
        RuleIndex::new(&rules, Unmatched::Deny).find(&Request::new(headers))
    };
    let plain = [("a.example", None)];
    assert_eq!(find(&plain, "A.example"), Found::Rule(0));
    assert_eq!(find(&plain, "b.example:81"), Found::Rule(1));
    for other in ["a.example:81", "a.example:443", "a.example.", "a.example.:81"] {
        assert_eq!(find(&plain, other), Found::Ambiguous(Reason::HostAmbiguous), "{other}");
    }
    let with_port = [("a.example", None), ("a.example", Some(81))];
    assert_eq!(find(&with_port, "a.example:81"), Found::Rule(0));
    assert_eq!(find(&with_port, "a.example:82"), Found::Ambiguous(Reason::HostAmbiguous));
}

#[test]
fn every_reading_of_the_path_counts_for_every_reading_of_the_host() {
    let host = HostPattern { name: "a.example".to_owned(), below: false, port: None };
    let admin = || PathMatcher::Prefix("/admin".into());
    let open_here = Rule {
        name: None,
        matcher: RequestMatcher { hosts: vec![host], ..admin().into() },
        requires: None,
        report_only: false,
    };
    let rules = [open_here, demanding(1, admin()), rule(PathMatcher::Prefix("/".into()))];
    let find = |authority: &[u8]| {
        RuleIndex::new(&rules, Unmatched::Deny)
            .find(&Request::new(vec![(b":path", b"//admin"), (b":authority", authority)]))
    };
    assert_eq!(find(b"a.example"), Found::Rule(2));
    assert_eq!(find(b"a.example:81"), Found::Ambiguous(Reason::PathAmbiguous));
}

#[test]
fn bytes_that_no_path_has_are_ambiguous() {
    let rules = [rule(PathMatcher::Prefix("/".into()))];
    for path in [&b"/a\xff"[..], "/é".as_bytes(), b"/a b", b"/a\x7f", b"/a\0", b"/\t"] {
        assert_eq!(find(&rules, path), Found::Ambiguous(Reason::PathAmbiguous), "{path:?}");
    }
    assert_eq!(find(&rules, b"/a%20b?\xff"), Found::Rule(0));
}

#[test]
fn no_request_may_keep_others_waiting_for_its_match() {
    let long =
        |length: usize, tail: &str| ["/".to_owned(), "a".repeat(length - 1 - tail.len()), tail.to_owned()].concat();
    let plain = [rule(PathMatcher::Prefix("/".into()))];
    assert_eq!(find(&plain, long(60_000, "").as_bytes()), Found::Rule(0));
    assert_eq!(find(&plain, long(MAX_DOUBTFUL_PATH, "//").as_bytes()), Found::Rule(0));
    assert_eq!(find(&plain, long(MAX_DOUBTFUL_PATH + 1, "//").as_bytes()), Found::Ambiguous(Reason::PathAmbiguous));
    let pattern = [rule(PathMatcher::Regex(Pattern::new("/.*".to_owned()).unwrap()))];
    assert_eq!(find(&pattern, long(MAX_PATTERN_TEXT, "").as_bytes()), Found::Rule(0));
    assert_eq!(find(&pattern, long(MAX_PATTERN_TEXT + 1, "").as_bytes()), Found::Ambiguous(Reason::PathAmbiguous));
    let with_token = ["/a?access_token=", &"t".repeat(2 * MAX_PATTERN_TEXT)].concat();
    assert_eq!(find(&pattern, with_token.as_bytes()), Found::Rule(0), "the query is not looked at");
}

#[test]
fn a_host_that_is_none_is_ambiguous_where_rules_ask_for_hosts() {
    let host = HostPattern { name: "a.example".to_owned(), below: false, port: None };
    let asking = [rule(RequestMatcher { hosts: vec![host], ..PathMatcher::Any.into() }), rule(PathMatcher::Any)];
    let find = |rules: &[Rule], authority: &str| {
        RuleIndex::new(rules, Unmatched::Deny)
            .find(&Request::new(vec![(b":authority", authority.as_bytes()), (b":path", b"/")]))
    };
    assert_eq!(find(&asking, "A.example.:1"), Found::Rule(0));
    assert_eq!(find(&asking, "b.example"), Found::Rule(1));
    for authority in ["", "x@a.example", "a.example,b.example", "a.example b", "a.example:x"] {
        assert_eq!(find(&asking, authority), Found::Ambiguous(Reason::HostAmbiguous), "{authority}");
        assert_eq!(find(&asking[1..], authority), Found::Rule(0), "{authority}");
    }
}

fn any_text() -> impl Strategy<Value = Text> {
    ("[abA/]{0,3}", any::<bool>()).prop_map(|(text, ignore_case)| Text::new(text, ignore_case))
}

fn any_path() -> impl Strategy<Value = PathMatcher> {
    prop_oneof![
        4 => any_text().prop_map(PathMatcher::Prefix),
        4 => any_text().prop_map(PathMatcher::Exact),
        2 => any_text().prop_map(PathMatcher::SeparatedPrefix),
        1 => "[ab/]{1,2}".prop_map(|text| PathMatcher::Regex(Pattern::new(text + ".*").unwrap())),
        1 => Just(PathMatcher::Any),
        1 => Just(PathMatcher::Connect),
    ]
}

/// Each kind of condition in about a third of the rules.
fn any_matcher() -> impl Strategy<Value = RequestMatcher> {
    let rare = || prop_oneof![2 => Just(None), 1 => "[xy]".prop_map(Some)];
    (any_path(), (rare(), rare(), rare(), rare(), rare())).prop_map(
        |(path, (method, host, route_name, header, query))| {
            let exact = |text: &str| StringMatcher::Exact(text.into());
            let header = header.map(|value| HeaderMatcher {
                name: "h".to_owned(),
                condition: HeaderCondition::Text(exact(&value)),
                invert: false,
                missing_as_empty: false,
            });
            let parameter = |value: String| QueryParameterMatcher {
                name: "q".to_owned(),
                condition: ParameterCondition::Text(exact(&value)),
            };
            RequestMatcher {
                path,
                methods: method.into_iter().collect(),
                hosts: host.into_iter().map(|name| HostPattern { name, below: false, port: None }).collect(),
                route_name,
                headers: header.into_iter().collect(),
                query_parameters: query.map(parameter).into_iter().collect(),
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_index_finds_what_looking_at_each_rule_in_turn_finds(
        matchers in prop::collection::vec(any_matcher(), 0..30),
        path in "[abA/]{0,6}(\\?q=[xy])?",
        method in prop_oneof![Just("x"), Just("y"), Just("CONNECT")],
        authority in "[xy]",
        route_name in prop::option::of("[xy]"),
        header in "[xy]",
    ) {
        let rules: Vec<_> = matchers.into_iter().map(rule).collect();
        let headers = [(":method", method), (":authority", &authority), (":path", &path), ("h", &header)];
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let route = Route { name: route_name.map(String::into_bytes), ..Route::default() };
        let request = Request::new(headers).on_route(&route);
        let target =
            Target { request: &request, path: request.path(), authority: Authority::parse(authority.as_bytes()) };
        let expected = rules.iter().position(|rule| rule.matcher.matches(target));
        prop_assert_eq!(RuleIndex::new(&rules, Unmatched::Deny).first_match(target), expected);
    }

    /// Whoever reads the path in one of these ways comes to the same rule, or the request is refused.
    #[test]
    fn no_reading_of_a_path_escapes_the_rule_for_it(
        paths in prop::collection::vec(any_path(), 0..6),
        path in "/([ab/;#]|%61|%2f|%2561|%5c|\\\\){0,6}",
    ) {
        let rules: Vec<_> = paths.into_iter().enumerate().map(|(number, path)| demanding(number, path)).collect();
        let found = find(&rules, path.as_bytes());
        let decoded: Vec<u8> = percent_decode(path.as_bytes()).collect();
        let slashes = String::from_utf8(decoded.clone()).unwrap().replace('\\', "/");
        let mut merged = slashes.clone();
        while merged.contains("//") {
            merged = merged.replace("//", "/");
        }
        let stripped: Vec<_> = merged.split('/').map(|segment| segment.split(';').next().unwrap()).collect();
        if found != Found::Ambiguous(Reason::PathAmbiguous) {
            let index = RuleIndex::new(&rules, Unmatched::Deny);
            for reading in [decoded, slashes.into_bytes(), merged.clone().into_bytes(), stripped.join("/").into_bytes()] {
                let request = Request::new(vec![(b":path", path.as_bytes())]);
                let target = Target { request: &request, path: &reading, authority: None };
                prop_assert_eq!(index.first_match(target).map_or(Found::Nothing, Found::Rule), found);
            }
        }
    }
}
