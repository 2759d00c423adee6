//! The life of a fetched key set: fetched once per proxy, refreshed ahead of time, kept while the server is away, and
//! fetched again when a token names a key that nobody knows.
//!
//! Nothing here does I/O or knows the time: the adapter calls [`RemoteKeys::poll`] at every tick, carries out the fetch
//! that it asks for, and hands the answer to [`RemoteKeys::finish`].

use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::absent::AbsentKeys;
use super::attempt::{Attempt, Next, Outcome, Polled, Stage, Status};
use super::discovery::key_set;
use super::fetch::{Failure, Fetched, Response, body, judge};
use super::key::KeyOrigin;
use super::record::{DIGEST_LENGTH, Record};
use super::schedule::{Schedule, leisurely_delay, refresh_delay, retry_delay};
use super::set::KeySet;

use crate::config::RemoteJwks;
use crate::shared_store::{SharedStore, Version};
use crate::time::Timestamp;
use crate::verifier::KeyLookup;

/// How much longer than the fetch's timeout its lease lasts: then another worker may try.
const LEASE_GRACE: Duration = Duration::from_secs(1);
/// Workers read the clock one after the other: a record this far ahead is no sign that the clock was set back.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);

/// A key set that is fetched, as one worker sees it.
#[derive(Debug)]
pub struct RemoteKeys {
    source: RemoteJwks,
    max_bytes: usize,
    record_key: String,
    document_key: String,
    record: Record,
    current: Option<Current>,
    /// Whether a request waits whose `kid` is not in the set.
    is_wanted: bool,
    /// The `kid`s that a fetch was started for in vain, not long ago.
    absent: AbsentKeys,
}

#[derive(Debug)]
struct Current {
    keys: Rc<KeySet>,
    digest: [u8; DIGEST_LENGTH],
    /// Counts the sets that this worker has held: unlike the shared number it can never repeat.
    generation: u64,
}

impl RemoteKeys {
    /// The cache of this source; `max_bytes` bounds a document.
    #[must_use]
    pub fn new(source: RemoteJwks, max_bytes: usize) -> Self {
        let id = source_id(&source, max_bytes);
        Self {
            record_key: format!("jwt_warden/{id}/record"),
            document_key: format!("jwt_warden/{id}/document"),
            source,
            max_bytes,
            record: Record::EMPTY,
            current: None,
            is_wanted: false,
            absent: AbsentKeys::default(),
        }
    }

    /// Where the set is fetched from, and how.
    #[must_use]
    pub const fn source(&self) -> &RemoteJwks {
        &self.source
    }

    /// What is known of the set, for metrics.
    #[must_use]
    pub fn status(&self) -> Status {
        let keys = self.current.as_ref().map(|current| &current.keys);
        Status {
            generation: self.record.generation,
            keys: keys.map_or(0, |keys| keys.len()),
            skipped: keys.map_or(0, |keys| keys.skipped().len()),
            fetched_at: self.record.fetched_at,
            serves_until: self.serves_until(),
        }
    }

    /// The keys for a token that names `key_id`, in a request that arrived at `arrival`.
    ///
    /// Without a set, the request may wait as long as one fetch may take. With a set that lacks the `kid`, it may wait for
    /// the next fetch that it is allowed to start, and then for its answer: twice as long at most.
    pub fn lookup(&mut self, key_id: Option<&str>, arrival: Timestamp, now: Timestamp) -> KeyLookup {
        let timeout = self.source.http.timeout;
        let patience = arrival.saturating_add(timeout);
        let next_attempt = self.next_attempt(now);
        let Some(keys) = self.serving(now) else {
            let hope = now < patience && next_attempt < patience;
            return if hope { KeyLookup::Pending(patience) } else { KeyLookup::Unavailable };
        };
        let Some(lacking) = key_id.filter(|key_id| !keys.has_kid(key_id)) else { return KeyLookup::Ready(keys) };
        if self.record.fetched_at >= arrival {
            self.absent.remember(lacking, self.earliest_attempt());
            return KeyLookup::Ready(keys);
        }
        let deadline = patience.saturating_add(timeout);
        let hope = now < deadline && next_attempt < patience && !self.absent.holds(lacking, now);
        if !hope {
            return KeyLookup::Ready(keys);
        }
        self.is_wanted = true;
        KeyLookup::Pending(next_attempt.saturating_add(timeout).min(deadline))
    }

