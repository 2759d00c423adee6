//! One request from its head to its decision.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use crate::bearer::Bearers;
use crate::config::{Config, Provider, ProviderId, ROUTE_PROPERTY, Requirement, TokenLocation, Unmatched};
use crate::crypto::Signatures;
use crate::decision::{Admission, Decision, Denial};
use crate::extractor::HeaderEdit;
use crate::issuers::Issuers;
use crate::jwt::wanted_claims;
use crate::matcher::{Found, RuleIndex};
use crate::presented::Place;
use crate::principal::{Interest, Principal};
use crate::reason::Reason;
use crate::request::Request;
use crate::requirement::Admitted;
use crate::route::{Policy, Route};
use crate::sorted::sorted;
use crate::token_cache::{Remembered, TokenCache};
use crate::upstream::{Effect, Keep, Sanitizer};
use crate::verifier::{Moment, Stop};

/// Decides requests by one configuration.
#[derive(Debug)]
pub struct Authenticator {
    config: Config,
    rules: RuleIndex,
    sanitizer: Sanitizer,
    signatures: Signatures,
    issuers: Issuers,
    /// For each provider, its places among those of the sanitizer.
    places: Vec<Vec<usize>>,
    interests: Vec<Interest>,
    /// Which claims any provider tells, and any rule asks about.
    wanted_claims: Vec<String>,
    cache: Option<RefCell<TokenCache>>,
    tells_route: bool,
}

impl Authenticator {
    /// Prepares decisions by this configuration; `signatures` verifies signatures, `seed` is a random number.
    #[must_use]
    pub fn new(config: Config, signatures: Signatures, seed: u64) -> Self {
        let sanitizer = Sanitizer::new(&config);
        let interests: Vec<_> = (0..config.providers.len()).map(|id| Interest::of(&config, ProviderId(id))).collect();
        Self {
            rules: RuleIndex::new(&config.rules, config.unmatched),
            issuers: Issuers::new(&config.providers),
            places: config.providers.iter().map(|provider| positions(&provider.locations, &sanitizer)).collect(),
            wanted_claims: all_wanted(&config, &interests),
            interests,
            sanitizer,
            signatures,
            cache: TokenCache::new(config.token_cache, seed).map(RefCell::new),
            tells_route: config.tells_route(),
            config,
        }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether a rule asks for the name of the route, or filters behind are told it: only then a request has to carry it.
    #[must_use]
    pub const fn asks_for_route(&self) -> bool {
        self.tells_route
    }

    /// What the upstream may not see.
    #[must_use]
    pub const fn sanitizer(&self) -> &Sanitizer {
        &self.sanitizer
    }

    /// Decides a request. After [`Decision::Wait`] the same request may be asked about again.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>, moment: Moment<'_>) -> Decision {
        let found = self.rules.find(request);
        if let Found::Ambiguous(reason) = found {
            return Decision::Deny(Denial::new(reason, None));
        }
        if self.config.bypass_cors_preflight && request.is_cors_preflight() {
            return Decision::Allow(self.unverified(request, "cors_preflight"));
        }
        match self.requirement(request, found) {
            Ok(Some(requirement)) => self.judge(requirement, request, moment),
            Ok(None) => Decision::Allow(self.unverified(request, "not_required")),
            Err(denial) => Decision::Deny(denial),
        }
    }

    /// What is asked of the request: by the metadata of its route, otherwise by the rule that was `found`.
    fn requirement(&self, request: &Request<'_>, found: Found) -> Result<Option<&Requirement>, Denial> {
        let refuse = |what| Denial::new(Reason::RequirementUnknown, None).with_quoted("metadata", Some(what));
        match request.route().map_or(Ok(Policy::Rules), Route::policy).map_err(refuse)? {
            Policy::Disabled => Ok(None),
            Policy::Requirement(name) => self.config.requirement(name).map(Some).ok_or_else(|| refuse(name)),
            Policy::Rules => self.requirement_by_rule(found),
        }
    }

    fn requirement_by_rule(&self, found: Found) -> Result<Option<&Requirement>, Denial> {
        match (found, self.config.unmatched) {
            (Found::Rule(position), _) => {
                let rule = self.config.rules.get(position).ok_or(Denial::new(Reason::Internal, None))?;
                Ok(rule.requires.as_deref())
            }
            (Found::Nothing, Unmatched::Allow) => Ok(None),
            (Found::Nothing, Unmatched::Deny) => Err(Denial::new(Reason::NoMatchingRule, None)),
            (Found::Ambiguous(reason), _) => Err(Denial::new(reason, None)),
        }
    }

    /// A request that goes upstream without verification.
    fn unverified(&self, request: &Request<'_>, code: &'static str) -> Admission {
        let edits = self.sanitizer.edits(request, Keep::Forwarded);
        Admission { provider: None, code, edits, told: self.judged_route(request).into_iter().collect() }
    }

    /// By which route the request was judged: Envoy may choose another one once its headers are changed. Routes without
    /// names could not be told apart, so of them nothing is said.
    fn judged_route(&self, request: &Request<'_>) -> Option<Rc<[Effect]>> {
        let name = std::str::from_utf8(request.route_name()?).ok().filter(|name| !name.is_empty())?;
        self.tells_route.then(|| [Effect::Property(ROUTE_PROPERTY.to_owned(), name.to_owned())].into())
    }

