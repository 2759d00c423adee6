//! The filter's core with keys of its own, as the properties ask it.

use std::rc::Rc;

use jwt_warden::authenticator::Authenticator;
use jwt_warden::config::{self, JwksSource, ProviderId};
use jwt_warden::connection;
use jwt_warden::crypto::Signatures;
use jwt_warden::decision::Decision;
use jwt_warden::jwks::{KeyOrigin, KeySet};
use jwt_warden::remote::Failure;
use jwt_warden::request::Request;
use jwt_warden::revocation::{Marks, Standing, StatusListToken};
use jwt_warden::shared_store::{Nowhere, SharedStore};
use jwt_warden::time::Timestamp;
use jwt_warden::verifier::{KeyLookup, KeyQuery, Keys, Moment, Revocations};

use super::mint::NOW;

/// One configuration, and the local keys of its providers; others have none.
pub struct Authority {
    pub authenticator: Authenticator,
    keys: LocalKeys,
}

struct LocalKeys(Vec<Option<Rc<KeySet>>>);

impl Authority {
    /// `None` if the configuration is refused.
    pub fn of(configuration: &[u8]) -> Option<Self> {
        let config = config::parse(configuration, &|_| None).ok()?.config;
        let local = |source: &JwksSource| match source {
            JwksSource::Local(document) => KeySet::parse(document, KeyOrigin::Local, usize::MAX).ok().map(Rc::new),
            JwksSource::Remote(_) => None,
        };
        let keys = LocalKeys(config.providers.iter().map(|provider| local(&provider.jwks)).collect());
        Some(Self { authenticator: Authenticator::new(config, Signatures::in_module(), 7), keys })
    }

    pub fn decide(&self, headers: &[(&str, &[u8])]) -> Decision {
        self.decide_with(headers, &Nowhere)
    }

    pub fn decide_with(&self, headers: &[(&str, &[u8])], store: &dyn SharedStore) -> Decision {
        let now = Timestamp::from_secs(NOW);
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), *value)).collect();
        let moment = Moment {
            keys: &self.keys,
            revocations: &self.keys,
            connection: &connection::Unknown,
            store,
            arrival: now,
            now,
        };
        self.authenticator.decide(&Request::new(headers), moment)
    }

    /// A status list by the keys of the first provider.
    pub fn status_list(&self, token: &[u8], max_bytes: usize) -> Result<StatusListToken, Failure> {
        let provider = (ProviderId(0), &self.authenticator.config().providers[0]);
        let now = Timestamp::from_secs(NOW);
        StatusListToken::verify(token, max_bytes, provider, &self.keys, &Signatures::in_module(), now)
    }
}

impl Keys for LocalKeys {
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup {
        let set = self.0.get(query.provider.0).and_then(Option::as_ref);
        set.map_or(KeyLookup::Unavailable, |set| KeyLookup::Ready(Rc::clone(set)))
    }

    fn generation(&self, _: ProviderId, _: Timestamp) -> Option<u64> {
        Some(0)
    }
}

impl Revocations for LocalKeys {
    fn standing(&self, _: ProviderId, _: &Marks, _: Timestamp, _: Timestamp) -> Standing {
        Standing::Unavailable("nobody is asked")
    }
}
