//! JSON Schema, draft 2020-12, of the shapes that the filter reads.

use std::collections::BTreeMap;

use jwt_warden::config::outline::{Kind, Object, outline};
use jwt_warden::crypto::SignatureAlgorithm;
use serde_json::{Map, Value, json};

use super::cell;
use super::reference::{self, Row};

/// Fields of an object of which some have to be there.
struct Group {
    object: &'static str,
    how_many: HowMany,
    fields: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HowMany {
    /// One at least.
    Some,
    /// Exactly one.
    One,
    OneOrNone,
}

const fn group(object: &'static str, how_many: HowMany, fields: &'static [&'static str]) -> Group {
    Group { object, how_many, fields }
}

/// What the reference says in sentences of which fields go together.
const GROUPS: &[Group] = &[
    group("Provider", HowMany::One, &["local_jwks", "remote_jwks", "discovery"]),
    group("Provider", HowMany::Some, &["issuer", "issuer_patterns", "any_issuer"]),
    group("Provider", HowMany::Some, &["audiences", "any_audience"]),
    group("LocalJwks", HowMany::One, &["inline_string", "inline_bytes", "environment_variable"]),
    group("RevokedWhen", HowMany::One, &["status", "json_pointer"]),
    group("PeerCertificate", HowMany::One, &["uri_san", "dns_san"]),
    group("StringMatcher", HowMany::One, &["exact", "prefix", "suffix", "contains", "safe_regex"]),
    group("Requirement", HowMany::One, &REQUIREMENTS),
    group("Rule", HowMany::OneOrNone, &["requires", "requirement_name"]),
    group("Match", HowMany::OneOrNone, &["prefix", "path", "path_separated_prefix", "safe_regex", "connect_matcher"]),
    group("ClaimHeader", HowMany::One, &["claim_name", "claim_path"]),
    group("ClaimState", HowMany::One, &["claim_name", "claim_path"]),
    group("ClaimCondition", HowMany::One, &["claim_name", "claim_path", "name", "path"]),
    group("Values", HowMany::Some, &["any_of", "all_of"]),
];

const REQUIREMENTS: [&str; 6] = [
    "provider_name",
    "provider_and_audiences",
    "requires_any",
    "requires_all",
    "allow_missing",
    "allow_missing_or_failed",
];

/// What texts look like that the reference describes in sentences.
const PATTERNS: &[(&str, &str, &str)] = &[
    ("Match", "prefix", "^/[^ ?#]*$"),
    ("Match", "path", "^/[^ ?#]*$"),
    ("Match", "path_separated_prefix", "^/[^ ?#]*[^ ?#/]$"),
    ("HttpUri", "uri", "^https?://[^/?#@]+"),
    ("StatusList", "uri", "^https?://[^/?#@]+"),
    ("Rule", "name", "^[A-Za-z0-9_-]{1,64}$"),
];

/// The schema of a configuration.
pub(super) fn schema(camel_case: bool) -> Value {
    let objects = outline();
    let anchors = anchors(&objects);
    let writer = Writer { anchors: &anchors, camel_case };
    let mut definitions = Map::new();
    for object in objects.iter().skip(1) {
        definitions.insert(object.name.to_owned(), Value::Object(writer.object(object)));
    }
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), "Configuration of jwt-warden".into());
    schema.extend(objects.first().map(|whole| writer.object(whole)).unwrap_or_default());
    schema.insert("$defs".into(), Value::Object(definitions));
    Value::Object(schema)
}

/// Below which heading of the reference the fields of each object are told: that which the field's row leads to, or else
/// that of the object around it.
fn anchors(objects: &[Object]) -> BTreeMap<&'static str, String> {
    let mut anchors = BTreeMap::new();
    for object in objects {
        let here = anchors.entry(object.name).or_insert_with(|| "configuration".to_owned()).clone();
        for (field, kind) in &object.fields {
            let there = reference::row(&here, field).and_then(|row| reference::link(row.kind)).unwrap_or(&here);
            if let Some(inner) = object_in(kind) {
                anchors.entry(inner).or_insert_with(|| there.to_owned());
            }
        }
    }
    anchors
}

fn object_in(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Object(name) => Some(name),
        Kind::List(inner) | Kind::Named(inner) | Kind::TextOr(inner) => object_in(inner),
        Kind::Boolean | Kind::Whole | Kind::Integer | Kind::Text | Kind::Duration | Kind::Scalar => None,
    }
}

struct Writer<'a> {
    anchors: &'a BTreeMap<&'static str, String>,
    camel_case: bool,
}

