//! What may stand in a shared record: whoever shares the host's namespace could have written there.

use std::time::Duration;

use super::record::Record;
use super::settings::Settings;
use crate::time::Timestamp;

/// Workers read the clock one after the other: a record this far ahead is no sign that the clock was set back.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

impl Record {
    /// Whoever shares the namespace may have written the record, and clocks are set back. So each time in it is held to
    /// what this source's settings make of the last attempt's, never of `now`: a bound that moves along is none.
    pub(super) fn bounded(self, settings: &Settings, now: Timestamp) -> Self {
        if self.attempted_at > now.saturating_add(CLOCK_TOLERANCE) {
            return self.overdue(settings, now);
        }
        let Settings { longest_freshness, backoff, .. } = settings;
        let lease_end = self.attempted_at.saturating_add(settings.lease());
        let fetched_at = self.fetched_at.min(self.attempted_at);
        let fresh_until = self.fresh_until.min(fetched_at.saturating_add(*longest_freshness));
        let longest_wait = (*longest_freshness).max(backoff.max_interval);
        Self {
            fetched_at: fetched_at.min(now),
            forced_at: self.forced_at.min(self.attempted_at),
            fresh_until,
            refresh_at: self.refresh_at.min(lease_end.saturating_add(longest_wait)),
            lease_until: self.lease_until.min(lease_end),
            retry_at: self.retry_at.min(lease_end.saturating_add(backoff.max_interval)),
            ..self
        }
    }

    /// A record from before the clock was set back: its document still serves, and is fetched again at once.
    fn overdue(self, settings: &Settings, now: Timestamp) -> Self {
        Self {
            attempted_at: now,
            fetched_at: self.fetched_at.min(now),
            fresh_until: self.fresh_until.min(now.saturating_add(settings.longest_freshness)),
            forced_at: Timestamp::EPOCH,
            refresh_at: Timestamp::EPOCH,
            lease_until: Timestamp::EPOCH,
            retry_at: Timestamp::EPOCH,
            ..self
        }
    }
}
