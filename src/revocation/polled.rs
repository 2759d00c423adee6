//! Denylists and status lists as documents that are fetched.

use super::denylist::Denylist;
use super::status_list::{StatusList, StatusListToken};
use crate::config::{Backoff, HttpUri, PolledList};
use crate::remote::{Attempt, Contents, Failure, Outcome, Polled, RemoteDocument, Response, Settings, Status};
use crate::shared_store::SharedStore;
use crate::time::Timestamp;

use std::time::Duration;

/// A list with fewer entries may shrink as it likes.
const FEW: usize = 10;
const BACKOFF: Backoff = Backoff { base_interval: Duration::from_secs(1), max_interval: Duration::from_secs(30) };

/// What surrounds a fetch.
#[derive(Clone, Copy)]
pub struct Outside<'o> {
    /// What all workers share.
    pub store: &'o dyn SharedStore,
    /// The time.
    pub now: Timestamp,
    /// A fresh random number.
    pub entropy: u64,
    /// Verifies a status list.
    pub verify: Verify<'o>,
}

/// Verifies the signature of a status list by its issuer's keys.
pub type Verify<'o> = &'o dyn Fn(&[u8]) -> Result<StatusListToken, Failure>;

/// A document that the adapter fetches.
pub trait Source {
    /// Takes over what other workers, or an earlier configuration, have fetched, without taking the lead.
    fn warm_up(&mut self, outside: Outside<'_>);
    /// Looks at what other workers did, and takes the lead where a fetch is due.
    fn poll(&mut self, outside: Outside<'_>) -> Polled;
    /// Takes in what a fetch brought, and tells the other workers.
    fn finish(&mut self, attempt: Attempt, response: Response, outside: Outside<'_>) -> Outcome;
    /// Where it is.
    fn http(&self) -> &HttpUri;
    /// What its server called the document that is known.
    fn etag(&self) -> Option<&str>;
    /// The media types that it can be.
    fn accept(&self) -> &'static str;
    /// What it is, for log and metrics.
    fn kind(&self) -> &'static str;
    /// What is known of it, for metrics.
    fn status(&self) -> Status;
}

/// A denylist that is polled.
#[derive(Debug)]
pub struct PolledDenylist {
    source: PolledList,
    document: RemoteDocument,
    list: Denylist,
    generation: u64,
}

impl PolledDenylist {
    /// A list of this source; `max_bytes` bounds the document.
    #[must_use]
    pub fn new(source: PolledList, max_bytes: usize) -> Self {
        let document = RemoteDocument::new(settings("denylist", &source, max_bytes));
        Self { source, document, list: Denylist::default(), generation: 0 }
    }

    /// The list, as long as it may serve; else until when a request that arrived at `arrival` may wait for it.
    pub(super) fn serving(&self, arrival: Timestamp, now: Timestamp) -> Result<&Denylist, Option<Timestamp>> {
        serving(&self.document, &self.source, arrival, now).map(|()| &self.list)
    }

    /// Does something that may read the document. `is_wary`: whether one that has shrunk has to be there twice in a row.
    fn read<T>(
        &mut self,
        is_wary: bool,
        seed: u64,
        act: impl FnOnce(&mut RemoteDocument, &mut dyn FnMut(&[u8]) -> Result<Contents, Failure>) -> T,
    ) -> T {
        let before = self.list.len();
        let has_shrunk_before = self.document.has_failed_by(&Failure::Shrunk { from: 0, to: 0 });
        let is_wary = is_wary && before >= FEW && !has_shrunk_before;
        let mut fresh = None;
        let done = act(&mut self.document, &mut |document| {
            let list = Denylist::parse(document, seed).map_err(Failure::NotADenylist)?;
            let entries = list.len();
            if is_wary && entries.saturating_mul(2) <= before {
                return Err(Failure::Shrunk { from: before, to: entries });
            }
            fresh = Some(list);
            Ok(Contents { entries, ..Contents::default() })
        });
        let generation = self.document.held_generation();
        if let Some(list) = fresh.filter(|_| generation != self.generation) {
            self.list = list;
            self.generation = generation;
        }
        done
    }
}

impl Source for PolledDenylist {
    fn warm_up(&mut self, outside: Outside<'_>) {
        self.read(false, outside.entropy, |document, read| document.synchronise(outside.store, outside.now, read));
    }

    fn poll(&mut self, outside: Outside<'_>) -> Polled {
        self.read(false, outside.entropy, |document, read| document.poll(outside.store, outside.now, read))
    }

    fn finish(&mut self, attempt: Attempt, response: Response, outside: Outside<'_>) -> Outcome {
        let Outside { store, now, entropy, .. } = outside;
        self.read(true, entropy, |document, read| document.finish(attempt, response, store, now, entropy, read))
    }

    fn http(&self) -> &HttpUri {
        &self.source.http
    }

    fn etag(&self) -> Option<&str> {
        self.document.etag()
    }

    fn accept(&self) -> &'static str {
        "application/json"
    }

    fn kind(&self) -> &'static str {
        "denylist"
    }

    fn status(&self) -> Status {
        self.document.status(self.list.len(), 0)
    }
}

/// A status list that is polled.
#[derive(Debug)]
pub struct PolledStatusList {
    source: PolledList,
    document: RemoteDocument,
    list: StatusList,
    generation: u64,
}

impl PolledStatusList {
    /// A list of this source; `max_bytes` bounds the document, and the list in it.
    #[must_use]
    pub fn new(source: PolledList, max_bytes: usize) -> Self {
        let document = RemoteDocument::new(settings("status_list", &source, max_bytes));
        Self { source, document, list: StatusList::default(), generation: 0 }
    }

