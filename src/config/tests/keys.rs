//! Mistakes in the sources of keys.

use serde_json::{Value, json};

use super::{KEYS, check, least_with, load};

#[test]
fn shared_secrets_are_allowed_in_local_sets() {
    let mut config = least_with("/providers/acme/remote_jwks", Value::Null);
    let key = r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;
    config["providers"]["acme"]["local_jwks"] = json!({"inline_string": format!(r#"{{"keys":[{key}]}}"#)});
    config["providers"]["acme"]["algorithms"] = json!(["HS256"]);
    assert_eq!(load(&config).unwrap().warnings, []);
}

#[test]
fn sources_of_keys() {
    let one = "providers.acme.local_jwks: needs exactly one of inline_string, inline_bytes and environment_variable";
    let unset = "is not set, or is empty, in the VM's environment (vm_config.environment_variables)";
    let local = |local: Value| {
        let mut config = least_with("/providers/acme/remote_jwks", Value::Null);
        config["providers"]["acme"]["local_jwks"] = local;
        load(&config).unwrap_err()
    };
    check(&[
        (
            "/providers/acme/remote_jwks",
            Value::Null,
            "providers.acme: needs its keys: give remote_jwks, discovery or local_jwks",
        ),
        (
            "/providers/acme/local_jwks",
            json!({"inline_string": KEYS}),
            "providers.acme: has more than one of local_jwks, remote_jwks and discovery: give one of them",
        ),
    ]);
    assert_eq!(local(json!({})), one);
    assert_eq!(local(json!({"inline_string": KEYS, "environment_variable": "JWKS"})), one);
    for name in ["OTHER", "EMPTY"] {
        let expected = format!("providers.acme.local_jwks.environment_variable: `{name}` {unset}");
        assert_eq!(local(json!({"environment_variable": name})), expected);
    }
    let document = "providers.acme.local_jwks.inline_string: is not a usable JWKS document:";
    assert_eq!(local(json!({"inline_string": "{}"})), format!("{document} `keys` is missing"));
    let none = "providers.acme.local_jwks.inline_string: has no usable key: 0 skipped";
    assert_eq!(local(json!({"inline_string": r#"{"keys":[]}"#})), none);
    let weak = local(json!({"inline_string": r#"{"keys":[{"kty":"oct","k":"c2VjcmV0LXNlY3JldA"}]}"#}));
    assert!(weak.starts_with("providers.acme.local_jwks.inline_string: key 0: ") && !weak.contains("c2Vj"), "{weak}");
    let base64 = "providers.acme.local_jwks.inline_bytes: has to be base64";
    assert_eq!(local(json!({"inline_bytes": KEYS})), base64);
}

#[test]
fn remote_keys() {
    let url = "providers.acme.remote_jwks.http_uri.uri: has to be an absolute http or https URL, such as \
               `https://idp.example/jwks.json`: a host, no user name, no fragment, no blanks";
    let cluster =
        "providers.acme.remote_jwks.http_uri.cluster: is required: the name of the Envoy cluster that serves the URI";
    let duration = r#"has to be a number and its unit, such as "300s", "5m", "1h", "250ms" or "0.5s""#;
    let at = "/providers/acme/remote_jwks/";
    for (field, value, expected) in [
        ("http_uri", Value::Null, "providers.acme.remote_jwks.http_uri: is required: the server's uri and its cluster"),
        ("http_uri/uri", Value::Null, "providers.acme.remote_jwks.http_uri.uri: is required: the URL"),
        ("http_uri/uri", json!("acme.example/jwks"), url),
        ("http_uri/uri", json!("https://acme.example/#a"), url),
        ("http_uri/cluster", Value::Null, cluster),
        ("http_uri/cluster", json!(""), cluster),
        (
            "http_uri/timeout",
            json!("0s"),
            r#"providers.acme.remote_jwks.http_uri.timeout: has to be from "1ms" to "60s""#,
        ),
        (
            "http_uri/timeout",
            json!("61s"),
            r#"providers.acme.remote_jwks.http_uri.timeout: has to be from "1ms" to "60s""#,
        ),
        ("http_uri/timeout", json!("5"), &format!("providers.acme.remote_jwks.http_uri.timeout: {duration}")),
        ("cache_duration", json!("0s"), r#"providers.acme.remote_jwks.cache_duration: has to be from "1s" to "720h""#),
        ("max_stale", json!("721h"), r#"providers.acme.remote_jwks.max_stale: has to be from "0s" to "720h""#),
        (
            "unknown_kid_interval",
            json!("99ms"),
            r#"providers.acme.remote_jwks.unknown_kid_interval: has to be from "100ms" to "1h""#,
        ),
        (
            "backoff",
            json!({"base_interval": "0s"}),
            r#"providers.acme.remote_jwks.backoff.base_interval: has to be from "100ms" to "1h""#,
        ),
        (
            "backoff",
            json!({"base_interval": "3s", "max_interval": "2s"}),
            "providers.acme.remote_jwks.backoff.max_interval: has to be at least base_interval",
        ),
        ("max_stale", json!("1d"), &format!("providers.acme.remote_jwks.max_stale: {duration}")),
    ] {
        check(&[(&format!("{at}{field}"), value, expected)]);
    }
}

#[test]
fn discovery_needs_an_issuer_and_a_place() {
    let http_uri = json!({"uri": "https://acme.example/.well-known/openid-configuration", "cluster": "acme"});
    let discovery = |discovery: Value| {
        let mut config = least_with("/providers/acme/remote_jwks", Value::Null);
        config["providers"]["acme"]["discovery"] = discovery;
        config
    };
    let good = discovery(json!({"http_uri": http_uri, "jwks_clusters": {"keys.example:8443": "keys"}}));
    assert_eq!(load(&good).unwrap().warnings, []);
    let mut any_issuer = good;
    any_issuer["providers"]["acme"]["issuer"] = Value::Null;
    any_issuer["providers"]["acme"].as_object_mut().unwrap().remove("issuer");
    any_issuer["providers"]["acme"]["any_issuer"] = json!(true);
    let expected = "providers.acme.discovery: needs the provider's exact `issuer`: the metadata have to name the same";
    assert_eq!(load(&any_issuer).unwrap_err(), expected);
    for clusters in [json!({"https://keys.example": "keys"}), json!({"keys.example": ""}), json!({"a/b": "c"})] {
        let error = load(&discovery(json!({"http_uri": http_uri, "jwks_clusters": clusters}))).unwrap_err();
        assert!(error.starts_with("providers.acme.discovery.jwks_clusters: has to map hosts"), "{error}");
    }
}
