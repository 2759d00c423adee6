//! What the proxy knows about the connection that a request came over: asked for only where it matters.

/// The connection of the request at hand.
pub trait Connection {
    /// SHA-256 of the client's certificate in DER, if the client has shown one in the TLS handshake.
    fn certificate_digest(&self) -> Option<[u8; 32]>;
}

/// A connection about which nothing is known.
pub struct Unknown;

impl Connection for Unknown {
    fn certificate_digest(&self) -> Option<[u8; 32]> {
        None
    }
}
