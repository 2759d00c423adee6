//! Signatures: the algorithms of RFC 7518 and RFC 8037, and the keys that verify them.

mod algorithm;
mod ecdsa;
mod ed25519;
mod hash;
mod hmac;
mod key;
mod rsa;
mod signature;

pub use algorithm::{AlgorithmSet, KeyFamily, SignatureAlgorithm};
pub use ecdsa::{P256Key, P384Key, P521Key};
pub use ed25519::Ed25519Key;
pub use hmac::HmacKey;
pub use key::{InvalidKey, VerifyingKey};
pub use rsa::RsaKey;
