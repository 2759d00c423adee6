//! The rules: which requests have to bring what.

use super::{
    PathMatcher, ProviderId, Requirement, Rule,
    raw::{RawRequirement, RawRule},
    reachable::check_reachable,
    report::{Checked, Place, listed, quoted},
    request_match::request_matcher,
};

/// Every request is held against the rules one by one, and at load every rule against those before it.
const MAX_RULES: usize = 4096;

/// An unknown name is answered with so many of the known ones.
const MAX_LISTED: usize = 20;

/// Validates the rules; `names` are those of the providers, in the order of their ids. Without rules, everything needs
/// a token of any provider.
pub(super) fn rules(raw: Option<Vec<RawRule>>, names: &[String], at: &Place<'_>) -> Checked<Vec<Rule>> {
    let raw = raw.unwrap_or_default();
    if raw.is_empty() {
        return Ok(vec![everything_needs_a_token(names.len())]);
    }
    if raw.len() > MAX_RULES {
        return at.mistake(format!("has more than {MAX_RULES} rules"));
    }
    let rules = at.each(raw, |raw, at| rule(raw, names, at))?;
    check_reachable(&rules, at);
    Ok(rules)
}

fn everything_needs_a_token(providers: usize) -> Rule {
    let any = Requirement::AnyProvider((0..providers).map(ProviderId).collect());
    Rule { matcher: PathMatcher::Prefix("/".into()).into(), requires: Some(any) }
}

fn rule(raw: RawRule, names: &[String], at: &Place<'_>) -> Checked<Rule> {
    let place = at.field("match");
    let matcher = place.required(raw.matcher, "an object with `prefix` or `path`, or other conditions");
    let matcher = matcher.and_then(|node| request_matcher(node, &place));
    let requires = match raw.requires {
        None => Ok(None),
        Some(raw) => requirement(raw, names, &at.field("requires")).map(Some),
    };
    let rule = Rule { matcher: matcher?, requires: requires? };
    warn_of_wide_exemption(&rule, &place);
    Ok(rule)
}

/// A prefix without a final slash lets `/healthcare` pass where `/health` was meant.
fn warn_of_wide_exemption(rule: &Rule, at: &Place<'_>) {
    if let (PathMatcher::Prefix(prefix), None) = (&rule.matcher.path, &rule.requires)
        && !prefix.as_str().ends_with('/')
    {
        at.field("prefix").warn("lets whatever begins so pass without verification: end it with `/`, or use `path`");
    }
}

fn requirement(raw: RawRequirement, names: &[String], at: &Place<'_>) -> Checked<Requirement> {
    let what = "the provider whose token is needed (leave out the whole `requires` for no verification)";
    let at = at.field("provider_name");
    let name = at.required(raw.provider_name, what)?;
    if let Some(index) = names.iter().position(|known| *known == name) {
        return Ok(Requirement::Provider(ProviderId(index)));
    }
    let known = listed(names.iter().take(MAX_LISTED).map(String::as_str));
    at.mistake(format!("there is no provider {}: there are {known}", quoted(&name)))
}
