//! The key that a proof of possession brings along in its header (RFC 7515 section 4.1.3). It shows nothing but that the
//! sender has the private half: tokens are never verified by such a key.

use super::json::Members;
use super::key::{Key, KeyError, KeyOrigin};
use crate::crypto::{AlgorithmSet, VerifyingKey};

/// The public key in the `jwk` of this header, and the algorithms that it serves.
pub(crate) fn embedded_key(header_json: &str) -> Result<(VerifyingKey, AlgorithmSet), KeyError> {
    let header = Members::parse(header_json).map_err(|_| KeyError::NotAnObject)?;
    let jwk = header.value("jwk").ok_or(KeyError::Missing("jwk"))?;
    let members = Members::parse(jwk.get()).map_err(|_| KeyError::NotAnObject)?;
    if members.has_duplicates {
        return Err(KeyError::DuplicateMember);
    }
    // No public key has it: it would be somebody's secret.
    if members.contains("k") {
        return Err(KeyError::Private);
    }
    let key = Key::read(&members, KeyOrigin::Remote)?;
    Ok((key.verifying_key, key.algorithms))
}
