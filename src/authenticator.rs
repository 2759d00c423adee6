//! One request from its head to its decision.

use std::rc::Rc;

use crate::claims;
use crate::config::{Config, Provider, ProviderId, Requirement, TokenLocation, Unmatched};
use crate::decision::{Admission, Decision, Denial, Wait};
use crate::extractor::{HeaderEdit, tokens_at};
use crate::jwks::KeySet;
use crate::jwt::{DecodedToken, FormError, UnverifiedToken, VerifiedToken, wanted_claims};
use crate::matcher::first_match;
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;
use crate::upstream::{Keep, Sanitizer, claim_headers};

/// Where the authenticator finds keys.
pub trait Keys {
    /// The provider's keys, or what stands in the way of having them.
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup;
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

/// Decides requests by one configuration.
#[derive(Debug)]
pub struct Authenticator {
    config: Config,
    sanitizer: Sanitizer,
    /// For each provider the claims that its headers need.
    wanted_claims: Vec<Vec<String>>,
}

/// The request at hand and the time, for one decision.
#[derive(Clone, Copy)]
struct Moment<'a> {
    request: &'a Request<'a>,
    keys: &'a dyn Keys,
    arrival: Timestamp,
    now: Timestamp,
}

/// Why a request cannot pass now.
enum Stop {
    Deny(Denial),
    Wait(Wait),
}

/// A place in the request and the one token that stands there.
#[derive(Clone, Copy)]
struct Found<'a> {
    location: &'a TokenLocation,
    token: &'a [u8],
}

/// A token that passed.
struct Accepted<'a> {
    provider: ProviderId,
    /// The place, if the upstream may see the token there.
    forwarded: Option<&'a TokenLocation>,
    edits: Vec<HeaderEdit>,
}

impl Authenticator {
    /// Prepares decisions by this configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let wanted = |provider: &Provider| wanted_claims(provider.claim_headers.iter().map(|header| &header.claim));
        Self {
            sanitizer: Sanitizer::new(&config),
            wanted_claims: config.providers.iter().map(wanted).collect(),
            config,
        }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What the upstream may not see.
    #[must_use]
    pub const fn sanitizer(&self) -> &Sanitizer {
        &self.sanitizer
    }

