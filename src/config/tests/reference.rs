//! The reference in `docs/configuration.md` and the shapes agree.

use serde_json::{Value, json};

use super::{least_with, load};

const REFERENCE: &str = include_str!("../../../docs/configuration.md");

/// The fields of the object that `value` is, from the answer to a field that it does not have.
fn fields(pointer: &str, value: Value) -> Vec<String> {
    let error = load(&least_with(pointer, value)).unwrap_err();
    let (_, fields) = error.split_once("it has ").unwrap_or_else(|| panic!("{error}"));
    fields.split(", ").map(|field| field.trim_matches('`').to_owned()).collect()
}

#[test]
fn every_field_is_in_the_reference() {
    let unknown = json!({"?": 1});
    let objects = [
        ("configuration", fields("/?", json!(1))),
        ("provider", fields("/providers/acme", unknown.clone())),
        ("local_jwks", fields("/providers/acme/local_jwks", unknown.clone())),
        ("remote_jwks", fields("/providers/acme/remote_jwks", unknown.clone())),
        ("discovery", fields("/providers/acme/discovery", unknown.clone())),
        ("backoff", fields("/providers/acme/remote_jwks/backoff", unknown.clone())),
        ("http_uri", fields("/providers/acme/remote_jwks/http_uri", unknown.clone())),
        ("from_headers", fields("/providers/acme/from_headers", json!([unknown]))),
        ("csrf", fields("/providers/acme/csrf", unknown.clone())),
        ("double_submit", fields("/providers/acme/csrf", json!({"double_submit": unknown}))),
        ("claim_to_headers", fields("/providers/acme/claim_to_headers", json!([unknown]))),
        ("claim_to_filter_state", fields("/providers/acme/claim_to_filter_state", json!([unknown]))),
        ("revocation", fields("/providers/acme/revocation", unknown.clone())),
        ("denylists", fields("/providers/acme/revocation", json!({"denylists": [unknown]}))),
        ("lookup", fields("/providers/acme/revocation", json!({"lookup": unknown}))),
        ("revoked_when", fields("/providers/acme/revocation", json!({"lookup": {"revoked_when": unknown}}))),
        ("status_lists", fields("/providers/acme/revocation", json!({"status_lists": [unknown]}))),
        ("rule", fields("/rules", json!([unknown]))),
        ("match", fields("/rules", json!([{"match": unknown}]))),
        ("safe_regex", fields("/rules", json!([{"match": {"safe_regex": unknown}}]))),
        ("headers", fields("/rules", json!([{"match": {"headers": [unknown]}}]))),
        ("range_match", fields("/rules", json!([{"match": {"headers": [{"range_match": unknown}]}}]))),
        ("query_parameters", fields("/rules", json!([{"match": {"query_parameters": [unknown]}}]))),
        ("string_match", fields("/providers/acme/subjects", unknown.clone())),
        ("requires", fields("/rules", json!([{"requires": unknown}]))),
        ("requires_any", fields("/rules", json!([{"requires": {"requires_any": unknown}}]))),
        ("provider_and_audiences", fields("/rules", json!([{"requires": {"provider_and_audiences": unknown}}]))),
        ("claims", fields("/rules", json!([{"requires": {"claims": [unknown]}}]))),
        ("not", fields("/rules", json!([{"requires": {"claims": [{"not": unknown}]}}]))),
        ("trusted_proxies", fields("/trusted_proxies", unknown.clone())),
        ("certificates", fields("/trusted_proxies", json!({"certificates": [unknown]}))),
        ("failed_attempts", fields("/failed_attempts", unknown.clone())),
        ("by", fields("/failed_attempts", json!({"by": unknown}))),
        ("token_cache", fields("/token_cache", unknown.clone())),
        ("protected_resource", fields("/protected_resource", unknown.clone())),
        ("dpop", fields("/dpop", unknown.clone())),
        ("nonce", fields("/dpop", json!({"nonce": unknown}))),
        ("replay_memory", fields("/dpop", json!({"replay_memory": unknown}))),
        ("audit", fields("/audit", unknown.clone())),
        ("digest_key", fields("/audit", json!({"digest_key": unknown}))),
        ("limits", fields("/limits", unknown.clone())),
    ];
    for (object, fields) in &objects {
        for field in fields {
            assert!(REFERENCE.contains(&format!("\n| `{field}` |")), "no row for {field} of {object}");
        }
    }
    assert_eq!(objects.iter().map(|(_, fields)| fields.len()).sum::<usize>(), 191 + 6);
}
