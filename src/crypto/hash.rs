//! The three hashes of JOSE, and what the signature schemes need to know about each.

use sha2::{Digest, Sha256, Sha384, Sha512};

use super::SignatureAlgorithm;

/// A hash of the SHA-2 family with the algorithms that use it.
pub(super) trait JoseHash: Digest + Clone {
    /// RSASSA-PKCS1-v1_5 with this hash.
    const RSA_PKCS1: SignatureAlgorithm;
    /// RSASSA-PSS with this hash.
    const RSA_PSS: SignatureAlgorithm;
    /// HMAC with this hash.
    const HMAC: SignatureAlgorithm;
    /// What stands before the hash value in the DER encoding of `DigestInfo` (RFC 8017 section 9.2, note 1).
    const DIGEST_INFO: [u8; 19];
}

impl JoseHash for Sha256 {
    const RSA_PKCS1: SignatureAlgorithm = SignatureAlgorithm::Rs256;
    const RSA_PSS: SignatureAlgorithm = SignatureAlgorithm::Ps256;
    const HMAC: SignatureAlgorithm = SignatureAlgorithm::Hs256;
    const DIGEST_INFO: [u8; 19] = digest_info(1, 32);
}

impl JoseHash for Sha384 {
    const RSA_PKCS1: SignatureAlgorithm = SignatureAlgorithm::Rs384;
    const RSA_PSS: SignatureAlgorithm = SignatureAlgorithm::Ps384;
    const HMAC: SignatureAlgorithm = SignatureAlgorithm::Hs384;
    const DIGEST_INFO: [u8; 19] = digest_info(2, 48);
}

impl JoseHash for Sha512 {
    const RSA_PKCS1: SignatureAlgorithm = SignatureAlgorithm::Rs512;
    const RSA_PSS: SignatureAlgorithm = SignatureAlgorithm::Ps512;
    const HMAC: SignatureAlgorithm = SignatureAlgorithm::Hs512;
    const DIGEST_INFO: [u8; 19] = digest_info(3, 64);
}

/// `SEQUENCE { SEQUENCE { OID 2.16.840.1.101.3.4.2.arc, NULL }, OCTET STRING of length }` up to the octets themselves.
const fn digest_info(arc: u8, length: u8) -> [u8; 19] {
    [0x30, 17 + length, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, arc, 5, 0, 4, length]
}
