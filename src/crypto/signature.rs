//! Signatures as bytes: of a length that the algorithm fixes, or, for RSA, of a length that the key fixes.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use jwt_compact::AlgorithmSignature;

/// A signature of exactly `LENGTH` bytes: ECDSA (RFC 7518 section 3.4), Ed25519 (RFC 8032) and HMAC.
#[derive(Debug)]
pub(super) struct FixedSignature<const LENGTH: usize>(pub(super) [u8; LENGTH]);

impl<const LENGTH: usize> AlgorithmSignature for FixedSignature<LENGTH> {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(LENGTH);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        slice.try_into().map(Self).map_err(anyhow::Error::msg)
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

/// An RSA signature; its length has to be that of the key's modulus, which only the algorithm sees.
#[derive(Debug)]
pub(super) struct RsaSignature(pub(super) Vec<u8>);

impl AlgorithmSignature for RsaSignature {
    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}
