//! A key that verifies signatures, of whatever family, and why key material is no such key.

use std::fmt;

use jwt_compact::{Algorithm, AlgorithmSignature};
use sha2::{Sha256, Sha384, Sha512};

use super::ecdsa::{Es256, Es384, Es512};
use super::ed25519::EdDsa;
use super::hmac::Hs;
use super::rsa::{Ps, Rs};
use super::{AlgorithmSet, Ed25519Key, HmacKey, KeyFamily, P256Key, P384Key, P521Key, RsaKey, SignatureAlgorithm};

/// A key that verifies signatures. Its `Debug` output shows the family and nothing of the key.
#[non_exhaustive]
pub enum VerifyingKey {
    /// For RS256, RS384, RS512, PS256, PS384, PS512.
    Rsa(RsaKey),
    /// For ES256.
    P256(P256Key),
    /// For ES384.
    P384(P384Key),
    /// For ES512.
    P521(P521Key),
    /// For `EdDSA`.
    Ed25519(Ed25519Key),
    /// For HS256, and with a longer secret HS384 and HS512.
    Hmac(HmacKey),
}

impl VerifyingKey {
    /// The kind of key.
    #[must_use]
    pub fn family(&self) -> KeyFamily {
        match self {
            Self::Rsa(_) => KeyFamily::Rsa,
            Self::P256(_) => KeyFamily::P256,
            Self::P384(_) => KeyFamily::P384,
            Self::P521(_) => KeyFamily::P521,
            Self::Ed25519(_) => KeyFamily::Ed25519,
            Self::Hmac(_) => KeyFamily::Hmac,
        }
    }

    /// The key as a field of the arguments of a host's verifier, and the length that its signatures have; `None` for
    /// families that no host is asked about.
    pub(super) fn field_for_host(&self) -> Option<(&[u8], usize)> {
        match self {
            Self::Rsa(key) => Some((key.field_for_host(), key.modulus().len())),
            Self::P256(key) => Some((key.field_for_host(), 64)),
            Self::P384(key) => Some((key.field_for_host(), 96)),
            Self::P521(key) => Some((key.field_for_host(), 132)),
            Self::Ed25519(_) | Self::Hmac(_) => None,
        }
    }

    /// The algorithms that this key can serve: those of its family and, for HMAC, of a hash no longer than the secret.
    #[must_use]
    pub fn algorithms(&self) -> AlgorithmSet {
        let of_family = |algorithm: &SignatureAlgorithm| algorithm.key_family() == self.family();
        let long_enough = |algorithm: &SignatureAlgorithm| match self {
            Self::Hmac(key) => key.serves(*algorithm),
            _ => true,
        };
        SignatureAlgorithm::ALL.into_iter().filter(of_family).filter(long_enough).collect()
    }

    /// Whether `signature` is one of this key over `signing_input` under `algorithm`. False for an algorithm that the
    /// key does not serve, and for a signature of the wrong length or form.
    #[must_use]
    pub fn verifies(&self, algorithm: SignatureAlgorithm, signing_input: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Rsa(key), SignatureAlgorithm::Rs256) => verify(&Rs::<Sha256>::new(), key, signing_input, signature),
            (Self::Rsa(key), SignatureAlgorithm::Rs384) => verify(&Rs::<Sha384>::new(), key, signing_input, signature),
            (Self::Rsa(key), SignatureAlgorithm::Rs512) => verify(&Rs::<Sha512>::new(), key, signing_input, signature),
            (Self::Rsa(key), SignatureAlgorithm::Ps256) => verify(&Ps::<Sha256>::new(), key, signing_input, signature),
            (Self::Rsa(key), SignatureAlgorithm::Ps384) => verify(&Ps::<Sha384>::new(), key, signing_input, signature),
            (Self::Rsa(key), SignatureAlgorithm::Ps512) => verify(&Ps::<Sha512>::new(), key, signing_input, signature),
            (Self::P256(key), SignatureAlgorithm::Es256) => verify(&Es256, key, signing_input, signature),
            (Self::P384(key), SignatureAlgorithm::Es384) => verify(&Es384, key, signing_input, signature),
            (Self::P521(key), SignatureAlgorithm::Es512) => verify(&Es512, key, signing_input, signature),
            (Self::Ed25519(key), SignatureAlgorithm::EdDsa) => verify(&EdDsa, key, signing_input, signature),
            (Self::Hmac(key), SignatureAlgorithm::Hs256) => verify(&Hs::<Sha256>::new(), key, signing_input, signature),
            (Self::Hmac(key), SignatureAlgorithm::Hs384) => verify(&Hs::<Sha384>::new(), key, signing_input, signature),
            (Self::Hmac(key), SignatureAlgorithm::Hs512) => verify(&Hs::<Sha512>::new(), key, signing_input, signature),
            _ => false,
        }
    }
}

