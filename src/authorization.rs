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
/// The first thing that the token lacks, in the order scopes, any_scopes, claims.
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
    // A claim that holds objects or lists of lists has no values to compare, so nothing can be said about them.
    let Some(values) = values(claim) else {
        return condition.any_of.is_none() && condition.all_of.is_none() && condition.none_of.is_none();
    };
    let has = |wanted: &ClaimValue| values.iter().any(|value| equals(wanted, value));
    condition.any_of.as_ref().is_none_or(|wanted| wanted.iter().any(&has))
        && condition.all_of.as_ref().is_none_or(|wanted| wanted.iter().all(&has))
        && condition.none_of.as_ref().is_none_or(|unwanted| !unwanted.iter().any(&has))
}

/// The values of a claim: the elements of an array, or else the claim itself; `None` if one of them is no scalar.
fn values(claim: Option<&Value>) -> Option<&[Value]> {
    let values = match claim {
        None => &[],
        Some(Value::Array(elements)) => elements.as_slice(),
        Some(scalar) => std::slice::from_ref(scalar),
    };
    values.iter().all(|value| !value.is_array() && !value.is_object()).then_some(values)
}

fn equals(wanted: &ClaimValue, value: &Value) -> bool {
    match (wanted, value) {
        (ClaimValue::Text(wanted), Value::String(text)) => wanted == text,
        (ClaimValue::Bool(wanted), Value::Bool(truth)) => wanted == truth,
        (ClaimValue::Number(wanted), Value::Number(number)) => same_number(wanted, number),
        _ => false,
    }
}

/// Whole numbers are compared exactly, others as doubles: 3 is 3.0.
fn same_number(one: &Number, other: &Number) -> bool {
    match (one.as_u64(), other.as_u64()) {
        (Some(one), Some(other)) => one == other,
        _ => one.as_f64() == other.as_f64(),
    }
}

fn name(path: &ClaimPath) -> String {
    match path {
        ClaimPath::Dotted(name) => name.clone(),
        ClaimPath::Exact(names) => names.join("."),
    }
}
