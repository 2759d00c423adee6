//! One file: its configurations, the filter's own mistakes and warnings, and the program's lints.

use std::path::Path;
use std::rc::Rc;

use jwt_warden::config::{self, Loaded};
use serde_json::Value;

use super::Outcome;
use super::catalogue::{self, Lint};
use super::environment::{Environment, Variables};
use super::lints::{self, Subject, members, value_of};
use super::walk::Candidate;
use crate::finding::{Finding, Severity};
use crate::plugin::{self, Home, Plugin};
use crate::yaml::{self, Node, Position};

/// Checks a file.
pub(super) fn check(file: &Candidate, variables: &Variables, outcome: &mut Outcome) {
    let text = match crate::input::read(&file.path) {
        Ok(text) => text,
        Err(sentence) => return outcome.troubles.push(sentence),
    };
    outcome.files += 1;
    text_of(name(&file.path), text, file.is_named, variables, outcome);
}

/// Checks the text of a file.
pub(super) fn text_of(name: String, text: String, is_named: bool, variables: &Variables, outcome: &mut Outcome) {
    let mut findings = Findings { file: &name, list: Vec::new() };
    match yaml::parse(&text) {
        Ok(tree) => {
            let found = plugins(&tree, is_named);
            if found.is_empty() && is_named {
                let (lint, path) = (catalogue::NO_CONFIGURATION, String::new());
                findings.push(Severity::Warning, lint, Position::START, path, NOTHING);
            }
            for (plugin, document) in &found {
                outcome.configurations += usize::from(one(plugin, document, variables, &mut findings));
            }
            lints::merges(&tree, &found, &mut findings);
        }
        Err(unreadable) => {
            // Directories hold templates, which are no YAML yet.
            let severity = if is_named { Severity::Error } else { Severity::Warning };
            findings.push(severity, catalogue::UNREADABLE, unreadable.at, String::new(), unreadable.sentence);
        }
    }
    findings.list.sort_by_key(|finding| (finding.at, finding.severity));
    if !findings.list.is_empty() {
        outcome.findings.append(&mut findings.list);
        outcome.texts.push((name, text));
    }
}

