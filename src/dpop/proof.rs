//! One proof, held against the twelve checks of RFC 9449 section 4.3.

use std::iter::once;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::hash::{HASH_LENGTH, sha256};
use super::nonce::Nonces;
use super::replay::ProofDigest;
use super::thumbprint::thumbprint;
use super::uri::TargetUri;
use crate::config::Dpop;
use crate::crypto::{Signatures, VerifyingKey};
use crate::decision::Denial;
use crate::front::Front;
use crate::jwks::embedded_key;
use crate::jwt::{Claims, DecodedToken, Header};
use crate::log::quote;
use crate::reason::Reason;
use crate::request::Request;
use crate::time::Timestamp;

const MAX_BYTES: usize = 8192;
/// The longest `jti`.
const MAX_ID_BYTES: usize = 256;

/// Who examines the proofs of one configuration.
#[derive(Clone, Copy)]
pub(crate) struct Examiner<'a> {
    pub(crate) settings: &'a Dpop,
    pub(crate) signatures: &'a Signatures,
    /// Those that proofs have to bear, where the configuration asks for them.
    pub(crate) nonces: Option<&'a Nonces>,
}

/// A proof for one request that was made with the key that it names. Whether it is the token's, [`Proof::is_for`] says.
#[derive(Debug)]
pub(crate) struct Proof {
    key_thumbprint: [u8; HASH_LENGTH],
    token_hash: [u8; HASH_LENGTH],
    /// Knows it again.
    pub(crate) digest: ProofDigest,
    /// It cannot be accepted after that.
    pub(crate) until: Timestamp,
}

impl Proof {
    /// Whether the proof was made for this token, with the key of this thumbprint.
    ///
    /// # Errors
    ///
    /// It was not.
    pub(crate) fn is_for(&self, token: &[u8], thumbprint: &str) -> Result<(), Denial> {
        if self.token_hash != sha256(&[token]) {
            return Err(invalid("`ath` is not the hash of the token"));
        }
        if decode_hash(thumbprint) != Some(self.key_thumbprint) {
            return Err(invalid("the key is not the one that the token is bound to (`cnf.jkt`)"));
        }
        Ok(())
    }
}