    /// Its URI, as tokens name it.
    pub(super) fn uri(&self) -> &str {
        &self.source.uri
    }

    /// The list, as long as it may serve; else until when a request that arrived at `arrival` may wait for it.
    pub(super) fn serving(&self, arrival: Timestamp, now: Timestamp) -> Result<&StatusList, Option<Timestamp>> {
        serving(&self.document, &self.source, arrival, now)?;
        if self.list.has_expired(now) { Err(None) } else { Ok(&self.list) }
    }

    fn read<T>(
        &mut self,
        outside: Outside<'_>,
        act: impl FnOnce(&mut RemoteDocument, &mut dyn FnMut(&[u8]) -> Result<Contents, Failure>) -> T,
    ) -> T {
        let max_bytes = self.document.max_bytes();
        let (uri, longest_freshness, now) = (&self.source.uri, self.source.refresh, outside.now);
        // An old list still has a good signature: nobody may put it in the place of a newer one.
        let newest = self.list.issued_at;
        let mut fresh = None;
        let done = act(&mut self.document, &mut |document| {
            let token = (outside.verify)(document)?;
            let list = StatusList::of(&token, uri, max_bytes, now).map_err(Failure::NotAStatusList)?;
            if list.issued_at < newest {
                return Err(Failure::NotAStatusList("it is older than the one before"));
            }
            let fresh_for = token.fresh_for(longest_freshness, now);
            let contents = Contents { entries: list.len(), fresh_for, ..Contents::default() };
            fresh = Some(list);
            Ok(contents)
        });
        let generation = self.document.held_generation();
        if let Some(list) = fresh.filter(|_| generation != self.generation) {
            self.list = list;
            self.generation = generation;
        }
        done
    }
}

impl Source for PolledStatusList {
    fn warm_up(&mut self, outside: Outside<'_>) {
        self.read(outside, |document, read| document.synchronise(outside.store, outside.now, read));
    }

    fn poll(&mut self, outside: Outside<'_>) -> Polled {
        self.read(outside, |document, read| document.poll(outside.store, outside.now, read))
    }

    fn finish(&mut self, attempt: Attempt, response: Response, outside: Outside<'_>) -> Outcome {
        let Outside { store, now, entropy, .. } = outside;
        self.read(outside, |document, read| document.finish(attempt, response, store, now, entropy, read))
    }

    fn http(&self) -> &HttpUri {
        &self.source.http
    }

    fn etag(&self) -> Option<&str> {
        self.document.etag()
    }

    fn accept(&self) -> &'static str {
        "application/statuslist+jwt"
    }

    fn kind(&self) -> &'static str {
        "status_list"
    }

    fn status(&self) -> Status {
        self.document.status(self.list.len(), 0)
    }
}

/// A request waits for the first document only: once a fetch has failed, its verdict is that none can be had. A status list
/// that was faster than the keys has not failed.
fn serving(
    document: &RemoteDocument,
    source: &PolledList,
    arrival: Timestamp,
    now: Timestamp,
) -> Result<(), Option<Timestamp>> {
    if document.serves(now) {
        return Ok(());
    }
    let patience = arrival.saturating_add(source.http.timeout);
    let has_failed = document.has_failed() && !document.has_failed_by(&Failure::NotVerifiable);
    let is_first = document.shared_generation() == 0 && !has_failed;
    Err((is_first && now < patience).then_some(patience))
}

fn settings(kind: &str, source: &PolledList, max_bytes: usize) -> Settings {
    Settings {
        identity: format!("{kind} {source:?} {max_bytes}"),
        max_bytes,
        fetches: 1,
        timeout: source.http.timeout,
        longest_freshness: source.refresh,
        max_stale: source.max_stale,
        asked_interval: source.refresh,
        backoff: BACKOFF,
        // A status list that has not changed goes stale by itself.
        is_conditional: kind == "denylist",
    }
}

#[cfg(test)]
#[path = "polled_tests.rs"]
mod tests;
