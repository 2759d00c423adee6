//! A provider: whose tokens, for whom, and what they have to fulfil.

use std::time::Duration;

use super::{
    IssuerMatcher, Provider, SenderConstraint, csrf,
    duration::{Bounds, bounded},
    forwarding, issuers,
    jwks_source::{Context, RawSources, jwks_source},
    locations, names,
    raw::RawProvider,
    report::{Checked, Place, listed, quoted},
    revocation::revocation,
    string_match::string_matcher,
};
use crate::crypto::{AlgorithmSet, KeyFamily, SignatureAlgorithm};

const DEFAULT_TYPES: [&str; 2] = ["jwt", "at+jwt"];
const DEFAULT_CLOCK_SKEW: u64 = 60;
const MAX_CLOCK_SKEW: u64 = 86_400;
const MAX_NAME: usize = 128;
const MAX_LIFETIME: Bounds = Bounds {
    range: Duration::from_secs(1)..=Duration::from_secs(87_600 * 3600),
    text: r#""1s" to "87600h", ten years"#,
};

/// Validates one provider.
pub(super) fn provider(name: &str, mut raw: RawProvider, context: Context<'_>, at: &Place<'_>) -> Checked<Provider> {
    let name = provider_name(name, at);
    let issuer = issuers::issuer(raw.issuer.take(), raw.issuer_patterns.take(), raw.any_issuer, at);
    let audiences = audiences(raw.audiences.take(), raw.any_audience, at);
    let subjects = raw.subjects.take().map(|raw| string_matcher(raw, &at.field("subjects"))).transpose();
    let listed_algorithms = listed_algorithms(raw.algorithms.take(), &at.field("algorithms"));
    let token_types = token_types(raw.types.take(), &at.field("types"));
    let max_lifetime = max_lifetime(&raw, &at.field("max_lifetime"));
    let clock_skew = clock_skew(raw.clock_skew_seconds, &at.field("clock_skew_seconds"));
    let sender_constraint = sender_constraint(raw.sender_constraint.as_deref(), &at.field("sender_constraint"));
    let revocation = raw.revocation.take().map(|raw| revocation(raw, &at.field("revocation"))).transpose();
    let locations = locations::locations(raw.from_headers.take(), raw.from_params.take(), raw.from_cookies.take(), at);
    let csrf = csrf::guard(raw.csrf.take(), locations.as_deref().ok(), &at.field("csrf"));
    let payload_header =
        forwarding::payload_header(raw.forward_payload_header.take(), raw.pad_forward_payload_header, at);
    let claim_headers = forwarding::claim_headers(raw.claim_to_headers.take(), &at.field("claim_to_headers"));
    let claim_states = forwarding::claim_states(raw.claim_to_filter_state.take(), &at.field("claim_to_filter_state"));
    let route_cache = forwarding::clear_route_cache(raw.clear_route_cache, &at.field("clear_route_cache"));
    let sources = RawSources { local_jwks: raw.local_jwks, remote_jwks: raw.remote_jwks, discovery: raw.discovery };
    let known_issuer = issuer.as_ref().ok().and_then(IssuerMatcher::exact);
    let jwks = jwks_source(sources, known_issuer, listed_algorithms.ok().flatten(), context, at);
    route_cache?;
    Ok(Provider {
        name: name?,
        issuer: issuer?,
        audiences: audiences?,
        subjects: subjects?,
        algorithms: listed_algorithms?.unwrap_or_else(AlgorithmSet::asymmetric),
        token_types: token_types?,
        require_type: raw.require_type.unwrap_or(false),
        require_expiration: raw.require_expiration.unwrap_or(true),
        max_lifetime: max_lifetime?,
        clock_skew: clock_skew?,
        jwks: jwks?,
        locations: locations?,
        csrf: csrf?,
        forward: raw.forward.unwrap_or(false),
        payload_header: payload_header?,
        claim_headers: claim_headers?,
        claim_states: claim_states?,
        sender_constraint: sender_constraint?,
        revocation: revocation?.map(Box::new),
    })
}

/// The name goes into log lines and the names of metrics, where a line break or a blank would do harm.
fn provider_name(name: &str, at: &Place<'_>) -> Checked<String> {
    if (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(name.to_owned());
    }
    at.mistake("the name of a provider has to be 1 to 128 characters of printable ASCII without blanks")
}

