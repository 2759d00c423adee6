//! Points in time as people write and read them.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat};
use jwt_warden::time::Timestamp;

use crate::Stop;

const UNITS: [(u64, &str); 5] = [(31_557_600, "y"), (86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];

/// What `--at` says: a date with a time and an offset (RFC 3339), or seconds since 1970.
///
/// # Errors
///
/// It is neither.
pub(super) fn parse(text: &str) -> Result<Timestamp, Stop> {
    let whole = text.trim();
    if let Ok(seconds) = whole.parse::<u64>() {
        return Ok(Timestamp::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc3339(whole).ok().and_then(|date| u64::try_from(date.timestamp_millis()).ok());
    date.map(Timestamp::from_millis).ok_or_else(|| {
        let what = text.chars().take(40).collect::<String>();
        format!("--at: `{what}` is no time: write it as 2026-01-31T12:00:00Z, or in seconds since 1970")
    })
}

/// The time of this machine.
#[allow(clippy::disallowed_methods, reason = "the program asks the clock, and hands the time to the core")]
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// As a date.
pub(super) fn date(time: Timestamp) -> String {
    let date = i64::try_from(time.as_millis()).ok().and_then(DateTime::from_timestamp_millis);
    date.map_or_else(
        || format!("{} s since 1970", time.as_secs()),
        |date| date.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    )
}

/// As a date, and how far it is from now.
pub(super) fn beside(time: Timestamp, now: Timestamp) -> String {
    format!("{}, {}", date(time), distance(time, now))
}

fn distance(time: Timestamp, now: Timestamp) -> String {
    if time > now {
        return format!("in {}", span(time.saturating_since(now)));
    }
    match now.saturating_since(time) {
        Duration::ZERO => "now".to_owned(),
        since => format!("{} ago", span(since)),
    }
}

/// A length of time in its two largest units.
pub(super) fn span(length: Duration) -> String {
    let mut rest = length.as_secs();
    if rest == 0 {
        return format!("{} ms", length.as_millis());
    }
    let mut parts = Vec::new();
    for (seconds, unit) in UNITS {
        let number = rest / seconds;
        rest %= seconds;
        if number > 0 || !parts.is_empty() {
            parts.push((number, unit));
        }
    }
    let shown = parts.iter().take(2).filter(|(number, _)| *number > 0);
    shown.map(|(number, unit)| format!("{number} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        let time = Timestamp::from_secs(1_767_225_600);
        for text in ["1767225600", " 2026-01-01T00:00:00Z\n", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00.000Z"] {
            assert_eq!(parse(text), Ok(time), "{text}");
        }
        for text in ["", "yesterday", "2026-01-01", "-1", "1e9", "1969-12-31T23:59:59Z", "2026-13-01T00:00:00Z"] {
            assert!(parse(text).unwrap_err().contains("is no time"), "{text}");
        }
    }

    #[test]
    fn times_are_shown_with_their_distance() {
        let now = Timestamp::from_secs(1_767_225_600);
        let after = |seconds| beside(now.saturating_add(Duration::from_secs(seconds)), now);
        assert_eq!(after(0), "2026-01-01T00:00:00Z, now");
        assert_eq!(after(3_660), "2026-01-01T01:01:00Z, in 1 h 1 min");
        assert_eq!(after(86_400), "2026-01-02T00:00:00Z, in 1 d");
        let before = now.saturating_sub(Duration::from_millis(59_500));
        assert_eq!(beside(before, now), "2025-12-31T23:59:00.500Z, 59 s ago");
        assert!(date(Timestamp::from_millis(u64::MAX)).ends_with("s since 1970"));
        assert_eq!(date(Timestamp::from_secs(253_402_300_799)), "9999-12-31T23:59:59Z");
    }
}
