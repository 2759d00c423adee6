//! What becomes of those that fail again and again.

use super::*;

#[test]
fn whoever_has_failed_too_often_brings_no_new_token() {
    let limited = || configured(&json!({}), &json!({"failed_attempts": {"limit": 2, "window": "60s"}}));
    let (authenticator, surroundings) = (limited(), Surroundings::default());
    let known = bearer(&json!({}));
    let send = |value: &str| decided_in(&surroundings, &authenticator, &[("authorization", value)]);
    allowed(send(&known));
    let forged = format!("{}.{}", known.rsplit_once('.').unwrap().0, "A".repeat(43));
    for failed_attempts in 1..3 {
        assert_eq!(denied(send(&forged)).reason, Reason::SignatureInvalid);
        assert_eq!(authenticator.tally().failed_attempts, failed_attempts);
    }
    assert_eq!(denied(send(&bearer(&json!({"sub": "t"})))).reason, Reason::TooManyFailures);
    assert_eq!(denied(send(&forged)).reason, Reason::TooManyFailures);
    assert_eq!(allowed(send(&known)).code, "verified", "what is remembered is good");
    assert_eq!(authenticator.tally().failed_attempts, 2, "what was not looked at has not failed again");
}

#[test]
fn a_failure_that_hinders_nobody_counts_once_a_request() {
    let requires = json!({"allow_missing_or_failed": {}});
    let rules = json!([{"match": {"prefix": "/"}, "requires": requires}]);
    let lenient = configured(&json!({}), &json!({"rules": rules, "failed_attempts": {"limit": 9, "window": "60s"}}));
    let forged = format!("{}.{}", token(&json!({})).rsplit_once('.').unwrap().0, "A".repeat(43));
    let (value, path) = (format!("Bearer {forged}"), format!("/?access_token={forged}"));
    let good = bearer(&json!({}));
    let counted = |headers: &[(&str, &str)]| {
        allowed(decided(&lenient, headers));
        lenient.take_tally().failed_attempts
    };
    assert_eq!(counted(&[]), 0);
    assert_eq!(counted(&[("authorization", &good)]), 0);
    assert_eq!(counted(&[("authorization", &value)]), 1);
    assert_eq!(counted(&[("authorization", &value), (":path", &path)]), 1);
    assert_eq!(counted(&[("authorization", &good), (":path", &path)]), 0, "a good token is beside it");
}

#[test]
fn at_the_limit_a_token_that_is_not_looked_at_does_not_pass_as_failed() {
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"allow_missing_or_failed": {}}}]);
    let lenient = configured(&json!({}), &json!({"rules": rules, "failed_attempts": {"limit": 1, "window": "60s"}}));
    let surroundings = Surroundings::default();
    let forged = format!("{}.{}", bearer(&json!({})).rsplit_once('.').unwrap().0, "A".repeat(43));
    let headers = [("authorization", forged.as_str())];
    allowed(decided_in(&surroundings, &lenient, &headers));
    assert_eq!(denied(decided_in(&surroundings, &lenient, &headers)).reason, Reason::TooManyFailures);
    allowed(decided_in(&surroundings, &lenient, &[]));
}