impl Writer<'_> {
    fn object(&self, object: &Object) -> cell::Part {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (field, kind) in &object.fields {
            let row = self.row(object, field);
            if row.default == "required" && !is_needed(object, field) {
                required.push(self.spelled(field));
            }
            properties.insert(self.spelled(field), Value::Object(property(object, field, kind, row)));
        }
        let mut schema = Map::new();
        schema.insert("type".into(), "object".into());
        schema.insert("additionalProperties".into(), false.into());
        schema.insert("properties".into(), Value::Object(properties));
        if !required.is_empty() {
            schema.insert("required".into(), json!(required));
        }
        let conditions = self.conditions(object);
        if !conditions.is_empty() {
            schema.insert("allOf".into(), Value::Array(conditions));
        }
        schema
    }

    fn row(&self, object: &Object, field: &str) -> Row {
        let anchor = self.anchors.get(object.name).map_or("", String::as_str);
        reference::row(anchor, field).unwrap_or(Row { kind: "", default: "", meaning: "" })
    }

    fn conditions(&self, object: &Object) -> Vec<Value> {
        let groups = GROUPS.iter().filter(|group| group.object == object.name);
        groups.map(|group| self.condition(group)).collect()
    }

    fn condition(&self, group: &Group) -> Value {
        let mut present: Vec<_> = group.fields.iter().map(|field| json!({"required": [self.spelled(field)]})).collect();
        match group.how_many {
            HowMany::Some => json!({"anyOf": present}),
            HowMany::One => json!({"oneOf": present}),
            HowMany::OneOrNone => {
                present.push(json!({"not": {"anyOf": present}}));
                json!({"oneOf": present})
            }
        }
    }

    fn spelled(&self, field: &str) -> String {
        if self.camel_case { camel_case(field) } else { field.to_owned() }
    }
}

fn property(object: &Object, field: &str, kind: &Kind, row: Row) -> cell::Part {
    let mut schema = Map::new();
    let description = described(row);
    if !description.is_empty() {
        schema.insert("description".into(), description.into());
    }
    schema.extend(value(kind, row.kind));
    if let Some((_, _, pattern)) = PATTERNS.iter().find(|(known, name, _)| (*known, *name) == (object.name, field)) {
        schema.insert("pattern".into(), (*pattern).into());
    }
    if field == "algorithms" {
        schema.insert("items".into(), json!({"enum": algorithms(object.name == "Provider")}));
        schema.insert("minItems".into(), 1.into());
    }
    if let Some(default) = cell::default(row.default).filter(|default| fits(kind, default)) {
        schema.insert("default".into(), default);
    }
    schema
}

fn is_needed(object: &Object, field: &str) -> bool {
    GROUPS.iter().any(|group| group.object == object.name && group.fields.contains(&field))
}

/// What a value of this kind looks like; the reference's cell tells its bounds.
fn value(kind: &Kind, told: &str) -> cell::Part {
    let (schema, bounds) = match kind {
        Kind::Boolean => (json!({"type": "boolean"}), cell::boolean(told)),
        Kind::Whole => (json!({"type": "integer", "minimum": 0}), cell::whole(told)),
        Kind::Integer => {
            (json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]+$"}]}), Map::new())
        }
        Kind::Text => (json!({"type": "string"}), cell::text(told)),
        Kind::Duration => (json!({"type": "string", "pattern": cell::DURATION}), Map::new()),
        Kind::Scalar => (json!({"type": ["string", "number", "boolean"]}), Map::new()),
        Kind::List(inner) => {
            let items = if told.contains("https URL") { told } else { "" };
            (json!({"type": "array", "items": value(inner, items)}), cell::list(told))
        }
        Kind::Named(inner) => (json!({"type": "object", "additionalProperties": value(inner, "")}), Map::new()),
        Kind::Object(name) => (json!({"$ref": format!("#/$defs/{name}")}), Map::new()),
        Kind::TextOr(inner) => {
            let words = told.split(", or ").next().unwrap_or_default();
            (json!({"anyOf": [with(json!({"type": "string"}), cell::text(words)), value(inner, "")]}), Map::new())
        }
    };
    with(schema, bounds)
}

fn with(schema: Value, bounds: cell::Part) -> cell::Part {
    let mut part = match schema {
        Value::Object(part) => part,
        _ => Map::new(),
    };
    part.extend(bounds);
    part
}

fn fits(kind: &Kind, default: &Value) -> bool {
    match kind {
        Kind::Boolean => default.is_boolean(),
        Kind::Whole | Kind::Integer => default.is_u64(),
        Kind::Text | Kind::Duration | Kind::TextOr(_) => default.is_string(),
        Kind::List(_) => default.is_array(),
        Kind::Scalar | Kind::Named(_) | Kind::Object(_) => false,
    }
}

/// What the reference says of a field, in one text.
fn described(row: Row) -> String {
    let mut text = reference::plain(row.meaning);
    if !row.kind.is_empty() && (row.kind.starts_with("duration") || row.kind.starts_with("list")) {
        text = format!("{text} ({})", reference::plain(row.kind));
    }
    let is_told = ["", "none", "see below"].contains(&row.default) || row.default.starts_with("required");
    if !is_told && cell::default(row.default).is_none() {
        text = format!("{text} Default: {}.", reference::plain(row.default));
    }
    text.trim().to_owned()
}

fn algorithms(with_secrets: bool) -> Vec<&'static str> {
    let names = SignatureAlgorithm::ALL.map(SignatureAlgorithm::name);
    let mut names: Vec<_> = names.into_iter().filter(|name| with_secrets || !name.starts_with("HS")).collect();
    // RFC 9864 calls it so.
    names.push("Ed25519");
    names
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        camel.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(characters.as_str());
    }
    camel
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
