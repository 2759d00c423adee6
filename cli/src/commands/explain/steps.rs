//! The way from the configuration to the tokens.

use jwt_warden::authenticator::Authenticator;
use jwt_warden::config::{Config, Requirement, Unmatched, Warning};
use jwt_warden::examination::Presence;
use jwt_warden::matcher::Found;
use jwt_warden::request::Request;
use jwt_warden::route::Policy;
use serde_json::Value;

use super::question::Question;
use super::report::{Mark, Step};
use super::sources::Described;
use super::words;
use crate::plugin::{Home, Plugin};

/// Which configuration, and what is doubtful about it.
pub(super) fn configuration(file: &str, plugin: &Plugin, config: &Config, warnings: &[Warning]) -> Step {
    let mut step = Step::new("Configuration");
    let home = match plugin.home {
        Home::Bare => "the filter's own",
        Home::Envoy => "in an Envoy configuration",
        Home::Istio => "in a manifest of Istio",
        Home::Gateway => "in a manifest of Envoy Gateway",
    };
    let at = plugin.position("");
    step.note(format!("{file}:{}:{}, {home}", at.line, at.column));
    let names: Vec<_> = config.providers.iter().take(8).map(|provider| provider.name.as_str()).collect();
    let more = if config.providers.len() > names.len() { ", ..." } else { "" };
    let providers = words::count(config.providers.len(), "provider");
    let rules = words::count(config.rules.len(), "rule");
    step.note(format!("{providers} ({}{more}), {rules}", names.join(", ")));
    for warning in warnings {
        let at = plugin.position(warning.path());
        step.add(Mark::Open, 0, format!("line {}: {}: {}", at.line, warning.path(), warning.sentence()));
    }
    step
}

/// The request as the filter sees it.
pub(super) fn request(
    authenticator: &Authenticator,
    question: &Question,
    request: &Request<'_>,
    connection: &Described,
) -> Step {
    let mut step = Step::new("Request");
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    step.note(format!("{} {}", shown(request.method()), shown(request.path())));
    if let Some(query) = request.query() {
        let names = query.split(|byte| *byte == b'&').map(|pair| pair.split(|byte| *byte == b'=').next());
        let names: Vec<_> = names.flatten().map(shown).collect();
        step.note(format!("with the query parameters {}", names.join(", ")));
    }
    match question.get(":authority") {
        Some(host) => step.note(format!("for the host {host}")),
        None => step.note("for no host: a whole URL has one"),
    }
    question.remarks.iter().for_each(|remark| step.note(remark.as_str()));
    let scheme = authenticator.front(request, connection).scheme();
    if authenticator.config().require_tls {
        let mark = if scheme.name() == "https" { Mark::Good } else { Mark::Open };
        step.add(mark, 0, format!("require_tls: the client came over {}", scheme.name()));
    }
    if authenticator.config().failed_attempts.is_some() {
        step.add(
            Mark::Open,
            0,
            "failed_attempts: how often this client has failed before is not known here: taken for never",
        );
    }
    if authenticator.config().bypass_cors_preflight && request.is_cors_preflight() {
        step.note("a CORS preflight: it passes without verification (bypass_cors_preflight)");
    }
    readings(&mut step, authenticator, request);
    step
}

/// The paths that an upstream may take the request's for, where there are several.
fn readings(step: &mut Step, authenticator: &Authenticator, request: &Request<'_>) {
    let found = authenticator.rules().find(request);
    if let Found::Ambiguous(reason) = found {
        step.add(Mark::Bad, 0, format!("what it means cannot be told for certain: {}", reason.code()));
    }
    let Some(readings) = authenticator.rules().readings(request) else {
        return step.add(Mark::Bad, 0, "an upstream may read this path in too many ways");
    };
    if readings.len() < 2 {
        return;
    }
    step.note("an upstream may read this path as");
    for (path, rule) in readings {
        let path = String::from_utf8_lossy(&path).into_owned();
        let rule = rule.map_or_else(|| "no rule".to_owned(), |rule| named_rule(authenticator.config(), rule));
        step.add(Mark::Note, 1, format!("{path}, which falls under {rule}"));
    }
}

