//! What is allowed, but probably not meant.

use serde_json::{Value, json};

use super::{least, least_with, load};

fn warnings(config: &Value) -> Vec<String> {
    load(config).unwrap().warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_plain_configuration_gives_no_warning() {
    assert_eq!(warnings(&least()), [""; 0]);
}

#[test]
fn doubtful_fields_are_named() {
    for (pointer, value, expected) in [
        (
            "/providers/acme/from_headers",
            json!([{"name": "Authorization"}]),
            "providers.acme.from_headers[0]: without value_prefix the whole value is the token: `Bearer` is not looked for",
        ),
        (
            "/providers/acme/claim_to_headers",
            json!([{"header_name": "x-forwarded-user", "claim_name": "sub"}]),
            "providers.acme.claim_to_headers[0].header_name: the proxy itself reads and writes this header",
        ),
        (
            "/providers/acme/forward_payload_header",
            json!("X-Envoy-Payload"),
            "providers.acme.forward_payload_header: the proxy itself reads and writes this header",
        ),
        (
            "/providers/acme/remote_jwks/unknown_kid_interval",
            json!("6s"),
            "providers.acme.remote_jwks.unknown_kid_interval: is longer than http_uri.timeout: while strangers make up \
             `kid`s, the first tokens of a new key may be refused",
        ),
        ("/rules", json!([{"match": {"prefix": "/"}}]), "providers.acme: no rule uses this provider"),
    ] {
        assert_eq!(warnings(&least_with(pointer, value)), [expected]);
    }
}

#[test]
fn providers_that_metrics_cannot_tell_apart_are_doubtful() {
    let two = |first: &str, second: &str| {
        let mut config = least();
        let acme = config["providers"].as_object_mut().unwrap().remove("acme").unwrap();
        for name in [first, second] {
            config["providers"][name] = acme.clone();
            config["providers"][name]["issuer"] = json!(format!("https://{name}.example/"));
        }
        warnings(&config)
    };
    assert_eq!(two("ac-me", "ac_me"), [""; 0]);
    let expected = "providers.ac_me: has the name of `ac.me` in metrics: they cannot be told apart there";
    assert_eq!(two("ac.me", "ac_me"), [expected]);
}

#[test]
fn an_exemption_that_takes_more_than_it_names_is_doubtful() {
    let requires = json!({"provider_name": "acme"});
    let rules = |prefix: &str| json!([{"match": {"prefix": prefix}}, {"match": {"prefix": "/"}, "requires": requires}]);
    let expected = "rules[0].match.prefix: lets whatever begins so pass without verification: end it with `/`, or use \
                    `path`";
    assert_eq!(warnings(&least_with("/rules", rules("/health"))), [expected]);
    assert_eq!(warnings(&least_with("/rules", rules("/health/"))), [""; 0]);
}

#[test]
fn what_is_only_reported_is_named() {
    let rule = |path: &str, report_only: Value| {
        let mut rule = json!({"match": {"path": path}, "requires": {"provider_name": "acme"}});
        if report_only.is_boolean() {
            rule["report_only"] = report_only;
        }
        rule
    };
    let all = "report_only: requests that should be refused pass, but by rules with `report_only: false`";
    let one = "rules[1].report_only: requests that this rule should refuse pass";
    let mut config = least_with("/rules", json!([rule("/a", Value::Null), rule("/b", json!(true))]));
    assert_eq!(warnings(&config), [one]);
    config["report_only"] = json!(true);
    assert_eq!(warnings(&config), [all]);
    config["rules"][1]["report_only"] = json!(false);
    assert_eq!(warnings(&config), [all]);
    config["report_only"] = json!(false);
    assert_eq!(warnings(&config), [""; 0]);
    assert_eq!(warnings(&least_with("/report_only", json!(true))), [all]);
    assert!(load(&least_with("/report_only", json!(true))).unwrap().config.rules[0].report_only);
}

#[test]
fn routes_that_may_be_chosen_again_are_doubtful() {
    let requires = json!({"provider_name": "acme"});
    let rules = json!([
        {"match": {"prefix": "/a"}, "requires": requires},
        {"match": {"route_name": "b"}, "requires": requires},
        {"match": {"route_name": "c"}, "requires": requires}
    ]);
    let mut config = least_with("/rules", rules);
    let expected = "rules[1].match.route_name: Envoy chooses the route again once the filter has removed or set a header: \
                    have the guard of docs/envoy.md behind the filter where routes match on headers, cookies or the query";
    assert_eq!(warnings(&config), [expected]);
    config["providers"]["acme"]["forward"] = json!(true);
    assert_eq!(warnings(&config), [""; 0], "nothing is changed");
    config["providers"]["acme"]["claim_to_headers"] = json!([{"header_name": "x-user", "claim_name": "sub"}]);
    assert_eq!(warnings(&config), [expected]);
}

#[test]
fn a_lifetime_that_tokens_may_do_without_is_doubtful() {
    let mut config = least_with("/providers/acme/max_lifetime", json!("1h"));
    config["providers"]["acme"]["require_expiration"] = json!(false);
    let expected =
        "providers.acme.max_lifetime: needs `exp` in every token: `require_expiration: false` has no effect beside it";
    assert_eq!(warnings(&config), [expected]);
}

#[test]
fn providers_that_compete_for_a_token_are_named_where_no_rule_chooses() {
    let mut config = least();
    config["providers"]["other"] = config["providers"]["acme"].clone();
    let expected = "providers.other: takes tokens of the same issuer from the same place as `acme`: each is tried";
    assert_eq!(warnings(&config), [expected]);

    config["providers"]["other"]["from_params"] = json!(["other"]);
    assert_eq!(warnings(&config), [""; 0]);

    config["providers"]["other"] = config["providers"]["acme"].clone();
    config["rules"] = json!([
        {"match": {"prefix": "/other"}, "requires": {"provider_name": "other"}},
        {"match": {"prefix": "/"}, "requires": {"provider_name": "acme"}}
    ]);
    assert_eq!(warnings(&config), [""; 0]);
}

#[test]
fn local_keys_that_are_of_no_use_are_doubtful() {
    let keys =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"x"}]}"#;
    let mut config = least_with("/providers/acme/remote_jwks", Value::Null);
    config["providers"]["acme"]["local_jwks"] = json!({"inline_string": keys});
    config["providers"]["acme"]["algorithms"] = json!(["EdDSA", "ES256"]);
    let warnings = warnings(&config);
    let path = "providers.acme.local_jwks.inline_string:";
    assert!(warnings[0].starts_with(&format!("{path} key 1: ")), "{}", warnings[0]);
    assert_eq!(warnings[1..], [format!("{path} has no key that fits ES256, which algorithms lists")]);
}

