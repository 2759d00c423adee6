//! What each kind of requirement makes of good tokens, bad ones, none, and such as nobody can judge yet.

use super::*;

use serde_json::{Value, json};

use crate::authenticator::Authenticator;
use crate::decision::Decision;
use crate::extractor::HeaderEdit;
use crate::time::Timestamp;
use crate::trial::{SECONDS, Surroundings, authenticator, provider_json, token};
use crate::upstream::Effect;

const P: ProviderId = ProviderId(0);
const Q: ProviderId = ProviderId(1);

/// Two providers, each with a place of its own and one that both share. Each tells its token's subject.
fn asking(requires: &Value) -> Authenticator {
    let of = |issuer: &str, header: &str| {
        provider_json(&json!({
            "issuer": issuer,
            "from_headers": [{"name": header}, {"name": "x-both"}],
            "claim_to_headers": [{"header_name": format!("{header}-sub"), "claim_name": "sub"}],
        }))
    };
    let rules = json!([{"match": {"prefix": "/"}, "requires": requires}]);
    authenticator(&json!({"providers": {"p": of("i", "x-p"), "q": of("j", "x-q")}, "rules": rules}))
}

/// A good token of the provider `p`, and of `q`.
fn good(subject: &str) -> String {
    token(&json!({"sub": subject}))
}

fn good_of_q(subject: &str) -> String {
    token(&json!({"iss": "j", "sub": subject}))
}

/// The same with another signature.
fn forged(token: &str) -> String {
    let (input, _) = token.rsplit_once('.').unwrap();
    format!("{input}.{}", "A".repeat(43))
}

/// The subjects that the upstream is told of, or why the request does not pass.
fn told(decision: &Decision) -> Result<String, String> {
    match decision {
        Decision::Allow(admission) => {
            let effects = admission.told.iter().flat_map(|effects| effects.iter());
            let subjects = effects.filter_map(|effect| match effect {
                Effect::Header(HeaderEdit::Replace(_, values)) => Some(String::from_utf8(values.concat()).unwrap()),
                _ => None,
            });
            Ok(subjects.collect::<Vec<_>>().join(" "))
        }
        Decision::Deny(denial) => Err(denial.reason.code().to_owned()),
        Decision::Wait(wait) => Err(format!("{} waits {}", wait.provider.0, wait.until.as_secs() - SECONDS)),
        Decision::Tell(_) => panic!("nobody asks about the resource"),
    }
}

/// The same for a request with these headers, while the keys of these providers are to come in so many seconds.
fn outcome_while(pending: &[(ProviderId, u64)], requires: &Value, headers: &[(&str, &str)]) -> Result<String, String> {
    let pending = pending.iter().map(|(id, seconds)| (*id, Timestamp::from_secs(SECONDS + seconds))).collect();
    let surroundings = Surroundings { pending, ..Surroundings::default() };
    let headers: Vec<_> = [(":path", "/")].iter().chain(headers).copied().collect();
    told(&surroundings.decide(&asking(requires), &headers))
}

fn outcome(requires: &Value, headers: &[(&str, &str)]) -> Result<String, String> {
    outcome_while(&[], requires, headers)
}

#[allow(clippy::unnecessary_wraps, reason = "it stands where `fails` does")]
fn passes(subjects: &str) -> Result<String, String> {
    Ok(subjects.to_owned())
}

fn fails(code: &str) -> Result<String, String> {
    Err(code.to_owned())
}

#[test]
fn a_provider_asks_for_its_token_and_suffers_no_bad_one() {
    let requires = json!({"provider_name": "p"});
    let (a, b) = (good("a"), good("b"));
    assert_eq!(outcome(&requires, &[("x-p", &a)]), passes("a"));
    assert_eq!(outcome(&requires, &[("x-both", &a)]), passes("a"));
    assert_eq!(outcome(&requires, &[]), fails("token_missing"));
    assert_eq!(outcome(&requires, &[("x-q", &a)]), fails("token_missing"));
    assert_eq!(outcome(&requires, &[("x-p", &forged(&a))]), fails("signature_invalid"));
    assert_eq!(outcome(&requires, &[("x-p", &good_of_q("a"))]), fails("issuer_not_accepted"));
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-both", &forged(&b))]), fails("signature_invalid"));
    assert_eq!(outcome(&requires, &[("x-p", &forged(&a)), ("x-both", &b)]), fails("signature_invalid"));
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-both", &b)]), passes("a"), "two are not told as one");
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-p", &b)]), fails("token_duplicated"));
}

