//! Files with private keys: read, and written for nobody else to read.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::key::PrivateKey;
use crate::{Stop, input, yaml};

/// As many as the filter takes in one set.
const MAX_KEYS: usize = 256;

/// The private keys of a file: a JWKS, or one JWK.
///
/// # Errors
///
/// It holds none, or something else.
pub(crate) fn read(path: &Path) -> Result<Vec<PrivateKey>, Stop> {
    let name = path.display();
    let keys = members(path)?;
    let read = |(index, jwk)| PrivateKey::read(jwk).map_err(|sentence| format!("{name}: key {index} {sentence}"));
    keys.iter().enumerate().map(read).collect()
}

/// The one key of a file that is meant: the named one, or the first that signs by this algorithm, or the first.
///
/// # Errors
///
/// There is none.
pub(crate) fn choose(
    keys: Vec<PrivateKey>,
    kid: Option<&str>,
    algorithm: Option<jwt_warden::crypto::SignatureAlgorithm>,
) -> Result<PrivateKey, Stop> {
    let is_meant = |key: &PrivateKey| kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
    let names: Vec<_> = keys.iter().filter_map(|key| key.kid.clone()).collect();
    let mut found: Vec<_> = keys.into_iter().filter(is_meant).collect();
    if found.is_empty() {
        return Err(format!("no key has the kid {:?}: there are {}", kid.unwrap_or_default(), names.join(", ")));
    }
    let position = found.iter().position(|key| key.algorithm(algorithm).is_ok()).unwrap_or_default();
    let key = found.swap_remove(position);
    key.algorithm(algorithm).map(|_| key)
}

/// The JWKs of a file, as they are.
///
/// # Errors
///
/// It holds none.
pub(crate) fn members(path: &Path) -> Result<Vec<Value>, Stop> {
    let name = path.display();
    let text = input::read(path)?;
    if text.contains("-----BEGIN") {
        return Err(format!("{name}: holds PEM: keys are JWKs here, such as `jwt-warden jwks` makes"));
    }
    let tree = yaml::parse(&text).map_err(|unreadable| {
        format!("{name}:{}:{}: {}", unreadable.at.line, unreadable.at.column, unreadable.sentence)
    })?;
    let [document] = tree.documents.as_slice() else {
        return Err(format!("{name}: is no JWKS: it does not hold one JSON object"));
    };
    let keys = match document.get("keys") {
        Some(keys) => keys.items().iter().map(|key| key.value()).collect(),
        None if document.get("kty").is_some() => vec![document.value()],
        None => Vec::new(),
    };
    if keys.is_empty() {
        return Err(format!("{name}: holds no key: it should be a JWKS, `{{\"keys\": [...]}}`, or one JWK"));
    }
    if keys.len() > MAX_KEYS {
        return Err(format!("{name}: holds more than {MAX_KEYS} keys"));
    }
    Ok(keys)
}

/// Writes private keys for the owner's eyes only. What is there already is replaced in one step, and only if that is wanted.
///
/// # Errors
///
/// They could not be written, or would replace others.
pub(crate) fn write(path: &Path, keys: &[PrivateKey], replace: bool) -> Result<(), Stop> {
    let set = json!({"keys": keys.iter().map(PrivateKey::private_jwk).collect::<Vec<_>>()});
    let text = serde_json::to_string_pretty(&set).map_err(|error| error.to_string())? + "\n";
    let name = path.display();
    let beside = if replace { beside(path) } else { path.to_owned() };
    let written = create(&beside).and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    match written {
        Ok(()) if replace => fs::rename(&beside, path).map_err(|error| format!("{name}: {error}")),
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(format!("{}: is there already: choose another name, or give --force to replace it", beside.display()))
        }
        Err(error) => Err(format!("{}: {error}", beside.display())),
    }
}

/// The file where the new one grows.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn create(path: &Path) -> std::io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
