//! A fetch from its election to its outcome.

use std::time::Duration;

use super::fetch::Failure;
use crate::config::HttpUri;
use crate::time::Timestamp;

/// What a poll found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Polled {
    /// An attempt has ended since the last poll, or there is another set: waiting requests can be asked about again.
    pub changed: bool,
    /// This worker is the one to fetch now; the answer has to be handed in, whatever comes back.
    pub fetch: Option<Attempt>,
}

/// A fetch that this worker was elected for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    pub(crate) began: Timestamp,
    pub(crate) stage: Stage,
}

/// Which of its fetches an attempt is waiting for: the second is of what the first named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    First,
    Second,
}

/// What to do after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Fetch this too, and hand in its answer for the same attempt.
    Fetch(Attempt, HttpUri),
    /// The attempt has ended.
    Ended(Outcome),
}

/// How a fetch ended, for log and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The document is another one than before.
    Replaced {
        /// Counts the distinct documents of this source.
        generation: u64,
        /// How many entries can be used.
        entries: usize,
        /// Those that cannot, in words.
        skipped: Vec<String>,
        /// How many attempts had failed before.
        failures: u64,
    },
    /// The document is the same as before.
    Confirmed {
        /// How many attempts had failed before.
        failures: u64,
    },
    /// There is no newer document.
    Failed {
        /// Why.
        failure: Failure,
        /// How many attempts have failed in a row.
        failures: u64,
        /// Whether the attempt before failed in the same way: then there is no news.
        repeated: bool,
        /// How long the last good document still serves; `None` if there is none.
        serves_for: Option<Duration>,
        /// When the next attempt is due.
        retry_in: Duration,
    },
    /// Another worker took over meanwhile.
    Superseded,
}

/// What is known of a fetched document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Counts the distinct documents; zero before the first.
    pub generation: u64,
    /// How many of its entries can be used.
    pub entries: usize,
    /// How many cannot.
    pub skipped: usize,
    /// When the last fetch that succeeded began.
    pub fetched_at: Timestamp,
    /// Until when it serves if no newer one can be had.
    pub serves_until: Timestamp,
}

impl Status {
    /// That of a set that stands in the configuration: it is not fetched, and serves as long as that.
    #[must_use]
    pub const fn of_local(entries: usize, skipped: usize) -> Self {
        Self { generation: 0, entries, skipped, fetched_at: Timestamp::EPOCH, serves_until: Timestamp::EPOCH }
    }
}

impl Outcome {
    /// The stable `snake_case` code for metrics: `success`, `superseded`, or the cause of a failure.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Replaced { .. } | Self::Confirmed { .. } => "success",
            Self::Failed { failure, .. } => failure.code(),
            Self::Superseded => "superseded",
        }
    }
}
