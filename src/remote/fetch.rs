//! What a server answered, and whether it can be used.

use std::fmt;
use std::time::Duration;

use crate::jwks::KeySetError;

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
        /// The `ETag` header.
        etag: Option<Vec<u8>>,
        /// The body, whole.
        body: Vec<u8>,
    },
}

/// Why a fetch brought nothing.
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
    /// The body is larger than the limit.
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
    /// The body is no denylist; why, in the filter's own words.
    NotADenylist(String),
    /// The denylist has lost half of its entries, or more, since the last one.
    Shrunk {
        /// How many it had.
        from: usize,
        /// How many it has.
        to: usize,
    },
    /// The body is no status list; why.
    NotAStatusList(&'static str),
    /// The answer does not say whether a token is revoked.
    NotAnAnswer,
    /// The keys that verify the status list are not there (yet).
    NotVerifiable,
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
            Self::NotADenylist(_) => (13, "not_a_denylist"),
            Self::Shrunk { .. } => (14, "shrunk"),
            Self::NotAStatusList(_) => (15, "not_a_status_list"),
            Self::NotVerifiable => (16, "not_verifiable"),
            Self::NotAnAnswer => (17, "not_an_answer"),
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
            Self::TooLarge(bytes) => write!(formatter, "the body has {bytes} bytes, more than the limit"),
            Self::NotMetadata => formatter.write_str("the body is no issuer's metadata with a jwks_uri"),
            Self::OtherIssuer => formatter.write_str("the metadata name another issuer than the provider's"),
            Self::UnmappedHost => formatter.write_str(
                "the jwks_uri of the metadata is at another host: map it to a cluster with discovery.jwks_clusters",
            ),
            Self::NotAKeySet(error) => write!(formatter, "the body is no key set: {error}"),
            Self::NotADenylist(detail) => write!(formatter, "the body is no denylist: {detail}"),
            Self::Shrunk { from, to } => write!(
                formatter,
                "the denylist has shrunk from {from} entries to {to}: it is taken over if the next answer is as short"
            ),
            Self::NotAStatusList(detail) => write!(formatter, "the body is no status list: {detail}"),
            Self::NotAnAnswer => formatter.write_str("the answer does not say what revoked_when asks for"),
            Self::NotVerifiable => {
                formatter.write_str("the provider has no keys yet that could verify the status list")
            }
            Self::NoUsableKey { skipped } => write!(formatter, "none of the {skipped} keys can be used"),
        }
    }
}

/// A document, and what its server says about it.
#[derive(Debug)]
pub(super) struct Fetched {
    /// Empty if it is the one that is known.
    pub(super) document: Vec<u8>,
    pub(super) is_unchanged: bool,
    pub(super) max_age: Option<Duration>,
    pub(super) etag: Option<String>,
}

/// Judges an answer. `is_conditional`: whether it may say that nothing has changed.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn judge(response: Response, max_bytes: usize, is_conditional: bool) -> Result<Fetched, Failure> {
    let is_unchanged = is_conditional && matches!(response, Response::Arrived { status: 304, .. });
    let (response, etag) = match response {
        Response::Arrived { cache_control, .. } if is_unchanged => {
            (Response::Arrived { status: 200, cache_control, etag: None, body: Vec::new() }, None)
        }
        Response::Arrived { status, cache_control, etag, body } => {
            (Response::Arrived { status, cache_control, etag: None, body }, etag)
        }
        failed @ Response::Failed(_) => (failed, None),
    };
    let (cache_control, document) = body(response, max_bytes)?;
    let max_age = cache_control.as_deref().and_then(max_age);
    Ok(Fetched { document, is_unchanged, max_age, etag: etag.and_then(entity_tag) })
}

/// An entity tag that can be sent back (RFC 9110 section 8.8.3); a long one is not kept.
fn entity_tag(etag: Vec<u8>) -> Option<String> {
    let fits = u8::try_from(etag.len()).is_ok() && etag.iter().all(u8::is_ascii_graphic) && etag.ends_with(b"\"");
    String::from_utf8(etag).ok().filter(|_| fits)
}

/// The body of an answer with status 200, and its `Cache-Control` header.
///
/// # Errors
///
/// It did not come, has another status, or is too large.
pub(crate) fn body(response: Response, max_bytes: usize) -> Result<(Option<Vec<u8>>, Vec<u8>), Failure> {
    let (status, cache_control, body) = match response {
        Response::Failed(failure) => return Err(failure),
        Response::Arrived { status, cache_control, body, .. } => (status, cache_control, body),
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
    fn only_whole_answers_of_the_right_size_count() {
        let arrived =
            |status, body: &[u8]| Response::Arrived { status, cache_control: None, etag: None, body: body.to_vec() };
        let code = |response, is_conditional| {
            judge(response, 100, is_conditional).map(|fetched| fetched.is_unchanged).map_err(|failure| failure.code())
        };
        assert_eq!(code(arrived(200, b"x"), false), Ok(false));
        assert_eq!(code(arrived(404, b""), false), Err("status"));
        assert_eq!(code(arrived(302, b"{}"), false), Err("status"));
        assert_eq!(code(arrived(200, &[b' '; 101]), false), Err("too_large"));
        assert_eq!(code(Response::Failed(Failure::Timeout), false), Err("timeout"));
        assert_eq!(code(arrived(304, b"x"), false), Err("status"), "nobody asked for changes only");
        assert_eq!(code(arrived(304, b"x"), true), Ok(true));
        assert_eq!(code(arrived(412, b"x"), true), Err("status"));
    }

    #[test]
    fn only_entity_tags_that_can_be_sent_back_are_kept() {
        for good in [r#""a""#, r#"W/"a""#, r#""""#] {
            assert_eq!(entity_tag(good.into()).as_deref(), Some(good));
        }
        let long = format!("\"{}\"", "a".repeat(254));
        for bad in ["", "a", "\"a\"\r\nx: y", "\"a b\"", "\"\u{e9}\"", &long] {
            assert_eq!(entity_tag(bad.into()), None, "{bad:?}");
        }
    }
}
