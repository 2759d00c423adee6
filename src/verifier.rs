//! One token against one provider: header, keys, signature, claims.

use std::rc::Rc;

use crate::claims::{self, Validity};
use crate::config::{Provider, ProviderId};
use crate::connection::Connection;
use crate::crypto::Signatures;
use crate::decision::{Denial, Wait};
use crate::jwks::KeySet;
use crate::jwt::{Header, UnverifiedToken, VerifiedToken};
use crate::principal::{Facts, Interest, Principal};
use crate::reason::Reason;
use crate::revocation::{LookupKey, Marks, Standing};
use crate::shared_store::SharedStore;
use crate::time::Timestamp;
use crate::upstream::claim_effects;

/// Where keys are found.
pub trait Keys {
    /// The provider's keys, or what stands in the way of having them.
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup;

    /// A number that changes whenever the provider's keys do; `None` while it has none that may serve.
    fn generation(&self, provider: ProviderId, now: Timestamp) -> Option<u64>;
}

/// Where it is known what has been revoked.
pub trait Revocations {
    /// How a token of the provider stands that can be revoked by `marks`, in a request that arrived at `arrival`.
    fn standing(&self, provider: ProviderId, marks: &Marks, arrival: Timestamp, now: Timestamp) -> Standing;

    /// The question about a token of the provider's with these marks, if it is under way.
    fn question(&self, _provider: ProviderId, _marks: &Marks) -> Option<LookupKey> {
        None
    }
}

/// Which keys are wanted, and how long the request can wait for them.
#[derive(Debug, Clone, Copy)]
pub struct KeyQuery<'q> {
    /// Whose keys.
    pub provider: ProviderId,
    /// The `kid` that the token names.
    pub key_id: Option<&'q str>,
    /// When the request arrived.
    pub arrival: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// What a look-up of keys gives.
#[derive(Debug, Clone)]
pub enum KeyLookup {
    /// The set to decide with. It may lack the `kid`: then the issuer has been asked, or may not be asked now.
    Ready(Rc<KeySet>),
    /// Keys may arrive until then.
    Pending(Timestamp),
    /// There are none, and none will come in time.
    Unavailable,
}

/// The time of one decision, and what it is surrounded by.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// Where keys are found.
    pub keys: &'a dyn Keys,
    /// Where it is known what has been revoked.
    pub revocations: &'a dyn Revocations,
    /// What the request came over.
    pub connection: &'a dyn Connection,
    /// What all workers share.
    pub store: &'a dyn SharedStore,
    /// When the request arrived.
    pub arrival: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// Why a request cannot pass now.
pub(crate) enum Stop {
    /// It is refused.
    Deny(Denial),
    /// It has to wait.
    Wait(Wait),
}

/// Checks everything about a token but whom it is meant for, which depends on the rule too: nothing leaves here that a
/// single check refused.
pub(crate) fn accept(
    id: ProviderId,
    provider: &Provider,
    token: &UnverifiedToken<'_>,
    interest: Option<&Interest>,
    signatures: &Signatures,
    moment: Moment<'_>,
) -> Result<Principal, Stop> {
    check_header(id, provider, token)?;
    let verified = verify(id, token, signatures, moment)?;
    let identity = interest.and_then(|interest| interest.identity(verified.claims()));
    let refuse = |reason, detail: &str| {
        let denial = Denial::new(reason, Some(id)).because(detail);
        Stop::Deny(Denial { identity: identity.clone(), ..denial })
    };
    claims::check(provider, &verified, moment.now).map_err(|unmet| refuse(unmet.reason, &unmet.detail))?;
    let effects =
        claim_effects(provider, &verified).map_err(|unsafe_claim| refuse(Reason::ClaimUnsafe, unsafe_claim.target))?;
    Ok(Principal {
        provider: id,
        generation: moment.keys.generation(id, moment.now),
        validity: Validity::of(provider, verified.claims()),
        confirmation: verified.claims().confirmation.clone(),
        marks: provider.revocation.is_some().then(|| Box::new(Marks::of(verified.claims()))),
        effects: effects.into(),
        facts: interest.map(|interest| Facts::of(verified.claims(), provider, interest)).unwrap_or_default(),
        identity,
    })
}

/// The provider says which algorithms and types count; the header can only agree (RFC 8725 sections 3.1 and 3.11).
fn check_header(id: ProviderId, provider: &Provider, token: &UnverifiedToken<'_>) -> Result<(), Stop> {
    check_algorithm(id, provider, token.header()).map_err(Stop::Deny)?;
    check_type(id, provider, token.header()).map_err(Stop::Deny)
}

pub(crate) fn check_algorithm(id: ProviderId, provider: &Provider, header: &Header<'_>) -> Result<(), Denial> {
    if provider.algorithms.contains(header.algorithm) {
        return Ok(());
    }
    Err(Denial::new(Reason::AlgorithmNotAllowed, Some(id)).with_quoted("alg", Some(header.algorithm.name())))
}

pub(crate) fn check_type(id: ProviderId, provider: &Provider, header: &Header<'_>) -> Result<(), Denial> {
    let is_accepted = match &header.token_type {
        Some(_) => header.has_type(&provider.token_types),
        None => !provider.require_type,
    };
    if is_accepted {
        return Ok(());
    }
    Err(Denial::new(Reason::TypeNotAccepted, Some(id)).with_quoted("typ", header.token_type.as_deref()))
}

/// Finds the keys that may verify the token, and has it verified by one of them.
pub(crate) fn verify<'t>(
    id: ProviderId,
    token: &'t UnverifiedToken<'_>,
    signatures: &Signatures,
    moment: Moment<'_>,
) -> Result<VerifiedToken<'t>, Stop> {
    let header = token.header();
    let key_id = header.key_id.as_deref();
    let refuse = |reason| Stop::Deny(Denial::new(reason, Some(id)).with_quoted("kid", key_id));
    let query = KeyQuery { provider: id, key_id, arrival: moment.arrival, now: moment.now };
    let set = match moment.keys.lookup(query) {
        KeyLookup::Ready(set) => set,
        KeyLookup::Pending(until) => return Err(Stop::Wait(Wait { provider: id, rule: None, until, question: None })),
        KeyLookup::Unavailable => return Err(refuse(Reason::KeysUnavailable)),
    };
    let mut candidates = set.candidates(key_id, header.algorithm).peekable();
    if candidates.peek().is_none() {
        let known = key_id.is_none_or(|key_id| set.has_kid(key_id));
        return Err(refuse(if known { Reason::KeyUnsuitable } else { Reason::KeyUnknown }));
    }
    token.verify(candidates, signatures).map_err(|_| refuse(Reason::SignatureInvalid))
}

#[cfg(test)]
#[path = "verifier_tests.rs"]
mod tests;
