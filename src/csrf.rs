//! Whether the page that sent a request may speak with the token in its cookie: browsers add cookies to the requests of
//! every page, a stranger's too (cross-site request forgery).

use std::hint::black_box;

use crate::config::{CsrfGuard, DoubleSubmit, ProviderId};
use crate::decision::Denial;
use crate::extractor::tokens_at;
use crate::reason::Reason;
use crate::request::Request;
use crate::upstream::variable;

/// RFC 9110 section 9.2.1.
const SAFE_METHODS: [&[u8]; 4] = [b"GET", b"HEAD", b"OPTIONS", b"TRACE"];

/// Headers by which an upstream may take a request for one of another method, as variables.
const METHOD_OVERRIDES: [&[u8]; 3] = [b"x_http_method", b"x_http_method_override", b"x_method_override"];

/// Shorter values could be guessed.
const MIN_DOUBLE_SUBMIT: usize = 16;

/// Asks an unsafe request for one of three proofs: the browser's word that a page of the same origin or the user sent it
/// (Fetch Metadata section 2.4), an origin that is allowed, or a value that only the site's own pages can read.
///
/// # Errors
///
/// There is none.
pub(crate) fn check(id: ProviderId, guard: &CsrfGuard, request: &Request<'_>) -> Result<(), Denial> {
    if is_safe(request) {
        return Ok(());
    }
    let refuse = |detail: &str| Denial::new(Reason::CsrfRefused, Some(id)).because(detail);
    // No browser sends one of them twice: an upstream might look at the other one.
    let site = only_value(request, "sec-fetch-site").map_err(|()| refuse("Sec-Fetch-Site comes twice"))?;
    let origin = only_value(request, "origin").map_err(|()| refuse("Origin comes twice"))?;
    let Err(detail) = check_page(guard, site, origin, request) else { return Ok(()) };
    let lacking = match &guard.double_submit {
        None => None,
        Some(double_submit) => match check_double_submit(double_submit, request) {
            Ok(()) => return Ok(()),
            Err(lacking) => Some(lacking),
        },
    };
    let origin = origin.and_then(|origin| std::str::from_utf8(origin).ok());
    Err(refuse(detail).with_quoted("origin", origin).with_quoted("double_submit", lacking))
}

/// A WebSocket begins with a GET, cookies and all, from whatever page; so do all that switch protocols (RFC 9110 section
/// 7.8, RFC 8441).
fn is_safe(request: &Request<'_>) -> bool {
    let unsafe_header = |name: &[u8]| {
        matches!(name, b"upgrade" | b":protocol")
            || METHOD_OVERRIDES.iter().any(|known| variable(name).eq(known.iter().copied()))
    };
    SAFE_METHODS.contains(&request.method()) && !request.headers().any(|(name, _)| unsafe_header(name))
}

/// The value of the one header of this name.
fn only_value<'r>(request: &Request<'r>, name: &str) -> Result<Option<&'r [u8]>, ()> {
    let mut values = request.header_values(name);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(()),
        (value, None) => Ok(value),
    }
}

/// What the browser says about the page. A page cannot set either header, so `Sec-Fetch-Site` is enough by itself: with
/// some referrer policies the origin is `null` even for pages of the same origin.
fn check_page(
    guard: &CsrfGuard,
    site: Option<&[u8]>,
    origin: Option<&[u8]>,
    request: &Request<'_>,
) -> Result<(), &'static str> {
    let is_allowed = |origin: &[u8]| guard.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin);
    match (site, origin) {
        (Some(b"same-origin" | b"none"), _) => Ok(()),
        (_, Some(origin)) if is_allowed(origin) => Ok(()),
        (Some(b"same-site"), _) => Err("Sec-Fetch-Site is same-site, and no allowed Origin is there"),
        (Some(b"cross-site"), _) => Err("Sec-Fetch-Site is cross-site, and no allowed Origin is there"),
        (Some(_), _) => Err("Sec-Fetch-Site is unknown, and no allowed Origin is there"),
        (None, Some(origin)) if is_own(origin, request) => Ok(()),
        (None, Some(_)) => Err("the Origin is not allowed"),
        (None, None) => Err("neither Sec-Fetch-Site nor Origin"),
    }
}

/// Whether this is the https origin of the host that is asked. Whoever sits on the network can make up pages of http
/// origins, of the same host too.
fn is_own(origin: &[u8], request: &Request<'_>) -> bool {
    let authority = only_value(request, ":authority").ok().flatten().unwrap_or_default();
    !authority.is_empty() && origin.strip_prefix(b"https://") == Some(authority)
}

/// A page that can read the cookie has put its value into the header too.
fn check_double_submit(double_submit: &DoubleSubmit, request: &Request<'_>) -> Result<(), &'static str> {
    let (mut cookie, mut cookies) = (None, 0_usize);
    tokens_at(&double_submit.cookie, request, |value| {
        cookie = Some(value);
        cookies += 1;
    });
    let cookie = cookie.ok_or("the cookie is missing")?;
    let header = only_value(request, &double_submit.header).map_err(|()| "the header comes twice")?;
    match header {
        _ if cookies > 1 => Err("the cookie comes twice"),
        None => Err("the header is missing"),
        Some(_) if cookie.len() < MIN_DOUBLE_SUBMIT => Err("the cookie is too short"),
        Some(header) if is_equal(cookie, header) => Ok(()),
        Some(_) => Err("the header is not the cookie"),
    }
}

/// Compares in a time that tells only whether the lengths are equal.
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |differing, (one, other)| black_box(differing | (one ^ other)));
    one.len() == other.len() && differing == 0
}

#[cfg(test)]
mod tests;
