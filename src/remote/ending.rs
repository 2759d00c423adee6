//! How an attempt ends: with a document, with the word that it has not changed, or with a failure. All workers are told.

use std::time::Duration;

use super::attempt::{Attempt, Outcome};
use super::document::{Read, RemoteDocument};
use super::fetch::{Failure, Fetched, Response, judge};
use super::record::Record;
use super::schedule::{leisurely_delay, refresh_delay, retry_delay};
use super::settings::Contents;
use super::stored::{digest, pack};
use crate::shared_store::{SharedStore, Version};
use crate::time::Timestamp;

impl RemoteDocument {
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
        let stored =
            (!fetched.is_unchanged).then(|| pack(etag.as_deref(), fetched.document, self.settings.is_conditional));
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
}
