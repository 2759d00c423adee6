//! What the header, the keys and the signature have to be for a token to be looked at.

use super::*;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::extractor::HeaderEdit;
use crate::jwks::KeyOrigin;
use crate::jwt::DecodedToken;
use crate::trial::{NOW, SECONDS, Surroundings, key_set, provider, signed};
use crate::upstream::Effect;

const ID: ProviderId = ProviderId(3);

fn claims() -> Value {
    json!({"iss": "i", "aud": "api", "exp": SECONDS + 100, "iat": SECONDS, "jti": "j", "cnf": {"jkt": "t"}})
}

/// What becomes of a token, which is good but for its header, by a provider with these members.
fn accepted(members: &Value, header: &Value, surroundings: &Surroundings) -> Result<Principal, Stop> {
    let text = signed(header, &claims());
    let decoded = DecodedToken::decode(text.as_bytes(), 10_000).unwrap();
    let token = decoded.parse(&[]).unwrap();
    accept(ID, &provider(members), &token, None, &Signatures::in_module(), surroundings.moment())
}

/// Why such a token is refused, if it is.
fn refusal(members: &Value, header: &Value) -> Option<Reason> {
    refusal_in(&Surroundings::default(), members, header)
}

fn refusal_in(surroundings: &Surroundings, members: &Value, header: &Value) -> Option<Reason> {
    match accepted(members, header, surroundings) {
        Ok(_) => None,
        Err(Stop::Deny(denial)) => {
            assert_eq!(denial.provider, Some(ID));
            Some(denial.reason)
        }
        Err(Stop::Wait(_)) => panic!("the keys are there"),
    }
}

#[test]
fn the_provider_says_which_algorithms_count() {
    let members = |algorithms: Value| json!({"algorithms": algorithms});
    let header = json!({"alg": "HS256"});
    assert_eq!(refusal(&members(json!(["HS256"])), &header), None);
    assert_eq!(refusal(&members(json!(["ES256", "HS256"])), &header), None);
    assert_eq!(refusal(&members(json!(["HS256"])), &json!({"alg": "HS384"})), Some(Reason::AlgorithmNotAllowed));
    assert_eq!(refusal(&members(json!(["HS256"])), &json!({"alg": "RS256"})), Some(Reason::AlgorithmNotAllowed));
}

#[test]
fn the_provider_says_which_types_count() {
    let header = |token_type: &str| json!({"alg": "HS256", "typ": token_type});
    for token_type in ["JWT", "at+jwt", "application/AT+JWT"] {
        assert_eq!(refusal(&json!({}), &header(token_type)), None, "{token_type}");
    }
    for token_type in ["", "JWS", "dpop+jwt", "at", "secevent+jwt"] {
        assert_eq!(refusal(&json!({}), &header(token_type)), Some(Reason::TypeNotAccepted), "{token_type}");
    }
    let only = json!({"types": ["at+jwt"]});
    assert_eq!(refusal(&only, &header("at+JWT")), None);
    assert_eq!(refusal(&only, &header("JWT")), Some(Reason::TypeNotAccepted));
    let untyped = json!({"alg": "HS256"});
    assert_eq!(refusal(&only, &untyped), None);
    assert_eq!(refusal(&json!({"require_type": true}), &untyped), Some(Reason::TypeNotAccepted));
    assert_eq!(refusal(&json!({"require_type": true}), &header("JWT")), None);
}

#[test]
fn a_header_is_refused_before_keys_are_looked_for() {
    let nowhere = Surroundings { keys: KeyLookup::Unavailable, ..Surroundings::default() };
    for (header, expected) in [
        (json!({"alg": "HS384"}), Reason::AlgorithmNotAllowed),
        (json!({"alg": "HS256", "typ": "x"}), Reason::TypeNotAccepted),
        (json!({"alg": "HS256"}), Reason::KeysUnavailable),
    ] {
        assert_eq!(refusal_in(&nowhere, &json!({}), &header), Some(expected), "{header}");
    }
}

