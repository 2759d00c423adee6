//! How tokens are revoked.

use std::time::Duration;

use serde_json::{Value, json};

use super::{check, least_with, load};
use crate::config::{ClaimValue, HttpUri, Lookup, PolledList, Revocation, RevokedWhen, TemplatePart};

fn http(scheme: &str, authority: &str, path: &str, cluster: &str, seconds: u64) -> HttpUri {
    HttpUri {
        scheme: scheme.to_owned(),
        authority: authority.to_owned(),
        path_and_query: path.to_owned(),
        cluster: cluster.to_owned(),
        timeout: Duration::from_secs(seconds),
    }
}

/// That of the example in which every field stands.
pub(super) fn full() -> Revocation {
    let text = |text: &str| TemplatePart::Text(text.to_owned());
    let acme = |path, seconds| http("https", "acme.example", path, "acme|443", seconds);
    Revocation {
        denylists: vec![PolledList {
            uri: "https://acme.example/denied".to_owned(),
            http: acme("/denied", 2),
            refresh: Duration::from_secs(10),
            max_stale: Duration::from_secs(300),
        }],
        lookup: Some(Lookup {
            http: http("http", "webdis", "/EXISTS/revoked:%00?of=%02&by=%01", "webdis", 1),
            template: vec![
                text("/EXISTS/revoked:"),
                TemplatePart::TokenId,
                text("?of="),
                TemplatePart::Issuer,
                text("&by="),
                TemplatePart::Subject,
                text(""),
            ],
            ttl: Duration::from_secs(5),
            revoked_when: RevokedWhen::Member { pointer: "/EXISTS".to_owned(), equals: ClaimValue::Number(1.into()) },
        }),
        status_lists: vec![PolledList {
            uri: "https://acme.example/statuses/1".to_owned(),
            http: acme("/statuses/1", 3),
            refresh: Duration::from_secs(60),
            max_stale: Duration::ZERO,
        }],
        require_token_id: true,
        allow_when_unavailable: true,
    }
}

fn lookup(uri: &str) -> Value {
    json!({"lookup": {"http_uri": {"uri": uri, "cluster": "c"}, "revoked_when": {"status": 200}}})
}

fn loaded(revocation: Value) -> (Revocation, Vec<String>) {
    let mut loaded = load(&least_with("/providers/acme/revocation", revocation)).unwrap();
    let warnings = loaded.warnings.iter().map(ToString::to_string).collect();
    (*loaded.config.providers.remove(0).revocation.unwrap(), warnings)
}

#[test]
fn a_look_up_by_jti_needs_it_unless_the_operator_says_otherwise() {
    let (revocation, warnings) = loaded(lookup("http://redis/{jti}"));
    assert!(revocation.require_token_id && !revocation.allow_when_unavailable && warnings.is_empty());
    assert!(!loaded(lookup("http://redis/{sub}")).0.require_token_id);
    let mut lenient = lookup("http://redis/{jti}");
    lenient["require_jti"] = json!(false);
    let (revocation, warnings) = loaded(lenient);
    assert!(!revocation.require_token_id && warnings.len() == 1, "{warnings:?}");
    assert!(loaded(json!({"require_jti": true})).0.require_token_id);
}

#[test]
fn mistakes() {
    let uri = "providers.acme.revocation.lookup.http_uri.uri: ";
    let url = "has to be an absolute http or https URL, such as `https://idp.example/jwks.json`: a host, no user name, \
               no fragment, no blanks";
    let placeholder = "has a placeholder that is none: there are {jti}, {sub} and {iss}";
    let control = "has an encoded control character";
    let needs = "needs {jti}, {sub} or {iss} in its path or query: it would ask the same about every token";
    for (text, expected) in [
        ("http://redis/", needs),
        ("http://redis/{JTI}", placeholder),
        ("http://redis/{jti", placeholder),
        ("http://redis/{exp}", placeholder),
        ("http://{jti}/", url),
        ("http://redis/%00", control),
        ("http://redis/{jti}%0a", control),
        ("redis/{jti}", url),
    ] {
        check(&[("/providers/acme/revocation", lookup(text), &format!("{uri}{expected}"))]);
    }
    let at = "providers.acme.revocation";
    let when = |value: Value| {
        let mut revocation = lookup("http://redis/{jti}");
        revocation["lookup"]["revoked_when"] = value;
        revocation
    };
    let nothing = format!("{at}: revokes nothing: give denylists, lookup, status_lists or require_jti");
    let either = format!("{at}.lookup.revoked_when: needs either status, or json_pointer and equals");
    let many: Vec<_> = (0..17).map(|number| json!({"uri": format!("https://a/{number}"), "cluster": "c"})).collect();
    check(&[
        ("/providers/acme/revocation", json!({}), &nothing),
        ("/providers/acme/revocation", json!({"denylists": [], "require_jti": false}), &nothing),
        ("/providers/acme/revocation", when(json!({})), &either),
        ("/providers/acme/revocation", when(json!({"status": 200, "json_pointer": "/a", "equals": 1})), &either),
        ("/providers/acme/revocation", when(json!({"json_pointer": "/a"})), &either),
        (
            "/providers/acme/revocation",
            when(json!({"status": 500})),
            &format!(
                "{at}.lookup.revoked_when.status: has to be from 200 to 499: a server's errors say nothing about a token"
            ),
        ),
        (
            "/providers/acme/revocation",
            when(json!({"json_pointer": "a", "equals": 1})),
            &format!("{at}.lookup.revoked_when.json_pointer: has to begin with a slash (RFC 6901), such as `/EXISTS`"),
        ),
        (
            "/providers/acme/revocation",
            json!({"status_lists": many}),
            &format!("{at}.status_lists: has more than 16 elements"),
        ),
        (
            "/providers/acme/revocation",
            json!({"require_jti": true, "on_unavailable": "open"}),
            &format!("{at}.on_unavailable: has to be `deny` or `allow`, not `open`"),
        ),
        (
            "/providers/acme/revocation",
            json!({"denylists": [{}]}),
            &format!("{at}.denylists[0].http_uri: is required: the document's uri and its cluster"),
        ),
    ]);
}
