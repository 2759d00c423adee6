//! A token that is bound to a key passes with a good proof alone, and once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jwt_warden::decision::Decision;
use jwt_warden::shared_store::{SharedStore, Version};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::authority::Authority;
use super::draw::Draw;
use super::good::is_same;
use super::mint::{EcKey, NOW, base64url, claims_with, jwks};
use super::mutant::mutant;

thread_local! {
    static AUTHORITY: Authority = authority();
}

/// Claims and what they are worth.
const TARGETS: [(&str, bool); 9] = [
    ("http://api.test/api", true),
    ("http://API.test:80/api", true),
    ("http://api.test/api?x=1#y", true),
    ("https://api.test/api", false),
    ("http://api.test/", false),
    ("http://api.test:81/api", false),
    ("http://api.test.evil.test/api", false),
    ("/api", false),
    ("http://api.test@evil.test/api", false),
];
const METHODS: [(&str, bool); 5] = [("GET", true), ("GET", true), ("POST", false), ("get", false), ("", false)];
const TIMES: [(u64, bool); 5] =
    [(NOW, true), (NOW - 1, true), (NOW - 100_000, false), (NOW + 100_000, false), (0, false)];
const TYPES: [(&str, bool); 4] = [("dpop+jwt", true), ("dpop+jwt", true), ("JWT", false), ("DPOP+JWT", false)];

/// A proof of drawn claims, at times changed afterwards, or the raw bytes as one.
pub fn check(bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let memory = Memory::default();
    if draw.one_in(8) {
        let decision = decide(&bound_token(), draw.rest(), &memory);
        assert!(!is_allowed(&decision));
        return;
    }
    let (proof, good) = proof(&mut draw);
    let sent = if draw.one_in(2) { mutant(&proof, &mut draw) } else { proof.clone().into_bytes() };
    let expected = good && is_same(&proof, &sent);
    let first = decide(&bound_token(), &sent, &memory);
    assert_eq!(is_allowed(&first), expected, "{} {first:?}", String::from_utf8_lossy(&sent));
    let again = decide(&bound_token(), &sent, &memory);
    assert!(!is_allowed(&again), "replayed: {}", String::from_utf8_lossy(&sent));
}

fn proof(draw: &mut Draw<'_>) -> (String, bool) {
    let (target, method, time, token_type) =
        (draw.pick(&TARGETS), draw.pick(&METHODS), draw.pick(&TIMES), draw.pick(&TYPES));
    let signer = draw.pick(&[(3, true), (3, true), (4, false)]);
    let hashed = draw.pick(&[(true, true), (true, true), (false, false)]);
    let id = draw.pick(&[("j", true), ("other", true), ("", false)]);
    let names_signer = draw.pick(&[(true, true), (true, true), (false, false)]);
    let token = if hashed.0 { bound_token() } else { "other".to_owned() };
    let claims = json!({
        "htu": target.0, "htm": method.0, "iat": time.0, "jti": id.0, "ath": base64url(Sha256::digest(token)),
    });
    let key = public(if names_signer.0 { signer.0 } else { 5 });
    let header = json!({"typ": token_type.0, "alg": "ES256", "jwk": key});
    let good = [target.1, method.1, time.1, token_type.1, signer.1, hashed.1, id.1, names_signer.1];
    (EcKey::new("c", signer.0).sign(&header, &claims), good.iter().all(|good| *good))
}

fn decide(token: &str, proof: &[u8], memory: &Memory) -> Decision {
    let credentials = format!("DPoP {token}");
    AUTHORITY.with(|authority| {
        let headers: [(&str, &[u8]); 5] = [
            (":method", b"GET"),
            (":path", b"/api"),
            (":authority", b"api.test"),
            ("authorization", credentials.as_bytes()),
            ("dpop", proof),
        ];
        authority.decide_with(&headers, memory)
    })
}

fn is_allowed(decision: &Decision) -> bool {
    matches!(decision, Decision::Allow(_))
}

/// The client's key, as a proof names it.
fn public(seed: u8) -> Value {
    let key = EcKey::new("c", seed).jwk();
    json!({"kty": "EC", "crv": "P-256", "x": key["x"], "y": key["y"]})
}

fn bound_token() -> String {
    let key = public(3);
    // RFC 7638 section 3: these members, in this order, without blanks.
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"]);
    let thumbprint = base64url(Sha256::digest(text));
    EcKey::new("a", 1).token(&claims_with("cnf", json!({ "jkt": thumbprint })))
}

fn authority() -> Authority {
    let provider = json!({
        "issuer": "https://issuer.test", "audiences": ["api"],
        "local_jwks": {"inline_string": jwks(&[EcKey::new("a", 1).jwk()])},
    });
    Authority::of(json!({"providers": {"acme": provider}}).to_string().as_bytes()).unwrap()
}

#[derive(Default)]
struct Memory(RefCell<BTreeMap<String, (Vec<u8>, u32)>>);

impl SharedStore for Memory {
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        self.0.borrow().get(key).map(|(value, version)| (value.clone(), Version(*version)))
    }

    fn put(&self, key: &str, value: &[u8]) {
        let mut values = self.0.borrow_mut();
        let version = values.get(key).map_or(1, |(_, version)| version + 1);
        values.insert(key.to_owned(), (value.to_vec(), version));
    }

    fn replace(&self, key: &str, value: &[u8], version: Option<Version>) -> bool {
        let held = self.get(key).map(|(_, version)| version);
        if held == version {
            self.put(key, value);
        }
        held == version
    }
}
