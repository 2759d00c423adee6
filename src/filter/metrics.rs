//! Counters of the host, each defined once, when it first counts.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proxy_wasm::types::MetricType;

use super::abi;

/// The counters of one worker. Their names are made of the configuration's and the filter's own words, so their number is
/// bounded whatever clients send.
#[derive(Default)]
pub(super) struct Metrics {
    counters: RefCell<BTreeMap<(Option<usize>, &'static str), u32>>,
}

impl Metrics {
    /// Counts a request that was decided: `code` is the reason of a refusal, `verified` or `not_required`.
    pub(super) fn count_request(&self, provider: Option<(usize, &str)>, code: &'static str) {
        let key = (provider.map(|(index, _)| index), code);
        let Ok(mut counters) = self.counters.try_borrow_mut() else { return };
        let id = counters.get(&key).copied().or_else(|| {
            let id = abi::define_metric(MetricType::Counter, &request_metric(provider.map(|(_, name)| name), code))?;
            counters.insert(key, id);
            Some(id)
        });
        if let Some(id) = id {
            abi::increment_metric(id);
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