#[test]
fn a_good_token_has_to_be_meant_for_what_is_asked() {
    let for_others = token(&json!({"aud": "other", "sub": "a"}));
    assert_eq!(outcome(&json!({"provider_name": "p"}), &[("x-p", &for_others)]), fails("audience_not_accepted"));
    let audiences = json!({"provider_and_audiences": {"provider_name": "p", "audiences": ["other"]}});
    assert_eq!(outcome(&audiences, &[("x-p", &for_others)]), passes("a"));
    assert_eq!(outcome(&audiences, &[("x-p", &good("a"))]), fails("audience_not_accepted"));
    let scopes = json!({"provider_name": "p", "scopes": ["read"]});
    assert_eq!(outcome(&scopes, &[("x-p", &good("a"))]), fails("insufficient_scope"));
    assert_eq!(outcome(&scopes, &[("x-p", &token(&json!({"sub": "a", "scope": "read"})))]), passes("a"));
    let bound = token(&json!({"cnf": {"jkt": "t"}}));
    assert_eq!(outcome(&json!({"provider_name": "p"}), &[("x-p", &bound)]), fails("sender_constraint"));
}

#[test]
fn a_refusal_names_the_provider_and_the_place() {
    let refusal = |requires: &Value, headers: &[(&str, &str)]| {
        let headers: Vec<_> = [(":path", "/")].iter().chain(headers).copied().collect();
        let Decision::Deny(denial) = Surroundings::default().decide(&asking(requires), &headers) else { panic!() };
        (denial.provider, denial.place)
    };
    let (p, any) = (json!({"provider_name": "p"}), json!({"allow_missing": {}}));
    assert_eq!(refusal(&p, &[]), (Some(P), None));
    assert_eq!(refusal(&p, &[("x-both", &forged(&good("a")))]), (Some(P), Some(1)));
    assert_eq!(refusal(&p, &[("x-both", &good("a")), ("x-both", "b")]), (Some(P), Some(1)));
    assert_eq!(refusal(&p, &[("x-p", &token(&json!({"cnf": {"jkt": "t"}})))]), (Some(P), Some(0)));
    assert_eq!(refusal(&any, &[("x-both", &good("a")), ("x-both", "b")]), (None, Some(1)));
    assert_eq!(refusal(&any, &[("x-q", &forged(&good_of_q("a")))]), (Some(Q), Some(2)));
    assert_eq!(refusal(&any, &[("x-q", &token(&json!({"iss": "k"})))]), (None, Some(2)));
}

#[test]
fn a_cookie_counts_only_where_no_other_site_has_sent_it() {
    let provider = provider_json(&json!({"from_cookies": ["t"], "from_headers": [{"name": "x-p"}]}));
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]);
    let guarded = authenticator(&json!({"providers": {"p": provider}, "rules": rules}));
    let post = |name: &str, value: &str, site: &str| {
        let headers = [(":path", "/"), (":method", "POST"), (name, value), ("sec-fetch-site", site)];
        told(&Surroundings::default().decide(&guarded, &headers))
    };
    let cookie = format!("t={}", good("a"));
    assert_eq!(post("cookie", &cookie, "cross-site"), fails("csrf_refused"));
    assert_eq!(post("cookie", &cookie, "same-origin"), passes(""));
    assert_eq!(post("x-p", &good("a"), "cross-site"), passes(""));
}

#[test]
fn missing_is_allowed_but_bad_is_not() {
    let requires = json!({"allow_missing": {}});
    let (a, b) = (good("a"), good_of_q("b"));
    assert_eq!(outcome(&requires, &[]), passes(""));
    assert_eq!(outcome(&requires, &[("x-p", &a)]), passes("a"));
    assert_eq!(outcome(&requires, &[("x-both", &b)]), passes("b"));
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-q", &b)]), passes("a b"));
    assert_eq!(outcome(&requires, &[("x-p", &forged(&a))]), fails("signature_invalid"));
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-q", &forged(&b))]), fails("signature_invalid"));
    assert_eq!(outcome(&requires, &[("x-p", &token(&json!({"iss": "k"})))]), fails("issuer_not_accepted"));
    assert_eq!(outcome(&requires, &[("x-p", &b)]), fails("issuer_not_accepted"), "q does not look there");
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-p", &a)]), fails("token_duplicated"));
    let late = &[(Q, 5)];
    assert_eq!(outcome_while(late, &requires, &[("x-p", &a), ("x-q", &b)]), fails("1 waits 5"));
    assert_eq!(outcome_while(late, &requires, &[("x-p", &forged(&a)), ("x-q", &b)]), fails("signature_invalid"));
}

