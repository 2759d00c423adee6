//! A rehearsal: requests that are decided before the first real one, so that a host that compiles functions at their first
//! call has done so by then. Nothing that they leave behind counts for real requests.

use std::rc::Rc;

use crate::authenticator::Authenticator;
use crate::config::{self, ProviderId};
use crate::crypto::{SignatureAlgorithm, Signatures, VerifyingKey};
use crate::jwks::{KeyOrigin, KeySet};
use crate::request::Request;
use crate::time::Timestamp;
use crate::verifier::{KeyLookup, KeyQuery, Keys};

/// The secret is no secret: it verifies the one token below, in this rehearsal alone.
const KEYS: &str = r#"{"keys":[{"kty":"oct","kid":"rehearsal","alg":"HS256","k":"cmVoZWFyc2FsIHJlaGVhcnNhbCByZWhlYXJzYWwgcmVoZWFyc2Fs"}]}"#;

const CONFIGURATION: &str = r#"{
    "providers": {"rehearsal": {
        "issuer": "https://rehearsal.example/", "audiences": ["rehearsal"], "algorithms": ["HS256"],
        "local_jwks": {"inline_string": KEYS},
        "claim_to_headers": [{"header_name": "x-rehearsal", "claim_name": "sub"}]
    }},
    "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "rehearsal", "scopes": ["rehearsal"]}}]
}"#;
