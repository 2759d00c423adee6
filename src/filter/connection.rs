//! The connection of the request of the effective context, as the host tells of it.

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
}
