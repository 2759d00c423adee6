//! A token before it is signed: header and claims, in the order in which they will stand.

use jwt_warden::crypto::SignatureAlgorithm;
use serde_json::{Map, Value};

use super::encoded;
use super::key::PrivateKey;
use crate::Stop;

/// A token before it is signed.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
}

impl Draft {
    /// The same with another header member.
    pub(super) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// The same with another claim.
    pub(super) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// The same without a claim.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.claims.shift_remove(name);
        self
    }

    /// The texts of header and claims.
    pub(super) fn texts(&self) -> (String, String) {
        let text = |members: &Map<String, Value>| serde_json::to_string(members).unwrap_or_default();
        (text(&self.header), text(&self.claims))
    }

    /// What is signed (RFC 7515 section 5.1).
    pub(super) fn signing_input(&self) -> String {
        let (header, claims) = self.texts();
        signing_input(&header, &claims)
    }

    /// The token.
    pub(super) fn sign(&self, key: &PrivateKey, algorithm: SignatureAlgorithm) -> Result<String, Stop> {
        signed(self.signing_input(), key, algorithm)
    }
}

/// The token of any two texts.
pub(super) fn signing_input(header: &str, claims: &str) -> String {
    format!("{}.{}", encoded(header), encoded(claims))
}

/// The token of any two segments.
pub(super) fn signed(input: String, key: &PrivateKey, algorithm: SignatureAlgorithm) -> Result<String, Stop> {
    let signature = encoded(key.sign(algorithm, &input)?);
    Ok(input + "." + &signature)
}
