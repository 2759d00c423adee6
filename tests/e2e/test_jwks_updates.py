"""Configurations that change while keys are fetched, and after: nobody is refused, nothing is fetched twice."""

import pytest

from support import load
from support.bootstrap import direct_response
from support.client import bearer, begin, send, unique_path
from support.remote import remote_site, status
from support.wait import until
from support.xds import Files

UPDATED = "listener_manager.lds.update_success"


@pytest.fixture
def files(tmp_path):
    """Listeners and clusters that can be replaced."""
    return Files(tmp_path)


def site(world, issuer, realm, **changes):
    """The same provider, in a configuration that differs in its realm."""
    site = remote_site(world, issuer, **{"timeout": "30s", **changes})
    site.configuration["realm"] = realm
    site.route = direct_response()
    return site


def updated(envoy, times):
    """Waits until so many updates have been accepted and no listener warms up any more."""
    until(lambda: envoy.stats(UPDATED)[UPDATED] >= times)
    warming = "listener_manager.total_listeners_warming"
    until(lambda: envoy.stats(warming)[warming] == 0)


def realm(envoy):
    """The realm that a request without a token is told."""
    return send(envoy.port("remote"), unique_path("/")).challenge


def test_update_during_a_fetch(launch, files, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    files.set_listeners(site(world, issuer, "first"))
    changes = {"changes": files.changes, "clusters": {"issuer": issuer.port}}
    envoy = launch(**changes, concurrency=4, drain_seconds=60)
    port = envoy.port("remote")
    before = [begin(port, "/", bearer(world.token())) for _ in range(20)]
    assert before[0].is_waiting()

    files.set_listeners(site(world, issuer, "second"))
    updated(envoy, 2)
    until(lambda: realm(envoy) == 'Bearer realm="second"')
    after = [begin(envoy.port("remote"), "/", bearer(world.token())) for _ in range(20)]
    expired = [begin(envoy.port("remote"), "/", bearer(world.token(exp=1))) for _ in range(20)]
    assert after[0].is_waiting()
    issuer.release()
    assert {exchange.response().status for exchange in before + after} == {200}
    assert {exchange.response().status for exchange in expired} == {401}
    assert len(issuer.fetches) == 1


def test_update_with_the_same_source_starts_warm(launch, files, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    files.set_listeners(site(world, issuer, "first"))
    envoy = launch(changes=files.changes, clusters={"issuer": issuer.port}, concurrency=4)
    assert status(envoy, world.token()) == 200
    issuer.stop()
    port, good = envoy.port("remote"), ("good", load.request(world.token()))

    def update():
        for number in range(2, 5):
            files.set_listeners(site(world, issuer, f"realm-{number}"))
            updated(envoy, number)
            until(lambda number=number: realm(envoy) == f'Bearer realm="realm-{number}"')

    results = load.run_during(update, port, [good], connections=16)
    assert load.statuses(results) == {200}
    assert load.statuses(load.run(envoy.port("remote"), [good] * 64, connections=64)) == {200}
    assert len(issuer.fetches) == 1


def test_a_cluster_that_appears_later(launch, files, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    backoff = {"base_interval": "0.2s", "max_interval": "0.5s"}
    files.set_listeners(site(world, issuer, "first", timeout="1s", backoff=backoff))
    envoy = launch(changes=files.changes, concurrency=4)
    path = unique_path("/")
    assert send(envoy.port("remote"), path, bearer(world.token())).status == 401
    assert envoy.denial(path)["reason"] == "keys_unavailable"
    envoy.log_line("[warning]", "keys not fetched", "cause=unknown_cluster")
    assert issuer.fetches == []

    files.set_clusters(issuer=issuer.port)
    until(lambda: status(envoy, world.token()) == 200)
    assert {status(envoy, world.token()) for _ in range(20)} == {200}
    assert len(issuer.fetches) == 1

    # And goes again: the keys stay.
    files.set_clusters()
    until(lambda: "issuer" not in envoy.admin("/clusters"))
    assert {status(envoy, world.token()) for _ in range(20)} == {200}
