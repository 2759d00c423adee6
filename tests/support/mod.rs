//! What the tests share: the vectors' place, some keys, and just enough of a JWS to get at its parts.

#![allow(dead_code, reason = "not every test uses everything")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it ran")]
#![allow(clippy::indexing_slicing, clippy::string_slice, reason = "a test fails by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_warden::crypto::SignatureAlgorithm;
use jwt_warden::jwks::{KeyOrigin, KeySet};
use serde_json::{Value, json};

/// The JSON file of the shared vectors, or `None`, with a message, where they are absent.
pub(crate) fn vectors(path: &str) -> Option<Value> {
    let path = format!("{}/../shared/data/vectors/{path}", env!("CARGO_MANIFEST_DIR"));
    #[allow(clippy::disallowed_methods, reason = "a test reads its vectors")]
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: no {path}");
        return None;
    };
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// The key set of the JSON value, as a local one.
pub(crate) fn local_set(jwks: &Value) -> KeySet {
    KeySet::parse(jwks.to_string().as_bytes(), KeyOrigin::Local, 1 << 20).unwrap()
}

/// The octets of base64url text.
pub(crate) fn base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The octets of hexadecimal text.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|index| u8::from_str_radix(&text[index..index + 2], 16).unwrap()).collect()
}

/// A compact JWS in its parts, the header read as far as the choice of a key needs it.
pub(crate) struct Parts<'a> {
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) kid: Option<String>,
    pub(crate) signing_input: &'a str,
    pub(crate) signature: Vec<u8>,
}

/// The parts, or `None` for what is no compact JWS that could be verified.
pub(crate) fn parts(jws: &str) -> Option<Parts<'_>> {
    let segments: Vec<&str> = jws.split('.').collect();
    let [header, payload, signature] = segments[..] else { return None };
    base64url(payload)?;
    let header: Value = serde_json::from_slice(&base64url(header)?).ok()?;
    if header.get("crit").is_some() {
        return None;
    }
    Some(Parts {
        algorithm: SignatureAlgorithm::from_name(header.get("alg")?.as_str()?)?,
        kid: match header.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str()?.to_owned()),
        },
        signing_input: jws.rsplit_once('.')?.0,
        signature: base64url(signature)?,
    })
}

/// Whether a key of the set verifies the JWS.
pub(crate) fn verifies(set: &KeySet, jws: &str) -> bool {
    parts(jws).is_some_and(|parts| {
        set.candidates(parts.kid.as_deref(), parts.algorithm)
            .any(|key| key.verifies(parts.algorithm, parts.signing_input.as_bytes(), &parts.signature))
    })
}

/// RFC 7515 appendix A.3.
pub(crate) fn p256() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

/// RFC 8037 appendix A.2.
pub(crate) fn ed25519() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

/// 2048 bits, all ones.
pub(crate) fn rsa() -> Value {
    json!({ "kty": "RSA", "n": "_".repeat(341) + "w", "e": "AQAB" })
}

/// A secret of so many octets.
pub(crate) fn secret(octets: usize) -> Value {
    json!({ "kty": "oct", "k": URL_SAFE_NO_PAD.encode(vec![1; octets]) })
}

/// The key with a member more, or with another value of it.
pub(crate) fn with(mut key: Value, member: &str, value: impl Into<Value>) -> Value {
    key[member] = value.into();
    key
}

/// The key without the member.
pub(crate) fn without(mut key: Value, member: &str) -> Value {
    key.as_object_mut().unwrap().remove(member);
    key
}
