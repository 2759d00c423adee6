//! Counters, gauges and histograms of the host, each defined once, when it is first used.
//!
//! Counts are added up here and handed over at each tick: a call of the host for each request costs more than the
//! counting. The names are made of the configuration's and the filter's own words, so their number is bounded whatever
//! clients send.

use std::cell::RefCell;

use proxy_wasm::types::MetricType;

use super::abi;
use crate::authenticator::Tally;
use crate::config::{Config, OTHER_RULES, ProviderId, RuleId, name_in_metrics};
use crate::remote::Status;

/// So many counters of requests are told apart; further combinations of rules and reasons are counted under one rule's name.
const ROOM_FOR_RULES: usize = 2048;

/// The metrics of one worker.
#[derive(Default)]
pub(super) struct Metrics {
    /// Sorted by metric.
    known: RefCell<Vec<Known>>,
}

struct Known {
    metric: Metric,
    /// The host's; `None` if it did not want it.
    id: Option<u32>,
    /// What has been counted, and not handed over yet.
    pending: u64,
}

/// A metric; lists are positions among their provider's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Metric {
    Requests(Verdict, Option<Rule>, Option<ProviderId>, &'static str),
    Tokens(&'static str),
    Verification(ProviderId),
    FailedAttempts,
    SuppressedLines,
    Waiting(&'static str),
    WaitingTime,
    Fetches(ProviderId, &'static str),
    KeySet(ProviderId, &'static str),
    Answers(ProviderId, &'static str, &'static str),
    List(ProviderId, usize, &'static str),
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Allowed,
    Denied,
    /// The filter answered it by itself.
    Answered,
    /// It should have been denied, and passed.
    Reported,
}

/// A rule that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    Named(RuleId),
    Other,
}

impl Metrics {
    /// Counts a request that was decided: `code` is the reason of a refusal, or why it passes.
    pub(super) fn count_request(
        &self,
        verdict: Verdict,
        rule: Option<RuleId>,
        provider: Option<ProviderId>,
        code: &'static str,
        config: &Config,
    ) {
        let named = rule.filter(|rule| config.rule_name(*rule).is_some()).map(Rule::Named);
        let metric = |rule| Metric::Requests(verdict, rule, provider, code);
        let fits = self.knows(metric(named)) || self.counters_of_requests() < ROOM_FOR_RULES;
        self.count(metric(named.map(|rule| if fits { rule } else { Rule::Other })), 1, config);
    }

    /// Counts a fetch that ended: `code` is `success` or the cause of the failure.
    pub(super) fn count_fetch(&self, provider: ProviderId, code: &'static str, config: &Config) {
        self.count(Metric::Fetches(provider, code), 1, config);
    }

    /// Counts an answer about revoked tokens: `kind` is what was fetched, `code` how it ended.
    pub(super) fn count_answer(&self, provider: ProviderId, kind: &'static str, code: &'static str, config: &Config) {
        self.count(Metric::Answers(provider, kind, code), 1, config);
    }

    /// Counts a request that begins to wait (`entered`) or ends it (`left`).
    pub(super) fn count_waiting(&self, code: &'static str, config: &Config) {
        self.count(Metric::Waiting(code), 1, config);
    }

    /// Counts a line that is not written, since there have been too many.
    pub(super) fn count_suppressed(&self, config: &Config) {
        self.count(Metric::SuppressedLines, 1, config);
    }

    /// Counts what the core has tallied.
    pub(super) fn count_tally(&self, tally: Tally, config: &Config) {
        for (metric, number) in [
            (Metric::Tokens("remembered"), tally.recalled),
            (Metric::Tokens("verified"), tally.verified),
            (Metric::FailedAttempts, tally.failed_attempts),
        ] {
            if number > 0 {
                self.count(metric, number, config);
            }
        }
    }

    /// Records how long a decision took for which a token had to be verified.
    pub(super) fn record_verification(&self, provider: ProviderId, microseconds: u64, config: &Config) {
        self.record(Metric::Verification(provider), microseconds, config);
    }

    /// Records how long a request has waited.
    pub(super) fn record_wait(&self, milliseconds: u64, config: &Config) {
        self.record(Metric::WaitingTime, milliseconds, config);
    }

    /// Shows what is known of a provider's keys; times are seconds since 1970. `ready_since`: since when there have been
    /// keys that serve, without a gap.
    pub(super) fn show_key_set(
        &self,
        provider: ProviderId,
        status: &Status,
        ready_since: Option<u64>,
        config: &Config,
    ) {
        let values = [
            ("configured", 1),
            ("generation", status.generation),
            ("keys", number(status.entries)),
            ("keys_skipped", number(status.skipped)),
            ("last_success_seconds", status.fetched_at.as_secs()),
            ("serves_until_seconds", status.serves_until.as_secs()),
        ];
        for (what, value) in values {
            self.record(Metric::KeySet(provider, what), value, config);
        }
        self.show_ready(provider, ready_since, config);
    }

    /// Shows since when a provider has had keys that serve.
    pub(super) fn show_ready(&self, provider: ProviderId, since: Option<u64>, config: &Config) {
        self.record(Metric::KeySet(provider, "ready"), u64::from(since.is_some()), config);
        self.record(Metric::KeySet(provider, "ready_since_seconds"), since.unwrap_or_default(), config);
    }

    /// Shows what is known of the list of revoked tokens at this position among the provider's.
    pub(super) fn show_list(&self, provider: ProviderId, list: usize, status: &Status, config: &Config) {
        for (what, value) in [
            ("generation", status.generation),
            ("entries", number(status.entries)),
            ("last_success_seconds", status.fetched_at.as_secs()),
            ("serves_until_seconds", status.serves_until.as_secs()),
        ] {
            self.record(Metric::List(provider, list, what), value, config);
        }
    }

    /// Takes back what is shown of a provider, and that it is configured.
    pub(super) fn withdraw(&self, provider: ProviderId) {
        let Ok(known) = self.known.try_borrow() else { return };
        let is_of_it = |metric| matches!(metric, Metric::KeySet(id, _) | Metric::List(id, ..) if id == provider);
        for id in known.iter().filter(|known| is_of_it(known.metric)).filter_map(|known| known.id) {
            abi::record_metric(id, 0);
        }
    }

    /// Hands over what has been counted.
    pub(super) fn hand_over(&self) {
        let Ok(mut known) = self.known.try_borrow_mut() else { return };
        for known in known.iter_mut().filter(|known| known.pending > 0) {
            if let Some(id) = known.id {
                abi::increment_metric(id, std::mem::take(&mut known.pending));
            }
        }
    }

    fn count(&self, metric: Metric, number: u64, config: &Config) {
        self.with(metric, config, |known| known.pending = known.pending.saturating_add(number));
    }

    fn record(&self, metric: Metric, value: u64, config: &Config) {
        self.with(metric, config, |known| known.id.iter().for_each(|id| abi::record_metric(*id, value)));
    }

    fn knows(&self, metric: Metric) -> bool {
        self.known.try_borrow().is_ok_and(|known| known.binary_search_by_key(&metric, |known| known.metric).is_ok())
    }

    /// They come first.
    fn counters_of_requests(&self) -> usize {
        let known = self.known.try_borrow();
        known.map_or(0, |known| known.partition_point(|known| matches!(known.metric, Metric::Requests(..))))
    }

    fn with(&self, metric: Metric, config: &Config, act: impl FnOnce(&mut Known)) {
        let Ok(mut known) = self.known.try_borrow_mut() else { return };
        let position = known.binary_search_by_key(&metric, |known| known.metric).unwrap_or_else(|position| {
            let id = abi::define_metric(metric.kind(), &metric.name(config));
            known.insert(position, Known { metric, id, pending: 0 });
            position
        });
        if let Some(known) = known.get_mut(position) {
            act(known);
        }
    }
}

impl Metric {
    const fn kind(self) -> MetricType {
        match self {
            Self::KeySet(..) | Self::List(..) => MetricType::Gauge,
            Self::Verification(_) | Self::WaitingTime => MetricType::Histogram,
            _ => MetricType::Counter,
        }
    }

    fn name(self, config: &Config) -> String {
        let provider =
            |id: ProviderId| config.provider(id).map(|provider| name_in_metrics(&provider.name)).unwrap_or_default();
        let name = match self {
            Self::Requests(verdict, rule, provider_id, code) => {
                let rule = rule.map(|rule| format!(".rule.{}", rule.name(config))).unwrap_or_default();
                let provider = provider_id.map(|id| format!(".provider.{}", provider(id))).unwrap_or_default();
                format!("requests.verdict.{}{rule}{provider}.reason.{code}", verdict.name())
            }
            Self::Tokens(result) => format!("tokens.result.{result}"),
            Self::Verification(id) => format!("verification.provider.{}.microseconds", provider(id)),
            Self::FailedAttempts => "failed_attempts.counted".to_owned(),
            Self::SuppressedLines => "log.suppressed".to_owned(),
            Self::Waiting(code) => format!("waiting.{code}"),
            Self::WaitingTime => "waiting.milliseconds".to_owned(),
            Self::Fetches(id, code) => format!("jwks.provider.{}.fetches.result.{code}", provider(id)),
            Self::KeySet(id, what) => format!("jwks.provider.{}.{what}", provider(id)),
            Self::Answers(id, kind, code) => {
                format!("revocation.provider.{}.answers.kind.{kind}.result.{code}", provider(id))
            }
            Self::List(id, list, what) => format!("revocation.provider.{}.list.{list}.{what}", provider(id)),
        };
        format!("jwt_warden.{name}")
    }
}

impl Verdict {
    const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Answered => "answered",
            Self::Reported => "reported",
        }
    }
}

impl Rule {
    fn name(self, config: &Config) -> &str {
        match self {
            Self::Named(rule) => config.rule_name(rule).unwrap_or_default(),
            Self::Other => OTHER_RULES,
        }
    }
}

fn number(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