fn audiences(raw: Option<Vec<String>>, any: Option<bool>, at: &Place<'_>) -> Checked<Option<Vec<String>>> {
    let place = at.field("audiences");
    match (raw.filter(|audiences| !audiences.is_empty()), any.unwrap_or(false)) {
        (Some(_), true) => place.mistake("contradicts any_audience: true: give one of the two"),
        (None, true) => Ok(None),
        (Some(audiences), false) => names::distinct(audiences, &place).map(Some),
        (None, false) => place.mistake(
            "is required: the `aud` values to accept, at least one (any_audience: true accepts every audience)",
        ),
    }
}

/// The algorithms that the configuration lists; `Ok(None)` if it leaves them to the default.
pub(super) fn listed_algorithms(raw: Option<Vec<String>>, at: &Place<'_>) -> Checked<Option<AlgorithmSet>> {
    let Some(names) = raw else { return Ok(None) };
    if names.is_empty() {
        return at.mistake("is empty: list at least one algorithm, or leave it out for all asymmetric ones");
    }
    let mut set = AlgorithmSet::EMPTY;
    let mut result = Ok(());
    for (index, name) in names.iter().enumerate() {
        match algorithm(name, set, &at.index(index)) {
            Ok(algorithm) => set = set.with(algorithm),
            Err(reported) => result = Err(reported),
        }
    }
    result.map(|()| Some(set))
}

fn algorithm(name: &str, before: AlgorithmSet, at: &Place<'_>) -> Checked<SignatureAlgorithm> {
    let Some(algorithm) = SignatureAlgorithm::from_name(name) else {
        let known = listed(&SignatureAlgorithm::ALL.map(SignatureAlgorithm::name));
        return at.mistake(format!("{} is not an algorithm that can be allowed: there are {known}", quoted(name)));
    };
    if before.contains(algorithm) {
        return at.mistake(format!("lists {} a second time", quoted(algorithm.name())));
    }
    Ok(algorithm)
}

/// Whether the set holds an algorithm whose key is a shared secret.
pub(super) fn holds_hmac(algorithms: AlgorithmSet) -> bool {
    algorithms.iter().any(|algorithm| algorithm.key_family() == KeyFamily::Hmac)
}

fn token_types(raw: Option<Vec<String>>, at: &Place<'_>) -> Checked<Vec<String>> {
    let Some(raw) = raw else { return Ok(DEFAULT_TYPES.map(str::to_owned).to_vec()) };
    if raw.is_empty() {
        return at.mistake("is empty: list at least one type, or leave it out for `JWT` and `at+jwt`");
    }
    names::distinct(at.each(raw, |text, at| token_type(&text, at))?, at)
}

/// A media type in lower case, without `application/` (RFC 7515 section 4.1.9).
fn token_type(text: &str, at: &Place<'_>) -> Checked<String> {
    let lower = text.to_ascii_lowercase();
    let short = lower.strip_prefix("application/").unwrap_or(&lower);
    if short.split('/').count() <= 2 && short.split('/').all(names::is_token) {
        return Ok(short.to_owned());
    }
    at.mistake(format!("{} is not a media type, such as `at+jwt`", quoted(text)))
}

fn max_lifetime(raw: &RawProvider, at: &Place<'_>) -> Checked<Option<Duration>> {
    let Some(lifetime) = &raw.max_lifetime else { return Ok(None) };
    if raw.require_expiration == Some(false) {
        at.warn("needs `exp` in every token: `require_expiration: false` has no effect beside it");
    }
    bounded(lifetime, &MAX_LIFETIME, at).map(Some)
}

fn clock_skew(raw: Option<u64>, at: &Place<'_>) -> Checked<Duration> {
    let seconds = raw.unwrap_or(DEFAULT_CLOCK_SKEW);
    if seconds > MAX_CLOCK_SKEW {
        return at.mistake(format!("has to be from 0 to {MAX_CLOCK_SKEW}"));
    }
    Ok(Duration::from_secs(seconds))
}

fn sender_constraint(raw: Option<&str>, at: &Place<'_>) -> Checked<SenderConstraint> {
    match raw {
        None | Some("if_bound") => Ok(SenderConstraint::IfBound),
        Some("ignore") => Ok(SenderConstraint::Ignore),
        Some("required") => Ok(SenderConstraint::Required),
        Some(other) => at.mistake(format!("has to be `if_bound`, `required` or `ignore`, not {}", quoted(other))),
    }
}
