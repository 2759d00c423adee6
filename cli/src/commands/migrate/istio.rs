//! Istio's `RequestAuthentication` and `AuthorizationPolicy`.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::istio_provider::{Issuer, provider};
use super::istio_rule::policies;
use super::note::{Draft, Kind, Scribe};
use super::policy::{Action, Policies, Policy, rule};
use super::source::Document;
use crate::Stop;
use crate::yaml::{Node, Position};

/// What is above every configuration that comes from Istio.
const HEADING: &[&str] = &[
    "Migrated from Istio. Take the RequestAuthentication away when this is in place, and the policies that are carried",
    "over: behind the filter they no longer see the token. Stricter everywhere: foreign types (`typ`), unknown",
    "extensions (`crit`), tokens bound to another sender (`cnf`) or issued in the future; paths that upstreams may read",
    "in several ways; requests without a path (CONNECT, `OPTIONS *`). A missing token is 401, not 403.",
];

/// The namespace whose policies are for the whole mesh.
const ROOT: &str = "istio-system";

/// Migrates these manifests together, as they stand for one workload.
///
/// # Errors
///
/// Why that cannot be.
pub(super) fn migrate(documents: &[Document], mut scribe: Scribe) -> Result<Draft, Stop> {
    one_workload(documents)?;
    let of_kind = |kind: &'static str| documents.iter().filter(move |document| document.kind() == Some(kind));
    let mut out = Map::new();
    let mut issuers: Vec<Issuer> = Vec::new();
    let mut providers = Map::new();
    for document in of_kind("RequestAuthentication") {
        scribe.file.clone_from(&document.file);
        for node in document.node.at_path(&["spec", "jwtRules"]).map_or(&[][..], Node::items) {
            let (issuer, configuration) = provider(node, &issuers, &mut scribe);
            providers.insert(issuer.provider.clone(), configuration);
            issuers.push(issuer);
        }
    }
    if issuers.is_empty() {
        return Err("there is no RequestAuthentication with `jwtRules` in this: give it together with the \
                    AuthorizationPolicies, for these alone do not say how tokens are verified"
            .to_owned());
    }
    out.insert("providers".to_owned(), Value::Object(providers));
    let (list, otherwise) = all_policies(of_kind("AuthorizationPolicy"), &issuers, &mut scribe);
    let names: Vec<String> = issuers.iter().map(|issuer| issuer.provider.clone()).collect();
    add_rules(&list, otherwise, &names, &mut out, &mut scribe);
    let heading = HEADING.iter().map(|line| (*line).to_owned()).collect();
    Ok(Draft { configuration: out, notes: scribe.notes, native: None, heading })
}

/// Writes the rules that the policies come to.
pub(super) fn add_rules(
    list: &[Policy],
    otherwise: Action,
    names: &[String],
    out: &mut Map<String, Value>,
    scribe: &mut Scribe,
) {
    match (Policies { list, otherwise, providers: names.len() }).rules(scribe) {
        Ok(rules) if !rules.is_empty() => {
            let rules: Vec<_> = rules.iter().map(|decided| rule(decided, names)).collect();
            out.insert("rules".to_owned(), rules.into());
        }
        Ok(_) => {
            // Nothing is allowed at all: a rule without paths would not be one.
            let nothing = rule(&super::policy::Decided::nothing(), names);
            out.insert("rules".to_owned(), json!([nothing]));
        }
        Err(_) => {
            let sentence = "the policies overlap in more ways than can be written out: divide them among fewer paths";
            scribe.note(Kind::Blocked, "rules", Position::START, sentence);
        }
    }
}

/// The policies of all documents in the order in which Istio asks them, and what becomes of the rest.
fn all_policies<'d>(
    documents: impl Iterator<Item = &'d Document>,
    issuers: &[Issuer],
    scribe: &mut Scribe,
) -> (Vec<Policy>, Action) {
    let (mut denying, mut allowing) = (Vec::new(), Vec::new());
    let mut otherwise = Action::Allow;
    for document in documents {
        scribe.file.clone_from(&document.file);
        let name = document.node.at_path(&["metadata", "name"]).and_then(Node::text).unwrap_or("a policy");
        let at = document.node.at;
        let Some(spec) = document.node.get("spec") else {
            // Without a spec it is a policy that allows nothing.
            otherwise = Action::Deny;
            continue;
        };
        match Fields::of(spec).text("action") {
            None | Some("ALLOW") => {
                otherwise = Action::Deny;
                allowing.extend(policies(spec, Action::Allow, name, issuers, scribe));
            }
            Some("DENY") => denying.extend(policies(spec, Action::Deny, name, issuers, scribe)),
            Some("AUDIT") => scribe.note(Kind::Dropped, "", at, format!("{name}: AUDIT decides nothing: keep it")),
            Some(other) => {
                let sentence =
                    format!("{name}: {other}, which others decide: keep it, if it does not ask about tokens");
                scribe.note(Kind::Lost, "", at, sentence);
            }
        }
    }
    denying.append(&mut allowing);
    (denying, otherwise)
}

/// Policies for different workloads must not be taken for those of one: what is allowed here would be allowed there.
fn one_workload(documents: &[Document]) -> Result<(), Stop> {
    let said = |document: &Document, path: &[&str]| document.node.at_path(path).map(Node::value);
    let namespaces = documents.iter().filter_map(|document| said(document, &["metadata", "namespace"]));
    differ(namespaces.filter(|namespace| namespace.as_str() != Some(ROOT)), "namespaces")?;
    for path in [&["spec", "selector"][..], &["spec", "targetRef"], &["spec", "targetRefs"]] {
        differ(documents.iter().filter_map(|document| said(document, path)), "workloads")?;
    }
    Ok(())
}

fn differ(said: impl Iterator<Item = Value>, what: &str) -> Result<(), Stop> {
    let said: Vec<Value> = said.collect();
    let Some((one, other)) = said.first().and_then(|one| Some((one, said.iter().find(|other| *other != one)?))) else {
        return Ok(());
    };
    Err(format!(
        "these manifests are for different {what} ({one} and {other}): give those of one workload at a time, with the \
         ones that hold for all"
    ))
}
