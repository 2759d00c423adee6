//! The life of one fetched document: fetched once per proxy, refreshed ahead of time, kept while the server is away.
//!
//! Nothing here does I/O or knows the time: whoever owns the document polls it at every tick, has the fetch carried out
//! that it asks for, and hands in the answer. What the document means is the owner's business: it reads it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::attempt::{Attempt, Polled, Stage, Status};
use super::fetch::Failure;
use super::record::{DIGEST_LENGTH, Record};
use super::settings::{Contents, Settings};
use super::stored::{digest, unpack};
use crate::shared_store::{SharedStore, Version};
use crate::time::Timestamp;

/// How long a shared document is left alone that could not be read: reading a large one at each tick would cost too much.
const UNREADABLE_TIME: Duration = Duration::from_secs(1);

/// Reads a document for its owner, who keeps what is in it.
pub(crate) type Read<'r> = &'r mut dyn FnMut(&[u8]) -> Result<Contents, Failure>;

/// A document that is fetched, as one worker sees it.
#[derive(Debug)]
pub(crate) struct RemoteDocument {
    pub(super) settings: Settings,
    pub(super) record_key: String,
    pub(super) document_key: String,
    pub(super) record: Record,
    held: Option<Held>,
    /// Whether a request waits for another document than this one.
    pub(super) is_wanted: bool,
    /// The shared document that could not be read, and when it is tried again.
    unreadable: Option<([u8; DIGEST_LENGTH], Timestamp)>,
}

#[derive(Debug)]
struct Held {
    digest: [u8; DIGEST_LENGTH],
    /// Counts the documents that this worker has held: unlike the shared number it can never repeat.
    generation: u64,
    etag: Option<String>,
}

impl RemoteDocument {
    pub(crate) fn new(settings: Settings) -> Self {
        let id = URL_SAFE_NO_PAD.encode(digest(settings.identity.as_bytes()));
        Self {
            record_key: format!("jwt_warden/{id}/record"),
            document_key: format!("jwt_warden/{id}/document"),
            settings,
            record: Record::EMPTY,
            held: None,
            is_wanted: false,
            unreadable: None,
        }
    }

    /// The largest document, in bytes.
    pub(crate) fn max_bytes(&self) -> usize {
        self.settings.max_bytes
    }

    /// Counts the distinct documents of this source; zero before the first.
    pub(crate) fn shared_generation(&self) -> u64 {
        self.record.generation
    }

