//! What surrounds a decision outside of a proxy: keys from files, a store in memory, a connection as it was described.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jwt_warden::config::{Config, JwksSource, Provider, ProviderId};
use jwt_warden::connection::Connection;
use jwt_warden::jwks::{KeyOrigin, KeySet};
use jwt_warden::revocation::{Marks, ProviderRevocation, Standing};
use jwt_warden::shared_store::{SharedStore, Version};
use jwt_warden::time::Timestamp;
use jwt_warden::verifier::{KeyLookup, KeyQuery, Keys, Revocations};

use crate::{Stop, input};

/// The keys of one provider.
pub(super) enum Held {
    /// There are some.
    Set(Rc<KeySet>),
    /// The filter fetches them, this program does not.
    Missing,
    /// The file has none that could be used.
    Useless(Rc<KeySet>),
}

/// The keys of every provider: those of the configuration, and those of the files.
pub(super) struct GivenKeys(Vec<Held>);

/// A file with keys, and for whom: `FILE` or `PROVIDER=FILE`.
pub(super) struct JwksFile {
    provider: Option<String>,
    file: PathBuf,
}

impl JwksFile {
    /// Takes what stands before an equals sign for a provider if the configuration has it.
    pub(super) fn parse(text: &str, config: &Config) -> Self {
        let named = text.split_once('=').filter(|(name, _)| config.providers.iter().any(|known| known.name == *name));
        match named {
            Some((name, file)) => Self { provider: Some(name.to_owned()), file: file.into() },
            None => Self { provider: None, file: text.into() },
        }
    }

    fn is_for(&self, provider: &Provider) -> bool {
        self.provider.as_ref().is_none_or(|name| *name == provider.name)
    }
}

impl GivenKeys {
    /// The keys by this configuration and these files.
    ///
    /// # Errors
    ///
    /// A file is no key set, or for nobody.
    pub(super) fn new(config: &Config, files: &[JwksFile]) -> Result<Self, Stop> {
        for JwksFile { provider, file } in files {
            let known = provider.as_ref().and_then(|name| config.providers.iter().find(|known| known.name == *name));
            if let Some(Provider { name, jwks: JwksSource::Local(_), .. }) = known {
                let file = file.display();
                return Err(format!(
                    "{file}: the keys of `{name}` stand in the configuration (`local_jwks`): they count"
                ));
            }
        }
        let is_remote = |provider: &&Provider| matches!(provider.jwks, JwksSource::Remote(_));
        if let (Some(given), false) = (files.first(), config.providers.iter().any(|provider| is_remote(&provider))) {
            let file = given.file.display();
            return Err(format!("{file}: no provider fetches keys: those in the configuration (`local_jwks`) count"));
        }
        let max_bytes = config.limits.max_jwks_bytes;
        let held = |provider: &Provider| match &provider.jwks {
            JwksSource::Local(document) => {
                let set = KeySet::parse(document, KeyOrigin::Local, max_bytes).unwrap_or_default();
                Ok(Held::Set(Rc::new(set)))
            }
            JwksSource::Remote(_) => match files.iter().rev().find(|file| file.is_for(provider)) {
                Some(given) => read(&given.file, max_bytes),
                None => Ok(Held::Missing),
            },
        };
        config.providers.iter().map(held).collect::<Result<_, _>>().map(Self)
    }

    /// Those of this provider.
    pub(super) fn of(&self, id: ProviderId) -> &Held {
        self.0.get(id.0).unwrap_or(&Held::Missing)
    }
}

fn read(file: &Path, max_bytes: usize) -> Result<Held, Stop> {
    let text = input::read(file)?;
    let set = KeySet::parse(text.as_bytes(), KeyOrigin::Remote, max_bytes).map_err(|error| {
        let hint = if text.contains("\"jwks_uri\"") {
            "this is the issuer's metadata: give the document that its `jwks_uri` names"
        } else {
            "it has to be the issuer's JWKS, as its server gives it: {\"keys\": [...]}"
        };
        format!("{}: is no key set, {error}: {hint}", file.display())
    })?;
    // The filter refuses such a document, too, and stays without keys.
    let set = Rc::new(set);
    Ok(if set.is_empty() { Held::Useless(set) } else { Held::Set(set) })
}

impl Keys for GivenKeys {
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup {
        match self.of(query.provider) {
            Held::Set(set) => KeyLookup::Ready(Rc::clone(set)),
            Held::Missing => KeyLookup::Pending(query.now),
            Held::Useless(_) => KeyLookup::Unavailable,
        }
    }

    fn generation(&self, provider: ProviderId, _now: Timestamp) -> Option<u64> {
        matches!(self.of(provider), Held::Set(_)).then_some(0)
    }
}

/// What is known of revoked tokens without asking anybody: whether they could be.
pub(super) struct Unasked(RefCell<Vec<Option<ProviderRevocation>>>);

impl Unasked {
    pub(super) fn new(config: &Config) -> Self {
        let max_bytes = config.limits.max_revocation_bytes;
        let of = |provider: &Provider| {
            provider.revocation.as_ref().map(|settings| ProviderRevocation::new(settings, max_bytes))
        };
        Self(RefCell::new(config.providers.iter().map(of).collect()))
    }
}

impl Revocations for Unasked {
    fn standing(&self, provider: ProviderId, marks: &Marks, arrival: Timestamp, now: Timestamp) -> Standing {
        let Ok(mut all) = self.0.try_borrow_mut() else { return Standing::Good };
        let known = all.get_mut(provider.0).and_then(Option::as_mut);
        match known.map(|known| known.standing(marks, arrival, now)) {
            Some(unmarked @ Standing::Unmarked(_)) => unmarked,
            _ => Standing::Good,
        }
    }
}

/// A connection as it was described.
#[derive(Debug, Clone, Default)]
pub(super) struct Described {
    pub(super) is_tls: bool,
    pub(super) peer: Option<IpAddr>,
    pub(super) certificate: Option<[u8; 32]>,
}

impl Connection for Described {
    fn certificate_digest(&self) -> Option<[u8; 32]> {
        self.certificate
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }

    fn peer_address(&self) -> Option<IpAddr> {
        self.peer
    }
}

/// A store of one process.
#[derive(Default)]
pub(super) struct Memory(RefCell<BTreeMap<String, (Vec<u8>, u32)>>);

impl SharedStore for Memory {
    fn get(&self, key: &str) -> Option<(Vec<u8>, Version)> {
        self.0.borrow().get(key).map(|(value, version)| (value.clone(), Version(*version)))
    }

    fn put(&self, key: &str, value: &[u8]) {
        let version = self.get(key).map_or(1, |(_, Version(version))| version.saturating_add(1));
        self.0.borrow_mut().insert(key.to_owned(), (value.to_vec(), version));
    }

    fn replace(&self, key: &str, value: &[u8], version: Option<Version>) -> bool {
        let is_current = self.get(key).map(|(_, held)| held) == version;
        if is_current {
            self.put(key, value);
        }
        is_current
    }
}
