//! What becomes of whole requests: what is remembered, counted, told and used up.

mod failures;
mod possession;

use serde_json::{Value, json};

use crate::authenticator::{Authenticator, Tally};
use crate::config::{ProviderId, ROUTE_PROPERTY, RuleId};
use crate::decision::{Admission, Decision, Denial};
use crate::extractor::HeaderEdit;
use crate::reason::Reason;
use crate::request::Request;
use crate::revocation::Standing;
use crate::route::Route;
use crate::trial::{Client, NOW, SECONDS, Surroundings, authenticator, provider_json, token, with};
use crate::upstream::Effect;

/// A configuration of one provider and one rule, with these members.
fn configured(provider: &Value, members: &Value) -> Authenticator {
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "p"}}]);
    authenticator(&with(json!({"providers": {"p": provider_json(provider)}, "rules": rules}), members))
}

fn usual() -> Authenticator {
    configured(&json!({}), &json!({}))
}

fn decided(authenticator: &Authenticator, headers: &[(&str, &str)]) -> Decision {
    decided_in(&Surroundings::default(), authenticator, headers)
}

fn decided_in(surroundings: &Surroundings, authenticator: &Authenticator, headers: &[(&str, &str)]) -> Decision {
    let own = [(":method", "GET"), (":scheme", "https"), (":authority", "api.example"), (":path", "/")];
    let own = own.iter().filter(|(name, _)| headers.iter().all(|(other, _)| name != other));
    surroundings.decide(authenticator, &own.chain(headers).copied().collect::<Vec<_>>())
}

fn allowed(decision: Decision) -> Admission {
    let Decision::Allow(admission) = decision else { panic!("{decision:?}") };
    admission
}

fn denied(decision: Decision) -> Denial {
    let Decision::Deny(denial) = decision else { panic!("{decision:?}") };
    denial
}

fn bearer(claims: &Value) -> String {
    format!("Bearer {}", token(claims))
}

/// What a header or a property is set to.
fn told(admission: &Admission) -> Vec<(String, String)> {
    let effects = admission.told.iter().flat_map(|effects| effects.iter());
    let told = effects.filter_map(|effect| match effect {
        Effect::Header(HeaderEdit::Replace(name, values)) => {
            Some((name.clone(), String::from_utf8(values.concat()).ok()?))
        }
        Effect::Property(name, value) => Some((name.clone(), value.clone())),
        Effect::Header(_) => None,
    });
    told.collect()
}

#[test]
fn a_token_is_remembered_while_its_keys_are_the_same() {
    let (authenticator, surroundings) = (usual(), Surroundings::default());
    let value = bearer(&json!({}));
    let tally_after = |surroundings: &Surroundings| {
        allowed(decided_in(surroundings, &authenticator, &[("authorization", &value)]));
        assert_eq!(authenticator.tally(), authenticator.tally(), "looking changes nothing");
        authenticator.take_tally()
    };
    let (verified, recalled) = (Tally { verified: 1, ..Tally::default() }, Tally { recalled: 1, ..Tally::default() });
    assert_eq!([tally_after(&surroundings), tally_after(&surroundings)], [verified, recalled]);
    let rotated = Surroundings { generation: Some(1), ..Surroundings::default() };
    assert_eq!([tally_after(&rotated), tally_after(&rotated)], [verified, recalled]);
    assert_eq!(authenticator.tally(), Tally::default());
}

#[test]
fn a_token_of_unreliable_keys_is_not_remembered() {
    let (authenticator, value) = (usual(), bearer(&json!({})));
    let surroundings = Surroundings { generation: None, ..Surroundings::default() };
    for verified in 1..3 {
        allowed(decided_in(&surroundings, &authenticator, &[("authorization", &value)]));
        assert_eq!(authenticator.tally(), Tally { verified, ..Tally::default() });
    }
}

#[test]
fn the_header_of_a_token_is_known_once_it_was_verified() {
    let forgetful = configured(&json!({}), &json!({"token_cache": {"max_entries": 0}}));
    let decide = |token: &str| decided(&forgetful, &[("authorization", &format!("Bearer {token}"))]);
    let (good, late) = (token(&json!({})), token(&json!({"exp": SECONDS - 1000})));
    let forged = format!("{good}A");
    for refused in [forged.as_str(), "e30.e30.AAAA", &late] {
        denied(decide(refused));
        assert_eq!(forgetful.known_headers().count(), 0, "{refused}");
    }
    for _ in 0..2 {
        allowed(decide(&good));
        assert_eq!(forgetful.known_headers().count(), 1);
    }
    // What is known of its header helps no token that would be refused.
    assert_eq!(denied(decide(&late)).reason, Reason::TokenExpired);
    let other = token(&json!({"sub": "other"}));
    let parts =
        |token: &str| token.rsplit_once('.').map(|(signed, signature)| (signed.to_owned(), signature.to_owned()));
    let forged = format!("{}.{}", parts(&good).unwrap().0, parts(&other).unwrap().1);
    assert_eq!(denied(decide(&forged)).reason, Reason::SignatureInvalid);
}

