//! The keys of a local set, looked at once, at load.

use super::report::{Checked, Place};
use crate::crypto::AlgorithmSet;

/// Reports what is wrong with the document of a local set: a key that would be skipped is a mistake, since the operator
/// put it there, and so is a set without keys; an algorithm of `listed` that no key fits is a warning.
///
/// `listed` are the algorithms that the configuration lists; `None` if it leaves them to the default.
#[allow(clippy::unnecessary_wraps, reason = "the check of the key set is not there yet")]
pub(super) fn check_local_keys(
    _document: &[u8],
    _listed: Option<AlgorithmSet>,
    _max_bytes: usize,
    _at: &Place<'_>,
) -> Checked<()> {
    // Here goes `jwks::KeySet::parse(document, KeyOrigin::Local, max_bytes)`.
    Ok(())
}
