"""Listeners are drained, and Envoy is restarted hot, under load: every answer is right, and who waits is answered."""

import threading
from collections import defaultdict

import pytest

from support import load
from support.bootstrap import Site, address
from support.client import bearer, begin, send, unique_path
from support.remote import provider
from support.services import free_port
from support.wait import until
from support.world import rule
from support.xds import Files

READY = "wasmcustom.jwt_warden.jwks.provider.a.ready"
WAITING = "wasmcustom.jwt_warden.waiting."
# Seconds: long enough for what waits, and for the load to be on both processes.
DRAIN, PARENT = 2, 6


class Background:
    """Sends good and bad requests without a pause, and notes the statuses of each kind."""

    def __init__(self, port, world):
        forged = world.token(key=world.key("b", "rs256"))
        tokens = {"good": world.token(), "forged": forged, "expired": world.token(exp=1)}
        self._requests = [(name, load.request(token, "/a/")) for name, token in tokens.items()]
        self._port, self._ends = port, threading.Event()
        self.seen, self.problem, self.rounds = defaultdict(set), None, 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    def _run(self):
        while not self._ends.is_set() and not self.problem:
            try:
                for result in load.run(self._port, self._requests * 20, connections=8):
                    self.seen[result.tag].add(result.status)
            except (OSError, EOFError) as problem:
                self.problem = problem
            self.rounds += 1

    def goes_on(self):
        """Waits for some more requests."""
        rounds = self.rounds + 3
        until(lambda: self.problem or self.rounds >= rounds)


def slow_and_own(world, issuer, port):
    """Provider `a` has its keys, and the keys of `slow` are fetched."""
    given = {"a": world.provider("a"), "slow": provider(world, issuer.uri, timeout="30s")}
    rules = [rule("/a/", "a"), rule("/slow/", "slow")]
    return Site("site", {"providers": given, "rules": rules}, listener={"address": address(port)})


@pytest.fixture
def waiting(world):
    """Begins requests that wait for keys, half of them with a token that is to be refused."""

    def start(port):
        tokens = [world.token(), world.token(exp=1)] * 10
        exchanges = [begin(port, unique_path("/slow/"), bearer(token)) for token in tokens]
        assert exchanges[-1].is_waiting()
        return exchanges

    return start


def test_a_drain_answers_who_waits(launch, world, issuer, waiting):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    port = free_port()
    site = slow_and_own(world, issuer, port)
    envoy = launch(site, clusters={"issuer": issuer.port}, concurrency=2, drain_seconds=DRAIN)
    exchanges = waiting(port)
    with Background(port, world) as background:
        background.goes_on()
        envoy.admin("/drain_listeners?graceful", b"")
        background.goes_on()
        issuer.release()
        assert [exchange.response().status for exchange in exchanges] == [200, 401] * 10
    assert dict(background.seen) == {"good": {200}, "forged": {401}, "expired": {401}}
    until(lambda: envoy.stats(WAITING) == {f"{WAITING}entered": 20, f"{WAITING}left": 20})


@pytest.mark.since("1.39", "have no gauge of their VMs")
def test_a_listener_that_goes_takes_who_waits_along(launch, world, upstream, issuer, waiting, tmp_path):
    """Their keys come too late: nobody passes, and nobody is left."""
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    files, port = Files(tmp_path), free_port()
    files.set_listeners(slow_and_own(world, issuer, port))
    envoy = launch(clusters={"issuer": issuer.port}, changes=files.changes, concurrency=2)
    exchanges, before = waiting(port), len(upstream.requests)
    files.set_listeners()
    assert {exchange.rest() for exchange in exchanges} == {b""}
    issuer.release()
    # With its last plugin the VM went, and all that it held.
    until(lambda: envoy.stats("wasm.wasm_vm_count") == {"wasm.wasm_vm_count": 0})
    assert (upstream.requests[before:], len(issuer.fetches)) == ([], 1)


def test_a_hot_restart(launch, world, issuer, waiting, tmp_path):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    port, base = free_port(), tmp_path / "base"

    def start(*options):
        """Starts Envoy, or another one in its place."""
        site = slow_and_own(world, issuer, port)
        times = ("--parent-shutdown-time-s", str(PARENT), "--drain-strategy", "immediate")
        settings = {"clusters": {"issuer": issuer.port}, "concurrency": 2, "drain_seconds": DRAIN}
        settings["changes"] = {"stats_flush_interval": "0.5s"}
        return launch(site, hot_restart=(*options, *times), **settings)

    first = start("--use-dynamic-base-id", "--base-id-path", base)
    exchanges = waiting(port)
    with Background(port, world) as background:
        background.goes_on()
        second = start("--base-id", base.read_text(), "--restart-epoch", "1")
        background.goes_on()
        # What docs/operations.md warns of: Envoy adds the old process' gauges to the new one's.
        until(lambda: second.stats(READY)[READY] == 2)
        issuer.release()
        # They were the first one's, which ends in good order.
        assert [exchange.response().status for exchange in exchanges] == [200, 401] * 10
        assert first.process.wait(30) == 0
        background.goes_on()
    assert background.problem is None
    assert dict(background.seen) == {"good": {200}, "forged": {401}, "expired": {401}}
    statuses = [send(port, "/slow/", bearer(token)).status for token in (world.token(), world.token(exp=1))]
    assert (statuses, len(issuer.fetches)) == ([200, 401], 2)
    until(lambda: second.stats(READY)[READY] == 1)
