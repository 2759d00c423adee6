//! What one plugin instance of one worker knows: its configuration, its keys, and the requests that wait.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher as _, Hasher as _};
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::types::LogLevel;

use zeroize::Zeroizing;

use super::connection::HostConnection;
use super::fetches::{Fetches, Target, read_response};
use super::gauges::Identity;
use super::host_crypto::ForeignFunction;
use super::journal::Journal;
use super::metrics::{Metrics, Verdict};
use super::observation::Observation;
use super::revocations::{PerProvider, per_provider};
use super::shared_store::HostStore;
use super::waiting::{Progress, Waiting, WaitingRoom};
use super::{abi, effects, pairs, report, route};
use crate::audit::Decided;
use crate::authenticator::Authenticator;
use crate::config::{Config, HttpUri, JwksSource, Provider, ProviderId};
use crate::crypto::{SignatureAlgorithm, Signatures};
use crate::decision::{Admission, Decision, Denial};
use crate::jwks::{KeyOrigin, KeySet, RemoteKeys};
use crate::log::Line;
use crate::reason::Reason;
use crate::rehearsal;
use crate::remote::{Attempt, Failure, Next, Response};
use crate::request::Request;
use crate::revocation::LookupKey;
use crate::time::Timestamp;
use crate::verifier::{KeyLookup, KeyQuery, Keys, Moment};

/// How often a worker looks at what the others fetched.
pub(super) const IDLE_TICK: Duration = Duration::from_millis(250);
/// The same while requests wait.
const WAITING_TICK: Duration = Duration::from_millis(10);
/// As soon as the host can.
const NEXT_TICK: Duration = Duration::from_millis(1);
/// The largest answer to a question about one token, in bytes.
const MAX_ANSWER: usize = 65_536;
/// Requests that wake within one callback stack up in the host, which overflows at some 270.
const WAKE_BATCH: usize = 64;

/// One plugin instance of one worker.
pub(super) struct Worker {
    root_id: u32,
    pub(super) authenticator: Authenticator,
    keys: Vec<ProviderKeys>,
    pub(super) revocations: PerProvider,
    fetches: RefCell<Fetches>,
    waiting: RefCell<WaitingRoom>,
    /// What stands for this configuration, at every worker.
    pub(super) identity: Identity,
    pub(super) metrics: Metrics,
    pub(super) observation: Observation,
    pub(super) journal: Journal,
    entropy: Cell<u64>,
}

/// The keys of one provider.
pub(super) enum ProviderKeys {
    Local(Rc<KeySet>),
    Remote(Box<RefCell<RemoteKeys>>),
}

impl Worker {
    /// `None` if the module does not decide as it should.
    pub(super) fn new(root_id: u32, config: Config, identity: Identity) -> Option<Self> {
        let signatures = Signatures::probe(Box::new(ForeignFunction));
        report_probe(&signatures);
        if !rehearsal::succeeds(&signatures) {
            abi::log(LogLevel::Error, "jwt-warden: configuration refused: the module does not decide as it should");
            return None;
        }
        let seed = std::hash::RandomState::new().build_hasher().finish();
        let max_bytes = config.limits.max_jwks_bytes;
        let keys = config.providers.iter().map(|provider| ProviderKeys::of(provider, max_bytes)).collect();
        let revocations = per_provider(&config.providers, config.limits.max_revocation_bytes);
        let journal = Journal::new(&config);
        let mut authenticator = Authenticator::new(config, signatures, seed);
        if !share_nonces(&mut authenticator) {
            abi::log(LogLevel::Error, "jwt-warden: configuration refused: dpop.nonce: there is no secret to be had");
            return None;
        }
        Some(Self {
            root_id,
            keys,
            revocations,
            authenticator,
            fetches: RefCell::default(),
            waiting: RefCell::default(),
            identity,
            metrics: Metrics::default(),
            observation: Observation::default(),
            journal,
            entropy: Cell::new(seed),
        })
    }

    /// Takes over what was fetched before, and sets the first tick.
    pub(super) fn start(&self) {
        if let Some(now) = abi::now() {
            self.remotes().for_each(|(_, keys)| keys.borrow_mut().warm_up(&HostStore, now));
            self.warm_up_revocations(now);
        }
        abi::set_tick_period(NEXT_TICK);
    }