#[test]
fn a_rule_that_looks_at_what_the_filter_changes_is_doubtful() {
    let changes = json!([{"header_name": "X-User", "claim_name": "sub"}]);
    let mut config = least_with("/providers/acme/claim_to_headers", changes);
    config["providers"]["acme"]["forward_payload_header"] = json!("x-payload");
    config["providers"]["acme"]["from_cookies"] = json!(["__Host-session"]);
    config["providers"]["acme"]["from_params"] = json!(["jwt"]);
    config["providers"]["acme"]["from_headers"] = json!([{"name": "x-token"}]);
    let names = ["x-user", "X-Payload", "cookie", "x-token", "x-users", "authorization"];
    let headers = names.map(|name| json!({ "name": name }));
    config["rules"] = json!([
        {"match": {"headers": headers}, "requires": {"provider_name": "acme"}},
        {"match": {"query_parameters": [{"name": "a"}, {"name": "jwt"}]}, "requires": {"provider_name": "acme"}}
    ]);
    let mut expected: Vec<_> = (0..4)
        .map(|index| {
            let sentence = "the filter itself removes or sets this header: a rule sees what the client sent in it";
            format!("rules[0].match.headers[{index}].name: {sentence}")
        })
        .collect();
    let sentence = "tokens come in this parameter, and the filter removes them: a rule sees it as it came";
    expected.push(format!("rules[1].match.query_parameters[1].name: {sentence}"));
    assert_eq!(warnings(&config), expected);
}

#[test]
fn demands_on_proofs_that_nobody_sends_are_doubtful() {
    let expected = "dpop: has no effect: no provider takes tokens under the scheme `DPoP`, or all have `sender_constraint: ignore`";
    let with = |pointer, value| {
        let mut config = least_with(pointer, value);
        config["dpop"] = json!({});
        warnings(&config)
    };
    assert_eq!(with("/realm", json!("api")), [""; 0]);
    assert_eq!(with("/providers/acme/sender_constraint", json!("ignore")), [expected]);
    let scheme = |scheme| json!([{"name": "Authorization", "value_prefix": scheme}]);
    assert_eq!(with("/providers/acme/from_headers", scheme("Bearer ")), [expected]);
    assert_eq!(with("/providers/acme/from_headers", scheme("dpop")), [""; 0]);
}