    fn judge<'r>(&'r self, requirement: &Requirement, request: &Request<'r>, moment: Moment<'_>) -> Decision {
        let places: Vec<Place<'r>> = self.sanitizer.locations().map(Place::new).collect();
        let parsed: Vec<_> = places.iter().map(|_| OnceCell::new()).collect();
        let bearers = Bearers { authenticator: self, request, moment, places: &places, parsed: &parsed };
        match bearers.meet(requirement) {
            Ok(admitted) => Decision::Allow(self.admission(request, &admitted)),
            Err(Stop::Deny(denial)) => Decision::Deny(denial),
            Err(Stop::Wait(wait)) => Decision::Wait(wait),
        }
    }

    /// A request that goes upstream with what its tokens claim.
    fn admission(&self, request: &Request<'_>, admitted: &[Admitted<'_>]) -> Admission {
        let forwards = |id| self.config.provider(id).is_some_and(|provider| provider.forward);
        let kept = admitted.iter().filter(|token| forwards(token.principal.provider)).map(|token| token.location);
        let edits = self.sanitizer.edits(request, Keep::Only(&kept.collect::<Vec<_>>()));
        let claims = (0..admitted.len()).map(|position| self.told(admitted, position));
        let told = self.judged_route(request).into_iter().chain(claims).collect();
        let provider = admitted.first().map(|token| token.principal.provider);
        let code = match provider {
            None => "not_required",
            Some(_) if admitted.iter().all(|token| token.is_certain) => "verified",
            Some(_) => "verified_without_revocation",
        };
        Admission { provider, code, edits, told }
    }

    /// What is told of the token at this position. Where the provider of an earlier token tells something, no later token
    /// does, even where the earlier has no such claim: two tokens must not be taken for one.
    fn told(&self, admitted: &[Admitted<'_>], position: usize) -> Rc<[Effect]> {
        let (earlier, rest) = admitted.split_at_checked(position).unwrap_or_default();
        let Some(token) = rest.first() else { return Rc::new([]) };
        let effects = &token.principal.effects;
        let earlier = || earlier.iter().filter_map(|token| self.config.provider(token.principal.provider));
        if position == 0 || effects.is_empty() {
            return Rc::clone(effects);
        }
        effects.iter().filter(|effect| !earlier().any(|provider| tells(provider, effect))).cloned().collect()
    }

    /// The places where this provider looks, as positions among those of the sanitizer.
    pub(crate) fn places_of(&self, provider: ProviderId) -> &[usize] {
        self.places.get(provider.0).map_or(&[], Vec::as_slice)
    }

    /// The providers that accept this `iss`.
    pub(crate) fn accepting(&self, issuer: Option<&str>) -> Rc<[ProviderId]> {
        self.issuers.accepting(&self.config.providers, issuer)
    }

    /// What rules ask about this provider's tokens.
    pub(crate) fn interest(&self, provider: ProviderId) -> Option<&Interest> {
        self.interests.get(provider.0)
    }

    /// Who verifies signatures.
    pub(crate) const fn signatures(&self) -> &Signatures {
        &self.signatures
    }

    /// The top-level claims whose values are needed.
    pub(crate) fn wanted_claims(&self) -> &[String] {
        &self.wanted_claims
    }

    /// What is remembered of a token.
    pub(crate) fn recall(&self, token: &[u8]) -> Option<Rc<Remembered>> {
        self.cache.as_ref()?.try_borrow().ok()?.get(token)
    }

    /// Remembers who a token speaks for.
    pub(crate) fn remember(&self, token: &[u8], accepting: &Rc<[ProviderId]>, principal: Rc<Principal>) {
        if let Some(mut cache) = self.cache.as_ref().and_then(|cache| cache.try_borrow_mut().ok()) {
            cache.insert(token, accepting, principal);
        }
    }
}

/// Whether the provider has this header or property told of its own tokens.
fn tells(provider: &Provider, effect: &Effect) -> bool {
    match effect {
        Effect::Header(HeaderEdit::Remove(name) | HeaderEdit::Replace(name, _)) => {
            provider.claim_headers.iter().any(|header| header.header == *name)
                || provider.payload_header.as_ref().is_some_and(|header| header.name == *name)
        }
        Effect::Property(name, _) => provider.claim_states.iter().any(|state| state.property == *name),
    }
}

fn positions(locations: &[TokenLocation], sanitizer: &Sanitizer) -> Vec<usize> {
    let position = |location| sanitizer.locations().position(|known| known == location);
    locations.iter().filter_map(position).collect()
}

fn all_wanted(config: &Config, interests: &[Interest]) -> Vec<String> {
    let told = wanted_claims(config.providers.iter().flat_map(Provider::told_claims));
    let asked = interests.iter().flat_map(Interest::claims).cloned();
    let revoking = config.providers.iter().flat_map(Provider::revocation_claims).map(|name| (*name).to_owned());
    sorted(told.into_iter().chain(asked).chain(revoking))
}
