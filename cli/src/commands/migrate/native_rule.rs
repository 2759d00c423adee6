//! The rules of `jwt_authn`, and what they require.

use jwt_warden::config::{indexed, joined};
use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::native_provider::{folded, safe_regex, string_match};
use super::note::{Kind, Scribe};
use crate::yaml::{Data, Member, Node};

/// Conditions that `jwt_authn` takes and does not look at.
const IGNORED: &[&str] = &["runtime_fraction", "grpc", "tls_context", "dynamic_metadata", "filter_state", "cookies"];

/// Migrates a `RequirementRule`.
pub(super) fn rule(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    let fields = Fields::of(node);
    let mut out = Map::new();
    if let Some(node) = fields.take("match") {
        out.insert("match".to_owned(), request_match(node, &joined(path, "match"), scribe));
    }
    if let Some(node) = fields.take("requires") {
        out.extend(requirement(node, &joined(path, "requires"), scribe).map(|inner| ("requires".to_owned(), inner)));
    }
    out.extend(fields.take("requirement_name").map(|node| ("requirement_name".to_owned(), node.value())));
    let names_nothing = |member: &&Member| member.node.text() == Some("") && member.name.starts_with("requirement");
    if let Some(member) = node.members().iter().find(names_nothing) {
        scribe.note(Kind::Blocked, path, member.at, format!("`{}` is empty", member.name));
    }
    if !out.contains_key("requires") && !out.contains_key("requirement_name") {
        scribe.note(Kind::Open, path, fields.at(), "as before, no verification");
    }
    for member in fields.rest() {
        scribe.note(Kind::Blocked, path, member.at, format!("`{}` is nothing that this program knows", member.name));
    }
    Value::Object(out)
}

fn request_match(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    let fields = Fields::of(node);
    let mut out = Map::new();
    if node.get("prefix").is_some_and(|prefix| prefix.text() == Some("")) {
        out.insert("prefix".to_owned(), "/".into());
    }
    for name in ["prefix", "path", "path_separated_prefix"] {
        out.extend(fields.take(name).map(|node| (name.to_owned(), node.value())));
    }
    let compares = !out.is_empty();
    out.extend(fields.take("safe_regex").map(|node| ("safe_regex".to_owned(), safe_regex(node))));
    out.extend(fields.take("connect_matcher").map(|_| ("connect_matcher".to_owned(), json!({}))));
    let folds = fields.take("case_sensitive").is_some_and(|node| node.value() == Value::Bool(false));
    if folds && compares {
        out.insert("case_sensitive".to_owned(), false.into());
    }
    for (name, migrate) in
        [("headers", header as fn(&Node, &str, &mut Scribe) -> Value), ("query_parameters", parameter)]
    {
        let items = fields.items(name).iter().enumerate();
        let list = joined(path, name);
        let items: Vec<_> = items.map(|(index, item)| migrate(item, &indexed(&list, index), scribe)).collect();
        if !items.is_empty() {
            out.insert(name.to_owned(), items.into());
        }
    }
    for name in IGNORED {
        if let Some(node) = fields.take(name) {
            scribe.note(Kind::Dropped, path, node.at, format!("`{name}`, at which jwt_authn does not look"));
        }
    }
    for member in fields.rest() {
        let sentence =
            format!("`{}` cannot be expressed: without it the rule would be for other requests", member.name);
        scribe.note(Kind::Blocked, path, member.at, sentence);
    }
    Value::Object(out)
}

fn header(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    let fields = Fields::of(node);
    let mut out = Map::new();
    let known = ["exact_match", "prefix_match", "suffix_match", "contains_match", "range_match", "present_match"];
    for name in ["name"].into_iter().chain(known) {
        out.extend(fields.take(name).map(|node| (name.to_owned(), node.value())));
    }
    if node.get("exact_match").or_else(|| node.get("exactMatch")).is_some_and(|text| text.text() == Some("")) {
        // There, it takes any value.
        out.insert("present_match".to_owned(), true.into());
    }
    out.extend(fields.take("safe_regex_match").map(|node| ("safe_regex_match".to_owned(), safe_regex(node))));
    if let Some(node) = fields.take("string_match") {
        out.insert("string_match".to_owned(), string_match(node, &joined(path, "string_match"), scribe));
    }
    for name in ["invert_match", "treat_missing_header_as_empty"] {
        if fields.is_true(name) {
            out.insert(name.to_owned(), true.into());
        }
    }
    block_rest(&fields, path, scribe);
    Value::Object(out)
}

fn parameter(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    let fields = Fields::of(node);
    let mut out = Map::new();
    for name in ["name", "present_match"] {
        out.extend(fields.take(name).map(|node| (name.to_owned(), node.value())));
    }
    if let Some(node) = fields.take("string_match") {
        out.insert("string_match".to_owned(), string_match(node, &joined(path, "string_match"), scribe));
    }
    block_rest(&fields, path, scribe);
    Value::Object(out)
}

fn block_rest(fields: &Fields<'_>, path: &str, scribe: &mut Scribe) {
    for member in fields.rest() {
        scribe.note(Kind::Blocked, path, member.at, format!("`{}` cannot be expressed", member.name));
    }
}

/// Migrates a `JwtRequirement`; `None` for one that asks for nothing.
pub(super) fn requirement(node: &Node, path: &str, scribe: &mut Scribe) -> Option<Value> {
    let fields = Fields::of(node);
    let mut out = Map::new();
    out.extend(fields.take("provider_name").map(|node| ("provider_name".to_owned(), node.value())));
    if let Some(node) = fields.take("provider_and_audiences") {
        let inner = Fields::of(node);
        let mut both = Map::new();
        both.extend(inner.take("provider_name").map(|node| ("provider_name".to_owned(), node.value())));
        let audiences = inner.texts("audiences");
        if !audiences.is_empty() {
            folded(&audiences, &joined(path, "provider_and_audiences"), &inner, scribe);
            both.insert("audiences".to_owned(), audiences.into());
        }
        block_rest(&inner, path, scribe);
        out.insert("provider_and_audiences".to_owned(), Value::Object(both));
    }
    for name in ["requires_any", "requires_all"] {
        let Some(node) = fields.take(name) else { continue };
        let list = joined(&joined(path, name), "requirements");
        let parts = Fields::of(node).items("requirements").iter().enumerate();
        let parts: Vec<_> = parts.map(|(index, part)| one_of(part, &indexed(&list, index), scribe)).collect();
        out.insert(name.to_owned(), json!({"requirements": parts}));
    }
    for name in ["allow_missing", "allow_missing_or_failed"] {
        let given = node.members().iter().any(|member| jwt_warden::config::snake_case(member.name.clone()) == name);
        if given {
            fields.take(name);
            out.insert(name.to_owned(), json!({}));
        }
    }
    if let Some(node) = fields.take("extract_only_without_validation") {
        out.insert("allow_missing_or_failed".to_owned(), json!({}));
        let sentence = "every request passes, as before, but claims that nobody has verified are not told";
        scribe.note(Kind::Stricter, path, node.at, sentence);
    }
    block_rest(&fields, path, scribe);
    if out.is_empty() && !(matches!(node.data, Data::Map(_)) && node.members().is_empty()) {
        scribe.note(Kind::Blocked, path, node.at, "is no requirement: without it the rule would ask for nothing");
    }
    (!out.is_empty()).then_some(Value::Object(out))
}

fn one_of(node: &Node, path: &str, scribe: &mut Scribe) -> Value {
    requirement(node, path, scribe).unwrap_or_else(|| {
        scribe.note(Kind::Blocked, path, node.at, "is empty: say which provider is meant");
        json!({})
    })
}
