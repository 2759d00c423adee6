//! A configuration of `jwt_authn` and what came of it, both with the same generated keys in the place of the issuers'.

use std::collections::BTreeMap;

use jwt_warden::authenticator::Authenticator;
use jwt_warden::config;
use jwt_warden::crypto::{SignatureAlgorithm, Signatures};
use serde_json::{Map, Value, json};

use super::super::note::Draft;
use crate::Stop;
use crate::minting::key::PrivateKey;

/// Every spelling of where a provider's keys come from.
const SOURCES: [&str; 4] = ["remote_jwks", "remoteJwks", "local_jwks", "localJwks"];

/// Both configurations, and the keys that they know.
pub(super) struct Pair {
    pub(super) native: Value,
    pub(super) warden: Value,
    /// The same, as the filter reads it.
    pub(super) authenticator: Authenticator,
    /// The keys of the providers, in their order.
    pub(super) keys: Vec<PrivateKey>,
}

impl Pair {
    /// Providers that have had one source of keys share a key.
    pub(super) fn new(draft: &Draft) -> Result<Self, Stop> {
        let mut native = draft.native.clone().ok_or(
            "--verify: Envoy itself has no filter to compare this with: only what comes from jwt_authn can be verified",
        )?;
        let mut warden = Value::Object(draft.configuration.clone());
        let mut made: BTreeMap<String, PrivateKey> = BTreeMap::new();
        let mut keys = BTreeMap::new();
        for (name, provider) in providers(&mut warden) {
            let source = SOURCES.iter().filter_map(|source| provider.get(*source)).map(Value::to_string).collect();
            let key = match made.get(&source) {
                Some(key) => key.clone(),
                None => PrivateKey::generate(SignatureAlgorithm::Es256, None, 0)?,
            };
            let document = json!({"keys": [key.public_jwk()]}).to_string();
            replace(provider, &document);
            if let Some(theirs) = providers(&mut native).find(|(other, _)| *other == name).map(|(_, provider)| provider)
            {
                replace(theirs, &document);
            }
            keys.insert(name.clone(), key.clone());
            made.insert(source, key);
        }
        let loaded =
            config::parse(warden.to_string().as_bytes(), &|_| None).map_err(|error| format!("--verify: {error}"))?;
        let authenticator = Authenticator::new(loaded.config, Signatures::in_module(), 0);
        let keys = authenticator.config().providers.iter().filter_map(|provider| keys.remove(&provider.name)).collect();
        Ok(Self { native, warden, authenticator, keys })
    }

    /// What the migrated configuration says of a provider.
    pub(super) fn provider(&self, name: &str) -> &Value {
        self.warden.get("providers").and_then(|all| all.get(name)).unwrap_or(&Value::Null)
    }
}

fn providers(configuration: &mut Value) -> impl Iterator<Item = (&String, &mut Map<String, Value>)> {
    let all = configuration.get_mut("providers").and_then(Value::as_object_mut);
    all.into_iter().flatten().filter_map(|(name, provider)| Some((name, provider.as_object_mut()?)))
}

fn replace(provider: &mut Map<String, Value>, document: &str) {
    provider.retain(|name, _| !SOURCES.contains(&name.as_str()));
    provider.insert("local_jwks".to_owned(), json!({"inline_string": document}));
}