#[test]
fn only_a_preflight_passes_without_a_token_and_only_where_that_is_wanted() {
    let preflight =
        [(":method", "OPTIONS"), ("origin", "https://app.example"), ("access-control-request-method", "GET")];
    let bypassing = configured(&json!({}), &json!({"bypass_cors_preflight": true}));
    assert_eq!(allowed(decided(&bypassing, &preflight)).code, "cors_preflight");
    assert_eq!(denied(decided(&bypassing, &[])).reason, Reason::TokenMissing);
    assert_eq!(denied(decided(&usual(), &preflight)).reason, Reason::TokenMissing);
}

#[test]
fn a_token_that_others_could_read_is_refused_where_tls_is_required() {
    let strict = configured(&json!({}), &json!({"require_tls": true}));
    let plain = || {
        let client = Client { is_tls: false, ..Surroundings::default().client };
        Surroundings { client, ..Surroundings::default() }
    };
    let (value, query) = (bearer(&json!({})), format!("/?access_token={}", token(&json!({}))));
    for (headers, place) in [([("authorization", value.as_str())], 0), ([(":path", query.as_str())], 1)] {
        allowed(decided(&strict, &headers));
        let denial = denied(decided_in(&plain(), &strict, &headers));
        assert_eq!((denial.reason, denial.place), (Reason::TlsRequired, Some(place)));
        allowed(decided_in(&plain(), &usual(), &headers));
    }
    assert_eq!(denied(decided_in(&plain(), &strict, &[])).reason, Reason::TokenMissing);
}

/// One place after the other: what is looked at is the place of the provider that is asked for.
#[test]
fn the_places_of_other_providers_are_not_exposed() {
    let of = |issuer: &str, header: &str| provider_json(&json!({"issuer": issuer, "from_headers": [{"name": header}]}));
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"provider_name": "q"}}]);
    let providers = json!({"p": of("i", "x-p"), "q": of("j", "x-q")});
    let strict = authenticator(&json!({"providers": providers, "rules": rules, "require_tls": true}));
    let client = Client { is_tls: false, ..Surroundings::default().client };
    let plain = Surroundings { client, ..Surroundings::default() };
    assert_eq!(denied(decided_in(&plain, &strict, &[("x-p", "t")])).reason, Reason::TokenMissing);
    let denial = denied(decided_in(&plain, &strict, &[("x-q", "t")]));
    assert_eq!((denial.reason, denial.place), (Reason::TlsRequired, Some(1)));
}

#[test]
fn the_audit_is_told_who_was_refused_if_the_signature_is_good() {
    let audit = json!({"audit": {"decisions": "all", "subject": "plain"}});
    let audited = configured(
        &json!({}),
        &with(
            audit,
            &json!({"rules": [
                {"match": {"prefix": "/"}, "requires": {"provider_name": "p", "scopes": ["read"]}},
            ]}),
        ),
    );
    let refused = |claims: &Value| {
        let denial = denied(decided(&audited, &[("authorization", &bearer(claims))]));
        (denial.reason, denial.identity.and_then(|identity| identity.subject.as_deref().map(str::to_owned)))
    };
    assert_eq!(refused(&json!({"exp": 1})), (Reason::TokenExpired, Some("s".to_owned())));
    assert_eq!(refused(&json!({})), (Reason::InsufficientScope, Some("s".to_owned())));
    let forged = format!("{}.{}", bearer(&json!({})).rsplit_once('.').unwrap().0, "A".repeat(43));
    assert_eq!(denied(decided(&audited, &[("authorization", &forged)])).identity, None);
}

#[test]
fn the_only_provider_is_named_even_if_nothing_was_looked_at() {
    let rules = json!([{"match": {"prefix": "/"}, "requires": {"allow_missing": {}}}]);
    let only = configured(&json!({}), &json!({"rules": rules}));
    let denial = denied(decided(&only, &[("authorization", "Bearer a"), ("authorization", "Bearer b")]));
    assert_eq!((denial.reason, denial.provider), (Reason::TokenDuplicated, Some(ProviderId(0))));
}

