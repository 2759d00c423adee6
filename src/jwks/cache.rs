//! A fetched key set: a document that is fetched again too when a token names a key that nobody knows.
//!
//! Nothing here does I/O or knows the time: the adapter calls [`RemoteKeys::poll`] at every tick, carries out the fetch
//! that it asks for, and hands the answer to [`RemoteKeys::receive`].

use std::rc::Rc;

use super::absent::AbsentKeys;
use super::discovery::key_set;
use super::key::KeyOrigin;
use super::set::KeySet;
use crate::config::RemoteJwks;
use crate::remote::{
    Attempt, Contents, Failure, Next, Polled, RemoteDocument, Response, Settings, Stage, Status, body,
};
use crate::shared_store::SharedStore;
use crate::time::Timestamp;
use crate::verifier::KeyLookup;

/// A key set that is fetched, as one worker sees it.
#[derive(Debug)]
pub struct RemoteKeys {
    source: RemoteJwks,
    document: RemoteDocument,
    keys: Rc<KeySet>,
    /// Which of the documents that were held these keys are from; zero before the first.
    generation: u64,
    /// The `kid`s that a fetch was started for in vain, not long ago.
    absent: AbsentKeys,
}

impl RemoteKeys {
    /// The cache of this source; `max_bytes` bounds a document.
    #[must_use]
    pub fn new(source: RemoteJwks, max_bytes: usize) -> Self {
        let document = RemoteDocument::new(settings(&source, max_bytes));
        Self { source, document, keys: Rc::default(), generation: 0, absent: AbsentKeys::default() }
    }

    /// Where the set is fetched from, and how.
    #[must_use]
    pub const fn source(&self) -> &RemoteJwks {
        &self.source
    }

    /// What is known of the set, for metrics.
    #[must_use]
    pub fn status(&self) -> Status {
        self.document.status(self.keys.len(), self.keys.skipped().len())
    }

    /// The keys for a token that names `key_id`, in a request that arrived at `arrival`.
    ///
    /// Without a set, the request may wait as long as one fetch may take. With a set that lacks the `kid`, it may wait for
    /// the next fetch that it is allowed to start, and then for its answer: twice as long at most.
    pub fn lookup(&mut self, key_id: Option<&str>, arrival: Timestamp, now: Timestamp) -> KeyLookup {
        let timeout = self.source.http.timeout;
        let patience = arrival.saturating_add(timeout);
        let next_attempt = self.document.next_attempt(now);
        if !self.document.serves(now) {
            let hope = now < patience && next_attempt < patience;
            return if hope { KeyLookup::Pending(patience) } else { KeyLookup::Unavailable };
        }
        let ready = KeyLookup::Ready(Rc::clone(&self.keys));
        let Some(lacking) = key_id.filter(|key_id| !self.keys.has_kid(key_id)) else { return ready };
        if self.document.fetched_at() >= arrival {
            self.absent.remember(lacking, self.document.earliest_attempt());
            return ready;
        }
        let deadline = patience.saturating_add(timeout);
        let hope = now < deadline && next_attempt < patience && !self.absent.holds(lacking, now);
        if !hope {
            return ready;
        }
        self.document.want();
        KeyLookup::Pending(next_attempt.saturating_add(timeout).min(deadline))
    }

    /// A number that changes whenever the set does; `None` while none may serve.
    #[must_use]
    pub fn generation(&self, now: Timestamp) -> Option<u64> {
        self.document.serves(now).then_some(self.generation)
    }

    /// Looks at what other workers did, and takes the lead where a fetch is due.
    pub fn poll(&mut self, store: &dyn SharedStore, now: Timestamp) -> Polled {
        self.read(|document, read| document.poll(store, now, read))
    }

    /// Takes over what other workers, or an earlier configuration, have fetched, without taking the lead.
    pub fn warm_up(&mut self, store: &dyn SharedStore, now: Timestamp) {
        self.read(|document, read| document.synchronise(store, now, read));
    }

    /// Takes in what a fetch brought, and tells the other workers. `entropy` is a fresh random number.
    pub fn receive(
        &mut self,
        attempt: Attempt,
        response: Response,
        store: &dyn SharedStore,
        now: Timestamp,
        entropy: u64,
    ) -> Next {
        let response = match (attempt.stage, &self.source.discovery) {
            (Stage::First, Some(discovery)) => {
                let found = body(response, self.document.max_bytes())
                    .and_then(|(_, document)| key_set(&document, &self.source, discovery));
                match found {
                    Ok(http) => return Next::Fetch(Attempt { stage: Stage::Second, ..attempt }, http),
                    Err(failure) => Response::Failed(failure),
                }
            }
            _ => response,
        };
        Next::Ended(self.read(|document, read| document.finish(attempt, response, store, now, entropy, read)))
    }

    /// Does something that may read the document. The same document's keys stay, with what was prepared for them.
    fn read<T>(
        &mut self,
        act: impl FnOnce(&mut RemoteDocument, &mut dyn FnMut(&[u8]) -> Result<Contents, Failure>) -> T,
    ) -> T {
        let max_bytes = self.document.max_bytes();
        let mut fresh = None;
        let done = act(&mut self.document, &mut |document| {
            let keys = usable(document, max_bytes)?;
            let skipped = keys.skipped().iter().map(ToString::to_string).collect();
            let contents = Contents { entries: keys.len(), skipped, fresh_for: None };
            fresh = Some(keys);
            Ok(contents)
        });
        let generation = self.document.held_generation();
        if let Some(keys) = fresh.filter(|_| generation != self.generation) {
            self.keys = Rc::new(keys);
            self.generation = generation;
        }
        done
    }
}

/// The keys in a document.
///
/// # Errors
///
/// It is no key set, or none of its keys can be used.
fn usable(document: &[u8], max_bytes: usize) -> Result<KeySet, Failure> {
    let keys = KeySet::parse(document, KeyOrigin::Remote, max_bytes).map_err(Failure::NotAKeySet)?;
    if keys.is_empty() {
        return Err(Failure::NoUsableKey { skipped: keys.skipped().len() });
    }
    Ok(keys)
}

/// Sources with the same settings share their fetches, whatever their providers are called and wherever they stand.
fn settings(source: &RemoteJwks, max_bytes: usize) -> Settings {
    Settings {
        identity: format!("{source:?} {max_bytes}"),
        max_bytes,
        fetches: if source.discovery.is_some() { 2 } else { 1 },
        timeout: source.http.timeout,
        longest_freshness: source.cache_duration,
        max_stale: source.max_stale,
        asked_interval: source.unknown_kid_interval,
        backoff: source.backoff,
        is_conditional: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_set_is_told_apart() {
        let code = |document: &[u8]| usable(document, 100).map(drop).map_err(|failure| failure.code());
        assert_eq!(code(b"<html>"), Err("not_a_key_set"));
        assert_eq!(code(b""), Err("not_a_key_set"));
        assert_eq!(code(b"{\"keys\":[]}"), Err("no_usable_key"));
    }
}
