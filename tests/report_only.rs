//! Report-only through the adapter: what should be refused passes, and everybody but the client learns why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]

mod host;
mod mint;

use std::time::Duration;

use host::{Headers, Plugin, Verdict, advance, counted, logged, trailers, verdict, with};
use mint::{EcKey, NOW, claims, claims_with, hs256, jwks};
use serde_json::{Value, json};

const WARN: u32 = 3;
const HEADER: &str = "x-jwt-warden-verdict";
/// All that a client might take for the header's name.
const SPELLINGS: [&str; 4] = [HEADER, "x_jwt_warden_verdict", "x-jwt_warden-verdict", "x.jwt.warden.verdict"];

/// Rules by prefix: `/open/` asks for nothing, `/api/` for a token, `/strict/` for one with a scope.
fn config(report_only: Option<bool>) -> Value {
    let key = json!({"kty": "oct", "kid": "h", "alg": "HS256", "k": mint::base64url(mint::SECRET)});
    let mut config = json!({
        "providers": {"acme": {
            "issuer": "https://issuer.test", "audiences": ["api"], "algorithms": ["HS256"],
            "local_jwks": {"inline_string": jwks(&[key])},
            "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
            "forward_payload_header": "x-claims",
        }},
        "rules": [
            {"match": {"prefix": "/open/"}},
            {"name": "api", "match": {"prefix": "/api/"}, "requires": {"provider_name": "acme"}},
            {"match": {"prefix": "/strict/"}, "requires": {"provider_name": "acme", "scopes": ["write"]}},
        ],
    });
    if let Some(report_only) = report_only {
        config["report_only"] = json!(report_only);
    }
    config
}

/// The same, its keys fetched.
fn remote_config() -> Value {
    let mut config = config(Some(true));
    let acme = config["providers"]["acme"].as_object_mut().unwrap();
    acme.remove("local_jwks");
    acme.remove("algorithms");
    let http = json!({"uri": "https://issuer.test/keys", "cluster": "issuer", "timeout": "5s"});
    acme.insert("remote_jwks".into(), json!({ "http_uri": http }));
    config
}

fn start(config: &Value) -> Plugin {
    with(|host| host.connection = [("address", Some(b"192.0.2.1:4711".to_vec()))].into());
    Plugin::start(config.to_string().as_bytes()).unwrap_or_else(|| panic!("refused: {:?}", logged(0)))
}

fn good() -> String {
    hs256(&json!({"alg": "HS256", "kid": "h"}), &claims())
}

fn forged() -> String {
    let good = good();
    good.replace(&good[good.len() - 10..], "AAAAAAAAAA")
}

fn send(plugin: Plugin, path: &str, token: &str) -> Verdict {
    let authorization = format!("Bearer {token}");
    plugin.decide(&[(":method", "GET"), (":path", path), ("authorization", &authorization)])
}

fn upstream(verdict: Verdict) -> Headers {
    let Verdict::Upstream(headers) = verdict else { panic!("not let pass: {verdict:?}") };
    headers
}

fn values(headers: &Headers, name: &str) -> Vec<String> {
    let values = headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone());
    values.map(|value| String::from_utf8(value).unwrap()).collect()
}

/// The request passed though it should not, and the upstream is told nothing else.
fn reported(verdict: Verdict, reason: &str) {
    let headers = upstream(verdict);
    assert_eq!(values(&headers, HEADER), [format!("denied; reason={reason}")]);
    for name in ["authorization", "x-user", "x-claims"] {
        assert!(values(&headers, name).is_empty(), "{name}: {headers:?}");
    }
}

fn refused(verdict: Verdict, reason: &str) {
    let Verdict::Answered(response) = verdict else { panic!("not refused: {verdict:?}") };
    assert_eq!(response.details, format!("jwt_warden_denied{{{reason}}}"));
}

