//! The headers that tell the upstream about a verified token.

use std::borrow::Cow;

use super::{
    Config, Provider, TokenLocation, names,
    raw::{RawClaimHeader, RawClaimState},
    report::{Checked, Place, quoted},
};
use crate::jwt::json::UniqueNames;
use crate::sorted::sorted;

/// The header that tells the upstream the claims, base64url-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadHeader {
    /// The header's name, lower case.
    pub name: String,
    /// Whether the value is padded with `=`.
    pub pad: bool,
}

/// A header that tells the upstream one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimHeader {
    /// The header's name, lower case.
    pub header: String,
    /// The claim.
    pub claim: ClaimPath,
    /// How the claim is written.
    pub format: ClaimFormat,
}

/// A property of the request that tells one claim. Envoy has it as filter state, `wasm.` before its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimState {
    /// The property's name: `jwt_warden.` and what the operator chose.
    pub property: String,
    /// The claim.
    pub claim: ClaimPath,
    /// How the claim is written.
    pub format: ClaimFormat,
}

/// How a claim is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimFormat {
    /// Strings, numbers and booleans as they are, arrays and objects as base64 of their JSON.
    Text,
    /// The elements of an array, or a value that is none, with commas between them.
    CommaSeparated,
    /// Base64 of the JSON, whatever the value.
    JsonBase64,
}

/// The way to a claim, from the top level of the claims inwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimPath {
    /// `claim_name`: dots separate nested names; a top-level name that holds the dots is tried second.
    Dotted(String),
    /// `claim_path`: each element is one name, dots and all. Never empty.
    Exact(Vec<String>),
}

impl Provider {
    /// Every claim that is told.
    pub fn told_claims(&self) -> impl Iterator<Item = &ClaimPath> {
        let states = self.claim_states.iter().map(|state| &state.claim);
        self.claim_headers.iter().map(|header| &header.claim).chain(states)
    }
}

/// The property that tells by which route a request was judged.
pub const ROUTE_PROPERTY: &str = "jwt_warden.route";

/// The property that tells what was decided, where a refusal is only reported.
pub const VERDICT_PROPERTY: &str = "jwt_warden.verdict";

impl Config {
    /// Whether filters behind are told by which route a request was judged: where that decides, or may decide.
    #[must_use]
    pub fn tells_route(&self) -> bool {
        self.route_metadata || self.rules.iter().any(|rule| rule.matcher.route_name.is_some())
    }

    /// The names of the properties of all providers, each once.
    #[must_use]
    pub fn properties(&self) -> Vec<&str> {
        let states = self.providers.iter().flat_map(|provider| &provider.claim_states);
        sorted(states.map(|state| state.property.as_str()))
    }
}

/// Each of them is a call of the host for every request.
const MAX_CLAIM_STATES: usize = 32;
/// What the filter itself tells in properties.
const OWN_STATES: [&str; 2] = ["route", "verdict"];
const MAX_STATE_NAME: usize = 32;

/// Claims nested deeper are refused with their token.
const MAX_CLAIM_PATH: usize = 32;

/// The header for the whole payload, if one is wanted.
pub(super) fn payload_header(
    name: Option<String>,
    pad: Option<bool>,
    at: &Place<'_>,
) -> Checked<Option<PayloadHeader>> {
    let Some(name) = name else { return no_payload_header(pad, &at.field("pad_forward_payload_header")) };
    let name = names::target_header(&name, &at.field("forward_payload_header"))?;
    Ok(Some(PayloadHeader { name, pad: pad.unwrap_or(false) }))
}

fn no_payload_header(pad: Option<bool>, at: &Place<'_>) -> Checked<Option<PayloadHeader>> {
    match pad {
        Some(true) => at.mistake("has no effect without forward_payload_header: give that too, or remove this"),
        _ => Ok(None),
    }
}

/// The headers for single claims.
pub(super) fn claim_headers(raw: Option<Vec<RawClaimHeader>>, at: &Place<'_>) -> Checked<Vec<ClaimHeader>> {
    at.each(raw.unwrap_or_default(), claim_header)
}

fn claim_header(raw: RawClaimHeader, at: &Place<'_>) -> Checked<ClaimHeader> {
    let place = at.field("header_name");
    let header = place.required(raw.header_name, "the header to write");
    let header = header.and_then(|name| names::target_header(&name, &place));
    let claim = claim(raw.claim_name, raw.claim_path, at);
    let format = format(raw.format.as_deref(), &at.field("format"));
    Ok(ClaimHeader { header: header?, claim: claim?, format: format? })
}

