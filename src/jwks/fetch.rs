//! What a key server answered, and whether it can be used.

use std::fmt;
use std::time::Duration;

use super::key::KeyOrigin;
use super::set::{KeySet, KeySetError};

/// An answer to a dispatched request, as far as the host delivered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The request could not be sent, or nothing came back.
    Failed(Failure),
    /// Headers and body came.
    Arrived {
        /// The status.
        status: u16,
        /// The `Cache-Control` header.
        cache_control: Option<Vec<u8>>,
        /// The body, whole.
        body: Vec<u8>,
    },
}

/// Why a fetch brought no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The proxy has no such cluster (yet).
    UnknownCluster,
    /// The cluster has no healthy host, or its name does not resolve.
    NoHealthyHost,
    /// Nobody answered in time.
    Timeout,
    /// The connection could not be made, or broke before the answer.
    Unreachable,
    /// The answer broke off.
    Reset,
    /// Another status than 200. Redirects are never followed.
    Status(u16),
    /// The body is larger than `limits.max_jwks_bytes`.
    TooLarge(usize),
    /// The body is not an issuer's metadata.
    NotMetadata,
    /// The metadata are another issuer's.
    OtherIssuer,
    /// The metadata name a host for the key set to which no cluster is mapped.
    UnmappedHost,
    /// The body is not a key set.
    NotAKeySet(KeySetError),
    /// The body is a key set in which no key can be used.
    NoUsableKey {
        /// How many keys were skipped.
        skipped: usize,
    },
}

impl Failure {
    /// The number of this kind of failure, never zero, and its stable `snake_case` code.
    const fn row(&self) -> (u64, &'static str) {
        match self {
            Self::UnknownCluster => (1, "unknown_cluster"),
            Self::NoHealthyHost => (2, "no_healthy_host"),
            Self::Timeout => (3, "timeout"),
            Self::Unreachable => (4, "unreachable"),
            Self::Reset => (5, "reset"),
            Self::Status(_) => (6, "status"),
            Self::TooLarge(_) => (7, "too_large"),
            Self::NotAKeySet(_) => (8, "not_a_key_set"),
            Self::NoUsableKey { .. } => (9, "no_usable_key"),
            Self::NotMetadata => (10, "not_metadata"),
            Self::OtherIssuer => (11, "other_issuer"),
            Self::UnmappedHost => (12, "unmapped_host"),
        }
    }

    /// The stable `snake_case` code for log and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.row().1
    }

    /// The number of this kind of failure, never zero.
    pub(super) const fn number(&self) -> u64 {
        self.row().0
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCluster => formatter.write_str("the proxy has no cluster of this name, or it is not ready"),
            Self::NoHealthyHost => formatter.write_str("the cluster has no healthy host, or its name does not resolve"),
            Self::Timeout => formatter.write_str("no answer within the timeout"),
            Self::Unreachable => formatter.write_str("the connection was refused or broke before an answer"),
            Self::Reset => formatter.write_str("the answer broke off"),
            Self::Status(status) => write!(formatter, "the status is {status}, not 200"),
            Self::TooLarge(bytes) => write!(formatter, "the body has {bytes} bytes, more than limits.max_jwks_bytes"),
            Self::NotMetadata => formatter.write_str("the body is no issuer's metadata with a jwks_uri"),
            Self::OtherIssuer => formatter.write_str("the metadata name another issuer than the provider's"),
            Self::UnmappedHost => formatter.write_str(
                "the jwks_uri of the metadata is at another host: map it to a cluster with discovery.jwks_clusters",
            ),
            Self::NotAKeySet(error) => write!(formatter, "the body is no key set: {error}"),
            Self::NoUsableKey { skipped } => write!(formatter, "none of the {skipped} keys can be used"),
        }
    }
}

/// A usable document, the keys in it, and how long its server lets it count as fresh.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) document: Vec<u8>,
    pub(super) keys: KeySet,
    pub(super) max_age: Option<Duration>,
}

/// Judges the answer that should be a key set.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn judge(response: Response, max_bytes: usize) -> Result<Fetched, Failure> {
    let (cache_control, document) = body(response, max_bytes)?;
    let keys = KeySet::parse(&document, KeyOrigin::Remote, max_bytes).map_err(Failure::NotAKeySet)?;
    if keys.is_empty() {
        return Err(Failure::NoUsableKey { skipped: keys.skipped().len() });
    }
    Ok(Fetched { document, keys, max_age: cache_control.as_deref().and_then(max_age) })
}

/// The body of an answer with status 200, and its `Cache-Control` header.
///
/// # Errors
///
/// It did not come, has another status, or is too large.
pub(super) fn body(response: Response, max_bytes: usize) -> Result<(Option<Vec<u8>>, Vec<u8>), Failure> {
    let (status, cache_control, body) = match response {
        Response::Failed(failure) => return Err(failure),
        Response::Arrived { status, cache_control, body } => (status, cache_control, body),
    };
    if status != 200 {
        return Err(Failure::Status(status));
    }
    if body.len() > max_bytes {
        return Err(Failure::TooLarge(body.len()));
    }
    Ok((cache_control, body))
}

/// The `max-age` of a `Cache-Control` header (RFC 9111 section 5.2.2.1); `no-cache` and `no-store` count as zero.
fn max_age(cache_control: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(cache_control).ok()?;
    text.split(',').map(str::trim).find_map(|directive| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "max-age" => value.trim().trim_matches('"').parse().ok().map(Duration::from_secs),
            "no-cache" | "no-store" => Some(Duration::ZERO),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_age_is_read_from_wherever_it_stands() {
        for (header, seconds) in [
            ("max-age=60", Some(60)),
            ("public, Max-Age=\"60\", must-revalidate", Some(60)),
            ("no-store", Some(0)),
            ("no-cache, max-age=5", Some(0)),
            ("public", None),
            ("max-age=x", None),
            ("max-age=-1", None),
            ("s-maxage=9", None),
            ("", None),
        ] {
            assert_eq!(max_age(header.as_bytes()), seconds.map(Duration::from_secs), "{header:?}");
        }
        assert_eq!(max_age(b"\xff"), None);
        assert_eq!(max_age(b"max-age=99999999999999999999"), None);
    }

    #[test]
    fn what_is_no_key_set_is_told_apart() {
        let arrived = |status, body: &[u8]| Response::Arrived { status, cache_control: None, body: body.to_vec() };
        let code = |response| judge(response, 100).map(|_| ()).map_err(|failure| failure.code());
        assert_eq!(code(arrived(404, b"")), Err("status"));
        assert_eq!(code(arrived(302, b"{\"keys\":[]}")), Err("status"));
        assert_eq!(code(arrived(200, b"<html>")), Err("not_a_key_set"));
        assert_eq!(code(arrived(200, b"")), Err("not_a_key_set"));
        assert_eq!(code(arrived(200, &[b' '; 101])), Err("too_large"));
        assert_eq!(code(arrived(200, b"{\"keys\":[]}")), Err("no_usable_key"));
        assert_eq!(code(Response::Failed(Failure::Timeout)), Err("timeout"));
    }
}
