//! The issuer's keys, and those before them.

use jwt_warden::crypto::SignatureAlgorithm;
use serde_json::{Value, json};

use crate::Stop;
use crate::minting::key::PrivateKey;

/// The keys that sign, and those that signed before the last rotation: their tokens count still.
pub(super) struct Ring {
    current: Vec<PrivateKey>,
    previous: Vec<PrivateKey>,
}

impl Ring {
    /// These keys.
    pub(super) fn new(current: Vec<PrivateKey>) -> Result<Self, Stop> {
        if current.iter().any(PrivateKey::is_shared) {
            return Err(
                "HS256 and its like need a shared secret, which cannot be published: take another algorithm".to_owned()
            );
        }
        Ok(Self { current, previous: Vec::new() })
    }

    /// The keys that sign.
    pub(super) fn current(&self) -> &[PrivateKey] {
        &self.current
    }

    /// New keys for the same algorithms.
    pub(super) fn rotate(&mut self) -> Result<(), Stop> {
        let next = self.current.iter().map(PrivateKey::successor).collect::<Result<_, _>>()?;
        self.previous = std::mem::replace(&mut self.current, next);
        Ok(())
    }

    /// The JWKS.
    pub(super) fn published(&self) -> Value {
        json!({"keys": self.current.iter().chain(&self.previous).filter_map(PrivateKey::public_jwk).collect::<Vec<_>>()})
    }

    /// The names of the keys that sign.
    pub(super) fn names(&self) -> String {
        let names = self.current.iter().map(|key| key.kid.as_deref().unwrap_or("(no kid)"));
        format!("{:?}", names.collect::<Vec<_>>().join(","))
    }

    /// What they sign by default.
    pub(super) fn algorithms(&self) -> Vec<&'static str> {
        self.current.iter().filter_map(|key| key.algorithm(None).ok()).map(SignatureAlgorithm::name).collect()
    }
}
