//! Envoy Gateway's `SecurityPolicy`.

use std::collections::BTreeSet;

use jwt_warden::config::joined;
use serde_json::{Map, Value, json};

use super::duration;
use super::fields::Fields;
use super::istio::add_rules;
use super::istio_provider::claim_headers;
use super::native_provider::{audiences, cookies_note, issuer, shared_secrets, without_expiration};
use super::note::{Draft, Kind, Scribe};
use super::permit::{Bearer, Permit, Test};
use super::policy::{Action, Policy};
use super::region::Region;
use crate::Stop;
use crate::yaml::Node;

/// What is above every configuration that comes from Envoy Gateway.
const HEADING: &[&str] = &[
    "Migrated from Envoy Gateway. Attach it to the same targets, and take `jwt` and `authorization` out of the",
    "SecurityPolicy. Stricter everywhere: foreign types (`typ`), unknown extensions (`crit`), tokens bound to another",
    "sender (`cnf`) or issued in the future; paths that upstreams may read in several ways; requests without a path",
    "(CONNECT, `OPTIONS *`). A missing token is 401, not 403.",
];

/// Migrates one `SecurityPolicy`.
///
/// # Errors
///
/// Why there is nothing to migrate.
pub(super) fn migrate(document: &Node, mut scribe: Scribe) -> Result<Draft, Stop> {
    let spec = document.get("spec").ok_or("the SecurityPolicy has no `spec`")?;
    let fields = Fields::of(spec);
    let jwt = fields.take("jwt").ok_or("the SecurityPolicy has no `spec.jwt`: there is nothing to migrate")?;
    let inner = Fields::of(jwt);
    let is_optional = inner.is_true("optional");
    let (mut names, mut providers) = (Vec::new(), Map::new());
    for node in inner.items("providers") {
        let name = node.get("name").and_then(|name| name.text()).unwrap_or("provider").to_owned();
        providers.insert(name.clone(), provider(node, &joined("providers", &name), &mut scribe));
        names.push(name);
    }
    let mut out = Map::from_iter([("providers".to_owned(), Value::Object(providers))]);
    let (mut list, otherwise) = authorization(&fields, &names, &mut scribe);
    if !is_optional {
        // A token is needed, whatever the rules allow.
        let when = Permit { missing: true, ..Permit::default() };
        list.insert(
            0,
            Policy { action: Action::Deny, within: vec![Region::ALL], without: Vec::new(), when, at: jwt.at },
        );
    }
    add_rules(&list, otherwise, &names, &mut out, &mut scribe);
    for member in fields.rest().filter(|member| !member.name.starts_with("target")) {
        let sentence = format!("`{}`: it stays in the SecurityPolicy", member.name);
        scribe.note(Kind::Dropped, "", member.at, sentence);
    }
    inner.report_rest("", &mut scribe);
    let heading = HEADING.iter().map(|line| (*line).to_owned()).collect();
    Ok(Draft { configuration: out, notes: scribe.notes, native: None, heading })
}

fn provider(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    let fields = Fields::of(node);
    let mut out = Map::new();
    fields.take("name");
    issuer(fields.text("issuer"), &fields, path, &mut out, scribe);
    audiences(fields.texts("audiences"), &fields, path, &mut out, scribe);
    without_expiration(&fields, path, &mut out, scribe);
    if let Some(remote) = fields.take("remoteJWKS") {
        out.insert("remote_jwks".to_owned(), remote_jwks(remote, &joined(path, "remote_jwks"), scribe));
    }
    if let Some(local) = fields.take("localJWKS") {
        let inline = local.get("inline").and_then(|inline| inline.text());
        if inline.is_none() {
            let sentence = "`valueRef`: put the document in `inline` first, for a Wasm filter reads no ConfigMaps";
            scribe.note(Kind::Blocked, &joined(path, "local_jwks"), local.at, sentence);
        }
        shared_secrets(inline.unwrap_or_default(), &mut out);
        out.insert("local_jwks".to_owned(), json!({"inline_string": inline}));
    }
    if let Some(from) = fields.take("extractFrom") {
        places(from, path, &mut out, scribe);
    }
    claim_headers(fields.items("claimToHeaders"), &mut out);
    if let Some(node) = fields.take("recomputeRoute") {
        let sentence = "`recomputeRoute`: Envoy chooses the route again whenever the filter edits a header";
        scribe.note(Kind::Dropped, path, node.at, sentence);
    }
    // Envoy Gateway always leaves the token in.
    out.insert("forward".to_owned(), true.into());
    scribe.note(Kind::Open, &joined(path, "forward"), node.at, "as before, the upstream gets the token");
    fields.report_rest(path, scribe);
    Value::Object(out)
}

fn remote_jwks(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    let fields = Fields::of(node);
    let uri = fields.text("uri").unwrap_or_default();
    let authority = uri.split_once("://").map_or(uri, |(_, rest)| rest).split('/').next().unwrap_or_default();
    let (host, port) =
        authority.split_once(':').unwrap_or((authority, if uri.starts_with("http:") { "80" } else { "443" }));
    let cluster = format!("{}_{port}", host.replace('.', "_"));
    let mut out = Map::from_iter([("http_uri".to_owned(), json!({"uri": uri, "cluster": cluster}))]);
    if let Some(cache) = fields.take("cacheDuration") {
        let cache = duration::within(cache, 1.0, 2_592_000.0, &joined(path, "cache_duration"), scribe);
        out.extend(cache.map(|cache| ("cache_duration".to_owned(), cache)));
    }
    let sentence = "the cluster has to be there without this SecurityPolicy: a route to a Backend of that host makes it, \
                    or an EnvoyPatchPolicy; give its name here";
    scribe.note(Kind::Stricter, &joined(path, "http_uri"), node.at, sentence);
    for name in ["backendRefs", "backendRef", "backendSettings"] {
        if let Some(node) = fields.take(name) {
            scribe.note(Kind::Dropped, path, node.at, format!("`{name}`: it belongs to the cluster"));
        }
    }
    fields.report_rest(path, scribe);
    Value::Object(out)
}

