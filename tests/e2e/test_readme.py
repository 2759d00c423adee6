"""What README.md gives operators to copy works as it stands."""

import json
import re
from types import SimpleNamespace

import pytest
import yaml

from lab import tokens
from lab.issuer import Answer, JwksServer
from lab.keys import generate
from support.bootstrap import Site, bootstrap, http_filter
from support.client import bearer, send, unique_path
from support.envoy import ROOT, validate
from support.tls import TlsJwksServer
from support.wait import until
from support.world import jwks

pytestmark = pytest.mark.matrix

ISSUER = "https://issuer.example/"
README = (ROOT / "README.md").read_text()
JSON = re.findall(r"^```json\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def blocks():
    """The YAML of README.md, in its order, fresh."""
    texts = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    return SimpleNamespace(
        **dict(zip(("filter", "cluster", "paths", "istio", "route", "stats"), map(yaml.safe_load, texts), strict=True))
    )


def configuration(filters, issuer, upstream, folder):
    """README's filter and cluster in an Envoy whose issuer is a server of ours."""
    given = blocks()
    whole = bootstrap([Site("readme", None)], {"upstream": upstream.port}, folder)
    whole["stats_config"] = given.stats["stats_config"]
    manager = whole["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager.update(given.paths, http_filters=[*filters, http_filter("router", "router.v3.Router")])
    whole["static_resources"]["clusters"] += clusters(given.cluster, issuer)
    return whole


def envoy_filter():
    """README's filter, with the module that was built."""
    [plugin] = blocks().filter
    plugin["typed_config"]["config"]["vm_config"]["code"] = code()
    return plugin


def istio_filter():
    """What Istio makes of README's WasmPlugin: its configuration arrives as a Struct."""
    site = Site("istio", blocks().istio["spec"]["pluginConfig"], as_struct=True)
    return site.wasm_filter()


def code():
    """The module that was built."""
    return Site("any", None).wasm_filter()["typed_config"]["config"]["vm_config"]["code"]


def clusters(given, issuer):
    """README's cluster, and the same under the name that Istio gives it; both lead to the server."""
    [cluster] = given
    endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    endpoint["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": issuer.port}
    tls = cluster["transport_socket"]["typed_config"]["common_tls_context"]
    tls["validation_context"]["trusted_ca"]["filename"] = str(issuer.certificate)
    return [cluster, {**cluster, "name": "outbound|443||issuer.example"}]


@pytest.fixture(scope="module")
def key():
    return generate("ES256", "readme")


@pytest.fixture
def endpoint(key, tmp_path):
    """Starts a JWKS endpoint: `endpoint(host)`."""
    servers = []

    def start(host="issuer.example"):
        servers.append(TlsJwksServer(host, tmp_path, key))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize("plugin", [envoy_filter, istio_filter])
def test_copied(plugin, launch, endpoint, key, upstream, tmp_path):
    whole = configuration([plugin()], endpoint(), upstream, tmp_path)
    assert validate(tmp_path, whole)[0] == 0

    envoy = launch(changes=whole)
    good, bad = token(key), token(key, exp=1)
    path = unique_path("/")
    assert send(envoy.port("readme"), path, [*bearer(good), ("x-user", "mallory")]).status == 200
    [seen] = [request for request in upstream.requests if request.target == path]
    assert seen.all("authorization") == []
    if plugin is envoy_filter:
        assert seen.get("x-user") == "alice"
        assert send(envoy.port("readme"), "/health").status == 200
    assert send(envoy.port("readme"), "/", bearer(bad)).status == 401
    assert send(envoy.port("readme"), "/").status == 401
    assert send(envoy.port("readme"), "/health%2fx", bearer(good)).status == 400

    grpc = send(envoy.port("readme"), "/", [("content-type", "application/grpc")], "POST", b"")
    assert (grpc.status, grpc.all("grpc-status"), grpc.all("grpc-message")) == (200, ["16"], ["Unauthorized"])

    def scrape():
        return envoy.admin("/stats/prometheus?filter=jwt_warden")

    for reason, number in {"verified": 1, "token_expired": 1, "token_missing": 2}.items():
        verdict = "allowed" if reason == "verified" else "denied"
        labels = f'verdict="{verdict}",provider="acme",reason="{reason}"'
        until(lambda labels=labels, number=number: f"jwt_warden_requests{{{labels}}} {number}\n" in scrape())
    assert undocumented(envoy.stats("wasmcustom.")) == []


def undocumented(metrics):
    """The metrics that README.md does not have."""
    words = {
        r"(verdict)\.\w+(\.provider\.\w+)?(\.reason)\.\w+": r"\1.VERDICT.rule.RULE.provider.PROVIDER\3.CODE",
        r"provider\.acme": "provider.PROVIDER",
        r"fetches\.result\.\w+": "fetches.result.RESULT",
    }
    names = {name.removeprefix("wasmcustom.") for name in metrics}
    for word, placeholder in words.items():
        names = {re.sub(word, placeholder, name) for name in names}
    assert len(names) > 8, names
    return [name for name in names if f"`{name}`" not in README]


def test_keys_of_a_server_with_another_name_do_not_count(launch, endpoint, key, upstream, tmp_path):
    envoy = launch(changes=configuration([envoy_filter()], endpoint("elsewhere.example"), upstream, tmp_path))
    path = unique_path("/")
    assert send(envoy.port("readme"), path, bearer(token(key))).status == 401
    assert envoy.denial(path)["reason"] == "keys_unavailable"


def test_authorization(launch, key):
    rules, *_ = JSON
    provider = {"issuer": ISSUER, "audiences": ["api"], "local_jwks": {"inline_string": jwks([key])}}
    route = {**blocks().route, "route": {"cluster": "upstream"}}
    everything = {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}
    given = {"providers": {"acme": provider}, **json.loads(rules)}
    envoy = launch(Site("readme", given, routes=[route, everything]))
    plain, writes, audits, all_of_it = (
        {},
        {"scope": "orders:write"},
        {"org": {"role": "auditor"}},
        {"scp": ["everything"]},
    )
    allowed = {
        ("GET", "/orders"): [plain, writes, audits, all_of_it],
        ("POST", "/orders"): [writes],
        ("GET", "/staff"): [audits, all_of_it],
        ("GET", "/reports"): [audits, all_of_it],
        ("GET", "/other"): [plain, writes, audits, all_of_it],
    }
    for (method, path), good in allowed.items():
        for claims in (plain, writes, audits, all_of_it):
            status = send(envoy.port("readme"), path, bearer(token(key, **claims)), method).status
            assert status == (200 if claims in good else 403), (method, path, claims)
        assert send(envoy.port("readme"), path, method=method).status == 401


def token(key, **changes):
    """A token of README's issuer."""
    return tokens.token(key, tokens.header(key), tokens.claims(ISSUER, "api", **changes))


def test_revocation(launch, key):
    """Each of the three ways, as a member of a provider."""
    idp, webdis = JwksServer(), JwksServer()
    idp.answer_with, webdis.answer_with = Answer(b'{"jti": ["gone"]}'), Answer(b'{"EXISTS":1}')
    provider = {"issuer": ISSUER, "audiences": ["api"], "local_jwks": {"inline_string": jwks([key])}}
    ways = dict(zip(("denylist", "lookup", "status"), JSON[1:], strict=True))
    providers = {name: {**provider, **json.loads(f"{{{text}}}")} for name, text in ways.items()}
    rules = [{"match": {"prefix": f"/{name}"}, "requires": {"provider_name": name}} for name in providers]
    site = Site("readme", {"providers": providers, "rules": rules})
    envoy = launch(site, clusters={"idp": idp.port, "webdis": webdis.port})
    status = {"status_list": {"idx": 0, "uri": "https://idp.example/statuslists/1"}}
    for name, claims, reason in (
        ("denylist", {"jti": "gone"}, "token_revoked"),
        ("denylist", {"jti": "other"}, None),
        ("lookup", {"jti": "any"}, "token_revoked"),
        ("lookup", {}, "revocation_claim_missing"),
        ("status", {"status": status}, "revocation_unavailable"),
        ("status", {}, None),
    ):
        path = unique_path(f"/{name}/")
        answer = send(envoy.port("readme"), path, bearer(token(key, **claims)))
        assert answer.status == (401 if reason else 200), (name, claims)
        assert reason is None or envoy.denial(path)["reason"] == reason
    assert webdis.fetches[0].target == "/EXISTS/revoked:any"
    for server in (idp, webdis):
        server.stop()