/// The properties for single claims.
pub(super) fn claim_states(raw: Option<Vec<RawClaimState>>, at: &Place<'_>) -> Checked<Vec<ClaimState>> {
    let raw = raw.unwrap_or_default();
    if raw.len() > MAX_CLAIM_STATES {
        return at.mistake(format!("has more than {MAX_CLAIM_STATES} entries"));
    }
    let states = at.each(raw, claim_state)?;
    let mut written = UniqueNames::new();
    for (index, state) in states.iter().enumerate() {
        if !written.insert(Cow::Borrowed(state.property.as_str())) {
            at.index(index).field("name").note("is written twice: use another name");
        }
    }
    Ok(states)
}

fn claim_state(raw: RawClaimState, at: &Place<'_>) -> Checked<ClaimState> {
    let place = at.field("name");
    let name = place.required(raw.name, "what follows `wasm.jwt_warden.` in the key of the filter state");
    let name = name.and_then(|name| state_name(name, &place));
    let claim = claim(raw.claim_name, raw.claim_path, at);
    let format = format(raw.format.as_deref(), &at.field("format"));
    Ok(ClaimState { property: format!("jwt_warden.{}", name?), claim: claim?, format: format? })
}

fn state_name(name: String, at: &Place<'_>) -> Checked<String> {
    if OWN_STATES.contains(&name.as_str()) {
        return at.mistake("is the filter's own: use another name");
    }
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=MAX_STATE_NAME).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(name);
    }
    at.mistake(format!("has to be 1 to {MAX_STATE_NAME} of the characters a-z, 0-9 and `_`"))
}

/// Which claim is meant.
pub(super) fn claim(name: Option<String>, path: Option<Vec<String>>, at: &Place<'_>) -> Checked<ClaimPath> {
    match (name, path) {
        (Some(name), None) => claim_name(name, &at.field("claim_name")),
        (None, Some(path)) => claim_path(path, &at.field("claim_path")),
        _ => at.mistake("needs exactly one of claim_name and claim_path"),
    }
}

pub(super) fn claim_name(name: String, at: &Place<'_>) -> Checked<ClaimPath> {
    if name.is_empty() {
        return at.mistake("has to be the name of a claim; dots lead into nested objects");
    }
    Ok(ClaimPath::Dotted(name))
}

pub(super) fn claim_path(path: Vec<String>, at: &Place<'_>) -> Checked<ClaimPath> {
    if !(1..=MAX_CLAIM_PATH).contains(&path.len()) || path.iter().any(String::is_empty) {
        return at.mistake(format!("has to be a list of 1 to {MAX_CLAIM_PATH} names, from the outermost inwards"));
    }
    Ok(ClaimPath::Exact(path))
}

fn format(raw: Option<&str>, at: &Place<'_>) -> Checked<ClaimFormat> {
    match raw {
        None | Some("text") => Ok(ClaimFormat::Text),
        Some("comma_separated") => Ok(ClaimFormat::CommaSeparated),
        Some("json_base64") => Ok(ClaimFormat::JsonBase64),
        Some(other) => {
            at.mistake(format!("has to be `text`, `comma_separated` or `json_base64`, not {}", quoted(other)))
        }
    }
}

/// The host chooses the route again after every change to a header, and cannot be told not to.
pub(super) fn clear_route_cache(raw: Option<bool>, at: &Place<'_>) -> Checked<()> {
    match raw {
        Some(false) => {
            at.mistake("cannot be `false`: Envoy always chooses the route again after a Wasm filter's change")
        }
        _ => Ok(()),
    }
}

/// No header may be written twice by one provider, nor be written by any provider where one looks for tokens: what a
/// client sends in a header to be written is removed.
pub(super) fn check_collisions(providers: &[Provider], at: &Place<'_>) {
    let sources = sorted(providers.iter().flat_map(source_headers));
    for provider in providers {
        let at = at.field(&provider.name);
        let mut written = UniqueNames::new();
        if let Some(payload) = &provider.payload_header {
            check_target(&payload.name, &sources, &mut written, &at.field("forward_payload_header"));
        }
        for (index, claim) in provider.claim_headers.iter().enumerate() {
            let place = at.field("claim_to_headers");
            check_target(&claim.header, &sources, &mut written, &place.index(index).field("header_name"));
        }
    }
}

fn check_target<'a>(name: &'a str, sources: &[&str], written: &mut UniqueNames<Cow<'a, str>>, at: &Place<'_>) {
    if sources.binary_search(&name).is_ok() {
        at.note(format!("{} is a header that tokens come in: use another one", quoted(name)));
    }
    if !written.insert(name.into()) {
        at.note(format!("{} is written twice: use another header", quoted(name)));
    }
}

fn source_headers(provider: &Provider) -> impl Iterator<Item = &str> {
    provider.locations.iter().filter_map(|location| match location {
        TokenLocation::Header { name, .. } => Some(name.as_str()),
        _ => None,
    })
}
