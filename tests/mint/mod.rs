//! Keys and tokens for tests, made by the crates and not by the filter's own code.
#![allow(unreachable_pub, reason = "a module of several tests")]
#![allow(dead_code, reason = "not every test uses all of it")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::Algorithm as _;
use jwt_compact::AlgorithmSignature as _;
use jwt_compact::alg::{Hs256, Hs256Key};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

/// The time at which the fake host starts, in seconds.
pub const NOW: u64 = 1_700_000_000;

/// An HMAC secret of 32 bytes.
pub const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key for ES256.
pub struct EcKey {
    pub id: &'static str,
    key: SigningKey,
}

impl EcKey {
    /// The key with this id; the seed makes it one of many.
    pub fn new(id: &'static str, seed: u8) -> Self {
        Self { id, key: SigningKey::from_slice(&[seed; 32]).expect("a valid scalar") }
    }

    /// Its public half.
    pub fn jwk(&self) -> Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        let bytes = point.as_bytes();
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id,
            "x": base64url(&bytes[1..33]), "y": base64url(&bytes[33..]),
        })
    }

    /// A token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.sign(&json!({"alg": "ES256", "typ": "JWT", "kid": self.id}), claims)
    }

    /// A token with any header.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let input = signing_input(header, claims);
        let signature: Signature = self.key.sign(input.as_bytes());
        format!("{input}.{}", base64url(signature.to_bytes()))
    }
}

/// The text that is signed.
pub fn signing_input(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()))
}

/// A token signed with [`SECRET`].
pub fn hs256(header: &Value, claims: &Value) -> String {
    let input = signing_input(header, claims);
    let signature = Hs256.sign(&Hs256Key::new(SECRET), input.as_bytes());
    format!("{input}.{}", base64url(signature.as_bytes()))
}

/// A key set.
pub fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// Good claims for the issuer `https://issuer.test` and the audience `api`.
pub fn claims() -> Value {
    json!({"iss": "https://issuer.test", "aud": "api", "sub": "alice", "exp": NOW + 300, "iat": NOW - 5})
}

/// Good claims with one member replaced, or removed where the value is null.
pub fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let object = claims.as_object_mut().expect("an object");
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), value);
    }
    claims
}
