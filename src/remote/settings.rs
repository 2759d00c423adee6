//! How a document is fetched, and what its owner finds in it.

use std::time::Duration;

use crate::config::Backoff;

/// How much longer than its fetches' timeouts an attempt's lease lasts: then another worker may try.
const LEASE_GRACE: Duration = Duration::from_secs(1);

/// How a document is fetched.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// What tells this document from others in the shared data: documents with the same text here share their fetches.
    pub(crate) identity: String,
    /// The largest document, in bytes.
    pub(crate) max_bytes: usize,
    /// How many fetches an attempt takes at most, one after the other.
    pub(crate) fetches: u32,
    /// How long each of them may take.
    pub(crate) timeout: Duration,
    /// How long a document counts as fresh at most.
    pub(crate) longest_freshness: Duration,
    /// How long it serves beyond that.
    pub(crate) max_stale: Duration,
    /// The shortest time between two attempts that requests ask for.
    pub(crate) asked_interval: Duration,
    /// How long to wait after a failure.
    pub(crate) backoff: Backoff,
    /// Whether the server is asked for changes only (RFC 9110 section 13.1.2).
    pub(crate) is_conditional: bool,
}

/// What is in a document, for the log.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// How many entries can be used.
    pub(crate) entries: usize,
    /// Those that cannot, in words.
    pub(crate) skipped: Vec<String>,
    /// How long the document says that it counts as fresh.
    pub(crate) fresh_for: Option<Duration>,
}

impl Settings {
    /// How long an attempt may take: each of its fetches has a timeout.
    pub(super) fn lease(&self) -> Duration {
        self.timeout.saturating_mul(self.fetches).saturating_add(LEASE_GRACE)
    }
}
