//! The clusters that keys and lists are fetched from.

use std::rc::Rc;

use jwt_warden::config::joined;
use serde_json::Value;

use super::super::catalogue as lint;
use super::super::file::Findings;
use super::{Subject, field, members, objects, text_of, value_of};
use crate::plugin::Home;
use crate::yaml::Node;

/// A cluster that the configuration names.
struct Named<'a> {
    name: &'a str,
    /// Where.
    path: String,
    /// What is fetched from it, if it is named here.
    uri: Option<&'a str>,
    uri_path: String,
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let named = named(subject.value);
    let mut warn = |path: &str, lint, sentence: &str| findings.warn(subject.plugin, lint, path, sentence);
    let bootstrap = bootstrap(subject.document);
    for cluster in &named {
        if cluster.uri.is_some_and(|uri| uri.starts_with("http://") && !is_loopback(uri)) {
            let sentence = "is no https URL: who sits on the network can replace what is fetched, keys included";
            warn(&cluster.uri_path, lint::PLAIN_HTTP, sentence);
        }
        if is_istios(subject) {
            if !is_istio_name(cluster.name) {
                let sentence =
                    "is no name of a cluster of Istio's: `outbound|443||host` is that of a ServiceEntry's host";
                warn(&cluster.path, lint::ISTIO_CLUSTER_NAME, sentence);
            }
        } else if let Some(clusters) = &bootstrap {
            in_bootstrap(cluster, clusters, &mut warn);
        }
    }
}

fn in_bootstrap(cluster: &Named<'_>, clusters: &[Rc<Node>], warn: &mut dyn FnMut(&str, lint::Lint, &str)) {
    let Some(there) = clusters.iter().find(|there| text_of(there, "name") == Some(cluster.name)) else {
        let known: Vec<_> = clusters.iter().filter_map(|there| text_of(there, "name")).take(10).collect();
        let sentence = format!("the bootstrap has no such cluster: it has {}", known.join(", "));
        return warn(&cluster.path, lint::UNKNOWN_CLUSTER, &sentence);
    };
    let speaks_tls = ["transport_socket", "transport_socket_matches"].iter().any(|name| field(there, name).is_some());
    if !speaks_tls && cluster.uri.is_some_and(|uri| uri.starts_with("https://") && !is_loopback(uri)) {
        let sentence =
            "the URI says https, but the cluster has no `transport_socket`: Envoy sends the request in the clear";
        warn(&cluster.path, lint::CLUSTER_WITHOUT_TLS, sentence);
    }
}

/// Every cluster in the configuration, wherever it stands.
fn named(value: &Value) -> Vec<Named<'_>> {
    let mut found = Vec::new();
    objects(value, "", &mut |object, path| {
        let text = |name: &str| value_of(object, name).and_then(Value::as_str);
        if let (Some(name), Some(uri)) = (text("cluster"), text("uri")) {
            let (path, uri_path) = (joined(path, "cluster"), joined(path, "uri"));
            found.push(Named { name, path, uri: Some(uri), uri_path });
        }
        let path = joined(path, "jwks_clusters");
        for (host, name) in members(value_of(object, "jwks_clusters")) {
            let path = joined(&path, host);
            found.extend(name.as_str().map(|name| Named { name, path, uri: None, uri_path: String::new() }));
        }
    });
    found
}

/// The clusters of a bootstrap that has no others; `None` where more may come.
fn bootstrap(document: &Node) -> Option<Vec<Rc<Node>>> {
    let resources = field(document, "static_resources")?;
    let more = field(document, "dynamic_resources").is_some_and(|dynamic| {
        ["cds_config", "ads_config", "cds_resources_locator"].iter().any(|name| field(dynamic, name).is_some())
    });
    (!more).then(|| field(resources, "clusters").map(|clusters| clusters.items().to_vec()).unwrap_or_default())
}

fn is_istios(subject: &Subject<'_>) -> bool {
    let kind = subject.document.get("kind").and_then(|kind| kind.text());
    subject.plugin.home == Home::Istio || kind == Some("EnvoyFilter")
}

/// `outbound|port|subset|host`, as Istio calls what it makes of services.
fn is_istio_name(name: &str) -> bool {
    let parts: Vec<_> = name.split('|').collect();
    matches!(parts[..], ["outbound", port, _, host] if port.parse::<u16>().is_ok() && !host.is_empty())
}

/// Whether what is fetched stays on the machine.
fn is_loopback(uri: &str) -> bool {
    let rest = uri.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    ["127.", "localhost", "[::1]"].iter().any(|prefix| host.starts_with(prefix))
}
