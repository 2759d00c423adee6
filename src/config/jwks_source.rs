//! Where a provider's keys come from: the configuration, the VM's environment or a server.

use std::time::Duration;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use http::Uri;

use super::{
    Backoff, HttpUri, JwksSource, RemoteJwks,
    duration::{Bounds, duration},
    local_keys::check_local_keys,
    provider::holds_hmac,
    raw::{RawBackoff, RawHttpUri, RawLocalJwks, RawRemoteJwks},
    report::{Checked, Place, quoted},
};
use crate::crypto::AlgorithmSet;

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

/// Standard base64, padded or not, as proto3 JSON has bytes; the URL-safe alphabet is mapped to it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a key source is validated with.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// Looks up a variable of the VM's environment.
    pub(super) environment: &'a dyn Fn(&str) -> Option<String>,
    /// The largest key set.
    pub(super) max_jwks_bytes: usize,
}

/// Validates the one source that is given; `listed` are the algorithms that the configuration lists.
pub(super) fn jwks_source(
    local: Option<RawLocalJwks>,
    remote: Option<RawRemoteJwks>,
    listed: Option<AlgorithmSet>,
    context: Context<'_>,
    at: &Place<'_>,
) -> Checked<JwksSource> {
    match (local, remote) {
        (Some(local), None) => local_jwks(local, listed, context, &at.field("local_jwks")).map(JwksSource::Local),
        (None, Some(remote)) => {
            let allowed = no_shared_secrets(listed, &at.field("algorithms"));
            let remote = remote_jwks(remote, &at.field("remote_jwks"));
            allowed.and(remote).map(JwksSource::Remote)
        }
        (Some(_), Some(_)) => at.mistake("has both local_jwks and remote_jwks: give one of the two"),
        (None, None) => at.mistake("needs its keys: give remote_jwks or local_jwks"),
    }
}

fn no_shared_secrets(listed: Option<AlgorithmSet>, at: &Place<'_>) -> Checked<()> {
    if listed.is_some_and(holds_hmac) {
        return at.mistake("HS256, HS384 and HS512 need a shared secret, which only local_jwks may hold");
    }
    Ok(())
}

fn local_jwks(
    raw: RawLocalJwks,
    listed: Option<AlgorithmSet>,
    context: Context<'_>,
    at: &Place<'_>,
) -> Checked<Vec<u8>> {
    let (field, document) = match (raw.inline_string, raw.inline_bytes, raw.environment_variable) {
        (Some(text), None, None) => ("inline_string", Ok(text.into_bytes())),
        (None, Some(text), None) => ("inline_bytes", decoded(&text, &at.field("inline_bytes"))),
        (None, None, Some(name)) => {
            ("environment_variable", variable(&name, context.environment, &at.field("environment_variable")))
        }
        _ => return at.mistake("needs exactly one of inline_string, inline_bytes and environment_variable"),
    };
    let document = document?;
    check_local_keys(&document, listed, context.max_jwks_bytes, &at.field(field))?;
    Ok(document)
}

fn decoded(text: &str, at: &Place<'_>) -> Checked<Vec<u8>> {
    let standard = text.replace('-', "+").replace('_', "/");
    BASE64.decode(standard).map_err(|_| at.note("has to be base64: the bytes of a JWKS document"))
}

fn variable(name: &str, environment: &dyn Fn(&str) -> Option<String>, at: &Place<'_>) -> Checked<Vec<u8>> {
    let value = environment(name).filter(|value| !value.is_empty());
    value.map(String::into_bytes).ok_or_else(|| {
        let name = quoted(name);
        at.note(format!("{name} is not set, or is empty, in the VM's environment (vm_config.environment_variables)"))
    })
}

