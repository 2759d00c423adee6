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
    /// Whether something happened to the keys that it waits for since it was last asked about.
    pub(super) has_news: bool,
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

    /// Something happened to this provider's keys.
    pub(super) fn tell(&mut self, provider: ProviderId) {
        self.requests
            .values_mut()
            .filter(|waiting| waiting.wait.provider == provider)
            .for_each(|waiting| waiting.has_news = true);
    }

    /// Those that can be asked about again, the oldest first: there is news for them, or their time is up.
    pub(super) fn ready(&self, now: Timestamp) -> Vec<u32> {
        let is_ready = |waiting: &Waiting| waiting.has_news || now >= waiting.wait.until;
        self.requests.iter().filter(|(_, waiting)| is_ready(waiting)).map(|(context_id, _)| *context_id).collect()
    }
}