#[test]
fn failed_is_allowed_and_tells_nothing() {
    let requires = json!({"allow_missing_or_failed": {}});
    let (a, b) = (good("a"), good_of_q("b"));
    assert_eq!(outcome(&requires, &[]), passes(""));
    assert_eq!(outcome(&requires, &[("x-p", &forged(&a))]), passes(""));
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-p", &a)]), passes(""));
    assert_eq!(outcome(&requires, &[("x-p", &forged(&a)), ("x-q", &b)]), passes("b"));
    assert_eq!(outcome_while(&[(P, 5)], &requires, &[("x-p", &a), ("x-q", &b)]), fails("0 waits 5"));
}

#[test]
fn one_of_several_is_enough() {
    let requires = json!({"requires_any": {"requirements": [{"provider_name": "p"}, {"provider_name": "q"}]}});
    let (a, b) = (good("a"), good_of_q("b"));
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-q", &b)]), passes("a"));
    assert_eq!(outcome(&requires, &[("x-p", &forged(&a)), ("x-q", &b)]), passes("b"));
    assert_eq!(outcome(&requires, &[]), fails("token_missing"));
    assert_eq!(outcome(&requires, &[("x-p", &forged(&a))]), fails("signature_invalid"));
    assert_eq!(outcome(&requires, &[("x-q", &forged(&b))]), fails("signature_invalid"));
    let late = &[(P, 5)];
    assert_eq!(outcome_while(late, &requires, &[("x-p", &a), ("x-q", &b)]), passes("b"));
    assert_eq!(outcome_while(late, &requires, &[("x-p", &a), ("x-q", &forged(&b))]), fails("0 waits 5"));
    assert_eq!(outcome_while(&[(P, 5), (Q, 3)], &requires, &[("x-p", &a), ("x-q", &b)]), fails("0 waits 3"));
}

#[test]
fn what_is_exempt_passes_without_a_claim() {
    let beside = |exemption: &str| json!({"requires_any": {"requirements": [{"provider_name": "p"}, {exemption: {}}]}});
    let (missing, failed) = (beside("allow_missing"), beside("allow_missing_or_failed"));
    let a = good("a");
    for requires in [&missing, &failed] {
        assert_eq!(outcome(requires, &[]), passes(""));
        assert_eq!(outcome(requires, &[("x-p", &a)]), passes("a"));
        assert_eq!(outcome_while(&[(P, 5)], requires, &[("x-p", &a)]), fails("0 waits 5"));
    }
    assert_eq!(outcome(&missing, &[("x-p", &forged(&a))]), fails("signature_invalid"));
    assert_eq!(outcome(&failed, &[("x-p", &forged(&a))]), passes(""));
}

#[test]
fn all_is_each() {
    let requires = json!({"requires_all": {"requirements": [{"provider_name": "p"}, {"provider_name": "q"}]}});
    let (a, b) = (good("a"), good_of_q("b"));
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-q", &b)]), passes("a b"));
    assert_eq!(outcome(&requires, &[("x-p", &a)]), fails("token_missing"));
    assert_eq!(outcome(&requires, &[("x-q", &b)]), fails("token_missing"));
    assert_eq!(outcome(&requires, &[("x-p", &a), ("x-q", &forged(&b))]), fails("signature_invalid"));
    let late = &[(P, 5)];
    assert_eq!(outcome_while(late, &requires, &[("x-p", &a), ("x-q", &b)]), fails("0 waits 5"));
    assert_eq!(outcome_while(late, &requires, &[("x-p", &a), ("x-q", &forged(&b))]), fails("signature_invalid"));
    assert_eq!(outcome_while(&[(P, 3), (Q, 5)], &requires, &[("x-p", &a), ("x-q", &b)]), fails("0 waits 3"));
}

