//! One plugin instance of one worker: what it knows, and what wakes it.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use proxy_wasm::types::LogLevel;

use zeroize::Zeroizing;

use super::abi;
use super::fetches::{Fetches, Target, read_response};
use super::gauges::Identity;
use super::host_crypto::ForeignFunction;
use super::journal::Journal;
use super::keys::ProviderKeys;
use super::metrics::Metrics;
use super::observation::Observation;
use super::revocations::{PerProvider, per_provider};
use super::shared_store::HostStore;
use super::waiting::WaitingRoom;
use crate::authenticator::Authenticator;
use crate::config::{Config, HttpUri, ProviderId};
use crate::crypto::{SignatureAlgorithm, Signatures};
use crate::log::Line;
use crate::rehearsal;
use crate::remote::Failure;

/// As soon as the host can.
pub(super) const NEXT_TICK: Duration = Duration::from_millis(1);
/// The largest answer to a question about one token, in bytes.
const MAX_ANSWER: usize = 65_536;

/// One plugin instance of one worker.
pub(super) struct Worker {
    pub(super) root_id: u32,
    pub(super) authenticator: Authenticator,
    pub(super) keys: Vec<ProviderKeys>,
    pub(super) revocations: PerProvider,
    fetches: RefCell<Fetches>,
    pub(super) waiting: RefCell<WaitingRoom>,
    /// What stands for this configuration, at every worker.
    pub(super) identity: Identity,
    pub(super) metrics: Metrics,
    pub(super) observation: Observation,
    pub(super) journal: Journal,
    entropy: Cell<u64>,
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
            self.warm_up_keys(now);
            self.warm_up_revocations(now);
        }
        abi::set_tick_period(NEXT_TICK);
    }

    pub(super) fn config(&self) -> &Config {
        self.authenticator.config()
    }

    /// A provider's name.
    pub(super) fn name_of(&self, id: ProviderId) -> &str {
        self.config().provider(id).map_or("", |provider| &provider.name)
    }

    /// Looks after the keys, wakes requests, and sets the next tick.
    pub(super) fn tick(&self) {
        let Some(now) = abi::now() else { return };
        self.watch_gauges(now);
        self.look_after_keys(now);
        self.look_after_revocations(now);
        self.wake(now);
        self.hand_over();
        self.turn_journal(now, false);
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
