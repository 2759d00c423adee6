//! What is wrong with a token is found whole, and in the order of the filter.

use super::*;

use std::rc::Rc;

use serde_json::{Value, json};

use crate::config::{ProviderId, parse};
use crate::connection::Unknown;
use crate::crypto::Signatures;
use crate::decision::Decision;
use crate::jwks::{KeyOrigin, KeySet};
use crate::revocation::Standing;
use crate::shared_store::Nowhere;
use crate::time::Timestamp;
use crate::verifier::{KeyLookup, KeyQuery, Keys, Revocations};

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

struct OneSet;

impl Keys for OneSet {
    fn lookup(&self, query: KeyQuery<'_>) -> KeyLookup {
        match query.key_id {
            Some("missing") => KeyLookup::Pending(query.now),
            _ => KeyLookup::Ready(Rc::new(KeySet::parse(KEYS.as_bytes(), KeyOrigin::Remote, 1 << 16).unwrap())),
        }
    }

    fn generation(&self, _: ProviderId, _: Timestamp) -> Option<u64> {
        Some(0)
    }
}

impl Revocations for OneSet {
    fn standing(&self, _: ProviderId, _: &Marks, _: Timestamp, _: Timestamp) -> Standing {
        Standing::Good
    }
}

fn examined(header: &Value, claims: &Value, permission: &Value) -> (Vec<String>, Option<Reason>) {
    let provider =
        json!({"issuer": "i", "algorithms": ["EdDSA"], "audiences": ["api"], "local_jwks": {"inline_string": KEYS}});
    let mut requires = json!({"provider_name": "p"});
    requires.as_object_mut().unwrap().extend(permission.as_object().unwrap().clone());
    let rules = json!([{"match": {"prefix": "/"}, "requires": requires}]);
    let config = json!({"providers": {"p": provider}, "rules": rules}).to_string();
    let authenticator =
        Authenticator::new(parse(config.as_bytes(), &|_| None).unwrap().config, Signatures::in_module(), 1);
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let value = format!("Bearer {header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64]));
    let request = Request::new(vec![(b":path", b"/"), (b"authorization", value.as_bytes())]);
    let now = Timestamp::from_secs(1000);
    let moment =
        Moment { keys: &OneSet, revocations: &OneSet, connection: &Unknown, store: &Nowhere, arrival: now, now };
    let reason = match authenticator.decide(&request, moment) {
        Decision::Deny(denial) => Some(denial.reason),
        _ => None,
    };
    let presences = authenticator.presences(&request);
    let presence = presences.iter().find(|presence| !presence.tokens.is_empty()).unwrap();
    let demand = authenticator.config().requirements().flat_map(|part| part.leaves()).next().unwrap();
    let subject = Subject { token: presence.tokens[0], location: presence.location, demand, request: &request, moment };
    let checks = authenticator.examine(subject).into_iter();
    let unmet = checks.filter_map(|check| match check.outcome {
        Outcome::Met => None,
        Outcome::Unmet(denial) => Some(format!("{} {}", check.name, denial.reason.code())),
        Outcome::Open(_) => Some(format!("{} open", check.name)),
    });
    (unmet.collect(), reason)
}

#[test]
fn everything_that_is_wrong_is_found_and_the_first_is_what_the_filter_names() {
    let claims = json!({"iss": "i", "exp": 1, "nbf": 9000, "aud": "other", "scope": "b"});
    let (unmet, reason) =
        examined(&json!({"alg": "EdDSA"}), &claims, &json!({"scopes": ["a", "b"], "any_scopes": ["c"]}));
    let expected = [
        "signature signature_invalid",
        "exp token_expired",
        "nbf token_not_yet_valid",
        "told open",
        "aud audience_not_accepted",
        "scope a insufficient_scope",
        "any scope of c insufficient_scope",
    ];
    assert_eq!((unmet, reason), (expected.map(str::to_owned).to_vec(), Some(Reason::SignatureInvalid)));
    let (unmet, reason) = examined(&json!({"alg": "ES256", "typ": "x"}), &json!({"iss": "j"}), &json!({}));
    assert_eq!(unmet[..3], ["iss issuer_not_accepted", "alg algorithm_not_allowed", "typ type_not_accepted"]);
    assert_eq!(reason, Some(Reason::IssuerNotAccepted));
}

#[test]
fn without_keys_the_rest_is_looked_at_all_the_same() {
    let claims = json!({"iss": "i", "exp": 2000, "aud": "api", "cnf": {"jkt": "x"}});
    let (unmet, reason) = examined(&json!({"alg": "EdDSA", "kid": "missing"}), &claims, &json!({}));
    assert_eq!((unmet[..].join(", "), reason), ("signature open, told open, sender sender_constraint".into(), None));
    let (unmet, _) = examined(&json!({"alg": "none"}), &claims, &json!({}));
    assert_eq!(unmet, ["form algorithm_not_allowed"]);
}