/// The one way to a verdict: through [`Algorithm`], so that another implementation of an algorithm fits in its place.
fn verify<A: Algorithm>(algorithm: &A, key: &A::VerifyingKey, signing_input: &[u8], signature: &[u8]) -> bool {
    let fits = A::Signature::LENGTH.is_none_or(|length| length.get() == signature.len());
    fits && A::Signature::try_from_slice(signature)
        .is_ok_and(|signature| algorithm.verify_signature(&signature, key, signing_input))
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifyingKey({:?})", self.family())
    }
}

/// Why key material is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKey {
    /// An RSA modulus or exponent begins with a zero octet, or is empty (RFC 7518 section 2, `Base64urlUInt`).
    NotMinimal,
    /// The RSA modulus does not have 2048 to 8192 bits (RFC 7518 section 3.3).
    ModulusSize,
    /// The RSA modulus is even.
    ModulusEven,
    /// The RSA exponent is even, less than 3, or 2^33 and more.
    Exponent,
    /// A coordinate or an encoded point does not have the length that the curve demands (RFC 7518 section 6.2.1.2).
    PointLength,
    /// The point is not on the curve, or is not encoded canonically.
    PointNotOnCurve,
    /// The Ed25519 point is of small order or has a torsion component.
    PointWeak,
    /// The HMAC secret is shorter than 32 octets (RFC 7518 section 3.2).
    SecretTooShort,
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotMinimal => "the modulus or the exponent is empty or begins with a zero octet",
            Self::ModulusSize => "the modulus does not have 2048 to 8192 bits",
            Self::ModulusEven => "the modulus is even",
            Self::Exponent => "the exponent is not an odd number from 3 to 2^33",
            Self::PointLength => "a coordinate does not have the length that the curve demands",
            Self::PointNotOnCurve => "the point is not on the curve or not canonical",
            Self::PointWeak => "the point is of small order or has a torsion component",
            Self::SecretTooShort => "the secret is shorter than 32 octets",
        })
    }
}

impl std::error::Error for InvalidKey {}

#[cfg(test)]
mod tests {
    use jwt_compact::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::jwks::{KeyOrigin, KeySet};
    use crate::jwt::DecodedToken;

    #[test]
    fn names_are_those_of_the_algorithms() {
        let names = [
            Rs::<Sha256>::new().name(),
            Rs::<Sha384>::new().name(),
            Rs::<Sha512>::new().name(),
            Ps::<Sha256>::new().name(),
            Ps::<Sha384>::new().name(),
            Ps::<Sha512>::new().name(),
            Es256.name(),
            Es384.name(),
            Es512.name(),
            EdDsa.name(),
            Hs::<Sha256>::new().name(),
            Hs::<Sha384>::new().name(),
            Hs::<Sha512>::new().name(),
        ];
        assert_eq!(names.to_vec(), SignatureAlgorithm::ALL.map(SignatureAlgorithm::name).to_vec());
    }

    /// With good tokens of every algorithm, which other libraries have signed.
    #[test]
    fn each_algorithm_accepts_its_own_signatures_only() {
        let good: Value = serde_json::from_str(include_str!("../../tests/properties/tokens.json")).unwrap();
        let set = KeySet::parse(good["jwks"].to_string().as_bytes(), KeyOrigin::Local, 1 << 16).unwrap();
        let mut seen = AlgorithmSet::EMPTY;
        for text in good["tokens"].as_array().unwrap() {
            let decoded = DecodedToken::decode(text.as_str().unwrap().as_bytes(), 10_000).unwrap();
            let token = decoded.parse(&[]).unwrap();
            let (algorithm, input, signature) = (token.header().algorithm, token.signing_input(), token.signature());
            let Some(key) = set.candidates(token.header().key_id.as_deref(), algorithm).next() else {
                panic!("{text}")
            };
            for other in SignatureAlgorithm::ALL {
                assert_eq!(key.verifies(other, input, signature), other == algorithm, "{other:?} {text}");
            }
            let mut forged = signature.to_vec();
            forged[10] ^= 1;
            assert!(!key.verifies(algorithm, &input[1..], signature) && !key.verifies(algorithm, input, &forged));
            seen = seen.with(algorithm);
        }
        assert_eq!(seen.iter().collect::<Vec<_>>(), SignatureAlgorithm::ALL);
    }

    #[test]
    fn the_algorithms_serve_jwt_compact_itself() {
        let key = HmacKey::new(b"0123456789abcdef0123456789abcdef").unwrap();
        let text = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIn0.YTr6qPF-N-Bo-UZqK7Hz8gvEwXiRoDS1Hw2fNFD_Ri4";
        let token = UntrustedToken::new(text).unwrap();
        let algorithm = Hs::<Sha256>::new();
        assert!(algorithm.validator::<Value>(&key).validate(&token).is_ok());
        let other = HmacKey::new(b"0123456789abcdef0123456789abcdeg").unwrap();
        assert!(algorithm.validator::<Value>(&other).validate(&token).is_err());
    }
}
