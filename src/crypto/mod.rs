//! Signatures: the algorithms of RFC 7518 and RFC 8037, and the keys that verify them.

mod algorithm;

pub use algorithm::{AlgorithmSet, KeyFamily, SignatureAlgorithm};
