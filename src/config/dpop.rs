//! What proofs of possession (DPoP) have to fulfil.

use std::time::Duration;

use super::{
    duration::{Bounds, duration},
    names,
    provider::{holds_hmac, listed_algorithms},
    raw::RawDpop,
    report::{Checked, Place},
    settings::limit,
    uri,
};
use crate::crypto::{AlgorithmSet, SignatureAlgorithm};
use crate::dpop;

/// What proofs of possession have to fulfil (RFC 9449).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dpop {
    /// The origins that clients know the service by, normalised; without any, what the request itself was sent to counts.
    pub origins: Vec<String>,
    /// What proofs may be signed with.
    pub algorithms: AlgorithmSet,
    /// How long ago a proof may have been made.
    pub max_age: Duration,
    /// How far ahead a client's clock may be.
    pub clock_skew: Duration,
    /// How long a nonce of the server's counts; `None` if proofs need none.
    pub nonce_lifetime: Option<Duration>,
    /// How many used proofs are meant to be remembered at a time.
    pub max_proofs: usize,
}

/// One algorithm of each family and strength that clients have: a longer list is only more to attack.
const DEFAULT_ALGORITHMS: [SignatureAlgorithm; 5] = [
    SignatureAlgorithm::Es256,
    SignatureAlgorithm::Es384,
    SignatureAlgorithm::EdDsa,
    SignatureAlgorithm::Ps256,
    SignatureAlgorithm::Rs256,
];
const MAX_ORIGINS: usize = 64;
const MAX_AGE: Bounds =
    Bounds { range: Duration::from_secs(1)..=Duration::from_secs(600), text: r#""1s" to "600s", ten minutes"# };
const CLOCK_SKEW: Bounds = Bounds { range: Duration::ZERO..=Duration::from_secs(60), text: r#""0s" to "60s""# };
/// No proof can be accepted for longer than this, by any configuration.
pub(crate) const LONGEST_LIFE: Duration = MAX_AGE.range.end().saturating_add(*CLOCK_SKEW.range.end());
const LIFETIME: Bounds =
    Bounds { range: Duration::from_secs(10)..=Duration::from_secs(3600), text: r#""10s" to "3600s", an hour"# };
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);

impl Default for Dpop {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            algorithms: DEFAULT_ALGORITHMS.into_iter().collect(),
            max_age: Duration::from_secs(60),
            clock_skew: Duration::from_secs(5),
            nonce_lifetime: None,
            max_proofs: 100_000,
        }
    }
}

/// Validates what proofs have to fulfil.
pub(super) fn dpop(raw: Option<RawDpop>, at: &Place<'_>) -> Checked<Dpop> {
    let Some(raw) = raw else { return Ok(Dpop::default()) };
    let default = Dpop::default();
    let origins = origins(raw.origins.unwrap_or_default(), &at.field("origins"));
    let algorithms = algorithms(raw.algorithms, &at.field("algorithms"));
    let max_age = duration(raw.max_age, default.max_age, &MAX_AGE, &at.field("max_age"));
    let clock_skew = duration(raw.clock_skew, default.clock_skew, &CLOCK_SKEW, &at.field("clock_skew"));
    let nonce_lifetime = nonce_lifetime(raw.nonce, &at.field("nonce"));
    let max_proofs = raw.replay_memory.and_then(|raw| raw.max_proofs);
    let place = &at.field("replay_memory");
    let max_proofs = limit(max_proofs, default.max_proofs, 1_000..=10_000_000, &place.field("max_proofs"));
    Ok(Dpop {
        origins: origins?,
        algorithms: algorithms?.unwrap_or(default.algorithms),
        max_age: max_age?,
        clock_skew: clock_skew?,
        nonce_lifetime: nonce_lifetime?,
        max_proofs: max_proofs?,
    })
}

fn origins(raw: Vec<String>, at: &Place<'_>) -> Checked<Vec<String>> {
    if raw.len() > MAX_ORIGINS {
        return at.mistake(format!("has more than {MAX_ORIGINS} origins"));
    }
    names::distinct(at.each(raw, |text, at| origin(&text, at))?, at)
}

fn origin(text: &str, at: &Place<'_>) -> Checked<String> {
    let parts = uri::parts(text).filter(|(_, _, path)| path == "/" && !text.ends_with('/'));
    let origin = parts.and_then(|(scheme, authority, _)| dpop::origin(&scheme, &authority));
    origin.ok_or_else(|| at.note("has to be an origin, such as `https://api.example` or `https://api.example:8443`"))
}

fn algorithms(raw: Option<Vec<String>>, at: &Place<'_>) -> Checked<Option<AlgorithmSet>> {
    let listed = listed_algorithms(raw, at)?;
    if listed.is_some_and(holds_hmac) {
        return at.mistake("lists HS*: a proof shows that its sender has a private key");
    }
    Ok(listed)
}

fn nonce_lifetime(raw: Option<super::raw::RawNonce>, at: &Place<'_>) -> Checked<Option<Duration>> {
    let Some(raw) = raw else { return Ok(None) };
    if raw.required != Some(true) {
        if raw.lifetime.is_some() {
            return at.field("lifetime").mistake("has no effect without `required: true`");
        }
        return Ok(None);
    }
    duration(raw.lifetime, DEFAULT_LIFETIME, &LIFETIME, &at.field("lifetime")).map(Some)
}
