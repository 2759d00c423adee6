//! The adapter, driven natively by a host of the tests' own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]

mod host;
mod mint;

use std::time::Duration;

use host::{
    LocalResponse, Plugin, Verdict, advance, body_passes, counted, end, finish, logged, trailers, trailers_pass,
    verdict, with,
};
use mint::{EcKey, NOW, claims, claims_with, hs256, jwks};
use serde_json::{Value, json};

const WARN: u32 = 3;

fn remote_config() -> Value {
    json!({
        "providers": {
            "acme": {
                "issuer": "https://issuer.test",
                "audiences": ["api"],
                "remote_jwks": {
                    "http_uri": {"uri": "https://issuer.test/keys", "cluster": "issuer", "timeout": "5s"},
                    "cache_duration": "600s",
                },
                "claim_to_headers": [{"header_name": "X-User", "claim_name": "sub"}],
                "forward_payload_header": "x-claims",
            }
        },
        "rules": [
            {"match": {"prefix": "/open/"}},
            {"match": {"prefix": "/api"}, "requires": {"provider_name": "acme"}},
        ],
    })
}

fn local_config() -> Value {
    let mut config = remote_config();
    let acme = &mut config["providers"]["acme"];
    acme.as_object_mut().unwrap().remove("remote_jwks");
    acme["algorithms"] = json!(["HS256"]);
    let key = json!({"kty": "oct", "kid": "h", "alg": "HS256", "k": mint::base64url(mint::SECRET)});
    acme["local_jwks"] = json!({ "inline_string": jwks(&[key]) });
    config
}

fn start(config: &Value) -> Plugin {
    Plugin::start(config.to_string().as_bytes()).unwrap_or_else(|| panic!("refused: {:?}", logged(0)))
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn send(plugin: Plugin, path: &str, token: &str) -> Verdict {
    plugin.decide(&[(":method", "GET"), (":path", path), ("authorization", &bearer(token))])
}

fn good_hs256() -> String {
    hs256(&json!({"alg": "HS256", "kid": "h"}), &claims())
}

fn refused(verdict: Verdict, reason: &str) -> LocalResponse {
    let Verdict::Answered(response) = verdict else { panic!("not refused: {verdict:?}") };
    assert_eq!(response.details, format!("jwt_warden_denied{{{reason}}}"));
    response
}

#[test]
fn a_good_token_passes_and_the_upstream_is_told_its_claims() {
    let plugin = start(&local_config());
    let Verdict::Upstream(headers) = plugin.decide(&[
        (":path", "/api/x?a=1"),
        ("authorization", &bearer(&good_hs256())),
        ("x-user", "mallory"),
        ("x-claims", "forged"),
        ("accept", "*/*"),
    ]) else {
        panic!("refused: {:?}", logged(WARN))
    };
    let header =
        |name: &str| -> Vec<_> { headers.iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect() };
    assert_eq!(header("x-user"), [b"alice"]);
    assert_eq!(header("x-claims"), [mint::base64url(claims().to_string()).as_bytes()]);
    assert!(header("authorization").is_empty());
    assert_eq!(header("accept"), [b"*/*"]);
    plugin.tick();
    assert_eq!(counted("jwt_warden.requests.verdict.allowed.provider.acme.reason.verified"), 1);
    assert_eq!(logged(WARN), Vec::<String>::new());
}

#[test]
fn the_client_learns_nothing_and_the_log_says_why() {
    let plugin = start(&local_config());
    let header = json!({"alg": "HS256", "kid": "h"});
    let mut tampered = good_hs256();
    tampered.replace_range(tampered.len() - 10..tampered.len() - 9, "_");
    let cases = [
        (hs256(&header, &claims_with("exp", json!(NOW - 61))), "token_expired"),
        (hs256(&header, &claims_with("exp", Value::Null)), "expiration_missing"),
        (hs256(&header, &claims_with("nbf", json!(NOW + 62))), "token_not_yet_valid"),
        (hs256(&header, &claims_with("iat", json!(NOW + 62))), "issued_in_future"),
        (hs256(&header, &claims_with("aud", json!("other"))), "audience_not_accepted"),
        (hs256(&header, &claims_with("aud", Value::Null)), "audience_not_accepted"),
        (hs256(&header, &claims_with("iss", json!("https://other.test"))), "issuer_not_accepted"),
        (hs256(&header, &claims_with("iss", Value::Null)), "issuer_not_accepted"),
        (hs256(&header, &claims_with("cnf", json!({"jkt": "x"}))), "sender_constraint"),
        (hs256(&header, &claims_with("sub", json!("a\r\nb"))), "claim_unsafe"),
        (hs256(&header, &claims_with("sub", json!(7))), "claims_malformed"),
        (hs256(&json!({"alg": "HS256", "kid": "other"}), &claims()), "key_unknown"),
        (hs256(&json!({"alg": "HS512", "kid": "h"}), &claims()), "algorithm_not_allowed"),
        (hs256(&json!({"alg": "none"}), &claims()), "algorithm_not_allowed"),
        (hs256(&json!({"alg": "HS256", "kid": "h", "typ": "logout+jwt"}), &claims()), "type_not_accepted"),
        (hs256(&json!({"alg": "HS256", "kid": "h", "crit": ["b64"]}), &claims()), "header_unsupported"),
        (tampered, "signature_invalid"),
        ("a.b".into(), "token_malformed"),
        (String::new(), "token_malformed"),
        (format!("a.{}.c", "b".repeat(20_000)), "token_too_large"),
    ];
    let count = cases.len();
    for (token, reason) in cases {
        let response = refused(send(plugin, "/api", &token), reason);
        assert_eq!((response.status, response.body.as_str()), (401, "Unauthorized"), "{reason}");
        let challenge = b"Bearer realm=\"api\", error=\"invalid_token\"".to_vec();
        assert!(response.headers.contains(&("www-authenticate".into(), challenge)), "{reason}");
        let line = logged(WARN).pop().unwrap();
        assert!(line.contains(&format!("denied reason={reason} status=401 provider=\"acme\"")), "{line}");
        assert!(token.len() < 20 || !line.contains(&token[token.len() - 20..]), "{line}");
        plugin.tick();
        assert!(counted(&format!("jwt_warden.requests.verdict.denied.provider.acme.reason.{reason}")) > 0);
    }
    assert_eq!(logged(WARN).len(), count);
}

#[test]
fn no_token_and_no_rule_have_answers_of_their_own() {
    let plugin = start(&local_config());
    let missing = refused(plugin.decide(&[(":path", "/api")]), "token_missing");
    assert!(missing.headers.contains(&("www-authenticate".into(), b"Bearer realm=\"api\"".to_vec())));
    let unmatched = refused(plugin.decide(&[(":path", "/else")]), "no_matching_rule");
    assert_eq!((unmatched.status, unmatched.body.as_str()), (403, "Forbidden"));
    assert!(unmatched.headers.iter().all(|(name, _)| name != "www-authenticate"));
}

#[test]
fn a_path_that_the_upstream_may_read_in_another_way_falls_under_no_rule() {
    let mut config = local_config();
    for unmatched in ["deny", "allow"] {
        config["unmatched"] = json!(unmatched);
        let plugin = start(&config);
        for path in ["/open/../api", "/open/%2e%2e/api", "/open/..%2fapi", "/open/..;/api", "/x/../api", "/api/../b?x"]
        {
            let response = refused(send(plugin, path, &good_hs256()), "path_ambiguous");
            assert_eq!((response.status, response.body.as_str()), (403, "Forbidden"), "{path}");
        }
    }
}

#[test]
fn every_token_that_is_there_has_to_be_good() {
    let plugin = start(&local_config());
    let good = good_hs256();
    let twice = [(":path", "/api"), ("authorization", &*bearer(&good)), ("authorization", &*bearer(&good))];
    refused(plugin.decide(&twice), "token_duplicated");
    let path = format!("/api?access_token={good}");
    let both = [(":path", &*path), ("authorization", &*bearer(&good))];
    assert!(matches!(plugin.decide(&both), Verdict::Upstream(_)));
    let bad_beside = [(":path", &*path), ("authorization", "Bearer x")];
    refused(plugin.decide(&bad_beside), "token_malformed");
}

#[test]
fn what_only_the_filter_may_say_is_removed_on_open_routes_too() {
    let plugin = start(&local_config());
    let headers = [(":path", "/open/?access_token=t&b=1"), ("x-user", "mallory"), ("authorization", "Bearer t")];
    let Verdict::Upstream(headers) = plugin.decide(&headers) else { panic!("refused") };
    assert_eq!(headers, [(":path".to_owned(), b"/open/?b=1".to_vec())]);
    plugin.tick();
    assert_eq!(counted("jwt_warden.requests.verdict.allowed.reason.not_required"), 1);
}

#[test]
fn a_cors_preflight_passes_only_where_that_is_configured_and_shows_nothing_of_the_clients() {
    let preflight = [
        (":method", "OPTIONS"),
        (":path", "/api"),
        ("origin", "https://app.test"),
        ("access-control-request-method", "PUT"),
        ("authorization", "Bearer x"),
        ("x-user", "mallory"),
        ("x_claims", "forged"),
    ];
    refused(start(&local_config()).decide(&preflight), "token_malformed");
    let mut config = local_config();
    config["bypass_cors_preflight"] = json!(true);
    let plugin = start(&config);
    let Verdict::Upstream(headers) = plugin.decide(&preflight) else { panic!("refused") };
    let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, [":method", ":path", "origin", "access-control-request-method"]);
    plugin.tick();
    assert_eq!(counted("jwt_warden.requests.verdict.allowed.reason.cors_preflight"), 1);
    refused(plugin.decide(&[preflight[0], preflight[1], preflight[2]]), "token_missing");
    let ambiguous = [preflight[0], (":path", "/open/../api"), preflight[2], preflight[3]];
    refused(plugin.decide(&ambiguous), "path_ambiguous");
}

