//! `NumericDate` (RFC 7519 section 2): seconds since the epoch, a fraction allowed.

use serde_json::Number;

use crate::time::Timestamp;

/// 9999-12-31T23:59:59Z: beyond it, other systems' dates no longer agree on what the number means.
const LAST_SECOND: u64 = 253_402_300_799;

/// Which way a fraction of a millisecond goes: to the side on which the token is valid for a shorter time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounding {
    /// For an end of validity (`exp`).
    Down,
    /// For a beginning of validity (`nbf`, `iat`).
    Up,
}

/// The point in time, or `None` if it is before the epoch or after the year 9999.
pub(crate) fn timestamp(number: &Number, rounding: Rounding) -> Option<Timestamp> {
    match number.as_u64() {
        Some(seconds) => (seconds <= LAST_SECOND).then(|| Timestamp::from_secs(seconds)),
        None => fractional(number.as_f64()?, rounding),
    }
}

fn fractional(seconds: f64, rounding: Rounding) -> Option<Timestamp> {
    #[allow(clippy::cast_precision_loss, reason = "below 2^53 every integer has its f64")]
    let in_range = (0.0..=LAST_SECOND as f64).contains(&seconds);
    let millis = match rounding {
        Rounding::Down => (seconds * 1000.0).floor(),
        Rounding::Up => (seconds * 1000.0).ceil(),
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and its range is checked")]
    in_range.then_some(Timestamp::from_millis(millis as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(json: &str, rounding: Rounding) -> Option<u64> {
        timestamp(&serde_json::from_str(json).unwrap(), rounding).map(Timestamp::as_millis)
    }

    #[test]
    fn every_form_of_a_number_is_a_date() {
        for (json, expected) in [
            ("0", 0),
            ("-0", 0),
            ("-0.0", 0),
            ("0e9", 0),
            ("1.5", 1500),
            ("1500000000", 1_500_000_000_000),
            ("1.5e9", 1_500_000_000_000),
            ("15E+8", 1_500_000_000_000),
            ("1500000000000e-3", 1_500_000_000_000),
            ("253402300799", 253_402_300_799_000),
            ("253402300799.0", 253_402_300_799_000),
        ] {
            assert_eq!(millis(json, Rounding::Down), Some(expected), "{json}");
            assert_eq!(millis(json, Rounding::Up), Some(expected), "{json}");
        }
    }

    #[test]
    fn fractions_of_a_millisecond_shorten_the_validity() {
        assert_eq!(millis("1.0006", Rounding::Down), Some(1000));
        assert_eq!(millis("1.0006", Rounding::Up), Some(1001));
        assert_eq!(millis("5e-324", Rounding::Up), Some(1));
    }

    #[test]
    fn dates_out_of_range_are_none() {
        for json in [
            "-1",
            "-0.001",
            "-5e-324",
            "253402300800",
            "253402300799.001",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "1e300",
            "-1e300",
        ] {
            assert_eq!(millis(json, Rounding::Down), None, "{json}");
            assert_eq!(millis(json, Rounding::Up), None, "{json}");
        }
    }
}
