//! The raw shapes: what may stand where in the text. What the fields mean is told in `docs/configuration.md`.
//!
//! Every field is optional here: validation reports what is missing, all at once.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};

use super::node::Node;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `providers` and `rules`")]
pub(super) struct RawConfig {
    pub(super) providers: Option<Named<RawProvider>>,
    pub(super) rules: Option<Vec<RawRule>>,
    pub(super) unmatched: Option<String>,
    pub(super) realm: Option<String>,
    pub(super) unavailable_status: Option<u64>,
    pub(super) token_cache: Option<RawTokenCache>,
    pub(super) limits: Option<RawLimits>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object: a provider")]
pub(super) struct RawProvider {
    pub(super) issuer: Option<String>,
    pub(super) any_issuer: Option<bool>,
    pub(super) audiences: Option<Vec<String>>,
    pub(super) any_audience: Option<bool>,
    pub(super) subjects: Option<Node>,
    pub(super) algorithms: Option<Vec<String>>,
    pub(super) types: Option<Vec<String>>,
    pub(super) require_type: Option<bool>,
    pub(super) require_expiration: Option<bool>,
    pub(super) max_lifetime: Option<RawDuration>,
    pub(super) clock_skew_seconds: Option<u64>,
    pub(super) local_jwks: Option<RawLocalJwks>,
    pub(super) remote_jwks: Option<RawRemoteJwks>,
    pub(super) discovery: Option<RawDiscovery>,
    pub(super) from_headers: Option<Vec<RawHeaderLocation>>,
    pub(super) from_params: Option<Vec<String>>,
    pub(super) from_cookies: Option<Vec<String>>,
    pub(super) forward: Option<bool>,
    pub(super) forward_payload_header: Option<String>,
    pub(super) pad_forward_payload_header: Option<bool>,
    pub(super) claim_to_headers: Option<Vec<RawClaimHeader>>,
    pub(super) sender_constraint: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `inline_string`, `inline_bytes` or `environment_variable`")]
pub(super) struct RawLocalJwks {
    pub(super) inline_string: Option<String>,
    pub(super) inline_bytes: Option<String>,
    pub(super) environment_variable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `http_uri`")]
pub(super) struct RawRemoteJwks {
    pub(super) http_uri: Option<RawHttpUri>,
    pub(super) cache_duration: Option<RawDuration>,
    pub(super) max_stale: Option<RawDuration>,
    pub(super) unknown_kid_interval: Option<RawDuration>,
    pub(super) backoff: Option<RawBackoff>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `http_uri`")]
pub(super) struct RawDiscovery {
    pub(super) http_uri: Option<RawHttpUri>,
    pub(super) jwks_clusters: Option<Named<String>>,
    pub(super) cache_duration: Option<RawDuration>,
    pub(super) max_stale: Option<RawDuration>,
    pub(super) unknown_kid_interval: Option<RawDuration>,
    pub(super) backoff: Option<RawBackoff>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `base_interval` and `max_interval`")]
pub(super) struct RawBackoff {
    pub(super) base_interval: Option<RawDuration>,
    pub(super) max_interval: Option<RawDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `uri`, `cluster` and `timeout`")]
pub(super) struct RawHttpUri {
    pub(super) uri: Option<String>,
    pub(super) cluster: Option<String>,
    pub(super) timeout: Option<RawDuration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `name` and `value_prefix`")]
pub(super) struct RawHeaderLocation {
    pub(super) name: Option<String>,
    pub(super) value_prefix: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `header_name` and `claim_name` or `claim_path`")]
pub(super) struct RawClaimHeader {
    pub(super) header_name: Option<String>,
    pub(super) claim_name: Option<String>,
    pub(super) claim_path: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `match` and `requires`")]
pub(super) struct RawRule {
    #[serde(rename = "match")]
    pub(super) matcher: Option<Node>,
    pub(super) requires: Option<RawRequirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object, with `provider_name`")]
pub(super) struct RawRequirement {
    pub(super) provider_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[allow(clippy::struct_field_names, reason = "the names are the operator's")]
#[serde(deny_unknown_fields, expecting = "an object of limits")]
pub(super) struct RawLimits {
    pub(super) max_token_bytes: Option<u64>,
    pub(super) max_jwks_bytes: Option<u64>,
    pub(super) max_waiting_requests: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, expecting = "an object, with `max_entries` and `max_bytes`")]
pub(super) struct RawTokenCache {
    pub(super) max_entries: Option<u64>,
    pub(super) max_bytes: Option<u64>,
}

/// The text of a duration, of which only the type has been looked at.
pub(super) struct RawDuration(pub(super) String);

impl<'de> Deserialize<'de> for RawDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(DurationVisitor)
    }
}

struct DurationVisitor;

impl Visitor<'_> for DurationVisitor {
    type Value = RawDuration;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(r#"a number and its unit in quotes, such as "300s" or "5m""#)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<RawDuration, E> {
        Ok(RawDuration(text.to_owned()))
    }
}

/// The members of an object whose names the operator chooses, in their order.
pub(super) struct Named<T>(pub(super) Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamedVisitor(PhantomData))
    }
}

struct NamedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
    type Value = Named<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object whose names you choose")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Named<T>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Named(members))
    }
}
