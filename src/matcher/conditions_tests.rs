use super::*;
use crate::config::HostPattern;
use crate::pattern::Pattern;
use crate::route::Route;
use crate::string_matcher::StringMatcher;

fn request<'r>(headers: &[(&'r str, &'r str)]) -> Request<'r> {
    Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect())
}

fn matches(matcher: &RequestMatcher, request: &Request<'_>) -> bool {
    let authority = request.header_values(":authority").next().and_then(Authority::parse);
    matcher.matches(Target { request, path: request.path(), authority })
}

fn any() -> RequestMatcher {
    PathMatcher::Any.into()
}

fn header(condition: HeaderCondition) -> HeaderMatcher {
    HeaderMatcher { name: "x".to_owned(), condition, invert: false, missing_as_empty: false }
}

fn exact(text: &str) -> HeaderCondition {
    HeaderCondition::Text(StringMatcher::Exact(text.into()))
}

/// Which of these requests match: without the header, with each value of a table.
fn verdicts(header: HeaderMatcher, values: &[&str]) -> Vec<bool> {
    let matcher = RequestMatcher { headers: vec![header], ..any() };
    let given = values.iter().map(|value| matches(&matcher, &request(&[("x", value)])));
    [matches(&matcher, &request(&[]))].into_iter().chain(given).collect()
}

#[test]
fn a_value_has_to_be_there_and_right() {
    assert_eq!(verdicts(header(exact("a")), &["a", "b", "A", ""]), [false, true, false, false, false]);
    let pattern = HeaderCondition::Text(StringMatcher::Regex(Pattern::new("a.*".to_owned()).unwrap()));
    assert_eq!(verdicts(header(pattern), &["a", "ab", "ba"]), [false, true, true, false]);
}

/// Where an upstream may read the path otherwise, other headers stay what they are.
#[test]
fn only_the_path_is_read_otherwise() {
    let request = request(&[(":path", "/a;b?q"), ("x", "1")]);
    let target = Target { request: &request, path: b"/a", authority: None };
    let values = |name| header_values(name, target).collect::<Vec<_>>();
    assert_eq!((values("x"), values(":path")), (vec![b"1".into()], vec![b"/a?q".into()]));
    let same = Target { path: request.path(), ..target };
    assert_eq!(header_values(":path", same).collect::<Vec<_>>(), [&b"/a;b?q"[..]]);
}

#[test]
fn an_inverted_condition_on_a_value_needs_the_header_too() {
    let inverted = HeaderMatcher { invert: true, ..header(exact("a")) };
    assert_eq!(verdicts(inverted, &["a", "b", ""]), [false, false, true, true]);
}

#[test]
fn a_missing_header_may_count_as_empty() {
    let matcher = HeaderMatcher { missing_as_empty: true, ..header(exact("a")) };
    assert_eq!(verdicts(matcher.clone(), &["a", ""]), [false, true, false]);
    assert_eq!(verdicts(HeaderMatcher { invert: true, ..matcher }, &["a", ""]), [true, false, true]);
    let empty = HeaderMatcher { missing_as_empty: true, ..header(exact("")) };
    assert_eq!(verdicts(empty, &["a", ""]), [true, false, true]);
}

#[test]
fn presence_and_absence_are_conditions() {
    for (wanted, invert, missing) in
        [(true, false, false), (true, true, true), (false, false, true), (false, true, false)]
    {
        let matcher = HeaderMatcher { invert, ..header(HeaderCondition::Present(wanted)) };
        assert_eq!(verdicts(matcher, &["", "a"]), [missing, !missing, !missing], "{wanted} {invert}");
    }
}

#[test]
fn a_range_is_half_open_and_of_whole_numbers() {
    let values = ["-6", "-5", "+9", " 9 ", "10", "1e0", "1.0", "0x1", "", "-", "99999999999999999999", "5,6"];
    let expected = [false, false, true, true, true, false, false, false, false, false, false, false, false];
    assert_eq!(verdicts(header(HeaderCondition::Range(-5, 10)), &values), expected);
}

