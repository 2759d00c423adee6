//! One request from its head to its decision.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use crate::bearer::{Attempt, Bearers, ExaminedProof};
use crate::config::{Config, Provider, ProviderId, ROUTE_PROPERTY, Requirement, RuleId, TokenLocation, Unmatched};
use crate::connection::Connection;
use crate::crypto::Signatures;
use crate::decision::{Admission, Decision, Denial};
use crate::dpop::{Examiner, Nonces, ReplayMemory, Unusable, shared_secret};
use crate::extractor::HeaderEdit;
use crate::failed_attempts::FailedAttempts;
use crate::front::{Front, Scheme};
use crate::issuers::Issuers;
use crate::jwt::wanted_claims;
use crate::matcher::{Found, RuleIndex};
use crate::presented::{self, Place};
use crate::principal::{Interest, Principal};
use crate::protected_resource::Description;
use crate::reason::Reason;
use crate::request::Request;
use crate::requirement::Admitted;
use crate::route::{Policy, Route};
use crate::shared_store::SharedStore;
use crate::sorted::sorted;
use crate::time::Timestamp;
use crate::token_cache::{Remembered, TokenCache};
use crate::upstream::{Effect, Keep, Sanitizer};
use crate::verifier::{Moment, Stop};

/// What has happened, for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often a token was remembered.
    pub recalled: u64,
    /// How often one had to be verified.
    pub verified: u64,
    /// How many failed attempts were counted.
    pub failed_attempts: u64,
}

/// What is asked of a request, and by which rule, if it is one that asks.
struct Demand<'c> {
    requirement: Option<&'c Requirement>,
    rule: Option<RuleId>,
}

impl Demand<'_> {
    const NOTHING: Self = Self { requirement: None, rule: None };
}

const EXPOSED: &str = "the token came over plain HTTP, where others could read it: revoke it";

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
    failed_attempts: Option<FailedAttempts>,
    /// The same of requests whose refusal is only reported.
    reported_attempts: Option<FailedAttempts>,
    enforces_nothing: bool,
    replays: ReplayMemory,
    nonces: Option<Nonces>,
    tells_route: bool,
    tally: Cell<Tally>,
    description: Option<Description>,
}

impl Authenticator {
    /// Prepares decisions by this configuration; `signatures` verifies signatures, `seed` is a random number.
    #[must_use]
    pub fn new(config: Config, signatures: Signatures, seed: u64) -> Self {
        let sanitizer = Sanitizer::new(&config);
        let interests: Vec<_> = (0..config.providers.len()).map(|id| Interest::of(&config, ProviderId(id))).collect();
        let counters = || config.failed_attempts.as_ref().map(|settings| FailedAttempts::new(settings, seed));
        Self {
            rules: RuleIndex::new(&config.rules, config.unmatched),
            issuers: Issuers::new(&config.providers),
            places: config.providers.iter().map(|provider| positions(&provider.locations, &sanitizer)).collect(),
            wanted_claims: all_wanted(&config, &interests),
            interests,
            sanitizer,
            signatures,
            cache: TokenCache::new(config.token_cache, seed).map(RefCell::new),
            failed_attempts: counters(),
            reported_attempts: counters().map(FailedAttempts::for_reports),
            enforces_nothing: config.enforces_nothing(),
            replays: ReplayMemory::new(&config),
            nonces: None,
            tells_route: config.tells_route(),
            tally: Cell::default(),
            description: Description::of(&config),
            config,
        }
    }

    /// Agrees with all other workers on the secret of the nonces for proofs of possession, which is `secret` if there is
    /// none yet: random bytes, good for a key. Without this, no nonce counts. Says whether that was done.
    #[must_use]
    pub fn share_nonces(&mut self, store: &dyn SharedStore, secret: &[u8; 32]) -> bool {
        let Some(lifetime) = self.config.dpop.nonce_lifetime else { return true };
        self.nonces = shared_secret(store, secret).and_then(|secret| Nonces::new(&secret, lifetime));
        self.nonces.is_some()
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether a rule asks for the name of the route, or filters behind or the audit are told it: only then a request has to
    /// carry it.
    #[must_use]
    pub const fn asks_for_route(&self) -> bool {
        self.tells_route || self.config.audit.is_some()
    }

    /// What has happened since this was last asked.
    #[must_use]
    pub fn take_tally(&self) -> Tally {
        self.tally.take()
    }

    /// What has happened, without beginning anew.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally.get()
    }

    /// One more of these has happened.
    pub(crate) fn note(&self, what: impl FnOnce(&mut Tally) -> &mut u64) {
        let mut tally = self.tally.get();
        let number = what(&mut tally);
        *number = number.saturating_add(1);
        self.tally.set(tally);
    }