/// What findings call the file: forges do not know `./a` for `a`.
fn name(path: &Path) -> String {
    if path == Path::new("-") {
        return "<stdin>".to_owned();
    }
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

/// Nobody corrects more at a time.
const MAX_MISTAKES: usize = 1000;

const NOTHING: &str = "holds no configuration of the filter: give a bare one (with `providers`), an Envoy bootstrap with \
                       the Wasm filter in it, or a WasmPlugin, EnvoyFilter, TrafficExtension or EnvoyExtensionPolicy";

/// The configurations, each with its document. In a directory, a bare file counts only if it looks like one.
fn plugins(tree: &yaml::Tree, is_named: bool) -> Vec<(Plugin, Rc<Node>)> {
    let in_document = |document: &Rc<Node>| {
        let found = plugin::find(std::slice::from_ref(document));
        let document = Rc::clone(document);
        found.into_iter().map(move |plugin| (plugin, Rc::clone(&document)))
    };
    let counts =
        |plugin: &Plugin| plugin.home != Home::Bare || is_named || plugin.surroundings.get("providers").is_some();
    tree.documents.iter().flat_map(in_document).filter(|(plugin, _)| counts(plugin)).collect()
}

/// Checks a configuration; `false` if it is not the filter's.
fn one(plugin: &Plugin, document: &Rc<Node>, variables: &Variables, findings: &mut Findings<'_>) -> bool {
    let text = plugin.text.clone().unwrap_or_default();
    let value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if is_another(plugin, &value) {
        let sentence = "names neither jwt-warden nor `providers`: it was taken for another plugin's, and not checked";
        let at = plugin.position("");
        findings.push(Severity::Warning, catalogue::OTHER_PLUGIN, at, String::new(), sentence);
        return false;
    }
    let environment = variables.for_plugin(plugin);
    let loaded = config::check(text.as_bytes(), &|name| environment.look_up(name));
    filters_own(&loaded, plugin, &value, &environment, findings);
    let subject =
        Subject { plugin, document, value: &value, config: loaded.as_ref().ok().map(|loaded| &loaded.config) };
    lints::check(&subject, findings);
    true
}

/// Whether the plugin is somebody else's: a proxy has many, and they all look alike.
fn is_another(plugin: &Plugin, value: &Value) -> bool {
    let is_ours = |text: &str| text.to_ascii_lowercase().replace('_', "-").contains("jwt-warden");
    plugin.home != Home::Bare
        && value_of(value, "providers").is_none()
        && !is_ours(&plugin.surroundings.value().to_string())
}

/// What the filter itself says when it loads.
fn filters_own(
    loaded: &Result<Loaded, config::ConfigError>,
    plugin: &Plugin,
    value: &Value,
    environment: &Environment,
    findings: &mut Findings<'_>,
) {
    let assumed = assumed(value, environment);
    let is_assumed = |path: &str| assumed.iter().any(|(assumed, _)| assumed == path);
    match loaded {
        Ok(loaded) => {
            for warning in loaded.warnings.iter().filter(|warning| !is_assumed(warning.path())) {
                let lint = catalogue::filters_own(warning.sentence());
                findings.warn(plugin, lint, warning.path(), warning.sentence());
            }
        }
        Err(error) => {
            for (path, sentence) in error.mistakes().take(MAX_MISTAKES) {
                let at = plugin.position(path);
                findings.push(Severity::Error, catalogue::MISTAKE, at, path.to_owned(), sentence);
            }
            let left_out = error.mistakes().count().saturating_sub(MAX_MISTAKES);
            if left_out > 0 {
                let sentence = format!("has {left_out} more mistakes");
                findings.push(Severity::Error, catalogue::MISTAKE, plugin.position(""), String::new(), sentence);
            }
        }
    }
    for (path, name) in assumed {
        let sentence =
            format!("`{name}` is not known here: a good key set was assumed: check it with `--env {name}=...`");
        findings.warn(plugin, catalogue::ABSENT_VARIABLE, &path, sentence);
    }
}

/// The paths of the variables that were not known, and their names.
fn assumed(value: &Value, environment: &Environment) -> Vec<(String, String)> {
    let providers = members(value_of(value, "providers"));
    let named = providers.filter_map(|(provider, value)| {
        let name = value_of(value_of(value, "local_jwks")?, "environment_variable")?.as_str()?;
        let path = format!("{}.local_jwks.environment_variable", config::joined("providers", provider));
        environment.was_assumed(name).then(|| (path, name.to_owned()))
    });
    named.collect()
}

/// What was found in a file.
pub(super) struct Findings<'a> {
    file: &'a str,
    list: Vec<Finding>,
}

impl Findings<'_> {
    /// Something about the field at this path of the configuration.
    pub(super) fn warn(&mut self, plugin: &Plugin, lint: Lint, path: &str, sentence: impl Into<String>) {
        self.push(Severity::Warning, lint, plugin.position(path), path.to_owned(), sentence);
    }

    /// Something about what surrounds a configuration: the member `name` of `node` if it is there, or the node.
    pub(super) fn warn_around(&mut self, node: &Node, path: &str, lint: Lint, sentence: impl Into<String>) {
        let name = path.rsplit('.').next().unwrap_or_default();
        let at = node.members().iter().find(|member| member.name == name).map_or(node.at, |member| member.at);
        self.push(Severity::Warning, lint, at, path.to_owned(), sentence);
    }

    /// Something at a place of the file.
    pub(super) fn push(
        &mut self,
        severity: Severity,
        lint: Lint,
        at: Position,
        path: String,
        sentence: impl Into<String>,
    ) {
        let (file, sentence) = (self.file.to_owned(), sentence.into());
        self.list.push(Finding { severity, rule: lint.id, file, at, path, sentence });
    }
}