impl Examiner<'_> {
    /// Checks everything about the request's proof but which token it is for.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn examine(&self, front: Front<'_>, now: Timestamp) -> Result<Proof, Denial> {
        let decoded = DecodedToken::decode(only_proof(front.request)?, MAX_BYTES).map_err(|error| malformed(&error))?;
        let wanted = ["ath", "htm", "htu", "nonce"].map(str::to_owned);
        let token = decoded.parse(&wanted).map_err(|error| malformed(&error))?;
        self.check_header(token.header())?;
        let header_json = decoded.header_json().map_err(|error| malformed(&error))?;
        let (key, algorithms) = embedded_key(header_json).map_err(|error| {
            invalid("the header has no key that could be used").with_quoted("jwk", Some(&error.to_string()))
        })?;
        if !algorithms.contains(token.header().algorithm) {
            return Err(invalid("`alg` does not fit the key"));
        }
        let verified =
            token.verify(once(&key), self.signatures).map_err(|_| invalid("the signature is not one of the key"))?;
        self.check_claims(verified.claims(), &key, front, now)
    }

    fn check_header(&self, header: &Header<'_>) -> Result<(), Denial> {
        if header.token_type.as_deref() != Some("dpop+jwt") {
            return Err(invalid("`typ` is not dpop+jwt").with_quoted("typ", header.token_type.as_deref()));
        }
        if !self.settings.algorithms.contains(header.algorithm) {
            return Err(invalid("`alg` is not allowed").with_quoted("alg", Some(header.algorithm.name())));
        }
        Ok(())
    }

    fn check_claims(
        &self,
        claims: &Claims<'_>,
        key: &VerifyingKey,
        front: Front<'_>,
        now: Timestamp,
    ) -> Result<Proof, Denial> {
        let text = |name| claims.value(name).and_then(serde_json::Value::as_str);
        let method = text("htm").ok_or_else(|| invalid("`htm` is missing or not a string"))?;
        if method.as_bytes() != front.request.method() {
            return Err(invalid("`htm` is another method").with_quoted("htm", Some(method)));
        }
        let uri = text("htu").ok_or_else(|| invalid("`htu` is missing or not a string"))?;
        let target = TargetUri::parse(uri).ok_or_else(|| invalid("`htu` is not an absolute http or https URI"))?;
        if !target.is_of(front, self.settings) {
            return Err(another_uri(&target, front.request));
        }
        let id = claims.token_id.as_deref().ok_or_else(|| invalid("`jti` is missing"))?;
        if !(1..=MAX_ID_BYTES).contains(&id.len()) {
            return Err(invalid("`jti` does not have 1 to 256 bytes"));
        }
        let until = self.check_time(claims, now)?;
        let token_hash = text("ath").and_then(decode_hash).ok_or_else(|| invalid("`ath` is missing or not a hash"))?;
        let key_thumbprint = thumbprint(key).ok_or_else(|| invalid("the key has no thumbprint"))?;
        self.check_nonce(text("nonce"), claims.value("nonce").is_some(), now)?;
        let digest = sha256(&[&key_thumbprint, id.as_bytes()]).first_chunk().copied().unwrap_or_default();
        Ok(Proof { key_thumbprint, token_hash, digest, until })
    }

    /// Until when the proof could be accepted. The time is that of the decision, not of the arrival: then a proof that has
    /// been forgotten is too old.
    fn check_time(&self, claims: &Claims<'_>, now: Timestamp) -> Result<Timestamp, Denial> {
        let Dpop { max_age, clock_skew, .. } = *self.settings;
        let issued = claims.issued_at.ok_or_else(|| invalid("`iat` is missing"))?;
        let until = issued.saturating_add(max_age);
        let latest = now.saturating_add(clock_skew);
        let words = if now > until {
            "`iat` is too long ago"
        } else if issued > latest {
            "`iat` is in the future"
        } else if claims.expiration.is_some_and(|expiration| now >= expiration) {
            "`exp` has passed"
        } else if claims.not_before.is_some_and(|not_before| not_before > latest) {
            "`nbf` is in the future"
        } else {
            return Ok(until);
        };
        let times = format!("iat={} now={}", issued.as_secs(), now.as_secs());
        Err(invalid(words).with_quoted("times", Some(&times)))
    }

    fn check_nonce(&self, nonce: Option<&str>, is_there: bool, now: Timestamp) -> Result<(), Denial> {
        if self.settings.nonce_lifetime.is_none() {
            return Ok(());
        }
        let counts = |nonce| self.nonces.is_some_and(|nonces| nonces.accepts(nonce, now));
        let words = match nonce {
            Some(nonce) if counts(nonce) => return Ok(()),
            None if !is_there => "the proof has no nonce",
            _ => "the nonce is too old, or was not issued here",
        };
        Err(Denial::new(Reason::DpopNonceRequired, None).because(words))
    }
}

/// The value of the one `DPoP` header. The proxy may have joined several by commas (RFC 9110 section 5.3).
fn only_proof<'r>(request: &Request<'r>) -> Result<&'r [u8], Denial> {
    let mut values = request.header_values("dpop");
    match (values.next(), values.next()) {
        (None, _) => Err(invalid("there is no DPoP header")),
        (Some(value), None) if !value.contains(&b',') => Ok(value),
        _ => Err(invalid("there is more than one DPoP header")),
    }
}

/// Tells the log which URI the proof is for, without a query: clients take the proxy's own for another more than they err
/// in anything else.
fn another_uri(target: &TargetUri, request: &Request<'_>) -> Denial {
    let claimed = [target.origin.as_bytes(), &target.path].concat();
    let authority = request.header_values(":authority").next().unwrap_or_default();
    let mut denial = invalid("`htu` is another URI");
    denial.details.extend([("htu", quote(&claimed)), ("authority", quote(authority))]);
    denial
}

fn malformed(error: &crate::jwt::FormError) -> Denial {
    invalid("the proof is not well-formed").with_quoted("form", Some(&error.to_string()))
}

#[inline(never)]
fn invalid(words: &'static str) -> Denial {
    Denial::new(Reason::DpopProofInvalid, None).because(words)
}

/// The hash that this is in canonical base64url.
fn decode_hash(text: &str) -> Option<[u8; HASH_LENGTH]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