#[test]
fn a_bad_token_passes_without_its_claims_and_is_logged_and_counted() {
    let plugin = start(&config(Some(true)));
    let header = json!({"alg": "HS256", "kid": "h"});
    let cases = [
        (hs256(&header, &claims_with("exp", json!(NOW - 61))), "token_expired"),
        (hs256(&header, &claims_with("exp", Value::Null)), "expiration_missing"),
        (hs256(&header, &claims_with("nbf", json!(NOW + 62))), "token_not_yet_valid"),
        (hs256(&header, &claims_with("iat", json!(NOW + 62))), "issued_in_future"),
        (hs256(&header, &claims_with("aud", json!("other"))), "audience_not_accepted"),
        (hs256(&header, &claims_with("iss", json!("https://other.test"))), "issuer_not_accepted"),
        (hs256(&header, &claims_with("cnf", json!({"jkt": "x"}))), "sender_constraint"),
        (hs256(&header, &claims_with("sub", json!("a\r\nb"))), "claim_unsafe"),
        (hs256(&header, &claims_with("sub", json!(7))), "claims_malformed"),
        (hs256(&json!({"alg": "HS256", "kid": "other"}), &claims()), "key_unknown"),
        (hs256(&json!({"alg": "none"}), &claims()), "algorithm_not_allowed"),
        (hs256(&json!({"alg": "HS256", "kid": "h", "typ": "logout+jwt"}), &claims()), "type_not_accepted"),
        (hs256(&json!({"alg": "HS256", "kid": "h", "crit": ["b64"]}), &claims()), "header_unsupported"),
        (forged(), "signature_invalid"),
        ("a.b".into(), "token_malformed"),
        (format!("a.{}.c", "b".repeat(20_000)), "token_too_large"),
    ];
    let count = cases.len();
    for (token, reason) in cases {
        reported(send(plugin, "/api/", &token), reason);
        let line = logged(WARN).pop().unwrap();
        let fields =
            format!("would deny reason={reason} status=401 rule=api provider=\"acme\" method=\"GET\" path=\"/api/\"");
        assert!(line.starts_with(&format!("jwt-warden: {fields}")), "{line}");
        plugin.tick();
        assert_eq!(counted(&format!("jwt_warden.requests.verdict.reported.rule.api.provider.acme.reason.{reason}")), 1);
        assert_eq!(counted(&format!("jwt_warden.requests.verdict.denied.rule.api.provider.acme.reason.{reason}")), 0);
    }
    // The first line is the warning of the load.
    assert_eq!(logged(WARN).len(), count + 1);
}

#[test]
fn a_good_token_passes_as_ever_and_the_upstream_is_told_so() {
    let plugin = start(&config(Some(true)));
    for _ in 0..2 {
        let headers = upstream(send(plugin, "/api/", &good()));
        assert_eq!(values(&headers, HEADER), ["allowed"]);
        assert_eq!((values(&headers, "x-user"), values(&headers, "x-claims").len()), (vec!["alice".to_owned()], 1));
        assert!(values(&headers, "authorization").is_empty());
    }
    assert_eq!(values(&upstream(plugin.decide(&[(":path", "/open/")])), HEADER), ["allowed"]);
    plugin.tick();
    assert_eq!(counted("jwt_warden.requests.verdict.allowed.rule.api.provider.acme.reason.verified"), 2);
    assert_eq!(logged(WARN).len(), 1);
    // Near misses: the same without report-only.
    let plugin = start(&config(None));
    let headers = upstream(send(plugin, "/api/", &good()));
    assert_eq!((values(&headers, HEADER), values(&headers, "x-user")), (vec![], vec!["alice".to_owned()]));
    refused(send(plugin, "/api/", &forged()), "signature_invalid");
}

#[test]
fn no_client_tells_the_upstream_a_verdict() {
    for report_only in [None, Some(false), Some(true)] {
        let plugin = start(&config(report_only));
        let authorization = format!("Bearer {}", good());
        for path in ["/open/", "/api/"] {
            for spelling in SPELLINGS {
                let headers =
                    [(":path", path), ("authorization", &authorization), (spelling, "allowed"), (spelling, "x")];
                let headers = upstream(plugin.decide(&headers));
                let told: Vec<_> = SPELLINGS.iter().flat_map(|name| values(&headers, name)).collect();
                let expected: &[&str] = if report_only == Some(true) { &["allowed"] } else { &[] };
                assert_eq!(told, expected, "{path} {spelling}");
            }
            let id = plugin.request(&[(":path", path), ("authorization", &authorization)], true);
            for spelling in SPELLINGS {
                assert_eq!(trailers(id, &[(spelling, "allowed"), ("x-sum", "1")]).unwrap().len(), 1, "{spelling}");
            }
        }
        let near_miss = upstream(plugin.decide(&[(":path", "/open/"), ("x-jwt-warden-verdicts", "1")]));
        assert_eq!(values(&near_miss, "x-jwt-warden-verdicts"), ["1"]);
    }
}

#[test]
fn what_a_client_claims_is_removed_from_what_should_be_refused() {
    let plugin = start(&config(Some(true)));
    let bad = format!("Bearer {}", forged());
    let told = [("x-user", "root"), ("x_user", "root"), ("x-claims", "e30"), (HEADER, "allowed"), ("x-other", "1")];
    let headers = [&[(":path", "/api/?access_token=t&a=1"), ("authorization", &*bad)][..], &told].concat();
    let headers = upstream(plugin.decide(&headers));
    let mut left: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, [":path", HEADER, "x-other"]);
    assert_eq!(values(&headers, ":path"), ["/api/?a=1"]);
}

