//! RSA signatures (RFC 8017): the public operation of our own, PKCS#1 v1.5 and PSS on top of it.

mod kernel;
#[cfg(test)]
mod montgomery;
mod padding;
#[cfg(test)]
mod test_numbers;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::convert::Infallible;
use std::marker::PhantomData;

use jwt_compact::Algorithm;

use self::kernel::Modulus;
use super::InvalidKey;
use super::der::rsa_public_key;
use super::hash::JoseHash;
use super::host::public_key_field;
use super::signature::RsaSignature;

/// RFC 7518 section 3.3 demands 2048 bits; the upper bound keeps a hostile key from costing milliseconds.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=kernel::MAX_BITS;
/// Below 2^33, as for other verifiers, so that a hostile exponent costs four times the common one at most.
const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// An RSA public key.
pub struct RsaKey {
    modulus: Vec<u8>,
    exponent: u64,
    kernel: OnceCell<Modulus>,
    field_for_host: OnceCell<Vec<u8>>,
}

impl RsaKey {
    /// A key from its big-endian modulus and exponent. Either has to be free of leading zero octets: RFC 7518 section
    /// 6.3.1.1 warns of them, and taking them would let one key have many forms.
    ///
    /// # Errors
    /// The bound that is not met: [`InvalidKey::NotMinimal`], [`InvalidKey::ModulusSize`],
    /// [`InvalidKey::ModulusEven`] or [`InvalidKey::Exponent`].
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, InvalidKey> {
        if [modulus, exponent].iter().any(|number| matches!(number.first(), None | Some(0))) {
            return Err(InvalidKey::NotMinimal);
        }
        if !MODULUS_BITS.contains(&bits(modulus)) {
            return Err(InvalidKey::ModulusSize);
        }
        if modulus.last().is_none_or(|octet| octet % 2 == 0) {
            return Err(InvalidKey::ModulusEven);
        }
        let exponent = valid_exponent(exponent).ok_or(InvalidKey::Exponent)?;
        Ok(Self { modulus: modulus.to_vec(), exponent, kernel: OnceCell::new(), field_for_host: OnceCell::new() })
    }

    /// The modulus, big-endian, without leading zero octets.
    #[must_use]
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The exponent.
    #[must_use]
    pub const fn exponent(&self) -> u64 {
        self.exponent
    }

    /// What a host's verifier is told of the key, encoded once.
    pub(super) fn field_for_host(&self) -> &[u8] {
        self.field_for_host.get_or_init(|| public_key_field(&rsa_public_key(&self.modulus, self.exponent)))
    }

    fn modulus_bits(&self) -> usize {
        bits(&self.modulus)
    }

    /// RSAVP1 (RFC 8017 section 5.2.2): the encoded message that `signature` stands for, as long as the modulus; `None`
    /// unless the signature is just as long, and less than the modulus.
    fn recover(&self, signature: &[u8]) -> Option<Vec<u8>> {
        // Of two big-endian numbers of one length the lesser is the one that sorts first.
        if signature.len() != self.modulus.len() || signature >= self.modulus.as_slice() {
            return None;
        }
        // Built at the first use: most keys of a large set are never used.
        let kernel = self.kernel.get_or_init(|| Modulus::new(&self.modulus));
        Some(kernel.power(signature, self.exponent))
    }
}

/// The number of bits of a big-endian number without leading zero octets.
fn bits(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |octet| octet.leading_zeros() as usize);
    (8 * number.len()).saturating_sub(leading)
}

fn valid_exponent(octets: &[u8]) -> Option<u64> {
    if octets.len() > 5 {
        return None;
    }
    let exponent = octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet));
    ((3..=MAX_EXPONENT).contains(&exponent) && exponent % 2 == 1).then_some(exponent)
}

/// RSASSA-PKCS1-v1_5: RS256, RS384 or RS512, depending on the hash.
pub(super) struct Rs<D>(PhantomData<D>);

