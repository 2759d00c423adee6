//! Trust as a type: an unverified token shows what it takes to find a key, a verified one shows its claims.

use std::fmt;

use super::claims::Claims;
use super::compact::DecodedToken;
use super::header::Header;
use crate::crypto::{Signatures, VerifyingKey};

/// A well-formed token that anybody may have made.
pub struct UnverifiedToken<'d> {
    signing_input: &'d [u8],
    signature: &'d [u8],
    header: ReadHeader<'d>,
    claims: Claims<'d>,
    payload_json: &'d str,
}

/// A header, read now or from an earlier token that had the same.
pub(super) enum ReadHeader<'d> {
    Now(Header<'d>),
    Before(&'d Header<'d>),
}

impl<'d> ReadHeader<'d> {
    const fn get(&self) -> &Header<'d> {
        match self {
            Self::Now(header) => header,
            Self::Before(header) => header,
        }
    }
}

impl<'d> UnverifiedToken<'d> {
    pub(super) fn new(
        decoded: &'d DecodedToken<'_>,
        header: ReadHeader<'d>,
        claims: Claims<'d>,
        payload_json: &'d str,
    ) -> Self {
        Self { signing_input: decoded.signing_input(), signature: decoded.signature(), header, claims, payload_json }
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header<'d> {
        self.header.get()
    }

    /// `iss`, as claimed: good for choosing the provider whose keys must verify the token, for nothing else.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.claims.issuer.as_deref()
    }

    /// The claims, which nobody vouches for. For telling those who ask everything that is wrong with a token, so it is not
    /// there for the filter.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn unverified_claims(&self) -> &Claims<'d> {
        &self.claims
    }

    /// What was signed: the first two segments as sent, and the dot between them.
    #[must_use]
    pub fn signing_input(&self) -> &'d [u8] {
        self.signing_input
    }

    /// The signature, decoded.
    #[must_use]
    pub fn signature(&self) -> &'d [u8] {
        self.signature
    }

    /// Verifies the signature with each of the candidate `keys` until one fits: the only way to a [`VerifiedToken`].
    ///
    /// The algorithm is the header's. That the provider allows it is for the caller to check before, that it is the
    /// key's is for [`Signatures::verifies`].
    ///
    /// # Errors
    ///
    /// No key verifies the signature, or there is none.
    pub fn verify<'k>(
        &self,
        mut keys: impl Iterator<Item = &'k VerifyingKey>,
        signatures: &Signatures,
    ) -> Result<VerifiedToken<'_>, SignatureInvalid> {
        let algorithm = self.header().algorithm;
        if keys.any(|key| signatures.verifies(key, algorithm, self.signing_input, self.signature)) {
            Ok(VerifiedToken { token: self })
        } else {
            Err(SignatureInvalid)
        }
    }
}

/// No candidate key verifies the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureInvalid;

impl fmt::Display for SignatureInvalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("no key verifies the signature")
    }
}

impl std::error::Error for SignatureInvalid {}

/// Proof that one of the provider's keys has verified the token's signature: only so are its claims to be seen. What
/// they say is still to be checked.
#[derive(Clone, Copy)]
pub struct VerifiedToken<'t> {
    token: &'t UnverifiedToken<'t>,
}

impl<'t> VerifiedToken<'t> {
    /// The header.
    #[must_use]
    pub const fn header(&self) -> &'t Header<'t> {
        self.token.header()
    }

    /// The claims.
    #[must_use]
    pub fn claims(&self) -> &'t Claims<'t> {
        &self.token.claims
    }

    /// The claims as sent: the decoded JSON text.
    #[must_use]
    pub fn payload_json(&self) -> &'t str {
        self.token.payload_json
    }
}

// Claims may be personal, so they are never printed.
impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("UnverifiedToken").field("header", self.header()).finish_non_exhaustive()
    }
}

impl fmt::Debug for VerifiedToken<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("VerifiedToken").field("header", self.header()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // {"alg":"ES256","kid":"k"} . {"iss":"i","sub":"secret"} . three zero bytes
    const TOKEN: &[u8] = b"eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJpIiwic3ViIjoic2VjcmV0In0.AAAA";

    #[test]
    fn shows_what_it_takes_to_find_a_key_and_prints_no_claim() {
        let decoded = DecodedToken::decode(TOKEN, 1000).unwrap();
        let token = decoded.parse(&[]).unwrap();
        assert_eq!(token.issuer(), Some("i"));
        assert_eq!(token.signing_input(), &TOKEN[..TOKEN.len() - 5]);
        assert_eq!(token.signature(), [0, 0, 0]);
        assert_eq!(token.header().key_id.as_deref(), Some("k"));
        assert!(!format!("{decoded:?} {token:?}").contains("secret"));
    }

    #[test]
    fn without_a_key_nothing_is_verified() {
        let decoded = DecodedToken::decode(TOKEN, 1000).unwrap();
        let token = decoded.parse(&[]).unwrap();
        assert_eq!(token.verify(std::iter::empty(), &Signatures::in_module()).unwrap_err(), SignatureInvalid);
    }
}
