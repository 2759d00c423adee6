//! What surrounds the filter in a configuration of Envoy's: what becomes of requests when it fails, where its code comes
//! from, and in how many spellings paths reach it.

use std::rc::Rc;

use super::super::catalogue as lint;
use super::super::file::Findings;
use super::{Subject, field, has_true, text_of};
use crate::plugin::Home;
use crate::yaml::Node;

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    if subject.plugin.home != Home::Envoy {
        return;
    }
    let entry = &subject.plugin.surroundings;
    if let Some(config) = entry.get("config").or_else(|| entry.get("value").and_then(|value| value.get("config"))) {
        failure(config, findings);
        code(config, findings);
    }
    if let Some(manager) = connection_manager(subject.document, entry) {
        normalization(&manager, findings);
    }
}

fn failure(config: &Node, findings: &mut Findings<'_>) {
    let sentence = "lets requests pass unverified when the module fails: use `failure_policy: FAIL_RELOAD`";
    for (name, opens) in [
        ("failure_policy", text_of(config, "failure_policy") == Some("FAIL_OPEN")),
        ("fail_open", has_true(config, "fail_open")),
    ] {
        if opens {
            findings.warn_around(config, &format!("config.{}", spelled(config, name)), lint::FAIL_OPEN, sentence);
        }
    }
}

/// As the file spells it.
fn spelled<'a>(node: &'a Node, name: &'a str) -> &'a str {
    let is_it = |given: &str| jwt_warden::config::snake_case(given.to_owned()) == name;
    node.members().iter().find(|member| is_it(&member.name)).map_or(name, |member| &member.name)
}

fn code(config: &Node, findings: &mut Findings<'_>) {
    let code = field(config, "vm_config").and_then(|vm| field(vm, "code"));
    let Some(code) = code else { return };
    let Some(remote) = field(code, "remote") else { return };
    if text_of(remote, "sha256").is_none_or(str::is_empty) {
        let sentence = "has no `sha256`: whoever answers decides what verifies your tokens";
        findings.warn_around(code, "vm_config.code.remote", lint::UNPINNED_CODE, sentence);
    }
}

/// What leaves paths one spelling only.
fn normalization(manager: &Node, findings: &mut Findings<'_>) {
    let action = text_of(manager, "path_with_escaped_slashes_action");
    let missing = [
        ("normalize_path: true", has_true(manager, "normalize_path")),
        ("merge_slashes: true", has_true(manager, "merge_slashes")),
        (
            "path_with_escaped_slashes_action: REJECT_REQUEST",
            matches!(action, Some("REJECT_REQUEST" | "UNESCAPE_AND_REDIRECT" | "UNESCAPE_AND_FORWARD")),
        ),
    ];
    let missing: Vec<_> =
        missing.iter().filter(|(_, is_there)| !is_there).map(|(wanted, _)| format!("`{wanted}`")).collect();
    if !missing.is_empty() {
        let sentence = format!(
            "lets paths come in several spellings, which the filter refuses where rules tell them apart: add {}",
            missing.join(", ")
        );
        findings.warn_around(manager, "http_connection_manager", lint::PATH_NORMALIZATION, sentence);
    }
}

/// The connection manager that the entry is a filter of.
fn connection_manager(document: &Rc<Node>, entry: &Rc<Node>) -> Option<Rc<Node>> {
    let mut way = Vec::new();
    leads_to(document, entry, &mut way);
    let is_manager = |node: &&Rc<Node>| {
        node.get("@type").and_then(|kind| kind.text()).is_some_and(|kind| kind.ends_with(".HttpConnectionManager"))
    };
    way.iter().find(is_manager).cloned()
}

/// The nodes from the innermost that holds `target` outwards.
fn leads_to(node: &Rc<Node>, target: &Rc<Node>, way: &mut Vec<Rc<Node>>) -> bool {
    let leads = Rc::ptr_eq(node, target)
        || node.members().iter().any(|member| leads_to(&member.node, target, way))
        || node.items().iter().any(|item| leads_to(item, target, way));
    if leads {
        way.push(Rc::clone(node));
    }
    leads
}
