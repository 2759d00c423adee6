//! Token status lists (draft-ietf-oauth-status-list): one, two, four or eight bits for each token of an issuer.

use std::time::Duration;

use serde_json::Value;

use crate::claims::accepts_issuer;
use crate::config::{Provider, ProviderId};
use crate::crypto::Signatures;
use crate::jwt::{DecodedToken, Rounding, VerifiedToken, timestamp};
use crate::remote::Failure;
use crate::time::Timestamp;
use crate::verifier::{KeyLookup, KeyQuery, Keys};

/// The type of a status list token (section 5.1).
const TOKEN_TYPE: &str = "statuslist+jwt";
/// The claims that are read beside the registered ones.
const CLAIMS: [&str; 2] = ["status_list", "ttl"];

/// What a verified status list token says.
#[derive(Debug, Default)]
pub struct StatusListToken {
    subject: Option<String>,
    expiration: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    bits: u64,
    compressed: Vec<u8>,
    /// `ttl`: how long it may be kept.
    time_to_live: Option<Duration>,
}

impl StatusListToken {
    /// Verifies a token of at most `max_bytes` by the keys of the provider whose tokens it tells about (section 8.3), and
    /// reads it.
    ///
    /// # Errors
    ///
    /// What is wrong with it, or that its keys are not there.
    pub fn verify(
        bytes: &[u8],
        max_bytes: usize,
        (id, provider): (ProviderId, &Provider),
        keys: &dyn Keys,
        signatures: &Signatures,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        const NO_TOKEN: Failure = Failure::NotAStatusList("it is no token");
        let decoded = DecodedToken::decode(bytes.trim_ascii(), max_bytes).map_err(|_| NO_TOKEN)?;
        let token = decoded.parse(&CLAIMS.map(str::to_owned)).map_err(|_| NO_TOKEN)?;
        let header = token.header();
        if !provider.algorithms.contains(header.algorithm) {
            return Err(Failure::NotAStatusList("its alg is not one of the provider's"));
        }
        let query = KeyQuery { provider: id, key_id: header.key_id.as_deref(), arrival: now, now };
        let KeyLookup::Ready(set) = keys.lookup(query) else { return Err(Failure::NotVerifiable) };
        let candidates = set.candidates(header.key_id.as_deref(), header.algorithm);
        let verified = token.verify(candidates, signatures);
        let verified = verified.map_err(|_| Failure::NotAStatusList("none of the provider's keys verifies it"))?;
        let issuer = verified.claims().issuer.as_deref();
        if issuer.is_some() && !accepts_issuer(provider, issuer) {
            return Err(Failure::NotAStatusList("its iss is not the provider's"));
        }
        Self::read(verified).map_err(Failure::NotAStatusList)
    }

    /// How long it counts as fresh by its `ttl` and, where it ends before `longest`, its `exp`; `None` if neither says so.
    pub(super) fn fresh_for(&self, longest: Duration, now: Timestamp) -> Option<Duration> {
        let ends_in = self.expiration.map(|expiration| expiration.saturating_since(now)).filter(|end| *end < longest);
        self.time_to_live.into_iter().chain(ends_in).min()
    }

    /// A token with the list of the draft's section 4.1, for tests of what becomes of it.
    #[cfg(test)]
    pub(super) fn for_test(subject: &str, issued_at: Timestamp) -> Self {
        let compressed = base64_simd::URL_SAFE_NO_PAD.decode_to_vec("eNrbuRgAAhcBXQ").unwrap();
        let (subject, issued_at) = (Some(subject.to_owned()), Some(issued_at));
        Self { subject, issued_at, bits: 1, compressed, ..Self::default() }
    }

    /// The same with this `ttl`.
    #[cfg(test)]
    pub(super) fn living_for(self, time_to_live: Duration) -> Self {
        Self { time_to_live: Some(time_to_live), ..self }
    }

    fn read(token: VerifiedToken<'_>) -> Result<Self, &'static str> {
        if !token.header().has_type(&[TOKEN_TYPE.to_owned()]) {
            return Err("typ is not statuslist+jwt");
        }
        let claims = token.claims();
        let list = claims.value("status_list").ok_or("status_list is missing")?;
        let bits = list.get("bits").and_then(Value::as_u64).filter(|bits| matches!(bits, 1 | 2 | 4 | 8));
        let encoded = list.get("lst").and_then(Value::as_str).ok_or("lst is no string")?;
        let time_to_live = claims.value("ttl").map(time_to_live).transpose()?;
        Ok(Self {
            subject: claims.subject.as_deref().map(str::to_owned),
            expiration: claims.expiration,
            issued_at: claims.issued_at,
            bits: bits.ok_or("bits is not 1, 2, 4 or 8")?,
            compressed: base64_simd::URL_SAFE_NO_PAD.decode_to_vec(encoded).map_err(|_| "lst is not base64url")?,
            time_to_live,
        })
    }
}

fn time_to_live(value: &Value) -> Result<Duration, &'static str> {
    let time = value.as_number().and_then(|number| timestamp(number, Rounding::Down));
    let time = time.filter(|time| *time > Timestamp::EPOCH).ok_or("ttl is no positive number of seconds")?;
    Ok(time.saturating_since(Timestamp::EPOCH))
}

/// A status list, unpacked.
#[derive(Debug, Default)]
pub struct StatusList {
    bits: u64,
    statuses: Vec<u8>,
    expiration: Option<Timestamp>,
    /// When it was issued; `None` for the empty one.
    pub(super) issued_at: Option<Timestamp>,
}

impl StatusList {
    /// The list in a verified token, fetched from `uri`; `max_bytes` bounds it when it is unpacked.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn of(token: &StatusListToken, uri: &str, max_bytes: usize, now: Timestamp) -> Result<Self, &'static str> {
        if token.subject.as_deref() != Some(uri) {
            return Err("sub is not its uri");
        }
        if token.issued_at.is_none() {
            return Err("iat is missing");
        }
        let (bits, expiration, issued_at) = (token.bits, token.expiration, token.issued_at);
        let list = Self { bits, statuses: Vec::new(), expiration, issued_at };
        if list.has_expired(now) {
            return Err("it has expired");
        }
        let statuses = miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(&token.compressed, max_bytes);
        Ok(Self {
            statuses: statuses.map_err(|_| "lst is no zlib stream, or larger than max_revocation_bytes")?,
            ..list
        })
    }

    /// Whether it says nothing any more.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expiration.is_some_and(|expiration| expiration <= now)
    }

    /// The status at this place: zero is valid, everything else is not. `None` if there is no such place.
    #[must_use]
    pub fn status(&self, index: u64) -> Option<u8> {
        let bit = index.checked_mul(self.bits)?;
        let octet = *self.statuses.get(usize::try_from(bit / 8).ok()?)?;
        // The lowest bits come first (section 4).
        let mask = u8::try_from((1_u16 << self.bits.min(8)) - 1).unwrap_or(u8::MAX);
        Some(octet.checked_shr(u32::try_from(bit % 8).ok()?)? & mask)
    }

    /// How many places it has.
    #[must_use]
    pub fn len(&self) -> usize {
        let bits = usize::try_from(self.bits).unwrap_or(8).max(1);
        self.statuses.len().saturating_mul(8) / bits
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statuses.is_empty()
    }
}

#[cfg(test)]
#[path = "status_list_tests.rs"]
mod tests;
