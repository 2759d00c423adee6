//! The requests of one worker that wait for keys.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::config::ProviderId;
use crate::decision::Wait;
use crate::time::Timestamp;

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its head has not been seen, or it waits: nothing of it may go upstream.
    Undecided,
    /// It goes upstream.
    Allowed,
    /// It has been answered.
    Denied,
}

/// A request that waits.
pub(super) struct Waiting {
    /// Its head, in the host's serialized form.
    pub(super) head: Vec<u8>,
    /// When it came.
    pub(super) arrival: Timestamp,
    /// What it waits for.
    pub(super) wait: Wait,
    /// What its own context looks at.
    pub(super) progress: Rc<Cell<Progress>>,
}

/// The requests that wait, by context id.
#[derive(Default)]
pub(super) struct WaitingRoom {
    requests: BTreeMap<u32, Waiting>,
}

impl WaitingRoom {
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn insert(&mut self, context_id: u32, waiting: Waiting) {
        self.requests.insert(context_id, waiting);
    }

    pub(super) fn remove(&mut self, context_id: u32) -> Option<Waiting> {
        self.requests.remove(&context_id)
    }

    /// Those that can be asked about again: their time is up, or something happened to their provider's keys.
    pub(super) fn ready(&self, changed: &[ProviderId], now: Timestamp) -> Vec<u32> {
        let is_ready = |waiting: &Waiting| now >= waiting.wait.until || changed.contains(&waiting.wait.provider);
        self.requests.iter().filter(|(_, waiting)| is_ready(waiting)).map(|(context_id, _)| *context_id).collect()
    }
}
