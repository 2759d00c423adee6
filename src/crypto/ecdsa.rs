//! ECDSA (RFC 7518 section 3.4): each curve with its one hash, signatures as raw r and s.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::convert::Infallible;

use jwt_compact::Algorithm;
use p256::ecdsa::signature::Verifier;
use p256::elliptic_curve::point::AffineCoordinates;

use super::der::ec_public_key;
use super::host::public_key_field;
use super::signature::FixedSignature;
use super::{InvalidKey, SignatureAlgorithm};

macro_rules! curve {
    ($algorithm:ident, $key:ident, $curve:ident, $coordinate:literal, $of:expr, $oid:expr, $doc:literal) => {
        #[doc = $doc]
        pub struct $key {
            key: $curve::ecdsa::VerifyingKey,
            field_for_host: OnceCell<Vec<u8>>,
        }

        impl $key {
            /// A key from the big-endian coordinates of its point.
            ///
            /// # Errors
            /// [`InvalidKey::PointLength`] if a coordinate has another length than the field's elements;
            /// [`InvalidKey::PointNotOnCurve`] if there is no such point.
            pub fn new(x: &[u8], y: &[u8]) -> Result<Self, InvalidKey> {
                let coordinate = |octets| $curve::FieldBytes::try_from(octets).map_err(|_| InvalidKey::PointLength);
                // Checks that the coordinates are field elements and the curve's equation.
                let point = $curve::AffinePoint::from_coordinates(&coordinate(x)?, &coordinate(y)?).into_option();
                let key = point.and_then(|point| $curve::ecdsa::VerifyingKey::from_affine(point).ok());
                key.map(|key| Self { key, field_for_host: OnceCell::new() }).ok_or(InvalidKey::PointNotOnCurve)
            }

            /// The point in uncompressed form: 0x04, x, y.
            #[must_use]
            pub fn point(&self) -> Vec<u8> {
                self.key.to_sec1_point(false).as_bytes().to_vec()
            }

            /// What a host's verifier is told of the key, encoded once.
            pub(super) fn field_for_host(&self) -> &[u8] {
                self.field_for_host.get_or_init(|| public_key_field(&ec_public_key($oid, &self.point())))
            }
        }

        pub(super) struct $algorithm;

        impl Algorithm for $algorithm {
            type SigningKey = Infallible;
            type VerifyingKey = $key;
            type Signature = FixedSignature<{ 2 * $coordinate }>;

            fn name(&self) -> Cow<'static, str> {
                Cow::Borrowed($of.name())
            }

            fn sign(&self, key: &Self::SigningKey, _message: &[u8]) -> Self::Signature {
                match *key {}
            }

            fn verify_signature(&self, signature: &Self::Signature, key: &$key, message: &[u8]) -> bool {
                // Refuses r and s outside of 1..n; a high s is as good as a low one.
                $curve::ecdsa::Signature::from_slice(&signature.0)
                    .is_ok_and(|signature| key.key.verify(message, &signature).is_ok())
            }
        }
    };
}

// Object identifiers of the curves (RFC 5480 section 2.1.1.1), encoded.
const P256_OID: &[u8] = &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384_OID: &[u8] = &[0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x22];
const P521_OID: &[u8] = &[0x06, 5, 0x2b, 0x81, 0x04, 0x00, 0x23];

curve!(Es256, P256Key, p256, 32, SignatureAlgorithm::Es256, P256_OID, "A point on P-256; it verifies with SHA-256.");
curve!(Es384, P384Key, p384, 48, SignatureAlgorithm::Es384, P384_OID, "A point on P-384; it verifies with SHA-384.");
curve!(Es512, P521Key, p521, 66, SignatureAlgorithm::Es512, P521_OID, "A point on P-521; it verifies with SHA-512.");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::VerifyingKey;

    /// Signs with the curve's own crate, and checks what has to be refused.
    macro_rules! curve_tests {
        ($name:ident, $curve:ident, $key:ident, $variant:ident, $length:literal) => {
            #[test]
            fn $name() {
                use $curve::ecdsa::signature::Signer;
                let mut secret = [0x55; $length];
                secret[0] = 0;
                let signer = $curve::ecdsa::SigningKey::from_slice(&secret).unwrap();
                let point = signer.verifying_key().to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at($length);
                let key = $key::new(x, y).unwrap();
                assert_eq!(key.point(), point.as_bytes());
                let key = VerifyingKey::$variant(key);
                let signature: $curve::ecdsa::Signature = signer.sign(b"message");
                check(&key, &signature.to_bytes(), $length, &(-$curve::Scalar::ONE).to_bytes());
                let other_s = $curve::ecdsa::Signature::from_scalars(signature.r(), -*signature.s()).unwrap();
                assert!(verifies(&key, &other_s.to_bytes()), "a high s is as good as a low one");
                assert!(!verifies(&key, signature.to_der().as_bytes()));
                for (x, y) in [(&x[1..], y), (x, &y[1..]), (&[&[0], x].concat()[..], y), (x, &[]), (&[], &[])] {
                    assert_eq!($key::new(x, y).err(), Some(InvalidKey::PointLength));
                }
                assert_eq!($key::new(y, x).err(), Some(InvalidKey::PointNotOnCurve));
                assert_eq!($key::new(&[0; $length], &[0; $length]).err(), Some(InvalidKey::PointNotOnCurve));
                assert_eq!($key::new(&[0xff; $length], y).err(), Some(InvalidKey::PointNotOnCurve));
            }
        };
    }

    curve_tests!(p256_signatures, p256, P256Key, P256, 32);
    curve_tests!(p384_signatures, p384, P384Key, P384, 48);
    curve_tests!(p521_signatures, p521, P521Key, P521, 66);

    fn verifies(key: &VerifyingKey, signature: &[u8]) -> bool {
        key.algorithms().iter().any(|algorithm| key.verifies(algorithm, b"message", signature))
    }

    /// `last` is n - 1.
    fn check(key: &VerifyingKey, signature: &[u8], half: usize, last: &[u8]) {
        assert!(verifies(key, signature));
        for bit in 0..8 * signature.len() {
            let mut forged = signature.to_vec();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(!verifies(key, &forged), "bit {bit}");
        }
        for length in 0..signature.len() {
            assert!(!verifies(key, &signature[..length]));
        }
        let (r, s) = signature.split_at(half);
        let mut order = last.to_vec();
        order[half - 1] += 1;
        for bad in [&vec![0; half], &order, &vec![0xff; half]] {
            assert!(!verifies(key, &[bad, s].concat()));
            assert!(!verifies(key, &[r, bad].concat()));
        }
    }
}