fn places(node: &Node, path: &str, out: &mut Map<String, Value>, scribe: &mut Scribe) {
    let fields = Fields::of(node);
    let header = |item: &std::rc::Rc<Node>| {
        let fields = Fields::of(item);
        let mut header = Map::new();
        header.extend(fields.take("name").map(|name| ("name".to_owned(), name.value())));
        header.extend(fields.take("valuePrefix").map(|prefix| ("value_prefix".to_owned(), prefix.value())));
        Value::Object(header)
    };
    let headers: Vec<_> = fields.items("headers").iter().map(header).collect();
    if !headers.is_empty() {
        out.insert("from_headers".to_owned(), headers.into());
    }
    for (theirs, ours) in [("params", "from_params"), ("cookies", "from_cookies")] {
        let texts = fields.texts(theirs);
        if !texts.is_empty() {
            out.insert(ours.to_owned(), texts.into());
        }
    }
    if let Some(cookies) = fields.take("cookies") {
        cookies_note(cookies, path, scribe);
    }
}

fn authorization(spec: &Fields<'_>, names: &[String], scribe: &mut Scribe) -> (Vec<Policy>, Action) {
    let Some(node) = spec.take("authorization") else { return (Vec::new(), Action::Allow) };
    let fields = Fields::of(node);
    let otherwise = if fields.text("defaultAction") == Some("Allow") { Action::Allow } else { Action::Deny };
    let list = fields.items("rules").iter().filter_map(|rule| policy(rule, names, scribe)).collect();
    fields.report_rest("rules", scribe);
    (list, otherwise)
}

fn policy(rule: &Node, names: &[String], scribe: &mut Scribe) -> Option<Policy> {
    let fields = Fields::of(rule);
    let action = if fields.text("action") == Some("Allow") { Action::Allow } else { Action::Deny };
    let name = fields.text("name").unwrap_or("a rule");
    let operation = fields.take("operation").map(|node| Fields::of(node));
    let methods = operation.as_ref().map(|operation| operation.texts("methods")).unwrap_or_default();
    let methods = (!methods.is_empty()).then(|| methods.into_iter().collect::<BTreeSet<_>>());
    let principal = fields.take("principal").map(|node| Fields::of(node));
    let jwt = principal.as_ref().and_then(|principal| principal.take("jwt"));
    let when = match jwt {
        Some(jwt) => of_jwt(jwt, names, name, scribe),
        None => Permit::everything(names.len()),
    };
    let unknown = [operation.as_ref(), principal.as_ref(), Some(&fields)].into_iter().flatten();
    let foreign: Vec<_> = unknown.flat_map(Fields::rest).map(|member| member.name.clone()).collect();
    if !foreign.is_empty() {
        let what = foreign.join(", ");
        let sentence = match action {
            Action::Allow => format!("{name}: asks for {what}: it allows nothing here"),
            Action::Deny => format!("{name}: {what}: it denies here whatever that is"),
        };
        scribe.note(Kind::Lost, "rules", rule.at, sentence);
        if action == Action::Allow {
            return None;
        }
    }
    if when.loses(action, names.len()) {
        let sentence =
            format!("{name}: a condition cannot be told exactly: tokens about which it is in doubt are refused");
        scribe.note(Kind::Stricter, "rules", rule.at, sentence);
    }
    let within = vec![Region { methods, ..Region::ALL }];
    Some(Policy { action, within, without: Vec::new(), when, at: rule.at })
}

/// Tokens of one provider with all scopes, and for each claim one of the values.
fn of_jwt(node: &Node, names: &[String], name: &str, scribe: &mut Scribe) -> Permit {
    let fields = Fields::of(node);
    let wanted = fields.text("provider");
    let mut tests = BTreeSet::new();
    for scope in fields.texts("scopes") {
        tests.insert(Test::Word(vec!["scope".to_owned()], scope, true));
    }
    for claim in fields.items("claims") {
        let inner = Fields::of(claim);
        let path: Vec<String> = inner.text("name").unwrap_or_default().split('.').map(str::to_owned).collect();
        let kind = inner.text("valueType").unwrap_or("String");
        let sentence = format!(
            "{name}: the claim {}: a text and a list that holds it count alike; there it has to be a {kind}",
            path.join(".")
        );
        scribe.note(Kind::Looser, "rules", claim.at, sentence);
        tests.insert(Test::Values(path, inner.texts("values").into_iter().collect(), true));
        inner.report_rest("rules", scribe);
    }
    fields.report_rest("rules", scribe);
    let meant = names.iter().enumerate().filter(|(_, name)| wanted.is_none_or(|wanted| wanted == name.as_str()));
    let bearers = meant.map(|(provider, _)| Bearer { provider, tests: tests.clone() }).collect();
    Permit { missing: false, bearers }
}
