"""Envoy's configuration for the tests: listeners, each with one plugin in front of the same upstream."""

import json
from dataclasses import dataclass, field
from pathlib import Path

TYPE = "type.googleapis.com/"
FILTERS = TYPE + "envoy.extensions.filters.http."
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
WASM = Path(__file__).parents[3] / "dist/jwt_warden.wasm"


@dataclass
class Site:
    """A listener with one plugin. `configuration`: a dict, or text to be handed over as it is, or None for none."""

    name: str
    configuration: object
    as_struct: bool = False
    plugin: dict = field(default_factory=dict)  # changes to the plugin: name, root_id, allow_on_headers_stop_iteration
    vm_id: str = ""
    environment: dict = field(default_factory=dict)  # the VM's variables
    before: list = field(default_factory=list)  # filters in front of the plugin
    behind: list = field(default_factory=list)  # filters between the plugin and the router
    route: dict = field(default_factory=dict)  # instead of the one to the upstream
    routes: list = field(default_factory=list)  # the same, several
    all_lines: bool = True  # whether each refusal has a line, however many there are: tests look for them
    off: bool = False  # whether the plugin is off until a route turns it on
    logged: dict = field(default_factory=dict)  # more for the access log
    host: dict = field(default_factory=dict)  # changes to the virtual host
    manager: dict = field(default_factory=dict)  # changes to the connection manager
    listener: dict = field(default_factory=dict)  # changes to the listener
    chain: dict = field(default_factory=dict)  # changes to the listener's filter chain: its transport socket

    def filters(self):
        """The HTTP filters."""
        plugin = {**self.wasm_filter(), "disabled": self.off}
        return [*self.before, plugin, *self.behind, http_filter("router", "router.v3.Router")]

    def wasm_filter(self):
        """The plugin, as Envoy wants it."""
        code = {"local": {"filename": str(WASM)}}
        vm = {"vm_id": self.vm_id, "runtime": "envoy.wasm.runtime.v8", "code": code}
        if self.environment:
            vm["environment_variables"] = {"key_values": self.environment}
        plugin = {"name": "jwt_warden", "root_id": "jwt_warden", "failure_policy": "FAIL_CLOSED", "vm_config": vm}
        if self.configuration is not None:
            plugin["configuration"] = self._any()
        return http_filter("jwt_warden", "wasm.v3.Wasm", config={**plugin, **self.plugin})

    def _any(self):
        configuration = with_all_lines(self.configuration) if self.all_lines else self.configuration
        if self.as_struct:
            return {"@type": TYPE + "google.protobuf.Struct", "value": configuration}
        text = configuration if isinstance(configuration, str) else json.dumps(configuration)
        return {"@type": TYPE + "google.protobuf.StringValue", "value": text}


def with_all_lines(configuration):
    """The configuration with a line for each refusal, unless it says otherwise; what is none stays as it is."""
    limits = configuration.get("limits", {}) if isinstance(configuration, dict) else None
    if not isinstance(limits, dict) or "providers" not in configuration:
        return configuration
    return {**configuration, "limits": {"max_denial_lines": 1_000_000, **limits}}


class BareSite(Site):
    """A listener of a proxy that has no plugin."""

    def filters(self):
        return [http_filter("router", "router.v3.Router")]


def http_filter(name, message, **fields):
    """A filter of Envoy's."""
    return {"name": name, "typed_config": {"@type": FILTERS + message, **fields}}


def bootstrap(sites, clusters, folder):
    """The whole configuration. `clusters`: names and their ports on 127.0.0.1, or whole clusters; `upstream` has to be
    among them."""
    static = {
        "listeners": [listener(site, folder) for site in sites],
        "clusters": [given if isinstance(given, dict) else cluster(name, given) for name, given in clusters.items()],
    }
    return {"admin": {"address": address(0)}, "static_resources": static}


def listener(site, folder):
    """The listener of the site, on a port that the kernel chooses."""
    manager = {
        "@type": TYPE + "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": site.name,
        "access_log": [_access_log(folder, site.logged)],
        "max_request_headers_kb": 1024,
        "http_protocol_options": {"enable_trailers": True},
        "route_config": {"virtual_hosts": [_host(site)]},
        "http_filters": site.filters(),
        **site.manager,
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}], **site.chain}
    return {"name": site.name, "address": address(0), "filter_chains": [chain], **site.listener}


def cluster(name, port):
    """A cluster of one server on this machine."""
    endpoint = {"lb_endpoints": [{"endpoint": {"address": address(port)}}]}
    options = {"explicit_http_config": {"http_protocol_options": {"enable_trailers": True}}}
    return {
        "name": name,
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {HTTP_OPTIONS: {"@type": TYPE + HTTP_OPTIONS, **options}},
        "load_assignment": {"cluster_name": name, "endpoints": [endpoint]},
    }


def route_config(*routes):
    """The connection manager's routes, for every host."""
    return {"route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": list(routes)}]}}


def direct_response():
    """A route that the proxy answers by itself: for load."""
    return {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}


def address(port):
    """A socket on this machine."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _route():
    return {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}


def _host(site):
    return {"name": "all", "domains": ["*"], "routes": site.routes or [site.route or _route()], **site.host}


def _access_log(folder, logged):
    # The path without the query, which may hold a token: the logs are searched for tokens.
    entry = {
        "path": "%REQ_WITHOUT_QUERY(:PATH)%",
        "status": "%RESPONSE_CODE%",
        "details": "%RESPONSE_CODE_DETAILS%",
        **logged,
    }
    return {
        "name": "file",
        "typed_config": {
            "@type": TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(folder / "access.log"),
            "log_format": {"json_format": entry, "formatters": [_without_query()]},
        },
    }


def _without_query():
    return {
        "name": "without_query",
        "typed_config": {"@type": TYPE + "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery"},
    }
