//! Validates what a verified token has to permit: scopes and conditions on claims.

use super::{
    ClaimCondition, ClaimPath, ClaimValue, Permission, forwarding, names,
    raw::{RawClaimCondition, RawScalar, RawValues},
    report::{Checked, Place, quoted},
};

/// Scopes, conditions, or values of a condition in one list: each request is held against all of them.
const MAX_LISTED: usize = 256;

/// Validates what stands beside a provider's name.
pub(super) fn permission(
    scopes: Option<Vec<String>>,
    any_scopes: Option<Vec<String>>,
    claims: Option<Vec<RawClaimCondition>>,
    at: &Place<'_>,
) -> Checked<Permission> {
    let scopes = scope_list(scopes, &at.field("scopes"));
    let any_scopes = scope_list(any_scopes, &at.field("any_scopes"));
    let claims = conditions(claims, &at.field("claims"));
    Ok(Permission { scopes: scopes?, any_scopes: any_scopes?, claims: claims? })
}

fn scope_list(raw: Option<Vec<String>>, at: &Place<'_>) -> Checked<Vec<String>> {
    let Some(list) = raw else { return Ok(Vec::new()) };
    check_number(list.len(), "scopes", at)?;
    names::distinct(at.each(list, scope)?, at)
}

/// RFC 6749 section 3.3: printable ASCII without blanks, quotes and backslashes. It goes into the challenge as it is.
fn scope(text: String, at: &Place<'_>) -> Checked<String> {
    if text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) {
        return Ok(text);
    }
    at.mistake(format!("{} is not one scope: printable ASCII without blanks, quotes and backslashes", quoted(&text)))
}

fn conditions(raw: Option<Vec<RawClaimCondition>>, at: &Place<'_>) -> Checked<Vec<ClaimCondition>> {
    let Some(list) = raw else { return Ok(Vec::new()) };
    check_number(list.len(), "conditions", at)?;
    at.each(list, condition)
}

/// An empty list would ask for nothing: that is hardly what was meant.
fn check_number(number: usize, what: &str, at: &Place<'_>) -> Checked<()> {
    if (1..=MAX_LISTED).contains(&number) {
        return Ok(());
    }
    at.mistake(format!("has to hold 1 to {MAX_LISTED} {what}"))
}

fn condition(raw: RawClaimCondition, at: &Place<'_>) -> Checked<ClaimCondition> {
    let claim = claim((raw.claim_name, raw.claim_path), (raw.name, raw.path), at);
    let not = raw.not.map(|not| negated(not, &at.field("not"))).transpose();
    let any_of = values(raw.any_of, &at.field("any_of"));
    let all_of = values(raw.all_of, &at.field("all_of"));
    let (not_any_of, not_all_of) = not?.unwrap_or_default();
    let condition =
        ClaimCondition { claim: claim?, exists: raw.exists, any_of: any_of?, all_of: all_of?, not_any_of, not_all_of };
    check_sense(&condition, at).map(|()| condition)
}

/// A condition may call the claim `name` and `path` for short.
fn claim(
    long: (Option<String>, Option<Vec<String>>),
    short: (Option<String>, Option<Vec<String>>),
    at: &Place<'_>,
) -> Checked<ClaimPath> {
    match (long, short) {
        ((None, None), (Some(name), None)) => forwarding::claim_name(name, &at.field("name")),
        ((None, None), (None, Some(path))) => forwarding::claim_path(path, &at.field("path")),
        (long, (None, None)) => forwarding::claim(long.0, long.1, at),
        _ => at.mistake("names the claim twice: needs exactly one of claim_name and claim_path"),
    }
}

fn check_sense(condition: &ClaimCondition, at: &Place<'_>) -> Checked<()> {
    let asks_for_values = condition.any_of.is_some() || condition.all_of.is_some();
    let asks_against = condition.not_any_of.is_some() || condition.not_all_of.is_some();
    match condition.exists {
        None if !asks_for_values && !asks_against => at.mistake("needs a condition: exists, any_of, all_of or not"),
        Some(false) if asks_for_values => {
            at.field("exists").mistake("`false` contradicts the values that are asked for")
        }
        _ => Ok(()),
    }
}

/// The values of which the claim may have none, and those that it may not have all.
type Negated = (Option<Vec<ClaimValue>>, Option<Vec<ClaimValue>>);

fn negated(raw: RawValues, at: &Place<'_>) -> Checked<Negated> {
    if raw.any_of.is_none() && raw.all_of.is_none() {
        return at.mistake("needs any_of or all_of");
    }
    let any_of = values(raw.any_of, &at.field("any_of"));
    let all_of = values(raw.all_of, &at.field("all_of"));
    Ok((any_of?, all_of?))
}

fn values(raw: Option<Vec<RawScalar>>, at: &Place<'_>) -> Checked<Option<Vec<ClaimValue>>> {
    let Some(list) = raw else { return Ok(None) };
    check_number(list.len(), "values", at)?;
    Ok(Some(list.into_iter().map(|RawScalar(value)| value).collect()))
}
