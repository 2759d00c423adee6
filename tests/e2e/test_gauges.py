"""The gauges of providers while configurations come and go: no alert for what is no longer there."""

import pytest

from support.bootstrap import Site, direct_response
from support.client import bearer, send
from support.remote import provider
from support.wait import until
from support.world import rule
from support.xds import Files

GAUGES = "wasmcustom.jwt_warden.jwks.provider."
UPDATED = "listener_manager.lds.update_success"
REFUSED = "listener_manager.lds.update_rejected"
BACKOFF = {"base_interval": "0.2s", "max_interval": "0.4s"}


@pytest.fixture
def files(tmp_path):
    """Listeners that can be replaced."""
    return Files(tmp_path)


def site(world, uri, cluster, name="acme", **more):
    """One provider of this name, its keys fetched by this cluster."""
    given = provider(world, uri, cluster=cluster, backoff=BACKOFF)
    configuration = {"providers": {name: given}, "rules": [rule("/", name)]}
    return Site("moving", configuration, route=direct_response(), **more)


def gauges(envoy, name="acme"):
    """What is shown of the provider, its fetches aside."""
    prefix = f"{GAUGES}{name}."
    shown = {gauge.removeprefix(prefix): value for gauge, value in envoy.stats(prefix).items()}
    return {gauge: value for gauge, value in shown.items() if not gauge.startswith("fetches.")}


def failures(envoy):
    """How many fetches have failed."""
    return envoy.stats(f"{GAUGES}acme.fetches.result.").get(f"{GAUGES}acme.fetches.result.unreachable", 0)


@pytest.fixture
def start(launch, files, issuer, world):
    """Starts an Envoy whose listener can be replaced; nobody listens at the cluster `down`."""

    def start(cluster, drain_seconds):
        issuer.serve(world.key("a", "rs256"))
        files.set_listeners(site(world, issuer.uri, cluster))
        clusters = {"issuer": issuer.port, "down": 1}
        options = {"concurrency": 2, "drain_seconds": drain_seconds}
        envoy = launch(changes=files.changes, clusters=clusters, **options)
        until(lambda: gauges(envoy).get("ready") == int(cluster == "issuer"))
        return envoy

    return start


@pytest.mark.matrix
def test_an_old_configuration_that_drains_and_fails_on(start, files, issuer, world):
    envoy = start("down", drain_seconds=60)
    files.set_listeners(site(world, issuer.uri, "issuer"))
    until(lambda: envoy.stats(UPDATED)[UPDATED] >= 2 and gauges(envoy)["ready"] == 1)
    before = failures(envoy)
    until(lambda: failures(envoy) >= before + 5)
    assert gauges(envoy)["ready"] == 1
    assert send(envoy.port("moving"), "/", bearer(world.token())).status == 200


@pytest.mark.matrix
def test_a_provider_that_is_taken_out(start, files, issuer, world):
    envoy = start("issuer", drain_seconds=1)
    files.set_listeners(site(world, issuer.uri, "issuer", "other"))
    until(lambda: gauges(envoy, "other").get("ready") == 1)
    until(lambda: set(gauges(envoy).values()) == {0})
    assert {"configured", "ready", "last_success_seconds", "serves_until_seconds"} <= set(gauges(envoy))
    assert gauges(envoy, "other")["configured"] == 1


def test_an_update_that_is_refused(start, files, world):
    """Since another filter is wrong: the plugin before it has been tried."""
    envoy = start("issuer", drain_seconds=60)
    until(lambda: send(envoy.port("moving"), "/", bearer(world.token())).status == 200)
    before = gauges(envoy)
    lua = {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"}
    wrong = {"name": "wrong", "typed_config": {**lua, "default_source_code": {"inline_string": "no Lua ("}}}
    files.set_listeners(site(world, "http://elsewhere.example/jwks.json", "down", behind=[wrong]))
    until(lambda: envoy.stats(REFUSED)[REFUSED] == 1)
    until(lambda: gauges(envoy)["ready"] == 1)
    assert {**gauges(envoy), "ready_since_seconds": 0} == {**before, "ready_since_seconds": 0}
