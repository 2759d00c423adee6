//! The keys of one worker's providers: fetched, shared with the other workers, and looked up.

use std::cell::RefCell;
use std::rc::Rc;

use super::fetches::Target;
use super::report;
use super::shared_store::HostStore;
use super::worker::Worker;
use crate::config::{HttpUri, JwksSource, Provider, ProviderId};
use crate::jwks::{KeyOrigin, KeySet, RemoteKeys};
use crate::remote::{Attempt, Next, Response};
use crate::time::Timestamp;
use crate::verifier::{KeyLookup, KeyQuery, Keys};

/// The keys of one provider.
pub(super) enum ProviderKeys {
    Local(Rc<KeySet>),
    Remote(Box<RefCell<RemoteKeys>>),
}

impl Worker {
    /// Takes over what was fetched before.
    pub(super) fn warm_up_keys(&self, now: Timestamp) {
        self.remotes().for_each(|(_, keys)| keys.borrow_mut().warm_up(&HostStore, now));
    }

    /// Looks at what the other workers fetched, and fetches what is due.
    pub(super) fn look_after_keys(&self, now: Timestamp) {
        for (id, keys) in self.remotes() {
            let polled = keys.borrow_mut().poll(&HostStore, now);
            if polled.changed {
                self.note_change(id, now);
            }
            if let Some(attempt) = polled.fetch {
                let http = keys.borrow().source().http.clone();
                self.fetch(id, attempt, &http, now);
            }
        }
    }

    pub(super) fn provider_keys(&self, id: ProviderId) -> Option<&ProviderKeys> {
        self.keys.get(id.0)
    }

    fn remotes(&self) -> impl Iterator<Item = (ProviderId, &RefCell<RemoteKeys>)> {
        self.keys.iter().enumerate().filter_map(|(index, keys)| match keys {
            ProviderKeys::Remote(keys) => Some((ProviderId(index), keys.as_ref())),
            ProviderKeys::Local(_) => None,
        })
    }

    /// Something is new about a provider's keys.
    fn note_change(&self, id: ProviderId, now: Timestamp) {
        self.show_keys(id, now);
        self.tell(id);
    }

    /// Sends a request of an attempt; if that fails at once, the attempt has its answer.
    fn fetch(&self, id: ProviderId, attempt: Attempt, http: &HttpUri, now: Timestamp) {
        if let Err(failure) =
            self.send(Target::Keys(id, attempt), http, "application/jwk-set+json, application/json", None)
        {
            self.finish(id, attempt, Response::Failed(failure), now);
        }
    }

    /// An attempt has its answer.
    pub(super) fn finish(&self, id: ProviderId, attempt: Attempt, response: Response, now: Timestamp) {
        let Some((_, keys)) = self.remotes().find(|(candidate, _)| *candidate == id) else { return };
        let next = keys.borrow_mut().receive(attempt, response, &HostStore, now, self.random());
        match next {
            Next::Fetch(attempt, http) => self.fetch(id, attempt, &http, now),
            Next::Ended(outcome) => {
                self.note_change(id, now);
                self.metrics.count_fetch(id, outcome.code(), self.config());
                report::keys(self.name_of(id), &keys.borrow().source().http, &outcome);
            }
        }
    }
}

impl Keys for Worker {
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup {
        match self.keys.get(query.provider.0) {
            Some(ProviderKeys::Local(keys)) => KeyLookup::Ready(Rc::clone(keys)),
            Some(ProviderKeys::Remote(keys)) => keys.borrow_mut().lookup(query.key_id, query.arrival, query.now),
            None => KeyLookup::Unavailable,
        }
    }

    fn generation(&self, provider: ProviderId, now: Timestamp) -> Option<u64> {
        match self.keys.get(provider.0)? {
            ProviderKeys::Local(_) => Some(0),
            ProviderKeys::Remote(keys) => keys.borrow().generation(now),
        }
    }
}

impl ProviderKeys {
    pub(super) fn of(provider: &Provider, max_bytes: usize) -> Self {
        match &provider.jwks {
            // The configuration was refused at load if this set cannot be used.
            JwksSource::Local(document) => {
                Self::Local(Rc::new(KeySet::parse(document, KeyOrigin::Local, max_bytes).unwrap_or_default()))
            }
            JwksSource::Remote(remote) => {
                Self::Remote(Box::new(RefCell::new(RemoteKeys::new((**remote).clone(), max_bytes))))
            }
        }
    }
}
