//! What the proxy knows about the connection that a request came over: asked for only where it matters.

use std::net::IpAddr;

/// The connection of the request at hand.
pub trait Connection {
    /// SHA-256 of the client's certificate in DER, if the client has shown one in the TLS handshake.
    fn certificate_digest(&self) -> Option<[u8; 32]>;
    /// Whether the request came to this proxy over TLS.
    fn is_tls(&self) -> bool;
    /// Where the proxy says that the request came from. Only a proxy that sets `use_remote_address` says who is at the
    /// other end of the connection: another takes the word of `x-forwarded-for`.
    fn source_address(&self) -> Option<IpAddr>;
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

    fn source_address(&self) -> Option<IpAddr> {
        None
    }
}