    pub(super) fn config(&self) -> &Config {
        self.authenticator.config()
    }

    /// Decides a request that has just come, in its own context.
    pub(super) fn admit(&self, context_id: u32, progress: &Rc<Cell<Progress>>) {
        let head = abi::header_pairs(proxy_wasm::types::MapType::HttpRequestHeaders).unwrap_or_default();
        let route = route::chosen(self.authenticator.asks_for_route(), self.config().route_metadata);
        let request = pairs::parse_request(&head).map(|request| request.on_route(&route));
        let (Some(request), Some(now)) = (request, abi::now()) else {
            self.refuse(&Denial::new(Reason::Internal, None), &Request::new(Vec::new()), progress);
            return;
        };
        let stopwatch = self.stopwatch();
        let decision = self.authenticator.decide(&request, self.moment(now, now));
        if let Some(stopwatch) = stopwatch {
            self.stop(&stopwatch, &decision);
        }
        match decision {
            Decision::Wait(wait) if self.has_room(head.len()) => {
                let progress = Rc::clone(progress);
                let waiting = Waiting { head, route: route.clone(), arrival: now, wait, has_news: false, progress };
                self.enter(context_id, waiting);
            }
            Decision::Wait(wait) => {
                self.conclude(&self.authenticator.turn_away(&request, wait), &request, progress);
            }
            decision => self.conclude(&decision, &request, progress),
        }
    }