/// Of two providers of one issuer at one place, the first that accepts the token wins, and the last refusal stands.
#[test]
fn providers_of_one_issuer_are_tried_in_turn() {
    let of = |audience: &str, header: &str| {
        provider_json(&json!({"audiences": [audience], "from_headers": [{"name": header}, {"name": "x-both"}]}))
    };
    let providers = json!({"p": of("one", "x-p"), "q": of("two", "x-q")});
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"allow_missing": {}}}]);
    let both = authenticator(&json!({"providers": providers, "rules": rules}));
    let decided = |pending: Vec<(ProviderId, Timestamp)>, name: &str, audience: &str| {
        let token = token(&json!({"aud": audience}));
        match (Surroundings { pending, ..Surroundings::default() }).decide(&both, &[(":path", "/"), (name, &token)]) {
            Decision::Allow(admission) => Ok(admission.provider.unwrap()),
            Decision::Deny(denial) => Err((Some(denial.reason), denial.provider)),
            Decision::Wait(wait) => Err((None, Some(wait.provider))),
            Decision::Tell(_) => panic!("nobody asks about the resource"),
        }
    };
    assert_eq!(decided(vec![], "x-both", "one"), Ok(P));
    assert_eq!(decided(vec![], "x-both", "two"), Ok(Q));
    assert_eq!(decided(vec![], "x-both", "three"), Err((Some(Reason::AudienceNotAccepted), Some(Q))));
    assert_eq!(decided(vec![], "x-p", "two"), Err((Some(Reason::AudienceNotAccepted), Some(P))));
    let late = vec![(P, Timestamp::from_secs(SECONDS + 5))];
    assert_eq!(decided(late.clone(), "x-both", "two"), Ok(Q));
    assert_eq!(decided(late, "x-both", "three"), Err((None, Some(P))), "p may accept it");
}

#[test]
fn the_scheme_dpop_is_looked_at_unless_the_only_header_holds_another() {
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]);
    let usual = authenticator(&json!({"providers": {"p": provider_json(&json!({}))}, "rules": rules}));
    let (bearer, dpop) = (format!("Bearer {}", good("a")), format!("DPoP {}", good("a")));
    let sent = |values: &[&str]| {
        let headers = values.iter().map(|value| ("authorization", *value));
        told(&Surroundings::default().decide(&usual, &[(":path", "/")].into_iter().chain(headers).collect::<Vec<_>>()))
    };
    assert_eq!(sent(&[&bearer]), passes(""));
    assert_eq!(sent(&[&dpop]), fails("sender_constraint"));
    assert_eq!(sent(&[&bearer, &dpop]), fails("token_duplicated"));
    assert_eq!(sent(&[&dpop, &bearer]), fails("token_duplicated"));
    let query = format!("/?access_token={}", good("a"));
    let headers = [(":path", query.as_str()), ("authorization", dpop.as_str())];
    assert_eq!(told(&Surroundings::default().decide(&usual, &headers)), fails("sender_constraint"));
}

/// In the order of what they tell, the least first.
#[test]
fn the_most_telling_refusal_stands_and_of_equals_the_last() {
    let order = [
        vec![Reason::TokenMissing],
        vec![Reason::IssuerNotAccepted],
        vec![Reason::SignatureInvalid, Reason::TokenExpired],
        vec![Reason::InsufficientScope],
        vec![Reason::TooManyFailures],
    ];
    let stands = |earlier: Reason, later: Reason| {
        more_telling(Some(Denial::new(earlier, None)), Denial::new(later, None)).reason
    };
    for (position, equals) in order.iter().enumerate() {
        for one in equals {
            assert_eq!(more_telling(None, Denial::new(*one, None)).reason, *one);
            for other in equals {
                assert_eq!(stands(*one, *other), *other);
            }
            for other in order[..position].iter().flatten() {
                assert_eq!((stands(*one, *other), stands(*other, *one)), (*one, *one));
            }
        }
    }
}

#[test]
fn what_was_not_looked_at_has_not_failed() {
    let exempts = |exemption, reason| exempt(exemption, &Denial::new(reason, None));
    for reason in Reason::ALL {
        assert!(!exempts(Exemption::None, *reason));
        assert_eq!(exempts(Exemption::Missing, *reason), *reason == Reason::TokenMissing);
        assert_eq!(exempts(Exemption::MissingOrFailed, *reason), *reason != Reason::TooManyFailures);
    }
}
