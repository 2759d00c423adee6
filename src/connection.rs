//! What the proxy knows about the connection that a request came over: asked for only where it matters.

use std::net::IpAddr;

/// The connection of the request at hand.
pub trait Connection {
    /// SHA-256 of the client's certificate in DER, if the client has shown one in the TLS handshake.
    fn certificate_digest(&self) -> Option<[u8; 32]>;
    /// Whether the request came to this proxy over TLS.
    fn is_tls(&self) -> bool;
    /// Who is at the other end of the connection; `None` where the proxy knows it by a header only.
    fn peer_address(&self) -> Option<IpAddr> {
        None
    }
    /// The first name of the kind `uniformResourceIdentifier` in the certificate that the client has shown (RFC 5280
    /// section 4.2.1.6). Whether an authority has signed that certificate is up to the listener.
    fn uri_san(&self) -> Option<Vec<u8>> {
        None
    }
    /// The first name of the kind `dNSName` in that certificate.
    fn dns_san(&self) -> Option<Vec<u8>> {
        None
    }
}

/// A connection about which nothing is known.
pub struct Unknown;

impl Connection for Unknown {
    fn certificate_digest(&self) -> Option<[u8; 32]> {
        None
    }

    fn is_tls(&self) -> bool {
        false
    }
}
