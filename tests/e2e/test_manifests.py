"""The files under envoy/: the mesh's manifests are what their APIs accept, and what is in them works in Envoy."""

import copy
import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from lab import tokens
from lab.issuer import JwksServer
from lab.keys import generate
from support import program
from support.bootstrap import Site, bootstrap, cluster
from support.client import bearer, send, unique_path
from support.envoy import ROOT, validate
from support.wait import until

ISSUER, CLUSTER = "https://issuer.example/", "outbound|443||issuer.example"
ISTIO = sorted((ROOT / "envoy/istio").glob("*.yaml"))
GATEWAY = sorted((ROOT / "envoy/gateway").glob("*.yaml"))
CRDS = Path(os.environ.get("ISTIO_CRDS") or ROOT.parent / "shared/data/istio/crds.yaml")


def documents(file):
    """The documents of a file."""
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def plugin_configurations():
    """Every configuration of the filter in the manifests: name, configuration, whether it arrives as a Struct."""
    for file in [*ISTIO, *GATEWAY]:
        for document in documents(file):
            spec = document["spec"]
            if document["kind"] in ("WasmPlugin", "TrafficExtension"):
                yield file.name, spec.get("wasm", spec)["pluginConfig"], True
            elif document["kind"] == "EnvoyExtensionPolicy":
                # Envoy Gateway hands the configuration over as JSON text.
                yield file.name, json.dumps(spec["wasm"][0]["config"]), False
            elif document["kind"] == "EnvoyFilter":
                [plugin, _] = [patch["patch"]["value"] for patch in spec["configPatches"]]
                yield file.name, plugin["typed_config"]["config"]["configuration"]["value"], False


@pytest.fixture(scope="module")
def schemas():
    """The schemas of Istio's resources, by kind and version, in which nothing unknown has a place."""
    if not CRDS.exists():
        pytest.skip("there are no definitions of Istio's resources here")
    definitions = {}
    for definition in yaml.safe_load_all(CRDS.read_text()):
        for version in definition["spec"]["versions"] if definition else ():
            api = f"{definition['spec']['group']}/{version['name']}"
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"].update(apiVersion={}, kind={}, metadata={})
            definitions[api, definition["spec"]["names"]["kind"]] = schema
    return definitions


