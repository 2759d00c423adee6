//! What to say about a field that a shape does not have.

use super::report::listed;

/// Longer names are not compared with the known ones.
const MAX_COMPARED: usize = 64;

const METADATA: &str = "a Wasm filter cannot write dynamic metadata: use claim_to_filter_state or claim_to_headers";
const FILES: &str =
    "a Wasm filter cannot read files: use inline_string, or environment_variable with the VM's environment";
const LATER: &str = "is not supported in this version: remove it";

/// The fields of `jwt_authn` that can never be, or that have to be done in another way here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("filename", FILES),
    ("watched_directory", FILES),
    ("jwt_cache_config", "verified tokens are always cached: use token_cache, beside providers, or remove it"),
    ("async_fetch", "keys are always fetched in the background: remove it"),
    ("payload_in_metadata", METADATA),
    ("header_in_metadata", METADATA),
    ("failed_status_in_metadata", METADATA),
    ("normalize_payload_in_metadata", METADATA),
    ("strip_failure_response", "an answer never tells the reason of a refusal: remove it"),
    ("stat_prefix", "the metrics have fixed names: remove it"),
    ("extract_only_without_validation", "claims that nobody verified are not handed on: remove it"),
];

/// The fields of `jwt_authn` and of the contract that this version does not have.
const PLANNED: &[&str] = &[
    "cookies",
    "custom",
    "dynamic_metadata",
    "filter_state",
    "filter_state_rules",
    "grpc",
    "path_match_policy",
    "retry_policy",
    "runtime_fraction",
    "tls_context",
];

/// A sentence about `field`, in an object whose fields are `known`.
pub(super) fn sentence(field: &str, known: &[&str]) -> String {
    if let Some((_, sentence)) = ELSEWHERE.iter().find(|(name, _)| *name == field) {
        return (*sentence).to_owned();
    }
    if PLANNED.contains(&field) {
        return LATER.to_owned();
    }
    if known.is_empty() {
        return "is not a field of this object: it has none".to_owned();
    }
    match nearest(field, known) {
        Some(near) => format!("is not a field of this object: did you mean `{near}`?"),
        None => format!("is not a field of this object: it has {}", listed(known)),
    }
}

fn nearest<'known>(field: &str, known: &[&'known str]) -> Option<&'known str> {
    if field.len() > MAX_COMPARED {
        return None;
    }
    let distances = known.iter().map(|name| (strsim::osa_distance(field, name), *name));
    // A third of the letters wrong is another word.
    distances.min().filter(|(distance, _)| distance * 3 <= field.len()).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_named() {
        let known = ["issuer", "audiences", "from_headers", "from_params"];
        assert_eq!(nearest("isuser", &known), Some("issuer"));
        assert_eq!(nearest("audience", &known), Some("audiences"));
        assert_eq!(nearest("from_header", &known), Some("from_headers"));
        assert_eq!(nearest("banana", &known), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(nearest(&"issuer".repeat(1000), &known), None);
    }
}
