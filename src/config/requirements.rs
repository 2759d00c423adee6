//! Validates requirements: what stands in `requires` and in `requirement_map`.

use std::rc::Rc;

use super::{
    Exemption, Permission, Provider, ProviderId, ProviderRequirement, Requirement,
    impossible::check_possible,
    names,
    permission::permission,
    raw::{RawProviderAndAudiences, RawRequirement, RawRequirements},
    report::{Checked, Place, listed, quoted},
    shape::Named,
};

/// An unknown name is answered with so many of the known ones.
const MAX_LISTED: usize = 20;
/// Requirements within each other: more levels than these are refused.
const MAX_DEPTH: usize = 8;
/// Requirements in one list, and named ones.
const MAX_PARTS: usize = 1024;

/// Where a requirement stands: the names of the providers in the order of their ids, the providers themselves if nothing is
/// wrong with them, and the levels above it.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    providers: &'a [String],
    validated: &'a [Provider],
    depth: usize,
}

impl<'a> Surroundings<'a> {
    /// Those of a requirement that stands in no other one.
    pub(super) const fn new(providers: &'a [String], validated: &'a [Provider]) -> Self {
        Self { providers, validated, depth: 0 }
    }

    const fn deeper(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }

    /// Every provider.
    pub(super) fn everyone(self) -> Vec<ProviderId> {
        (0..self.providers.len()).map(ProviderId).collect()
    }
}

/// Validates `requirement_map`.
pub(super) fn requirement_map(
    raw: Option<Named<RawRequirement>>,
    surroundings: Surroundings<'_>,
    at: &Place<'_>,
) -> Checked<Vec<(String, Rc<Requirement>)>> {
    let Named(members) = raw.unwrap_or(Named(Vec::new()));
    check_number(members.len(), at)?;
    let mut requirements: Vec<(String, Rc<Requirement>)> = Vec::with_capacity(members.len());
    let mut result = Ok(());
    for (name, raw) in members {
        let position = requirements.partition_point(|(known, _)| *known < name);
        match named(name, raw, surroundings, at) {
            Ok(requirement) => requirements.insert(position, requirement),
            Err(reported) => result = Err(reported),
        }
    }
    result.map(|()| requirements)
}

fn named(
    name: String,
    raw: RawRequirement,
    surroundings: Surroundings<'_>,
    at: &Place<'_>,
) -> Checked<(String, Rc<Requirement>)> {
    if name.is_empty() {
        return at.mistake("has a requirement without a name");
    }
    let requirement = requirement(raw, surroundings, &at.field(&name))?;
    Ok((name, Rc::new(requirement)))
}

fn check_number(number: usize, at: &Place<'_>) -> Checked<()> {
    if number > MAX_PARTS {
        return at.mistake(format!("has more than {MAX_PARTS} requirements"));
    }
    Ok(())
}

/// The kinds of requirement, of which a requirement is one.
enum Kind {
    ProviderName(String),
    ProviderAndAudiences(RawProviderAndAudiences),
    Any(RawRequirements),
    All(RawRequirements),
    AllowMissing,
    AllowMissingOrFailed,
}

/// Validates one requirement.
pub(super) fn requirement(
    mut raw: RawRequirement,
    surroundings: Surroundings<'_>,
    at: &Place<'_>,
) -> Checked<Requirement> {
    if surroundings.depth == MAX_DEPTH {
        return at.mistake(format!("is nested deeper than {MAX_DEPTH} levels"));
    }
    let permission = permission(raw.scopes.take(), raw.any_scopes.take(), raw.claims.take(), at);
    let kind = kind(raw, at)?;
    let permission = permission?;
    if !permission.is_empty() && !matches!(kind, Kind::ProviderName(_) | Kind::ProviderAndAudiences(_)) {
        return at.mistake("scopes and claims can be asked for beside provider_name or provider_and_audiences only");
    }
    match kind {
        Kind::ProviderName(name) => {
            let provider = provider(&name, surroundings.providers, &at.field("provider_name"))?;
            Ok(Requirement::Provider(ProviderRequirement { provider, audiences: None, permission }))
        }
        Kind::ProviderAndAudiences(raw) => {
            provider_and_audiences(raw, permission, surroundings, &at.field("provider_and_audiences"))
        }
        Kind::Any(list) => parts(list, surroundings, &at.field("requires_any")).map(any),
        Kind::All(list) => {
            let at = at.field("requires_all");
            let parts = parts(list, surroundings, &at)?;
            check_possible(&parts, surroundings.validated, &at).map(|()| Requirement::All(parts))
        }
        Kind::AllowMissing => Ok(Requirement::AllowMissing(surroundings.everyone())),
        Kind::AllowMissingOrFailed => Ok(Requirement::AllowMissingOrFailed(surroundings.everyone())),
    }
}