    /// What the upstream may not see.
    #[must_use]
    pub const fn sanitizer(&self) -> &Sanitizer {
        &self.sanitizer
    }

    /// Decides a request. After [`Decision::Wait`] the same request may be asked about again.
    #[must_use]
    pub fn decide(&self, request: &Request<'_>, moment: Moment<'_>) -> Decision {
        self.report(self.verdict(request, moment), request)
    }

    fn verdict(&self, request: &Request<'_>, moment: Moment<'_>) -> Decision {
        if let Some(answer) = self.description.as_ref().and_then(|description| description.answer(request)) {
            return Decision::Tell(answer);
        }
        let found = self.rules.find(request);
        if let Found::Ambiguous(reason) = found {
            return Decision::Deny(Denial::new(reason, None));
        }
        if self.config.bypass_cors_preflight && request.is_cors_preflight() {
            return Decision::Allow(self.unverified(request, "cors_preflight"));
        }
        match self.demand(request, found) {
            Ok(Demand { requirement: Some(requirement), rule }) => {
                let only_reports = self.config.only_reports(rule);
                let counters = if only_reports { &self.reported_attempts } else { &self.failed_attempts };
                self.judge(requirement, counters.as_ref(), request, moment).by(rule)
            }
            Ok(Demand { requirement: None, rule }) => {
                Decision::Allow(self.unverified(request, "not_required")).by(rule)
            }
            Err(denial) => Decision::Deny(denial),
        }
    }

