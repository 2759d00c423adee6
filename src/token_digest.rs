//! How a token can be recognised in the log by who holds it, and by nobody else.

use sha2::{Digest as _, Sha256};

use crate::authenticator::Authenticator;
use crate::decision::Denial;
use crate::extractor::first_token_at;
use crate::request::Request;

/// So many characters of a signature are 192 bits: more than anybody can guess.
const UNGUESSABLE: usize = 32;

/// The digest of the token that a refusal is about: of the one that failed, otherwise of the first that stands where the
/// provider looks. `None` if there is none that may be recognised.
#[must_use]
pub fn digest_of_refused(authenticator: &Authenticator, denial: &Denial, request: &Request<'_>) -> Option<String> {
    let failed = denial.place.map(usize::from);
    let of_provider = || denial.provider.map_or(&[][..], |provider| authenticator.places_of(provider));
    let places = failed.as_ref().map_or_else(of_provider, std::slice::from_ref);
    let mut locations = places.iter().filter_map(|place| authenticator.sanitizer().locations().nth(*place));
    let token = locations.find_map(|location| first_token_at(location, request))?;
    digest(token, authenticator.config().limits.max_token_bytes)
}

/// The first 16 hexadecimal digits of the SHA-256 of a token's last `max_bytes` bytes, in which the signature is.
///
/// A signature has more bits than can be guessed, so the digest tells nothing to who does not hold the token, and it is
/// accepted nowhere. What has no signature might be a password in the wrong place, which could be found by trying: it gets
/// no digest.
fn digest(token: &[u8], max_bytes: usize) -> Option<String> {
    let mut segments = token.split(|byte| *byte == b'.');
    let signature = segments.nth(2).filter(|signature| signature.len() >= UNGUESSABLE && segments.next().is_none())?;
    if !signature.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte)) {
        return None;
    }
    let start = token.len().saturating_sub(max_bytes);
    let hash = Sha256::digest(token.get(start..).unwrap_or(token));
    hash.first_chunk().map(|bytes| format!("{:016x}", u64::from_be_bytes(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_recognised_by_the_digest_of_its_bytes() {
        let signature = "s".repeat(UNGUESSABLE);
        let token = format!("e30.e30.{signature}");
        // printf %s e30.e30.ssssssssssssssssssssssssssssssss | sha256sum | cut -c1-16
        assert_eq!(digest(token.as_bytes(), 100).as_deref(), Some("868db4bc7ee1761d"));
        assert_eq!(digest(token.as_bytes(), 40), digest(token.as_bytes(), 100));
    }

    #[test]
    fn the_signature_is_always_in_the_digest() {
        let signature = "s".repeat(UNGUESSABLE);
        let token = format!("e30.e30.{signature}");
        // printf %s e30.e30.ssssssssssssssssssssssssssssssss | tail -c 33 | sha256sum | cut -c1-16
        assert_eq!(digest(token.as_bytes(), 33).as_deref(), Some("af3eb4ccfa394a5d"));
        let other = format!("e30.e30.{}", "t".repeat(UNGUESSABLE));
        assert_ne!(digest(token.as_bytes(), 7), digest(other.as_bytes(), 7), "the claims alone could be guessed");
    }

    #[test]
    fn what_could_be_guessed_has_no_digest() {
        let signature = "s".repeat(UNGUESSABLE);
        for guessable in [
            "",
            "hunter2",
            "e30.e30.",
            "e30.e30",
            &format!("e30.e30.{}", "s".repeat(UNGUESSABLE - 1)),
            &format!("e30.{signature}"),
            &format!("e30.e30.{signature}.x"),
            &format!("e30.e30.e30.e30.{signature}"),
            &format!("Basic dXNlcjpwYXNz, Bearer a.b.{} {signature}", "s"),
        ] {
            assert_eq!(digest(guessable.as_bytes(), 1000), None, "{guessable}");
        }
    }
}
