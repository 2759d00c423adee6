//! The one hash that proofs of possession know (RFC 9449 sections 4.2 and 6.1).

use sha2::{Digest as _, Sha256};

/// Bytes of a hash.
pub(super) const HASH_LENGTH: usize = 32;

/// The SHA-256 of the parts, one behind the other.
#[inline(never)]
pub(super) fn sha256(parts: &[&[u8]]) -> [u8; HASH_LENGTH] {
    parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize().into()
}
