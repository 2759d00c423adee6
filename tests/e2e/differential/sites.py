"""One Envoy with two listeners for each configuration: one with jwt_authn, one with jwt-warden."""

import json

from support import bootstrap
from support.bootstrap import Site, http_filter

from . import configurations

# The filters' own words for a refusal go back to the test, in a header.
_DETAILS = {
    "mappers": [
        {
            "filter": {
                "status_code_filter": {"comparison": {"op": "GE", "value": {"default_value": 400, "runtime_key": "x"}}}
            },
            "headers_to_add": [{"header": {"key": "x-details", "value": "%RESPONSE_CODE_DETAILS%"}}],
        }
    ]
}


class NativeSite(Site):
    """A listener with jwt_authn."""

    def filters(self):
        native = http_filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", **self.configuration)
        return [native, http_filter("router", "router.v3.Router")]


def start(launch, upstream, folder, natives, fault=None, translate=configurations.warden):
    """Starts an Envoy; `translate` makes jwt-warden's configurations of jwt_authn's.

    Its listeners' ports by name: `native0`, `warden0`, `native1`, ..."""
    sites = [site for index, native in enumerate(natives) for site in _pair(index, native, fault, translate)]
    static = {
        "listeners": [_listener(site, folder) for site in sites],
        "clusters": [bootstrap.cluster("upstream", upstream.port)],
    }
    envoy = launch(changes={"static_resources": static}, log_level="wasm:error")
    statuses = json.loads(envoy.admin("/listeners?format=json"))["listener_statuses"]
    return {status["name"]: status["local_address"]["socket_address"]["port_value"] for status in statuses}


def _pair(index, native, fault, translate):
    plugin = {"name": f"warden{index}", "root_id": f"warden{index}"}
    warden = translate(native)
    warden = fault(warden) if fault else warden
    return NativeSite(f"native{index}", native), Site(f"warden{index}", warden, plugin=plugin, vm_id="differential")


def _listener(site, folder):
    listener = bootstrap.listener(site, folder)
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    del manager["access_log"]
    listener["enable_reuse_port"] = False  # of so many ports one could be another Envoy's too
    manager["local_reply_config"] = _DETAILS
    return listener
