"""The module traps while requests are under way: nothing passes unchecked, then or later.

It is our own module, in which one callback traps, that for trailers: the rest of it is what operators run."""

import threading
import time

import pytest

from support import broken, load
from support.bootstrap import Site
from support.client import Exchange, bearer, begin, head, send, unique_path
from support.remote import provider
from support.revocation import ListServer, denylist
from support.wait import until
from support.world import rule

BACKOFF = 0.2
POLICIES = {
    "closed": {"failure_policy": "FAIL_CLOSED"},
    "reload": {"failure_policy": "FAIL_RELOAD", "reload_config": {"backoff": {"base_interval": f"{BACKOFF}s"}}},
}
# Longer than any back-off, so that nothing is reloaded any more.
FOR_GOOD = 2


@pytest.fixture(scope="module")
def trapping(tmp_path_factory):
    """The module, as a file."""
    file = tmp_path_factory.mktemp("module") / "trapping.wasm"
    file.write_bytes(broken.traps_in("proxy_on_request_trailers"))
    return {"local": {"filename": str(file)}}


@pytest.fixture
def start(launch, trapping):
    """Starts an Envoy with that module under a policy."""

    def start(policy, configuration, workers=1, **clusters):
        vm = {"vm_id": policy, "runtime": "envoy.wasm.runtime.v8", "code": trapping}
        site = Site("site", configuration, plugin={"vm_config": vm, **POLICIES[policy]})
        return launch(site, clusters=clusters, concurrency=workers)

    return start


def trap(port, token):
    """Brings the VM down: a good request, whose trailers trap. What is left of its answer."""
    path = unique_path("/a/trap")
    request = head(path, [*bearer(token), ("transfer-encoding", "chunked"), ("trailer", "x-sum")], "POST")
    return Exchange(port, request + b"1\r\nx\r\n0\r\nx-sum: 1\r\n\r\n").rest()


def arrived(upstream, begins):
    """The paths that the upstream has seen."""
    return [request.target for request in upstream.requests if request.target.startswith(begins)]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_next_request_is_never_unchecked(start, world, upstream, policy, record_property):
    envoy = start(policy, world.configuration())
    port, forged = envoy.port("site"), world.token(key=world.key("b", "rs256"))
    good = world.token()
    assert (send(port, "/a/", bearer(good)).status, send(port, "/a/", bearer(forged)).status) == (200, 401)
    assert b" 200 " not in trap(port, good).split(b"\r\n", 1)[0]
    begun, bad = time.monotonic(), unique_path("/a/bad")
    # A request that no rule matches, one without a token, and one with somebody else's: the very next ones, and later.
    seen = set()

    def ask():
        for path, headers in ((bad, bearer(forged)), (bad, []), (bad.replace("/a/", "/none/"), bearer(good))):
            seen.add(send(port, path, headers).status)
        return send(port, unique_path("/a/"), bearer(good)).status

    if policy == "closed":
        while time.monotonic() < begun + FOR_GOOD:
            assert ask() == 503
        assert seen == {503}
    else:
        until(lambda: ask() == 200)
        recovered = time.monotonic() - begun
        assert seen <= {401, 403, 503}
        assert [send(port, bad, headers).status for headers in (bearer(forged), [])] == [401, 401]
        record_property("summary", f"chaos: requests pass again {recovered:.2f} s after a trap, back-off {BACKOFF} s")
    assert arrived(upstream, bad) == arrived(upstream, bad.replace("/a/", "/none/")) == []


def test_who_waits_in_a_vm_that_traps_does_not_pass(start, world, upstream, issuer):
    """Two providers: the keys of the one are on their way when a request of the other's traps."""
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    given = {"a": world.provider("b"), "slow": provider(world, issuer.uri, timeout="30s")}
    rules = [rule("/a/", "a"), rule("/slow/", "slow")]
    envoy = start("reload", {"providers": given, "rules": rules}, issuer=issuer.port)
    port, prefix = envoy.port("site"), unique_path("/slow/")
    tokens = [world.token(), world.token(key=world.key("b", "rs256")), world.token()]
    waiting = [begin(port, prefix, bearer(token)) for token in tokens]
    assert all(exchange.is_waiting() for exchange in waiting)
    trap(port, world.token("b", key=world.key("b", "rs256")))
    issuer.release()
    passes = unique_path("/a/")
    until(lambda: send(port, passes, bearer(world.token("b"))).status == 200)
    until(lambda: send(port, unique_path("/slow/"), bearer(tokens[0])).status == 200)
    # Envoy lets them hang, until it or the client loses patience.
    for exchange in waiting:
        assert exchange.is_waiting() or not exchange.rest().startswith(b"HTTP/1.1 200")
        exchange.reset()
    assert arrived(upstream, prefix) == []


def test_what_was_fetched_outlives_the_vm(start, world, issuer):
    """The keys and the denylist are shared: a VM that comes anew has them at once, though both servers are away."""
    issuer.serve(world.key("a", "rs256"))
    lists = ListServer()
    lists.answer_with.body = b'{"jti": ["gone"]}'
    revocation = {"denylists": [denylist("lists", lists.uri, refresh="60s")]}
    given = {"a": {**provider(world, issuer.uri), "revocation": revocation}}
    envoy = start("reload", {"providers": given}, issuer=issuer.port, lists=lists.port)
    port = envoy.port("site")
    tokens = [world.token(), world.token(jti="gone"), world.token(key=world.key("b", "rs256"))]

    def statuses():
        return [send(port, "/a/", bearer(token)).status for token in tokens]

    until(lambda: statuses() == [200, 401, 401])
    issuer.stop()
    lists.stop()
    for _ in range(3):
        trap(port, tokens[0])
        until(lambda: statuses() == [200, 401, 401])
    assert (len(issuer.fetches), len(lists.fetches)) == (1, 1)


def test_traps_under_load_on_every_worker(start, world, upstream):
    envoy = start("reload", world.configuration(), workers=4)
    port, good, forged = envoy.port("site"), world.token(), world.token(key=world.key("b", "rs256"))
    ends, bad = threading.Event(), unique_path("/a/bad")

    def keep_trapping():
        while not ends.is_set():
            trap(port, good)
            ends.wait(0.05)

    thread = threading.Thread(target=keep_trapping)
    thread.start()
    try:
        requests = [("good", load.request(good, "/a/")), ("forged", load.request(forged, bad))]
        results = load.run(port, requests * 2000)
    finally:
        ends.set()
        thread.join()
    seen = {tag: load.statuses(result for result in results if result.tag == tag) for tag in ("good", "forged")}
    assert seen["good"] == {200, 503}
    assert seen["forged"] == {401, 503}
    assert arrived(upstream, bad) == []
    until(lambda: {send(port, "/a/", bearer(good)).status for _ in range(16)} == {200})
