//! The URI that a proof is made for (RFC 9449 section 4.3), in the one form that RFC 3986 section 6.2 gives it.

use crate::config::Dpop;
use crate::front::Front;

/// A URI without its query and its fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TargetUri {
    /// Scheme, host, and port unless it is the scheme's own.
    pub(super) origin: String,
    pub(super) path: Vec<u8>,
}

impl TargetUri {
    /// The URI of a proof; `None` if it is no absolute http or https URI.
    pub(super) fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        let hierarchy = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = hierarchy.split_at_checked(hierarchy.find('/').unwrap_or(hierarchy.len()))?;
        Some(Self { origin: origin(scheme, authority)?, path: normalised_path(path.as_bytes())? })
    }

    /// Whether the request came for this URI, as the client saw it.
    pub(super) fn is_of(&self, front: Front<'_>, settings: &Dpop) -> bool {
        normalised_path(front.request.path()).is_some_and(|path| path == self.path)
            && if settings.origins.is_empty() {
                origin_of(front).is_some_and(|origin| origin == self.origin)
            } else {
                settings.origins.contains(&self.origin)
            }
    }
}

/// Where the client sent the request to, as far as the request, its connection and trusted proxies tell.
fn origin_of(front: Front<'_>) -> Option<String> {
    let authority = front.request.header_values(":authority").next()?;
    origin(front.scheme().name(), std::str::from_utf8(authority).ok()?)
}

/// Scheme and authority, normalised (RFC 3986 sections 6.2.2.1 and 6.2.3); `None` for other schemes than http and https, and
/// for what is not a host with or without a port.
pub(crate) fn origin(scheme: &str, authority: &str) -> Option<String> {
    let (scheme, default_port) = if scheme.eq_ignore_ascii_case("https") {
        ("https://", 443)
    } else if scheme.eq_ignore_ascii_case("http") {
        ("http://", 80)
    } else {
        return None;
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (authority, ""),
    };
    let port: u16 = if port.is_empty() { default_port } else { port.parse().ok()? };
    if !is_host(host) {
        return None;
    }
    let mut origin = [scheme, host].concat();
    origin.make_ascii_lowercase();
    if port != default_port {
        origin.extend([":", &port.to_string()]);
    }
    Some(origin)
}

/// A name, an IPv4 address, or an IPv6 address in brackets. User information is none, nor is what would need decoding.
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').map(|inner| inner.strip_suffix(']')) {
        Some(inner) => inner.is_some_and(|inner| {
            !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
    }
}

/// An absolute path (RFC 3986 sections 6.2.2.2, 6.2.2.3 and 6.2.3); an empty one is `/`. `None` for any other, and for one with a
/// `%` that encodes nothing.
fn normalised_path(path: &[u8]) -> Option<Vec<u8>> {
    if path.is_empty() {
        return Some(b"/".to_vec());
    }
    let decoded = without_needless_encoding(path)?;
    let mut kept = Vec::with_capacity(decoded.len());
    let mut rest = Some(decoded.strip_prefix(b"/")?);
    while let Some(segments) = rest {
        let end = segments.iter().position(|byte| *byte == b'/').unwrap_or(segments.len());
        let (segment, behind) = segments.split_at_checked(end)?;
        rest = behind.get(1..);
        if segment == b".." {
            kept.truncate(kept.iter().rposition(|byte| *byte == b'/').unwrap_or_default());
        }
        match segment {
            b"." | b".." if rest.is_some() => {}
            b"." | b".." => kept.push(b'/'),
            _ => {
                kept.push(b'/');
                kept.extend_from_slice(segment);
            }
        }
    }
    Some(kept)
}

/// Unreserved characters stand for themselves, and what stays encoded is in capitals.
fn without_needless_encoding(path: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (high, low) = (rest.next()?, rest.next()?);
        let octet = digit(high)? << 4 | digit(low)?;
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            decoded.push(octet);
        } else {
            decoded.extend([b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
        }
    }
    Some(decoded)
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(uri: &str) -> Option<String> {
        let uri = TargetUri::parse(uri)?;
        Some(uri.origin + std::str::from_utf8(&uri.path).unwrap())
    }

    #[test]
    fn one_uri_has_one_form() {
        for (uri, expected) in [
            ("https://api.example/a", "https://api.example/a"),
            ("HTTPS://API.Example/a", "https://api.example/a"),
            ("https://api.example:443/a", "https://api.example/a"),
            ("https://api.example:0443/a", "https://api.example/a"),
            ("https://api.example:/a", "https://api.example/a"),
            ("http://api.example:80/a", "http://api.example/a"),
            ("http://api.example:443/a", "http://api.example:443/a"),
            ("https://api.example", "https://api.example/"),
            ("https://api.example?q", "https://api.example/"),
            ("https://api.example#f", "https://api.example/"),
            ("https://api.example/a?b=/c#d?e", "https://api.example/a"),
            ("https://api.example/a#b?c", "https://api.example/a"),
            ("https://api.example/%7euser/%2fx%c3%A9", "https://api.example/~user/%2Fx%C3%A9"),
            ("https://api.example/a/./b/../c", "https://api.example/a/c"),
            ("https://api.example/a/%2e%2E/c/.", "https://api.example/c/"),
            ("https://api.example/a/..", "https://api.example/"),
            ("https://api.example/../../a/", "https://api.example/a/"),
            ("https://api.example//a//b", "https://api.example//a//b"),
            ("https://api.example/a//../b", "https://api.example/a/b"),
            ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
            ("https://[::1]", "https://[::1]/"),
        ] {
            assert_eq!(normalised(uri).as_deref(), Some(expected), "{uri}");
        }
    }

    #[test]
    fn what_is_another_resource_stays_another() {
        for (one, other) in [
            ("https://api.example/a", "https://api.example/A"),
            ("https://api.example/a", "https://api.example/a/"),
            ("https://api.example/a", "http://api.example/a"),
            ("https://api.example/a", "https://api.example./a"),
            ("https://api.example/a", "https://api.example:8443/a"),
            ("https://api.example/a/b", "https://api.example/a%2Fb"),
            ("https://api.example/a", "https://api.example//a"),
            ("https://api.example/a", "https://api.example/a%3Fb"),
            ("https://api.example/a+b", "https://api.example/a%20b"),
        ] {
            assert_ne!(normalised(one), normalised(other), "{one} {other}");
        }
    }

    #[test]
    fn other_texts_are_no_uris_of_requests() {
        for uri in [
            "",
            "/a",
            "api.example/a",
            "//api.example/a",
            "https:/api.example/a",
            "https:///a",
            "https://:443/a",
            "ftp://api.example/a",
            "https://user@api.example/a",
            "https://api.example@evil.example/a",
            "https://api.example:99999/a",
            "https://api.example:44a/a",
            "https://[::1/a",
            "https://[]/a",
            "https://[::g]/a",
            "https://::1/a",
            "https://api%2Eexample/a",
            "https://api.example\\.evil.example/a",
            "https://b\u{fc}cher.example/a",
            "https://api.example/%",
            "https://api.example/%2",
            "https://api.example/%zz",
            " https://api.example/a",
        ] {
            assert_eq!(normalised(uri), None, "{uri}");
        }
    }
}
