//! Fetches: dispatched as callouts of the root context, so that no client takes one along when it leaves.

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, LogLevel, MapType, Status};

use super::abi;
use crate::config::{HttpUri, ProviderId};
use crate::log::Line;
use crate::remote::{Attempt, Failure, Outcome, Response};
use crate::revocation::LookupKey;

/// The callouts under way, by the token that the host gave.
#[derive(Default)]
pub(super) struct Fetches {
    under_way: Vec<(u32, Target)>,
}

/// What a callout is for.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// A provider's keys.
    Keys(ProviderId, Attempt),
    /// One of the lists by which a provider revokes tokens.
    List(ProviderId, usize, Attempt),
    /// Whether one of a provider's tokens is revoked.
    Lookup(ProviderId, LookupKey),
}

impl Fetches {
    /// Sends a request. `etag` is what the server called the document that is known.
    ///
    /// # Errors
    ///
    /// Why it could not be sent.
    pub(super) fn dispatch(
        &mut self,
        target: Target,
        http: &HttpUri,
        accept: &str,
        etag: Option<&str>,
    ) -> Result<(), Failure> {
        let mut headers = vec![
            (":method", "GET"),
            (":scheme", http.scheme.as_str()),
            (":authority", http.authority.as_str()),
            (":path", http.path_and_query.as_str()),
            ("accept", accept),
        ];
        headers.extend(etag.map(|etag| ("if-none-match", etag)));
        match hostcalls::dispatch_http_call(&http.cluster, headers, None, Vec::new(), http.timeout) {
            Ok(token) => {
                self.under_way.push((token, target));
                Ok(())
            }
            Err(Status::BadArgument) => Err(Failure::UnknownCluster),
            Err(_) => Err(Failure::NoHealthyHost),
        }
    }

    /// Whose callout has been answered.
    pub(super) fn take(&mut self, token: u32) -> Option<Target> {
        let position = self.under_way.iter().position(|(known, _)| *known == token)?;
        Some(self.under_way.swap_remove(position).1)
    }
}

/// Reads the answer of the callout at hand. The body is copied only if it is small enough.
pub(super) fn read_response(headers: usize, body_size: usize, max_bytes: usize) -> Response {
    let status = callout_header(":status").and_then(|status| std::str::from_utf8(&status).ok()?.parse().ok());
    let Some(status) = status.filter(|_| headers > 0) else {
        return Response::Failed(Failure::Reset);
    };
    // Envoy answers for a server that does not: those answers lack the header that it adds to real ones.
    let by_server = callout_header("x-envoy-upstream-service-time").is_some_and(|time| !time.is_empty());
    match status {
        503 if !by_server => return Response::Failed(Failure::Unreachable),
        504 if !by_server => return Response::Failed(Failure::Timeout),
        _ => {}
    }
    if body_size > max_bytes {
        return Response::Failed(Failure::TooLarge(body_size));
    }
    let body = abi::buffer(BufferType::HttpCallResponseBody, body_size).unwrap_or_default();
    Response::Arrived { status, cache_control: callout_header("cache-control"), etag: callout_header("etag"), body }
}

fn callout_header(name: &str) -> Option<Vec<u8>> {
    abi::header_value(MapType::HttpCallResponseHeaders, name)
}

/// Tells the log how a fetch ended, unless there is no news in it.
pub(super) fn report(provider: &str, http: &HttpUri, outcome: &Outcome) {
    let line = |event| {
        let uri = format!("{}://{}{}", http.scheme, http.authority, http.path_and_query);
        Line::new(event)
            .quoted("provider", provider.as_bytes())
            .quoted("uri", uri.as_bytes())
            .quoted("cluster", http.cluster.as_bytes())
    };
    match outcome {
        Outcome::Replaced { generation, entries, skipped, failures } => {
            let line = line("keys fetched")
                .field("generation", generation)
                .field("keys", entries)
                .field("skipped", skipped.len());
            abi::log(LogLevel::Info, &line.field("failures_before", failures).finish());
            for words in skipped {
                let line =
                    Line::new("key skipped").quoted("provider", provider.as_bytes()).quoted("detail", words.as_bytes());
                abi::log(LogLevel::Warn, &line.finish());
            }
        }
        Outcome::Confirmed { failures: 0 } => abi::log(LogLevel::Debug, &line("keys confirmed").finish()),
        Outcome::Confirmed { failures } => {
            abi::log(LogLevel::Info, &line("keys confirmed").field("failures_before", failures).finish());
        }
        Outcome::Failed { failure, failures, repeated, serves_for, retry_in } => {
            let serves = serves_for.map_or_else(|| "none".to_owned(), |time| format!("{}s", time.as_secs()));
            let line = line("keys not fetched")
                .field("cause", failure.code())
                .field("failures", failures)
                .field("old_keys_serve_for", serves)
                .field("retry_in", format!("{}ms", retry_in.as_millis()))
                .quoted("detail", failure.to_string().as_bytes());
            abi::log(if *repeated { LogLevel::Debug } else { LogLevel::Warn }, &line.finish());
        }
        Outcome::Superseded => abi::log(LogLevel::Debug, &line("fetch superseded").finish()),
    }
}

/// Tells the log how the fetch of a list ended, unless there is no news in it.
pub(super) fn report_list(provider: &str, kind: &str, http: &HttpUri, outcome: &Outcome) {
    let line = |event| {
        let uri = format!("{}://{}{}", http.scheme, http.authority, http.path_and_query);
        Line::new(event)
            .quoted("provider", provider.as_bytes())
            .field("kind", kind)
            .quoted("uri", uri.as_bytes())
            .quoted("cluster", http.cluster.as_bytes())
    };
    let (level, line) = match outcome {
        Outcome::Replaced { generation, entries, failures, .. } => {
            let line = line("list fetched").field("generation", generation).field("entries", entries);
            (LogLevel::Info, line.field("failures_before", failures))
        }
        Outcome::Confirmed { failures: 0 } => (LogLevel::Debug, line("list confirmed")),
        Outcome::Confirmed { failures } => (LogLevel::Info, line("list confirmed").field("failures_before", failures)),
        Outcome::Failed { failure, failures, repeated, serves_for, retry_in } => {
            let serves = serves_for.map_or_else(|| "none".to_owned(), |time| format!("{}s", time.as_secs()));
            let line = line("list not fetched")
                .field("cause", failure.code())
                .field("failures", failures)
                .field("old_list_serves_for", serves)
                .field("retry_in", format!("{}ms", retry_in.as_millis()))
                .quoted("detail", failure.to_string().as_bytes());
            (if *repeated { LogLevel::Debug } else { LogLevel::Warn }, line)
        }
        Outcome::Superseded => (LogLevel::Debug, line("fetch superseded")),
    };
    abi::log(level, &line.finish());
}

/// Tells the log that the service that is asked about tokens has begun to fail, or has ended it.
pub(super) fn report_lookup(provider: &str, http: &HttpUri, failure: Option<&Failure>) {
    let line = |event| {
        Line::new(event)
            .quoted("provider", provider.as_bytes())
            .quoted("authority", http.authority.as_bytes())
            .quoted("cluster", http.cluster.as_bytes())
    };
    match failure {
        None => abi::log(LogLevel::Info, &line("look-ups answered again").finish()),
        Some(failure) => {
            let line = line("look-ups not answered").field("cause", failure.code());
            abi::log(LogLevel::Warn, &line.quoted("detail", failure.to_string().as_bytes()).finish());
        }
    }
}
