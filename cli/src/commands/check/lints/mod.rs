//! What is allowed, but doubtful, beside what the filter itself warns of.

mod clusters;
mod envoy;
mod mesh;
mod providers;
mod rules;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use jwt_warden::config::{Config, indexed, joined, snake_case};
use serde_json::Value;

use super::catalogue;
use super::file::Findings;
use crate::finding::Severity;
use crate::plugin::{Home, Plugin};
use crate::yaml::{Node, Tree};

/// A configuration, and what is known of it.
pub(super) struct Subject<'a> {
    pub(super) plugin: &'a Plugin,
    /// The document that it stands in.
    pub(super) document: &'a Rc<Node>,
    /// As it was written.
    pub(super) value: &'a Value,
    /// As the filter understands it; `None` if there are mistakes.
    pub(super) config: Option<&'a Config>,
}

/// Looks at a configuration, and at what surrounds it.
pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    providers::check(subject, findings);
    rules::check(subject, findings);
    clusters::check(subject, findings);
    envoy::check(subject, findings);
    mesh::check(subject, findings);
}

/// Looks for merges where Envoy reads the file itself: kubectl reads them, and hands on what was meant.
pub(super) fn merges(tree: &Tree, plugins: &[(Plugin, Rc<Node>)], findings: &mut Findings<'_>) {
    let is_envoys =
        |(plugin, document): &(Plugin, Rc<Node>)| plugin.home == Home::Envoy && document.get("kind").is_none();
    if !plugins.iter().any(is_envoys) {
        return;
    }
    for at in &tree.merges {
        let sentence = "Envoy takes `<<` for a field, and refuses it: write out what is merged";
        findings.push(Severity::Warning, catalogue::YAML_MERGE, *at, String::new(), sentence);
    }
}

/// The field of a configuration, in either of its spellings.
pub(super) fn value_of<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object.as_object()?.iter().find(|(given, _)| snake_case((*given).clone()) == name).map(|(_, value)| value)
}

/// The members of an object whose names the operator chose.
pub(super) fn members(object: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    object.and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The field of what surrounds a configuration, in either spelling.
pub(super) fn field<'a>(node: &'a Node, name: &str) -> Option<&'a Rc<Node>> {
    node.members().iter().find(|member| snake_case(member.name.clone()) == name).map(|member| &member.node)
}

/// Whether this field is `true`, in either spelling.
fn is_true(object: &Value, name: &str) -> bool {
    value_of(object, name) == Some(&Value::Bool(true))
}

/// The same of a node.
fn has_true(node: &Node, name: &str) -> bool {
    field(node, name).is_some_and(|value| value.value() == Value::Bool(true))
}

/// The text of a field of a node.
fn text_of<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    field(node, name).and_then(|value| value.text())
}

/// Every object in a configuration, with its path.
fn objects<'a>(value: &'a Value, path: &str, visit: &mut dyn FnMut(&'a Value, &str)) {
    match value {
        Value::Object(members) => {
            visit(value, path);
            members.iter().for_each(|(name, value)| objects(value, &inner(path, name), visit));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| objects(item, &indexed(path, index), visit));
        }
        _ => {}
    }
}

/// The path of a member. The names of providers and requirements have one spelling only.
fn inner(path: &str, name: &str) -> String {
    let is_chosen = path == "providers" || path == "requirement_map" || path.ends_with(".jwks_clusters");
    joined(path, &if is_chosen { name.to_owned() } else { snake_case(name.to_owned()) })
}
