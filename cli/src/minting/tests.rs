//! What is minted is what the filter's core takes it for: each good token passes, each bad one is refused for its reason.

use std::rc::Rc;
use std::time::Duration;

use clap::ValueEnum as _;
use jwt_warden::authenticator::Authenticator;
use jwt_warden::config::{self, ProviderId};
use jwt_warden::connection::Connection;
use jwt_warden::crypto::{SignatureAlgorithm, Signatures};
use jwt_warden::decision::Decision;
use jwt_warden::jwks::{KeyOrigin, KeySet};
use jwt_warden::reason::Reason;
use jwt_warden::request::Request;
use jwt_warden::revocation::{Marks, Standing};
use jwt_warden::shared_store::{SharedStore, Version};
use jwt_warden::time::Timestamp;
use jwt_warden::verifier::{KeyLookup, KeyQuery, Keys, Moment, Revocations};
use serde_json::{Map, Value, json};

use super::bad::Bad;
use super::key::PrivateKey;
use super::proof::{Target, prove};
use super::token::{Order, mint};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// A proxy with the filter's core, whose one provider trusts one key.
struct Proxy {
    authenticator: Authenticator,
    keys: Rc<KeySet>,
    certificate: Option<[u8; 32]>,
}

impl Proxy {
    fn trusting(key: &PrivateKey) -> Self {
        let jwk = key.public_jwk().unwrap_or_else(|| key.private_jwk());
        let keys = json!({"keys": [jwk]}).to_string();
        let mut provider = json!({
            "issuer": "https://issuer.example/", "audiences": ["api"], "max_lifetime": "2h",
            "local_jwks": {"inline_string": keys}, "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
        });
        if key.is_shared() {
            let all = SignatureAlgorithm::ALL.map(SignatureAlgorithm::name);
            provider["algorithms"] = json!(all);
        }
        let text = json!({"providers": {"a": provider}}).to_string();
        let config = config::parse(text.as_bytes(), &|_| None).unwrap().config;
        let keys = KeySet::parse(keys.as_bytes(), KeyOrigin::Local, usize::MAX).unwrap();
        let authenticator = Authenticator::new(config, Signatures::in_module(), 0);
        Self { authenticator, keys: Rc::new(keys), certificate: None }
    }

    /// Why the request is refused; `None` if it passes.
    fn refuses(&self, headers: &[(&str, &str)]) -> Option<Reason> {
        let fixed = [(":method", "GET"), (":path", "/orders?page=2"), (":authority", "api.example")];
        let headers = fixed.iter().chain(headers).map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let moment =
            Moment { keys: self, revocations: self, connection: self, store: &Forgetful, arrival: NOW, now: NOW };
        match self.authenticator.decide(&Request::new(headers), moment) {
            Decision::Allow(admission) => {
                assert_eq!(admission.provider, Some(ProviderId(0)));
                None
            }
            Decision::Deny(denial) => Some(denial.reason),
            other => panic!("{other:?}"),
        }
    }

    fn refuses_bearer(&self, token: &str) -> Option<Reason> {
        self.refuses(&[("authorization", &format!("Bearer {token}"))])
    }
}

/// Takes every value, and has none: each proof is the first.
struct Forgetful;

impl SharedStore for Forgetful {
    fn get(&self, _: &str) -> Option<(Vec<u8>, Version)> {
        None
    }

    fn put(&self, _: &str, _: &[u8]) {}

    fn replace(&self, _: &str, _: &[u8], _: Option<Version>) -> bool {
        true
    }
}

impl Keys for Proxy {
    fn lookup(&self, _: KeyQuery<'_>) -> KeyLookup {
        KeyLookup::Ready(Rc::clone(&self.keys))
    }

    fn generation(&self, _: ProviderId, _: Timestamp) -> Option<u64> {
        Some(0)
    }
}

impl Revocations for Proxy {
    fn standing(&self, _: ProviderId, _: &Marks, _: Timestamp, _: Timestamp) -> Standing {
        Standing::Unavailable("nothing is revoked here")
    }
}

impl Connection for Proxy {
    fn certificate_digest(&self) -> Option<[u8; 32]> {
        self.certificate
    }

    fn is_tls(&self) -> bool {
        true
    }
}

fn order() -> Order {
    Order {
        issuer: "https://issuer.example/".to_owned(),
        audiences: vec!["api".to_owned()],
        subject: "alice".to_owned(),
        lifetime: Duration::from_secs(300),
        token_type: Some("JWT".to_owned()),
        ..Order::default()
    }
}

fn with_claim(name: &str, value: Value) -> Order {
    Order { claims: Map::from_iter([(name.to_owned(), value)]), ..order() }
}

fn generated(algorithm: SignatureAlgorithm) -> PrivateKey {
    PrivateKey::generate(algorithm, Some("k".to_owned()), 2048).unwrap()
}

fn minted(order: &Order, key: &PrivateKey) -> String {
    mint(order, key, key.algorithm(None).unwrap(), NOW).unwrap()
}

#[test]
fn a_good_token_of_every_algorithm_passes() {
    for algorithm in SignatureAlgorithm::ALL {
        let key = generated(algorithm);
        let proxy = Proxy::trusting(&key);
        assert_eq!(proxy.refuses_bearer(&minted(&order(), &key)), None, "{algorithm:?}");
        let renewed = key.successor().unwrap();
        assert_eq!(renewed.algorithm(None), Ok(algorithm));
        let unknown = Some(Reason::KeyUnknown);
        assert_eq!(proxy.refuses_bearer(&minted(&order(), &renewed)), unknown, "{algorithm:?}");
    }
}