#[test]
fn names_that_an_upstream_takes_for_ours_are_removed_too() {
    let plugin = start(&local_config());
    let headers = [(":path", "/open/"), ("x_user", "mallory"), ("x_claims", "e30"), ("x-users", "stays")];
    let Verdict::Upstream(headers) = plugin.decide(&headers) else { panic!("refused") };
    assert_eq!(headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [":path", "x-users"]);
}

#[test]
fn trailers_tell_the_upstream_nothing_that_only_the_filter_may_say() {
    let sent = [("x-user", "m"), ("x_user", "m"), ("x-claims", "e30"), ("authorization", "Bearer t"), ("x-sum", "1")];
    let plugin = start(&local_config());
    for path in ["/open/", "/api"] {
        let headers = [(":path", path), ("authorization", &*bearer(&good_hs256()))];
        let id = plugin.request(&headers, true);
        assert_eq!(trailers(id, &sent), Some(vec![("x-sum".to_owned(), b"1".to_vec())]), "{path}");
        with(|host| host.refuse_edits = true);
        assert_eq!(trailers(id, &sent), None, "{path}");
        with(|host| host.refuse_edits = false);
    }
}

#[test]
fn trailers_of_a_waiting_request_are_cleaned_before_it_goes_on() {
    let plugin = start(&remote_config());
    let authorization = bearer(&EcKey::new("k1", 1).token(&claims()));
    let id = plugin.request(&[(":path", "/api"), ("authorization", &authorization)], true);
    assert_eq!(trailers(id, &[("x-user", "mallory")]), None);
    assert!(with(|host| host.trailers.is_empty()));
}

fn state_config() -> Value {
    let mut config = local_config();
    config["providers"]["acme"]["claim_to_filter_state"] = json!([
        {"name": "sub", "claim_name": "sub"},
        {"name": "groups", "claim_path": ["groups"], "format": "comma_separated"},
    ]);
    config
}

/// The properties of the latest request.
fn properties() -> Vec<(String, String)> {
    with(|host| {
        let latest = *host.streams.keys().last().expect("a request");
        let own = host.properties.iter().filter(|((id, _), _)| *id == latest);
        own.map(|((_, name), value)| (name.clone(), value.clone())).collect()
    })
}

#[test]
fn filters_behind_are_told_verified_claims_and_nothing_else() {
    let plugin = start(&state_config());
    let header = json!({"alg": "HS256", "kid": "h"});
    let grouped = hs256(&header, &claims_with("groups", json!(["a", "b"])));
    let pair = |name: &str, value: &str| (format!("jwt_warden.{name}"), value.to_owned());
    for _ in 0..2 {
        assert!(matches!(send(plugin, "/api", &grouped), Verdict::Upstream(_)), "the second time remembered");
        assert_eq!(properties(), [pair("groups", "a,b"), pair("sub", "alice")]);
    }
    assert!(matches!(send(plugin, "/api", &good_hs256()), Verdict::Upstream(_)));
    assert_eq!(properties(), [pair("sub", "alice")]);
    assert!(matches!(send(plugin, "/open/", &grouped), Verdict::Upstream(_)));
    assert_eq!(properties(), []);
    refused(send(plugin, "/api", &hs256(&header, &claims_with("exp", json!(1)))), "token_expired");
    assert_eq!(properties(), []);
}

#[test]
fn a_claim_that_filters_behind_could_take_for_another_refuses_its_token() {
    let plugin = start(&state_config());
    let header = json!({"alg": "HS256", "kid": "h"});
    let with_sub = |sub: &str| hs256(&header, &claims_with("sub", json!(sub)));
    assert!(matches!(send(plugin, "/api", &with_sub(&"s".repeat(4096))), Verdict::Upstream(_)));
    refused(send(plugin, "/api", &with_sub(&"s".repeat(4097))), "claim_unsafe");
    refused(send(plugin, "/api", &hs256(&header, &claims_with("groups", json!(["a,b"])))), "claim_unsafe");
    assert!(logged(WARN).pop().unwrap().contains("detail=\"jwt_warden.groups\""));
}

#[test]
fn properties_are_declared_once_and_without_them_nothing_passes() {
    let mut config = state_config();
    config["providers"]["other"] = config["providers"]["acme"].clone();
    config["providers"]["other"]["issuer"] = json!("https://other.test");
    let plugin = start(&config);
    let declared = |name: &str| {
        let name = format!("jwt_warden.{name}");
        (plugin.0, [&[0x0a, u8::try_from(name.len()).unwrap()], name.as_bytes(), &[0x18, 1]].concat())
    };
    with(|host| assert_eq!(host.declared, [declared("groups"), declared("sub")]));
    with(|host| host.lacks_properties = true);
    assert!(Plugin::start(config.to_string().as_bytes()).is_none());
    assert!(logged(WARN).pop().unwrap().contains("claim_to_filter_state"));
    assert!(Plugin::start(local_config().to_string().as_bytes()).is_some());
    with(|host| host.refuse_edits = true);
    refused(send(plugin, "/api", &good_hs256()), "internal");
}

#[test]
fn a_request_whose_headers_cannot_be_cleaned_does_not_pass() {
    let plugin = start(&local_config());
    with(|host| host.refuse_edits = true);
    refused(send(plugin, "/api", &good_hs256()), "internal");
    refused(plugin.decide(&[(":path", "/open/"), ("x-user", "mallory")]), "internal");
}

#[test]
fn a_bad_configuration_is_refused_with_its_path_and_without_its_content() {
    let mut config = local_config();
    config["providers"]["acme"]["claim_to_headers"][0]["header_name"] = json!(":path");
    assert_eq!(Plugin::start(config.to_string().as_bytes()), None);
    let lines = logged(4);
    assert!(lines.iter().any(|line| line.contains("providers.acme.claim_to_headers[0].header_name")), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains(&mint::base64url(mint::SECRET))));
}