#[test]
fn what_is_not_certain_is_not_called_verified() {
    let unavailable = Surroundings { standing: Standing::Unavailable("nobody answers"), ..Surroundings::default() };
    let revoking = |demand: &str| {
        let revocation = json!({"require_jti": true, "on_unavailable": demand});
        configured(&json!({"revocation": revocation}), &json!({}))
    };
    let headers = [("authorization", &*bearer(&json!({"jti": "j"})))];
    assert_eq!(allowed(decided(&revoking("allow"), &headers)).code, "verified");
    assert_eq!(allowed(decided_in(&unavailable, &revoking("allow"), &headers)).code, "verified_without_revocation");
    assert_eq!(denied(decided_in(&unavailable, &revoking("deny"), &headers)).reason, Reason::RevocationUnavailable);
    for (standing, reason) in [
        (Standing::Revoked("it is listed"), Reason::TokenRevoked),
        (Standing::Unmarked("the token has no jti"), Reason::RevocationClaimMissing),
    ] {
        let surroundings = Surroundings { standing, ..Surroundings::default() };
        assert_eq!(denied(decided_in(&surroundings, &revoking("allow"), &headers)).reason, reason);
    }
    let until = NOW.saturating_add(std::time::Duration::from_secs(1));
    let pending = Surroundings { standing: Standing::Pending(until), ..Surroundings::default() };
    let Decision::Wait(wait) = decided_in(&pending, &revoking("allow"), &headers) else {
        panic!("nobody can tell yet")
    };
    assert_eq!((wait.provider, wait.until, wait.rule), (ProviderId(0), until, Some(RuleId(0))));
}

#[test]
fn the_route_is_asked_for_and_told_where_somebody_wants_it() {
    let decisions = json!({"decisions": "all"});
    for (members, asks, tells) in [
        (json!({}), false, false),
        // What is put on record asks by itself.
        (json!({"audit": decisions}), false, false),
        (json!({"route_metadata": true}), true, true),
        (json!({"audit": decisions, "route_metadata": true}), true, true),
    ] {
        let authenticator = configured(&json!({}), &members);
        assert_eq!(authenticator.asks_for_route(), asks, "{members}");
        for name in ["r", ""] {
            let route = Route { name: Some(name.into()), metadata: None };
            let value = bearer(&json!({}));
            let headers = vec![(&b":path"[..], &b"/"[..]), (b"authorization", value.as_bytes())];
            let request = Request::new(headers).on_route(&route);
            let admission = allowed(authenticator.decide(&request, Surroundings::default().moment()));
            let expected = (tells && !name.is_empty()).then(|| (ROUTE_PROPERTY.to_owned(), name.to_owned()));
            assert_eq!(told(&admission), expected.into_iter().collect::<Vec<_>>(), "{members}");
        }
    }
}

#[test]
fn a_later_token_tells_nothing_that_an_earlier_one_may_tell() {
    let of = |issuer: &str, header: &str, told: Value| {
        let usual = json!({"issuer": issuer, "from_headers": [{"name": header}]});
        provider_json(&with(usual, &told))
    };
    let requires = json!({"requires_all": {"requirements": [{"provider_name": "p"}, {"provider_name": "q"}]}});
    let rules = json!([{"match": {"prefix": "/"}, "requires": requires}]);
    let names = |name: &str, state: &str, payload: &str| {
        json!({
            "claim_to_headers": [{"header_name": name, "claim_name": "sub"}],
            "claim_to_filter_state": [{"name": state, "claim_name": "sub"}],
            "forward_payload_header": payload,
        })
    };
    let admitted = |first: &Value, claims: &Value| {
        let providers = json!({"p": of("i", "x-p", first.clone()), "q": of("j", "x-q", names("x-s", "s", "x-c"))});
        let both = authenticator(&json!({"providers": providers, "rules": rules}));
        let (one, other) = (token(claims), token(&json!({"iss": "j", "sub": "other"})));
        told(&allowed(decided(&both, &[("x-p", &one), ("x-q", &other)])))
    };
    let of_other = |told: Vec<(String, String)>| -> Vec<_> {
        let kept = told.into_iter().filter(|(_, value)| value != "s");
        kept.map(|(name, _)| name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
    };
    let shares = |name: &str, state: &str, payload: &str| {
        // The first token has no subject, so it tells but its payload.
        of_other(admitted(&names(name, state, payload), &json!({"sub": null})))
    };
    assert_eq!(shares("x-s", "s", "x-c").len(), 1);
    assert_eq!(shares("x-1", "s", "x-c").len(), 2);
    assert_eq!(shares("x-s", "s1", "x-c").len(), 2);
    assert_eq!(shares("x-s", "s", "x-2").len(), 2);
    assert_eq!(shares("x-1", "s1", "x-2").len(), 4);
    assert_eq!(admitted(&json!({}), &json!({})).len(), 3, "the first tells nothing");
}

#[test]
fn whether_anything_is_enforced_is_known() {
    assert!(!usual().enforces_nothing());
    assert!(configured(&json!({}), &json!({"report_only": true})).enforces_nothing());
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn what_is_asked_of_a_request_is_said() {
    let authenticator = usual();
    let asked = authenticator.asked_of(&Request::new(vec![(b":path", b"/")]));
    assert_eq!(asked, Ok((authenticator.config().rules[0].requires.as_deref(), Some(RuleId(0)))));
    assert!(asked.unwrap().0.is_some());
}