    /// A number that changes whenever the set does; `None` while none may serve.
    #[must_use]
    pub fn generation(&self, now: Timestamp) -> Option<u64> {
        let current = self.current.as_ref()?;
        (now < self.serves_until()).then_some(current.generation)
    }

    /// The set, as long as it may serve.
    fn serving(&self, now: Timestamp) -> Option<Rc<KeySet>> {
        let current = self.current.as_ref()?;
        (now < self.serves_until()).then(|| Rc::clone(&current.keys))
    }

    fn serves_until(&self) -> Timestamp {
        self.record.fresh_until.saturating_add(self.source.max_stale)
    }

    /// When an attempt is, or can be, under way for a request that waits now.
    fn next_attempt(&self, now: Timestamp) -> Timestamp {
        if self.attempt_under_way(now) { now } else { self.earliest_attempt().max(now) }
    }

    fn attempt_under_way(&self, now: Timestamp) -> bool {
        now < self.record.lease_until
    }

    /// After a failure the back-off decides, otherwise the shortest interval between fetches that tokens ask for.
    fn earliest_attempt(&self) -> Timestamp {
        if self.record.failures > 0 {
            self.record.retry_at
        } else if self.record.generation == 0 {
            Timestamp::EPOCH
        } else {
            self.record.forced_at.saturating_add(self.source.unknown_kid_interval)
        }
    }

    /// Looks at what other workers did, and takes the lead where a fetch is due.
    pub fn poll(&mut self, store: &dyn SharedStore, now: Timestamp) -> Polled {
        let (changed, version) = self.synchronise(store, now);
        let fetch = if self.is_due(now) { self.take_lead(store, version, now) } else { None };
        Polled { changed, fetch }
    }

    /// Takes over what other workers, or an earlier configuration, have fetched, without taking the lead.
    pub fn warm_up(&mut self, store: &dyn SharedStore, now: Timestamp) {
        self.synchronise(store, now);
    }

    /// Reads the shared record, and the document if it is another one.
    fn synchronise(&mut self, store: &dyn SharedStore, now: Timestamp) -> (bool, Option<Version>) {
        let stored = store.get(&self.record_key);
        let version = stored.as_ref().map(|(_, version)| *version);
        let record = stored.and_then(|(bytes, _)| Record::decode(&bytes)).unwrap_or(Record::EMPTY);
        let record = self.bounded(record, now);
        let ended = record.ended != self.record.ended;
        self.record = record;
        // After each attempt those who wait are asked again, and say anew what they lack.
        self.is_wanted &= !ended;
        (self.adopt_document(store) || ended, version)
    }

    /// Whoever shares the namespace may have written the record, and clocks are set back. So each time in it is held to
    /// what this source's settings make of the last attempt's, never of `now`: a bound that moves along is none.
    fn bounded(&self, record: Record, now: Timestamp) -> Record {
        if record.attempted_at > now.saturating_add(CLOCK_TOLERANCE) {
            return self.overdue(record, now);
        }
        let schedule = Schedule::of(&self.source);
        let lease_end = record.attempted_at.saturating_add(self.lease());
        let fetched_at = record.fetched_at.min(record.attempted_at);
        let fresh_until = record.fresh_until.min(fetched_at.saturating_add(schedule.longest_freshness));
        Record {
            fetched_at: fetched_at.min(now),
            forced_at: record.forced_at.min(record.attempted_at),
            fresh_until,
            refresh_at: record.refresh_at.min(lease_end.saturating_add(schedule.longest_wait())),
            lease_until: record.lease_until.min(lease_end),
            retry_at: record.retry_at.min(lease_end.saturating_add(schedule.longest_retry)),
            ..record
        }
    }

    /// A record from before the clock was set back: its set still serves, and is fetched again at once.
    fn overdue(&self, record: Record, now: Timestamp) -> Record {
        let longest_freshness = Schedule::of(&self.source).longest_freshness;
        Record {
            attempted_at: now,
            fetched_at: record.fetched_at.min(now),
            fresh_until: record.fresh_until.min(now.saturating_add(longest_freshness)),
            forced_at: Timestamp::EPOCH,
            refresh_at: Timestamp::EPOCH,
            lease_until: Timestamp::EPOCH,
            retry_at: Timestamp::EPOCH,
            ..record
        }
    }

