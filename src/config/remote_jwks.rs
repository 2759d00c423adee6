//! Keys that are fetched: from where, and how often.

use std::time::Duration;

use super::{
    Backoff, Discovery, HttpUri, RemoteJwks,
    duration::{Bounds, duration},
    raw::{RawBackoff, RawDiscovery, RawDuration, RawHttpUri, RawRemoteJwks},
    report::{Checked, Place},
    shape::Named,
    uri::parts,
};

const DEFAULT_CACHE_DURATION: Duration = Duration::from_secs(600);
const DEFAULT_MAX_STALE: Duration = Duration::from_secs(24 * 3600);
const DEFAULT_UNKNOWN_KID_INTERVAL: Duration = Duration::from_secs(5);
const DEFAULT_BACKOFF: Backoff =
    Backoff { base_interval: Duration::from_secs(1), max_interval: Duration::from_secs(30) };
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

const CACHE_DURATION: Bounds =
    Bounds { range: Duration::from_secs(1)..=Duration::from_secs(720 * 3600), text: r#""1s" to "720h""# };
const MAX_STALE: Bounds = Bounds { range: Duration::ZERO..=Duration::from_secs(720 * 3600), text: r#""0s" to "720h""# };
const UNKNOWN_KID_INTERVAL: Bounds =
    Bounds { range: Duration::from_millis(100)..=Duration::from_secs(3600), text: r#""100ms" to "1h""# };
const BACKOFF_INTERVAL: Bounds =
    Bounds { range: Duration::from_millis(100)..=Duration::from_secs(3600), text: r#""100ms" to "1h""# };
/// Zero would mean none to the proxy, and requests wait for the answer.
const TIMEOUT: Bounds = Bounds { range: Duration::from_millis(1)..=Duration::from_secs(60), text: r#""1ms" to "60s""# };

/// Validates a key set's own URL.
pub(super) fn remote_jwks(raw: RawRemoteJwks, at: &Place<'_>) -> Checked<RemoteJwks> {
    let times = RawTimes {
        cache_duration: raw.cache_duration,
        max_stale: raw.max_stale,
        unknown_kid_interval: raw.unknown_kid_interval,
        backoff: raw.backoff,
    };
    source(raw.http_uri, Ok(None), times, at)
}

/// Validates the URL of metadata that name the key set's. `issuer` is the provider's.
pub(super) fn discovery(raw: RawDiscovery, issuer: Option<&str>, at: &Place<'_>) -> Checked<RemoteJwks> {
    let times = RawTimes {
        cache_duration: raw.cache_duration,
        max_stale: raw.max_stale,
        unknown_kid_interval: raw.unknown_kid_interval,
        backoff: raw.backoff,
    };
    let clusters = jwks_clusters(raw.jwks_clusters, &at.field("jwks_clusters"));
    let discovery = match issuer {
        Some(issuer) => clusters.map(|clusters| Some(Discovery { issuer: issuer.to_owned(), clusters })),
        None => at.mistake("needs the provider's exact `issuer`: the metadata have to name the same"),
    };
    source(raw.http_uri, discovery, times, at)
}

struct RawTimes {
    cache_duration: Option<RawDuration>,
    max_stale: Option<RawDuration>,
    unknown_kid_interval: Option<RawDuration>,
    backoff: Option<RawBackoff>,
}

fn source(
    http: Option<RawHttpUri>,
    discovery: Checked<Option<Discovery>>,
    raw: RawTimes,
    at: &Place<'_>,
) -> Checked<RemoteJwks> {
    let place = at.field("http_uri");
    let http = place.required(http, "the server's uri and its cluster").and_then(|raw| http_uri(raw, &place));
    let cache_duration =
        duration(raw.cache_duration, DEFAULT_CACHE_DURATION, &CACHE_DURATION, &at.field("cache_duration"));
    let max_stale = duration(raw.max_stale, DEFAULT_MAX_STALE, &MAX_STALE, &at.field("max_stale"));
    // A longer one would let requests give up before their fetch may start.
    let timeout = http.as_ref().map_or(DEFAULT_UNKNOWN_KID_INTERVAL, |http| http.timeout);
    let interval = duration(
        raw.unknown_kid_interval,
        DEFAULT_UNKNOWN_KID_INTERVAL.min(timeout).max(*UNKNOWN_KID_INTERVAL.range.start()),
        &UNKNOWN_KID_INTERVAL,
        &at.field("unknown_kid_interval"),
    );
    let backoff = raw.backoff.map_or(Ok(DEFAULT_BACKOFF), |raw| backoff(raw, &at.field("backoff")));
    if let (Ok(http), Ok(interval)) = (&http, &interval)
        && *interval > http.timeout
    {
        at.field("unknown_kid_interval").warn(
            "is longer than http_uri.timeout: while strangers make up `kid`s, the first tokens of a new key may be refused",
        );
    }
    Ok(RemoteJwks {
        http: http?,
        discovery: discovery?,
        cache_duration: cache_duration?,
        max_stale: max_stale?,
        unknown_kid_interval: interval?,
        backoff: backoff?,
    })
}

/// Each key is the authority of a URL: a host, with a port if the URL has one.
fn jwks_clusters(raw: Option<Named<String>>, at: &Place<'_>) -> Checked<Vec<(String, String)>> {
    let Some(Named(clusters)) = raw else { return Ok(Vec::new()) };
    for (authority, cluster) in &clusters {
        let is_authority = parts(&format!("https://{authority}/")).is_some_and(|(_, parsed, _)| parsed == *authority);
        if !is_authority || cluster.is_empty() {
            return at
                .mistake("has to map hosts, such as `keys.idp.example` or `idp.example:8443`, to names of clusters");
        }
    }
    Ok(clusters)
}

/// As Envoy's `BackoffStrategy` has it: without a ceiling, ten times the base.
fn backoff(raw: RawBackoff, at: &Place<'_>) -> Checked<Backoff> {
    let place = at.field("base_interval");
    let base = duration(raw.base_interval, DEFAULT_BACKOFF.base_interval, &BACKOFF_INTERVAL, &place)?;
    let place = at.field("max_interval");
    let ceiling = base.saturating_mul(10).min(*BACKOFF_INTERVAL.range.end());
    let max = duration(raw.max_interval, ceiling, &BACKOFF_INTERVAL, &place)?;
    if max < base {
        return place.mistake("has to be at least base_interval");
    }
    Ok(Backoff { base_interval: base, max_interval: max })
}

pub(super) fn http_uri(raw: RawHttpUri, at: &Place<'_>) -> Checked<HttpUri> {
    let place = at.field("uri");
    let uri = place.required(raw.uri, "the URL").and_then(|text| absolute(&text, &place));
    let place = at.field("cluster");
    let cluster = raw.cluster.filter(|cluster| !cluster.is_empty());
    let cluster = place.required(cluster, "the name of the Envoy cluster that serves the URI");
    let timeout = duration(raw.timeout, DEFAULT_TIMEOUT, &TIMEOUT, &at.field("timeout"));
    let (scheme, authority, path_and_query) = uri?;
    Ok(HttpUri { scheme, authority, path_and_query, cluster: cluster?, timeout: timeout? })
}

/// Scheme, authority, and path with query of an absolute http or https URL (RFC 9110 section 4.2).
fn absolute(text: &str, at: &Place<'_>) -> Checked<(String, String, String)> {
    parts(text).ok_or_else(|| {
        at.note(
            "has to be an absolute http or https URL, such as `https://idp.example/jwks.json`: \
             a host, no user name, no fragment, no blanks",
        )
    })
}
