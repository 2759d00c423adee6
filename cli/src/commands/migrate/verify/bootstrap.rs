//! Envoy's configuration for the comparison: for each pair a listener with `jwt_authn`, and one with the filter.

use std::path::Path;

use jwt_warden::config::Provider;
use serde_json::{Value, json};

use super::pair::Pair;

/// The response header in which Envoy says why it refuses.
pub(super) const DETAILS: &str = "x-details";
/// How those begin in which it says what the upstream would be told.
pub(super) const TOLD: &str = "x-told-";

const MANAGER: &str =
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const FILTERS: &str = "type.googleapis.com/envoy.extensions.filters.http.";

/// The name of the listener with `jwt_authn`.
pub(super) fn native_name(index: usize) -> String {
    format!("jwt_authn-{index}")
}

/// The name of the listener with the filter.
pub(super) fn warden_name(index: usize) -> String {
    format!("jwt_warden-{index}")
}

/// The whole configuration. All sockets are on the loopback interface, on ports that the kernel chooses.
pub(super) fn bootstrap(pairs: &[Pair], module: &Path) -> Value {
    let listeners: Vec<_> = pairs
        .iter()
        .enumerate()
        .flat_map(|(index, pair)| {
            let routes = routes(&pair.authenticator.config().providers);
            let native = listener(&native_name(index), &native_filter(pair), &routes);
            let warden = listener(&warden_name(index), &warden_filter(pair, index, module), &routes);
            [native, warden]
        })
        .collect();
    json!({"admin": {"address": free_port()}, "static_resources": {"listeners": listeners}})
}

fn free_port() -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}})
}

fn listener(name: &str, filter: &Value, routes: &Value) -> Value {
    let end = json!({"name": "router", "typed_config": {"@type": format!("{FILTERS}router.v3.Router")}});
    let refused = json!({"comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "verify"}}});
    let details = json!({"header": {"key": DETAILS, "value": "%RESPONSE_CODE_DETAILS%"}});
    let manager = json!({
        "@type": MANAGER,
        "stat_prefix": name,
        "http_filters": [filter, end],
        "route_config": routes,
        "local_reply_config": {"mappers": [{"filter": {"status_code_filter": refused}, "headers_to_add": [details]}]},
    });
    let chain = json!({"filters": [{"name": "http", "typed_config": manager}]});
    // Without `enable_reuse_port`, the port is nobody else's.
    json!({"name": name, "address": free_port(), "enable_reuse_port": false, "filter_chains": [chain]})
}

/// What passes is answered by Envoy itself, with what the upstream would have been told.
fn routes(providers: &[Provider]) -> Value {
    let mut names: Vec<_> = providers.iter().flat_map(written).collect();
    names.sort();
    names.dedup();
    let told = |name: &String| json!({"header": {"key": format!("{TOLD}{name}"), "value": format!("%REQ({name})%")}});
    // Envoy takes no more than 1000.
    let told: Vec<_> = names.iter().take(1000).map(told).collect();
    let route = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}, "response_headers_to_add": told});
    json!({"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]})
}

/// The headers that the provider writes.
fn written(provider: &Provider) -> impl Iterator<Item = String> {
    let payload = provider.payload_header.iter().map(|header| header.name.clone());
    payload.chain(provider.claim_headers.iter().map(|claim| claim.header.clone()))
}

fn native_filter(pair: &Pair) -> Value {
    let mut configuration = pair.native.clone();
    if let Value::Object(members) = &mut configuration {
        members.insert("@type".to_owned(), format!("{FILTERS}jwt_authn.v3.JwtAuthentication").into());
    }
    json!({"name": "jwt_authn", "typed_config": configuration})
}

fn warden_filter(pair: &Pair, index: usize, module: &Path) -> Value {
    let configuration =
        json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": pair.warden.to_string()});
    let name = warden_name(index);
    let config = json!({
        "name": name,
        "root_id": name,
        "failure_policy": "FAIL_CLOSED",
        "vm_config": {
            "vm_id": "verify",
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": module}},
        },
        "configuration": configuration,
    });
    json!({"name": "jwt_warden", "typed_config": {"@type": format!("{FILTERS}wasm.v3.Wasm"), "config": config}})
}