fn remote_jwks(raw: RawRemoteJwks, at: &Place<'_>) -> Checked<RemoteJwks> {
    let place = at.field("http_uri");
    let http = place.required(raw.http_uri, "the server's uri and its cluster").and_then(|raw| http_uri(raw, &place));
    let cache_duration =
        duration(raw.cache_duration, DEFAULT_CACHE_DURATION, &CACHE_DURATION, &at.field("cache_duration"));
    let max_stale = duration(raw.max_stale, DEFAULT_MAX_STALE, &MAX_STALE, &at.field("max_stale"));
    let interval = duration(
        raw.unknown_kid_interval,
        DEFAULT_UNKNOWN_KID_INTERVAL,
        &UNKNOWN_KID_INTERVAL,
        &at.field("unknown_kid_interval"),
    );
    let backoff = raw.backoff.map_or(Ok(DEFAULT_BACKOFF), |raw| backoff(raw, &at.field("backoff")));
    Ok(RemoteJwks {
        http: http?,
        cache_duration: cache_duration?,
        max_stale: max_stale?,
        unknown_kid_interval: interval?,
        backoff: backoff?,
    })
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

fn http_uri(raw: RawHttpUri, at: &Place<'_>) -> Checked<HttpUri> {
    let place = at.field("uri");
    let uri = place.required(raw.uri, "the URL of the key set").and_then(|text| absolute(&text, &place));
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

fn parts(text: &str) -> Option<(String, String, String)> {
    // `Uri` drops a fragment without a word, and lets quotes, backslashes and more pass in a path.
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&byte)) {
        return None;
    }
    let uri: Uri = text.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let authority = uri.authority().filter(|authority| is_host_and_port(authority))?;
    let path_and_query = uri.path_and_query()?.as_str();
    // `https://host?query` has an empty path, which a request line may not have (RFC 9112 section 3.2.1).
    let slash = if path_and_query.starts_with('/') { "" } else { "/" };
    Some((scheme.to_owned(), authority.as_str().to_owned(), format!("{slash}{path_and_query}")))
}

fn is_host_and_port(authority: &http::uri::Authority) -> bool {
    let after_host = authority.as_str().strip_prefix(authority.host());
    let port_is_sound =
        after_host.is_some_and(|port| port.is_empty() || authority.port_u16().is_some_and(|port| port > 0));
    !authority.host().is_empty() && port_is_sound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_urls_are_taken_apart() {
        for (text, scheme, authority, path_and_query) in [
            ("https://idp.example/jwks.json", "https", "idp.example", "/jwks.json"),
            ("http://idp.example:8080/a/b?c=d&e=%20", "http", "idp.example:8080", "/a/b?c=d&e=%20"),
            ("https://idp.example", "https", "idp.example", "/"),
            ("https://idp.example?x=y", "https", "idp.example", "/?x=y"),
            ("https://[2001:db8::1]:443/k", "https", "[2001:db8::1]:443", "/k"),
            ("HTTPS://IDP.example/K", "https", "IDP.example", "/K"),
        ] {
            let expected = (scheme.to_owned(), authority.to_owned(), path_and_query.to_owned());
            assert_eq!(parts(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for text in [
            "",
            "/jwks.json",
            "idp.example/jwks.json",
            "idp.example",
            "//idp.example/",
            "ftp://idp.example/",
            "https://",
            "https:///jwks.json",
            "https://user@idp.example/",
            "https://user:password@idp.example/",
            "https://@idp.example/",
            "https://idp.example/#keys",
            "https://idp.example/a b",
            "https://idp.example/\n",
            "https://idp.example/\u{e9}",
            "https://idp.example:99999/",
            "https://idp.example:0/",
            "https://idp.example:/",
            "https://:443/",
            "https://idp.example\\@evil.example/",
            "https://idp.example/\"",
            "mailto:keys@idp.example",
            "file:///etc/passwd",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

    #[test]
    fn both_alphabets_of_base64_are_read() {
        let report = super::super::report::Report::default();
        for text in ["+/8=", "-_8=", "+/8", "-_8"] {
            assert_eq!(decoded(text, &report.root()).ok(), Some(vec![0xfb, 0xff]), "{text}");
        }
        for text in ["a", "+/9", "=", "a b=", "{}"] {
            assert_eq!(decoded(text, &report.root()).ok(), None, "{text}");
        }
    }
}
