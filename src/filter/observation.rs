//! What operators see of one worker while it works: how long verification takes, what it has counted.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::abi;
use super::worker::Worker;
use crate::decision::Decision;
use crate::time::Timestamp;

/// Of so many requests one is timed: a look at the clock costs a call of the host.
const TIMED: u32 = 16;

/// What a worker remembers for its metrics.
#[derive(Default)]
pub(super) struct Observation {
    /// For each provider, since when it has had keys that serve.
    pub(super) ready_since: RefCell<Vec<Option<u64>>>,
    /// When that was last looked at.
    pub(super) watched_at: Cell<Option<Timestamp>>,
    requests: Cell<u32>,
}

/// A decision that is being timed.
pub(super) struct Stopwatch {
    nanoseconds: u64,
    verified: u64,
}

impl Worker {
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
        self.leave_gauges();
        self.turn_journal(abi::now().unwrap_or(Timestamp::EPOCH), true);
    }
}