    /// Counts the documents that this worker has held; zero before the first.
    pub(crate) fn held_generation(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.generation)
    }

    /// What is known of it; its owner knows how many of its entries can be used, and how many cannot.
    pub(crate) fn status(&self, entries: usize, skipped: usize) -> Status {
        Status {
            generation: self.record.generation,
            entries,
            skipped,
            fetched_at: self.record.fetched_at,
            // Before the first document there is none that could serve.
            serves_until: if self.record.generation == 0 { Timestamp::EPOCH } else { self.serves_until() },
        }
    }

    /// When the last fetch that succeeded began.
    pub(crate) fn fetched_at(&self) -> Timestamp {
        self.record.fetched_at
    }

    /// Whether the document that is held may serve.
    pub(crate) fn serves(&self, now: Timestamp) -> bool {
        self.held.is_some() && now < self.serves_until()
    }

    /// Until when it serves if no newer one can be had.
    pub(crate) fn serves_until(&self) -> Timestamp {
        self.record.fresh_until.saturating_add(self.settings.max_stale)
    }

    /// What the server called the document of the record, if this worker holds it.
    pub(crate) fn etag(&self) -> Option<&str> {
        let held = self.held.as_ref().filter(|held| self.settings.is_conditional && held.digest == self.record.digest);
        held?.etag.as_deref()
    }

    /// When an attempt is, or can be, under way for a request that waits now.
    pub(crate) fn next_attempt(&self, now: Timestamp) -> Timestamp {
        if self.attempt_under_way(now) { now } else { self.earliest_attempt().max(now) }
    }

    /// A request waits for another document than this one.
    pub(crate) fn want(&mut self) {
        self.is_wanted = true;
    }

    fn attempt_under_way(&self, now: Timestamp) -> bool {
        now < self.record.lease_until
    }

    /// After a failure the back-off decides, otherwise the shortest interval between attempts that requests ask for.
    pub(crate) fn earliest_attempt(&self) -> Timestamp {
        if self.record.failures > 0 {
            self.record.retry_at
        } else if self.record.generation == 0 {
            Timestamp::EPOCH
        } else {
            self.record.forced_at.saturating_add(self.settings.asked_interval)
        }
    }

    /// Whether the last attempt failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.record.failures > 0
    }

    /// Whether the last attempt failed in this way.
    pub(crate) fn has_failed_by(&self, failure: &Failure) -> bool {
        self.record.failure == failure.number()
    }

    /// Looks at what other workers did, and takes the lead where a fetch is due.
    pub(crate) fn poll(&mut self, store: &dyn SharedStore, now: Timestamp, read: Read<'_>) -> Polled {
        let (changed, version) = self.synchronise(store, now, read);
        let fetch = if self.is_due(now) { self.take_lead(store, version, now) } else { None };
        Polled { changed, fetch }
    }

    /// Reads the shared record, and the document if it is another one, without taking the lead.
    pub(crate) fn synchronise(
        &mut self,
        store: &dyn SharedStore,
        now: Timestamp,
        read: Read<'_>,
    ) -> (bool, Option<Version>) {
        let stored = store.get(&self.record_key);
        let version = stored.as_ref().map(|(_, version)| *version);
        let record = stored.and_then(|(bytes, _)| Record::decode(&bytes)).unwrap_or(Record::EMPTY);
        let record = record.bounded(&self.settings, now);
        let ended = record.ended != self.record.ended;
        self.record = record;
        // After each attempt those who wait are asked again, and say anew what they lack.
        self.is_wanted &= !ended;
        (self.adopt_document(store, now, read) || ended, version)
    }

    /// Takes over the document of the record's generation, if it is there, intact and usable. Says whether it did.
    fn adopt_document(&mut self, store: &dyn SharedStore, now: Timestamp, read: Read<'_>) -> bool {
        let again_at = now.saturating_add(UNREADABLE_TIME);
        let waits = |(digest, until)| digest == self.record.digest && now < until && until <= again_at;
        if !self.lacks_document() || self.unreadable.is_some_and(waits) {
            return false;
        }
        let Some((stored, _)) = store.get(&self.document_key) else { return false };
        let known =
            if digest(&stored) == self.record.digest { unpack(&stored, self.settings.is_conditional) } else { None };
        let etag = known.and_then(|(etag, document)| read(document).ok().map(|_| etag));
        self.unreadable = if etag.is_none() { Some((self.record.digest, again_at)) } else { None };
        etag.map(|etag| self.hold(etag)).is_some()
    }

    /// Holds the record's document; the same document's contents stay, with what was prepared for them.
    pub(super) fn hold(&mut self, etag: Option<String>) {
        let held = self.held.as_mut();
        if let Some(held) = held.filter(|held| held.digest == self.record.digest) {
            held.etag = etag;
            return;
        }
        let generation = self.held_generation().wrapping_add(1);
        self.held = Some(Held { digest: self.record.digest, generation, etag });
    }

    fn lacks_document(&self) -> bool {
        let held = self.held.as_ref().map(|held| held.digest);
        self.record.generation > 0 && held != Some(self.record.digest)
    }

    fn is_due(&self, now: Timestamp) -> bool {
        if self.attempt_under_way(now) || (self.record.failures > 0 && now < self.record.retry_at) {
            return false;
        }
        self.needs_refresh(now) || (self.is_asked_for() && now >= self.earliest_attempt())
    }

    fn needs_refresh(&self, now: Timestamp) -> bool {
        self.record.generation == 0 || now >= self.record.refresh_at
    }

    /// A request waits for another document, or the shared one is lost.
    fn is_asked_for(&self) -> bool {
        self.is_wanted || self.lacks_document()
    }

    /// Of all workers that see a fetch due, the one whose compare-and-swap succeeds makes it.
    fn take_lead(&mut self, store: &dyn SharedStore, version: Option<Version>, now: Timestamp) -> Option<Attempt> {
        let lease_until = now.saturating_add(self.settings.lease());
        let forced_at = if self.needs_refresh(now) { self.record.forced_at } else { now };
        let record = Record { attempted_at: now, forced_at, lease_until, ..self.record };
        if !store.replace(&self.record_key, &record.encode(), version) {
            return None;
        }
        self.record = record;
        Some(Attempt { began: now, stage: Stage::First })
    }
}
