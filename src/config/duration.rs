//! Durations in the text: a number and its unit.

use std::{ops::RangeInclusive, time::Duration};

use super::{
    raw::RawDuration,
    report::{Checked, Place},
};

const WANTED: &str = r#"has to be a number and its unit, such as "300s", "5m", "1h", "250ms" or "0.5s""#;

/// The shortest and the longest duration that a field takes.
pub(super) struct Bounds {
    /// Both are included.
    pub(super) range: RangeInclusive<Duration>,
    /// The same in words: `"1s" to "60s"`.
    pub(super) text: &'static str,
}

/// The duration that is given, or the default.
pub(super) fn duration(
    raw: Option<RawDuration>,
    default: Duration,
    bounds: &Bounds,
    at: &Place<'_>,
) -> Checked<Duration> {
    match raw {
        None => Ok(default),
        Some(raw) => bounded(&raw, bounds, at),
    }
}

/// The duration that is given.
pub(super) fn bounded(raw: &RawDuration, bounds: &Bounds, at: &Place<'_>) -> Checked<Duration> {
    match parsed(&raw.0) {
        None => at.mistake(WANTED),
        Some(duration) if bounds.range.contains(&duration) => Ok(duration),
        Some(_) => at.mistake(format!("has to be from {}", bounds.text)),
    }
}

/// `None` for what is not a duration, and for one too long to be counted in nanoseconds.
fn parsed(text: &str) -> Option<Duration> {
    let unit_start = text.find(|character: char| character.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at_checked(unit_start)?;
    match (number.split_once('.'), unit) {
        (Some((whole, fraction)), "s") => nanoseconds(whole, 1_000_000_000)?.checked_add(fraction_of_second(fraction)?),
        (None, "ms") => nanoseconds(number, 1_000_000),
        (None, "s") => nanoseconds(number, 1_000_000_000),
        (None, "m") => nanoseconds(number, 60_000_000_000),
        (None, "h") => nanoseconds(number, 3_600_000_000_000),
        _ => None,
    }
    .map(Duration::from_nanos)
}

fn nanoseconds(number: &str, unit: u64) -> Option<u64> {
    digits(number)?.checked_mul(unit)
}

/// proto3 JSON has up to nine digits behind the point.
fn fraction_of_second(fraction: &str) -> Option<u64> {
    let unit = 10_u64.checked_pow(9_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?)?;
    nanoseconds(fraction, unit)
}

// `str::parse` would take a plus sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_one_number_and_one_unit() {
        for (text, milliseconds) in [
            ("300s", 300_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("250ms", 250),
            ("0.5s", 500),
            ("1.250000000s", 1250),
            ("0s", 0),
            ("007s", 7000),
        ] {
            assert_eq!(parsed(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(parsed("0.000000001s"), Some(Duration::from_nanos(1)));
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "s",
            "5",
            "300",
            "5 s",
            " 5s",
            "5s ",
            "+5s",
            "-5s",
            "5S",
            "1h30m",
            "1d",
            "5us",
            "1e3s",
            ".5s",
            "5.s",
            "0.5m",
            "1.0000000001s",
            "1.-5s",
            "1.5.5s",
            "٣s",
            "5ｓ",
            "99999999999999999999s",
            "9999999999999999h",
            "infs",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
