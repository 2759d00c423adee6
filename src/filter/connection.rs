//! The connection of the request of the effective context, as the host tells of it.

use std::net::{IpAddr, SocketAddr};

use super::abi;
use crate::connection::Connection;

/// Asks the host at each question.
pub(super) struct HostConnection;

impl Connection for HostConnection {
    /// The host gives 64 hexadecimal digits.
    fn certificate_digest(&self) -> Option<[u8; 32]> {
        let text = abi::property(&["connection", "sha256_peer_certificate_digest"]).ok().flatten()?;
        let mut digest = [0; 32];
        let (pairs, []) = text.as_chunks::<2>() else { return None };
        if pairs.len() != digest.len() {
            return None;
        }
        for (octet, pair) in digest.iter_mut().zip(pairs) {
            *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(digest)
    }

    fn is_tls(&self) -> bool {
        abi::property(&["connection", "tls_version"]).ok().flatten().is_some_and(|version| !version.is_empty())
    }

    /// No connection comes from port 0, but an address that Envoy has taken from a header has that port.
    fn peer_address(&self) -> Option<IpAddr> {
        source().filter(|source| source.port() != 0).map(|source| source.ip().to_canonical())
    }

    fn uri_san(&self) -> Option<Vec<u8>> {
        name(abi::property(&["connection", "uri_san_peer_certificate"]))
    }

    fn dns_san(&self) -> Option<Vec<u8>> {
        name(abi::property(&["connection", "dns_san_peer_certificate"]))
    }
}

/// The host gives address and port.
fn source() -> Option<SocketAddr> {
    let text = abi::property(&["source", "address"]).ok().flatten()?;
    std::str::from_utf8(&text).ok()?.parse().ok()
}

/// Without such a name, hosts give nothing, or an empty one.
fn name<E>(property: Result<Option<Vec<u8>>, E>) -> Option<Vec<u8>> {
    property.ok().flatten().filter(|name| !name.is_empty())
}
