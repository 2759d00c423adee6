//! One request from its head to its decision.

use std::cell::RefCell;
use std::rc::Rc;

use crate::claims;
use crate::config::{Config, Provider, ProviderId, Requirement, TokenLocation, Unmatched};
use crate::crypto::Signatures;
use crate::decision::{Admission, Decision, Denial};
use crate::extractor::{HeaderEdit, tokens_at};
use crate::jwt::{DecodedToken, FormError, wanted_claims};
use crate::matcher::{Found as FoundRule, RuleIndex};
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;
use crate::token_cache::{Entry, Scope, TokenCache};
use crate::upstream::{Keep, Sanitizer};
use crate::verifier::{Keys, Moment, Stop, accept};

/// Decides requests by one configuration.
#[derive(Debug)]
pub struct Authenticator {
    config: Config,
    rules: RuleIndex,
    sanitizer: Sanitizer,
    signatures: Signatures,
    /// Which claims the headers of any provider need.
    wanted_claims: Vec<String>,
    cache: Option<RefCell<TokenCache>>,
}

/// A place in the request and the one token that stands there.
#[derive(Clone, Copy)]
struct Found<'a> {
    location: &'a TokenLocation,
    token: &'a [u8],
}

/// A token that passed, and where it stands.
struct Admitted<'a> {
    provider: ProviderId,
    /// The place, if the upstream may see the token there.
    forwarded: Option<&'a TokenLocation>,
    edits: Rc<[HeaderEdit]>,
}

impl Authenticator {
    /// Prepares decisions by this configuration; `signatures` verifies signatures, `seed` is a random number.
    #[must_use]
    pub fn new(config: Config, signatures: Signatures, seed: u64) -> Self {
        let claim_headers = config.providers.iter().flat_map(|provider| &provider.claim_headers);
        Self {
            rules: RuleIndex::new(&config.rules),
            sanitizer: Sanitizer::new(&config),
            signatures,
            wanted_claims: wanted_claims(claim_headers.map(|header| &header.claim)),
            cache: TokenCache::new(config.token_cache, seed).map(RefCell::new),
            config,
        }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether a rule asks for the name of the route: only then a request has to carry it.
    #[must_use]
    pub const fn asks_for_route(&self) -> bool {
        self.rules.asks_for_route()
    }

    /// What the upstream may not see.
    #[must_use]
    pub const fn sanitizer(&self) -> &Sanitizer {
        &self.sanitizer
    }

    /// Decides a request that arrived at `arrival`. After [`Decision::Wait`] the same request may be asked about again.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>, keys: &dyn Keys, arrival: Timestamp, now: Timestamp) -> Decision {
        let rule = match self.rules.find(request) {
            FoundRule::Rule(position) => self.config.rules.get(position),
            FoundRule::Nothing => None,
            FoundRule::Ambiguous(reason) => return Decision::Deny(Denial::new(reason, None)),
        };
        let requirement = match (rule, self.config.unmatched) {
            (Some(rule), _) => rule.requires.as_ref(),
            (None, Unmatched::Allow) => None,
            (None, Unmatched::Deny) => return Decision::Deny(Denial::new(Reason::NoMatchingRule, None)),
        };
        let Some(requirement) = requirement else {
            return Decision::Allow(self.unverified(request));
        };
        match self.authenticate(requirement, request, Moment { keys, signatures: &self.signatures, arrival, now }) {
            Ok(admitted) => Decision::Allow(self.admission(request, &admitted)),
            Err(Stop::Deny(denial)) => Decision::Deny(denial),
            Err(Stop::Wait(wait)) => Decision::Wait(wait),
        }
    }

    /// A request that goes upstream without verification.
    fn unverified(&self, request: &Request<'_>) -> Admission {
        Admission { provider: None, edits: self.sanitizer.edits(request, Keep::Forwarded) }
    }