fn kind(raw: RawRequirement, at: &Place<'_>) -> Checked<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    kinds.extend(raw.provider_name.map(Kind::ProviderName));
    kinds.extend(raw.provider_and_audiences.map(Kind::ProviderAndAudiences));
    kinds.extend(raw.requires_any.map(Kind::Any));
    kinds.extend(raw.requires_all.map(Kind::All));
    kinds.extend(raw.allow_missing.map(|_| Kind::AllowMissing));
    kinds.extend(raw.allow_missing_or_failed.map(|_| Kind::AllowMissingOrFailed));
    match (kinds.pop(), kinds.is_empty()) {
        (Some(kind), true) => Ok(kind),
        _ => at.mistake(
            "needs exactly one of provider_name, provider_and_audiences, requires_any, requires_all, allow_missing \
             and allow_missing_or_failed (leave out the whole `requires` for no verification)",
        ),
    }
}

fn provider(name: &str, providers: &[String], at: &Place<'_>) -> Checked<ProviderId> {
    if let Some(index) = providers.iter().position(|known| known == name) {
        return Ok(ProviderId(index));
    }
    let known: Vec<_> = providers.iter().take(MAX_LISTED).map(String::as_str).collect();
    at.mistake(format!("there is no provider {}: there are {}", quoted(name), listed(&known)))
}

fn provider_and_audiences(
    raw: RawProviderAndAudiences,
    permission: Permission,
    surroundings: Surroundings<'_>,
    at: &Place<'_>,
) -> Checked<Requirement> {
    let place = at.field("provider_name");
    let name = place.required(raw.provider_name, "the provider whose token is needed");
    let provider = name.and_then(|name| provider(&name, surroundings.providers, &place));
    // As in jwt_authn, no audiences mean the provider's own.
    let audiences = raw.audiences.filter(|audiences| !audiences.is_empty());
    let audiences = audiences.map(|audiences| names::distinct(audiences, &at.field("audiences"))).transpose();
    Ok(Requirement::Provider(ProviderRequirement { provider: provider?, audiences: audiences?, permission }))
}

fn parts(raw: RawRequirements, surroundings: Surroundings<'_>, at: &Place<'_>) -> Checked<Vec<Requirement>> {
    let at = at.field("requirements");
    let list = raw.requirements.unwrap_or_default();
    if list.is_empty() {
        return at.mistake("is required: at least one requirement");
    }
    check_number(list.len(), &at)?;
    at.each(list, |raw, at| requirement(raw, surroundings.deeper(), at))
}

/// As in `jwt_authn`, `allow_missing` and `allow_missing_or_failed` say what becomes of requests that no part beside them
/// lets pass, whatever their place, and of both the wider counts. Without such parts they are parts themselves.
fn any(mut parts: Vec<Requirement>) -> Requirement {
    let widest = parts.iter().map(exemption).max().unwrap_or(Exemption::None);
    if parts.iter().all(|part| exemption(part) != Exemption::None) {
        return Requirement::Any(parts, Exemption::None);
    }
    parts.retain(|part| exemption(part) == Exemption::None);
    Requirement::Any(parts, widest)
}

const fn exemption(part: &Requirement) -> Exemption {
    match part {
        Requirement::AllowMissing(_) => Exemption::Missing,
        Requirement::AllowMissingOrFailed(_) => Exemption::MissingOrFailed,
        _ => Exemption::None,
    }
}
