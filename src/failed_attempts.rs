//! How often each source has failed of late, counted over all workers in a fixed number of pages.

use std::cell::OnceCell;
use std::fmt;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::address_range::subscriber;
use crate::config::{self, CountedBy};
use crate::decision::Denial;
use crate::failure_page::{Failures, Page};
use crate::front::Front;
use crate::reason::Reason;
use crate::shared_store::{SharedStore, Version};
use crate::time::Timestamp;

/// How often a worker tries to write a page that others write too.
const ATTEMPTS: usize = 8;
const SECRET_KEY: &str = "jwt_warden/failures/secret";

/// The counters of one configuration. Plugins with the same settings share them.
pub struct FailedAttempts {
    settings: config::FailedAttempts,
    seed: u64,
    /// What all workers mix into the names of sources, so that nobody can choose his page.
    secret: OnceCell<[u8; 8]>,
    keys: String,
}

/// A source as the pages know it. There are as many pages as one byte tells apart: 8192 slots in 164 KB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Source {
    page: u8,
    tag: [u8; 8],
}

impl FailedAttempts {
    /// Counters with these settings; `seed` is a random number.
    #[must_use]
    pub fn new(settings: &config::FailedAttempts, seed: u64) -> Self {
        let codes: Vec<_> = settings.counted.iter().map(|reason| reason.code()).collect();
        let by = if let CountedBy::Header(name) = &settings.by { name } else { "" };
        let window = settings.window.as_millis();
        let keys = format!("jwt_warden/failures/{window}/{by}/{}/", codes.join(","));
        Self { settings: settings.clone(), seed, secret: OnceCell::new(), keys }
    }

    /// Counters apart from these, for requests whose refusal is only reported: they keep nobody from passing elsewhere.
    #[must_use]
    pub fn for_reports(self) -> Self {
        Self { keys: format!("{}reported/", self.keys), ..self }
    }

    /// Whether refusals for this reason are counted.
    #[must_use]
    pub fn counts(&self, reason: Reason) -> bool {
        self.settings.counted.contains(&reason)
    }

    /// The refusal of a request whose source has failed too often.
    #[must_use]
    pub fn refusal(&self, front: Front<'_>, store: &dyn SharedStore, now: Timestamp) -> Option<Denial> {
        let source = self.source(front, store);
        let (page, _) = self.read(source, store);
        let failures = page.of(source.tag, self.settings.window, now)?;
        (failures.number >= self.settings.limit).then(|| too_many(failures, self.settings.window, now))
    }

    /// Counts a failure. Where workers write one page at the same time again and again, some failures may go uncounted.
    pub fn count(&self, front: Front<'_>, store: &dyn SharedStore, now: Timestamp) {
        let source = self.source(front, store);
        for _ in 0..ATTEMPTS {
            let (mut page, version) = self.read(source, store);
            page.add(source.tag, self.settings.window, now);
            if store.replace(&self.key(source), &page.bytes(), version) {
                return;
            }
        }
    }

    fn read(&self, source: Source, store: &dyn SharedStore) -> (Page, Option<Version>) {
        let found = store.get(&self.key(source));
        (Page::parse(found.as_ref().map(|(bytes, _)| bytes.as_slice())), found.map(|(_, version)| version))
    }

    fn key(&self, source: Source) -> String {
        format!("{}{:02x}", self.keys, source.page)
    }

    /// All requests of which nobody knows where they come from are one source.
    fn source(&self, front: Front<'_>, store: &dyn SharedStore) -> Source {
        let mut text = self.secret(store).to_vec();
        let named = match &self.settings.by {
            CountedBy::Header(name) => front.trusted_header(name),
            CountedBy::SourceAddress => None,
        };
        if let Some(name) = named {
            text.push(b'=');
            text.extend_from_slice(name);
        } else if let Some(address) = front.client_address() {
            text.push(if address.is_ipv4() { b'4' } else { b'6' });
            text.extend_from_slice(&subscriber(address).to_be_bytes());
        }
        let digest: [u8; 32] = Sha256::digest(&text).into();
        let (tag, rest) = digest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        Source { page: rest.first().copied().unwrap_or_default(), tag: *tag }
    }

    /// The first worker that needs it chooses the secret. What another plugin has left there and is none has to go.
    fn secret(&self, store: &dyn SharedStore) -> [u8; 8] {
        *self.secret.get_or_init(|| {
            let own = self.seed.to_le_bytes();
            let found = store.get(SECRET_KEY);
            let known =
                |found: Option<&(Vec<u8>, Version)>| found.and_then(|(secret, _)| secret.as_slice().try_into().ok());
            if let Some(known) = known(found.as_ref()) {
                return known;
            }
            store.replace(SECRET_KEY, &own, found.map(|(_, version)| version));
            known(store.get(SECRET_KEY).as_ref()).unwrap_or(own)
        })
    }
}

// The secret is never printed.
impl fmt::Debug for FailedAttempts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FailedAttempts").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn too_many(failures: Failures, window: Duration, now: Timestamp) -> Denial {
    let left = failures.since.saturating_add(window).saturating_since(now);
    let seconds = left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0)).max(1);
    Denial { retry_after: Some(seconds), ..Denial::new(Reason::TooManyFailures, None) }
}

#[cfg(test)]
#[path = "failed_attempts_tests.rs"]
mod tests;
