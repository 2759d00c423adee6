//! The requests of one worker that wait for keys.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::config::ProviderId;
use crate::decision::Wait;
use crate::revocation::LookupKey;
use crate::route::Route;
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
    /// Its route.
    pub(super) route: Route,
    /// When it came.
    pub(super) arrival: Timestamp,
    /// What it waits for.
    pub(super) wait: Wait,
    /// Whether something happened to the keys that it waits for since it was last asked about.
    pub(super) has_news: bool,
    /// What its own context looks at.
    pub(super) progress: Rc<Cell<Progress>>,
}

/// However many requests may wait, their heads take no more than this: the VM would not survive an allocation that fails.
const MAX_BYTES: usize = 64 << 20;

/// The requests that wait, by context id.
#[derive(Default)]
pub(super) struct WaitingRoom {
    requests: BTreeMap<u32, Waiting>,
    /// The sizes of their heads.
    bytes: usize,
}

impl WaitingRoom {
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether one more request with a head of this size may wait, where so many may at most.
    pub(super) fn has_room(&self, head: usize, max_requests: usize) -> bool {
        self.requests.len() < max_requests && self.bytes.saturating_add(head) <= MAX_BYTES
    }

    pub(super) fn insert(&mut self, context_id: u32, waiting: Waiting) {
        self.bytes = self.bytes.saturating_add(waiting.head.len());
        self.requests.insert(context_id, waiting);
    }

    pub(super) fn remove(&mut self, context_id: u32) -> Option<Waiting> {
        let waiting = self.requests.remove(&context_id)?;
        self.bytes = self.bytes.saturating_sub(waiting.head.len());
        Some(waiting)
    }

    /// Something happened to this provider's keys.
    pub(super) fn tell(&mut self, provider: ProviderId) {
        self.requests
            .values_mut()
            .filter(|waiting| waiting.wait.provider == provider)
            .for_each(|waiting| waiting.has_news = true);
    }

    /// This question about one of the provider's tokens has been answered: that is news for those alone who wait for it.
    pub(super) fn tell_of(&mut self, provider: ProviderId, question: LookupKey) {
        self.requests
            .values_mut()
            .filter(|waiting| waiting.wait.provider == provider && waiting.wait.question == Some(question))
            .for_each(|waiting| waiting.has_news = true);
    }

    /// Those that can be asked about again, the oldest first: there is news for them, their time is up, or the clock was
    /// set back.
    pub(super) fn ready(&self, now: Timestamp) -> Vec<u32> {
        let is_ready = |waiting: &Waiting| waiting.has_news || now >= waiting.wait.until || now < waiting.arrival;
        self.requests.iter().filter(|(_, waiting)| is_ready(waiting)).map(|(context_id, _)| *context_id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_wakes_those_who_wait_for_it_only() {
        let mut room = WaitingRoom::default();
        let at = Timestamp::from_secs;
        for (context_id, provider, question) in [(1, 0, Some(9)), (2, 0, Some(8)), (3, 1, Some(9)), (4, 0, None)] {
            let question = question.map(|octet| [octet; 16]);
            let wait = Wait { provider: ProviderId(provider), rule: None, until: at(9), question };
            let progress = Rc::new(Cell::new(Progress::Undecided));
            let (head, route) = (Vec::new(), Route::default());
            room.insert(context_id, Waiting { head, route, arrival: at(1), wait, has_news: false, progress });
        }
        assert!(room.ready(at(2)).is_empty());
        room.tell_of(ProviderId(0), [9; 16]);
        assert_eq!(room.ready(at(2)), [1]);
        room.tell(ProviderId(1));
        assert_eq!(room.ready(at(2)), [1, 3]);
        room.tell(ProviderId(0));
        assert_eq!(room.ready(at(2)), [1, 2, 3, 4]);
    }
}
