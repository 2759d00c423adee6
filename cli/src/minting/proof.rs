//! Proofs of possession (RFC 9449 section 4.2).

use jwt_warden::crypto::SignatureAlgorithm;
use jwt_warden::time::Timestamp;
use serde_json::{Map, Value, json};

use super::draft::Draft;
use super::key::PrivateKey;
use super::{hashed, random};
use crate::Stop;

/// What a proof is for.
#[derive(Debug, Clone)]
pub(crate) struct Target<'a> {
    /// The method of the request.
    pub(crate) method: &'a str,
    /// Its URL.
    pub(crate) url: &'a str,
    /// The token that goes with it.
    pub(crate) token: Option<&'a str>,
    /// The server's nonce.
    pub(crate) nonce: Option<&'a str>,
}

/// Makes the proof; `claims` and `header` replace its own.
///
/// # Errors
///
/// There is no such request, or the key cannot sign for it.
pub(crate) fn prove(
    target: &Target<'_>,
    key: &PrivateKey,
    algorithm: SignatureAlgorithm,
    (header, claims): (Map<String, Value>, Map<String, Value>),
    now: Timestamp,
) -> Result<String, Stop> {
    let jwk = key.bare_jwk().ok_or("a shared secret proves nothing: take a key of another algorithm")?;
    if !["http://", "https://"].iter().any(|scheme| target.url.starts_with(scheme)) {
        return Err(format!("{:?} is no URL: it begins with neither http:// nor https://", target.url));
    }
    // RFC 9449 section 4.2: `htu` is without query and fragment.
    let url = target.url.split(['?', '#']).next().unwrap_or_default();
    let mut draft = Draft::default()
        .header("typ", "dpop+jwt")
        .header("alg", algorithm.name())
        .header("jwk", jwk)
        .claim("jti", random::name()?)
        .claim("htm", target.method)
        .claim("htu", url)
        .claim("iat", now.as_secs());
    draft.claims.extend(target.token.map(|token| ("ath".to_owned(), json!(hashed(token.as_bytes())))));
    draft.claims.extend(target.nonce.map(|nonce| ("nonce".to_owned(), json!(nonce))));
    draft.header.extend(header);
    draft.claims.extend(claims);
    draft.sign(key, algorithm)
}
