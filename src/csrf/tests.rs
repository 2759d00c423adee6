use super::*;

use crate::config::TokenLocation;

const SECRET: &str = "0123456789abcdef";

fn plain() -> CsrfGuard {
    CsrfGuard::default()
}

fn with_origins() -> CsrfGuard {
    let allowed = ["https://app.example", "https://b.example:8443", "http://localhost:3000"];
    CsrfGuard { allowed_origins: allowed.map(str::to_owned).to_vec(), ..plain() }
}

fn with_double_submit() -> CsrfGuard {
    let cookie = TokenLocation::Cookie("__Host-csrf".to_owned());
    CsrfGuard { double_submit: Some(DoubleSubmit { cookie, header: "x-csrf".to_owned() }), ..with_origins() }
}

/// What the log says about a POST with these headers, or an empty text if it passes.
fn posted(guard: &CsrfGuard, headers: &[(&str, &str)]) -> String {
    asked(guard, "POST", headers)
}

fn asked(guard: &CsrfGuard, method: &str, headers: &[(&str, &str)]) -> String {
    let own = [(":method", method), (":authority", "own.example"), (":path", "/")];
    let headers = own.iter().chain(headers).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let Err(denial) = check(ProviderId(0), guard, &Request::new(headers.collect())) else { return String::new() };
    assert_eq!(denial.reason, Reason::CsrfRefused);
    denial.details.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

fn site(value: &str) -> (&str, &str) {
    ("sec-fetch-site", value)
}

fn origin(value: &str) -> (&str, &str) {
    ("origin", value)
}

#[test]
fn only_safe_methods_need_no_proof() {
    for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
        assert_eq!(asked(&plain(), method, &[site("cross-site")]), "", "{method}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "QUERY", "get", "Get", "GET ", " GET", "GETS", "GE", ""]
    {
        assert_ne!(asked(&plain(), method, &[]), "", "{method:?}");
        assert_eq!(asked(&plain(), method, &[site("same-origin")]), "", "{method:?}");
    }
}

#[test]
fn what_may_be_another_method_upstream_is_not_safe() {
    let names =
        ["x-http-method-override", "x-method-override", "x-http-method", "x_http_method", "x-http.method", "upgrade"];
    for name in names.into_iter().chain([":protocol"]) {
        for value in ["websocket", "DELETE", "GET", ""] {
            assert_ne!(asked(&plain(), "GET", &[(name, value)]), "", "{name}");
            assert_eq!(asked(&plain(), "GET", &[(name, value), site("same-origin")]), "", "{name}");
        }
    }
    for near_miss in ["x-http-methods", "x-http-metho", "xhttp-method", "method-override", "upgrades", "protocol"] {
        assert_eq!(asked(&plain(), "GET", &[(near_miss, "DELETE")]), "", "{near_miss}");
    }
}

#[test]
fn the_browsers_word_is_exact() {
    for value in ["same-origin", "none"] {
        assert_eq!(posted(&plain(), &[site(value)]), "", "{value}");
        assert_eq!(posted(&plain(), &[site(value), origin("null")]), "", "{value}");
    }
    for (value, word) in [
        ("same-site", "same-site"),
        ("cross-site", "cross-site"),
        ("Same-Origin", "unknown"),
        ("NONE", "unknown"),
        ("same-origin,same-origin", "unknown"),
        ("same-origin, none", "unknown"),
        ("same-origin;a=1", "unknown"),
        ("\"same-origin\"", "unknown"),
        (" same-origin", "unknown"),
        ("same-origin\t", "unknown"),
        ("same-origi", "unknown"),
        ("same-originn", "unknown"),
        ("same origin", "unknown"),
        ("", "unknown"),
    ] {
        let expected = format!("detail=\"Sec-Fetch-Site is {word}, and no allowed Origin is there\"");
        assert_eq!(posted(&with_origins(), &[site(value)]), expected, "{value:?}");
        let own = posted(&plain(), &[site(value), origin("https://own.example")]);
        assert_eq!(own, format!("{expected} origin=\"https://own.example\""), "{value:?}");
        assert_eq!(posted(&with_origins(), &[site(value), origin("https://app.example")]), "", "{value:?}");
    }
}

#[test]
fn an_origin_is_allowed_letter_by_letter() {
    for allowed in ["https://app.example", "https://b.example:8443", "http://localhost:3000", "https://own.example"] {
        assert_eq!(posted(&with_origins(), &[origin(allowed)]), "", "{allowed}");
    }
    for near_miss in [
        "null",
        "",
        "https://app.exampl",
        "https://app.example2",
        "https://app.example.",
        "https://app.example:443",
        "https://app.example/",
        "https://App.example",
        "HTTPS://app.example",
        "http://app.example",
        "https://b.example",
        "https://b.example:8444",
        "https://x.app.example",
        "https://app.example https://evil.example",
        "https://app.example,https://evil.example",
        "https://evil.example, https://app.example",
        "http://own.example",
        "https://own.example:8443",
        "https://own.example.",
        "https://",
        "own.example",
    ] {
        let expected = format!("detail=\"the Origin is not allowed\" origin=\"{near_miss}\"");
        assert_eq!(posted(&with_origins(), &[origin(near_miss)]), expected);
    }
}

#[test]
fn the_own_origin_is_the_one_host_that_is_asked() {
    let answer = |authorities: &[&str], value: &str| {
        let own = authorities.iter().map(|authority| (&b":authority"[..], authority.as_bytes()));
        let headers = [(&b":method"[..], &b"POST"[..]), (b"origin", value.as_bytes())].into_iter().chain(own);
        check(ProviderId(0), &plain(), &Request::new(headers.collect())).is_ok()
    };
    assert!(answer(&["a.example:8443"], "https://a.example:8443"));
    assert!(!answer(&["a.example:8443"], "https://a.example"));
    assert!(!answer(&["a.example", "b.example"], "https://a.example"));
    assert!(!answer(&[], "https://") && !answer(&[""], "https://") && !answer(&["null"], "null"));
}

#[test]
fn without_any_word_of_a_browser_nothing_counts() {
    assert_eq!(posted(&with_origins(), &[]), "detail=\"neither Sec-Fetch-Site nor Origin\"");
    for other in
        [("referer", "https://app.example/"), ("x-requested-with", "XMLHttpRequest"), ("sec-fetch-mode", "cors")]
    {
        assert_eq!(posted(&with_origins(), &[other]), "detail=\"neither Sec-Fetch-Site nor Origin\"");
    }
}

#[test]
fn what_comes_twice_proves_nothing() {
    let double = [("cookie", "__Host-csrf=0123456789abcdef"), ("x-csrf", SECRET)];
    for (twice, expected) in [
        ([site("same-origin"), site("same-origin")], "detail=\"Sec-Fetch-Site comes twice\""),
        ([site("none"), site("cross-site")], "detail=\"Sec-Fetch-Site comes twice\""),
        ([origin("https://app.example"), origin("https://app.example")], "detail=\"Origin comes twice\""),
        ([origin("https://app.example"), origin("https://evil.example")], "detail=\"Origin comes twice\""),
    ] {
        assert_eq!(posted(&with_origins(), &twice), expected);
        assert_eq!(posted(&with_double_submit(), &[&twice[..], &double].concat()), expected);
        assert_ne!(posted(&with_origins(), &[&twice[..], &[site("same-origin")]].concat()), "");
    }
}

#[test]
fn a_value_that_comes_as_cookie_and_header_is_a_proof() {
    let with = |cookies: &[&str], headers: &[&str]| {
        let cookies = cookies.iter().map(|value| ("cookie", *value));
        let headers = headers.iter().map(|value| ("x-csrf", *value));
        posted(&with_double_submit(), &cookies.chain(headers).collect::<Vec<_>>())
    };
    let cookie = "a=1; __Host-csrf=0123456789abcdef; b=2";
    assert_eq!(with(&[cookie], &[SECRET]), "");
    assert_eq!(with(&["__Host-csrf=\"0123456789abcdef\""], &[SECRET]), "");
    for (cookies, headers, lacking) in [
        (&[][..], &[SECRET][..], "the cookie is missing"),
        (&["__host-csrf=0123456789abcdef"], &[SECRET], "the cookie is missing"),
        (&["__Secure-csrf=0123456789abcdef"], &[SECRET], "the cookie is missing"),
        (&["x__Host-csrf=0123456789abcdef; __Host-csrf2=0123456789abcdef"], &[SECRET], "the cookie is missing"),
        (&["__Host-csrf=0123456789abcdef; __Host-csrf=0123456789abcdef"], &[SECRET], "the cookie comes twice"),
        (&[cookie, cookie], &[SECRET], "the cookie comes twice"),
        (&[cookie], &[], "the header is missing"),
        (&[cookie], &[SECRET, SECRET], "the header comes twice"),
        (&["__Host-csrf="], &[""], "the cookie is too short"),
        (&["__Host-csrf=0123456789abcde"], &["0123456789abcde"], "the cookie is too short"),
        (&[cookie], &[""], "the header is not the cookie"),
        (&[cookie], &["0123456789abcde"], "the header is not the cookie"),
        (&[cookie], &["0123456789abcdef0"], "the header is not the cookie"),
        (&[cookie], &["0123456789abcdeg"], "the header is not the cookie"),
        (&[cookie], &["0123456789ABCDEF"], "the header is not the cookie"),
        (&[cookie], &["1123456789abcdef"], "the header is not the cookie"),
        (&[cookie], &["0123456789abcdef,0123456789abcdef"], "the header is not the cookie"),
    ] {
        let expected = format!("detail=\"neither Sec-Fetch-Site nor Origin\" double_submit=\"{lacking}\"");
        assert_eq!(with(cookies, headers), expected);
    }
    // It is asked for only where it is configured, and is enough whatever the browser says.
    assert_ne!(posted(&with_origins(), &[("cookie", cookie), ("x-csrf", SECRET)]), "");
    assert_eq!(posted(&with_double_submit(), &[("cookie", cookie), ("x-csrf", SECRET), site("cross-site")]), "");
}

#[test]
fn what_the_client_sent_is_quoted() {
    let long = format!("https://{}\"\n", "a".repeat(1000));
    let line = posted(&plain(), &[origin(&long)]);
    assert!(line.len() < 300 && !line.contains('\n'), "{line}");
}
