//! Fetches: dispatched as callouts of the root context, so that no client takes one along when it leaves.

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, Status};

use super::abi;
use crate::config::{HttpUri, ProviderId};
use crate::remote::{Attempt, Failure, Response};
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
