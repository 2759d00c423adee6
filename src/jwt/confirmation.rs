//! The confirmation (RFC 7800 section 3): what the client has to prove the possession of.

use serde_json::Value;

/// What a token is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confirmation {
    /// `x5t#S256`: the SHA-256 thumbprint of the client's certificate, in base64url (RFC 8705 section 3.1).
    pub certificate_thumbprint: Option<String>,
    /// `jkt`: the SHA-256 thumbprint of the proof key, in base64url (RFC 9449 section 6.1).
    pub key_thumbprint: Option<String>,
    /// Whether there is any other member, whose demand the filter does not know.
    pub has_other_members: bool,
}

impl Confirmation {
    /// `None` if it is not an object, or a thumbprint in it not a string.
    pub(super) fn from_value(value: &Value) -> Option<Self> {
        let mut confirmation = Self::default();
        for (name, member) in value.as_object()? {
            match name.as_str() {
                "x5t#S256" => confirmation.certificate_thumbprint = Some(member.as_str()?.to_owned()),
                "jkt" => confirmation.key_thumbprint = Some(member.as_str()?.to_owned()),
                _ => confirmation.has_other_members = true,
            }
        }
        Some(confirmation)
    }
}
