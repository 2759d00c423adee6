//! The settings that stand beside providers and rules.

use std::ops::RangeInclusive;

use super::{
    Limits, TokenCacheLimits, Unmatched,
    raw::{RawLimits, RawTokenCache},
    report::{Checked, Place, quoted},
};

const DEFAULT_REALM: &str = "api";
const MAX_REALM: usize = 256;

/// `deny` or `allow`.
pub(super) fn unmatched(raw: Option<&str>, at: &Place<'_>) -> Checked<Unmatched> {
    match raw {
        None | Some("deny") => Ok(Unmatched::Deny),
        Some("allow") => Ok(Unmatched::Allow),
        Some(other) => at.mistake(format!("has to be `deny` or `allow`, not {}", quoted(other))),
    }
}

/// A text that fits between quotes in a challenge as it is (RFC 9110 section 5.6.4).
pub(super) fn realm(raw: Option<String>, at: &Place<'_>) -> Checked<String> {
    let realm = raw.unwrap_or_else(|| DEFAULT_REALM.to_owned());
    printable(realm, at)
}

/// A text of a line that stands between quotes as it is.
pub(super) fn printable(text: String, at: &Place<'_>) -> Checked<String> {
    let is_printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
    if !is_printable || !(1..=MAX_REALM).contains(&text.len()) {
        return at.mistake("has to be 1 to 256 characters of printable ASCII, without quotes and backslashes");
    }
    Ok(text)
}

/// 401 or 503.
pub(super) fn unavailable_status(raw: Option<u64>, at: &Place<'_>) -> Checked<u16> {
    match raw {
        None | Some(401) => Ok(401),
        Some(503) => Ok(503),
        Some(_) => at.mistake("has to be 401 or 503"),
    }
}

/// The bounds on what clients and servers may send, each within bounds of its own.
pub(super) fn limits(raw: &RawLimits, at: &Place<'_>) -> Checked<Limits> {
    let default = Limits::default();
    let token = limit(raw.max_token_bytes, default.max_token_bytes, 256..=1_048_576, &at.field("max_token_bytes"));
    let jwks = limit(raw.max_jwks_bytes, default.max_jwks_bytes, 1024..=4_194_304, &at.field("max_jwks_bytes"));
    let waiting = &at.field("max_waiting_requests");
    let waiting = limit(raw.max_waiting_requests, default.max_waiting_requests, 1..=100_000, waiting);
    let revocation = &at.field("max_revocation_bytes");
    let revocation = limit(raw.max_revocation_bytes, default.max_revocation_bytes, 1024..=67_108_864, revocation);
    let lines = limit(raw.max_denial_lines, default.max_denial_lines, 0..=1_000_000, &at.field("max_denial_lines"));
    Ok(Limits {
        max_token_bytes: token?,
        max_jwks_bytes: jwks?,
        max_waiting_requests: waiting?,
        max_revocation_bytes: revocation?,
        max_denial_lines: lines?,
    })
}

/// How many verified tokens each worker remembers; no entries switch it off.
pub(super) fn token_cache(raw: &RawTokenCache, at: &Place<'_>) -> Checked<TokenCacheLimits> {
    let default = TokenCacheLimits::default();
    let entries = limit(raw.max_entries, default.max_entries, 0..=1_000_000, &at.field("max_entries"));
    let bytes = limit(raw.max_bytes, default.max_bytes, 65_536..=268_435_456, &at.field("max_bytes"));
    Ok(TokenCacheLimits { max_entries: entries?, max_bytes: bytes? })
}

/// A number within its bounds, or the default.
#[inline(never)]
pub(super) fn limit(raw: Option<u64>, default: usize, bounds: RangeInclusive<usize>, at: &Place<'_>) -> Checked<usize> {
    let Some(raw) = raw else { return Ok(default) };
    let limit = usize::try_from(raw).ok().filter(|limit| bounds.contains(limit));
    limit.ok_or_else(|| at.note(format!("has to be from {} to {}", bounds.start(), bounds.end())))
}
