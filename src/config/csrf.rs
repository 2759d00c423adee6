//! What has to be shown for the token in a cookie to count: by default, that no other site's page sent the request.

use super::{
    TokenLocation, hosts, names,
    raw::{RawCsrf, RawDoubleSubmit},
    report::{Checked, Place, quoted},
};

/// The guard of a provider's cookies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsrfGuard {
    /// Origins whose pages may use the cookies, as browsers write them.
    pub allowed_origins: Vec<String>,
    /// A value that the site's own pages send twice.
    pub double_submit: Option<DoubleSubmit>,
}

/// A cookie, and the header that repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoubleSubmit {
    /// The cookie.
    pub cookie: TokenLocation,
    /// The header's name, lower case.
    pub header: String,
}

/// Each is compared with the origin of every unsafe request.
const MAX_ORIGINS: usize = 64;

/// Headers that any page may set without being asked (Fetch section 2.2.2, CORS-safelisted request headers).
const SAFELISTED: [&str; 5] = ["accept", "accept-language", "content-language", "content-type", "range"];

const PLANTED: &str = "pages of other hosts of the site, and whoever sits on the network, can set a cookie of this name: \
                       let it begin with `__Host-`, in these letters";

/// The guard of the cookies among `locations`; `None` if there are none, or it is turned off. Without known locations
/// their mistakes are told alone.
pub(super) fn guard(
    raw: Option<RawCsrf>,
    locations: Option<&[TokenLocation]>,
    at: &Place<'_>,
) -> Checked<Option<CsrfGuard>> {
    let has_cookies = |locations: &[TokenLocation]| locations.iter().any(|at| matches!(at, TokenLocation::Cookie(_)));
    match (raw, locations.is_none_or(has_cookies)) {
        (None, false) => Ok(None),
        (None, true) => Ok(Some(CsrfGuard::default())),
        (Some(_), false) => at.mistake("has no effect without from_cookies: give that too, or remove this"),
        (Some(raw), true) => configured(raw, locations.unwrap_or_default(), at),
    }
}

fn configured(raw: RawCsrf, locations: &[TokenLocation], at: &Place<'_>) -> Checked<Option<CsrfGuard>> {
    if raw.disabled == Some(true) {
        return match (raw.allowed_origins, raw.double_submit) {
            (None, None) => Ok(None),
            _ => at.mistake("`disabled: true` contradicts the other fields: remove them, or it"),
        };
    }
    let allowed_origins = allowed_origins(raw.allowed_origins.unwrap_or_default(), &at.field("allowed_origins"));
    let double_submit =
        raw.double_submit.map(|raw| double_submit(raw, locations, &at.field("double_submit"))).transpose();
    Ok(Some(CsrfGuard { allowed_origins: allowed_origins?, double_submit: double_submit? }))
}

fn allowed_origins(raw: Vec<String>, at: &Place<'_>) -> Checked<Vec<String>> {
    if raw.len() > MAX_ORIGINS {
        return at.mistake(format!("has more than {MAX_ORIGINS} entries"));
    }
    names::distinct(at.each(raw, allowed_origin)?, at)
}

fn allowed_origin(text: String, at: &Place<'_>) -> Checked<String> {
    if !is_origin(&text) {
        let example = "`https://app.example` or `https://app.example:8443`, in lower case and without the default port";
        return at.mistake(format!("{} is not an origin as browsers write it, such as {example}", quoted(&text)));
    }
    if text.starts_with("http:") {
        at.warn("whoever sits on the network can make up pages of an http origin");
    }
    Ok(text)
}

/// Whether a browser could write this (RFC 6454 section 6.2): it would never match otherwise.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_lowercase())
        && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte));
    let is_port = |port: &str| {
        let number: u16 = port.parse().unwrap_or_default();
        number > 0 && number.to_string() == port && !matches!((scheme, number), ("https", 443) | ("http", 80))
    };
    is_scheme
        && hosts::is_name(host.as_bytes())
        && !host.bytes().any(|byte| byte.is_ascii_uppercase())
        && port.is_none_or(is_port)
}

fn double_submit(raw: RawDoubleSubmit, locations: &[TokenLocation], at: &Place<'_>) -> Checked<DoubleSubmit> {
    let place = at.field("cookie");
    let cookie = place.required(raw.cookie, "the cookie that holds the value");
    let cookie = cookie.and_then(|name| double_submit_cookie(name, locations, &place));
    let place = at.field("header");
    let header = place.required(raw.header, "the header that repeats the cookie");
    let header = header.and_then(|name| double_submit_header(&name, &place));
    Ok(DoubleSubmit { cookie: cookie?, header: header? })
}

fn double_submit_cookie(name: String, locations: &[TokenLocation], at: &Place<'_>) -> Checked<TokenLocation> {
    if !name.starts_with("__Host-") {
        at.warn(PLANTED);
    }
    let location = cookie(name, at)?;
    if locations.contains(&location) {
        return at.mistake("is a cookie that tokens come in: scripts must not be able to read those, use another one");
    }
    Ok(location)
}

/// The place that a cookie of this name is.
pub(super) fn cookie(name: String, at: &Place<'_>) -> Checked<TokenLocation> {
    if !names::is_token(&name) {
        return at.mistake(format!("{} cannot be the name of a cookie (RFC 6265 section 4.1.1)", quoted(&name)));
    }
    Ok(TokenLocation::Cookie(name))
}

/// The place that a token's cookie of this name is.
pub(super) fn token_cookie(name: String, at: &Place<'_>) -> Checked<TokenLocation> {
    if !name.starts_with("__Host-") && !name.starts_with("__Secure-") {
        at.warn(PLANTED);
    }
    cookie(name, at)
}

fn double_submit_header(name: &str, at: &Place<'_>) -> Checked<String> {
    let header = names::source_header(name, at)?;
    if header == "authorization" || SAFELISTED.contains(&header.as_str()) {
        return at.mistake("says something else already: use a header of its own, such as `x-csrf-token`");
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_write() {
        for origin in [
            "https://app.example",
            "https://app.example:8443",
            "http://localhost:3000",
            "https://127.0.0.1",
            "http://a:443",
            "capacitor://localhost",
        ] {
            assert!(is_origin(origin), "{origin}");
        }
        for near_miss in [
            "",
            "null",
            "*",
            "app.example",
            "https://",
            "https://app.example/",
            "https://app.example/path",
            "https://App.example",
            "HTTPS://app.example",
            "https://app.example:443",
            "http://app.example:80",
            "https://app.example:",
            "https://app.example:0",
            "https://app.example:08443",
            "https://app.example:65536",
            "https://*.app.example",
            "https://app.example.",
            "https://user@app.example",
            "https://app.example?",
            "https://app.example#",
            "https://app.example, https://b.example",
            " https://app.example",
            "https:/app.example",
            "://app.example",
            "1https://app.example",
            "https://\u{e9}.example",
        ] {
            assert!(!is_origin(near_miss), "{near_miss}");
        }
    }
}