/// The rule that the request falls under, and what says so.
pub(super) fn rule(authenticator: &Authenticator, plugin: &Plugin, request: &Request<'_>) -> Step {
    let mut step = Step::new("Rule");
    let config = authenticator.config();
    match request.route().map(jwt_warden::route::Route::policy) {
        Some(Ok(Policy::Disabled)) => step.note("the metadata of the route say `disabled`: no rule counts"),
        Some(Ok(Policy::Requirement(name))) => {
            step.note(format!("the metadata of the route name the requirement {name}: no rule counts"));
        }
        Some(Err(what)) => step.add(Mark::Bad, 0, format!("the metadata of the route cannot be understood: {what}")),
        Some(Ok(Policy::Rules)) | None => {}
    }
    match authenticator.rules().find(request) {
        Found::Rule(position) => {
            let at = plugin.position(&format!("rules[{position}]"));
            step.add(
                Mark::Good,
                0,
                format!("{} (line {}) is the first that matches", named_rule(config, position), at.line),
            );
            if let Some(text) = written_match(plugin, position) {
                step.add(Mark::Note, 1, text);
            }
        }
        Found::Nothing if config.unmatched == Unmatched::Allow => {
            step.note("no rule matches: the request passes without verification (unmatched: allow)");
        }
        Found::Nothing => step.add(Mark::Bad, 0, "no rule matches: the request is refused (unmatched: deny)"),
        Found::Ambiguous(_) => step.add(Mark::Bad, 0, "none can be told for certain"),
    }
    step
}

/// A rule's position and name.
pub(super) fn named_rule(config: &Config, position: usize) -> String {
    match config.rules.get(position).and_then(|rule| rule.name.as_deref()) {
        Some(name) => format!("rules[{position}] `{name}`"),
        None => format!("rules[{position}]"),
    }
}

/// What the operator has written as the rule's `match`.
fn written_match(plugin: &Plugin, position: usize) -> Option<String> {
    let configuration: Value = serde_json::from_str(plugin.text.as_deref()?).ok()?;
    configuration.get("rules")?.get(position)?.get("match").map(|matcher| format!("match: {matcher}"))
}

/// What is required.
pub(super) fn required(requirement: Option<&Requirement>, config: &Config) -> Step {
    let mut step = Step::new("Required");
    match requirement {
        Some(requirement) => words::requirement(&mut step, 0, requirement, config),
        None => step.note("nothing: no token is looked at"),
    }
    step
}

/// Where tokens were looked for, and where they were found.
pub(super) fn places(presences: &[Presence<'_>], requirement: Option<&Requirement>, config: &Config) -> Step {
    let mut step = Step::new("Tokens");
    let ids = requirement.map(Requirement::providers).unwrap_or_default();
    let asked: Vec<_> = ids.iter().filter_map(|id| config.provider(*id)).collect();
    for presence in presences {
        let lookers = asked.iter().filter(|provider| provider.locations.contains(presence.location));
        let mut lookers: Vec<_> = lookers.map(|provider| provider.name.as_str()).collect();
        lookers.dedup();
        let place = words::location(presence.location);
        let (mark, what) = match presence.tokens.len() {
            0 => (Mark::Note, "none".to_owned()),
            _ if presence.is_several && !lookers.is_empty() => {
                (Mark::Bad, "more than one: token_duplicated".to_owned())
            }
            1 => (Mark::Good, "one".to_owned()),
            number => (Mark::Note, number.to_string()),
        };
        let by = match lookers.as_slice() {
            [] => "no provider that is asked for looks here: it is taken out".to_owned(),
            names => format!("for {}", names.join(", ")),
        };
        if !lookers.is_empty() || !presence.tokens.is_empty() {
            let mark = if lookers.is_empty() { Mark::Note } else { mark };
            step.add(mark, 0, format!("{place} ({by}): {what}"));
        }
    }
    if asked.is_empty() && presences.iter().all(|presence| presence.tokens.is_empty()) {
        step.note("none");
    }
    step
}
