//! How migrated configurations are written.

use serde_json::{Map, Value, json};

use super::Shape;
use super::note::{Draft, Note};
use super::source::envoy_entry;
use super::yaml_text::{outline, wrapped, write};

/// As YAML with comments.
pub(super) fn yaml(draft: &Draft, shape: Shape) -> String {
    match shape {
        Shape::Bare => write(draft, 0),
        Shape::Envoy => {
            let entry = outline(&envoy_entry(), 2);
            let entry = entry.replacen("  ", "- ", 1);
            let configuration = "      configuration:\n        \"@type\": type.googleapis.com/google.protobuf.Struct\n";
            format!("{entry}{}        value:\n{}", configuration, write(draft, 10))
        }
        Shape::WasmPlugin => {
            format!("{}  pluginConfig:\n{}", outline(&wasm_plugin(), 0), write(draft, 4))
        }
    }
}

/// As JSON.
pub(super) fn json(draft: &Draft, shape: Shape) -> String {
    let configuration = Value::Object(draft.configuration.clone());
    let value = match shape {
        Shape::Bare => configuration,
        Shape::Envoy => {
            let text =
                json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration.to_string()});
            within(envoy_entry(), &["typed_config", "config"], "configuration", text)
        }
        Shape::WasmPlugin => within(wasm_plugin(), &["spec"], "pluginConfig", configuration),
    };
    format!("{value:#}\n")
}

fn within(mut whole: Value, path: &[&str], name: &str, part: Value) -> Value {
    let place = path.iter().try_fold(&mut whole, |value, name| value.get_mut(*name)).and_then(Value::as_object_mut);
    place.unwrap_or(&mut Map::new()).insert(name.to_owned(), part);
    whole
}

fn wasm_plugin() -> Value {
    json!({
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "jwt-warden"},
        "spec": {
            "url": "oci://registry.example/jwt-warden:0.1.0",
            "phase": "AUTHN",
            "failStrategy": "FAIL_CLOSE",
        },
    })
}

/// Says on the standard error what has become of it, the weightiest last.
pub(super) fn summarise(notes: &[&Note]) {
    let mut sorted: Vec<_> = notes.to_vec();
    sorted.sort_by_key(|note| note.kind);
    for note in &sorted {
        let place = if note.source.is_empty() { &note.path } else { &note.source };
        for (index, line) in
            wrapped(&format!("{place}: {}: {}", note.kind.label(), note.sentence), 118).iter().enumerate()
        {
            anstream::eprintln!("{}{line}", if index == 0 { "" } else { "    " });
        }
    }
    let serious = notes.iter().filter(|note| note.kind.is_serious()).count();
    match (notes.iter().any(|note| note.kind == super::Kind::Blocked), serious) {
        (true, _) => {
            anstream::eprintln!("jwt-warden: nothing is written: change what cannot be migrated, or report it");
        }
        (false, 0) => {}
        (false, number) => anstream::eprintln!("jwt-warden: look at {number} of these before you use it"),
    }
}