#[test]
fn the_key_is_the_one_that_the_header_names() {
    let named = |key_id: &str| refusal(&json!({}), &json!({"alg": "HS256", "kid": key_id}));
    assert_eq!(named("k"), None);
    assert_eq!(named("K"), Some(Reason::KeyUnknown));
    assert_eq!(named(""), Some(Reason::KeyUnknown));
    let members = json!({"algorithms": ["HS256", "RS256"]});
    assert_eq!(refusal(&members, &json!({"alg": "RS256", "kid": "k"})), Some(Reason::KeyUnsuitable));
    assert_eq!(refusal(&members, &json!({"alg": "RS256", "kid": "x"})), Some(Reason::KeyUnknown));
    assert_eq!(refusal(&members, &json!({"alg": "RS256"})), Some(Reason::KeyUnsuitable));
}

#[test]
fn another_key_does_not_verify() {
    let other = key_set().replace("\"k\":\"MDEy", "\"k\":\"MDEz");
    assert_ne!(other, key_set());
    let set = KeySet::parse(other.as_bytes(), KeyOrigin::Local, 1 << 16).unwrap();
    let surroundings = Surroundings { keys: KeyLookup::Ready(Rc::new(set)), ..Surroundings::default() };
    assert_eq!(refusal_in(&surroundings, &json!({}), &json!({"alg": "HS256"})), Some(Reason::SignatureInvalid));
}

#[test]
fn keys_that_are_to_come_are_waited_for() {
    let until = NOW.saturating_add(std::time::Duration::from_secs(5));
    let surroundings = Surroundings { keys: KeyLookup::Pending(until), ..Surroundings::default() };
    let Err(Stop::Wait(wait)) = accepted(&json!({}), &json!({"alg": "HS256"}), &surroundings) else {
        panic!("nobody can tell yet")
    };
    assert_eq!(wait, Wait { provider: ID, rule: None, until, question: None });
}

#[test]
fn claims_are_checked_behind_the_signature() {
    assert_eq!(refusal(&json!({"issuer": "j"}), &json!({"alg": "HS256"})), Some(Reason::IssuerNotAccepted));
}

#[test]
fn what_is_kept_of_a_token_is_what_it_says() {
    let surroundings = Surroundings { generation: Some(7), ..Surroundings::default() };
    let kept = |members: &Value| accepted(members, &json!({"alg": "HS256"}), &surroundings).ok().unwrap();
    let principal = kept(&json!({}));
    assert_eq!((principal.provider, principal.generation), (ID, Some(7)));
    assert_eq!(principal.confirmation.unwrap().key_thumbprint.as_deref(), Some("t"));
    let skew = std::time::Duration::from_secs(60);
    let until = Timestamp::from_secs(SECONDS + 100).saturating_add(skew);
    assert_eq!(principal.validity, Validity { from: NOW.saturating_sub(skew), until: Some(until) });
    assert!(principal.marks.is_none(), "nothing can revoke it");

    let principal = kept(&json!({"revocation": {"require_jti": true}}));
    assert_eq!(principal.marks.unwrap().token_id.as_deref(), Some("j"));
}

#[test]
fn the_upstream_is_told_the_claims_as_they_were_signed() {
    let told = |members: &Value| {
        let principal = accepted(members, &json!({"alg": "HS256"}), &Surroundings::default()).ok().unwrap();
        principal.effects.to_vec()
    };
    assert_eq!(told(&json!({})), []);
    let [Effect::Header(HeaderEdit::Replace(name, values))] = &told(&json!({"forward_payload_header": "x-claims"}))[..]
    else {
        panic!("one header")
    };
    let json = URL_SAFE_NO_PAD.decode(values.concat()).unwrap();
    assert_eq!((name.as_str(), serde_json::from_slice::<Value>(&json).unwrap()), ("x-claims", claims()));
}

/// Who knows of no questions has none under way.
#[test]
fn there_is_no_question_unless_somebody_asks() {
    assert!(Surroundings::default().question(ID, &Marks::default()).is_none());
}
