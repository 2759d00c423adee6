//! HMAC with SHA-2 (RFC 7518 section 3.2): the states after the key's blocks are kept, the secret itself is not.

use std::borrow::Cow;
use std::marker::PhantomData;

use hmac::{Hmac, KeyInit, Mac};
use jwt_compact::Algorithm;
use sha2::{Sha256, Sha384, Sha512};

use super::hash::JoseHash;
use super::signature::FixedSignature;
use super::{InvalidKey, SignatureAlgorithm};

/// A secret for HMAC, as the hash states that it leads to. They are as good as the secret, and are wiped when dropped.
pub struct HmacKey(Box<States>);

/// One keyed state per hash whose length the secret reaches.
struct States {
    sha256: Hmac<Sha256>,
    sha384: Option<Hmac<Sha384>>,
    sha512: Option<Hmac<Sha512>>,
}

impl HmacKey {
    /// A key from a secret, which the caller should wipe.
    ///
    /// # Errors
    /// [`InvalidKey::SecretTooShort`] below 32 bytes: it would reach no algorithm's hash size.
    #[inline(never)]
    pub fn new(secret: &[u8]) -> Result<Self, InvalidKey> {
        let sha256 = keyed(secret, 32).ok_or(InvalidKey::SecretTooShort)?;
        Ok(Self(Box::new(States { sha256, sha384: keyed(secret, 48), sha512: keyed(secret, 64) })))
    }

    /// Whether the secret is as long as the hash of `algorithm`.
    #[must_use]
    pub fn serves(&self, algorithm: SignatureAlgorithm) -> bool {
        match algorithm {
            SignatureAlgorithm::Hs256 => true,
            SignatureAlgorithm::Hs384 => self.0.sha384.is_some(),
            SignatureAlgorithm::Hs512 => self.0.sha512.is_some(),
            _ => false,
        }
    }
}

impl HmacKey {
    /// The HMAC-SHA-256 of the message.
    #[inline(never)]
    pub(crate) fn tag(&self, message: &[u8]) -> [u8; 32] {
        self.0.sha256.clone().chain_update(message).finalize().into_bytes().into()
    }

    /// Whether this is the HMAC-SHA-256 of the message; compared in constant time.
    #[inline(never)]
    pub(crate) fn has_tagged(&self, message: &[u8], tag: &[u8]) -> bool {
        self.0.sha256.clone().chain_update(message).verify_slice(tag).is_ok()
    }
}

fn keyed<M: KeyInit>(secret: &[u8], hash_length: usize) -> Option<M> {
    (secret.len() >= hash_length).then(|| M::new_from_slice(secret).ok()).flatten()
}

/// HS256, HS384 or HS512, depending on the hash.
pub(super) struct Hs<D>(PhantomData<D>);

impl<D> Hs<D> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

macro_rules! implement_algorithm {
    ($hash:ty, $length:literal, $state:expr) => {
        impl Algorithm for Hs<$hash> {
            type SigningKey = std::convert::Infallible;
            type VerifyingKey = HmacKey;
            type Signature = FixedSignature<$length>;

            fn name(&self) -> Cow<'static, str> {
                Cow::Borrowed(<$hash>::HMAC.name())
            }

            fn sign(&self, key: &Self::SigningKey, _message: &[u8]) -> Self::Signature {
                match *key {}
            }

            fn verify_signature(&self, signature: &Self::Signature, key: &HmacKey, message: &[u8]) -> bool {
                // `verify_slice` compares in constant time.
                $state(&key.0).is_some_and(|state| state.chain_update(message).verify_slice(&signature.0).is_ok())
            }
        }
    };
}

implement_algorithm!(Sha256, 32, |states: &States| Some(states.sha256.clone()));
implement_algorithm!(Sha384, 48, |states: &States| states.sha384.clone());
implement_algorithm!(Sha512, 64, |states: &States| states.sha512.clone());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::VerifyingKey;

    #[test]
    fn what_a_secret_leads_to_is_wiped() {
        // `Hmac` is not marked, but holds nothing else than two states of the hash.
        fn wiped<T: zeroize::ZeroizeOnDrop>() {}
        wiped::<Sha256>();
        wiped::<Sha384>();
        wiped::<Sha512>();
    }

    #[test]
    fn a_secret_serves_the_hashes_that_it_reaches() {
        let served = |length: usize| {
            let key = HmacKey::new(&vec![7; length]).map(VerifyingKey::Hmac).ok()?;
            Some(key.algorithms().iter().map(SignatureAlgorithm::name).collect::<Vec<_>>())
        };
        assert_eq!(served(31), None);
        assert_eq!(served(32), Some(vec!["HS256"]));
        assert_eq!(served(47), Some(vec!["HS256"]));
        assert_eq!(served(48), Some(vec!["HS256", "HS384"]));
        assert_eq!(served(64), Some(vec!["HS256", "HS384", "HS512"]));
        assert_eq!(served(1000), Some(vec!["HS256", "HS384", "HS512"]));
    }

    /// RFC 4231 test case 6: a key longer than the block.
    #[test]
    fn rfc_4231_case_6_verifies() {
        let key = VerifyingKey::Hmac(HmacKey::new(&[0xaa; 131]).unwrap());
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let tag = [
            0x60, 0xe4, 0x31, 0x59, 0x1e, 0xe0, 0xb6, 0x7f, 0x0d, 0x8a, 0x26, 0xaa, 0xcb, 0xf5, 0xb7, 0x7f, //
            0x8e, 0x0b, 0xc6, 0x21, 0x37, 0x28, 0xc5, 0x14, 0x05, 0x46, 0x04, 0x0f, 0x0e, 0xe3, 0x7f, 0x54,
        ];
        assert!(key.verifies(SignatureAlgorithm::Hs256, message, &tag));
        assert!(!key.verifies(SignatureAlgorithm::Hs384, message, &tag));
        for bit in 0..256 {
            let mut forged = tag;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verifies(SignatureAlgorithm::Hs256, message, &forged));
        }
        for length in 0..32 {
            assert!(!key.verifies(SignatureAlgorithm::Hs256, message, &tag[..length]));
        }
    }
}
