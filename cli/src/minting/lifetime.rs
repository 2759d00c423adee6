//! Durations, written as in the filter's configuration.

use std::time::Duration;

/// The longest: a token beyond that is no test of anything.
const MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The duration of a text such as `90s`, `5m` or `1h`.
///
/// # Errors
///
/// It is none, in words.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let expected = || "is not a duration: write a whole number and its unit, such as 90s, 5m, 1h or 7d".to_owned();
    let at = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(expected)?;
    let (number, unit) = text.split_at_checked(at).ok_or_else(expected)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    let duration = Duration::from_secs(number.saturating_mul(seconds));
    if duration > MAX { Err("is more than ten years".to_owned()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_its_unit() {
        for (text, seconds) in
            [("0s", 0), ("90s", 90), ("5m", 300), ("1h", 3600), ("7d", 604_800), ("3650d", 315_360_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "5", "m", "5 m", "-5m", "1.5h", "5mm", "5M", "99999999999999999999s", "3651d", "5é"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
