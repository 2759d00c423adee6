//! For tests of what is decided: configurations, and tokens whose signature is good.

use std::net::IpAddr;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::config::{self, Config, Provider, ProviderId};
use crate::connection::Connection;
use crate::crypto::{HmacKey, Signatures};
use crate::decision::Decision;
use crate::jwks::{KeyOrigin, KeySet};
use crate::request::Request;
use crate::revocation::{Marks, Standing};
use crate::shared_store::tests::Memory;
use crate::time::Timestamp;
use crate::verifier::{KeyLookup, KeyQuery, Keys, Moment, Revocations};

/// The time of every decision, in seconds.
pub(crate) const SECONDS: u64 = 1_700_000_000;
/// The time of every decision.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(SECONDS);

const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

/// The set of the key that signs.
pub(crate) fn key_set() -> String {
    json!({"keys": [{"kty": "oct", "kid": "k", "k": URL_SAFE_NO_PAD.encode(SECRET)}]}).to_string()
}

/// A provider as it stands in a configuration: of the issuer `i` and the audience `api`, with these members in place of its
/// own.
pub(crate) fn provider_json(members: &Value) -> Value {
    let usual = json!({
        "issuer": "i", "audiences": ["api"], "algorithms": ["HS256"], "local_jwks": {"inline_string": key_set()},
    });
    with(usual, members)
}

/// The same object with these members in place of its own; `null` takes one out.
pub(crate) fn with(mut object: Value, members: &Value) -> Value {
    let known = object.as_object_mut().unwrap();
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            known.remove(name);
        } else {
            known.insert(name.clone(), value.clone());
        }
    }
    object
}

/// A configuration.
pub(crate) fn config(document: &Value) -> Config {
    config::parse(document.to_string().as_bytes(), &|_| None).unwrap().config
}

/// A provider with these members.
pub(crate) fn provider(members: &Value) -> Provider {
    config(&json!({"providers": {"p": provider_json(members)}})).providers.remove(0)
}

/// A token with this header and these claims, signed by the key whatever its header says.
pub(crate) fn signed(header: &Value, claims: &Value) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let input = format!("{header}.{claims}");
    let tag = HmacKey::new(SECRET).unwrap().tag(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// A token that a provider accepts, with these claims in place of its own.
pub(crate) fn token(claims: &Value) -> String {
    let usual = json!({"iss": "i", "aud": "api", "sub": "s", "exp": SECONDS + 100});
    signed(&json!({"alg": "HS256"}), &with(usual, claims))
}

/// What a decision is surrounded by.
pub(crate) struct Surroundings {
    /// What a look-up of keys gives.
    pub(crate) keys: KeyLookup,
    /// The providers whose keys come by then, whatever `keys` gives.
    pub(crate) pending: Vec<(ProviderId, Timestamp)>,
    /// The generation of the keys.
    pub(crate) generation: Option<u64>,
    /// How every token stands.
    pub(crate) standing: Standing,
    /// What the request comes over.
    pub(crate) client: Client,
    /// What all workers share.
    pub(crate) store: Memory,
}

/// The other end of a connection.
pub(crate) struct Client {
    /// Whether it came over TLS.
    pub(crate) is_tls: bool,
    /// Its address.
    pub(crate) address: IpAddr,
}

impl Connection for Client {
    fn certificate_digest(&self) -> Option<[u8; 32]> {
        None
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }

    fn peer_address(&self) -> Option<IpAddr> {
        Some(self.address)
    }
}

impl Default for Surroundings {
    fn default() -> Self {
        let keys = KeySet::parse(key_set().as_bytes(), KeyOrigin::Local, 1 << 16).unwrap();
        let keys = KeyLookup::Ready(Rc::new(keys));
        Self {
            keys,
            pending: Vec::new(),
            generation: Some(0),
            standing: Standing::Good,
            client: Client { is_tls: true, address: IpAddr::from([192, 0, 2, 1]) },
            store: Memory::default(),
        }
    }
}

impl Surroundings {
    /// The moment at [`NOW`].
    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment { keys: self, revocations: self, connection: &self.client, store: &self.store, arrival: NOW, now: NOW }
    }

    /// What becomes of a request with these headers.
    pub(crate) fn decide(&self, authenticator: &Authenticator, headers: &[(&str, &str)]) -> Decision {
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        authenticator.decide(&Request::new(headers), self.moment())
    }
}

/// Who decides by this configuration.
pub(crate) fn authenticator(document: &Value) -> Authenticator {
    Authenticator::new(config(document), Signatures::in_module(), 1)
}

impl Keys for Surroundings {
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup {
        let pending = self.pending.iter().find(|(provider, _)| *provider == query.provider);
        pending.map_or_else(|| self.keys.clone(), |(_, until)| KeyLookup::Pending(*until))
    }

    fn generation(&self, _: ProviderId, _: Timestamp) -> Option<u64> {
        self.generation
    }
}

impl Revocations for Surroundings {
    fn standing(&self, _: ProviderId, _: &Marks, _: Timestamp, _: Timestamp) -> Standing {
        self.standing
    }
}