#[test]
fn one_of_several_values_is_enough() {
    let several = |matcher: HeaderMatcher, values: &[&str]| {
        let headers: Vec<_> = values.iter().map(|value| ("x", *value)).collect();
        matches(&RequestMatcher { headers: vec![matcher], ..any() }, &request(&headers))
    };
    let inverted = || HeaderMatcher { invert: true, ..header(exact("a")) };
    for (values, expected) in [(["a", "b"], true), (["b", "a"], true), (["b", "c"], false), (["a,b", ""], false)] {
        assert_eq!(several(header(exact("a")), &values), expected, "{values:?}");
        assert_eq!(several(inverted(), &values), !expected, "{values:?}");
    }
    assert!(!several(header(exact("a,b")), &["a", "b"]));
    assert!(several(header(HeaderCondition::Range(0, 5)), &["9", "4"]));
}

#[test]
fn all_headers_have_to_fulfil_their_conditions() {
    let other = HeaderMatcher { name: ":scheme".to_owned(), ..header(exact("https")) };
    let matcher = RequestMatcher { headers: vec![header(exact("a")), other], ..any() };
    assert!(matches(&matcher, &request(&[("x", "a"), (":scheme", "https")])));
    assert!(!matches(&matcher, &request(&[("x", "a"), (":scheme", "http")])));
    assert!(!matches(&matcher, &request(&[(":scheme", "https")])));
}

fn parameter(condition: ParameterCondition) -> RequestMatcher {
    let parameter = QueryParameterMatcher { name: "q".to_owned(), condition };
    RequestMatcher { query_parameters: vec![parameter], ..any() }
}

#[test]
fn parameters_are_not_decoded_and_the_first_counts() {
    let matcher = parameter(ParameterCondition::Text(StringMatcher::Exact("a".into())));
    for target in ["/?q=a", "/?x&q=a&q=b", "/?q=a&", "/?&&q=a"] {
        assert!(matches(&matcher, &request(&[(":path", target)])), "{target}");
    }
    for target in ["/?q=b&q=a", "/?q=%61", "/?%71=a", "/?q", "/?Q=a", "/?q=a=b", "/?xq=a", "/q=a", "/?x;q=a", "/"] {
        assert!(!matches(&matcher, &request(&[(":path", target)])), "{target}");
    }
}

#[test]
fn a_parameter_may_have_to_be_there_or_not() {
    for target in ["/?q", "/?q=", "/?a=b&q=c"] {
        assert!(matches(&parameter(ParameterCondition::Present(true)), &request(&[(":path", target)])), "{target}");
        assert!(!matches(&parameter(ParameterCondition::Present(false)), &request(&[(":path", target)])), "{target}");
    }
    for target in ["/?", "/", "/?a=q", "/q"] {
        assert!(!matches(&parameter(ParameterCondition::Present(true)), &request(&[(":path", target)])), "{target}");
        assert!(matches(&parameter(ParameterCondition::Present(false)), &request(&[(":path", target)])), "{target}");
    }
}

#[test]
fn one_of_the_methods_is_enough() {
    let matcher = RequestMatcher { methods: vec!["GET".to_owned(), "HEAD".to_owned()], ..any() };
    assert!(matches(&matcher, &request(&[(":method", "HEAD")])));
    for method in ["POST", "get", ""] {
        assert!(!matches(&matcher, &request(&[(":method", method)])), "{method}");
    }
    assert!(!matches(&matcher, &request(&[])));
}

#[test]
fn one_of_the_hosts_is_enough() {
    let host = |name: &str, below| HostPattern { name: name.to_owned(), below, port: None };
    let matcher = RequestMatcher { hosts: vec![host("a", false), host("b", true)], ..any() };
    for (authority, expected) in [("a", true), ("A:1", true), ("x.b", true), ("b", false), ("c", false), ("a,b", false)]
    {
        assert_eq!(matches(&matcher, &request(&[(":authority", authority)])), expected, "{authority}");
    }
    assert!(!matches(&matcher, &request(&[])));
}

#[test]
fn the_route_has_to_have_the_name() {
    let matcher = RequestMatcher { route_name: Some("a".to_owned()), ..any() };
    for (name, expected) in [(Some("a"), true), (Some("b"), false), (Some(""), false), (None, false)] {
        let route = Route { name: name.map(|name| name.as_bytes().to_vec()), ..Route::default() };
        let request = request(&[]).on_route(&route);
        assert_eq!(matches(&matcher, &request), expected, "{name:?}");
    }
}
