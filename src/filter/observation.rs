//! What operators see of one worker while it works: how ready its providers are, how long verification takes, what it has
//! counted.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::abi;
use super::keys::ProviderKeys;
use super::worker::Worker;
use crate::config::ProviderId;
use crate::decision::Decision;
use crate::remote::Status;
use crate::time::Timestamp;

/// Of so many requests one is timed: a look at the clock costs a call of the host.
const TIMED: u32 = 16;

/// What a worker remembers for its metrics.
#[derive(Default)]
pub(super) struct Observation {
    /// For each provider, since when it has had keys that serve.
    ready_since: RefCell<Vec<Option<u64>>>,
    requests: Cell<u32>,
}

/// A decision that is being timed.
pub(super) struct Stopwatch {
    nanoseconds: u64,
    verified: u64,
}

impl Worker {
    /// Shows how ready each provider is.
    pub(super) fn show_all_keys(&self, now: Timestamp) {
        (0..self.config().providers.len()).for_each(|index| self.show_keys(ProviderId(index), now));
    }

    /// Shows what is known of a provider's keys.
    pub(super) fn show_keys(&self, id: ProviderId, now: Timestamp) {
        let status = match self.provider_keys(id) {
            Some(ProviderKeys::Remote(keys)) => keys.borrow().status(),
            Some(ProviderKeys::Local(keys)) => Status::of_local(keys.len(), keys.skipped().len()),
            None => return,
        };
        let since = self.readiness(id, now);
        self.metrics.show_key_set(id, &status, since, self.config());
    }

    /// Shows a change in how ready a provider is: keys cease to serve without any event.
    pub(super) fn watch_readiness(&self, id: ProviderId, now: Timestamp) {
        let before = self.known_readiness(id);
        let since = self.readiness(id, now);
        if since != before {
            self.metrics.show_ready(id, since, self.config());
        }
    }

    /// Since when a provider has had keys that serve, in seconds since 1970.
    fn readiness(&self, id: ProviderId, now: Timestamp) -> Option<u64> {
        let serves = match self.provider_keys(id)? {
            ProviderKeys::Local(_) => true,
            ProviderKeys::Remote(keys) => keys.borrow().generation(now).is_some(),
        };
        let since = serves.then(|| self.known_readiness(id).unwrap_or(now.as_secs()));
        let mut all = self.observation.ready_since.borrow_mut();
        all.resize(self.config().providers.len(), None);
        if let Some(known) = all.get_mut(id.0) {
            *known = since;
        }
        since
    }

    fn known_readiness(&self, id: ProviderId) -> Option<u64> {
        self.observation.ready_since.borrow().get(id.0).copied().flatten()
    }

    /// Begins to time a decision, if it is the turn of this one.
    pub(super) fn stopwatch(&self) -> Option<Stopwatch> {
        let number = self.observation.requests.get();
        self.observation.requests.set(number.wrapping_add(1));
        if !number.is_multiple_of(TIMED) {
            return None;
        }
        Some(Stopwatch { nanoseconds: abi::nanoseconds()?, verified: self.authenticator.tally().verified })
    }

    /// Ends it. Only decisions for which a token was verified are recorded.
    pub(super) fn stop(&self, stopwatch: &Stopwatch, decision: &Decision) {
        let provider = match decision {
            Decision::Allow(admission) => admission.provider,
            Decision::Deny(denial) => denial.provider,
            Decision::Wait(_) | Decision::Tell(_) => None,
        };
        if let (Some(provider), true) = (provider, self.authenticator.tally().verified > stopwatch.verified)
            && let Some(now) = abi::nanoseconds()
        {
            let microseconds = now.saturating_sub(stopwatch.nanoseconds) / 1000;
            self.metrics.record_verification(provider, microseconds, self.config());
        }
    }

    /// Records that a request has waited so long.
    pub(super) fn record_wait(&self, time: Duration) {
        self.metrics.record_wait(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), self.config());
    }

    /// Hands what has been counted over to the host.
    pub(super) fn hand_over(&self) {
        self.metrics.count_tally(self.authenticator.take_tally(), self.config());
        self.metrics.hand_over();
    }
}

/// What has been counted, and not been told yet, is not lost when the plugin instance ends.
impl Drop for Worker {
    fn drop(&mut self) {
        self.hand_over();
        self.turn_journal(abi::now().unwrap_or(Timestamp::EPOCH), true);
    }
}
