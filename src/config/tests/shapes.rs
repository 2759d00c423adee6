//! Fields of the wrong type, and fields that are not there.

use serde_json::json;

use super::{check, least, load};

#[test]
fn wrong_types() {
    check(&[
        ("/providers", json!([]), "providers: is a list, but has to be an object whose names you choose"),
        ("/providers/acme", json!("x"), "providers.acme: is a string, but has to be an object: a provider"),
        ("/providers/acme", json!([]), "providers.acme: is a list, but has to be an object: a provider"),
        ("/providers/acme/issuer", json!(["x"]), "providers.acme.issuer: is a list, but has to be a string"),
        ("/providers/acme/audiences", json!("api"), "providers.acme.audiences: is a string, but has to be a list"),
        (
            "/providers/acme/audiences",
            json!(["a", 1]),
            "providers.acme.audiences[1]: is a whole number, but has to be a string",
        ),
        ("/providers/acme/forward", json!("true"), "providers.acme.forward: is a string, but has to be true or false"),
        (
            "/providers/acme/clock_skew_seconds",
            json!("60s"),
            "providers.acme.clock_skew_seconds: is a string, but has to be a whole number, zero or more",
        ),
        (
            "/providers/acme/clock_skew_seconds",
            json!(-1),
            "providers.acme.clock_skew_seconds: is a number that is negative or not whole, but has to be a whole number, zero or more",
        ),
        (
            "/providers/acme/max_lifetime",
            json!(300),
            r#"providers.acme.max_lifetime: is a whole number, but has to be a number and its unit in quotes, such as "300s" or "5m""#,
        ),
        (
            "/providers/acme/local_jwks",
            json!({"inline_string": {"keys": []}}),
            "providers.acme.local_jwks.inline_string: is an object, but has to be a string",
        ),
        ("/rules", json!({}), "rules: is an object, but has to be a list"),
        (
            "/rules",
            json!([{"match": "/"}]),
            "rules[0].match: is a string, but has to be an object, with `prefix`, `path` or another condition",
        ),
        (
            "/rules",
            json!([{"match": {"prefix": 1}}]),
            "rules[0].match.prefix: is a whole number, but has to be a string",
        ),
    ]);
}

#[test]
fn null_is_not_absence() {
    let mut config = least();
    config["rules"] = json!([{"match": {"prefix": "/"}, "requires": null}]);
    let expected = "rules[0].requires: is null, but has to be an object, with `provider_name` or another requirement";
    assert_eq!(load(&config).unwrap_err(), expected);
    config["rules"] = json!(null);
    assert_eq!(load(&config).unwrap_err(), "rules: is null, but has to be a list");
}

#[test]
fn unknown_fields() {
    check(&[
        ("/rule", json!([]), "rule: is not a field of this object: did you mean `rules`?"),
        (
            "/providers/acme/audience",
            json!([]),
            "providers.acme.audience: is not a field of this object: did you mean `audiences`?",
        ),
        (
            "/providers/acme/isuser",
            json!(""),
            "providers.acme.isuser: is not a field of this object: did you mean `issuer`?",
        ),
        (
            "/rules",
            json!([{"match": {"prefixx": "/"}}]),
            "rules[0].match.prefixx: is not a field of this object: did you mean `prefix`?",
        ),
        (
            "/rules",
            json!([{"requires": {"glob\n": "/"}}]),
            r"rules[0].requires.glob\n: is not a field of this object: it has `provider_name`, `provider_and_audiences`, `requires_any`, `requires_all`, `allow_missing`, `allow_missing_or_failed`, `scopes`, `any_scopes`, `claims`",
        ),
    ]);
}

#[test]
fn fields_of_jwt_authn_that_are_done_in_another_way() {
    let metadata = "a Wasm filter cannot write dynamic metadata: use claim_to_filter_state or claim_to_headers";
    let later = "is not supported in this version: remove it";
    let background = "keys are always fetched in the background: remove it";
    let files = "a Wasm filter cannot read files: use inline_string, or environment_variable with the VM's environment";
    for (pointer, sentence) in [
        ("/providers/acme/remote_jwks/async_fetch", background),
        ("/providers/acme/remote_jwks/asyncFetch", background),
        ("/providers/acme/remote_jwks/retry_policy", later),
        (
            "/providers/acme/jwt_cache_config",
            "verified tokens are always cached: use token_cache, beside providers, or remove it",
        ),
        ("/providers/acme/payload_in_metadata", metadata),
        ("/providers/acme/header_in_metadata", metadata),
        ("/providers/acme/failed_status_in_metadata", metadata),
        ("/providers/acme/normalize_payload_in_metadata", metadata),
        ("/filter_state_rules", later),
        ("/strip_failure_response", "an answer never tells the reason of a refusal: remove it"),
        ("/stat_prefix", "the metrics have fixed names: remove it"),
    ] {
        let path = pointer.replace('/', ".").replace("asyncFetch", "async_fetch");
        check(&[(pointer, json!({}), &format!("{}: {sentence}", path.trim_start_matches('.')))]);
    }
    let local = json!({"filename": "/etc/jwks.json"});
    check(&[("/providers/acme/local_jwks", local, &format!("providers.acme.local_jwks.filename: {files}"))]);
    for field in ["cookies", "dynamic_metadata", "filter_state", "grpc", "path_match_policy", "runtime_fraction"] {
        check(&[("/rules", json!([{"match": {field: {}}}]), &format!("rules[0].match.{field}: {later}"))]);
    }
}
