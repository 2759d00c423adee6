//! What becomes of tokens that are bound to a key.

use super::*;

use sha2::{Digest as _, Sha256};

use crate::dpop::case;
use crate::shared_store::Nowhere;
use crate::shared_store::tests::Memory;

/// A request with a token that is bound to a key, and a proof with these claims in place of its own.
fn proven(surroundings: &Surroundings, authenticator: &Authenticator, claims: &Value) -> Decision {
    let token = token(&json!({"cnf": {"jkt": case::thumbprint_of(&case::key(1))}}));
    let usual = json!({
        "jti": "1", "htm": "GET", "htu": "https://api.example/", "iat": SECONDS,
        "ath": case::encoded(Sha256::digest(&token)),
    });
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": case::jwk(&case::key(1))}).to_string();
    let proof = case::signed(&header, &with(usual, claims).to_string());
    let value = format!("DPoP {token}");
    decided_in(surroundings, authenticator, &[("authorization", &value), ("dpop", &proof)])
}

#[test]
fn a_proof_counts_once_and_for_its_token_only() {
    let (authenticator, surroundings) = (usual(), Surroundings::default());
    let send = |claims: &Value| proven(&surroundings, &authenticator, claims);
    let other = case::encoded(Sha256::digest("another token"));
    assert_eq!(denied(send(&json!({"ath": other}))).reason, Reason::DpopProofInvalid);
    assert_eq!(denied(send(&json!({"htm": "POST"}))).reason, Reason::DpopProofInvalid);
    assert_eq!(allowed(send(&json!({}))).code, "verified");
    let denial = denied(send(&json!({})));
    assert_eq!(
        (denial.reason, denial.provider, denial.by_dpop),
        (Reason::DpopProofReplayed, Some(ProviderId(0)), true)
    );
    allowed(send(&json!({"jti": "2"})));
}

#[test]
fn whoever_has_failed_too_often_has_no_proof_examined() {
    let settings = json!({"limit": 1, "window": "60s", "count": ["dpop_proof_invalid"]});
    let authenticator = configured(&json!({}), &json!({"failed_attempts": settings}));
    let surroundings = Surroundings::default();
    allowed(proven(&surroundings, &authenticator, &json!({})));
    assert_eq!(denied(proven(&surroundings, &authenticator, &json!({"htm": "POST"}))).reason, Reason::DpopProofInvalid);
    assert_eq!(denied(proven(&surroundings, &authenticator, &json!({"jti": "2"}))).reason, Reason::TooManyFailures);
}

#[test]
fn without_a_secret_that_all_share_no_nonce_counts() {
    let nonce = json!({"dpop": {"nonce": {"required": true, "lifetime": "60s"}}});
    let (mut authenticator, surroundings) = (configured(&json!({}), &nonce), Surroundings::default());
    assert!(authenticator.share_nonces(&Memory::default(), &[7; 32]));
    let denial = denied(proven(&surroundings, &authenticator, &json!({})));
    assert!(denial.by_dpop);
    let issued = denial.nonce.unwrap();
    allowed(proven(&surroundings, &authenticator, &json!({"nonce": *issued})));
    assert!(!authenticator.share_nonces(&Nowhere, &[7; 32]));
    denied(proven(&surroundings, &authenticator, &json!({"nonce": *issued, "jti": "2"})));
    assert!(usual().share_nonces(&Nowhere, &[7; 32]), "nobody asks for one");
}

#[test]
fn the_challenge_is_of_the_scheme_that_the_client_uses_and_the_provider_takes() {
    let by_dpop = |provider: &Value, headers: &[(&str, &str)]| {
        denied(decided(&configured(provider, &json!({})), headers)).by_dpop
    };
    let unbound = format!("DPoP {}", token(&json!({})));
    assert!(by_dpop(&json!({}), &[("authorization", &unbound)]));
    assert!(!by_dpop(&json!({}), &[("authorization", "Bearer x")]));
    assert!(!by_dpop(&json!({}), &[]));
    assert!(!by_dpop(&json!({"from_headers": [{"name": "x-t"}]}), &[("authorization", &unbound)]));
}
