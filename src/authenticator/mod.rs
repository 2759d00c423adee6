//! One request from its head to its decision.

mod admission;
mod demand;
mod judgement;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use self::demand::Demand;
use crate::config::{Config, Provider, ProviderId, TokenLocation};
use crate::connection::Connection;
use crate::crypto::Signatures;
use crate::decision::{Decision, Denial};
use crate::dpop::{Examiner, Nonces, ReplayMemory, shared_secret};
use crate::failed_attempts::FailedAttempts;
use crate::front::Front;
use crate::issuers::Issuers;
use crate::jwt::{KnownHeaders, wanted_claims};
use crate::matcher::{Found, RuleIndex};
use crate::principal::{Interest, Principal};
use crate::protected_resource::Description;
use crate::report_only;
use crate::request::Request;
use crate::shared_store::SharedStore;
use crate::sorted::sorted;
use crate::token_cache::{Remembered, TokenCache};
use crate::upstream::{Effect, Sanitizer};
use crate::verifier::Moment;

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
    known_headers: KnownHeaders,
    cache: Option<RefCell<TokenCache>>,
    failed_attempts: Option<FailedAttempts>,
    /// The same of requests whose refusal is only reported.
    reported_attempts: Option<FailedAttempts>,
    enforces_nothing: bool,
    /// Made once: every allowed request has it where refusals are only reported.
    tells_allowed: Rc<[Effect]>,
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
            known_headers: KnownHeaders::default(),
            cache: TokenCache::new(config.token_cache, seed).map(RefCell::new),
            failed_attempts: counters(),
            reported_attempts: counters().map(FailedAttempts::for_reports),
            enforces_nothing: config.enforces_nothing(),
            tells_allowed: report_only::allowed(),
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

    /// Whether a rule asks for the name of the route, or filters behind are told it: only then a request has to carry it.
    #[must_use]
    pub const fn asks_for_route(&self) -> bool {
        self.tells_route
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

    /// Which rules there are. For those who ask why one was chosen.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub const fn rules(&self) -> &RuleIndex {
        &self.rules
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

    /// What tells the upstream that a request is allowed.
    pub(crate) const fn tells_allowed(&self) -> &Rc<[Effect]> {
        &self.tells_allowed
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

    /// Headers of verified tokens.
    pub(crate) const fn known_headers(&self) -> &KnownHeaders {
        &self.known_headers
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