    /// What surrounds the request of the effective context.
    fn moment(&self, arrival: Timestamp, now: Timestamp) -> Moment<'_> {
        Moment { keys: self, revocations: self, connection: &HostConnection, store: &HostStore, arrival, now }
    }

    fn has_room(&self, head: usize) -> bool {
        let max_requests = self.config().limits.max_waiting_requests;
        self.waiting.try_borrow().is_ok_and(|waiting| waiting.has_room(head, max_requests))
    }

    fn enter(&self, context_id: u32, waiting: Waiting) {
        self.waiting.borrow_mut().insert(context_id, waiting);
        self.metrics.count_waiting("entered", self.config());
        abi::set_tick_period(NEXT_TICK);
    }

    /// Carries out a final decision on the request of the effective context.
    fn conclude(&self, decision: &Decision, request: &Request<'_>, progress: &Cell<Progress>) {
        match decision {
            Decision::Allow(admission) if effects::carry_out(admission) => {
                progress.set(Progress::Allowed);
                let Admission { rule, provider, code, .. } = *admission;
                let reported = admission.reported.as_deref();
                let verdict = reported.map_or(Verdict::Allowed, |_| Verdict::Reported);
                self.metrics.count_request(verdict, rule, provider, code, self.config());
                match reported {
                    None => self.audit(&Decided::allowed(admission), request),
                    Some(denial) => self.log_reported(denial, request),
                }
            }
            Decision::Deny(denial) => self.refuse(denial, request, progress),
            Decision::Tell(answer) => {
                progress.set(Progress::Denied);
                self.metrics.count_request(Verdict::Answered, None, None, "protected_resource", self.config());
                self.audit(&Decided::answered(answer), request);
                effects::tell(answer);
            }
            Decision::Allow(_) | Decision::Wait(_) => {
                self.refuse(&Denial::new(Reason::Internal, None), request, progress);
            }
        }
    }

    fn refuse(&self, denial: &Denial, request: &Request<'_>, progress: &Cell<Progress>) {
        progress.set(Progress::Denied);
        let Denial { rule, provider, reason, .. } = *denial;
        self.metrics.count_request(Verdict::Denied, rule, provider, reason.code(), self.config());
        self.log_refusal(denial, request);
        effects::refuse(denial, self.config());
    }

    /// A provider's name.
    pub(super) fn name_of(&self, id: ProviderId) -> &str {
        self.config().provider(id).map_or("", |provider| &provider.name)
    }

    /// Takes out of the trailers at hand what the upstream may not see. Says whether that was done.
    pub(super) fn clean_trailers(&self) -> bool {
        let trailers = abi::header_pairs(proxy_wasm::types::MapType::HttpRequestTrailers).unwrap_or_default();
        pairs::parse_request(&trailers).is_some_and(|trailers| {
            effects::remove_trailers(&self.authenticator.sanitizer().trailers_to_remove(&trailers))
        })
    }

    /// A waiting client has gone.
    pub(super) fn leave(&self, context_id: u32) {
        let left = self.waiting.try_borrow_mut().ok().and_then(|mut waiting| waiting.remove(context_id));
        if left.is_some() {
            self.metrics.count_waiting("left", self.config());
        }
    }

    /// Looks after the keys, wakes requests, and sets the next tick.
    pub(super) fn tick(&self) {
        let Some(now) = abi::now() else { return };
        self.watch_gauges(now);
        for (id, keys) in self.remotes() {
            let polled = keys.borrow_mut().poll(&HostStore, now);
            if polled.changed {
                self.note_change(id, now);
            }
            if let Some(attempt) = polled.fetch {
                let http = keys.borrow().source().http.clone();
                self.fetch(id, attempt, &http, now);
            }
        }
        self.look_after_revocations(now);
        self.wake(now);
        self.hand_over();
        self.turn_journal(now, false);
    }

    pub(super) fn provider_keys(&self, id: ProviderId) -> Option<&ProviderKeys> {
        self.keys.get(id.0)
    }

    fn remotes(&self) -> impl Iterator<Item = (ProviderId, &RefCell<RemoteKeys>)> {
        self.keys.iter().enumerate().filter_map(|(index, keys)| match keys {
            ProviderKeys::Remote(keys) => Some((ProviderId(index), keys.as_ref())),
            ProviderKeys::Local(_) => None,
        })
    }

    /// Something is new about a provider's keys.
    fn note_change(&self, id: ProviderId, now: Timestamp) {
        self.show_keys(id, now);
        self.tell(id);
    }

    /// Something is new for the requests that wait for this provider.
    pub(super) fn tell(&self, id: ProviderId) {
        self.waiting.borrow_mut().tell(id);
    }

    /// This question about one of the provider's tokens has been answered.
    pub(super) fn tell_of(&self, id: ProviderId, question: LookupKey) {
        self.waiting.borrow_mut().tell_of(id, question);
    }

    /// Sends a request of an attempt; if that fails at once, the attempt has its answer.
    fn fetch(&self, id: ProviderId, attempt: Attempt, http: &HttpUri, now: Timestamp) {
        if let Err(failure) =
            self.send(Target::Keys(id, attempt), http, "application/jwk-set+json, application/json", None)
        {
            self.finish(id, attempt, Response::Failed(failure), now);
        }
    }

    /// Sends a request.
    pub(super) fn send(&self, target: Target, http: &HttpUri, accept: &str, etag: Option<&str>) -> Result<(), Failure> {
        self.fetches.borrow_mut().dispatch(target, http, accept, etag)
    }

    /// A callout has been answered.
    pub(super) fn receive(&self, token: u32, headers: usize, body_size: usize) {
        let Some(target) = self.fetches.borrow_mut().take(token) else { return };
        let Some(now) = abi::now() else { return };
        let limits = self.config().limits;
        let read = |max_bytes| read_response(headers, body_size, max_bytes);
        match target {
            Target::Keys(id, attempt) => self.finish(id, attempt, read(limits.max_jwks_bytes), now),
            Target::List(id, index, attempt) => {
                self.finish_list(id, index, attempt, read(limits.max_revocation_bytes), now);
            }
            Target::Lookup(id, key) => self.finish_lookup(id, key, read(MAX_ANSWER), now),
        }
        self.wake(now);
    }

    fn finish(&self, id: ProviderId, attempt: Attempt, response: Response, now: Timestamp) {
        let Some((_, keys)) = self.remotes().find(|(candidate, _)| *candidate == id) else { return };
        let next = keys.borrow_mut().receive(attempt, response, &HostStore, now, self.random());
        match next {
            Next::Fetch(attempt, http) => self.fetch(id, attempt, &http, now),
            Next::Ended(outcome) => {
                self.note_change(id, now);
                self.metrics.count_fetch(id, outcome.code(), self.config());
                report::keys(self.name_of(id), &keys.borrow().source().http, &outcome);
            }
        }
    }

    /// Asks again about the requests for which something is new; a batch at a time.
    fn wake(&self, now: Timestamp) {
        let ready = self.waiting.borrow().ready(now);
        for context_id in ready.iter().take(WAKE_BATCH) {
            self.reconsider(*context_id, now);
        }
        abi::set_effective_context(self.root_id);
        abi::set_tick_period(self.next_tick(ready.len() > WAKE_BATCH));
    }

    fn next_tick(&self, more: bool) -> Duration {
        if more {
            NEXT_TICK
        } else if self.waiting.borrow().len() > 0 {
            WAITING_TICK
        } else {
            IDLE_TICK
        }
    }

    /// Asks again about one request. No cell is borrowed while the host is called: it may call back.
    fn reconsider(&self, context_id: u32, now: Timestamp) {
        let Some(mut waiting) = self.waiting.borrow_mut().remove(context_id) else { return };
        // The head was parsed when the request came, so this gives a request again.
        let request = pairs::parse_request(&waiting.head).unwrap_or_else(|| Request::new(Vec::new()));
        let request = request.on_route(&waiting.route);
        waiting.arrival = waiting.arrival.min(now);
        // The connection is the request's only in its own context.
        if !abi::set_effective_context(context_id) {
            self.metrics.count_waiting("left", self.config());
            return;
        }
        let decision = self.authenticator.decide(&request, self.moment(waiting.arrival, now));
        if let Decision::Wait(wait) = decision {
            waiting.wait = wait;
            waiting.has_news = false;
            self.waiting.borrow_mut().insert(context_id, waiting);
            return;
        }
        self.metrics.count_waiting("left", self.config());
        self.record_wait(now.saturating_since(waiting.arrival));
        self.conclude(&decision, &request, &waiting.progress);
        if waiting.progress.get() == Progress::Allowed {
            abi::continue_request();
        }
    }

    /// A random number: `SplitMix64`, seeded by the host.
    pub(super) fn random(&self) -> u64 {
        let state = self.entropy.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.entropy.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Has the worker agree with the others on the secret of nonces; the bytes are the host's, made for keys.
fn share_nonces(authenticator: &mut Authenticator) -> bool {
    let mut secret = Zeroizing::new([0; 32]);
    authenticator.config().dpop.nonce_lifetime.is_none()
        || (getrandom::fill(&mut *secret).is_ok() && authenticator.share_nonces(&HostStore, &secret))
}

/// Says which signatures the host verifies; the others cost more.
fn report_probe(signatures: &Signatures) {
    let names: Vec<_> = signatures.by_host().iter().map(SignatureAlgorithm::name).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.join(",") };
    abi::log(LogLevel::Info, &Line::new("signatures").field("verified_by_host", names).finish());
}

impl Keys for Worker {
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup {
        match self.keys.get(query.provider.0) {
            Some(ProviderKeys::Local(keys)) => KeyLookup::Ready(Rc::clone(keys)),
            Some(ProviderKeys::Remote(keys)) => keys.borrow_mut().lookup(query.key_id, query.arrival, query.now),
            None => KeyLookup::Unavailable,
        }
    }

    fn generation(&self, provider: ProviderId, now: Timestamp) -> Option<u64> {
        match self.keys.get(provider.0)? {
            ProviderKeys::Local(_) => Some(0),
            ProviderKeys::Remote(keys) => keys.borrow().generation(now),
        }
    }
}

impl ProviderKeys {
    fn of(provider: &Provider, max_bytes: usize) -> Self {
        match &provider.jwks {
            // The configuration was refused at load if this set cannot be used.
            JwksSource::Local(document) => {
                Self::Local(Rc::new(KeySet::parse(document, KeyOrigin::Local, max_bytes).unwrap_or_default()))
            }
            JwksSource::Remote(remote) => {
                Self::Remote(Box::new(RefCell::new(RemoteKeys::new((**remote).clone(), max_bytes))))
            }
        }
    }
}
