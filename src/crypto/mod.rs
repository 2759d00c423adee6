//! Signatures: the algorithms of RFC 7518 and RFC 8037, and the keys that verify them.

mod algorithm;
mod der;
mod ecdsa;
mod ed25519;
mod hash;
mod hmac;
mod host;
mod key;
mod known_answers;
mod rsa;
mod signature;

pub use algorithm::{AlgorithmSet, KeyFamily, SignatureAlgorithm};
pub use ecdsa::{P256Key, P384Key, P521Key};
pub use ed25519::Ed25519Key;
pub use hmac::HmacKey;
pub use host::{HostVerifier, Signatures};
pub use key::{InvalidKey, VerifyingKey};
pub use rsa::RsaKey;
