//! Counters and gauges of the host, each defined once, when it is first used.
//!
//! Their names are made of the configuration's and the filter's own words, so their number is bounded whatever clients
//! send.

use std::cell::RefCell;

use proxy_wasm::types::MetricType;

use super::abi;
use crate::remote::Status;

/// The metrics of one worker, by what tells them apart.
#[derive(Default)]
pub(super) struct Metrics {
    /// Sorted.
    ids: RefCell<Vec<(Metric, u32)>>,
}

/// A metric; a provider is its index in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Metric {
    Requests(Option<usize>, &'static str),
    Fetches(usize, &'static str),
    KeySet(usize, &'static str),
    Waiting(&'static str),
    Revocation(usize, &'static str, &'static str),
}

/// A provider's index in the configuration, and its name.
type Named<'a> = (usize, &'a str);

impl Metrics {
    /// Counts a request that was decided: `code` is the reason of a refusal, or why it passes.
    pub(super) fn count_request(&self, provider: Option<Named<'_>>, code: &'static str) {
        let metric = Metric::Requests(provider.map(|(index, _)| index), code);
        self.increment(metric, || request_metric(provider.map(|(_, name)| name), code));
    }

    /// Counts a fetch that ended: `code` is `success` or the cause of the failure.
    pub(super) fn count_fetch(&self, provider: Named<'_>, code: &'static str) {
        self.increment(Metric::Fetches(provider.0, code), || {
            format!("jwt_warden.jwks.provider.{}.fetches.result.{code}", metric_segment(provider.1))
        });
    }

    /// Counts an answer about revoked tokens: `kind` is what was fetched, `code` how it ended.
    pub(super) fn count_revocation(&self, provider: Named<'_>, kind: &'static str, code: &'static str) {
        self.increment(Metric::Revocation(provider.0, kind, code), || {
            format!("jwt_warden.revocation.provider.{}.{kind}.result.{code}", metric_segment(provider.1))
        });
    }

    /// Counts a request that begins to wait (`entered`) or ends it (`left`).
    pub(super) fn count_waiting(&self, code: &'static str) {
        self.increment(Metric::Waiting(code), || format!("jwt_warden.waiting.{code}"));
    }

    /// Shows what is known of a fetched key set; times are seconds since 1970.
    pub(super) fn show_key_set(&self, provider: Named<'_>, status: &Status) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let values = [
            ("generation", status.generation),
            ("keys", count(status.keys)),
            ("keys_skipped", count(status.skipped)),
            ("last_success_seconds", status.fetched_at.as_secs()),
            ("serves_until_seconds", status.serves_until.as_secs()),
        ];
        for (what, value) in values {
            let name = || format!("jwt_warden.jwks.provider.{}.{what}", metric_segment(provider.1));
            if let Some(id) = self.id(Metric::KeySet(provider.0, what), MetricType::Gauge, name) {
                abi::record_metric(id, value);
            }
        }
    }

    fn increment(&self, metric: Metric, name: impl FnOnce() -> String) {
        if let Some(id) = self.id(metric, MetricType::Counter, name) {
            abi::increment_metric(id);
        }
    }

    fn id(&self, metric: Metric, kind: MetricType, name: impl FnOnce() -> String) -> Option<u32> {
        let mut ids = self.ids.try_borrow_mut().ok()?;
        match ids.binary_search_by_key(&metric, |(known, _)| *known) {
            Ok(position) => ids.get(position).map(|(_, id)| *id),
            Err(position) => {
                let id = abi::define_metric(kind, &name())?;
                ids.insert(position, (metric, id));
                Some(id)
            }
        }
    }
}

fn request_metric(provider: Option<&str>, code: &str) -> String {
    match provider {
        Some(name) => format!("jwt_warden.requests.provider.{}.reason.{code}", metric_segment(name)),
        None => format!("jwt_warden.requests.reason.{code}"),
    }
}

/// A provider's name as part of a metric's name.
fn metric_segment(name: &str) -> String {
    let keep = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    name.chars().map(|letter| if keep(letter) { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_nothing_that_breaks_a_scrape() {
        assert_eq!(request_metric(Some("a.b\nc"), "x"), "jwt_warden.requests.provider.a_b_c.reason.x");
        assert_eq!(request_metric(None, "x"), "jwt_warden.requests.reason.x");
    }
}