    /// Takes over the document of the record's generation, if it is there, intact and usable. Says whether it did.
    fn adopt_document(&mut self, store: &dyn SharedStore) -> bool {
        if !self.lacks_document() {
            return false;
        }
        let Some((document, _)) = store.get(&self.document_key) else { return false };
        if digest(&document) != self.record.digest {
            return false;
        }
        let Ok(keys) = KeySet::parse(&document, KeyOrigin::Remote, self.max_bytes) else { return false };
        self.hold(keys);
        true
    }

    /// Holds the keys of the record's document; the same document's keys stay, with what was prepared for them.
    fn hold(&mut self, keys: KeySet) {
        let held = self.current.as_ref();
        if held.is_some_and(|held| held.digest == self.record.digest) {
            return;
        }
        let generation = held.map_or(0, |held| held.generation).wrapping_add(1);
        self.current = Some(Current { keys: Rc::new(keys), digest: self.record.digest, generation });
    }

    fn lacks_document(&self) -> bool {
        let held = self.current.as_ref().map(|current| current.digest);
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

    /// A token names a `kid` that is not in the set, or the shared document is lost.
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
        let stage = if self.source.discovery.is_some() { Stage::Metadata } else { Stage::Keys };
        Some(Attempt { began: now, stage })
    }

    /// How long an attempt may take: each of its fetches has a timeout.
    fn lease(&self) -> Duration {
        let fetches = if self.source.discovery.is_some() { 2 } else { 1 };
        self.source.http.timeout.saturating_mul(fetches).saturating_add(LEASE_GRACE)
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
            (Stage::Metadata, Some(discovery)) => {
                let found = body(response, self.max_bytes)
                    .and_then(|(_, document)| key_set(&document, &self.source, discovery));
                match found {
                    Ok(http) => return Next::Fetch(Attempt { stage: Stage::Keys, ..attempt }, http),
                    Err(failure) => Response::Failed(failure),
                }
            }
            _ => response,
        };
        Next::Ended(self.finish(attempt, response, store, now, entropy))
    }

    fn finish(
        &mut self,
        attempt: Attempt,
        response: Response,
        store: &dyn SharedStore,
        now: Timestamp,
        entropy: u64,
    ) -> Outcome {
        let (_, version) = self.synchronise(store, now);
        if self.record.attempted_at != attempt.began || self.record.lease_until == Timestamp::EPOCH {
            return Outcome::Superseded;
        }
        self.is_wanted = false;
        let before = self.record;
        let ended = Record { lease_until: Timestamp::EPOCH, ended: before.ended.wrapping_add(1), ..before };
        match judge(response, self.max_bytes) {
            Ok(fetched) => self.succeed(ended, fetched, store, version, entropy),
            Err(failure) => self.fail(ended, failure, store, version, now, entropy),
        }
    }

    fn succeed(
        &mut self,
        ended: Record,
        fetched: Fetched,
        store: &dyn SharedStore,
        version: Option<Version>,
        entropy: u64,
    ) -> Outcome {
        let schedule = Schedule::of(&self.source);
        let freshness = schedule.freshness(fetched.max_age);
        let digest = digest(&fetched.document);
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
        store.put(&self.document_key, &fetched.document);
        if !store.replace(&self.record_key, &record.encode(), version) {
            return Outcome::Superseded;
        }
        let failures = ended.failures;
        let outcome = if replaced {
            let skipped = fetched.keys.skipped().iter().map(ToString::to_string).collect();
            Outcome::Replaced { generation: record.generation, keys: fetched.keys.len(), skipped, failures }
        } else {
            Outcome::Confirmed { failures }
        };
        self.record = record;
        self.hold(fetched.keys);
        outcome
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
        let retry_in = retry_delay(&self.source.backoff, failures, entropy);
        let serves_for = self.serving(now).map(|_| self.serves_until().saturating_since(now));
        let leisure = serves_for.map_or(Duration::ZERO, |serves_for| {
            leisurely_delay(ended.fresh_until.saturating_since(ended.fetched_at), serves_for, entropy)
        });
        let retry_at = now.saturating_add(retry_in);
        // The back-off's own time is for tokens that ask for a key; those of known keys have none to lose.
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
}

fn digest(document: &[u8]) -> [u8; DIGEST_LENGTH] {
    let hash = Sha256::digest(document);
    hash.first_chunk().copied().unwrap_or_default()
}

/// Sources with the same settings share their fetches, whatever their providers are called and wherever they stand.
fn source_id(source: &RemoteJwks, max_bytes: usize) -> String {
    let settings = format!("{source:?} {max_bytes}");
    URL_SAFE_NO_PAD.encode(digest(settings.as_bytes()))
}