    /// What is asked of the request, `None` if it is nothing, and by which rule. For those who ask why.
    ///
    /// # Errors
    ///
    /// The request is refused whatever it brings.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn asked_of(&self, request: &Request<'_>) -> Result<(Option<&Requirement>, Option<RuleId>), Denial> {
        self.demand(request, self.rules.find(request)).map(|demand| (demand.requirement, demand.rule))
    }

    /// Which rules there are. For those who ask why one was chosen.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub const fn rules(&self) -> &RuleIndex {
        &self.rules
    }

    /// What is asked of the request: by the metadata of its route, otherwise by the rule that was `found`.
    fn demand(&self, request: &Request<'_>, found: Found) -> Result<Demand<'_>, Denial> {
        let refuse = |what| Denial::new(Reason::RequirementUnknown, None).with_quoted("metadata", Some(what));
        match request.route().map_or(Ok(Policy::Rules), Route::policy).map_err(refuse)? {
            Policy::Disabled => Ok(Demand::NOTHING),
            Policy::Requirement(name) => {
                let requirement = self.config.requirement(name).ok_or_else(|| refuse(name))?;
                Ok(Demand { requirement: Some(requirement), rule: None })
            }
            Policy::Rules => self.demand_by_rule(found),
        }
    }

    fn demand_by_rule(&self, found: Found) -> Result<Demand<'_>, Denial> {
        match (found, self.config.unmatched) {
            (Found::Rule(position), _) => {
                let rule = self.config.rules.get(position).ok_or(Denial::new(Reason::Internal, None))?;
                Ok(Demand { requirement: rule.requires.as_deref(), rule: Some(RuleId(position)) })
            }
            (Found::Nothing, Unmatched::Allow) => Ok(Demand::NOTHING),
            (Found::Nothing, Unmatched::Deny) => Err(Denial::new(Reason::NoMatchingRule, None)),
            (Found::Ambiguous(reason), _) => Err(Denial::new(reason, None)),
        }
    }

    /// A request that goes upstream without verification.
    pub(crate) fn unverified(&self, request: &Request<'_>, code: &'static str) -> Admission {
        let edits = self.sanitizer.edits(request, Keep::Forwarded);
        let told = self.judged_route(request).into_iter().collect();
        Admission { rule: None, provider: None, code, edits, told, identity: None, reported: None }
    }

    /// By which route the request was judged: Envoy may choose another one once its headers are changed. Routes without
    /// names could not be told apart, so of them nothing is said.
    fn judged_route(&self, request: &Request<'_>) -> Option<Rc<[Effect]>> {
        let name = std::str::from_utf8(request.route_name()?).ok().filter(|name| !name.is_empty())?;
        self.tells_route.then(|| [Effect::Property(ROUTE_PROPERTY.to_owned(), name.to_owned())].into())
    }

    fn judge<'r>(
        &'r self,
        requirement: &Requirement,
        counters: Option<&'r FailedAttempts>,
        request: &Request<'r>,
        moment: Moment<'_>,
    ) -> Decision {
        let places: Vec<Place<'r>> = self.sanitizer.locations().map(Place::new).collect();
        let parsed: Vec<_> = places.iter().map(|_| OnceCell::new()).collect();
        let (attempt, proof) = (Attempt::new(counters), OnceCell::new());
        let bearers = Bearers {
            authenticator: self,
            request,
            moment,
            places: &places,
            parsed: &parsed,
            attempt: &attempt,
            proof: &proof,
        };
        if self.config.require_tls
            && let Some(place) = self.exposed_place(requirement, &bearers)
        {
            return Decision::Deny(Denial::new(Reason::TlsRequired, None).because(EXPOSED).at(place));
        }
        let refuse = |denial: Denial| {
            self.count_failure(attempt.counters_of(denial.reason), &bearers);
            Decision::Deny(self.challenging(denial, &places, request, moment.now))
        };
        match bearers.meet(requirement) {
            Ok(admitted) => match self.use_up(&admitted, &proof, moment) {
                Ok(()) => {
                    let has_failed = admitted.is_empty() && attempt.has_failed.get();
                    self.count_failure(counters.filter(|_| has_failed), &bearers);
                    Decision::Allow(self.admission(request, &admitted))
                }
                Err(denial) => refuse(denial),
            },
            Err(Stop::Deny(denial)) => refuse(denial),
            Err(Stop::Wait(wait)) => Decision::Wait(wait),
        }
    }

    /// Where the request brings a token that is asked for, if others could read it on its way.
    fn exposed_place(&self, requirement: &Requirement, bearers: &Bearers<'_, '_, '_>) -> Option<usize> {
        let is_there = |place: &usize| {
            let place = bearers.places.get(*place);
            place.is_some_and(|place| !matches!(place.look(bearers.request), presented::Found::Nothing))
        };
        let places = requirement.providers().into_iter().flat_map(|id| self.places_of(id));
        places.copied().find(is_there).filter(|_| bearers.front().scheme() == Scheme::Http)
    }

    fn count_failure(&self, counters: Option<&FailedAttempts>, bearers: &Bearers<'_, '_, '_>) {
        if let Some(counters) = counters {
            counters.count(bearers.front(), bearers.moment.store, bearers.moment.now);
            self.note(|tally| &mut tally.failed_attempts);
        }
    }

    /// What stands in front of the proxy that got this request over this connection.
    #[must_use]
    pub fn front<'f>(&'f self, request: &'f Request<'f>, connection: &'f dyn Connection) -> Front<'f> {
        Front { proxies: self.config.trusted_proxies.as_ref(), request, connection }
    }

    /// Whether no request is refused, whatever it falls under.
    pub(crate) const fn enforces_nothing(&self) -> bool {
        self.enforces_nothing
    }

    /// Uses up the request's proof, if a token counts by it: nothing but this stands between the request and the upstream.
    #[inline(never)]
    fn use_up(&self, admitted: &[Admitted<'_>], proof: &ExaminedProof, moment: Moment<'_>) -> Result<(), Denial> {
        let Some(token) = admitted.iter().find(|token| token.by_proof) else { return Ok(()) };
        let refuse = |reason| Denial::new(reason, Some(token.principal.provider));
        let Some(Ok(proof)) = proof.get() else { return Err(refuse(Reason::Internal)) };
        self.replays.use_up(&proof.digest, proof.until, moment.store, moment.now).map_err(|unusable| match unusable {
            Unusable::Replayed => refuse(Reason::DpopProofReplayed),
            Unusable::Full => refuse(Reason::DpopMemoryFull),
            Unusable::Contended => refuse(Reason::DpopMemoryFull).because("other workers were faster each time"),
        })
    }

    /// The refusal with what a client that uses DPoP has to know.
    #[inline(never)]
    fn challenging<'r>(&self, denial: Denial, places: &[Place<'r>], request: &Request<'r>, now: Timestamp) -> Denial {
        let takes_it = denial.provider.and_then(|id| self.config.provider(id)).is_none_or(Provider::takes_dpop);
        let is_dpop = |place: &Place<'r>| place.location.is_dpop() && !place.look(request).is_nothing();
        let by_dpop = takes_it && places.iter().any(is_dpop);
        let nonce = self.nonces.as_ref().filter(|_| by_dpop).map(|nonces| nonces.issue(now).into());
        Denial { by_dpop, nonce, ..denial }
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
        let identity = admitted.first().and_then(|token| token.principal.identity.clone());
        Admission { rule: None, provider, code, edits, told, identity, reported: None }
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

    /// Who examines proofs of possession.
    pub(crate) const fn examiner(&self) -> Examiner<'_> {
        Examiner { settings: &self.config.dpop, signatures: &self.signatures, nonces: self.nonces.as_ref() }
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
