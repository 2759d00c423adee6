//! The host's verifier of signatures, where it has one.

use super::abi;
use crate::crypto::HostVerifier;

/// A serialized `VerifySignatureResult` that says yes: field 1, a boolean, is true, and there is no field 2, an error.
const VALID: &[u8] = &[0x08, 0x01];

/// The foreign function `verify_signature`.
pub(super) struct ForeignFunction;

impl HostVerifier for ForeignFunction {
    /// The status says whether the arguments made sense; the verdict is in the result.
    fn verify_signature(&self, arguments: &[u8]) -> Option<bool> {
        abi::call_foreign_function("verify_signature", arguments).map(|result| result == VALID)
    }
}
