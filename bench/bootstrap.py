"""Envoy's configuration: listeners that differ in their HTTP filters only."""

import base64
import json
from pathlib import Path

from . import certificates
from .pools import AUDIENCE, ISSUER

ROOT = Path(__file__).parents[1]
WARDEN = ROOT / "dist/jwt_warden.wasm"
_TYPE = "type.googleapis.com/"
_FILTERS = _TYPE + "envoy.extensions.filters.http."
_OK = {"direct_response": {"status": 200, "body": {"inline_string": "ok"}}}


def bootstrap(listeners, clusters=None, services=None):
    """The whole configuration. `listeners`: names, and their HTTP filters; `clusters`: names, and ports of this
    machine. A path that begins with a cluster's name goes there, every other is answered by Envoy itself. `services`:
    clusters that no path leads to."""
    clusters = clusters or {}
    static = {
        "listeners": [_listener(name, filters, clusters) for name, filters in listeners.items()],
        "clusters": [_cluster(name, port) for name, port in {**clusters, **(services or {})}.items()],
    }
    return {"admin": {"address": _address(0)}, "static_resources": static}


def _listener(name, filters, clusters):
    to_clusters = [{"match": {"prefix": f"/{cluster}"}, "route": {"cluster": cluster}} for cluster in clusters]
    routes = [*to_clusters, {"match": {"prefix": "/"}, **_OK}]
    return listener(name, filters, {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]})


def listener(name, filters, route_config):
    """A listener on a port that the kernel chooses."""
    manager = {
        "@type": _TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": route_config,
        "http_filters": [*filters, http_filter("router", "router.v3.Router")],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"name": name, "address": _address(0), "filter_chains": [chain]}


def http_filter(name, message, **fields):
    """A filter of Envoy's."""
    return {"name": name, "typed_config": {"@type": _FILTERS + message, **fields}}


def wasm(module, configuration=None):
    """A Wasm filter; every listener's runs in one VM per worker. `configuration`: bytes, or what becomes JSON."""
    vm = {"vm_id": "bench", "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": str(module)}}}
    plugin = {"name": "bench", "root_id": "bench", "failure_policy": "FAIL_CLOSED", "vm_config": vm}
    if isinstance(configuration, bytes):
        value = base64.b64encode(configuration).decode()
        plugin["configuration"] = {"@type": _TYPE + "google.protobuf.BytesValue", "value": value}
    elif configuration is not None:
        text = json.dumps(configuration)
        plugin["configuration"] = {"@type": _TYPE + "google.protobuf.StringValue", "value": text}
    return [http_filter("wasm", "wasm.v3.Wasm", config=plugin)]


def native(*providers, rules=None, cache=None):
    """jwt_authn; `cache`: how many tokens it keeps."""
    known = {f"p{index}": dict(provider) for index, provider in enumerate(providers)}
    for provider in known.values():
        provider.pop("algorithms")
        if cache:
            provider["jwt_cache_config"] = {"jwt_cache_size": cache}
    if len(known) > 1:
        any_of_them = {"requires_any": {"requirements": [{"provider_name": name} for name in known]}}
        rules = [{"match": {"prefix": "/"}, "requires": any_of_them}]
    return [http_filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", providers=known, rules=rules or make_rules(1))]


def warden(*providers, rules=None, module=WARDEN, **settings):
    """jwt-warden; `settings` at the top level of its configuration."""
    known = {f"p{index}": provider for index, provider in enumerate(providers)}
    configuration = {"providers": known, **settings}
    if len(known) == 1:  # otherwise a token of any provider will do: that is what no rules mean
        configuration["rules"] = rules or make_rules(1)
    return wasm(module, configuration)


def make_rules(count):
    """That many rules, of which the last covers the path that is asked for."""
    requires = {"requires": {"provider_name": "p0"}}
    others = [{"match": {"prefix": f"/service-{index}/"}, **requires} for index in range(count - 1)]
    return [*others, {"match": {"prefix": "/"}, **requires}]


def provider(*jwks, issuer=ISSUER):
    """A provider, as both filters understand it but for `algorithms`."""
    algorithms = sorted({jwk["alg"] for jwk in jwks})
    document = {"inline_string": json.dumps({"keys": jwks})}
    return {"issuer": issuer, "audiences": [AUDIENCE], "algorithms": algorithms, "local_jwks": document}


def tls_cluster(name, port, file):
    """A cluster of one server that is shown the certificate in the file."""
    return {**_cluster(name, port), "transport_socket": certificates.calling(file)}


def _cluster(name, port):
    endpoint = {"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}
    assignment = {"cluster_name": name, "endpoints": [endpoint]}
    return {"name": name, "connect_timeout": "1s", "load_assignment": assignment}


def _address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