#[test]
fn a_request_that_comes_before_the_keys_is_held_whole_and_then_decided() {
    let key = EcKey::new("k1", 1);
    let plugin = start(&remote_config());
    let authorization = bearer(&key.token(&claims()));
    let good = plugin.request(&[(":path", "/api"), ("authorization", &authorization)], true);
    let forged =
        plugin.request(&[(":path", "/api"), ("authorization", &bearer(&EcKey::new("k1", 2).token(&claims())))], true);
    assert_eq!(verdict(good), Verdict::Held);
    assert!(!body_passes(good) && !trailers_pass(good));
    plugin.tick();
    assert_eq!(with(|host| host.callouts.len()), 1);
    assert!(!body_passes(good));
    plugin.answer_ok(&jwks(&[key.jwk()]));
    assert!(matches!(verdict(good), Verdict::Upstream(_)));
    assert!(body_passes(good) && trailers_pass(good));
    refused(verdict(forged), "signature_invalid");
    assert!(!body_passes(forged) && !trailers_pass(forged));
    assert!(matches!(send(plugin, "/api", &key.token(&claims())), Verdict::Upstream(_)));
}

#[test]
fn the_fetch_asks_for_what_is_configured() {
    let plugin = start(&remote_config());
    plugin.tick();
    let callout = with(|host| host.callouts[0].clone());
    assert_eq!(callout.cluster, "issuer");
    assert_eq!(callout.timeout, Duration::from_secs(5));
    for (name, value) in [(":method", "GET"), (":scheme", "https"), (":authority", "issuer.test"), (":path", "/keys")] {
        assert!(callout.headers.contains(&(name.into(), value.as_bytes().to_vec())), "{name}");
    }
}

#[test]
fn a_client_that_leaves_while_it_waits_takes_nothing_along() {
    let key = EcKey::new("k1", 1);
    let plugin = start(&remote_config());
    let authorization = bearer(&key.token(&claims()));
    let headers = [(":path", "/api"), ("authorization", authorization.as_str())];
    let leaving = plugin.request(&headers, false);
    let staying = plugin.request(&headers, false);
    plugin.tick();
    finish(leaving);
    plugin.answer_ok(&jwks(&[key.jwk()]));
    assert_eq!(verdict(leaving), Verdict::Held);
    assert!(matches!(verdict(staying), Verdict::Upstream(_)));
    finish(staying);
}

#[test]
fn without_keys_requests_are_refused_in_bounded_time() {
    let key = EcKey::new("k1", 1);
    let plugin = start(&remote_config());
    plugin.tick();
    let authorization = bearer(&key.token(&claims()));
    let id = plugin.request(&[(":path", "/api"), ("authorization", &authorization)], false);
    assert_eq!(verdict(id), Verdict::Held);
    advance(Duration::from_secs(5));
    plugin.tick();
    assert_eq!(refused(verdict(id), "keys_unavailable").status, 401);
}

