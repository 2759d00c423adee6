//! Which issuer's tokens a provider accepts.

use super::{
    IssuerMatcher, IssuerPattern, names,
    report::{Checked, Place},
};

/// The most patterns of one provider.
const MAX_PATTERNS: usize = 16;

/// Validates `issuer`, `issuer_patterns` and `any_issuer`, of which one has to be there.
pub(super) fn issuer(
    exact: Option<String>,
    patterns: Option<Vec<String>>,
    any: Option<bool>,
    at: &Place<'_>,
) -> Checked<IssuerMatcher> {
    let place = at.field("issuer");
    let patterns = patterns.filter(|patterns| !patterns.is_empty());
    match (exact, patterns, any.unwrap_or(false)) {
        (Some(_), _, true) => place.mistake("contradicts any_issuer: true: give one of the two"),
        (None, Some(_), true) => {
            at.field("issuer_patterns").mistake("contradicts any_issuer: true: give one of the two")
        }
        (Some(_), Some(_), false) => at.field("issuer_patterns").mistake("contradicts `issuer`: give one of the two"),
        (None, None, true) => Ok(IssuerMatcher::Any),
        (None, Some(list), false) => issuer_patterns(list, &at.field("issuer_patterns")).map(IssuerMatcher::Patterns),
        (Some(issuer), None, false) if !issuer.is_empty() => Ok(IssuerMatcher::Exact(issuer)),
        _ => place.mistake(
            "is required: the exact `iss` of the tokens (or issuer_patterns; any_issuer: true accepts every issuer)",
        ),
    }
}

fn issuer_patterns(list: Vec<String>, at: &Place<'_>) -> Checked<Vec<IssuerPattern>> {
    if list.len() > MAX_PATTERNS {
        return at.mistake(format!("has more than {MAX_PATTERNS} patterns"));
    }
    let list = names::distinct(list, at)?;
    at.each(list, |text, at| IssuerPattern::new(text).map_err(|sentence| at.note(sentence)))
}
