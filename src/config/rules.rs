//! The rules: which requests have to bring what.

use std::rc::Rc;

use super::{
    OTHER_RULES, PathMatcher, Requirement, Rule,
    raw::{RawRequirement, RawRule},
    reachable::check_reachable,
    report::{Checked, Place, listed, quoted},
    request_match::request_matcher,
    requirements::{Surroundings, requirement},
};

/// Every request is held against the rules one by one, and at load every rule against those before it.
const MAX_RULES: usize = 4096;

const MAX_NAME: usize = 64;

/// An unknown name is answered with so many of the known ones.
const MAX_LISTED: usize = 20;

/// What rules may ask for by name.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    /// Where every requirement of a rule stands.
    pub(super) surroundings: Surroundings<'a>,
    /// `requirement_map`.
    pub(super) requirements: &'a [(String, Rc<Requirement>)],
    /// The `report_only` beside the rules.
    pub(super) report_only: bool,
}

/// Validates the rules. Without rules, everything needs a token of any provider.
pub(super) fn rules(raw: Option<Vec<RawRule>>, known: Known<'_>, at: &Place<'_>) -> Checked<Vec<Rule>> {
    let raw = raw.unwrap_or_default();
    if raw.is_empty() {
        return Ok(vec![everything_needs_a_token(known)]);
    }
    if raw.len() > MAX_RULES {
        return at.mistake(format!("has more than {MAX_RULES} rules"));
    }
    let rules = at.each(raw, |raw, at| rule(raw, known, at))?;
    check_reachable(&rules, at);
    Ok(rules)
}

fn everything_needs_a_token(known: Known<'_>) -> Rule {
    let any = Requirement::AnyProvider(known.surroundings.everyone());
    let matcher = PathMatcher::Prefix("/".into()).into();
    Rule { name: None, matcher, requires: Some(Rc::new(any)), report_only: known.report_only }
}

fn rule(raw: RawRule, known: Known<'_>, at: &Place<'_>) -> Checked<Rule> {
    let place = at.field("match");
    let matcher = place.required(raw.matcher, "an object with `prefix` or `path`, or other conditions");
    let matcher = matcher.and_then(|raw| request_matcher(raw, &place));
    let requires = requires(raw.requires, raw.requirement_name.as_deref(), known, at);
    let name = raw.name.map(|name| rule_name(name, &at.field("name"))).transpose();
    let requires = requires?;
    let report_only = report_only(raw.report_only, requires.is_some(), known, &at.field("report_only"));
    let rule = Rule { name: name?, matcher: matcher?, requires, report_only: report_only? };
    warn_of_wide_exemption(&rule, &place);
    Ok(rule)
}

/// Whether what the rule refuses is only reported: a rule may say otherwise than what stands beside the rules.
fn report_only(raw: Option<bool>, asks: bool, known: Known<'_>, at: &Place<'_>) -> Checked<bool> {
    if raw.is_some() && !asks {
        return at.mistake("has no effect without `requires`: the rule refuses nothing");
    }
    let report_only = raw.unwrap_or(known.report_only);
    if report_only && !known.report_only {
        at.warn("requests that this rule should refuse pass");
    }
    Ok(report_only)
}

/// The name becomes a part of the names of metrics.
fn rule_name(name: String, at: &Place<'_>) -> Checked<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(is_plain) {
        return at.mistake(format!("has to be 1 to {MAX_NAME} letters, digits, `_` and `-`"));
    }
    if name == OTHER_RULES {
        return at.mistake(format!("`{OTHER_RULES}` is what metrics call rules for which there is no room"));
    }
    Ok(name)
}

fn requires(
    raw: Option<RawRequirement>,
    name: Option<&str>,
    known: Known<'_>,
    at: &Place<'_>,
) -> Checked<Option<Rc<Requirement>>> {
    match (raw, name) {
        (None, None) => Ok(None),
        (Some(raw), None) => requirement(raw, known.surroundings, &at.field("requires")).map(Rc::new).map(Some),
        (None, Some(name)) => named(name, known.requirements, &at.field("requirement_name")).map(Some),
        (Some(_), Some(_)) => at.field("requirement_name").mistake("contradicts `requires`: give one of the two"),
    }
}

fn named(name: &str, requirements: &[(String, Rc<Requirement>)], at: &Place<'_>) -> Checked<Rc<Requirement>> {
    let Some((_, requirement)) = requirements.iter().find(|(known, _)| known == name) else {
        let known: Vec<_> = requirements.iter().take(MAX_LISTED).map(|(known, _)| known.as_str()).collect();
        return at.mistake(format!("requirement_map has no {}: it has {}", quoted(name), listed(&known)));
    };
    Ok(Rc::clone(requirement))
}

/// A prefix without a final slash lets `/healthcare` pass where `/health` was meant.
fn warn_of_wide_exemption(rule: &Rule, at: &Place<'_>) {
    if let (PathMatcher::Prefix(prefix), None) = (&rule.matcher.path, &rule.requires)
        && !prefix.as_str().ends_with('/')
    {
        at.field("prefix").warn("lets whatever begins so pass without verification: end it with `/`, or use `path`");
    }
}
