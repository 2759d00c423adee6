"""The labels of envoy/stats.yaml, wherever an operator puts them, and what docs/operations.md gives to copy."""

import re

import pytest
import yaml

from support.bootstrap import Site, address, bootstrap
from support.client import bearer, send
from support.envoy import ROOT, validate
from support.handbook import blocks
from support.prometheus import stats_config
from support.services import free_port
from support.trapping import module
from support.wait import until
from support.world import rule

pytestmark = pytest.mark.matrix

# What Istio's template of the bootstrap has, as far as it may concern the filter's names.
ISTIO = {
    "use_all_default_tags": False,
    "stats_tags": [
        {"tag_name": "cache", "regex": r"(cache\.(.+?)\.)"},
        {"tag_name": "component", "regex": r"(component\.(.+?)\.)"},
        {"tag_name": "tag", "regex": r"(tag\.(.+?);\.)"},
        {"tag_name": "wasm_filter", "regex": r"(wasm_filter\.(.+?)\.)"},
        {"tag_name": "authz_enforce_result", "regex": r"rbac(\.(allowed|denied))"},
    ],
    "stats_matcher": {
        "inclusion_list": {
            "patterns": [
                *({"prefix": prefix} for prefix in ("reporter=", "component", "istio")),
                *(
                    {"prefix": prefix}
                    for prefix in ("cluster_manager", "listener_manager", "server", "cluster.xds-grpc", "wasm")
                ),
            ]
        }
    },
}


def scrape(envoy):
    """The series that the filter and its module have: each name with its labels, and the values."""
    lines = envoy.admin("/stats/prometheus").splitlines()
    ours = (line for line in lines if re.match(r"jwt_warden|envoy_wasm_.*vm_reload", line))
    return dict(line.rsplit(" ", 1) for line in ours)


def test_there_is_one_text_of_it():
    everywhere = [
        yaml.safe_load((ROOT / "envoy/envoy.yaml").read_text())["stats_config"],
        yaml.safe_load(
            re.search(r"^```yaml\n(stats_config:.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)[1]
        )["stats_config"],
        blocks("operations").labels["spec"]["configPatches"][0]["patch"]["value"]["stats_config"],
    ]
    assert everywhere == [stats_config()] * len(everywhere)


@pytest.mark.parametrize("name", ["orders", "a-b_9"])
def test_names_of_rules_and_providers(name, launch, world):
    """Also where one looks like a part of the metric's name."""
    named = {**rule("/named/", name), "name": f"{name}-rule"}
    configuration = {"providers": {name: world.provider("a")}, "rules": [named, rule("/", name)]}
    envoy = launch(Site("names", configuration), changes={"stats_config": stats_config()})
    for path in ("/named/", "/other/"):
        assert send(envoy.port("names"), path, bearer(world.token())).status == 200
    expected = {
        f'jwt_warden_requests{{verdict="allowed",rule="{name}-rule",provider="{name}",reason="verified"}}',
        f'jwt_warden_requests{{verdict="allowed",provider="{name}",reason="verified"}}',
    }
    until(lambda: expected <= set(scrape(envoy)))


def test_in_istio(launch, world):
    """Beside Istio's own labels, which the filter's are added to."""
    given = blocks("operations").labels["spec"]["configPatches"][0]["patch"]["value"]["stats_config"]
    merged = {**ISTIO, **given, "stats_tags": [*ISTIO["stats_tags"], *given["stats_tags"]]}
    site = Site(
        "istio", world.configuration(), plugin={"name": "istio-ingress.jwt-warden", "failure_policy": "FAIL_RELOAD"}
    )
    envoy = launch(site, changes={"stats_config": merged})
    for token in (world.token(), world.token(), world.token(exp=1)):
        send(envoy.port("istio"), "/a/", bearer(token))
    expected = {
        'jwt_warden_requests{verdict="allowed",provider="a",reason="verified"}',
        'jwt_warden_requests{verdict="denied",provider="a",reason="token_expired"}',
        'jwt_warden_jwks_ready{provider="a"}',
        'envoy_wasm_vm_reload_success{plugin="istio-ingress.jwt-warden"}',
        'jwt_warden_tokens{result="verified"}',
    }
    until(lambda: expected <= set(scrape(envoy)))


def test_without_the_labels_istio_keeps_the_metrics(launch, world):
    prefixes = yaml.safe_load(blocks("operations").matcher["annotations"]["proxy.istio.io/config"])[
        "proxyStatsMatcher"
    ]["inclusionPrefixes"]
    named = {"inclusion_list": {"patterns": [{"prefix": prefix} for prefix in prefixes]}}
    for matcher in (ISTIO["stats_matcher"], named):
        envoy = launch(Site("istio", world.configuration()), changes={"stats_config": {"stats_matcher": matcher}})
        send(envoy.port("istio"), "/a/")
        until(lambda envoy=envoy: envoy.stats("wasmcustom.jwt_warden.requests"))
        assert envoy.stats("wasm.jwt_warden.vm_reload_success") == {"wasm.jwt_warden.vm_reload_success": 0}


def test_a_listener_for_the_metrics_alone(launch, world, upstream, tmp_path):
    given = blocks("operations")
    port, admin = free_port(), address(free_port())
    given.metrics["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": port}
    given.admin["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = admin
    whole = bootstrap([Site("main", world.configuration())], {"upstream": upstream.port}, tmp_path)
    whole["static_resources"]["listeners"].append(given.metrics)
    whole["static_resources"]["clusters"].append(given.admin)
    assert validate(tmp_path, whole)[0] == 0
    envoy = launch(changes={**whole, "admin": {"address": admin}})
    send(envoy.port("main"), "/a/")
    until(lambda: b"jwt_warden_requests" in send(port, "/stats/prometheus").body)
    for path in (
        "/",
        "/stats",
        "/stats/prometheus/",
        "/quitquitquit",
        "/config_dump",
        "/stats/prometheus/../../config_dump",
    ):
        assert send(port, path, method="POST" if path == "/quitquitquit" else "GET").status == 404


def test_a_module_that_fails_is_seen(launch, tmp_path):
    """A module of our own that traps at each request."""
    (tmp_path / "trapping.wasm").write_bytes(module())
    code = {"local": {"filename": str(tmp_path / "trapping.wasm")}}
    vm = {"runtime": "envoy.wasm.runtime.v8", "code": code}
    reload = {"failure_policy": "FAIL_RELOAD", "reload_config": {"backoff": {"base_interval": "0.1s"}}}
    reloaded = Site("trap", None, plugin={"vm_config": {**vm, "vm_id": "trap"}, **reload})
    closed = Site("closed", None, plugin={"vm_config": {**vm, "vm_id": "closed"}, "name": "closed"})
    envoy = launch(reloaded, closed, changes={"stats_config": stats_config()})

    def numbers(plugin):
        """How often it was reloaded, and how often that was put off."""
        seen = scrape(envoy)
        names = [f'envoy_wasm_vm_reload_{what}{{plugin="{plugin}"}}' for what in ("success", "backoff")]
        return [int(seen.get(name, 0)) for name in names]

    def has_been_reloaded():
        assert {send(envoy.port(site), "/").status for site in ("trap", "closed")} == {503}
        return all(numbers("jwt_warden"))

    until(has_been_reloaded)
    assert numbers("closed") == [0, 0]
