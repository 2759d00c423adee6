"""Big bodies in both directions: what they cost, and how often they enter the VM."""

import time
import urllib.request
from dataclasses import dataclass

from . import machine, modules
from .bootstrap import bootstrap, http_filter, listener, native, provider, warden, wasm
from .load import drive
from .pools import pool
from .proxy import FOLDER, Proxy

SIZE = 10 << 20
_CALL = "[host->vm] proxy_on_"


@dataclass(frozen=True)
class Line:
    """One filter and one direction."""

    direction: str
    filter: str
    milliseconds: float  # of Envoy's CPU per request
    calls: int  # into the VM, per request
    response_calls: int


def measure(seconds):
    """Every filter in both directions."""
    tokens = pool("RS256")
    keys = provider(tokens.jwk)
    filters = {
        "none": [],
        "native": native(keys),
        "empty, every callback exported": wasm(modules.empty(all_callbacks=True)),
        "empty": wasm(modules.empty()),
        "jwt-warden": warden(keys),
    }
    with Proxy("upstream", _upstream(), core=machine.core_of_load()) as upstream:
        clusters = {name: upstream.port(name) for name in ("download", "upload")}
        configuration = bootstrap(filters, clusters)
        calls = _count_calls(configuration, tokens.path)
        with Proxy("bodies", configuration) as proxy:
            return [
                Line(
                    direction,
                    name,
                    _milliseconds(proxy, name, direction, tokens.path, seconds),
                    *calls[direction, name],
                )
                for direction in clusters
                for name in filters
            ]


def _upstream():
    """Envoy as the service: one listener answers with a big body, the other reads one before it answers."""
    body = FOLDER / "body"
    body.write_bytes(b"x" * SIZE)
    download = {"status": 200, "body": {"filename": str(body)}}
    limit = {"max_direct_response_body_size_bytes": SIZE}
    buffering = http_filter("buffer", "buffer.v3.Buffer", max_request_bytes=2 * SIZE)
    configuration = bootstrap({})
    configuration["static_resources"]["listeners"] = [
        listener("download", [], {**_only({"direct_response": download}), **limit}),
        listener("upload", [buffering], _only({"direct_response": {"status": 200}})),
    ]
    return configuration


def _only(action):
    return {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, **action}]}]}


def _milliseconds(proxy, name, direction, tokens, seconds):
    before = proxy.cpu_microseconds()
    url = proxy.url(name, f"/{direction}")
    load = drive(url, tokens, 2 * seconds, limit=1, connections=4, body=SIZE if direction == "upload" else 0)
    return (proxy.cpu_microseconds() - before) / load.requests / 1000


def _count_calls(configuration, tokens):
    """Calls into the VM for one request, and those for its response, as Envoy's trace log shows them."""
    counts = {}
    token = tokens.read_text().splitlines()[0]
    names = [listener["name"] for listener in configuration["static_resources"]["listeners"]]
    with Proxy("calls", configuration, log_level="trace") as proxy:
        for direction in ("download", "upload"):
            for name in names:
                before = len(proxy.log())
                _request(proxy.url(name, f"/{direction}"), token, direction == "upload")
                callbacks = [line for line in proxy.log()[before:].splitlines() if _CALL in line]
                callbacks = [line for line in callbacks if "memory_allocate" not in line]
                counts[direction, name] = len(callbacks), sum("response" in line for line in callbacks)
    return counts


def _request(url, token, upload):
    data = b"x" * SIZE if upload else None
    request = urllib.request.Request(url, data, {"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
    time.sleep(0.2)  # until Envoy has forgotten the request


def table(lines):
    """The lines in Markdown."""
    rows = [
        "| 10 MiB body | filter | CPU ms | calls into the VM | of these on the response |",
        "|---|---|---:|---:|---:|",
    ]
    return rows + [
        f"| {line.direction} | {line.filter} | {line.milliseconds:.1f} | {line.calls} | {line.response_calls} |"
        for line in lines
    ]
