//! The schema agrees with the reference, with its file and with the filter.

use jsonschema::Validator;

use super::*;
use crate::plugin;
use crate::yaml;

const SHIPPED: &str = include_str!("../../../../docs/configuration.schema.json");
const FULL: &str = include_str!("../../../tests/full.yaml");

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema(false)).unwrap()
}

/// Every configuration in a text: in its blocks of code, if it is Markdown.
fn configurations(text: &str) -> Vec<Value> {
    let blocks: Vec<_> = text.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect();
    let blocks: Vec<_> =
        if blocks.is_empty() { vec![text] } else { blocks.into_iter().map(|(_, code)| code).collect() };
    let trees = blocks.into_iter().filter_map(|block| yaml::parse(block).ok());
    let texts = trees.flat_map(|tree| plugin::find(&tree.documents)).filter_map(|plugin| plugin.text);
    let values = texts.filter_map(|text| serde_json::from_str::<Value>(&text).ok());
    values.filter(|value| value.get("providers").is_some()).collect()
}

fn full() -> Value {
    configurations(FULL).remove(0)
}

fn is_loaded(value: &Value) -> bool {
    jwt_warden::config::parse(value.to_string().as_bytes(), &|_| None).is_ok()
}

#[test]
fn the_shipped_schema_is_this_one() {
    let stale = "docs/configuration.schema.json is stale: jwt-warden schema > docs/configuration.schema.json";
    assert!(format!("{:#}\n", schema(false)) == SHIPPED, "{stale}");
}

#[test]
fn every_field_is_described() {
    let schema = schema(false);
    let objects = schema["$defs"].as_object().unwrap().iter().map(|(name, object)| (name.as_str(), object));
    for (name, object) in objects.chain([("Config", &schema)]) {
        for (field, property) in object["properties"].as_object().unwrap() {
            // The engine's name means nothing, and says so.
            let description = property["description"].as_str().unwrap_or_default();
            assert!(description.len() > 8, "{name}.{field}: {description:?}");
            assert!(!description.contains("]("), "{name}.{field}: {description}");
        }
    }
}

#[test]
fn what_the_documents_show_is_valid() {
    let validator = validator();
    let documents = [
        include_str!("../../../../README.md"),
        include_str!("../../../../docs/configuration.md"),
        include_str!("../../../../docs/envoy.md"),
        include_str!("../../../../envoy/envoy.yaml"),
        FULL,
    ];
    let all: Vec<_> = documents.iter().flat_map(|text| configurations(text)).filter(is_loaded).collect();
    assert!(all.len() >= 5, "{}", all.len());
    for value in all {
        let errors: Vec<_> =
            validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path)).collect();
        assert_eq!(errors, Vec::<String>::new(), "{value}");
    }
}

/// The members of the full example, one level after the other: each is there, so that each is tried.
#[test]
fn the_full_example_has_every_field() {
    let text = full().to_string();
    for object in outline() {
        for (field, _) in object.fields.iter().filter(|(field, _)| !LEFT_OUT.contains(field)) {
            assert!(text.contains(&format!("\"{field}\":")), "{}.{field}", object.name);
        }
    }
    assert!(is_loaded(&full()));
}

/// What is there under another name, or excludes what is there.
const LEFT_OUT: [&str; 4] = ["inline_bytes", "environment_variable", "any_issuer", "any_audience"];

#[test]
fn mistakes_are_invalid_for_both() {
    let validator = validator();
    for (pointer, value) in [
        ("/nonsense", json!(1)),
        ("/unmatched", json!("refuse")),
        ("/unavailable_status", json!(500)),
        ("/realm", json!(null)),
        ("/limits/max_token_bytes", json!(255)),
        ("/limits/max_token_bytes", json!("16384")),
        ("/token_cache/max_bytes", json!(1)),
        ("/failed_attempts/limit", json!(0)),
        ("/failed_attempts/by", json!("address")),
        ("/protected_resource/resource_documentation", json!("http://docs.example")),
        ("/dpop/algorithms", json!(["HS256"])),
        ("/providers/acme/audience", json!(["api"])),
        ("/providers/acme/audiences", json!("api")),
        ("/providers/acme/algorithms", json!(["none"])),
        ("/providers/acme/algorithms", json!([])),
        ("/providers/acme/max_lifetime", json!("1d")),
        ("/providers/acme/max_lifetime", json!(3600)),
        ("/providers/acme/clock_skew_seconds", json!(86_401)),
        ("/providers/acme/clock_skew_seconds", json!(-1)),
        ("/providers/acme/clear_route_cache", json!(false)),
        ("/providers/acme/sender_constraint", json!("none")),
        ("/providers/acme/discovery", json!({"http_uri": {"uri": "https://a.example/", "cluster": "a"}})),
        ("/providers/acme/remote_jwks/http_uri/uri", json!("acme.example/jwks")),
        ("/providers/acme/remote_jwks/http_uri", json!({"uri": "https://acme.example/jwks"})),
        ("/providers/acme/forward_payload_header", json!("x payload")),
        ("/providers/acme/claim_to_headers/0/format", json!("csv")),
        ("/rules/0/requires", json!({})),
        ("/rules/0/requires", json!({"provider_name": "acme", "allow_missing": {}})),
        ("/rules/0/match", json!({"prefix": "/", "path": "/"})),
        ("/rules/0/match", json!({"prefix": "api"})),
        ("/rules/0/match", json!(null)),
        ("/rules/0/match/headers/0/range_match", json!({"start": "one"})),
    ] {
        let mut config = full();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = config.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}"));
        match parent {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value.clone(),
            parent => parent[name] = value.clone(),
        }
        assert!(!validator.is_valid(&config), "the schema takes {value} at {pointer}");
        assert!(!is_loaded(&config), "the filter takes {value} at {pointer}");
    }
}

#[test]
fn the_other_spelling_has_the_same_fields() {
    let text = schema(true).to_string();
    for (snake, camel) in
        [("max_token_bytes", "maxTokenBytes"), ("provider_name", "providerName"), ("issuer", "issuer")]
    {
        assert!(text.contains(&format!("\"{camel}\":{{")), "{camel}");
        assert!(snake == camel || !text.contains(&format!("\"{snake}\":{{")), "{snake}");
        assert_eq!(camel_case(snake), camel);
        assert_eq!(jwt_warden::config::snake_case(camel.to_owned()), snake);
    }
}
