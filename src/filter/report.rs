//! Tells the log what becomes of what is fetched.

use proxy_wasm::types::LogLevel;

use super::abi;
use super::worker::Worker;
use crate::config::{HttpUri, ProviderId};
use crate::flood::Kind;
use crate::log::Line;
use crate::remote::{Failure, Outcome};

/// Of so many keys that cannot be used a line says why.
const MAX_SKIPPED: usize = 16;

/// The words for a kind of document.
struct Words {
    fetched: &'static str,
    confirmed: &'static str,
    not_fetched: &'static str,
    entries: &'static str,
    old_serves_for: &'static str,
}

const KEYS: Words = Words {
    fetched: "keys fetched",
    confirmed: "keys confirmed",
    not_fetched: "keys not fetched",
    entries: "keys",
    old_serves_for: "old_keys_serve_for",
};

const LIST: Words = Words {
    fetched: "list fetched",
    confirmed: "list confirmed",
    not_fetched: "list not fetched",
    entries: "entries",
    old_serves_for: "old_list_serves_for",
};

/// Tells how the fetch of a provider's keys ended.
pub(super) fn keys(provider: &str, http: &HttpUri, outcome: &Outcome) {
    report(&KEYS, provider, None, http, outcome);
    let Outcome::Replaced { skipped, .. } = outcome else { return };
    let line = || Line::new("key skipped").quoted("provider", provider.as_bytes());
    for words in skipped.iter().take(MAX_SKIPPED) {
        abi::log(LogLevel::Warn, &line().quoted("detail", words.as_bytes()).finish());
    }
    if let Some(number) = skipped.len().checked_sub(MAX_SKIPPED).filter(|number| *number > 0) {
        let line = Line::new("key skipped").more().quoted("provider", provider.as_bytes());
        abi::log(LogLevel::Warn, &line.field("number", number).finish());
    }
}

/// Tells how the fetch of a list of revoked tokens ended.
pub(super) fn list(provider: &str, kind: &str, http: &HttpUri, outcome: &Outcome) {
    report(&LIST, provider, Some(kind), http, outcome);
}

/// What is no news is told to those who look closely.
fn report(words: &Words, provider: &str, kind: Option<&str>, http: &HttpUri, outcome: &Outcome) {
    let line = |event| {
        // The query may hold what the server knows the proxy by.
        let path = http.path_and_query.split_once('?').map_or(http.path_and_query.as_str(), |(path, _)| path);
        let uri = format!("{}://{}{path}", http.scheme, http.authority);
        let mut line = Line::new(event).quoted("provider", provider.as_bytes());
        if let Some(kind) = kind {
            line = line.field("kind", kind);
        }
        line.quoted("uri", uri.as_bytes()).quoted("cluster", http.cluster.as_bytes())
    };
    let (level, line) = match outcome {
        Outcome::Replaced { generation, entries, skipped, failures } => {
            let mut line = line(words.fetched).field("generation", generation).field(words.entries, entries);
            if kind.is_none() {
                line = line.field("skipped", skipped.len());
            }
            (LogLevel::Info, line.field("failures_before", failures))
        }
        Outcome::Confirmed { failures: 0 } => (LogLevel::Debug, line(words.confirmed)),
        Outcome::Confirmed { failures } => (LogLevel::Info, line(words.confirmed).field("failures_before", failures)),
        Outcome::Failed { failure, failures, repeated, serves_for, retry_in } => {
            let serves = serves_for.map_or_else(|| "none".to_owned(), |time| format!("{}s", time.as_secs()));
            let line = line(words.not_fetched)
                .field("cause", failure.code())
                .field("failures", failures)
                .field(words.old_serves_for, serves)
                .field("retry_in", format!("{}ms", retry_in.as_millis()))
                .quoted("detail", failure.to_string().as_bytes());
            (if *repeated { LogLevel::Debug } else { LogLevel::Warn }, line)
        }
        Outcome::Superseded => (LogLevel::Debug, line("fetch superseded")),
    };
    abi::log(level, &line.finish());
}

impl Worker {
    /// Tells that the service that is asked about tokens has begun to fail, or has ended it. Tokens may be such that it does
    /// both again and again, so that this is for clients to provoke.
    pub(super) fn report_lookup(&self, id: ProviderId, http: &HttpUri, failure: Option<&Failure>) {
        let (event, level, code) = match failure {
            None => ("look-ups answered again", LogLevel::Info, ""),
            Some(failure) => ("look-ups not answered", LogLevel::Warn, failure.code()),
        };
        let mut line = Line::new(event)
            .quoted("provider", self.name_of(id).as_bytes())
            .quoted("authority", http.authority.as_bytes())
            .quoted("cluster", http.cluster.as_bytes());
        if let Some(failure) = failure {
            line = line.field("cause", code).quoted("detail", failure.to_string().as_bytes());
        }
        let kind = Kind { event, code: ("cause", code), rule: None, provider: Some(id) };
        self.log_news(kind, level, &line.finish());
    }
}