    /// A request that goes upstream with what its tokens claim. Where two tokens set one header, the first token wins.
    fn admission(&self, request: &Request<'_>, admitted: &[Admitted<'_>]) -> Admission {
        let kept: Vec<_> = admitted.iter().filter_map(|token| token.forwarded).collect();
        let mut edits = self.sanitizer.edits(request, Keep::Only(&kept));
        edits.extend(admitted.iter().rev().flat_map(|token| token.edits.iter().cloned()));
        Admission { provider: admitted.first().map(|token| token.provider), edits }
    }

    /// Every token that stands where the requirement looks has to be good, and there has to be one.
    fn authenticate<'a>(
        &'a self,
        requirement: &Requirement,
        request: &Request<'a>,
        moment: Moment<'_>,
    ) -> Result<Vec<Admitted<'a>>, Stop> {
        let (candidates, scope) = match requirement {
            Requirement::Provider(id) => (std::slice::from_ref(id), Scope(id.0)),
            Requirement::AnyProvider(ids) => (ids.as_slice(), Scope::ANY),
        };
        let found = self.find_tokens(candidates, request)?;
        if found.is_empty() {
            return Err(Stop::Deny(Denial::new(Reason::TokenMissing, only(candidates))));
        }
        let admit = |found: Found<'a>| match self.recall(scope, found, moment) {
            Some(admitted) => Ok(admitted),
            None => self.verify(candidates, scope, found, moment),
        };
        found.into_iter().map(admit).collect()
    }

    /// The tokens at all places where these providers look: at most one at each place.
    fn find_tokens<'a>(&'a self, candidates: &[ProviderId], request: &Request<'a>) -> Result<Vec<Found<'a>>, Stop> {
        let mut found: Vec<Found<'a>> = Vec::new();
        for location in self.locations(candidates) {
            match tokens_at(location, request).as_slice() {
                [] => {}
                [token] => found.push(Found { location, token }),
                _ => return Err(Stop::Deny(Denial::new(Reason::TokenDuplicated, only(candidates)))),
            }
        }
        Ok(found)
    }

    /// The places where these providers look, each once.
    fn locations<'a>(&'a self, candidates: &[ProviderId]) -> impl Iterator<Item = &'a TokenLocation> {
        let own = only(candidates).and_then(|id| self.config.provider(id)).map(|provider| &provider.locations);
        let all = own.is_none().then(|| self.sanitizer.locations());
        own.into_iter().flatten().chain(all.into_iter().flatten())
    }

    fn providers<'a>(&'a self, ids: &[ProviderId]) -> impl Iterator<Item = (ProviderId, &'a Provider)> {
        ids.iter().filter_map(|id| Some((*id, self.config.provider(*id)?)))
    }

    /// A token that was verified before, for the same candidates and with the same keys.
    fn recall<'a>(&'a self, scope: Scope, found: Found<'a>, moment: Moment<'_>) -> Option<Admitted<'a>> {
        let cache = self.cache.as_ref()?.try_borrow().ok()?;
        let generation = |id| moment.keys.generation(id, moment.now);
        let entry = cache.get(scope, found.token, moment.now, generation)?;
        let provider = self.config.provider(entry.provider)?;
        let looks_here = provider.locations.contains(found.location);
        looks_here.then(|| admitted(entry.provider, provider, found, Rc::clone(&entry.edits)))
    }

    /// Tries the providers that look at this place and accept the token's issuer; the first that accepts the token wins,
    /// and otherwise the last word stands.
    fn verify<'a>(
        &'a self,
        candidates: &[ProviderId],
        scope: Scope,
        found: Found<'a>,
        moment: Moment<'_>,
    ) -> Result<Admitted<'a>, Stop> {
        let refuse =
            |error: FormError| Stop::Deny(Denial::new(error.reason(), only(candidates)).because(&error.to_string()));
        let decoded = DecodedToken::decode(found.token, self.config.limits.max_token_bytes).map_err(refuse)?;
        let token = decoded.parse(&self.wanted_claims).map_err(refuse)?;
        let mut outcome = Err(Stop::Deny(Denial::new(Reason::IssuerNotAccepted, only(candidates))));
        for (id, provider) in self.providers(candidates) {
            if !provider.locations.contains(found.location) || !claims::accepts_issuer(provider, token.issuer()) {
                continue;
            }
            match accept(id, provider, &token, moment) {
                Ok(accepted) => {
                    let edits: Rc<[HeaderEdit]> = accepted.edits.into();
                    let generation = moment.keys.generation(id, moment.now);
                    let entry = generation.map(|generation| Entry {
                        provider: id,
                        generation,
                        validity: accepted.validity,
                        edits: Rc::clone(&edits),
                    });
                    self.remember(scope, found.token, entry);
                    return Ok(admitted(id, provider, found, edits));
                }
                // A set of keys that is still to come may accept the token.
                Err(_) if matches!(outcome, Err(Stop::Wait(_))) => {}
                Err(stop) => outcome = Err(stop),
            }
        }
        outcome
    }

    fn remember(&self, scope: Scope, token: &[u8], entry: Option<Entry>) {
        let cache = self.cache.as_ref().and_then(|cache| cache.try_borrow_mut().ok());
        if let (Some(mut cache), Some(entry)) = (cache, entry) {
            cache.insert(scope, token, entry);
        }
    }
}

fn admitted<'a>(id: ProviderId, provider: &Provider, found: Found<'a>, edits: Rc<[HeaderEdit]>) -> Admitted<'a> {
    Admitted { provider: id, forwarded: provider.forward.then_some(found.location), edits }
}

/// The one provider there is to choose from, if there is one.
fn only(candidates: &[ProviderId]) -> Option<ProviderId> {
    match candidates {
        [id] => Some(*id),
        _ => None,
    }
}
