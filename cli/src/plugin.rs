//! The filter's configurations in a file: bare, or within an Envoy bootstrap or a mesh's manifests.

use std::rc::Rc;

use jwt_warden::config::{indexed, joined, snake_case};

use crate::yaml::{self, Data, Node, Position};

/// A configuration of the filter, and what surrounds it.
#[derive(Debug)]
pub(crate) struct Plugin {
    /// What it stands in.
    pub(crate) home: Home,
    /// What is around it, for those who look at that: the filter's entry, or the manifest.
    pub(crate) surroundings: Rc<Node>,
    /// The configuration as JSON text, as the host hands it over; `None` if there is none.
    pub(crate) text: Option<String>,
    /// The same with the places of its parts in the file.
    tree: Option<Rc<Node>>,
    at: Position,
    /// Where the lines of an embedded text begin.
    offset: Offset,
}

/// What a configuration stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// The file is the configuration.
    Bare,
    /// A Wasm filter of Envoy's.
    Envoy,
    /// Istio's `WasmPlugin` or `TrafficExtension`.
    Istio,
    /// Envoy Gateway's `EnvoyExtensionPolicy`.
    Gateway,
}

#[derive(Debug, Clone, Copy, Default)]
struct Offset {
    lines: usize,
    columns: usize,
}

impl Plugin {
    /// Where the field at this path of the configuration stands, as far as it is there.
    pub(crate) fn position(&self, path: &str) -> Position {
        let Some(tree) = &self.tree else { return self.at };
        let at = descend(tree, "", path).unwrap_or(tree.at);
        Position { line: at.line + self.offset.lines, column: at.column + self.offset.columns }
    }
}

/// Finds every configuration of the filter in these documents. A document without any of the known homes is taken for a
/// bare configuration.
pub(crate) fn find(documents: &[Rc<Node>]) -> Vec<Plugin> {
    documents.iter().flat_map(in_document).collect()
}

fn in_document(document: &Rc<Node>) -> Vec<Plugin> {
    match document.get("kind").and_then(|kind| kind.text()) {
        Some("WasmPlugin") => return istio(document, document.at_path(&["spec", "pluginConfig"])),
        Some("List") => {
            let items = document.get("items").map(|items| items.items().to_vec()).unwrap_or_default();
            return find(&items);
        }
        Some("EnvoyExtensionPolicy") => return gateway(document),
        Some("TrafficExtension") => return istio(document, document.at_path(&["spec", "wasm", "pluginConfig"])),
        _ => {}
    }
    let mut found = Vec::new();
    envoy(document, &mut found);
    let is_manifest = document.get("kind").is_some() || document.get("static_resources").is_some();
    if found.is_empty() && !is_manifest {
        found.push(Plugin::of_tree(Home::Bare, document, Some(document)));
    }
    found
}

fn istio(document: &Rc<Node>, configuration: Option<&Node>) -> Vec<Plugin> {
    let configuration = configuration.cloned().map(Rc::new);
    vec![Plugin::of_tree(Home::Istio, document, configuration.as_ref())]
}

fn gateway(document: &Rc<Node>) -> Vec<Plugin> {
    let wasm = document.at_path(&["spec", "wasm"]).map(|wasm| wasm.items().to_vec()).unwrap_or_default();
    wasm.iter().map(|entry| Plugin::of_tree(Home::Gateway, entry, entry.get("config"))).collect()
}

/// Every Wasm filter in an Envoy configuration, wherever it stands.
fn envoy(node: &Rc<Node>, found: &mut Vec<Plugin>) {
    let is_wasm =
        |name: &str| node.get(name).and_then(|kind| kind.text()).is_some_and(|kind| kind.ends_with(".wasm.v3.Wasm"));
    if is_wasm("@type") {
        found.push(envoy_plugin(node, node.at_path(&["config", "configuration"])));
        return;
    }
    // Istio's EnvoyFilter writes it as a TypedStruct.
    if is_wasm("type_url") || is_wasm("typeUrl") {
        found.push(envoy_plugin(node, node.at_path(&["value", "config", "configuration"])));
        return;
    }
    node.members().iter().for_each(|member| envoy(&member.node, found));
    node.items().iter().for_each(|item| envoy(item, found));
}

fn envoy_plugin(entry: &Rc<Node>, configuration: Option<&Node>) -> Plugin {
    let value = configuration.and_then(|configuration| configuration.get("value"));
    let Some(value) = value else {
        let at = configuration.map_or(entry.at, |configuration| configuration.at);
        return Plugin { at, ..Plugin::of_tree(Home::Envoy, entry, None) };
    };
    match value.text() {
        Some(text) => Plugin::of_text(entry, value, text),
        None => Plugin::of_tree(Home::Envoy, entry, Some(value)),
    }
}

impl Plugin {
    fn of_tree(home: Home, surroundings: &Rc<Node>, tree: Option<&Rc<Node>>) -> Self {
        Self {
            home,
            surroundings: Rc::clone(surroundings),
            text: tree.map(|tree| tree.value().to_string()),
            tree: tree.cloned(),
            at: tree.map_or(surroundings.at, |tree| tree.at),
            offset: Offset::default(),
        }
    }

    /// A configuration as a text in a file: JSON in YAML.
    fn of_text(entry: &Rc<Node>, value: &Node, text: &str) -> Self {
        let is_block = matches!(value.data, Data::Scalar { is_block: true, .. });
        let tree = yaml::parse(text).ok().and_then(|mut tree| tree.documents.pop());
        Self {
            home: Home::Envoy,
            surroundings: Rc::clone(entry),
            text: Some(text.to_owned()),
            // In a flow scalar, lines and columns are not those of the file: only its beginning is known.
            tree: tree.filter(|_| is_block),
            at: value.at,
            offset: Offset { lines: value.at.line - 1, columns: value.at.column - 1 },
        }
    }
}

/// Where the part at `path` stands in the tree at `prefix`; the innermost part of it that is there.
fn descend(node: &Node, prefix: &str, path: &str) -> Option<Position> {
    let leads = |to: &str| path == to || path.strip_prefix(to).is_some_and(|rest| rest.starts_with(['.', '[']));
    let member = node.members().iter().find_map(|member| {
        let spellings = [member.name.clone(), snake_case(member.name.clone())];
        let inner = spellings.iter().map(|name| joined(prefix, name)).find(|inner| leads(inner))?;
        Some(descend(&member.node, &inner, path).filter(|_| path != inner).unwrap_or(member.at))
    });
    member.or_else(|| {
        node.items().iter().enumerate().find_map(|(index, item)| {
            let inner = indexed(prefix, index);
            leads(&inner).then(|| descend(item, &inner, path).unwrap_or(item.at))
        })
    })
}