def strict(schema):
    """The same schema, refusing fields that it does not name, as the API server does with strict validation."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: strict(value) for name, value in schema.items()}
    keeps = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not keeps:
        inner.setdefault("additionalProperties", False)
    return inner


def mistakes(schemas, document):
    """What the API server would say; `None` for a kind whose schema is not here."""
    schema = schemas.get((document["apiVersion"], document["kind"]))
    return schema and [error.message for error in jsonschema.Draft4Validator(schema).iter_errors(document)]


def test_istio_accepts_its_manifests(schemas):
    checked = []
    for file in ISTIO:
        for document in documents(file):
            found = mistakes(schemas, document)
            assert not found, (file.name, found)
            if found is not None:
                checked.append(document["kind"])
    print(f"manifests: {len(checked)} checked against Istio's definitions")
    assert {"WasmPlugin", "TrafficExtension", "EnvoyFilter"} <= set(checked)


def test_the_check_finds_mistakes(schemas):
    [good] = documents(ROOT / "envoy/istio/gateway.yaml")
    for change in ({"failStrategy": "FAIL_OFTEN"}, {"fail_strategy": "FAIL_CLOSE"}, {"phase": 1}, {"priority": "x"}):
        bad = copy.deepcopy(good)
        bad["spec"].update(change)
        assert mistakes(schemas, bad), change


@pytest.mark.matrix
@pytest.mark.parametrize("name", sorted({name for name, _, _ in plugin_configurations()}))
def test_the_filter_accepts_what_is_in_them(name, upstream, tmp_path):
    for file, configuration, as_struct in plugin_configurations():
        if file == name:
            site = Site("manifest", configuration, as_struct=as_struct)
            code, log = validate(tmp_path, bootstrap([site], {"upstream": upstream.port}, tmp_path))
            assert code == 0, log
            assert "jwt-warden: configuration: " not in log, log


@pytest.mark.matrix
@pytest.mark.parametrize("file", ["envoy.yaml", "per-route.yaml"])
def test_envoy_accepts_its_files(file, tmp_path):
    code, log = validate(tmp_path, own_ports((ROOT / "envoy" / file).read_text()))
    assert code == 0, log


def own_ports(text):
    """An Envoy file on ports that the kernel chooses, with the module of this checkout."""
    given = yaml.safe_load(text.replace("dist/jwt_warden.wasm", str(ROOT / "dist/jwt_warden.wasm")))
    given["admin"]["address"]["socket_address"]["port_value"] = 0
    given["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"] = 0
    return given


@pytest.fixture(scope="module")
def key():
    return generate("ES256", "manifests")


@pytest.fixture(scope="module")
def issuer(key):
    server = JwksServer(key)
    yield server
    server.stop()


def token(key, audience="orders", **changes):
    return tokens.token(key, tokens.header(key), tokens.claims(ISSUER, audience, **changes))


@pytest.mark.matrix
def test_an_envoy_filter_turns_the_plugin_on_for_its_route_only(launch, key, issuer, upstream, tmp_path):
    [document] = documents(ROOT / "envoy/istio/per-route.yaml")
    plugin, route = [patch["patch"]["value"] for patch in document["spec"]["configPatches"]]
    plugin["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = str(ROOT / "dist/jwt_warden.wasm")
    to_upstream = {"route": {"cluster": "upstream"}}
    orders = {"name": "orders", "match": {"path_separated_prefix": "/orders"}, **to_upstream, **route}
    site = Site("istio", None, routes=[orders, {"match": {"prefix": "/"}, **to_upstream}])
    whole = bootstrap([site], {"upstream": upstream.port}, tmp_path)
    manager = whole["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"] = [plugin, manager["http_filters"][-1]]
    whole["static_resources"]["clusters"].append(cluster(CLUSTER, issuer.port))
    envoy = launch(changes=whole)
    asked = [
        ("/orders/", bearer(token(key)), 200),
        ("/orders/", bearer(token(key, exp=1)), 401),
        ("/orders/", [], 401),
        ("/other/", [], 200),
    ]
    for prefix, headers, status in asked:
        assert send(envoy.port("istio"), unique_path(prefix), headers).status == status, (prefix, status)


def test_the_gateway_s_manifest_works_in_envoy(launch, key, issuer, upstream, tmp_path):
    """The WasmPlugin's configuration, with Istio's name for the issuer's cluster."""
    [document] = documents(ROOT / "envoy/istio/gateway.yaml")
    site = Site("gateway", document["spec"]["pluginConfig"], as_struct=True)
    envoy = launch(site, clusters={CLUSTER: issuer.port})
    path = unique_path("/")
    assert send(envoy.port("gateway"), path, bearer(token(key, "api"))).status == 200
    [seen] = [request for request in upstream.requests if request.target == path]
    assert seen.get("x-user") == "alice"
    assert send(envoy.port("gateway"), "/health").status == 200
    assert send(envoy.port("gateway"), "/", bearer(token(key))).status == 401


def test_routes_turn_the_filter_on(launch, key, issuer, upstream, tmp_path):
    given = yaml.safe_load((ROOT / "envoy/per-route.yaml").read_text())
    moved = {"10001": issuer.port, "10002": upstream.port}
    text = re.sub(r"\b1000[12]\b", lambda match: str(moved[match[0]]), json.dumps(given))
    envoy = launch(changes=own_ports(text))
    until(lambda: "keys fetched" in envoy.log())
    auditor = bearer(token(key, "api", role="auditor"))
    for path, headers, status in [
        ("/orders/1", bearer(token(key, "api")), 200),
        ("/orders/1", [], 401),
        ("/reports/1", auditor, 200),
        ("/reports/1", bearer(token(key, "api")), 403),
        ("/public", [], 200),
    ]:
        assert send(envoy.port("api"), path, headers).status == status, (path, status)


def test_the_compose_file_mounts_what_it_runs():
    [service] = yaml.safe_load((ROOT / "envoy/compose.yaml").read_text())["services"].values()
    sources = {Path(mount["target"]).name: ROOT / "envoy" / mount["source"] for mount in service["volumes"]}
    assert all(mount["read_only"] for mount in service["volumes"])
    file = Path(service["command"][service["command"].index("-c") + 1])
    assert (sources[file.parts[0]] / file.name).exists()
    assert sources["dist"].resolve() == ROOT / "dist"


def test_the_program_finds_no_mistake_in_them():
    # Which digest the image has is known only to who has made it, and the demo leaves to the default what it can.
    taste = ["unpinned-code", "unlimited-lifetime", "default-max-stale"]
    allowed = [argument for lint in taste for argument in ("--allow", lint)]
    code, shown, complaint = program.run("check", "--deny-warnings", *allowed, ROOT / "envoy")
    assert code == 0, shown + complaint
    assert "7 configurations" in shown
