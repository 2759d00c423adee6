"""Requests that wait for keys: very many of them, and clients that break off."""

import asyncio
import time

from support import load
from support.bootstrap import direct_response
from support.client import bearer, begin
from support.remote import remote_site, status
from support.wait import until

WAITING = 2000
ACTIVE = "http.remote.downstream_rq_active"


def test_two_thousand_wait_on_one_worker(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    site = remote_site(world, issuer, timeout="60s")
    site.route = direct_response()
    envoy = launch(site, clusters={"issuer": issuer.port})
    port, times = envoy.port("remote"), {}
    tags = {200: load.request(world.token()), 401: load.request(world.token(exp=1))}

    def release():
        until(lambda: envoy.stats(ACTIVE)[ACTIVE] == WAITING)
        times["released"] = time.perf_counter()
        issuer.release()

    async def wait_together():
        everybody = load.send_all(port, list(tags.items()) * (WAITING // 2), WAITING)
        results, _ = await asyncio.gather(everybody, asyncio.to_thread(release))
        return results, time.perf_counter()

    results, decided = asyncio.run(wait_together())
    print(f"{WAITING} waiting requests decided {decided - times['released']:.2f} s after the keys were sent")
    assert len(results) == WAITING
    assert [result for result in results if result.status != result.tag] == []
    assert status(envoy, world.token()) == 200
    _nobody_waits(envoy, WAITING)


def test_clients_that_break_off(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    envoy = launch(remote_site(world, issuer, timeout="60s"), clusters={"issuer": issuer.port}, concurrency=4)
    port, token = envoy.port("remote"), world.token()
    exchanges = [begin(port, "/", bearer(token)) for _ in range(300)]
    until(lambda: envoy.stats(ACTIVE)[ACTIVE] == 300)
    for exchange in exchanges[:200]:
        exchange.reset()
    # Some while the others are woken.
    issuer.release()
    for exchange in exchanges[200:250]:
        exchange.reset()
    assert {exchange.response().status for exchange in exchanges[250:]} == {200}
    until(lambda: envoy.stats(ACTIVE)[ACTIVE] == 0)
    assert {status(envoy, token) for _ in range(20)} == {200}
    _nobody_waits(envoy, 300)
    assert len(issuer.fetches) == 1


def _nobody_waits(envoy, entered):
    """The filter counts who begins to wait and who ends it."""
    prefix = "wasmcustom.jwt_warden.waiting."
    until(lambda: envoy.stats(prefix) == {f"{prefix}entered": entered, f"{prefix}left": entered})
