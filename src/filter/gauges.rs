//! How ready each provider is, for operators.
//!
//! Gauges are those of the whole proxy, and outlive what wrote them: an old configuration goes on for as long as its
//! requests drain, and one that is refused may begin. So of all that have a provider of this name the one shows it that was
//! loaded last, and what it has shown goes with it.

use super::keys::ProviderKeys;
use super::requests::IDLE_TICK;
use super::shared_store::HostStore;
use super::worker::Worker;
use crate::config::{ProviderId, name_in_metrics};
use crate::remote::Status;
use crate::shared_store::SharedStore as _;
use crate::time::Timestamp;

/// What stands for a configuration, at every worker.
pub(super) type Identity = [u8; 32];

/// Which configuration shows a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShownBy {
    This,
    Another,
    Nobody,
}

impl Worker {
    /// Shows what changes without any event: keys cease to serve, and another configuration is gone. It begins with the first
    /// tick, which never comes to a configuration that Envoy only tries.
    pub(super) fn watch_gauges(&self, now: Timestamp) {
        let before = self.observation.watched_at.get();
        if before.is_some_and(|before| now >= before && now.saturating_since(before) < IDLE_TICK) {
            return;
        }
        self.observation.watched_at.set(Some(now));
        for id in self.provider_ids() {
            match self.shown_by(id) {
                ShownBy::This if before.is_some() => self.watch_readiness(id, now),
                ShownBy::Another if before.is_some() => {}
                _ => {
                    HostStore.put(&self.shown_by_key(id), &self.identity);
                    self.show_keys(id, now);
                    self.show_lists(id);
                }
            }
        }
    }

    fn watch_readiness(&self, id: ProviderId, now: Timestamp) {
        let before = self.known_readiness(id);
        let since = self.readiness(id, now);
        if since != before {
            self.metrics.show_ready(id, since, self.config());
        }
    }

    /// Shows what is known of a provider's keys.
    #[inline(never)]
    pub(super) fn show_keys(&self, id: ProviderId, now: Timestamp) {
        let status = match self.provider_keys(id) {
            Some(ProviderKeys::Remote(keys)) => keys.borrow().status(),
            Some(ProviderKeys::Local(keys)) => Status::of_local(keys.len(), keys.skipped().len()),
            None => return,
        };
        let since = self.readiness(id, now);
        if self.shown_by(id) == ShownBy::This {
            self.metrics.show_key_set(id, &status, since, self.config());
        }
    }

    /// Shows what is known of the list of revoked tokens at this position among the provider's.
    #[inline(never)]
    pub(super) fn show_list(&self, id: ProviderId, list: usize, status: &Status) {
        if self.shown_by(id) == ShownBy::This {
            self.metrics.show_list(id, list, status, self.config());
        }
    }

    /// Takes back what this configuration has shown.
    pub(super) fn leave_gauges(&self) {
        let has_shown = self.observation.watched_at.get().is_some();
        for id in self.provider_ids().filter(|id| has_shown && self.shown_by(*id) == ShownBy::This) {
            self.metrics.withdraw(id);
            HostStore.put(&self.shown_by_key(id), &[]);
        }
    }

    /// Since when a provider has had keys that serve, in seconds since 1970.
    #[inline(never)]
    fn readiness(&self, id: ProviderId, now: Timestamp) -> Option<u64> {
        let serves = match self.provider_keys(id)? {
            ProviderKeys::Local(_) => true,
            ProviderKeys::Remote(keys) => keys.borrow().generation(now).is_some(),
        };
        let since = serves.then(|| self.known_readiness(id).unwrap_or(now.as_secs()));
        let mut all = self.observation.ready_since.borrow_mut();
        all.resize(self.config().providers.len(), None);
        if let Some(known) = all.get_mut(id.0) {
            *known = since;
        }
        since
    }

    fn known_readiness(&self, id: ProviderId) -> Option<u64> {
        self.observation.ready_since.borrow().get(id.0).copied().flatten()
    }

    #[inline(never)]
    fn shown_by(&self, id: ProviderId) -> ShownBy {
        match HostStore.get(&self.shown_by_key(id)) {
            Some((by, _)) if by == self.identity => ShownBy::This,
            Some((by, _)) if !by.is_empty() => ShownBy::Another,
            _ => ShownBy::Nobody,
        }
    }

    #[inline(never)]
    fn shown_by_key(&self, id: ProviderId) -> String {
        format!("jwt_warden.shown_by.{}", name_in_metrics(self.name_of(id)))
    }

    fn provider_ids(&self) -> impl Iterator<Item = ProviderId> + use<> {
        (0..self.config().providers.len()).map(ProviderId)
    }
}
