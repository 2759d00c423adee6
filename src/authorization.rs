//! Whether a verified token permits what is asked for: scopes and conditions on claims.

use serde_json::{Number, Value};

use crate::config::{ClaimCondition, ClaimPath, ClaimValue, Permission};
use crate::principal::Facts;

/// What a token lacks, in the configuration's own words: good for the proxy's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking(pub String);

/// Holds the facts of a verified token against a permission.
///
/// # Errors
///
/// The first thing that the token lacks, in the order `scopes`, `any_scopes`, `claims`.
pub fn check(permission: &Permission, facts: &Facts) -> Result<(), Lacking> {
    if let Some(missing) = permission.scopes.iter().find(|scope| !facts.grants(scope)) {
        return Err(Lacking(format!("scope {missing}")));
    }
    if !permission.any_scopes.is_empty() && !permission.any_scopes.iter().any(|scope| facts.grants(scope)) {
        return Err(Lacking(format!("any scope of {}", permission.any_scopes.join(" "))));
    }
    match permission.claims.iter().find(|condition| !holds(condition, facts.find(&condition.claim))) {
        Some(unmet) => Err(Lacking(format!("claim {}", name(&unmet.claim)))),
        None => Ok(()),
    }
}

/// The scopes that the challenge names (RFC 6750 section 3).
#[must_use]
pub fn named_scopes(permission: &Permission) -> Option<String> {
    let scopes: Vec<&str> = permission.scopes.iter().chain(&permission.any_scopes).map(String::as_str).collect();
    (!scopes.is_empty()).then(|| scopes.join(" "))
}

fn holds(condition: &ClaimCondition, claim: Option<&Value>) -> bool {
    // `null` says as little as a missing claim.
    let claim = claim.filter(|claim| !claim.is_null());
    if condition.exists.is_some_and(|exists| exists != claim.is_some()) {
        return false;
    }
    let lists = [&condition.any_of, &condition.all_of, &condition.not_any_of, &condition.not_all_of];
    // A claim that holds anything else has no values to compare, so nothing can be said about them.
    let Some(values) = values(claim) else { return lists.iter().all(|list| list.is_none()) };
    let has = |wanted: &ClaimValue| values.iter().any(|value| equals(wanted, value));
    let [any_of, all_of, not_any_of, not_all_of] = lists;
    any_of.as_ref().is_none_or(|wanted| wanted.iter().any(has))
        && all_of.as_ref().is_none_or(|wanted| wanted.iter().all(has))
        && not_any_of.as_ref().is_none_or(|unwanted| !unwanted.iter().any(has))
        && not_all_of.as_ref().is_none_or(|unwanted| !unwanted.iter().all(has))
}

/// The values of a claim: the elements of an array, or else the claim itself; `None` if one of them is no scalar.
fn values(claim: Option<&Value>) -> Option<&[Value]> {
    let values = match claim {
        None => &[],
        Some(Value::Array(elements)) => elements.as_slice(),
        Some(scalar) => std::slice::from_ref(scalar),
    };
    values.iter().all(|value| value.is_string() || value.is_number() || value.is_boolean()).then_some(values)
}

pub(crate) fn equals(wanted: &ClaimValue, value: &Value) -> bool {
    match (wanted, value) {
        (ClaimValue::Text(wanted), Value::String(text)) => wanted == text,
        (ClaimValue::Bool(wanted), Value::Bool(truth)) => wanted == truth,
        (ClaimValue::Number(wanted), Value::Number(number)) => same_number(wanted, number),
        _ => false,
    }
}

/// Whole numbers are compared exactly, others as doubles: 3 is 3.0. A double that is too large to be exact is no whole
/// number's equal.
fn same_number(one: &Number, other: &Number) -> bool {
    let is_exact = |number: i128| number.unsigned_abs() <= 1 << 53;
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => one == other,
        (Some(whole), None) | (None, Some(whole)) if !is_exact(whole) => false,
        _ => one.as_f64() == other.as_f64(),
    }
}

