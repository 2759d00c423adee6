//! When to fetch again: freshness, refresh ahead of its end, back-off after failures; with jitter, so that a fleet of
//! proxies does not ask at once.

use std::time::Duration;

use super::settings::Settings;
use crate::config::Backoff;

/// However short a server says its answer is fresh, it is not asked more often than this.
const SHORTEST_FRESHNESS: Duration = Duration::from_secs(30);

impl Settings {
    /// How long an answer counts as fresh: what the server says, at most as configured, at least half a minute.
    pub(super) fn freshness(&self, max_age: Option<Duration>) -> Duration {
        let shortest = SHORTEST_FRESHNESS.min(self.longest_freshness);
        max_age.unwrap_or(self.longest_freshness).clamp(shortest, self.longest_freshness)
    }
}

/// When to refresh a set that is fresh for so long: somewhere between 75 % and 95 % of it.
pub(super) fn refresh_delay(freshness: Duration, entropy: u64) -> Duration {
    between(freshness.mul_f64(0.75), freshness.mul_f64(0.95), entropy)
}

/// How long to wait after so many failures in a row: exponential, at most `max_interval`, somewhere in the upper half.
pub(super) fn retry_delay(backoff: &Backoff, failures: u64, entropy: u64) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(31);
    let longest = backoff.base_interval.saturating_mul(1 << doublings).min(backoff.max_interval);
    between(longest / 2, longest, entropy)
}

/// How long to wait before a set that still serves for so long is asked for again. There is no hurry, and a fleet whose
/// issuer is away would otherwise keep it away: somewhere in the upper half of a quarter of the set's time, unless
/// that is soon over.
pub(super) fn leisurely_delay(freshness: Duration, serves_for: Duration, entropy: u64) -> Duration {
    let longest = (freshness / 4).min(serves_for / 4);
    between(longest / 2, longest, entropy)
}

/// A duration between two others, chosen by 53 bits of `entropy`.
fn between(shortest: Duration, longest: Duration, entropy: u64) -> Duration {
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit")]
    let fraction = (entropy >> 11) as f64 / (1_u64 << 53) as f64;
    shortest.saturating_add(longest.saturating_sub(shortest).mul_f64(fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { base_interval: Duration::from_secs(1), max_interval: Duration::from_secs(30) };

    #[test]
    fn a_server_can_shorten_freshness_within_bounds_only() {
        let fresh_for = |longest| Settings {
            identity: String::new(),
            max_bytes: 1,
            fetches: 1,
            timeout: Duration::ZERO,
            longest_freshness: Duration::from_secs(longest),
            max_stale: Duration::ZERO,
            asked_interval: Duration::ZERO,
            backoff: BACKOFF,
            is_conditional: false,
        };
        for (max_age, freshness) in [(None, 600), (Some(0), 30), (Some(60), 60), (Some(86_400), 600)] {
            assert_eq!(fresh_for(600).freshness(max_age.map(Duration::from_secs)), Duration::from_secs(freshness));
        }
        assert_eq!(fresh_for(5).freshness(Some(Duration::ZERO)), Duration::from_secs(5));
    }

    #[test]
    fn a_refresh_comes_before_freshness_ends() {
        let freshness = Duration::from_secs(100);
        assert_eq!(refresh_delay(freshness, 0), Duration::from_secs(75));
        assert!(refresh_delay(freshness, u64::MAX) <= Duration::from_secs(95));
    }

    #[test]
    fn back_off_doubles_up_to_its_ceiling() {
        let delays: Vec<_> =
            (1..=8).map(|failures| retry_delay(&BACKOFF, failures, u64::MAX).as_secs_f64().round()).collect();
        assert_eq!(delays, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]);
        assert_eq!(retry_delay(&BACKOFF, 1, 0), Duration::from_millis(500));
        assert_eq!(retry_delay(&BACKOFF, u64::MAX, 0), Duration::from_secs(15));
    }
}
