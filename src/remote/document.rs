//! The life of one fetched document: fetched once per proxy, refreshed ahead of time, kept while the server is away.
//!
//! Nothing here does I/O or knows the time: whoever owns the document polls it at every tick, has the fetch carried out
//! that it asks for, and hands in the answer. What the document means is the owner's business: it reads it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::attempt::{Attempt, Outcome, Polled, Stage, Status};
use super::fetch::{Failure, Fetched, Response, judge};
use super::record::{DIGEST_LENGTH, Record};
use super::schedule::{leisurely_delay, refresh_delay, retry_delay};
use crate::config::Backoff;
use crate::shared_store::{SharedStore, Version};
use crate::time::Timestamp;

/// How much longer than its fetches' timeouts an attempt's lease lasts: then another worker may try.
const LEASE_GRACE: Duration = Duration::from_secs(1);
/// Workers read the clock one after the other: a record this far ahead is no sign that the clock was set back.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// How long a shared document is left alone that could not be read: reading a large one at each tick would cost too much.
const UNREADABLE_TIME: Duration = Duration::from_secs(1);

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

/// Reads a document for its owner, who keeps what is in it.
pub(crate) type Read<'r> = &'r mut dyn FnMut(&[u8]) -> Result<Contents, Failure>;

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

/// A document that is fetched, as one worker sees it.
#[derive(Debug)]
pub(crate) struct RemoteDocument {
    settings: Settings,
    record_key: String,
    document_key: String,
    record: Record,
    held: Option<Held>,
    /// Whether a request waits for another document than this one.
    is_wanted: bool,
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
        let record = self.bounded(record, now);
        let ended = record.ended != self.record.ended;
        self.record = record;
        // After each attempt those who wait are asked again, and say anew what they lack.
        self.is_wanted &= !ended;
        (self.adopt_document(store, now, read) || ended, version)
    }

    /// Whoever shares the namespace may have written the record, and clocks are set back. So each time in it is held to
    /// what this source's settings make of the last attempt's, never of `now`: a bound that moves along is none.
    fn bounded(&self, record: Record, now: Timestamp) -> Record {
        if record.attempted_at > now.saturating_add(CLOCK_TOLERANCE) {
            return self.overdue(record, now);
        }
        let Settings { longest_freshness, backoff, .. } = &self.settings;
        let lease_end = record.attempted_at.saturating_add(self.lease());
        let fetched_at = record.fetched_at.min(record.attempted_at);
        let fresh_until = record.fresh_until.min(fetched_at.saturating_add(*longest_freshness));
        let longest_wait = (*longest_freshness).max(backoff.max_interval);
        Record {
            fetched_at: fetched_at.min(now),
            forced_at: record.forced_at.min(record.attempted_at),
            fresh_until,
            refresh_at: record.refresh_at.min(lease_end.saturating_add(longest_wait)),
            lease_until: record.lease_until.min(lease_end),
            retry_at: record.retry_at.min(lease_end.saturating_add(backoff.max_interval)),
            ..record
        }
    }

    /// A record from before the clock was set back: its document still serves, and is fetched again at once.
    fn overdue(&self, record: Record, now: Timestamp) -> Record {
        Record {
            attempted_at: now,
            fetched_at: record.fetched_at.min(now),
            fresh_until: record.fresh_until.min(now.saturating_add(self.settings.longest_freshness)),
            forced_at: Timestamp::EPOCH,
            refresh_at: Timestamp::EPOCH,
            lease_until: Timestamp::EPOCH,
            retry_at: Timestamp::EPOCH,
            ..record
        }
    }

    /// Takes over the document of the record's generation, if it is there, intact and usable. Says whether it did.
    fn adopt_document(&mut self, store: &dyn SharedStore, now: Timestamp, read: Read<'_>) -> bool {
        let again_at = now.saturating_add(UNREADABLE_TIME);
        let waits = |(digest, until)| digest == self.record.digest && now < until && until <= again_at;
        if !self.lacks_document() || self.unreadable.is_some_and(waits) {
            return false;
        }
        let Some((stored, _)) = store.get(&self.document_key) else { return false };
        let known = if digest(&stored) == self.record.digest { self.unpack(&stored) } else { None };
        let etag = known.and_then(|(etag, document)| read(document).ok().map(|_| etag));
        self.unreadable = if etag.is_none() { Some((self.record.digest, again_at)) } else { None };
        etag.map(|etag| self.hold(etag)).is_some()
    }

    /// Holds the record's document; the same document's contents stay, with what was prepared for them.
    fn hold(&mut self, etag: Option<String>) {
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
        let lease_until = now.saturating_add(self.lease());
        let forced_at = if self.needs_refresh(now) { self.record.forced_at } else { now };
        let record = Record { attempted_at: now, forced_at, lease_until, ..self.record };
        if !store.replace(&self.record_key, &record.encode(), version) {
            return None;
        }
        self.record = record;
        Some(Attempt { began: now, stage: Stage::First })
    }

    /// How long an attempt may take: each of its fetches has a timeout.
    fn lease(&self) -> Duration {
        self.settings.timeout.saturating_mul(self.settings.fetches).saturating_add(LEASE_GRACE)
    }

    /// Takes in what a fetch brought, and tells the other workers. `entropy` is a fresh random number.
    pub(crate) fn finish(
        &mut self,
        attempt: Attempt,
        response: Response,
        store: &dyn SharedStore,
        now: Timestamp,
        entropy: u64,
        read: Read<'_>,
    ) -> Outcome {
        let (_, version) = self.synchronise(store, now, read);
        if self.record.attempted_at != attempt.began || self.record.lease_until == Timestamp::EPOCH {
            return Outcome::Superseded;
        }
        self.is_wanted = false;
        let before = self.record;
        let ended = Record { lease_until: Timestamp::EPOCH, ended: before.ended.wrapping_add(1), ..before };
        let judged = judge(response, self.settings.max_bytes, self.etag().is_some()).and_then(|fetched| {
            let contents = if fetched.is_unchanged { Contents::default() } else { read(&fetched.document)? };
            Ok((fetched, contents))
        });
        match judged {
            Ok((fetched, contents)) => self.succeed(ended, fetched, contents, store, version, entropy),
            Err(failure) => self.fail(ended, failure, store, version, now, entropy),
        }
    }

    fn succeed(
        &mut self,
        ended: Record,
        fetched: Fetched,
        contents: Contents,
        store: &dyn SharedStore,
        version: Option<Version>,
        entropy: u64,
    ) -> Outcome {
        let freshness = self.settings.freshness(contents.fresh_for.or(fetched.max_age));
        let etag = if fetched.is_unchanged { self.etag().map(str::to_owned) } else { fetched.etag };
        let stored = (!fetched.is_unchanged).then(|| self.pack(etag.as_deref(), fetched.document));
        let digest = stored.as_ref().map_or(ended.digest, |stored| digest(stored));
        let replaced = digest != ended.digest || ended.generation == 0;
        let record = Record {
            generation: ended.generation.saturating_add(u64::from(replaced)),
            digest,
            fetched_at: ended.attempted_at,
            fresh_until: ended.attempted_at.saturating_add(freshness),
            refresh_at: ended.attempted_at.saturating_add(refresh_delay(freshness, entropy)),
            failures: 0,
            failure: 0,
            ..ended
        };
        if let Some(stored) = &stored {
            store.put(&self.document_key, stored);
        }
        if !store.replace(&self.record_key, &record.encode(), version) {
            return Outcome::Superseded;
        }
        let failures = ended.failures;
        self.record = record;
        self.hold(etag);
        if replaced {
            let Contents { entries, skipped, .. } = contents;
            Outcome::Replaced { generation: record.generation, entries, skipped, failures }
        } else {
            Outcome::Confirmed { failures }
        }
    }

    fn fail(
        &mut self,
        ended: Record,
        failure: Failure,
        store: &dyn SharedStore,
        version: Option<Version>,
        now: Timestamp,
        entropy: u64,
    ) -> Outcome {
        let failures = ended.failures.saturating_add(1);
        let retry_in = retry_delay(&self.settings.backoff, failures, entropy);
        let serves_for = self.serves(now).then(|| self.serves_until().saturating_since(now));
        let leisure = serves_for.map_or(Duration::ZERO, |serves_for| {
            leisurely_delay(ended.fresh_until.saturating_since(ended.fetched_at), serves_for, entropy)
        });
        let retry_at = now.saturating_add(retry_in);
        // The back-off's own time is for requests that ask for another document; the others have none to lose.
        let refresh_in = retry_in.max(leisure);
        let refresh_at = now.saturating_add(refresh_in).max(ended.refresh_at);
        let record = Record { failures, failure: failure.number(), retry_at, refresh_at, ..ended };
        if !store.replace(&self.record_key, &record.encode(), version) {
            return Outcome::Superseded;
        }
        self.record = record;
        let repeated = ended.failure == failure.number();
        Outcome::Failed { failure, failures, repeated, serves_for, retry_in: refresh_in }
    }

    /// The document as it is stored: behind the server's name for it, if the server is asked by that.
    fn pack(&self, etag: Option<&str>, document: Vec<u8>) -> Vec<u8> {
        if !self.settings.is_conditional {
            return document;
        }
        let etag = etag.unwrap_or_default();
        let length = u8::try_from(etag.len()).unwrap_or_default();
        [&[length], etag.as_bytes().get(..usize::from(length)).unwrap_or_default(), &document].concat()
    }

    fn unpack<'s>(&self, stored: &'s [u8]) -> Option<(Option<String>, &'s [u8])> {
        if !self.settings.is_conditional {
            return Some((None, stored));
        }
        let (length, rest) = stored.split_first()?;
        let (etag, document) = rest.split_at_checked(usize::from(*length))?;
        let etag = std::str::from_utf8(etag).ok().filter(|etag| !etag.is_empty());
        Some((etag.map(str::to_owned), document))
    }
}

fn digest(document: &[u8]) -> [u8; DIGEST_LENGTH] {
    let hash = Sha256::digest(document);
    hash.first_chunk().copied().unwrap_or_default()
}
