//! From the host's bytes to the validated configuration.

use std::collections::BTreeMap;

use super::{
    Config, Provider, ProviderId, Requirement, SenderConstraint, Unmatched,
    audit::audit,
    document, dpop,
    edited_headers::warn_of_edited,
    failed_attempts::failed_attempts,
    forwarding,
    jwks_source::Context,
    names::name_in_metrics,
    protected_resource::protected_resource,
    provider::provider,
    raw::{RawConfig, RawProvider},
    report::{Checked, ConfigError, Place, Report, Warning, quoted},
    requirements::{Surroundings, requirement_map},
    rules::{Known, rules},
    settings,
    shape::Named,
    trusted_proxies::trusted_proxies,
};
use crate::sorted::sorted;

/// Rules may name each of them, and a request without rules is held against all.
const MAX_PROVIDERS: usize = 1024;

const NOT_ENFORCED: &str = "requests that should be refused pass, but by rules with `report_only: false`";

/// A configuration that may be used, and what is doubtful about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is allowed, but probably not meant; at most 21.
    pub warnings: Vec<Warning>,
}

/// Reads and validates a configuration.
///
/// `text` is what the host hands over: JSON text, or a serialized protobuf `google.protobuf.Struct`. `environment`
/// looks up a variable of the VM's environment.
///
/// # Errors
///
/// Every mistake of validation, at most 20; or, before that, the first mistake of syntax or shape.
pub fn parse(text: &[u8], environment: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, ConfigError> {
    validated(document::read(text)?, environment, Report::default())
}

/// The same as [`parse`], for those who correct the text: nothing is left out, neither mistakes nor warnings. As long as
/// there are mistakes of syntax and shape, there is nothing to validate.
///
/// # Errors
///
/// Every mistake of shape, or every one of validation.
#[cfg(not(target_arch = "wasm32"))]
pub fn check(text: &[u8], environment: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, ConfigError> {
    validated(document::read_through(text)?, environment, Report::of_everything())
}

fn validated(
    raw: RawConfig,
    environment: &dyn Fn(&str) -> Option<String>,
    report: Report,
) -> Result<Loaded, ConfigError> {
    let config = config(raw, environment, &report.root());
    let (config, warnings) = report.conclude(config)?;
    Ok(Loaded { config, warnings })
}

fn config(raw: RawConfig, environment: &dyn Fn(&str) -> Option<String>, at: &Place<'_>) -> Checked<Config> {
    let limits = settings::limits(&raw.limits.unwrap_or_default(), &at.field("limits"));
    let context = Context { environment, max_jwks_bytes: limits.unwrap_or_default().max_jwks_bytes };
    let Named(raw_providers) = at.field("providers").required(raw.providers, "an object from names to providers")?;
    let names: Vec<_> = raw_providers.iter().map(|(name, _)| name.clone()).collect();
    let providers = providers(raw_providers, context, &at.field("providers"));
    let without_rules = raw.rules.as_ref().is_none_or(Vec::is_empty);
    let surroundings = Surroundings::new(&names, providers.as_deref().unwrap_or_default());
    let requirement_map = requirement_map(raw.requirement_map, surroundings, &at.field("requirement_map"))?;
    let report_only = raw.report_only.unwrap_or(false);
    if report_only {
        at.field("report_only").warn(NOT_ENFORCED);
    }
    let known = Known { surroundings, requirements: &requirement_map, report_only };
    let rules = rules(raw.rules, known, &at.field("rules"));
    let unmatched = unmatched(raw.unmatched.as_deref(), without_rules, &at.field("unmatched"));
    let realm = settings::realm(raw.realm, &at.field("realm"));
    let unavailable_status = settings::unavailable_status(raw.unavailable_status, &at.field("unavailable_status"));
    let trusted_proxies = raw.trusted_proxies.map(|raw| trusted_proxies(raw, &at.field("trusted_proxies"))).transpose();
    let has_proxies = !matches!(trusted_proxies, Ok(None));
    let failed_attempts =
        raw.failed_attempts.map(|raw| failed_attempts(raw, has_proxies, &at.field("failed_attempts"))).transpose();
    let token_cache = settings::token_cache(&raw.token_cache.unwrap_or_default(), &at.field("token_cache"));
    let has_dpop = raw.dpop.is_some();
    let dpop = dpop::dpop(raw.dpop, &at.field("dpop"));
    let audit = raw.audit.map(|raw| audit(raw, context, &at.field("audit"))).transpose();
    let providers = providers?;
    let resource = at.field("protected_resource");
    let protected_resource =
        raw.protected_resource.map(|raw| protected_resource(raw, &providers, &resource)).transpose();
    let config = Config {
        providers,
        rules: rules?,
        route_metadata: raw.route_metadata.unwrap_or(!requirement_map.is_empty()),
        requirement_map,
        unmatched: unmatched?,
        bypass_cors_preflight: raw.bypass_cors_preflight.unwrap_or(false),
        realm: realm?,
        unavailable_status: unavailable_status?,
        trusted_proxies: trusted_proxies?,
        require_tls: raw.require_tls.unwrap_or(false),
        failed_attempts: failed_attempts?,
        token_cache: token_cache?,
        protected_resource: protected_resource?,
        dpop: dpop?,
        report_only,
        audit: audit?,
        limits: limits?,
    };
    check_whole(&config, without_rules, at);
    if has_dpop && !config.providers.iter().any(takes_proofs) {
        at.field("dpop").warn(
            "has no effect: no provider takes tokens under the scheme `DPoP`, or all have `sender_constraint: ignore`",
        );
    }
    Ok(config)
}

fn providers(raw: Vec<(String, RawProvider)>, context: Context<'_>, at: &Place<'_>) -> Checked<Vec<Provider>> {
    if !(1..=MAX_PROVIDERS).contains(&raw.len()) {
        return at.mistake(format!("has to hold 1 to {MAX_PROVIDERS} providers"));
    }
    // Collected before it is judged, so that every mistake is reported and not only the first.
    let providers: Vec<_> =
        raw.into_iter().map(|(name, raw)| provider(&name, raw, context, &at.field(&name))).collect();
    providers.into_iter().collect()
}

fn unmatched(raw: Option<&str>, without_rules: bool, at: &Place<'_>) -> Checked<Unmatched> {
    let unmatched = settings::unmatched(raw, at)?;
    if without_rules && unmatched == Unmatched::Allow {
        return at.mistake("`allow` contradicts the absence of rules, without which every request needs a token");
    }
    Ok(unmatched)
}

/// What can be seen only when all the parts are there.
fn check_whole(config: &Config, without_rules: bool, at: &Place<'_>) {
    warn_of_edited(&config.rules, &config.providers, &at.field("rules"));
    let at = &at.field("providers");
    forwarding::check_collisions(&config.providers, at);
    warn_of_same_metrics(&config.providers, at);
    if without_rules {
        warn_of_same_issuers(&config.providers, at);
    } else {
        warn_of_unused_providers(config, at);
    }
}

fn takes_proofs(provider: &Provider) -> bool {
    provider.sender_constraint != SenderConstraint::Ignore && provider.takes_dpop()
}

fn warn_of_unused_providers(config: &Config, at: &Place<'_>) {
    let used = sorted(config.requirements().flat_map(Requirement::providers));
    for (index, provider) in config.providers.iter().enumerate() {
        if used.binary_search(&ProviderId(index)).is_err() {
            at.field(&provider.name).warn("no rule uses this provider");
        }
    }
}

fn warn_of_same_metrics(providers: &[Provider], at: &Place<'_>) {
    let names: Vec<_> = providers.iter().map(|provider| name_in_metrics(&provider.name)).collect();
    for (index, provider) in providers.iter().enumerate() {
        let earlier = names.iter().take(index).zip(providers).find(|(name, _)| names.get(index) == Some(*name));
        if let Some((_, earlier)) = earlier {
            let earlier = quoted(&earlier.name);
            at.field(&provider.name)
                .warn(format!("has the name of {earlier} in metrics: they cannot be told apart there"));
        }
    }
}

fn warn_of_same_issuers(providers: &[Provider], at: &Place<'_>) {
    let mut taken = BTreeMap::new();
    for provider in providers {
        let places = provider.locations.iter().map(|location| (&provider.issuer, location));
        if let Some(earlier) = places.clone().find_map(|place| taken.get(&place).copied()) {
            let earlier = quoted(earlier);
            let sentence = format!("takes tokens of the same issuer from the same place as {earlier}: each is tried");
            at.field(&provider.name).warn(sentence);
        }
        taken.extend(places.map(|place| (place, provider.name.as_str())));
    }
}
