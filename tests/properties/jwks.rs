//! Of a key set, whatever it is, only keys serve that are whole, public and meant for that.

use jwt_warden::crypto::{KeyFamily, SignatureAlgorithm, VerifyingKey};
use jwt_warden::jwks::{KeyOrigin, KeySet};
use jwt_warden::jwt::DecodedToken;
use serde_json::{Value, json};

use super::draw::Draw;
use super::good::GOOD;

const MAX_BYTES: usize = 262_144;
/// What makes a key of each type what it is; its other members are ignored.
const MATERIAL: [(&str, &[&str]); 4] =
    [("RSA", &["n", "e"]), ("EC", &["crv", "x", "y"]), ("OKP", &["crv", "x"]), ("oct", &["k"])];

/// The raw bytes as a document, or changed good keys.
pub fn check(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let document = if draw.one_in(2) { generated(&mut draw) } else { draw.rest().to_vec() };
    for origin in [KeyOrigin::Local, KeyOrigin::Remote] {
        let Ok(set) = KeySet::parse(&document, origin, MAX_BYTES) else { continue };
        check_set(&set, origin, &document);
    }
}

fn check_set(set: &KeySet, origin: KeyOrigin, document: &[u8]) {
    let value: Value = serde_json::from_slice(document).unwrap_or_else(|error| panic!("accepted, but {error}"));
    let keys = value["keys"].as_array().expect("accepted without an array");
    assert_eq!(set.len() + set.skipped().len(), keys.len());
    assert!(set.skipped().iter().all(|skipped| skipped.index < keys.len()));
    for algorithm in SignatureAlgorithm::ALL {
        let families: Vec<_> = set.candidates(None, algorithm).map(VerifyingKey::family).collect();
        assert!(families.len() <= 8 && families.iter().all(|family| *family == algorithm.key_family()));
        assert!(origin == KeyOrigin::Local || algorithm.key_family() != KeyFamily::Hmac || families.is_empty());
    }
    for skipped in set.skipped() {
        let shown = skipped.to_string();
        let secrets = ["k", "d", "p", "q"].iter().filter_map(|name| keys[skipped.index][name].as_str());
        assert!(secrets.filter(|secret| secret.len() > 20).all(|secret| !shown.contains(secret)), "{shown}");
    }
    for token in &GOOD.tokens {
        assert!(!verifies(set, token) || keys.iter().any(|key| may_verify(key, token)), "{token} by {value}");
    }
}

fn verifies(set: &KeySet, token: &str) -> bool {
    let decoded = DecodedToken::decode(token.as_bytes(), MAX_BYTES).unwrap();
    let header = decoded.parse_header().unwrap();
    set.candidates(header.key_id.as_deref(), header.algorithm)
        .any(|key| key.verifies(header.algorithm, decoded.signing_input(), decoded.signature()))
}

/// Whether this is the good key that signed the token, and nothing in it forbids its use.
fn may_verify(key: &Value, token: &str) -> bool {
    let decoded = DecodedToken::decode(token.as_bytes(), MAX_BYTES).unwrap();
    let header = decoded.parse_header().unwrap();
    let Some((_, material)) = MATERIAL.iter().find(|(name, _)| key["kty"] == *name) else { return false };
    let is_good = |good: &Value| good["kty"] == key["kty"] && material.iter().all(|name| good[name] == key[name]);
    let operations = key["key_ops"].as_array();
    GOOD.jwks["keys"].as_array().unwrap().iter().any(is_good)
        && header.key_id.as_deref().is_none_or(|kid| key["kid"] == kid)
        && (key["use"].is_null() || key["use"] == "sig")
        && operations.is_none_or(|operations| operations.contains(&json!("verify")))
        && (key["alg"].is_null()
            || key["alg"].as_str().and_then(SignatureAlgorithm::from_name) == Some(header.algorithm))
        && (key["d"].is_null() || key["kty"] == "oct")
}

fn generated(draw: &mut Draw<'_>) -> Vec<u8> {
    let keys: Vec<Value> = (0..=draw.below(4)).map(|_| key(draw)).collect();
    let mut document = json!({ "keys": keys }).to_string().into_bytes();
    if draw.one_in(8) {
        let position = draw.below(65_536) % document.len();
        document[position] = draw.byte();
    }
    document
}

fn key(draw: &mut Draw<'_>) -> Value {
    let mut key = GOOD.jwks["keys"][draw.below(6)].clone();
    for _ in 0..draw.below(3) {
        let name = draw.pick(&["kty", "crv", "n", "e", "x", "y", "k", "kid", "alg", "use", "key_ops", "d", "x5c"]);
        key[name] = match draw.below(8) {
            0 => json!(draw.pick(&["RSA", "EC", "OKP", "oct", "P-256", "P-384", "P-521", "Ed25519", "sig", "enc"])),
            1 => json!(draw.pick(&["RS256", "PS512", "ES256", "ES384", "EdDSA", "Ed25519", "HS256", "HS512", "none"])),
            2 => json!([draw.pick(&["verify", "sign", "encrypt"])]),
            3 => GOOD.jwks["keys"][draw.below(6)][name].clone(),
            4 => json!(super::mint::base64url(draw.bytes(64))),
            5 => flipped(&key[name], draw),
            6 => json!(draw.pick(&["rsa", "ec256", "oct", ""])),
            _ => Value::Null,
        };
        if key[name].is_null() {
            key.as_object_mut().unwrap().remove(name);
        }
    }
    key
}

fn flipped(value: &Value, draw: &mut Draw<'_>) -> Value {
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return json!("AQAB") };
    let mut text = text.as_bytes().to_vec();
    let position = draw.below(65_536) % text.len();
    text[position] = draw.pick(b"AZaz09-_=");
    json!(String::from_utf8_lossy(&text))
}