#[test]
fn every_bad_token_is_refused_for_its_reason() {
    for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::Rs256, SignatureAlgorithm::EdDsa] {
        let key = generated(algorithm);
        let proxy = Proxy::trusting(&key);
        for bad in Bad::ALL {
            let token = minted(&Order { bad: Some(bad), ..order() }, &key);
            assert_eq!(proxy.refuses_bearer(&token), Some(bad.reason()), "{algorithm:?} {bad:?} {token}");
        }
    }
}

#[test]
fn bad_tokens_of_shared_secrets_are_refused_too() {
    let key = generated(SignatureAlgorithm::Hs256);
    let proxy = Proxy::trusting(&key);
    for bad in Bad::ALL.into_iter().filter(|bad| *bad != Bad::HsWithPublicKey) {
        let token = minted(&Order { bad: Some(bad), ..order() }, &key);
        assert_eq!(proxy.refuses_bearer(&token), Some(bad.reason()), "{bad:?}");
    }
    let bad = Order { bad: Some(Bad::HsWithPublicKey), ..order() };
    assert!(mint(&bad, &key, SignatureAlgorithm::Hs256, NOW).is_err());
}

#[test]
fn the_document_has_every_bad_token() {
    #[allow(clippy::disallowed_methods, reason = "tests read files")]
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/program.md")).unwrap();
    let rows = Bad::ALL.map(|bad| {
        let (name, reason, words) = bad.row();
        format!("| `{name}` | {words} | `{}` |\n", reason.code())
    });
    assert!(document.contains(&rows.concat()), "docs/program.md should have:\n{}", rows.concat());
    assert!(Bad::ALL.iter().all(|bad| Bad::from_str(bad.row().0, false) == Ok(*bad)));
}

#[test]
fn claims_and_header_are_what_was_ordered() {
    let key = generated(SignatureAlgorithm::Es256);
    let mut wanted = with_claim("scope", json!("read"));
    wanted.audiences.push("other".to_owned());
    wanted.without.push("nbf".to_owned());
    wanted.header.insert("x".to_owned(), json!(1));
    let token = minted(&wanted, &key);
    let segments: Vec<_> = token.split('.').map(|segment| super::decoded(segment).unwrap()).collect();
    let header: Value = serde_json::from_slice(&segments[0]).unwrap();
    let mut claims: Value = serde_json::from_slice(&segments[1]).unwrap();
    assert_eq!(header, json!({"alg": "ES256", "typ": "JWT", "kid": "k", "x": 1}));
    assert_eq!(claims["jti"].take().as_str().map(str::len), Some(22));
    let now = NOW.as_secs();
    let expected = json!({"iss": "https://issuer.example/", "sub": "alice", "aud": ["api", "other"], "iat": now,
        "exp": now + 300, "jti": null, "scope": "read"});
    assert_eq!(claims, expected);
    assert_eq!(Proxy::trusting(&key).refuses_bearer(&token), None);
}

#[test]
fn a_token_bound_to_a_key_passes_with_its_proof_only() {
    let key = generated(SignatureAlgorithm::Es256);
    let proxy = Proxy::trusting(&key);
    for algorithm in [SignatureAlgorithm::Es256, SignatureAlgorithm::EdDsa, SignatureAlgorithm::Ps256] {
        let holder = generated(algorithm);
        let token = minted(&with_claim("cnf", json!({"jkt": holder.thumbprint()})), &key);
        let authorization = format!("DPoP {token}");
        let target =
            Target { method: "GET", url: "https://api.example/orders?page=2#x", token: Some(&token), nonce: None };
        let prove = |target: &Target<'_>, key: &PrivateKey| {
            prove(target, key, key.algorithm(None).unwrap(), Default::default(), NOW).unwrap()
        };
        let shown = |proof: &str| proxy.refuses(&[("authorization", &authorization), ("dpop", proof)]);
        assert_eq!(shown(&prove(&target, &holder)), None);
        assert_eq!(shown(&prove(&target, &generated(algorithm))), Some(Reason::DpopProofInvalid));
        assert_eq!(
            shown(&prove(&Target { method: "POST", ..target.clone() }, &holder)),
            Some(Reason::DpopProofInvalid)
        );
        assert_eq!(shown(&prove(&Target { token: None, ..target }, &holder)), Some(Reason::DpopProofInvalid));
        assert_eq!(proxy.refuses_bearer(&token), Some(Reason::SenderConstraint));
    }
}

#[test]
fn a_token_bound_to_a_certificate_passes_with_it_only() {
    let key = generated(SignatureAlgorithm::Es256);
    let token = minted(&with_claim("cnf", json!({"x5t#S256": super::encoded([7; 32])})), &key);
    let mut proxy = Proxy::trusting(&key);
    assert_eq!(proxy.refuses_bearer(&token), Some(Reason::SenderConstraint));
    proxy.certificate = Some([7; 32]);
    assert_eq!(proxy.refuses_bearer(&token), None);
}

#[test]
fn a_secret_proves_nothing() {
    let target = Target { method: "GET", url: "https://api.example/", token: None, nonce: None };
    let secret = generated(SignatureAlgorithm::Hs256);
    assert!(prove(&target, &secret, SignatureAlgorithm::Hs256, Default::default(), NOW).is_err());
    let key = generated(SignatureAlgorithm::Es256);
    let elsewhere = Target { url: "/orders", ..target };
    assert!(prove(&elsewhere, &key, SignatureAlgorithm::Es256, Default::default(), NOW).is_err());
}