#[test]
fn a_token_stays_where_the_provider_forwards_it() {
    let mut config = config(Some(true));
    config["providers"]["acme"]["forward"] = json!(true);
    let plugin = start(&config);
    let headers = upstream(send(plugin, "/api/", &forged()));
    assert_eq!(values(&headers, "authorization"), [format!("Bearer {}", forged())]);
    assert_eq!(values(&headers, HEADER), ["denied; reason=signature_invalid"]);
    assert!(values(&headers, "x-user").is_empty());
}

#[test]
fn a_rule_reports_or_enforces_whatever_stands_beside_it() {
    let mut config = config(Some(true));
    config["rules"][1]["report_only"] = json!(false);
    let plugin = start(&config);
    refused(send(plugin, "/api/", &forged()), "signature_invalid");
    assert!(values(&upstream(send(plugin, "/api/", &good())), HEADER).is_empty());
    reported(send(plugin, "/strict/", &good()), "insufficient_scope");
    reported(plugin.decide(&[(":path", "/other")]), "no_matching_rule");

    config["report_only"] = json!(false);
    config["rules"][1]["report_only"] = json!(true);
    let plugin = start(&config);
    reported(send(plugin, "/api/", &forged()), "signature_invalid");
    assert_eq!(values(&upstream(send(plugin, "/api/", &good())), HEADER), ["allowed"]);
    refused(send(plugin, "/strict/", &good()), "insufficient_scope");
    refused(plugin.decide(&[(":path", "/other")]), "no_matching_rule");
    assert!(values(&upstream(plugin.decide(&[(":path", "/open/")])), HEADER).is_empty());
}

#[test]
fn no_spelling_of_a_path_escapes_an_enforced_rule() {
    // Both ask for the same.
    let rules = |first: Option<bool>, second: Option<bool>| {
        let rule = |prefix: &str, report_only: Option<bool>| {
            let mut rule = json!({"match": {"prefix": prefix}, "requires": {"provider_name": "acme"}});
            if let Some(report_only) = report_only {
                rule["report_only"] = json!(report_only);
            }
            rule
        };
        json!([rule("/admin/", first), rule("/", second)])
    };
    let paths = ["//admin/", "/%61dmin/", "/x/../admin/", "/admin%2f", "/x;y/..;/admin/"];
    for (report_only, rules, refuses) in [
        (true, rules(None, None), false),
        (true, rules(Some(false), None), true),
        (false, rules(None, Some(true)), true),
        (false, rules(Some(true), None), true),
    ] {
        let mut config = config(Some(report_only));
        config["rules"] = rules;
        let plugin = start(&config);
        for path in paths {
            let doubtful = path.contains("..");
            match plugin.decide(&[(":path", path)]) {
                // Where both are the same, only dot segments are in doubt.
                verdict if !refuses => reported(verdict, if doubtful { "path_ambiguous" } else { "token_missing" }),
                verdict => refused(verdict, "path_ambiguous"),
            }
        }
    }
}

#[test]
fn what_nobody_can_judge_is_refused() {
    let plugin = start(&config(Some(true)));
    with(|host| host.refuse_edits = true);
    refused(send(plugin, "/api/", &good()), "internal");
    refused(send(plugin, "/api/", &forged()), "internal");
    refused(plugin.decide(&[(":path", "/open/")]), "internal");
    assert!(logged(WARN).iter().all(|line| !line.contains("would deny")), "it did not pass");
}

#[test]
fn filters_behind_and_the_access_log_are_told_the_verdict() {
    let told = || with(|host| host.properties.values().cloned().collect::<Vec<_>>());
    let plugin = start(&config(None));
    upstream(send(plugin, "/api/", &good()));
    assert_eq!((told(), with(|host| host.declared.len())), (Vec::new(), 0));
    let plugin = start(&config(Some(true)));
    assert_eq!(with(|host| host.declared.len()), 1);
    reported(send(plugin, "/api/", &forged()), "signature_invalid");
    assert_eq!(told(), ["denied; reason=signature_invalid"]);
    assert!(with(|host| host.properties.keys().all(|(_, name)| name == "jwt_warden.verdict")));
    upstream(send(plugin, "/api/", &good()));
    assert_eq!(told(), ["denied; reason=signature_invalid"], "nothing of what is allowed");
    let mut config = config(None);
    config["providers"]["acme"]["claim_to_filter_state"] = json!([{"name": "verdict", "claim_name": "sub"}]);
    assert!(Plugin::start(config.to_string().as_bytes()).is_none());
}