fn name(path: &ClaimPath) -> String {
    match path {
        ClaimPath::Dotted(name) => name.clone(),
        ClaimPath::Exact(names) => names.join("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use serde_json::json;

    use crate::config::{Config, parse};
    use crate::jwt::Claims;
    use crate::principal::Interest;

    /// The permission that a rule with these members asks for, and what tokens of its provider are looked at for.
    fn configured(members: &Value) -> (Config, Permission) {
        let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let mut requires = json!({"provider_name": "p"});
        requires.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let provider = json!({"issuer": "i", "any_audience": true, "local_jwks": {"inline_string": keys}});
        let config = json!({"providers": {"p": provider}, "rules": [{"match": {"prefix": "/"}, "requires": requires}]});
        let config = parse(config.to_string().as_bytes(), &|_| None).unwrap().config;
        let permission = config.requirements().flat_map(|requirement| requirement.leaves()).next().unwrap();
        let permission = permission.permission.clone();
        (config, permission)
    }

    fn lacking(members: &Value, claims: &Value) -> Option<String> {
        let (config, permission) = configured(members);
        let interest = Interest::of(&config, crate::config::ProviderId(0));
        let wanted: Vec<_> = interest.claims().cloned().collect();
        let text = claims.to_string();
        let facts = Facts::of(&Claims::for_test(&text, &wanted), &config.providers[0], &interest);
        check(&permission, &facts).err().map(|Lacking(what)| what)
    }

    #[allow(clippy::needless_pass_by_value, reason = "literals are shorter so")]
    fn holds(condition: Value, claims: Value) -> bool {
        lacking(&json!({"claims": [condition]}), &claims).is_none()
    }

    #[test]
    fn scopes_are_granted_by_either_claim_in_either_form() {
        let both = json!({"scopes": ["read", "write"]});
        for claims in [
            json!({"scope": "read write"}),
            json!({"scp": ["write", "x", "read"]}),
            json!({"scope": "read", "scp": "write"}),
            json!({"scope": ["read write", "read", "write"]}),
        ] {
            assert_eq!(lacking(&both, &claims), None, "{claims}");
        }
        for claims in [json!({"scope": "write reader"}), json!({"scope": 1}), json!({"scp": ["read write"]}), json!({})]
        {
            assert_eq!(lacking(&both, &claims).as_deref(), Some("scope read"), "{claims}");
        }
        let any = json!({"any_scopes": ["a", "b"]});
        assert_eq!(lacking(&any, &json!({"scope": "x b"})), None);
        assert_eq!(lacking(&any, &json!({"scope": "ab A"})).as_deref(), Some("any scope of a b"));
    }

    #[test]
    fn values_are_those_of_the_claim_or_of_its_elements() {
        let any = |values: Value| json!({"name": "role", "any_of": values});
        for (values, claim) in [
            (json!(["admin"]), json!("admin")),
            (json!(["x", "admin"]), json!(["user", "admin"])),
            (json!([3]), json!(3)),
            (json!([3]), json!(3.0)),
            (json!([-1.5]), json!([-1.5])),
            (json!([true]), json!(true)),
            (json!([9_007_199_254_740_991_u64]), json!(9_007_199_254_740_991_u64)),
            (json!([u64::MAX]), json!(u64::MAX)),
            (json!([-9_007_199_254_740_992_i64]), json!(-9_007_199_254_740_992_i64)),
            (json!([-3]), json!(-3.0)),
        ] {
            assert!(holds(any(values.clone()), json!({"role": claim})), "{values} {claim}");
        }
        for (values, claim) in [
            (json!(["admin"]), json!("Admin")),
            (json!(["admin"]), json!("user admin")),
            (json!(["3"]), json!(3)),
            (json!([3]), json!("3")),
            (json!([3]), json!(3.5)),
            (json!(["true"]), json!(true)),
            (json!([9_007_199_254_740_991_u64]), json!(9_007_199_254_740_992_u64)),
            (json!([9_007_199_254_740_993_u64]), json!(9_007_199_254_740_992_u64)),
            (json!([9_007_199_254_740_993_u64]), json!(9_007_199_254_740_992.0)),
            (json!([u64::MAX]), json!(18_446_744_073_709_551_616.0)),
            (json!([-9_007_199_254_740_992_i64]), json!(-9_007_199_254_740_993_i64)),
            (json!(["admin"]), json!(["admin", null])),
            (json!(["admin"]), json!([["admin"]])),
            (json!(["admin"]), json!(["admin", {}])),
            (json!(["admin"]), json!({"admin": true})),
            (json!(["admin"]), json!([])),
            (json!(["admin"]), json!(null)),
        ] {
            assert!(!holds(any(values.clone()), json!({"role": claim})), "{values} {claim}");
        }
        assert!(!holds(any(json!(["admin"])), json!({"roles": "admin"})));
    }

    #[test]
    fn all_of_and_not() {
        let all = || json!({"name": "role", "all_of": ["a", "b"]});
        assert!(holds(all(), json!({"role": ["b", "c", "a"]})));
        assert!(!holds(all(), json!({"role": ["a"]})));
        let none = || json!({"name": "role", "not": {"any_of": ["guest"]}});
        assert!(holds(none(), json!({"role": ["user"]})) && holds(none(), json!({})));
        assert!(!holds(none(), json!({"role": ["user", "guest"]})));
        for unreadable in [json!({"guest": 1}), json!([["guest"]]), json!(["user", null])] {
            assert!(!holds(none(), json!({"role": unreadable})), "what cannot be read may be anything");
        }
        let not_both = || json!({"name": "role", "not": {"all_of": ["a", "b"]}});
        assert!(holds(not_both(), json!({"role": ["a"]})));
        assert!(!holds(not_both(), json!({"role": ["b", "a"]})));
    }

    #[test]
    fn existence_is_that_of_a_value() {
        let exists = |exists: bool| json!({"path": ["https://x.example/a.b", "c"], "exists": exists});
        let there = json!({"https://x.example/a.b": {"c": {"any": ["thing"]}}});
        assert!(holds(exists(true), there.clone()) && !holds(exists(false), there));
        for absent in [json!({}), json!({"https://x.example/a.b": {"c": null}}), json!({"https://x.example/a.b": "c"})]
        {
            assert!(holds(exists(false), absent.clone()) && !holds(exists(true), absent));
        }
    }

    #[test]
    fn the_challenge_names_every_scope_in_order() {
        let named = |members: &Value| named_scopes(&configured(members).1);
        assert_eq!(named(&json!({})), None);
        assert_eq!(named(&json!({"scopes": ["b", "a"], "any_scopes": ["d", "c"]})).as_deref(), Some("b a d c"));
    }

    #[test]
    fn every_condition_has_to_hold() {
        let both = json!({"claims": [{"name": "a.b", "any_of": [1]}, {"claim_path": ["c"], "exists": true}]});
        assert_eq!(lacking(&both, &json!({"a": {"b": 1}, "c": 0})), None);
        assert_eq!(lacking(&both, &json!({"a": {"b": 1}})).as_deref(), Some("claim c"));
        assert_eq!(lacking(&both, &json!({"c": 0})).as_deref(), Some("claim a.b"));
    }
}