#[test]
fn every_way_a_fetch_can_fail_is_named_in_the_log() {
    type Case = (&'static [(&'static str, &'static str)], &'static str, &'static str);
    let cases: [Case; 9] = [
        (&[], "", "reset"),
        (&[(":status", "503")], "", "unreachable"),
        (&[(":status", "504")], "", "timeout"),
        (&[(":status", "503"), ("x-envoy-upstream-service-time", "1")], "", "status"),
        (&[(":status", "302")], "", "status"),
        (&[(":status", "200")], "<html>", "not_a_key_set"),
        (&[(":status", "200")], "{\"keys\": []}", "no_usable_key"),
        (&[(":status", "200")], "{\"keys\": [{\"kty\": \"oct\", \"k\": \"AAAA\"}]}", "no_usable_key"),
        (&[(":status", "nonsense")], "", "reset"),
    ];
    for (headers, body, cause) in cases {
        std::thread::spawn(move || {
            let plugin = start(&remote_config());
            plugin.tick();
            plugin.answer(headers, body.as_bytes());
            let lines = logged(WARN);
            assert!(
                lines.iter().any(|line| line.contains("keys not fetched provider=\"acme\"")
                    && line.contains(&format!("cause={cause} "))),
                "{cause}: {lines:?}"
            );
        })
        .join()
        .unwrap();
    }
}

#[test]
fn a_dispatch_that_fails_is_tried_again() {
    let key = EcKey::new("k1", 1);
    let plugin = start(&remote_config());
    with(|host| host.dispatch_status = 2);
    plugin.tick();
    assert!(logged(WARN)[0].contains("cause=unknown_cluster"));
    with(|host| host.dispatch_status = 0);
    let authorization = bearer(&key.token(&claims()));
    let id = plugin.request(&[(":path", "/api"), ("authorization", &authorization)], false);
    advance(Duration::from_secs(2));
    plugin.tick();
    plugin.answer_ok(&jwks(&[key.jwk()]));
    assert!(matches!(verdict(id), Verdict::Upstream(_)));
}

#[test]
fn a_rotation_refuses_no_good_token() {
    let (old, new) = (EcKey::new("k1", 1), EcKey::new("k2", 2));
    let plugin = start(&remote_config());
    plugin.tick();
    plugin.answer_ok(&jwks(&[old.jwk()]));
    advance(Duration::from_secs(60));
    plugin.tick();
    let authorization = bearer(&new.token(&claims()));
    let id = plugin.request(&[(":path", "/api"), ("authorization", &authorization)], false);
    assert_eq!(verdict(id), Verdict::Held);
    advance(Duration::from_millis(1));
    plugin.tick();
    plugin.answer_ok(&jwks(&[new.jwk()]));
    assert!(matches!(verdict(id), Verdict::Upstream(_)));
    refused(send(plugin, "/api", &old.token(&claims())), "key_unknown");
}

#[test]
fn workers_share_one_fetch_and_its_keys() {
    let key = EcKey::new("k1", 1);
    let workers: Vec<_> = (0..4).map(|_| start(&remote_config())).collect();
    for worker in &workers {
        worker.tick();
    }
    assert_eq!(with(|host| host.callouts_sent), 1);
    workers[0].answer_ok(&jwks(&[key.jwk()]));
    advance(Duration::from_millis(250));
    for worker in &workers {
        worker.tick();
    }
    for worker in workers {
        assert!(matches!(send(worker, "/api", &key.token(&claims())), Verdict::Upstream(_)));
    }
    assert_eq!(with(|host| host.callouts_sent), 1);
}

#[test]
fn discovery_fetches_the_metadata_and_then_the_keys() {
    let key = EcKey::new("k1", 1);
    let mut config = remote_config();
    let acme = config["providers"]["acme"].as_object_mut().unwrap();
    acme.remove("remote_jwks");
    let http_uri = json!({"uri": "https://issuer.test/.well-known/openid-configuration", "cluster": "issuer"});
    acme.insert("discovery".into(), json!({"http_uri": http_uri, "jwks_clusters": {"keys.test": "keys"}}));
    let plugin = start(&config);
    plugin.tick();
    assert_eq!(with(|host| host.callouts[0].cluster.clone()), "issuer");
    plugin.answer_ok(r#"{"issuer": "https://issuer.test", "jwks_uri": "https://keys.test/set"}"#);
    let callout = with(|host| host.callouts[0].clone());
    assert_eq!(callout.cluster, "keys");
    assert!(callout.headers.contains(&(":path".into(), b"/set".to_vec())));
    plugin.answer_ok(&jwks(&[key.jwk()]));
    assert!(matches!(send(plugin, "/api", &key.token(&claims())), Verdict::Upstream(_)));
    plugin.tick();
    assert_eq!(counted("jwt_warden.jwks.provider.acme.fetches.result.success"), 1);
}

#[test]
fn metadata_never_send_the_proxy_elsewhere() {
    for (metadata, cause) in [
        (r#"{"issuer": "https://other.test", "jwks_uri": "https://issuer.test/keys"}"#, "other_issuer"),
        (r#"{"issuer": "https://issuer.test", "jwks_uri": "https://evil.test/keys"}"#, "unmapped_host"),
        ("<html>", "not_metadata"),
    ] {
        let test = move || {
            let mut config = remote_config();
            let acme = config["providers"]["acme"].as_object_mut().unwrap();
            acme.remove("remote_jwks");
            acme.insert("discovery".into(), json!({"http_uri": {"uri": "https://issuer.test/m", "cluster": "issuer"}}));
            let plugin = start(&config);
            plugin.tick();
            plugin.answer_ok(metadata);
            assert!(with(|host| host.callouts.is_empty()));
            assert!(logged(WARN)[0].contains(&format!("cause={cause} ")), "{:?}", logged(WARN));
            plugin.tick();
            assert_eq!(counted(&format!("jwt_warden.jwks.provider.acme.fetches.result.{cause}")), 1);
        };
        std::thread::spawn(test).join().unwrap();
    }
}

#[test]
fn a_new_configuration_starts_with_the_keys_of_the_old_one() {
    let key = EcKey::new("k1", 1);
    let first = start(&remote_config());
    first.tick();
    first.answer_ok(&jwks(&[key.jwk()]));
    let mut config = remote_config();
    config["realm"] = json!("another");
    let second = start(&config);
    assert!(matches!(send(second, "/api", &key.token(&claims())), Verdict::Upstream(_)));
    second.tick();
    assert_eq!(with(|host| host.callouts_sent), 1);
}

#[test]
fn a_kid_that_was_asked_for_in_vain_does_not_make_the_next_request_wait() {
    let (key, unknown) = (EcKey::new("k1", 1), EcKey::new("k9", 9));
    let plugin = start(&remote_config());
    plugin.tick();
    plugin.answer_ok(&jwks(&[key.jwk()]));
    let authorization = bearer(&unknown.token(&claims()));
    let headers = [(":path", "/api"), ("authorization", authorization.as_str())];
    advance(Duration::from_secs(10));
    let id = plugin.request(&headers, false);
    plugin.tick();
    plugin.answer_ok(&jwks(&[key.jwk()]));
    refused(verdict(id), "key_unknown");
    advance(Duration::from_secs(1));
    refused(plugin.decide(&headers), "key_unknown");
    advance(Duration::from_secs(5));
    assert_eq!(plugin.decide(&headers), Verdict::Held);
}

#[test]
fn rules_have_their_names_in_metrics_however_many_providers_there_are() {
    let mut config = local_config();
    let acme = config["providers"]["acme"].clone();
    for number in 0..400 {
        let name = format!("p{number}");
        config["providers"][&name] = acme.clone();
        config["providers"][&name]["issuer"] = json!(format!("https://{name}.test"));
    }
    config["rules"][1]["name"] = json!("api");
    let plugin = start(&config);
    plugin.tick();
    send(plugin, "/api", "x");
    plugin.tick();
    assert_eq!(counted("jwt_warden.requests.verdict.denied.rule.api.provider.acme.reason.token_malformed"), 1);
}

#[test]
fn rules_for_which_there_is_no_room_in_metrics_are_counted_together() {
    let mut config = local_config();
    let rule = |number| {
        let requires = json!({"provider_name": "acme"});
        json!({"name": format!("r{number}"), "match": {"prefix": format!("/{number}/")}, "requires": requires})
    };
    config["rules"] = (0..700).map(rule).collect();
    let header = json!({"alg": "HS256", "kid": "h"});
    let tokens = ["x".to_owned(), good_hs256(), hs256(&header, &claims_with("exp", json!(1)))];
    let plugin = start(&config);
    for number in 0..700 {
        for token in &tokens {
            send(plugin, &format!("/{number}/"), token);
        }
    }
    plugin.tick();
    let names = || with(|host| host.metrics.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    let of_rules = names().into_iter().filter(|name| name.contains(".requests.")).count();
    assert!((2048..2060).contains(&of_rules), "{of_rules}");
    let together: i64 = names().iter().filter(|name| name.contains(".rule.other.")).map(|name| counted(name)).sum();
    assert_eq!(together, 2100 - 2048);
}

#[test]
fn the_query_of_what_is_fetched_is_not_logged() {
    let mut config = remote_config();
    let http = |path: &str| json!({"uri": format!("https://issuer.test/{path}?code=hunter2"), "cluster": "issuer", "timeout": "5s"});
    config["providers"]["acme"]["remote_jwks"]["http_uri"] = http("keys");
    config["providers"]["acme"]["revocation"] = json!({"denylists": [{"http_uri": http("denied")}]});
    let plugin = start(&config);
    plugin.tick();
    plugin.answer_ok(&jwks(&[EcKey::new("k1", 1).jwk()]));
    plugin.answer(&[(":status", "500")], b"");
    let lines = logged(0);
    assert!(lines.iter().any(|line| line.contains(r#"keys fetched provider="acme" uri="https://issuer.test/keys" "#)));
    assert!(lines.iter().any(|line| line.contains("list not fetched") && line.contains(r#"test/denied" "#)));
    assert!(!lines.iter().any(|line| line.contains("hunter2")), "{lines:?}");
}

#[test]
fn waiting_requests_and_key_sets_are_counted() {
    let key = EcKey::new("k1", 1);
    let plugin = start(&remote_config());
    let authorization = bearer(&key.token(&claims()));
    let headers = [(":path", "/api"), ("authorization", authorization.as_str())];
    let leaving = plugin.request(&headers, false);
    plugin.request(&headers, false);
    finish(leaving);
    plugin.tick();
    assert_eq!((counted("jwt_warden.waiting.entered"), counted("jwt_warden.waiting.left")), (2, 1));
    plugin.tick();
    plugin.answer_ok(&jwks(&[key.jwk(), json!({"kty": "oct", "k": "AAAA"})]));
    plugin.tick();
    assert_eq!(counted("jwt_warden.waiting.left"), 2);
    for (what, value) in [("generation", 1), ("keys", 1), ("keys_skipped", 1), ("last_success_seconds", 1_700_000_000)]
    {
        assert_eq!(counted(&format!("jwt_warden.jwks.provider.acme.{what}")), value, "{what}");
    }
    let skipped = logged(WARN).into_iter().find(|line| line.contains("key skipped")).unwrap();
    assert!(skipped.contains("a secret (`oct`) counts only in a local set"), "{skipped}");
}

#[test]
fn a_remembered_token_is_forgotten_when_it_expires_and_when_its_key_is_withdrawn() {
    let (old, new) = (EcKey::new("k1", 1), EcKey::new("k2", 2));
    let plugin = start(&remote_config());
    plugin.tick();
    plugin.answer_ok(&jwks(&[old.jwk(), new.jwk()]));
    let token = new.token(&claims());
    let first = send(plugin, "/api", &token);
    assert!(matches!(first, Verdict::Upstream(_)));
    assert_eq!(send(plugin, "/api", &token), first, "the upstream is told the same");
    advance(Duration::from_secs(361));
    refused(send(plugin, "/api", &token), "token_expired");

    let long = old.token(&claims_with("exp", json!(NOW + 100_000)));
    assert!(matches!(send(plugin, "/api", &long), Verdict::Upstream(_)));
    advance(Duration::from_secs(600));
    plugin.tick();
    plugin.answer_ok(&jwks(&[new.jwk()]));
    advance(Duration::from_secs(60));
    let held = plugin.request(&[(":path", "/api"), ("authorization", &bearer(&long))], false);
    plugin.tick();
    plugin.answer_ok(&jwks(&[new.jwk()]));
    refused(verdict(held), "key_unknown");
}

#[test]
fn a_remembered_token_counts_for_its_own_provider_only() {
    let mut config = local_config();
    let mut other = config["providers"]["acme"].clone();
    other["audiences"] = json!(["another-api"]);
    other["claim_to_headers"] = json!([]);
    config["providers"]["other"] = other;
    config["rules"]
        .as_array_mut()
        .unwrap()
        .push(json!({"match": {"prefix": "/other"}, "requires": {"provider_name": "other"}}));
    let plugin = start(&config);
    let token = good_hs256();
    assert!(matches!(send(plugin, "/api", &token), Verdict::Upstream(_)));
    refused(send(plugin, "/other", &token), "audience_not_accepted");
    assert!(matches!(send(plugin, "/api", &token), Verdict::Upstream(_)));
}

#[test]
fn what_may_be_missing_beside_a_requirement_lifts_none_of_its_conditions() {
    let beside = |exemption: &str| {
        let mut config = local_config();
        let strict = json!({"provider_and_audiences": {"provider_name": "acme", "audiences": ["admin"]}});
        let any = json!({"requires_any": {"requirements": [{exemption: {}}, strict]}});
        config["rules"] = json!([{"match": {"prefix": "/"}, "requires": any}]);
        start(&config)
    };
    let admin = hs256(&json!({"alg": "HS256", "kid": "h"}), &claims_with("aud", json!("admin")));
    let told = |verdict| match verdict {
        Verdict::Upstream(headers) => headers.iter().any(|(name, _)| name == "x-user"),
        other => panic!("refused: {other:?}"),
    };
    let optional = beside("allow_missing");
    assert!(told(send(optional, "/", &admin)));
    assert!(!told(optional.decide(&[(":path", "/")])));
    refused(send(optional, "/", &good_hs256()), "audience_not_accepted");
    refused(send(optional, "/", "garbage"), "token_malformed");
    let indulgent = beside("allow_missing_or_failed");
    assert!(told(send(indulgent, "/", &admin)));
    for token in [&good_hs256(), "garbage"] {
        assert!(!told(send(indulgent, "/", token)), "what is not meant for the rule tells nothing");
    }
}

#[test]
fn many_waiting_requests_wake_in_batches() {
    let key = EcKey::new("k1", 1);
    let plugin = start(&remote_config());
    let authorization = bearer(&key.token(&claims()));
    let ids: Vec<_> =
        (0..500).map(|_| plugin.request(&[(":path", "/api"), ("authorization", &authorization)], false)).collect();
    plugin.tick();
    plugin.answer_ok(&jwks(&[key.jwk()]));
    let mut woken = 0;
    for _ in 0..8 {
        let now = ids.iter().filter(|id| matches!(verdict(**id), Verdict::Upstream(_))).count();
        assert!(now - woken <= 64, "{now} after {woken}");
        woken = now;
        advance(Duration::from_millis(1));
        plugin.tick();
    }
    assert!(ids.iter().all(|id| matches!(verdict(*id), Verdict::Upstream(_))));
}

#[test]
fn requests_that_go_on_waiting_do_not_hold_up_the_others() {
    let key = EcKey::new("k1", 1);
    let mut config = remote_config();
    let mut other = config["providers"]["acme"].clone();
    other["remote_jwks"]["http_uri"]["uri"] = json!("https://issuer.test/other");
    config["providers"]["beta"] = other;
    config["rules"][0] = json!({"match": {"prefix": "/beta"}, "requires": {"provider_name": "beta"}});
    let plugin = start(&config);
    let authorization = bearer(&key.token(&claims()));
    let request = |path| plugin.request(&[(":path", path), ("authorization", &authorization)], false);
    let stuck: Vec<_> = (0..100).map(|_| request("/api")).collect();
    let other = request("/beta");
    plugin.tick();
    plugin.answer(&[(":status", "500"), ("x-envoy-upstream-service-time", "1")], b"");
    plugin.answer_ok(&jwks(&[key.jwk()]));
    for _ in 0..3 {
        advance(Duration::from_millis(1));
        plugin.tick();
    }
    assert!(matches!(verdict(other), Verdict::Upstream(_)));
    assert!(stuck.iter().all(|id| verdict(*id) == Verdict::Held));
    assert!(with(|host| host.tick_periods.values().all(|period| *period > 1)), "nothing to do, and yet in a hurry");
}

#[test]
fn requests_that_go_on_waiting_do_not_keep_others_from_being_woken() {
    let (old, new) = (EcKey::new("old", 1), EcKey::new("new", 2));
    let plugin = start(&remote_config());
    plugin.tick();
    plugin.answer_ok(&jwks(&[old.jwk()]));
    advance(Duration::from_secs(60));
    let request = |token: &str| plugin.request(&[(":path", "/api"), ("authorization", &bearer(token))], false);
    // These come first, with the lower numbers, but after a refresh began: they wait for the fetch after it.
    let refresh = request(&new.token(&claims()));
    advance(Duration::from_millis(1));
    plugin.tick();
    advance(Duration::from_millis(1));
    for number in 0..200 {
        request(&old.sign(&json!({"alg": "ES256", "kid": format!("random-{number}")}), &claims()));
    }
    let good = request(&new.token(&claims()));
    plugin.answer_ok(&jwks(&[new.jwk()]));
    for _ in 0..10 {
        advance(Duration::from_millis(1));
        plugin.tick();
    }
    for id in [refresh, good] {
        assert!(matches!(verdict(id), Verdict::Upstream(_)), "{:?}", verdict(id));
    }
}

#[test]
fn requests_do_not_wait_for_a_clock_that_was_set_back() {
    let plugin = start(&remote_config());
    plugin.tick();
    let token = EcKey::new("k1", 1).token(&claims());
    let id = plugin.request(&[(":path", "/api"), ("authorization", &bearer(&token))], false);
    with(|host| host.now_millis -= 200_000);
    for _ in 0..60 {
        advance(Duration::from_millis(100));
        plugin.tick();
    }
    refused(verdict(id), "keys_unavailable");
}

#[test]
fn the_waiting_room_is_bounded() {
    let mut config = remote_config();
    config["limits"] = json!({"max_waiting_requests": 3});
    let plugin = start(&config);
    let authorization = bearer(&EcKey::new("k1", 1).token(&claims()));
    let headers = [(":path", "/api"), ("authorization", authorization.as_str())];
    let ids: Vec<_> = (0..3).map(|_| plugin.request(&headers, false)).collect();
    refused(plugin.decide(&headers), "too_many_waiting");
    finish(ids[0]);
    assert_eq!(plugin.decide(&headers), Verdict::Held);
}

#[test]
fn without_the_time_nothing_passes() {
    let plugin = start(&local_config());
    let claims = json!({"iss": "https://issuer.test", "aud": "api", "sub": "alice", "exp": 1});
    let token = hs256(&json!({"alg": "HS256", "kid": "h"}), &claims);
    refused(send(plugin, "/api", &token), "token_expired");
    with(|host| host.now_millis = 0);
    refused(send(plugin, "/api", &token), "internal");
}

#[test]
fn a_clock_that_is_set_back_stops_no_fetch() {
    let (old, new) = (EcKey::new("k1", 1), EcKey::new("k2", 2));
    let day = Duration::from_secs(86_400);
    for answered_before in [false, true] {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let plugin = start(&remote_config());
                advance(day);
                plugin.tick();
                if answered_before {
                    plugin.answer_ok(&jwks(&[old.jwk()]));
                }
                with(|host| host.now_millis -= u64::try_from(day.as_millis()).unwrap());
                plugin.tick();
                if !answered_before {
                    plugin.answer_ok(&jwks(&[old.jwk()]));
                }
                advance(Duration::from_secs(1));
                plugin.tick();
                while with(|host| !host.callouts.is_empty()) {
                    plugin.answer_ok(&jwks(&[old.jwk()]));
                }
                assert!(matches!(send(plugin, "/api", &old.token(&claims())), Verdict::Upstream(_)));
                advance(Duration::from_secs(60));
                let authorization = bearer(&new.token(&claims()));
                let id = plugin.request(&[(":path", "/api"), ("authorization", &authorization)], false);
                plugin.tick();
                plugin.answer_ok(&jwks(&[new.jwk()]));
                assert!(matches!(verdict(id), Verdict::Upstream(_)));
            });
        });
    }
}

#[test]
fn times_that_never_come_stop_no_fetch() {
    let first = start(&remote_config());
    first.tick();
    first.answer_ok(&jwks(&[EcKey::new("k1", 1).jwk()]));
    // A record of version 1: four counters, seven times, a digest.
    let record = [&[1][..], &1_u64.to_le_bytes().repeat(4), &[0xff; 56], &[0; 16]].concat();
    with(|host| host.shared.values_mut().for_each(|(value, _)| value.clone_from(&record)));
    start(&remote_config()).tick();
    assert_eq!(with(|host| host.callouts.len()), 1);
}

#[test]
fn the_heads_of_waiting_requests_are_bounded() {
    let plugin = start(&remote_config());
    let authorization = bearer(&EcKey::new("k1", 1).token(&claims()));
    let filler = "x".repeat(1 << 20);
    let headers = [(":path", "/api"), ("authorization", authorization.as_str()), ("x-filler", &filler)];
    let ids: Vec<_> = (0..63).map(|_| plugin.request(&headers, false)).collect();
    assert!(ids.iter().all(|id| verdict(*id) == Verdict::Held));
    refused(plugin.decide(&headers), "too_many_waiting");
    finish(ids[0]);
    assert_eq!(plugin.decide(&headers), Verdict::Held);
}

#[test]
fn hostile_shared_data_neither_traps_nor_stops_the_filter() {
    let key = EcKey::new("k1", 1);
    let first = start(&remote_config());
    first.tick();
    first.answer_ok(&jwks(&[key.jwk()]));
    for garbage in [&b""[..], b"x", &[0xff; 99], &[1; 97]] {
        with(|host| {
            for (value, version) in host.shared.values_mut() {
                *value = garbage.to_vec();
                *version += 1;
            }
        });
        advance(Duration::from_secs(60));
        first.tick();
        while with(|host| !host.callouts.is_empty()) {
            first.answer_ok(&jwks(&[key.jwk()]));
        }
        advance(Duration::from_secs(1));
        first.tick();
        assert!(matches!(send(first, "/api", &key.token(&claims())), Verdict::Upstream(_)), "{:?}", logged(WARN));
    }
}

#[test]
fn a_token_bound_to_a_certificate_counts_with_that_certificate_only() {
    let digest = [0xab; 32];
    let confirmation = json!({"x5t#S256": mint::base64url(digest)});
    let bound = hs256(&json!({"alg": "HS256", "kid": "h"}), &claims_with("cnf", confirmation));
    let plugin = start(&local_config());
    let send = |shown: Option<&str>| {
        with(|host| host.certificate_digest = shown.map(|text| text.as_bytes().to_vec()));
        send(plugin, "/api", &bound)
    };
    for _ in 0..2 {
        assert!(matches!(send(Some(&"ab".repeat(32))), Verdict::Upstream(_)));
        for other in
            [None, Some(""), Some("ab"), Some(&*"ab".repeat(31)), Some(&*"zz".repeat(32)), Some(&*"ac".repeat(32))]
        {
            refused(send(other), "sender_constraint");
        }
    }
}

/// The connections have this address, in the host's form, and these names in their certificates.
fn connect(address: &str, uri: &str, dns: &str) {
    let known = |text: &str| Some(text.as_bytes().to_vec()).filter(|text| !text.is_empty());
    with(|host| {
        host.connection.insert("address", known(address));
        host.connection.insert("tls_version", None);
        host.connection.insert("uri_san_peer_certificate", known(uri));
        host.connection.insert("dns_san_peer_certificate", known(dns));
    });
}

#[test]
fn an_address_that_the_host_has_from_a_header_makes_no_trusted_proxy() {
    let mut config = local_config();
    config["require_tls"] = json!(true);
    config["trusted_proxies"] =
        json!({"addresses": ["10.0.0.0/8", "::1"], "certificates": [{"uri_san": "spiffe://a"}]});
    let plugin = start(&config);
    let credentials = bearer(&good_hs256());
    let headers = [(":path", "/api"), ("authorization", &*credentials), ("x-forwarded-proto", "https")];
    for address in ["10.0.0.1:4711", "[::1]:1", "[::ffff:10.0.0.1]:4711"] {
        connect(address, "", "");
        assert!(matches!(plugin.decide(&headers), Verdict::Upstream(_)), "{address}");
    }
    for address in
        ["10.0.0.1:0", "[::1]:0", "11.0.0.1:4711", "10.0.0.1", "10.0.0.1:", "/var/run/socket", "", "\u{fffd}"]
    {
        connect(address, "", "");
        refused(plugin.decide(&headers), "tls_required");
    }
    connect("10.0.0.1:0", "spiffe://a", "");
    assert!(matches!(plugin.decide(&headers), Verdict::Upstream(_)));
    for (uri, dns) in [("", "spiffe://a"), ("spiffe://b", ""), ("spiffe://a/b", "")] {
        connect("10.0.0.1:0", uri, dns);
        refused(plugin.decide(&headers), "tls_required");
    }
}

#[test]
fn a_client_that_fails_too_often_is_told_when_to_come_again() {
    let mut config = local_config();
    config["failed_attempts"] = json!({"limit": 2, "window": "90s"});
    let (plugin, worker) = (start(&config), start(&config));
    let forged = hs256(&json!({"alg": "HS256", "kid": "h"}), &claims()) + "A";
    let forged = forged.replace(&forged[forged.len() - 10..], "AAAAAAAAA");
    connect("192.0.2.1:4711", "", "");
    assert!(matches!(send(plugin, "/api", &good_hs256()), Verdict::Upstream(_)));
    for _ in 0..2 {
        refused(send(plugin, "/api", &forged), "signature_invalid");
    }
    advance(Duration::from_millis(500));
    let answer = refused(send(worker, "/api", &good_hs256()), "too_many_failures");
    assert_eq!((answer.status, &*answer.body), (429, "Too Many Requests"));
    assert_eq!(answer.headers.iter().find(|(name, _)| name == "retry-after").unwrap().1, b"90");
    assert!(matches!(send(plugin, "/api", &good_hs256()), Verdict::Upstream(_)), "it is remembered");
    connect("192.0.2.2:4711", "", "");
    assert!(matches!(send(worker, "/api", &good_hs256()), Verdict::Upstream(_)), "a neighbour");
    connect("192.0.2.1:4712", "", "");
    refused(
        send(worker, "/api", &hs256(&json!({"alg": "HS256", "kid": "h"}), &claims_with("sub", json!("b")))),
        "too_many_failures",
    );
    for garbage in [&b""[..], b"x", &[0xff; 641], &[1; 641]] {
        with(|host| {
            let pages = host.shared.iter_mut().filter(|(key, _)| key.contains("/failures/"));
            pages.for_each(|(_, (value, _))| *value = garbage.to_vec());
        });
        refused(send(worker, "/api", &forged), "signature_invalid");
    }
    advance(Duration::from_secs(90));
    refused(send(worker, "/api", &forged), "signature_invalid");
}

#[test]
fn two_tokens_are_not_taken_for_one() {
    let provider = |header: &str| {
        let mut provider = local_config()["providers"]["acme"].clone();
        provider["from_headers"] = json!([{ "name": header }]);
        provider["claim_to_headers"] = json!([
            {"header_name": "x-user", "claim_name": "sub"}, {"header_name": "x-role", "claim_name": "role"},
        ]);
        provider
    };
    let plugin = start(&json!({"providers": {"a": provider("x-a"), "b": provider("x-b")}}));
    let token = |name: &str, value: &str| hs256(&json!({"alg": "HS256", "kid": "h"}), &claims_with(name, json!(value)));
    let (alice, admin) = (token("sub", "alice"), token("role", "admin"));
    let Verdict::Upstream(headers) = plugin.decide(&[(":path", "/"), ("x-a", &alice), ("x-b", &admin)]) else {
        panic!("refused: {:?}", logged(WARN))
    };
    let sent = |name: &str| headers.iter().filter(|(known, _)| known == name).count();
    assert_eq!((sent("x-user"), sent("x-role"), sent("x-a"), sent("x-b")), (1, 0, 0, 0));
}

#[test]
fn twins_of_token_headers_go_though_the_token_stays() {
    let mut config = local_config();
    config["providers"]["acme"]["from_headers"] = json!([{"name": "x-jwt-token"}]);
    config["providers"]["acme"]["forward"] = json!(true);
    let plugin = start(&config);
    let token = hs256(&json!({"alg": "HS256", "kid": "h"}), &claims());
    let headers = [(":path", "/api"), ("x-jwt-token", &*token), ("x_jwt_token", "forged"), ("x.jwt-token", "forged")];
    let Verdict::Upstream(headers) = plugin.decide(&headers) else { panic!("refused: {:?}", logged(WARN)) };
    let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).filter(|name| name.contains("jwt")).collect();
    assert_eq!(names, ["x-jwt-token"]);
}

#[test]
fn the_route_that_an_instance_in_front_judged_by_is_not_overwritten() {
    let mut config = local_config();
    config["rules"] = json!([{"match": {"route_name": "a"}}]);
    let plugin = start(&config);
    with(|host| host.route_name = Some(b"a".to_vec()));
    let said = || with(|host| host.properties.values().filter(|value| *value == "a").count());
    assert!(matches!(plugin.decide(&[(":path", "/")]), Verdict::Upstream(_)));
    assert_eq!(said(), 1);
    with(|host| host.route_judged_before = Some(b"b".to_vec()));
    assert!(matches!(plugin.decide(&[(":path", "/")]), Verdict::Upstream(_)));
    assert_eq!(said(), 1);
}

#[test]
fn rules_may_ask_for_the_route_that_the_proxy_has_chosen() {
    let mut config = local_config();
    config["rules"] = json!([
        {"match": {"route_name": "api"}, "requires": {"provider_name": "acme"}},
        {"match": {"route_name": "open"}},
    ]);
    let plugin = start(&config);
    let decide = |name: Option<&str>| {
        with(|host| host.route_name = name.map(|name| name.as_bytes().to_vec()));
        plugin.decide(&[(":path", "/")])
    };
    refused(decide(Some("api")), "token_missing");
    assert!(matches!(decide(Some("open")), Verdict::Upstream(_)));
    for other in [None, Some(""), Some("opens"), Some("Open")] {
        refused(decide(other), "no_matching_rule");
    }
}

/// Names of metadata, and values in the host's form.
type Members<'m> = [(&'m str, &'m [u8])];

#[test]
fn the_metadata_of_the_route_come_before_the_rules() {
    let mut config = local_config();
    config["requirement_map"] = json!({"strict": {"provider_name": "acme"}, "open": {"allow_missing": {}}});
    config["rules"] =
        json!([{"match": {"prefix": "/open/"}}, {"match": {"prefix": "/"}, "requirement_name": "strict"}]);
    let plugin = start(&config);
    let decide = |levels: &[(&'static str, &Members<'_>)], path: &str| {
        let members = |members: &Members<'_>| {
            let owned = |(name, value): &(&str, &[u8])| ((*name).to_owned(), value.to_vec());
            host::functions::serialize(&members.iter().map(owned).collect())
        };
        with(|host| host.metadata = levels.iter().map(|(level, metadata)| (*level, members(metadata))).collect());
        plugin.decide(&[(":path", path)])
    };
    let (route, virtual_host, listener) = ("route_metadata", "virtual_host_metadata", "listener_metadata");
    let named = |name: &'static str| [("requirement_name", name.as_bytes())];
    refused(decide(&[(route, &named("strict"))], "/open/"), "token_missing");
    assert!(matches!(decide(&[(route, &named("open"))], "/"), Verdict::Upstream(_)));
    assert!(matches!(decide(&[(listener, &[("disabled", &[1])])], "/"), Verdict::Upstream(_)));
    refused(decide(&[(listener, &[("disabled", &[1])]), (virtual_host, &named("strict"))], "/open/"), "token_missing");
    refused(decide(&[(virtual_host, &[("disabled", &[1])]), (route, &[("disabled", &[0])])], "/"), "token_missing");
    assert!(matches!(decide(&[(virtual_host, &named("strict")), (route, &[])], "/open/"), Verdict::Upstream(_)));
    for bad in [&named("unknown")[..], &[("requirement", b"open")], &[("disabled", b"true")], &[("disabled", b"1")]] {
        refused(decide(&[(route, bad)], "/open/"), "requirement_unknown");
    }
    with(|host| host.metadata = [(route, vec![9, 9])].into());
    refused(plugin.decide(&[(":path", "/open/")]), "requirement_unknown");
    with(|host| host.withheld = route);
    refused(decide(&[(virtual_host, &[("disabled", &[1])])], "/open/"), "requirement_unknown");
    with(|host| host.withheld = listener);
    assert!(matches!(decide(&[(virtual_host, &[("disabled", &[1])])], "/"), Verdict::Upstream(_)));
    refused(decide(&[], "/open/"), "requirement_unknown");
}

#[test]
fn filters_behind_are_told_by_which_route_a_request_was_judged() {
    let told = |name: &str| vec![("jwt_warden.route".to_owned(), name.to_owned())];
    let mut by_name = local_config();
    by_name["rules"] = json!([{"match": {"route_name": "api"}, "requires": {"provider_name": "acme"}},
        {"match": {"prefix": "/open/"}}]);
    let mut by_metadata = local_config();
    by_metadata["requirement_map"] = json!({"strict": {"provider_name": "acme"}});
    for config in [by_name, by_metadata] {
        let plugin = start(&config);
        assert!(with(|host| host.declared.pop()).unwrap().1.ends_with(b"jwt_warden.route\x18\x01"));
        with(|host| host.route_name = Some(b"api".to_vec()));
        assert!(matches!(send(plugin, "/api", &good_hs256()), Verdict::Upstream(_)));
        assert_eq!(properties(), told("api"));
        refused(plugin.decide(&[(":path", "/api")]), "token_missing");
        assert_eq!(properties(), []);
        with(|host| host.route_name = Some(b"open".to_vec()));
        assert!(matches!(plugin.decide(&[(":path", "/open/")]), Verdict::Upstream(_)));
        assert_eq!(properties(), told("open"));
        for nameless in [None, Some(Vec::new()), Some(vec![0xff])] {
            with(|host| host.route_name = nameless);
            assert!(matches!(plugin.decide(&[(":path", "/open/")]), Verdict::Upstream(_)));
            assert_eq!(properties(), []);
        }
        with(|host| host.lacks_properties = true);
        assert!(Plugin::start(config.to_string().as_bytes()).is_some(), "nobody has asked for it");
        with(|host| host.lacks_properties = false);
    }
    let plugin = start(&local_config());
    with(|host| host.route_name = Some(b"api".to_vec()));
    assert!(matches!(send(plugin, "/api", &good_hs256()), Verdict::Upstream(_)));
    assert_eq!(properties(), [], "no route is asked for");
}

#[test]
fn a_request_that_waits_keeps_its_route() {
    let key = EcKey::new("k1", 1);
    let mut config = remote_config();
    config["rules"] = json!([{"match": {"route_name": "api"}, "requires": {"provider_name": "acme"}}]);
    let plugin = start(&config);
    with(|host| host.route_name = Some(b"api".to_vec()));
    let id = plugin.request(&[(":path", "/"), ("authorization", &bearer(&key.token(&claims())))], false);
    assert_eq!(verdict(id), Verdict::Held);
    with(|host| host.route_name = None);
    plugin.tick();
    plugin.answer_ok(&jwks(&[key.jwk()]));
    assert!(matches!(verdict(id), Verdict::Upstream(_)));
}

#[test]
fn the_subject_has_to_fulfil_the_condition_on_it() {
    let mut config = local_config();
    config["providers"]["acme"]["subjects"] = json!({"prefix": "Ali", "ignore_case": true});
    let plugin = start(&config);
    let send_as = |subject: Value| {
        let token = hs256(&json!({"alg": "HS256", "kid": "h"}), &claims_with("sub", subject));
        send(plugin, "/api", &token)
    };
    for subject in ["alice", "ALI"] {
        assert!(matches!(send_as(json!(subject)), Verdict::Upstream(_)), "{subject}");
    }
    for subject in [json!("al"), json!("malice"), Value::Null] {
        refused(send_as(subject), "subject_not_accepted");
    }
}

/// The lines of the log from this level on that hold this.
fn lines_with(level: u32, part: &str) -> Vec<String> {
    logged(level).into_iter().filter(|line| line.contains(part)).collect()
}

const INFO: u32 = 2;

#[test]
fn a_flood_of_refusals_is_summarised_at_the_end_of_its_window() {
    let mut config = local_config();
    config["limits"] = json!({"max_denial_lines": 10});
    config["rules"][1]["name"] = json!("api");
    let plugin = start(&config);
    plugin.tick();
    for number in 0..25 {
        refused(send(plugin, "/api", if number < 15 { "x" } else { "a.b.c.d.e" }), "token_malformed");
    }
    for _ in 0..5 {
        refused(plugin.decide(&[(":path", "/else")]), "no_matching_rule");
    }
    advance(Duration::from_millis(9_999));
    plugin.tick();
    assert_eq!((lines_with(WARN, "denied reason").len(), lines_with(WARN, "denied more").len()), (10, 0));
    assert_eq!(counted("jwt_warden.log.suppressed"), 20);
    advance(Duration::from_millis(1));
    plugin.tick();
    assert_eq!(
        lines_with(WARN, "denied more"),
        [
            "jwt-warden: denied more reason=token_malformed rule=api provider=\"acme\" number=15 in=10s",
            "jwt-warden: denied more reason=no_matching_rule number=5 in=10s",
        ]
    );
    refused(send(plugin, "/api", "x"), "token_malformed");
    assert_eq!(lines_with(WARN, "denied reason").len(), 11);
    advance(Duration::from_secs(60));
    plugin.tick();
    assert_eq!(lines_with(WARN, "denied more").len(), 2, "nothing was left out");
}

#[test]
fn a_clock_that_is_set_back_mutes_the_log_no_longer_than_a_tick() {
    let mut config = local_config();
    config["limits"] = json!({"max_denial_lines": 1});
    let plugin = start(&config);
    for _ in 0..3 {
        refused(send(plugin, "/api", "x"), "token_malformed");
    }
    with(|host| host.now_millis -= 3_600_000);
    plugin.tick();
    assert!(lines_with(WARN, "denied more")[0].ends_with("number=2 in=0s"));
    refused(send(plugin, "/api", "x"), "token_malformed");
    assert_eq!(lines_with(WARN, "denied reason").len(), 2);
}

#[test]
fn what_is_counted_is_told_when_the_plugin_instance_ends() {
    let mut config = local_config();
    config["limits"] = json!({"max_denial_lines": 0});
    let plugin = start(&config);
    refused(send(plugin, "/api", "x"), "token_malformed");
    assert_eq!(lines_with(WARN, "denied"), Vec::<String>::new());
    end(plugin);
    assert_eq!(lines_with(WARN, "denied more reason=token_malformed provider=\"acme\" number=1 in=").len(), 1);
    assert_eq!(counted("jwt_warden.log.suppressed"), 1);
}

#[test]
fn a_refused_token_is_recognised_by_its_digest() {
    let mut config = local_config();
    config["providers"]["acme"]["from_headers"] = json!([{"name": "x-first"}, {"name": "x-second"}]);
    let plugin = start(&config);
    let header = json!({"alg": "HS256", "kid": "h"});
    let expired = hs256(&header, &claims_with("exp", json!(1)));
    let digest = |token: &str| {
        use sha2::Digest as _;
        let hash = sha2::Sha256::digest(token.as_bytes());
        hash[..8].iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    let last = || logged(WARN).pop().unwrap();
    let good = good_hs256();
    refused(plugin.decide(&[(":path", "/api"), ("x-first", &good), ("x-second", &expired)]), "token_expired");
    assert!(last().contains(&format!(" token={} detail=", digest(&expired))), "{}", last());
    refused(plugin.decide(&[(":path", "/api"), ("x-first", &good), ("x-first", &expired)]), "token_duplicated");
    assert!(last().ends_with(&format!(" token={}", digest(&good))), "{}", last());
    for other in ["/api", "/else"] {
        assert!(matches!(plugin.decide(&[(":path", other)]), Verdict::Answered(_)));
        assert!(!last().contains("token="), "{}", last());
    }
    refused(plugin.decide(&[(":path", "/api"), ("x-first", "hunter2")]), "token_malformed");
    assert!(!last().contains("token="), "{}", last());
}

#[test]
fn decisions_are_put_on_record_once_and_tell_of_verified_tokens_only() {
    let mut config = local_config();
    config["audit"] = json!({"decisions": "all", "subject": "plain"});
    config["limits"] = json!({"max_denial_lines": 0});
    let plugin = start(&config);
    let header = json!({"alg": "HS256", "kid": "h"});
    let expired = hs256(&header, &claims_with("exp", json!(1)));
    let forged = format!("{}A", &good_hs256()[..good_hs256().len() - 1]);
    let who = r#"issuer="https://issuer.test" subject="alice""#;
    let what = r#"method="GET" host="" path="/api""#;
    for (token, expected) in [
        (good_hs256(), format!(r#"verdict=allowed reason=verified provider="acme" {who} {what}"#)),
        (good_hs256(), format!(r#"verdict=allowed reason=verified provider="acme" {who} {what}"#)),
        (expired, format!(r#"verdict=denied reason=token_expired status=401 provider="acme" {who} {what}"#)),
        (forged, format!(r#"verdict=denied reason=signature_invalid status=401 provider="acme" {what}"#)),
    ] {
        let before = lines_with(INFO, "audit ").len();
        send(plugin, "/api?x=1", &token);
        let lines = lines_with(INFO, "audit ");
        assert_eq!((lines.len(), lines.last().unwrap()), (before + 1, &format!("jwt-warden: audit {expected}")));
    }
    send(plugin, "/open/", "x");
    assert!(logged(INFO).pop().unwrap().contains("audit verdict=allowed reason=not_required method="));
}

#[test]
fn a_request_that_waited_is_put_on_record_when_it_is_decided() {
    let mut config = remote_config();
    config["audit"] = json!({"decisions": "all"});
    let key = EcKey::new("k1", 1);
    let plugin = start(&config);
    let authorization = bearer(&key.token(&claims()));
    with(|host| host.route_name = Some(b"orders".to_vec()));
    let id = plugin.request(&[(":path", "/api"), ("authorization", &authorization)], true);
    plugin.tick();
    assert!(lines_with(INFO, "audit ").is_empty());
    plugin.answer_ok(&jwks(&[key.jwk()]));
    assert!(matches!(verdict(id), Verdict::Upstream(_)));
    let [line] = &lines_with(INFO, "audit ")[..] else { panic!("{:?}", logged(INFO)) };
    assert!(line.ends_with(r#"issuer="https://issuer.test" method="" host="" path="/api" route="orders""#), "{line}");
}

#[test]
fn a_refusal_is_put_on_record_with_its_route_though_no_rule_asks_for_that() {
    for decisions in ["denied", "all"] {
        let mut config = local_config();
        config["audit"] = json!({"decisions": decisions});
        let plugin = start(&config);
        with(|host| host.route_name = Some(b"orders".to_vec()));
        send(plugin, "/api", "x");
        let line = lines_with(INFO, "audit ").pop().unwrap();
        assert!(line.ends_with(r#"path="/api" route="orders""#), "{line}");
    }
}
