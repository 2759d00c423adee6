//! Envoy's `jwt_authn`: the filter's own words, save for what is stricter here.

use jwt_warden::config::{indexed, joined};
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::native_provider::provider;
use super::native_rule::{requirement, rule};
use super::note::{Draft, Kind, Scribe};
use crate::yaml::{Node, Position};

/// What is above every configuration that comes from `jwt_authn`.
const HEADING: &[&str] = &[
    "Migrated from jwt_authn. Stricter everywhere: foreign types (`typ`), unknown extensions (`crit`), tokens bound to",
    "another sender (`cnf`), issued in the future, or in any other than the one form; paths that upstreams may read in",
    "several ways; several tokens at one place. docs/from-jwt_authn.md has all of it.",
];

/// Migrates one `JwtAuthentication`. `routes` are what routes say about it.
pub(super) fn migrate(filter: &Node, routes: &[PerRoute], mut scribe: Scribe) -> Draft {
    let fields = Fields::of(filter);
    let mut out = Map::new();
    let providers = fields.take("providers").map_or(&[][..], |node| node.members());
    let providers = providers.iter().map(|member| {
        let path = joined("providers", &member.name);
        (member.name.clone(), provider(&member.node, &path, &mut scribe))
    });
    out.insert("providers".to_owned(), Value::Object(providers.collect()));
    if let Some(map) = fields.take("requirement_map") {
        let named = map.members().iter().map(|member| {
            let path = joined("requirement_map", &member.name);
            (member.name.clone(), requirement(&member.node, &path, &mut scribe).unwrap_or_else(|| json!({})))
        });
        out.insert("requirement_map".to_owned(), Value::Object(named.collect()));
    }
    rules(&fields, &mut out, &mut scribe);
    if fields.is_true("bypass_cors_preflight") {
        out.insert("bypass_cors_preflight".to_owned(), true.into());
    }
    for name in ["strip_failure_response", "stat_prefix"] {
        if let Some(node) = fields.take(name) {
            let why = if name == "stat_prefix" { "metrics have fixed names" } else { "an answer never tells why" };
            scribe.note(Kind::Dropped, "", node.at, format!("`{name}`: {why}"));
        }
    }
    fields.report_rest("", &mut scribe);
    of_routes(routes, &mut scribe);
    Draft {
        configuration: out,
        notes: scribe.notes,
        native: Some(filter.value()),
        heading: HEADING.iter().map(|line| (*line).to_owned()).collect(),
    }
}

fn rules(fields: &Fields<'_>, out: &mut Map<String, Value>, scribe: &mut Scribe) {
    let rules = fields.items("rules");
    let mut migrated: Vec<_> =
        rules.iter().enumerate().map(|(index, node)| rule(node, &indexed("rules", index), scribe)).collect();
    let open = match fields.take("filter_state_rules") {
        Some(node) => {
            let sentence = "`filter_state_rules`, which decide where no rule matches: a Wasm filter does not read that \
                            filter state, so what no rule matches is refused";
            scribe.note(Kind::Lost, "unmatched", node.at, sentence);
            false
        }
        None => true,
    };
    if open && migrated.is_empty() {
        scribe.note(Kind::Open, "rules", fields.at(), "without rules, jwt_authn lets everything pass");
        migrated.push(json!({"match": {"prefix": "/"}}));
    }
    if !migrated.is_empty() {
        out.insert("rules".to_owned(), migrated.into());
    }
    if open {
        scribe.note(Kind::Open, "unmatched", fields.at(), "as in jwt_authn, what no rule matches passes unverified");
    }
    // Without rules nothing could be unmatched; then everything needs a token.
    if out.contains_key("rules") {
        out.insert("unmatched".to_owned(), if open { "allow" } else { "deny" }.into());
    }
}

/// What a route asks of `jwt_authn`.
pub(super) struct PerRoute {
    at: Position,
    requirement: Option<String>,
}

/// Finds every `PerRouteConfig` in an Envoy configuration.
pub(super) fn per_route(node: &Node, found: &mut Vec<PerRoute>) {
    let kind = node.get("@type").and_then(|kind| kind.text()).unwrap_or_default();
    if kind.ends_with("jwt_authn.v3.PerRouteConfig") {
        let requirement = Fields::of(node).text("requirement_name").map(str::to_owned);
        found.push(PerRoute { at: node.at, requirement });
        return;
    }
    node.members().iter().for_each(|member| per_route(&member.node, found));
    node.items().iter().for_each(|item| per_route(item, found));
}

fn of_routes(routes: &[PerRoute], scribe: &mut Scribe) {
    for route in routes {
        let said = match &route.requirement {
            Some(name) => format!("requirement_name: {name}"),
            None => "disabled: true".to_owned(),
        };
        let sentence = format!(
            "a route's PerRouteConfig: give the route `metadata: {{ filter_metadata: {{ jwt_warden: {{ {said} }} }} }}`, \
             which counts with a requirement_map, or with `route_metadata: true`"
        );
        scribe.note(Kind::Lost, "", route.at, sentence);
    }
}
