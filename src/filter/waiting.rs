//! The requests of one worker that wait for keys.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Those to be asked about again, each once: who goes on waiting does not stand in the others' way.
    stirred: BTreeSet<u32>,
}

impl WaitingRoom {
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn insert(&mut self, context_id: u32, waiting: Waiting) {
        self.requests.insert(context_id, waiting);
    }

    pub(super) fn remove(&mut self, context_id: u32) -> Option<Waiting> {
        self.stirred.remove(&context_id);
        self.requests.remove(&context_id)
    }

    /// Something happened to the provider's keys.
    pub(super) fn stir(&mut self, provider: ProviderId) {
        let concerned = self.requests.iter().filter(|(_, waiting)| waiting.wait.provider == provider);
        self.stirred.extend(concerned.map(|(context_id, _)| *context_id));
    }

    /// The next requests to ask about again, those among them whose time is up, or whose clock was set back.
    pub(super) fn next_batch(&mut self, size: usize, now: Timestamp) -> Vec<u32> {
        let is_due = |waiting: &Waiting| now >= waiting.wait.until || now < waiting.arrival;
        let due = self.requests.iter().filter(|(_, waiting)| is_due(waiting));
        self.stirred.extend(due.map(|(context_id, _)| *context_id));
        (0..size).map_while(|_| self.stirred.pop_first()).collect()
    }

    /// Whether another batch is ready.
    pub(super) fn has_more(&self) -> bool {
        !self.stirred.is_empty()
    }
}
