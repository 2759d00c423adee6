//! What stands in front of this proxy: the client itself, or a trusted proxy that speaks for it.

use std::net::{IpAddr, SocketAddr};

use crate::client_certificate;
use crate::config::{PeerCertificate, TrustedProxies};
use crate::connection::Connection;
use crate::request::Request;

/// A longer way through trusted proxies is not followed.
const MAX_HOPS: usize = 32;

/// The front side of one request. Nothing is asked of the connection before it is needed.
#[derive(Clone, Copy)]
pub struct Front<'f> {
    /// Who may speak for the client.
    pub proxies: Option<&'f TrustedProxies>,
    /// The request.
    pub request: &'f Request<'f>,
    /// What it came over.
    pub connection: &'f dyn Connection,
}

/// The scheme by which the client has sent its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Others could read it.
    Http,
    /// They could not.
    Https,
}

impl Scheme {
    /// As in a URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl<'f> Front<'f> {
    /// Whether the peer is a proxy that may speak for the client.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.proxies.is_some_and(|proxies| {
            let has_addresses = !proxies.addresses.is_empty();
            has_addresses && is_among(proxies, self.connection.peer_address())
                || shows_known_certificate(proxies, self.connection)
        })
    }

    /// The scheme as the client saw it. A trusted proxy has to say `https` in a single `x-forwarded-proto`; the word of
    /// another does not count.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        let is_https = if self.is_trusted() {
            only(self.request, "x-forwarded-proto") == Some(b"https")
        } else {
            self.connection.is_tls()
        };
        if is_https { Scheme::Https } else { Scheme::Http }
    }

    /// SHA-256 of the client's certificate. Behind a trusted proxy whose word on certificates counts, the connection's own
    /// certificate is that proxy's: a token that is bound to it must not pass for the proxy's clients.
    ///
    /// # Errors
    ///
    /// Why there is none, for the proxy's log.
    pub(crate) fn certificate_digest(&self) -> Result<[u8; 32], &'static str> {
        let forwards = self.proxies.is_some_and(|proxies| proxies.client_certificate);
        if forwards && self.is_trusted() {
            let digest = forwarded_digest(self.request)?;
            // Envoy would write it itself (`SANITIZE_SET`, for the peer).
            let is_own = self.connection.certificate_digest() == Some(digest);
            return if is_own {
                Err("x-forwarded-client-cert has the trusted proxy's own certificate")
            } else {
                Ok(digest)
            };
        }
        let untrusted = forwards && self.request.has_header(client_certificate::NAME);
        self.connection.certificate_digest().ok_or(if untrusted {
            "x-forwarded-client-cert came from an untrusted peer"
        } else {
            "the client has shown no certificate"
        })
    }

    /// The client's address. Behind a trusted proxy, that is the last one in `x-forwarded-for` that is not a trusted
    /// proxy's.
    #[must_use]
    pub fn client_address(&self) -> Option<IpAddr> {
        let peer = self.connection.peer_address();
        match self.proxies {
            Some(proxies) if self.is_trusted() => forwarded_address(proxies, self.request, peer),
            _ => peer,
        }
    }

    /// The one value that a trusted proxy has set in this header.
    pub(crate) fn trusted_header(&self, name: &str) -> Option<&'f [u8]> {
        only(self.request, name).filter(|value| !value.is_empty() && self.is_trusted())
    }
}

fn is_among(proxies: &TrustedProxies, address: Option<IpAddr>) -> bool {
    address.is_some_and(|address| proxies.addresses.iter().any(|range| range.contains(address)))
}

fn shows_known_certificate(proxies: &TrustedProxies, connection: &dyn Connection) -> bool {
    if proxies.certificates.is_empty() {
        return false;
    }
    let (uri, dns) = (connection.uri_san(), connection.dns_san());
    proxies.certificates.iter().any(|known| match known {
        PeerCertificate::UriSan(name) => uri.as_deref() == Some(name.as_bytes()),
        PeerCertificate::DnsSan(name) => dns.as_deref() == Some(name.as_bytes()),
    })
}

/// The value of this header if it is there once.
fn only<'r>(request: &Request<'r>, name: &str) -> Option<&'r [u8]> {
    let mut values = request.header_values(name);
    values.next().filter(|_| values.next().is_none())
}

#[cold]
#[inline(never)]
fn forwarded_digest(request: &Request<'_>) -> Result<[u8; 32], &'static str> {
    match only(request, client_certificate::NAME) {
        Some(value) => client_certificate::digest(value),
        None if request.has_header(client_certificate::NAME) => Err("x-forwarded-client-cert came twice"),
        None => Err("the trusted proxy has forwarded no client certificate"),
    }
}

/// Each trusted proxy has added the address that it was asked from. So everything behind the first address that is not a
/// proxy's is known, and everything before it is the client's own word.
fn forwarded_address(proxies: &TrustedProxies, request: &Request<'_>, peer: Option<IpAddr>) -> Option<IpAddr> {
    let values: Vec<_> = request.header_values("x-forwarded-for").collect();
    let mut nearest = peer;
    for hop in values.join(&b',').rsplit(|byte| *byte == b',').take(MAX_HOPS) {
        let Some(address) = address(hop) else { return nearest };
        // Envoy may have added the peer itself, who may be known by its certificate only.
        if Some(address) != peer && !is_among(proxies, Some(address)) {
            return Some(address);
        }
        nearest = Some(address);
    }
    nearest
}

/// An address, with a port or without.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t']);
    let address = text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
#[path = "front_tests.rs"]
mod tests;
