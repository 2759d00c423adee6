//! The raw shapes: what may stand where in the text. What the fields mean is told in `docs/configuration.md`.
//!
//! Every field is optional here: validation reports what is missing, all at once.

use serde_json::Number;

use super::{
    ClaimValue,
    node::Node,
    raw_match::{RawMatch, RawStringMatcher},
    shape::{Named, Shape, ShapeError, objects, read_fields},
};

objects! {

#[expecting = "an object, with `providers` and `rules`"]
pub(super) struct RawConfig {
    pub(super) providers: Option<Named<RawProvider>>,
    pub(super) rules: Option<Vec<RawRule>>,
    pub(super) requirement_map: Option<Named<RawRequirement>>,
    pub(super) route_metadata: Option<bool>,
    pub(super) unmatched: Option<String>,
    pub(super) bypass_cors_preflight: Option<bool>,
    pub(super) realm: Option<String>,
    pub(super) unavailable_status: Option<u64>,
    pub(super) trusted_proxies: Option<RawTrustedProxies>,
    pub(super) require_tls: Option<bool>,
    pub(super) failed_attempts: Option<RawFailedAttempts>,
    pub(super) token_cache: Option<RawTokenCache>,
    pub(super) dpop: Option<RawDpop>,
    pub(super) protected_resource: Option<RawProtectedResource>,
    pub(super) report_only: Option<bool>,
    pub(super) audit: Option<RawAudit>,
    pub(super) limits: Option<RawLimits>,
}

#[expecting = "an object, with `decisions`"]
pub(super) struct RawAudit {
    pub(super) decisions: Option<String>,
    pub(super) one_in: Option<u64>,
    pub(super) subject: Option<String>,
    pub(super) digest_key: Option<RawBytes>,
}

#[expecting = "an object, with `addresses` or `certificates`"]
pub(super) struct RawTrustedProxies {
    pub(super) addresses: Option<Vec<String>>,
    pub(super) certificates: Option<Vec<RawPeerCertificate>>,
    pub(super) client_certificate: Option<bool>,
}

#[expecting = "an object, with `uri_san` or `dns_san`"]
pub(super) struct RawPeerCertificate {
    pub(super) uri_san: Option<String>,
    pub(super) dns_san: Option<String>,
}

#[expecting = "an object, with `limit`"]
pub(super) struct RawFailedAttempts {
    pub(super) limit: Option<u64>,
    pub(super) window: Option<RawDuration>,
    pub(super) by: Option<RawCountedBy>,
    pub(super) count: Option<Vec<String>>,
}

#[expecting = "`source_address`, or an object with `header`"]
pub(super) struct RawByHeader {
    pub(super) header: Option<String>,
}

#[expecting = "an object, with `resource`"]
pub(super) struct RawProtectedResource {
    pub(super) resource: Option<String>,
    pub(super) authorization_servers: Option<Vec<String>>,
    pub(super) scopes_supported: Option<Vec<String>>,
    pub(super) resource_name: Option<String>,
    pub(super) resource_documentation: Option<String>,
}

#[expecting = "an object: a provider"]
pub(super) struct RawProvider {
    pub(super) issuer: Option<String>,
    pub(super) issuer_patterns: Option<Vec<String>>,
    pub(super) any_issuer: Option<bool>,
    pub(super) audiences: Option<Vec<String>>,
    pub(super) any_audience: Option<bool>,
    pub(super) subjects: Option<RawStringMatcher>,
    pub(super) algorithms: Option<Vec<String>>,
    pub(super) types: Option<Vec<String>>,
    pub(super) require_type: Option<bool>,
    pub(super) require_expiration: Option<bool>,
    pub(super) max_lifetime: Option<RawDuration>,
    pub(super) clock_skew_seconds: Option<u64>,
    pub(super) local_jwks: Option<RawBytes>,
    pub(super) remote_jwks: Option<RawRemoteJwks>,
    pub(super) discovery: Option<RawDiscovery>,
    pub(super) from_headers: Option<Vec<RawHeaderLocation>>,
    pub(super) from_params: Option<Vec<String>>,
    pub(super) from_cookies: Option<Vec<String>>,
    pub(super) csrf: Option<RawCsrf>,
    pub(super) forward: Option<bool>,
    pub(super) forward_payload_header: Option<String>,
    pub(super) pad_forward_payload_header: Option<bool>,
    pub(super) claim_to_headers: Option<Vec<RawClaimHeader>>,
    pub(super) claim_to_filter_state: Option<Vec<RawClaimState>>,
    pub(super) clear_route_cache: Option<bool>,
    pub(super) sender_constraint: Option<String>,
    pub(super) revocation: Option<RawRevocation>,
}

#[expecting = "an object, with `denylists`, `lookup` or `status_lists`"]
pub(super) struct RawRevocation {
    pub(super) denylists: Option<Vec<RawDenylist>>,
    pub(super) lookup: Option<RawLookup>,
    pub(super) status_lists: Option<Vec<RawStatusList>>,
    pub(super) require_jti: Option<bool>,
    pub(super) on_unavailable: Option<String>,
}

#[expecting = "an object, with `http_uri`"]
pub(super) struct RawDenylist {
    pub(super) http_uri: Option<RawHttpUri>,
    pub(super) refresh: Option<RawDuration>,
    pub(super) max_stale: Option<RawDuration>,
}

#[expecting = "an object, with `http_uri` and `revoked_when`"]
pub(super) struct RawLookup {
    pub(super) http_uri: Option<RawHttpUri>,
    pub(super) ttl: Option<RawDuration>,
    pub(super) revoked_when: Option<RawRevokedWhen>,
}

#[expecting = "an object, with `status`, or `json_pointer` and `equals`"]
pub(super) struct RawRevokedWhen {
    pub(super) status: Option<u64>,
    pub(super) json_pointer: Option<String>,
    pub(super) equals: Option<RawScalar>,
}

#[expecting = "an object, with `uri` and `cluster`"]
pub(super) struct RawStatusList {
    pub(super) uri: Option<String>,
    pub(super) cluster: Option<String>,
    pub(super) timeout: Option<RawDuration>,
    pub(super) refresh: Option<RawDuration>,
    pub(super) max_stale: Option<RawDuration>,
}

#[expecting = "an object, with `inline_string`, `inline_bytes` or `environment_variable`"]
pub(super) struct RawBytes {
    pub(super) inline_string: Option<String>,
    pub(super) inline_bytes: Option<String>,
    pub(super) environment_variable: Option<String>,
}

#[expecting = "an object, with `http_uri`"]
pub(super) struct RawRemoteJwks {
    pub(super) http_uri: Option<RawHttpUri>,
    pub(super) cache_duration: Option<RawDuration>,
    pub(super) max_stale: Option<RawDuration>,
    pub(super) unknown_kid_interval: Option<RawDuration>,
    pub(super) backoff: Option<RawBackoff>,
}

#[expecting = "an object, with `http_uri`"]
pub(super) struct RawDiscovery {
    pub(super) http_uri: Option<RawHttpUri>,
    pub(super) jwks_clusters: Option<Named<String>>,
    pub(super) cache_duration: Option<RawDuration>,
    pub(super) max_stale: Option<RawDuration>,
    pub(super) unknown_kid_interval: Option<RawDuration>,
    pub(super) backoff: Option<RawBackoff>,
}

#[expecting = "an object, with `base_interval` and `max_interval`"]
pub(super) struct RawBackoff {
    pub(super) base_interval: Option<RawDuration>,
    pub(super) max_interval: Option<RawDuration>,
}

#[expecting = "an object, with `uri`, `cluster` and `timeout`"]
pub(super) struct RawHttpUri {
    pub(super) uri: Option<String>,
    pub(super) cluster: Option<String>,
    pub(super) timeout: Option<RawDuration>,
}

#[expecting = "an object, with `name` and `value_prefix`"]
pub(super) struct RawHeaderLocation {
    pub(super) name: Option<String>,
    pub(super) value_prefix: Option<String>,
}

#[expecting = "an object, with `allowed_origins` and `double_submit`, or `disabled`"]
pub(super) struct RawCsrf {
    pub(super) disabled: Option<bool>,
    pub(super) allowed_origins: Option<Vec<String>>,
    pub(super) double_submit: Option<RawDoubleSubmit>,
}

#[expecting = "an object, with `cookie` and `header`"]
pub(super) struct RawDoubleSubmit {
    pub(super) cookie: Option<String>,
    pub(super) header: Option<String>,
}

#[expecting = "an object, with `header_name` and `claim_name` or `claim_path`"]
pub(super) struct RawClaimHeader {
    pub(super) header_name: Option<String>,
    pub(super) claim_name: Option<String>,
    pub(super) claim_path: Option<Vec<String>>,
    pub(super) format: Option<String>,
}

#[expecting = "an object, with `name` and `claim_name` or `claim_path`"]
pub(super) struct RawClaimState {
    pub(super) name: Option<String>,
    pub(super) claim_name: Option<String>,
    pub(super) claim_path: Option<Vec<String>>,
    pub(super) format: Option<String>,
}

#[expecting = "an object, with `match` and `requires`"]
pub(super) struct RawRule {
    pub(super) name: Option<String>,
    pub(super) matcher as "match": Option<RawMatch>,
    pub(super) requires: Option<RawRequirement>,
    pub(super) requirement_name: Option<String>,
    pub(super) report_only: Option<bool>,
}

#[expecting = "an object, with `provider_name` or another requirement"]
pub(super) struct RawRequirement {
    pub(super) provider_name: Option<String>,
    pub(super) provider_and_audiences: Option<RawProviderAndAudiences>,
    pub(super) requires_any: Option<RawRequirements>,
    pub(super) requires_all: Option<RawRequirements>,
    pub(super) allow_missing: Option<RawEmpty>,
    pub(super) allow_missing_or_failed: Option<RawEmpty>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) any_scopes: Option<Vec<String>>,
    pub(super) claims: Option<Vec<RawClaimCondition>>,
}

