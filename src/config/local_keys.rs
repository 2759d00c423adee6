//! The keys of a local set, looked at once, at load.

use super::report::{Checked, Place};
use crate::crypto::{AlgorithmSet, SignatureAlgorithm};
use crate::jwks::{KeyError, KeyOrigin, KeySet, SkippedKey};

/// Reports what is wrong with the document of a local set. A secret that is too short is a mistake (RFC 7518 section
/// 3.2), and so is a set without a usable key; any other key that is skipped is a warning, as it would be in a set that
/// was fetched, and so is an algorithm of `listed` that no key fits.
///
/// `listed` are the algorithms that the configuration lists; `None` if it leaves them to the default.
pub(super) fn check_local_keys(
    document: &[u8],
    listed: Option<AlgorithmSet>,
    max_bytes: usize,
    at: &Place<'_>,
) -> Checked<()> {
    let keys = match KeySet::parse(document, KeyOrigin::Local, max_bytes) {
        Ok(keys) => keys,
        Err(error) => return at.mistake(format!("is not a usable JWKS document: {error}")),
    };
    let is_weak = |skipped: &&SkippedKey| matches!(skipped.reason, KeyError::SecretShorterThan(_));
    if let Some(weak) = keys.skipped().iter().find(is_weak) {
        return at.mistake(format!("{weak}: a secret needs at least as many octets as its algorithm's hash"));
    }
    for skipped in keys.skipped() {
        at.warn(format!("{skipped}: this key is skipped"));
    }
    if keys.is_empty() {
        return at.mistake(format!("has no usable key: {} skipped", keys.skipped().len()));
    }
    for algorithm in listed.into_iter().flat_map(AlgorithmSet::iter).filter(|algorithm| !has_key_for(&keys, *algorithm))
    {
        at.warn(format!("has no key that fits {}, which algorithms lists", algorithm.name()));
    }
    Ok(())
}

fn has_key_for(keys: &KeySet, algorithm: SignatureAlgorithm) -> bool {
    keys.candidates(None, algorithm).next().is_some()
}
