//! Each demand at its bound, and one second to either side of it.

use super::*;

use serde_json::{Value, json};

use crate::config::ProviderId;
use crate::crypto::Signatures;
use crate::jwt::DecodedToken;
use crate::trial::{NOW, SECONDS, Surroundings, provider, signed, with};
use crate::verifier;

/// What becomes of a verified token with these claims beside its issuer and an end in 100 seconds, where the provider has
/// these members.
fn checked(members: &Value, claims: &Value) -> Result<(), Reason> {
    let provider = provider(members);
    let claims = with(json!({"iss": "i", "exp": SECONDS + 100}), claims);
    let text = signed(&json!({"alg": "HS256"}), &claims);
    let decoded = DecodedToken::decode(text.as_bytes(), 10_000).unwrap();
    let token = decoded.parse(&[]).unwrap();
    let surroundings = Surroundings::default();
    let verified = verifier::verify(ProviderId(0), &token, &Signatures::in_module(), surroundings.moment());
    let Ok(verified) = verified else { panic!("the signature is good") };
    let outcome = check(&provider, &verified, NOW);
    #[cfg(not(target_arch = "wasm32"))]
    assert_eq!(
        each(&provider, verified.claims(), NOW).into_iter().find_map(|(_, one)| one.err()),
        outcome.clone().err()
    );
    outcome.map_err(|unmet| unmet.reason)
}

/// Whether a token with these claims counts, when it is remembered.
fn counts(members: &Value, claims: &str) -> bool {
    Validity::of(&provider(members), &Claims::for_test(claims, &[])).holds(NOW)
}

#[test]
fn the_issuer_is_the_very_one() {
    assert_eq!(checked(&json!({}), &json!({})), Ok(()));
    for other in [json!("j"), json!("I"), json!("i/"), json!(""), Value::Null] {
        assert_eq!(checked(&json!({}), &json!({"iss": other})), Err(Reason::IssuerNotAccepted), "{other}");
    }
}

#[test]
fn a_token_ends_at_its_end_and_the_skew() {
    for skew in [0, 60] {
        let members = json!({"clock_skew_seconds": skew});
        for (late, expected) in [(-1, Ok(())), (0, Err(Reason::TokenExpired)), (1, Err(Reason::TokenExpired))] {
            let end = SECONDS.saturating_sub(skew).saturating_add_signed(-late);
            assert_eq!(checked(&members, &json!({"exp": end})), expected, "{late} beyond {skew}");
            assert_eq!(counts(&members, &format!(r#"{{"exp":{end}}}"#)), expected.is_ok(), "{late} beyond {skew}");
        }
    }
}

#[test]
fn a_token_without_an_end_counts_only_where_none_is_asked_for() {
    let endless = json!({"exp": null});
    assert_eq!(checked(&json!({}), &endless), Err(Reason::ExpirationMissing));
    assert_eq!(checked(&json!({"require_expiration": true}), &endless), Err(Reason::ExpirationMissing));
    assert_eq!(checked(&json!({"require_expiration": false}), &endless), Ok(()));
    let bounded = json!({"require_expiration": false, "max_lifetime": "1h"});
    assert_eq!(checked(&bounded, &endless), Err(Reason::ExpirationMissing));
    assert!(counts(&json!({"require_expiration": false}), "{}"));
}

/// The skew is no part of the lifetime.
#[test]
fn a_token_lives_as_long_as_it_may_and_no_longer() {
    for (left, expected) in [(3599, Ok(())), (3600, Ok(())), (3601, Err(Reason::LifetimeTooLong))] {
        let members = json!({"max_lifetime": "3600s", "clock_skew_seconds": 60});
        let end = SECONDS + left;
        assert_eq!(checked(&members, &json!({"exp": end})), expected, "{left}");
        assert_eq!(counts(&members, &format!(r#"{{"exp":{end}}}"#)), expected.is_ok(), "{left}");
    }
    let expired = json!({"exp": SECONDS - 60});
    assert_eq!(checked(&json!({"max_lifetime": "1s"}), &expired), Err(Reason::TokenExpired));
}

#[test]
fn a_token_begins_at_its_beginning_less_the_skew() {
    for (claim, reason) in [("nbf", Reason::TokenNotYetValid), ("iat", Reason::IssuedInFuture)] {
        for skew in [0, 60] {
            let members = json!({"clock_skew_seconds": skew});
            for (early, expected) in [(-1, Ok(())), (0, Ok(())), (1, Err(reason))] {
                let begin = (SECONDS + skew).saturating_add_signed(early);
                assert_eq!(checked(&members, &json!({claim: begin})), expected, "{claim} {early} before {skew}");
                let claims = format!(r#"{{"{claim}":{begin}}}"#);
                assert_eq!(counts(&members, &claims), expected.is_ok(), "{claim} {early} before {skew}");
            }
        }
    }
}

#[test]
fn nobody_is_no_subject() {
    let members = json!({"subjects": {"prefix": "spiffe://mesh/"}});
    for (subject, expected) in [
        (json!("spiffe://mesh/a"), Ok(())),
        (json!("spiffe://mesh/"), Ok(())),
        (json!("spiffe://mesh"), Err(Reason::SubjectNotAccepted)),
        (json!("xspiffe://mesh/a"), Err(Reason::SubjectNotAccepted)),
        (Value::Null, Err(Reason::SubjectNotAccepted)),
    ] {
        assert_eq!(checked(&members, &json!({"sub": subject})), expected, "{subject}");
    }
    assert_eq!(checked(&json!({}), &json!({"sub": null})), Ok(()));
}

#[test]
fn the_first_demand_that_is_not_met_is_named_with_its_figures() {
    let members = json!({"subjects": {"exact": "s"}});
    let mut claims = json!({"iss": "j", "exp": 1, "nbf": SECONDS + 100, "iat": SECONDS + 100});
    for (met, value, reason) in [
        ("iss", json!("i"), Reason::IssuerNotAccepted),
        ("exp", json!(SECONDS + 100), Reason::TokenExpired),
        ("nbf", json!(0), Reason::TokenNotYetValid),
        ("iat", json!(0), Reason::IssuedInFuture),
        ("sub", json!("s"), Reason::SubjectNotAccepted),
    ] {
        assert_eq!(checked(&members, &claims), Err(reason));
        claims[met] = value;
    }
    assert_eq!(checked(&members, &claims), Ok(()));
    let (provider, expired) = (provider(&json!({})), Some(Timestamp::from_secs(7)));
    let unmet = check_expiration(&provider, expired, NOW).unwrap_err();
    assert_eq!(unmet.detail, "exp=7 now=1700000000 allowance=60s");
}

#[test]
fn an_audience_is_named_exactly_or_none_is_asked_for() {
    let accepted = ["api".to_owned(), "https://b".to_owned()];
    let accepts = |accepted: Option<&[String]>, claims: &str| {
        accepts_audience(accepted, Claims::for_test(claims, &[]).audience.as_ref())
    };
    for claims in [r#"{"aud":"api"}"#, r#"{"aud":"https://b"}"#, r#"{"aud":["other","api"]}"#] {
        assert!(accepts(Some(&accepted), claims), "{claims}");
    }
    for claims in ["{}", r#"{"aud":[]}"#, r#"{"aud":""}"#, r#"{"aud":"API"}"#, r#"{"aud":["https://b/","ap"]}"#] {
        assert!(!accepts(Some(&accepted), claims), "{claims}");
        assert!(accepts(None, claims), "{claims}");
    }
    assert!(!accepts(Some(&[]), r#"{"aud":"api"}"#));
}
