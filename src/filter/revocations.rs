//! Looks after what one worker knows about revoked tokens: documents that are polled, questions that are asked.

use std::cell::RefCell;

use proxy_wasm::types::LogLevel;

use super::fetches::Target;
use super::report;
use super::shared_store::HostStore;
use super::worker::Worker;
use crate::config::{HttpUri, Provider, ProviderId};
use crate::flood::Kind;
use crate::log::Line;
use crate::remote::{Attempt, Response};
use crate::revocation::{LookupKey, Lookups, Marks, Outside, ProviderRevocation, Standing, StatusListToken};
use crate::time::Timestamp;
use crate::verifier::Revocations;

/// The revocations of each provider; `None` for one that revokes nothing.
pub(super) type PerProvider = Vec<Option<RefCell<ProviderRevocation>>>;

/// The revocations of these providers; `max_bytes` bounds each list.
pub(super) fn per_provider(providers: &[Provider], max_bytes: usize) -> PerProvider {
    let of = |provider: &Provider| {
        provider.revocation.as_ref().map(|settings| RefCell::new(ProviderRevocation::new(settings, max_bytes)))
    };
    providers.iter().map(of).collect()
}

/// A document that is to be fetched now.
struct Due {
    index: usize,
    attempt: Attempt,
    http: HttpUri,
    accept: &'static str,
    etag: Option<String>,
}

impl Worker {
    /// Takes over lists that were fetched before.
    pub(super) fn warm_up_revocations(&self, now: Timestamp) {
        for (id, revocation) in self.revoking() {
            self.outside(id, now, |outside| {
                for source in revocation.borrow_mut().sources() {
                    source.warm_up(outside);
                }
            });
        }
    }

    /// Shows what is known of a provider's lists.
    pub(super) fn show_lists(&self, id: ProviderId) {
        let Some(revocation) = self.revocation(id) else { return };
        for (index, source) in revocation.borrow_mut().sources().enumerate() {
            self.show_list(id, index, &source.status());
        }
    }

    /// Polls the lists and sends what is to be fetched.
    pub(super) fn look_after_revocations(&self, now: Timestamp) {
        for (id, revocation) in self.revoking() {
            let mut due = Vec::new();
            self.poll_lists(id, revocation, now, |fetch| due.push(fetch));
            for Due { index, attempt, http, accept, etag } in due {
                let target = Target::List(id, index, attempt);
                if let Err(failure) = self.send(target, &http, accept, etag.as_deref()) {
                    self.finish_list(id, index, attempt, Response::Failed(failure), now);
                }
            }
            let unsent = revocation.borrow_mut().lookups().map(Lookups::take_unsent);
            for (key, http) in unsent.into_iter().flatten() {
                if let Err(failure) = self.send(Target::Lookup(id, key), &http, "application/json", None) {
                    self.finish_lookup(id, key, Response::Failed(failure), now);
                }
            }
        }
    }

    fn poll_lists(
        &self,
        id: ProviderId,
        revocation: &RefCell<ProviderRevocation>,
        now: Timestamp,
        mut take: impl FnMut(Due),
    ) {
        let mut changed = false;
        self.outside(id, now, |outside| {
            for (index, source) in revocation.borrow_mut().sources().enumerate() {
                let polled = source.poll(outside);
                if polled.changed {
                    self.show_list(id, index, &source.status());
                    changed = true;
                }
                if let Some(attempt) = polled.fetch {
                    let (http, etag) = (source.http().clone(), source.etag().map(str::to_owned));
                    take(Due { index, attempt, http, accept: source.accept(), etag });
                }
            }
        });
        if changed {
            self.tell(id);
        }
    }

    /// A document has come, or will not.
    pub(super) fn finish_list(
        &self,
        id: ProviderId,
        index: usize,
        attempt: Attempt,
        response: Response,
        now: Timestamp,
    ) {
        let Some(revocation) = self.revocation(id) else { return };
        self.outside(id, now, |outside| {
            let mut revocation = revocation.borrow_mut();
            let Some(source) = revocation.sources().nth(index) else { return };
            let outcome = source.finish(attempt, response, outside);
            self.metrics.count_answer(id, source.kind(), outcome.code(), self.config());
            self.show_list(id, index, &source.status());
            report::list(self.name_of(id), source.kind(), source.http(), &outcome);
        });
        self.tell(id);
    }

    /// The service that is asked about tokens has answered, or will not.
    pub(super) fn finish_lookup(&self, id: ProviderId, key: LookupKey, response: Response, now: Timestamp) {
        let Some(revocation) = self.revocation(id) else { return };
        let mut revocation = revocation.borrow_mut();
        let Some(lookups) = revocation.lookups() else { return };
        let received = lookups.receive(key, response, now);
        self.metrics.count_answer(id, "lookup", received.code(), self.config());
        if received.is_news {
            self.report_lookup(id, lookups.http(), received.failure.as_ref());
        }
        drop(revocation);
        self.tell_of(id, key);
    }

    /// Calls with what surrounds a fetch for this provider.
    fn outside(&self, id: ProviderId, now: Timestamp, act: impl FnOnce(Outside<'_>)) {
        let Some(provider) = self.config().provider(id) else { return };
        let max_bytes = self.config().limits.max_revocation_bytes;
        let verify = |document: &[u8]| {
            let signatures = self.authenticator.signatures();
            StatusListToken::verify(document, max_bytes, (id, provider), self, signatures, now)
        };
        act(Outside { store: &HostStore, now, entropy: self.random(), verify: &verify });
    }

    fn revocation(&self, id: ProviderId) -> Option<&RefCell<ProviderRevocation>> {
        self.revocations.get(id.0)?.as_ref()
    }

    fn revoking(&self) -> impl Iterator<Item = (ProviderId, &RefCell<ProviderRevocation>)> {
        let each = self.revocations.iter().enumerate();
        each.filter_map(|(index, revocation)| Some((ProviderId(index), revocation.as_ref()?)))
    }
}

impl Revocations for Worker {
    fn question(&self, provider: ProviderId, marks: &Marks) -> Option<LookupKey> {
        self.revocation(provider)?.try_borrow_mut().ok()?.lookups()?.question(marks)
    }

    fn standing(&self, provider: ProviderId, marks: &Marks, arrival: Timestamp, now: Timestamp) -> Standing {
        match self.revocation(provider).map(RefCell::try_borrow_mut) {
            None => Standing::Good,
            Some(Ok(mut revocation)) => revocation.standing(marks, arrival, now),
            Some(Err(_)) => {
                let event = "revocations are asked about while they change";
                let kind = Kind { event, code: ("cause", ""), rule: None, provider: Some(provider) };
                self.log_news(kind, LogLevel::Error, &Line::new(event).finish());
                Standing::Unavailable("they change just now")
            }
        }
    }
}