impl<D> Rs<D> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<D: JoseHash> Algorithm for Rs<D> {
    type SigningKey = Infallible;
    type VerifyingKey = RsaKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(D::RSA_PKCS1.name())
    }

    fn sign(&self, key: &Self::SigningKey, _message: &[u8]) -> Self::Signature {
        match *key {}
    }

    fn verify_signature(&self, signature: &Self::Signature, key: &RsaKey, message: &[u8]) -> bool {
        let expected = || padding::pkcs1_encoded::<D>(message, key.modulus.len());
        key.recover(&signature.0).is_some_and(|encoded| expected().is_some_and(|expected| expected == encoded))
    }
}

/// RSASSA-PSS: PS256, PS384 or PS512, depending on the hash.
pub(super) struct Ps<D>(PhantomData<D>);

impl<D> Ps<D> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<D: JoseHash> Algorithm for Ps<D> {
    type SigningKey = Infallible;
    type VerifyingKey = RsaKey;
    type Signature = RsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(D::RSA_PSS.name())
    }

    fn sign(&self, key: &Self::SigningKey, _message: &[u8]) -> Self::Signature {
        match *key {}
    }

    fn verify_signature(&self, signature: &Self::Signature, key: &RsaKey, message: &[u8]) -> bool {
        let verified = |encoded: Vec<u8>| padding::pss_verifies::<D>(message, &encoded, key.modulus_bits());
        key.recover(&signature.0).is_some_and(verified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(modulus: &[u8], exponent: &[u8]) -> Option<InvalidKey> {
        RsaKey::new(modulus, exponent).err()
    }

    fn odd_modulus(length: usize, first: u8) -> Vec<u8> {
        let mut modulus = vec![0xa5; length];
        modulus[0] = first;
        modulus
    }

    #[test]
    fn the_modulus_has_bounds() {
        let e = [1, 0, 1];
        assert_eq!(reason(&odd_modulus(256, 0x80), &e), None);
        assert_eq!(reason(&odd_modulus(256, 0x7f), &e), Some(InvalidKey::ModulusSize));
        assert_eq!(reason(&odd_modulus(257, 0x01), &e), None);
        assert_eq!(reason(&odd_modulus(1024, 0xff), &e), None);
        assert_eq!(reason(&odd_modulus(1025, 0x01), &e), Some(InvalidKey::ModulusSize));
        assert_eq!(reason(&odd_modulus(257, 0x00), &e), Some(InvalidKey::NotMinimal));
        assert_eq!(reason(&[], &e), Some(InvalidKey::NotMinimal));
        let mut even = odd_modulus(256, 0x80);
        even[255] = 2;
        assert_eq!(reason(&even, &e), Some(InvalidKey::ModulusEven));
    }

    #[test]
    fn the_exponent_has_bounds() {
        let modulus = odd_modulus(256, 0x80);
        for good in [&[3][..], &[1, 0, 1], &[0xff, 0xff, 0xff, 0xff], &[1, 0xff, 0xff, 0xff, 0xff]] {
            assert_eq!(reason(&modulus, good), None, "{good:?}");
        }
        for bad in [&[1][..], &[2], &[4], &[1, 0], &[2, 0, 0, 0, 1], &[1, 0, 0, 0, 0, 0, 0, 0, 3]] {
            assert_eq!(reason(&modulus, bad), Some(InvalidKey::Exponent), "{bad:?}");
        }
        for padded in [&[][..], &[0], &[0, 1, 0, 1]] {
            assert_eq!(reason(&modulus, padded), Some(InvalidKey::NotMinimal), "{padded:?}");
        }
    }

    #[test]
    fn a_signature_is_as_long_as_the_modulus_and_less() {
        let modulus = odd_modulus(256, 0x80);
        let key = RsaKey::new(&modulus, &[3]).unwrap();
        assert_eq!(key.recover(&modulus), None);
        assert_eq!(key.recover(&[0xff; 256]), None);
        assert_eq!(key.recover(&[0; 255]), None);
        assert_eq!(key.recover(&[0; 257]), None);
        assert_eq!(key.recover(&[0; 256]), Some(vec![0; 256]));
    }
}
