//! Each lint beside its near miss.

use super::super::environment::Variables;
use super::super::{Outcome, file};

const LEAST: &str = r#"{"providers": {"acme": {
    "issuer": "https://acme.example", "audiences": ["api"], "max_lifetime": "24h",
    "remote_jwks": {"http_uri": {"uri": "https://acme.example/jwks", "cluster": "acme"}, "max_stale": "1h"}
}}}"#;

fn ids(text: &str) -> Vec<&'static str> {
    let mut outcome = Outcome::default();
    let variables = Variables::of_arguments(&[]).unwrap();
    file::text_of("x".into(), text.to_owned(), true, &variables, &mut outcome);
    outcome.findings.iter().map(|finding| finding.rule).collect()
}

/// What is said of the least configuration when `from` is replaced in it.
fn with(from: &str, to: &str) -> Vec<&'static str> {
    assert!(LEAST.contains(from), "{from}");
    ids(&LEAST.replace(from, to))
}

/// The same with these rules.
fn rules(rules: &str) -> Vec<&'static str> {
    ids(&format!("{}, \"rules\": {rules}}}", LEAST.strip_suffix('}').unwrap()))
}

/// The least configuration in a bootstrap of Envoy's, with these members around it.
fn bootstrap(config: &str, manager: &str, rest: &str) -> Vec<&'static str> {
    ids(&format!(
        r#"{{"static_resources": {{"listeners": [{{"filter": {{
            "@type": "x/envoy.HttpConnectionManager", {manager} "http_filters": [{{
                "@type": "x/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": {{"name": "jwt_warden", {config} "configuration": {{"value": {LEAST}}}}}
            }}]
        }}}}], "clusters": [{{"name": "acme", "transport_socket": {{}}}}, {{"name": "plain"}}]}} {rest}}}"#
    ))
}

const NORMALIZED: &str =
    r#""normalize_path": true, "mergeSlashes": true, "path_with_escaped_slashes_action": "REJECT_REQUEST","#;

#[test]
fn nothing_is_said_where_nothing_is_doubtful() {
    assert_eq!(ids(LEAST), [""; 0]);
    assert_eq!(bootstrap("", NORMALIZED, ""), [""; 0]);
}

#[test]
fn lifetimes() {
    assert_eq!(with(r#""24h""#, r#""25h""#), ["long-lifetime"]);
    assert_eq!(with(r#""max_lifetime": "24h","#, ""), ["unlimited-lifetime"]);
    assert_eq!(
        with(r#""max_lifetime": "24h""#, r#""requireExpiration": false"#),
        ["unlimited-lifetime", "expiration-optional"]
    );
    assert_eq!(with(r#", "max_stale": "1h""#, ""), ["default-max-stale"]);
}

#[test]
fn rules_that_let_pass() {
    let asks = r#""requires": {"provider_name": "acme"}"#;
    for (rule, expected) in [
        (r#"{"match": {"prefix": "/"}}"#, vec!["unused-provider", "open-route"]),
        (r#"{"match": {"path": "/"}}"#, vec!["unused-provider"]),
        (r#"{"match": {"prefix": "/", "methods": ["OPTIONS"]}}"#, vec!["unused-provider"]),
        (r#"{"match": {"methods": ["OPTIONS", "GET"]}}"#, vec!["unused-provider", "open-route"]),
        (r#"{"match": {"hosts": ["a.example"]}}"#, vec!["unused-provider", "open-route"]),
        (r#"{"match": {"connect_matcher": {}}}"#, vec!["unused-provider"]),
        (r#"{"match": {"safe_regex": {"regex": "/a.*"}}}"#, vec!["unused-provider"]),
        (&format!(r#"{{"match": {{"prefix": "/"}}, {asks}}}"#), vec![]),
    ] {
        let mut found = rules(&format!("[{rule}]"));
        found.sort_by_key(|id| *id == "open-route");
        assert_eq!(found, expected, "{rule}");
    }
}

#[test]
fn keys_of_two_kinds() {
    let local = |keys: &str| {
        let remote = r#""remote_jwks": {"http_uri": {"uri": "https://acme.example/jwks", "cluster": "acme"}, "max_stale": "1h"}"#;
        with(remote, &format!(r#""algorithms": ["HS256"], "local_jwks": {{"inline_string": {keys:?}}}"#))
    };
    let secret =
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    let public = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert_eq!(local(&format!(r#"{{"keys":[{secret}]}}"#)), [""; 0]);
    assert_eq!(local(&format!(r#"{{"keys":[{secret},{public}]}}"#)), ["hmac-beside-asymmetric"]);
}

#[test]
fn places_of_keys() {
    assert_eq!(with("https://acme.example/jwks", "http://acme.example/jwks"), ["plain-http"]);
    assert_eq!(with("https://acme.example/jwks", "http://127.0.0.1:8080/jwks"), [""; 0]);
    assert_eq!(with(r#""cluster": "acme""#, r#""cluster": "nowhere""#), [""; 0], "a bare file has no clusters");
}

#[test]
fn what_surrounds_it_in_envoy() {
    assert_eq!(bootstrap(r#""failure_policy": "FAIL_OPEN","#, NORMALIZED, ""), ["fail-open"]);
    assert_eq!(bootstrap(r#""failure_policy": "FAIL_CLOSED","#, NORMALIZED, ""), [""; 0]);
    assert_eq!(bootstrap(r#""fail_open": true,"#, NORMALIZED, ""), ["fail-open"]);
    assert_eq!(bootstrap("", &NORMALIZED.replace("true", "false"), ""), ["path-normalization"]);
    let code = |digest: &str| {
        let vm = format!(r#""vm_config": {{"code": {{"remote": {{"sha256": "{digest}"}}}}}},"#);
        bootstrap(&vm, NORMALIZED, "")
    };
    assert_eq!(code("00"), [""; 0]);
    assert_eq!(code(""), ["unpinned-code"]);
}

#[test]
fn clusters_may_come_later() {
    let named = |cluster: &str, rest: &str| {
        let text = format!(
            r#"{{"static_resources": {{"clusters": [{{"name": "acme"}}], "x": {{
                "@type": "x/envoy.extensions.filters.http.wasm.v3.Wasm",
                "config": {{"configuration": {{"value": {}}}}}
            }}}} {rest}}}"#,
            LEAST.replace(r#""cluster": "acme""#, &format!(r#""cluster": "{cluster}""#))
        );
        ids(&text)
    };
    assert_eq!(named("acme", ""), ["cluster-without-tls"]);
    assert_eq!(named("amce", ""), ["unknown-cluster"]);
    assert_eq!(named("amce", r#", "dynamic_resources": {"cds_config": {}}"#), [""; 0]);
}

#[test]
fn nothing_that_is_written_ends_the_program() {
    for text in
        ["", "null", "[]", "1", "{}", "providers:", "providers: {a: }", "rules: [1]", "kind: WasmPlugin", "kind: [1]"]
    {
        let _ = ids(text);
    }
    for rest in [r#""config": 1"#, r#""config": {"configuration": {"value": "{"}}"#, r#""config": {"vm_config": []}"#] {
        let _ = ids(&format!(r#"{{"@type": "x.wasm.v3.Wasm", {rest}}}"#));
    }
}
