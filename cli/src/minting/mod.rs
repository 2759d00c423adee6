//! Private keys, and the tokens and proofs that are signed with them: good ones, and those that the filter has to refuse.

pub(crate) mod algorithm;
pub(crate) mod bad;
pub(crate) mod certificate;
mod draft;
pub(crate) mod key;
pub(crate) mod key_file;
pub(crate) mod lifetime;
mod material;
pub(crate) mod proof;
pub(crate) mod public;
pub(crate) mod random;
#[cfg(test)]
mod tests;
pub(crate) mod token;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// base64url without padding (RFC 7515 section 2).
pub(crate) fn encoded(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

/// What the text stands for; `None` if it is not base64url without padding.
pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The SHA-256 hash in base64url.
fn hashed(octets: &[u8]) -> String {
    encoded(Sha256::digest(octets))
}