#[test]
fn a_request_waits_for_keys_as_long_as_any_other_and_then_passes() {
    let (plugin, key) = (start(&remote_config()), EcKey::new("k1", 1));
    plugin.tick();
    let request = |claims: &Value| {
        let authorization = format!("Bearer {}", key.token(claims));
        plugin.request(&[(":path", "/api/"), ("authorization", &authorization)], false)
    };
    let (waiting, expired) = (request(&claims()), request(&claims_with("exp", json!(NOW - 61))));
    assert_eq!(verdict(waiting), Verdict::Held);
    plugin.answer_ok(&jwks(&[key.jwk()]));
    assert_eq!(values(&upstream(verdict(waiting)), HEADER), ["allowed"]);
    reported(verdict(expired), "token_expired");

    let plugin = start(&remote_config());
    with(|host| host.shared.clear());
    plugin.tick();
    let id =
        plugin.request(&[(":path", "/api/"), ("authorization", &format!("Bearer {}", key.token(&claims())))], false);
    for _ in 0..49 {
        advance(Duration::from_millis(100));
        plugin.tick();
        assert_eq!(verdict(id), Verdict::Held);
    }
    advance(Duration::from_millis(100));
    plugin.tick();
    reported(verdict(id), "keys_unavailable");
}

#[test]
fn where_there_is_no_room_to_wait_nobody_waits() {
    let mut config = remote_config();
    config["limits"] = json!({"max_waiting_requests": 1});
    config["rules"][2]["report_only"] = json!(false);
    let (plugin, key) = (start(&config), EcKey::new("k1", 1));
    let token = key.token(&claims());
    assert_eq!(send(plugin, "/api/", &token), Verdict::Held);
    reported(send(plugin, "/api/", &token), "too_many_waiting");
    refused(send(plugin, "/strict/", &token), "too_many_waiting");
}

#[test]
fn failures_that_are_only_reported_lock_nobody_out_of_what_is_enforced() {
    let mut config = config(None);
    config["failed_attempts"] = json!({"limit": 2, "window": "90s"});
    config["rules"][1]["report_only"] = json!(true);
    config["token_cache"] = json!({"max_entries": 0});
    let plugin = start(&config);
    for _ in 0..2 {
        reported(send(plugin, "/api/", &forged()), "signature_invalid");
    }
    // What would have become of it is told all the same, as long as the window is open.
    reported(send(plugin, "/api/", &good()), "too_many_failures");
    refused(send(plugin, "/strict/", &good()), "insufficient_scope");
    advance(Duration::from_secs(90));
    upstream(send(plugin, "/api/", &good()));
    // And the other way round.
    for _ in 0..2 {
        refused(send(plugin, "/strict/", &forged()), "signature_invalid");
    }
    refused(send(plugin, "/strict/", &good()), "too_many_failures");
    assert_eq!(values(&upstream(send(plugin, "/api/", &good())), HEADER), ["allowed"]);
}

#[test]
fn tokens_over_plain_http_and_from_other_sites_are_reported() {
    let mut config = config(Some(true));
    config["require_tls"] = json!(true);
    let plugin = start(&config);
    with(|host| host.connection.insert("tls_version", None));
    reported(send(plugin, "/api/", &good()), "tls_required");

    let mut config = self::config(Some(true));
    config["providers"]["acme"]["from_cookies"] = json!(["__Host-s"]);
    let plugin = start(&config);
    let cookie = format!("__Host-s={}", good());
    let headers = [(":method", "POST"), (":path", "/api/"), ("cookie", &*cookie)];
    reported(plugin.decide(&headers), "csrf_refused");
}

#[test]
fn descriptions_and_preflights_are_answered_as_ever() {
    let mut config = config(Some(true));
    config["protected_resource"] = json!({"resource": "https://api.test/"});
    config["bypass_cors_preflight"] = json!(true);
    let plugin = start(&config);
    let path = "/.well-known/oauth-protected-resource";
    let told = plugin.decide(&[(":method", "GET"), (":path", path), (":authority", "api.test")]);
    assert!(matches!(told, Verdict::Answered(response) if response.status == 200));
    let preflight = [("origin", "https://a"), ("access-control-request-method", "PUT")];
    let headers = [&[(":method", "OPTIONS"), (":path", "/api/")][..], &preflight].concat();
    assert_eq!(values(&upstream(plugin.decide(&headers)), HEADER), ["allowed"]);
    plugin.tick();
    assert_eq!(counted("jwt_warden.requests.verdict.allowed.reason.cors_preflight"), 1);
}
