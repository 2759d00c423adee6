//! Requests that are decided before the first real one: a host that compiles functions at their first call has done so by
//! then, and a module that decides wrongly never serves.

use std::rc::Rc;

use crate::authenticator::Authenticator;
use crate::config::{self, ProviderId};
use crate::connection;
use crate::crypto::Signatures;
use crate::decision::Decision;
use crate::jwks::{KeyOrigin, KeySet};
use crate::reason::Reason;
use crate::request::Request;
use crate::revocation::{Marks, Standing};
use crate::shared_store::Nowhere;
use crate::time::Timestamp;
use crate::verifier::{KeyLookup, KeyQuery, Keys, Moment, Revocations};

/// The secret is none: what it signs counts in this rehearsal alone.
const KEYS: &str =
    r#"{"keys":[{"kty":"oct","kid":"rehearsal","k":"cmVoZWFyc2FsIHJlaGVhcnNhbCByZWhlYXJzYWwgcmVoZWFyc2Fs"}]}"#;
const CONFIGURATION: &str = r#"{
    "providers": {"rehearsal": {
        "issuer": "https://rehearsal.example/", "audiences": ["rehearsal"], "algorithms": ["HS256"],
        "local_jwks": {"environment_variable": "KEYS"},
        "claim_to_headers": [{"header_name": "x-rehearsal", "claim_name": "sub"}]
    }},
    "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "rehearsal", "scopes": ["rehearsal"]}}]
}"#;
/// Issued at 1700000000, good for an hour.
const TOKEN: &str = "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJlaGVhcnNhbCJ9.eyJpc3MiOiJodHRwczovL3JlaGVhcnNhbC5l\
                     eGFtcGxlLyIsInN1YiI6InJlaGVhcnNhbCIsImF1ZCI6InJlaGVhcnNhbCIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjA\
                     wLCJzY29wZSI6InJlaGVhcnNhbCIsImdyb3VwcyI6WyJhIiwiYiJdLCJlbWFpbF92ZXJpZmllZCI6dHJ1ZSwicmVhbG0iOnsicm9sZX\
                     MiOlsiYSJdfX0.sET974catnXCpQvNuXgLhy5AfC_M7TrlcrKuY0K2n_U";
const IN_TIME: Timestamp = Timestamp::from_secs(1_700_000_001);
const TOO_LATE: Timestamp = Timestamp::from_secs(1_700_003_660);

/// Decides about a good token, twice, about the same once it has expired, about a forged one and about none. Says whether
/// each time the right decision was made.
#[must_use]
pub fn succeeds(signatures: &Signatures) -> bool {
    signatures.rehearse();
    let Ok(loaded) = config::parse(CONFIGURATION.as_bytes(), &|_| Some(KEYS.to_owned())) else { return false };
    let Ok(keys) = KeySet::parse(KEYS.as_bytes(), KeyOrigin::Local, KEYS.len()) else { return false };
    let keys = OneSet(Rc::new(keys));
    let authenticator = Authenticator::new(loaded.config, Signatures::in_module(), 0);
    let decide = |headers: &[(&str, &str)], now| {
        let headers = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let moment = Moment {
            keys: &keys,
            revocations: &keys,
            connection: &connection::Unknown,
            store: &Nowhere,
            arrival: now,
            now,
        };
        authenticator.decide(&Request::new(headers.collect()), moment)
    };
    let with = |credentials, now| decide(&[(":path", "/"), ("authorization", credentials)], now);
    let is_allowed = |decision| matches!(decision, Decision::Allow(admission) if admission.provider.is_some());
    let is_denied = |decision, reason| matches!(decision, Decision::Deny(denial) if denial.reason == reason);
    let forged = TOKEN.replace(".sET9", ".sET8");
    is_allowed(with(TOKEN, IN_TIME))
        && is_allowed(with(TOKEN, IN_TIME))
        && is_denied(with(TOKEN, TOO_LATE), Reason::TokenExpired)
        && is_denied(with(&forged, IN_TIME), Reason::SignatureInvalid)
        && is_denied(decide(&[(":path", "/")], IN_TIME), Reason::TokenMissing)
}

/// The keys of the rehearsal.
struct OneSet(Rc<KeySet>);

impl Keys for OneSet {
    fn lookup(&self, _: KeyQuery<'_>) -> KeyLookup {
        KeyLookup::Ready(Rc::clone(&self.0))
    }

    fn generation(&self, _: ProviderId, _: Timestamp) -> Option<u64> {
        Some(0)
    }
}

impl Revocations for OneSet {
    fn standing(&self, _: ProviderId, _: &Marks, _: Timestamp, _: Timestamp) -> Standing {
        Standing::Unavailable("nothing is revoked in a rehearsal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_well() {
        assert!(succeeds(&Signatures::in_module()));
    }
}
