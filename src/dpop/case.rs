//! Requests with proofs for tests: good ones, and what can be changed of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Examiner, Nonces, Proof};
use crate::config::Dpop;
use crate::connection::Connection;
use crate::crypto::Signatures;
use crate::decision::Denial;
use crate::front::Front;
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;

pub(super) const NOW: u64 = 1_700_000_000;
pub(super) const TOKEN: &[u8] = b"header.claims.signature";

/// Whether it is without TLS.
struct Plain(bool);

impl Connection for Plain {
    fn certificate_digest(&self) -> Option<[u8; 32]> {
        None
    }

    fn is_tls(&self) -> bool {
        !self.0
    }
}

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

pub(crate) fn jwk(key: &SigningKey) -> Value {
    let point = key.verifying_key().to_sec1_point(false);
    json!({"kty": "EC", "crv": "P-256", "x": encoded(&point.as_bytes()[1..33]), "y": encoded(&point.as_bytes()[33..])})
}

pub(crate) fn thumbprint_of(key: &SigningKey) -> String {
    let jwk = jwk(key);
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
    encoded(Sha256::digest(text.as_bytes()))
}

/// A request with its proof, good unless it is changed.
pub(super) struct Case {
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) settings: Dpop,
    pub(super) method: &'static str,
    pub(super) authority: &'static str,
    pub(super) path: &'static str,
    pub(super) plain: bool,
    pub(super) now: u64,
    pub(super) nonces: Option<Nonces>,
}

impl Case {
    pub(super) fn good() -> Self {
        Self {
            header: json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&key(1))}),
            claims: json!({
                "jti": "1", "htm": "GET", "htu": "https://api.example/orders", "iat": NOW,
                "ath": encoded(Sha256::digest(TOKEN)),
            }),
            settings: Dpop::default(),
            method: "GET",
            authority: "api.example",
            path: "/orders?page=2",
            plain: false,
            now: NOW,
            nonces: None,
        }
    }

    pub(super) fn header(name: &str, value: Value) -> Self {
        let mut case = Self::good();
        set(&mut case.header, name, value);
        case
    }

    pub(super) fn claim(name: &str, value: Value) -> Self {
        let mut case = Self::good();
        set(&mut case.claims, name, value);
        case
    }

    pub(super) fn jwk(name: &str, value: Value) -> Self {
        let mut case = Self::good();
        set(&mut case.header["jwk"], name, value);
        case
    }

    pub(super) fn proof(&self) -> String {
        signed(&self.header.to_string(), &self.claims.to_string())
    }

    pub(super) fn with_headers(&self, proofs: &[&str]) -> Result<Proof, Denial> {
        let headers = [(":method", self.method), (":authority", self.authority), (":path", self.path)];
        let proofs = proofs.iter().map(|proof| ("dpop", *proof));
        let headers = headers.into_iter().chain(proofs).map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let now = Timestamp::from_secs(self.now);
        let signatures = Signatures::in_module();
        let examiner = Examiner { settings: &self.settings, signatures: &signatures, nonces: self.nonces.as_ref() };
        let request = Request::new(headers.collect());
        examiner.examine(Front { proxies: None, request: &request, connection: &Plain(self.plain) }, now)
    }

    pub(super) fn examine(&self) -> Result<Proof, Denial> {
        self.with_headers(&[&self.proof()])
    }

    pub(super) fn refused_as(&self, detail: &str) {
        is_refused(self.examine(), detail);
    }

    pub(super) fn is_good(&self) {
        self.examine().unwrap().is_for(TOKEN, &thumbprint_of(&key(1))).unwrap();
    }
}

/// Null removes the member.
pub(super) fn set(object: &mut Value, name: &str, value: Value) {
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
}

pub(crate) fn signed(header: &str, claims: &str) -> String {
    let input = format!("{}.{}", encoded(header), encoded(claims));
    let signature: Signature = key(1).sign(input.as_bytes());
    format!("{input}.{}", encoded(signature.to_bytes()))
}

#[track_caller]
pub(super) fn is_refused<T: std::fmt::Debug>(outcome: Result<T, Denial>, detail: &str) {
    let denial = outcome.unwrap_err();
    assert_eq!(denial.reason, Reason::DpopProofInvalid, "{denial:?}");
    assert!(denial.details.iter().any(|(_, value)| value.contains(detail)), "{denial:?} lacks {detail}");
}