#[expecting = "an object, with `provider_name` and `audiences`"]
pub(super) struct RawProviderAndAudiences {
    pub(super) provider_name: Option<String>,
    pub(super) audiences: Option<Vec<String>>,
}

#[expecting = "an object, with `requirements`"]
pub(super) struct RawRequirements {
    pub(super) requirements: Option<Vec<RawRequirement>>,
}

#[expecting = "an empty object"]
pub(super) struct RawEmpty {}

#[expecting = "an object, with `name` or `path` and a condition"]
pub(super) struct RawClaimCondition {
    pub(super) name: Option<String>,
    pub(super) path: Option<Vec<String>>,
    pub(super) claim_name: Option<String>,
    pub(super) claim_path: Option<Vec<String>>,
    pub(super) exists: Option<bool>,
    pub(super) any_of: Option<Vec<RawScalar>>,
    pub(super) all_of: Option<Vec<RawScalar>>,
    pub(super) not: Option<RawValues>,
}

#[expecting = "an object, with `any_of` or `all_of`"]
pub(super) struct RawValues {
    pub(super) any_of: Option<Vec<RawScalar>>,
    pub(super) all_of: Option<Vec<RawScalar>>,
}

#[expecting = "an object: what DPoP proofs have to fulfil"]
pub(super) struct RawDpop {
    pub(super) origins: Option<Vec<String>>,
    pub(super) algorithms: Option<Vec<String>>,
    pub(super) max_age: Option<RawDuration>,
    pub(super) clock_skew: Option<RawDuration>,
    pub(super) nonce: Option<RawNonce>,
    pub(super) replay_memory: Option<RawReplayMemory>,
}

