"""A JWKS endpoint that is down: at the start, and for longer than its keys last."""

import time

from support.bootstrap import Site
from support.client import bearer, begin, send, unique_path
from support.remote import provider, remote_site, status
from support.wait import until
from support.world import rule

BACKOFF = {"base_interval": "0.2s", "max_interval": "0.5s"}
CACHE_DURATION, MAX_STALE = 2, 3


def test_down_for_longer_than_keys_may_serve(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    changes = {
        "timeout": "2s",
        "cache_duration": f"{CACHE_DURATION}s",
        "max_stale": f"{MAX_STALE}s",
        "backoff": BACKOFF,
    }
    envoy = launch(remote_site(world, issuer, **changes), clusters={"issuer": issuer.port}, concurrency=4)
    token = world.token()
    assert status(envoy, token) == 200
    issuer.stop()
    down = time.monotonic()
    served = _seconds_until(envoy, token, 401, down)
    # The last set was fetched at most a refresh ago, which comes before the cache duration is over.
    assert served > MAX_STALE
    path = unique_path("/")
    assert send(envoy.port("remote"), path, bearer(token)).status == 401
    assert envoy.denial(path)["reason"] == "keys_unavailable"

    issuer.start()
    back = _seconds_until(envoy, token, 200, time.monotonic())
    print(f"old keys served for {served:.1f} s; back {back:.2f} s after the endpoint, with a back-off of up to 0.5 s")
    assert {status(envoy, token) for _ in range(20)} == {200}


def _seconds_until(envoy, token, wanted, since):
    """Asks until the status turns, once and for all."""
    until(lambda: status(envoy, token) == wanted)
    seconds = time.monotonic() - since
    assert {status(envoy, token) for _ in range(5)} == {wanted}
    return seconds


def test_down_at_start(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.stop()
    providers = {"a": provider(world, issuer.uri, timeout="1s", backoff=BACKOFF), "b": world.provider("b")}
    site = Site("remote", {"providers": providers, "rules": [rule("/b/", "b"), rule("/", "a")]})
    envoy = launch(site, clusters={"issuer": issuer.port}, concurrency=4)
    assert status(envoy, world.token("b"), "/b/") == 200

    path = unique_path("/")
    waiting = begin(envoy.port("remote"), path, bearer(world.token()))
    assert waiting.is_waiting()
    assert waiting.response().status == 401
    assert envoy.denial(path)["reason"] == "keys_unavailable"

    issuer.start()
    begun = time.monotonic()
    until(lambda: status(envoy, world.token()) == 200)
    print(f"keys {time.monotonic() - begun:.2f} s after the endpoint is back")
    assert {status(envoy, world.token()) for _ in range(20)} == {200}


def test_a_request_that_waits_gets_its_keys_as_soon_as_the_endpoint_is_back(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.stop()
    site = remote_site(world, issuer, timeout="30s", backoff=BACKOFF)
    envoy = launch(site, clusters={"issuer": issuer.port}, concurrency=4)
    waiting = [begin(envoy.port("remote"), "/", bearer(world.token())) for _ in range(20)]
    assert waiting[0].is_waiting()
    issuer.start()
    assert {exchange.response().status for exchange in waiting} == {200}
    envoy.log_line("[warning]", "keys not fetched", "cause=unreachable")
    until(lambda: [line for line in envoy.log().splitlines() if "keys fetched" in line])
    failures = [line for line in envoy.log().splitlines() if "[warning]" in line and "keys not fetched" in line]
    assert len(failures) == 1, failures
