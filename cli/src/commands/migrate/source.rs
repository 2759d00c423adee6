//! What there is to migrate in the files.

use std::path::PathBuf;
use std::rc::Rc;

use clap::ValueEnum;
use serde_json::json;

use super::native::{self, PerRoute, per_route};
use super::note::{Draft, Scribe};
use super::{gateway, istio};
use crate::Stop;
use crate::yaml::{self, Node};

/// Where configurations come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Origin {
    /// Envoy's own filter: a bootstrap, or the `JwtAuthentication` alone.
    #[value(name = "jwt_authn", alias = "envoy", alias = "native")]
    JwtAuthn,
    /// `RequestAuthentication` and `AuthorizationPolicy`.
    Istio,
    /// `SecurityPolicy`.
    Gateway,
}

/// A document, and the file that it is in.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) file: Rc<str>,
    pub(super) node: Rc<Node>,
}

impl Document {
    pub(super) fn kind(&self) -> Option<&str> {
        self.node.get("kind").and_then(|kind| kind.text())
    }

    fn origin(&self) -> Origin {
        match self.kind() {
            Some("RequestAuthentication" | "AuthorizationPolicy") => Origin::Istio,
            Some("SecurityPolicy") => Origin::Gateway,
            _ => Origin::JwtAuthn,
        }
    }
}

/// Reads the files, and migrates what they hold.
///
/// # Errors
///
/// Why there is nothing to migrate.
pub(super) fn migrate(files: &[PathBuf], from: Option<Origin>) -> Result<Vec<Draft>, Stop> {
    let mut documents = Vec::new();
    for file in files {
        let name: Rc<str> = file.display().to_string().into();
        let tree = yaml::parse(&crate::input::read(file)?)
            .map_err(|error| format!("{name}:{}:{}: {}", error.at.line, error.at.column, error.sentence))?;
        documents
            .extend(tree.documents.into_iter().flat_map(flat).map(|node| Document { file: Rc::clone(&name), node }));
    }
    documents.retain(|document| from.is_none_or(|from| document.origin() == from));
    let mut drafts = Vec::new();
    let (meshed, others): (Vec<_>, Vec<_>) =
        documents.into_iter().partition(|document| document.origin() == Origin::Istio);
    if let Some(first) = meshed.first() {
        drafts.push(istio::migrate(&meshed, Scribe::new(Rc::clone(&first.file)))?);
    }
    for document in &others {
        let scribe = || Scribe::new(Rc::clone(&document.file));
        if document.origin() == Origin::Gateway {
            drafts.push(gateway::migrate(&document.node, scribe())?);
            continue;
        }
        let mut filters = Vec::new();
        jwt_authn(&document.node, &mut filters);
        let mut routes: Vec<PerRoute> = Vec::new();
        per_route(&document.node, &mut routes);
        drafts.extend(filters.iter().map(|filter| native::migrate(filter, &routes, scribe())));
    }
    if drafts.is_empty() {
        return Err(
            "there is nothing to migrate in this: no jwt_authn filter, no JwtAuthentication with `providers`, \
                    no RequestAuthentication and no SecurityPolicy"
                .to_owned(),
        );
    }
    Ok(drafts)
}

/// The documents in a `List` of Kubernetes'.
fn flat(node: Rc<Node>) -> Vec<Rc<Node>> {
    let is_list = node.get("kind").and_then(|kind| kind.text()) == Some("List");
    if is_list { node.get("items").map(|items| items.items().to_vec()).unwrap_or_default() } else { vec![node] }
}

/// Every `jwt_authn` filter in a document; without any, the document itself if it looks like one.
fn jwt_authn(document: &Rc<Node>, found: &mut Vec<Rc<Node>>) {
    within(document, found);
    let is_bare = document.get("providers").is_some() && document.get("kind").is_none();
    if found.is_empty() && is_bare {
        found.push(Rc::clone(document));
    }
}

fn within(node: &Rc<Node>, found: &mut Vec<Rc<Node>>) {
    let is_ours = |name: &str| {
        let kind = node.get(name).and_then(|kind| kind.text());
        kind.is_some_and(|kind| kind.ends_with("jwt_authn.v3.JwtAuthentication"))
    };
    if is_ours("@type") {
        found.push(without_type(node));
        return;
    }
    if let Some(value) = node.get("value").filter(|_| is_ours("type_url") || is_ours("typeUrl")) {
        found.push(Rc::clone(value));
        return;
    }
    node.members().iter().for_each(|member| within(&member.node, found));
    node.items().iter().for_each(|item| within(item, found));
}

fn without_type(node: &Node) -> Rc<Node> {
    let members = node.members().iter().filter(|member| member.name != "@type").cloned().collect();
    Rc::new(Node { at: node.at, data: yaml::Data::Map(members) })
}

/// The filter's entry in Envoy's configuration, around the configuration itself.
pub(super) fn envoy_entry() -> serde_json::Value {
    json!({
        "name": "jwt_warden",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "jwt_warden",
                "failure_policy": "FAIL_RELOAD",
                "vm_config": {
                    "vm_id": "jwt_warden",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": {"local": {"filename": "/etc/envoy/jwt_warden.wasm"}},
                },
            },
        },
    })
}