#[expecting = "an object, with `required` and `lifetime`"]
pub(super) struct RawNonce {
    pub(super) required: Option<bool>,
    pub(super) lifetime: Option<RawDuration>,
}

#[expecting = "an object, with `max_proofs`"]
pub(super) struct RawReplayMemory {
    pub(super) max_proofs: Option<u64>,
}

#[expecting = "an object of limits"]
#[allow(clippy::struct_field_names, reason = "the names are the operator's")]
pub(super) struct RawLimits {
    pub(super) max_token_bytes: Option<u64>,
    pub(super) max_jwks_bytes: Option<u64>,
    pub(super) max_waiting_requests: Option<u64>,
    pub(super) max_revocation_bytes: Option<u64>,
    pub(super) max_denial_lines: Option<u64>,
}

#[expecting = "an object, with `max_entries` and `max_bytes`"]
pub(super) struct RawTokenCache {
    pub(super) max_entries: Option<u64>,
    pub(super) max_bytes: Option<u64>,
}

}

/// The text of a duration, of which only the type has been looked at.
pub(super) struct RawDuration(pub(super) String);

impl Shape for RawDuration {
    fn read(node: Node) -> Result<Self, ShapeError> {
        match node {
            Node::Text(text) => Ok(Self(text)),
            other => Err(other.is_not(r#"a number and its unit in quotes, such as "300s" or "5m""#)),
        }
    }
}

/// By what clients are told apart.
pub(super) enum RawCountedBy {
    /// A word.
    Word(String),
    /// A header.
    Header(RawByHeader),
}

impl Shape for RawCountedBy {
    fn read(node: Node) -> Result<Self, ShapeError> {
        match node {
            Node::Text(word) => Ok(Self::Word(word)),
            other => RawByHeader::read(other).map(Self::Header),
        }
    }
}

/// Larger numbers that are negative, or come in a Struct, have lost digits: they would equal others.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A string, a number, `true` or `false`.
pub(super) struct RawScalar(pub(super) ClaimValue);

impl Shape for RawScalar {
    fn read(node: Node) -> Result<Self, ShapeError> {
        match node {
            Node::Text(text) => Ok(Self(ClaimValue::Text(text))),
            Node::Bool(truth) => Ok(Self(ClaimValue::Bool(truth))),
            Node::Whole(number) => Ok(Self(ClaimValue::Number(number.into()))),
            Node::OtherNumber(number)
                if number.abs() <= MAX_EXACT
                    && let Some(number) = Number::from_f64(number) =>
            {
                Ok(Self(ClaimValue::Number(number)))
            }
            other => Err(other.is_not("a string, a number that a double holds exactly, true or false")),
        }
    }
}