    /// Decides a request that arrived at `arrival`. After [`Decision::Wait`] the same request may be asked about again.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>, keys: &dyn Keys, arrival: Timestamp, now: Timestamp) -> Decision {
        let requirement = match (first_match(&self.config.rules, request), self.config.unmatched) {
            (Some(rule), _) => rule.requires.as_ref(),
            (None, Unmatched::Allow) => None,
            (None, Unmatched::Deny) => return Decision::Deny(Denial::new(Reason::NoMatchingRule, None)),
        };
        let Some(requirement) = requirement else {
            return Decision::Allow(self.unverified(request));
        };
        match self.authenticate(requirement, Moment { request, keys, arrival, now }) {
            Ok(accepted) => Decision::Allow(self.admission(request, accepted)),
            Err(Stop::Deny(denial)) => Decision::Deny(denial),
            Err(Stop::Wait(wait)) => Decision::Wait(wait),
        }
    }

    /// A request that goes upstream without verification.
    fn unverified(&self, request: &Request<'_>) -> Admission {
        Admission { provider: None, edits: self.sanitizer.edits(request, Keep::Forwarded) }
    }

    /// A request that goes upstream with what its tokens claim. Where two tokens set one header, the first token wins.
    fn admission(&self, request: &Request<'_>, accepted: Vec<Accepted<'_>>) -> Admission {
        let kept: Vec<_> = accepted.iter().filter_map(|token| token.forwarded).collect();
        let mut edits = self.sanitizer.edits(request, Keep::Only(&kept));
        let provider = accepted.first().map(|token| token.provider);
        edits.extend(accepted.into_iter().rev().flat_map(|token| token.edits));
        Admission { provider, edits }
    }

    /// Every token that stands where the requirement looks has to be good, and there has to be one.
    fn authenticate<'a>(&'a self, requirement: &'a Requirement, moment: Moment<'a>) -> Result<Vec<Accepted<'a>>, Stop> {
        let candidates = match requirement {
            Requirement::Provider(id) => std::slice::from_ref(id),
            Requirement::AnyProvider(ids) => ids.as_slice(),
        };
        let found = self.find_tokens(candidates, moment.request)?;
        if found.is_empty() {
            return Err(Stop::Deny(Denial::new(Reason::TokenMissing, only(candidates))));
        }
        found.into_iter().map(|found| self.accept_by_any(candidates, found, moment)).collect()
    }

    /// The tokens at all places where these providers look: at most one at each place.
    fn find_tokens<'a>(&'a self, candidates: &[ProviderId], request: &'a Request<'a>) -> Result<Vec<Found<'a>>, Stop> {
        let mut found: Vec<Found<'a>> = Vec::new();
        for location in self.providers(candidates).flat_map(|(_, provider)| &provider.locations) {
            if found.iter().any(|known| known.location == location) {
                continue;
            }
            match tokens_at(location, request).as_slice() {
                [] => {}
                [token] => found.push(Found { location, token }),
                _ => return Err(Stop::Deny(Denial::new(Reason::TokenDuplicated, only(candidates)))),
            }
        }
        Ok(found)
    }

    fn providers<'a>(&'a self, ids: &[ProviderId]) -> impl Iterator<Item = (ProviderId, &'a Provider)> {
        ids.iter().filter_map(|id| Some((*id, self.config.provider(*id)?)))
    }

    /// Tries the providers that look at this place and accept the token's issuer; the first that accepts the token wins,
    /// and otherwise the last word stands.
    fn accept_by_any<'a>(
        &'a self,
        candidates: &[ProviderId],
        found: Found<'a>,
        moment: Moment<'a>,
    ) -> Result<Accepted<'a>, Stop> {
        let known = only(candidates);
        let refuse = |error: FormError| Stop::Deny(Denial::new(error.reason(), known).because(&error.to_string()));
        let decoded = DecodedToken::decode(found.token, self.config.limits.max_token_bytes).map_err(refuse)?;
        let mut outcome = Err(Stop::Deny(Denial::new(Reason::IssuerNotAccepted, known)));
        for (id, provider) in
            self.providers(candidates).filter(|(_, provider)| provider.locations.contains(found.location))
        {
            let wanted = self.wanted_claims.get(id.0).map_or(&[][..], Vec::as_slice);
            let token = decoded.parse(wanted).map_err(refuse)?;
            if !claims::accepts_issuer(provider, token.issuer()) {
                continue;
            }
            outcome = accept(id, provider, token, moment).map(|edits| Accepted {
                provider: id,
                forwarded: provider.forward.then_some(found.location),
                edits,
            });
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

/// The one provider there is to choose from, if there is one.
fn only(candidates: &[ProviderId]) -> Option<ProviderId> {
    match candidates {
        [id] => Some(*id),
        _ => None,
    }
}

/// One token against one provider: header, keys, signature, claims, and then what the upstream is told.
fn accept(
    id: ProviderId,
    provider: &Provider,
    token: UnverifiedToken<'_>,
    moment: Moment<'_>,
) -> Result<Vec<HeaderEdit>, Stop> {
    check_header(id, provider, &token)?;
    let verified = verify(id, token, moment)?;
    claims::check(provider, &verified, moment.now)
        .map_err(|unmet| Stop::Deny(Denial::new(unmet.reason, Some(id)).because(&unmet.detail)))?;
    claim_headers(provider, &verified)
        .map_err(|unsafe_claim| Stop::Deny(Denial::new(Reason::ClaimUnsafe, Some(id)).because(unsafe_claim.header)))
}

/// The provider says which algorithms and types count; the header can only agree (RFC 8725 sections 3.1 and 3.11).
fn check_header(id: ProviderId, provider: &Provider, token: &UnverifiedToken<'_>) -> Result<(), Stop> {
    let header = token.header();
    if !provider.algorithms.contains(header.algorithm) {
        let denial = Denial::new(Reason::AlgorithmNotAllowed, Some(id));
        return Err(Stop::Deny(denial.with_quoted("alg", Some(header.algorithm.name()))));
    }
    let type_accepted = match &header.token_type {
        Some(_) => header.has_type(&provider.token_types),
        None => !provider.require_type,
    };
    if !type_accepted {
        let denial = Denial::new(Reason::TypeNotAccepted, Some(id));
        return Err(Stop::Deny(denial.with_quoted("typ", header.token_type.as_deref())));
    }
    Ok(())
}

/// Finds the keys that may verify the token, and has it verified by one of them.
fn verify<'d>(id: ProviderId, token: UnverifiedToken<'d>, moment: Moment<'_>) -> Result<VerifiedToken<'d>, Stop> {
    let header = token.header();
    let key_id = header.key_id.clone();
    let refuse = |reason| Stop::Deny(Denial::new(reason, Some(id)).with_quoted("kid", key_id.as_deref()));
    let query = KeyQuery { provider: id, key_id: key_id.as_deref(), arrival: moment.arrival, now: moment.now };
    let set = match moment.keys.lookup(query) {
        KeyLookup::Ready(set) => set,
        KeyLookup::Pending(until) => return Err(Stop::Wait(Wait { provider: id, until })),
        KeyLookup::Unavailable => return Err(refuse(Reason::KeysUnavailable)),
    };
    let algorithm = header.algorithm;
    let mut candidates = set.candidates(key_id.as_deref(), algorithm).peekable();
    if candidates.peek().is_none() {
        let known = key_id.as_deref().is_none_or(|key_id| set.has_kid(key_id));
        return Err(refuse(if known { Reason::KeyUnsuitable } else { Reason::KeyUnknown }));
    }
    token.verify(candidates).map_err(|_| refuse(Reason::SignatureInvalid))
}
