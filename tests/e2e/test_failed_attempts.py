"""Who fails too often is turned away, at every worker, and nobody else is."""

import json
import time

import pytest

from lab.keys import EcKey
from support import load
from support.bootstrap import Site, direct_response
from support.client import bearer, begin, send, unique_path
from support.dpop import presented, proof, thumbprint
from support.handbook import blocks
from support.remote import remote_site
from support.wait import until
from support.world import rule

pytestmark = pytest.mark.matrix

WORKERS = 4
LIMIT = 5
NEARBY, ELSEWHERE = {"addresses": ["127.0.0.0/8"]}, {"addresses": ["192.0.2.0/24"]}
CLIENTS = 10_000
# What Envoy has allocated for connections and logs comes and goes; 10,000 entries of 100 bytes would not fit.
TOLERANCE = 1 << 19


@pytest.fixture(scope="module")
def envoy(launch, world):
    """Each site counts by itself. `spoofed` trusts somebody else; `default` takes addresses from headers."""

    def site(name, manager, trusted=NEARBY, **changes):
        counted = {"limit": LIMIT, "window": "1h", **changes}
        rules = [rule("/a/", "a"), {"match": {"prefix": "/optional/"}, "requires": {"allow_missing_or_failed": {}}}]
        settings = {"trusted_proxies": trusted, "failed_attempts": counted, "rules": rules}
        configuration = {"providers": {"a": world.provider("a")}, **settings}
        return Site(name, configuration, manager=manager, route=direct_response(), vm_id=name)

    peer = blocks().peer
    return launch(
        site("locked", peer),
        site("short", peer, window="5s"),
        site("spoofed", peer, ELSEWHERE),
        site("direct", {"use_remote_address": True}, ELSEWHERE),
        site("default", {}, ELSEWHERE),
        site("header", peer, by={"header": "x-client"}),
        site("header_spoofed", peer, ELSEWHERE, by={"header": "x-client"}),
        site("expired", peer, count=["token_expired", "token_malformed"]),
        site("proofs", peer, count=["dpop_proof_invalid"]),
        site("many", peer, limit=2),
        concurrency=WORKERS,
    )


@pytest.fixture(scope="module")
def forged(world):
    """A token that somebody else has signed."""
    return world.token(key=world.key("b", "rs256"))


@pytest.fixture(scope="module")
def ask(envoy):
    """Sends a token for a client, on a connection of its own: the answer."""

    def ask(site, token, client="198.51.100.1", header="x-forwarded-for", prefix="/a/"):
        return send(envoy.port(site), unique_path(prefix), [*bearer(token), (header, client)])

    return ask


def statuses(ask, number, site, token, *arguments, **options):
    """The statuses that so many requests get."""
    return {ask(site, token, *arguments, **options).status for _ in range(number)}


def test_after_the_limit_no_worker_looks_at_a_token(ask, world, forged, envoy):
    remembered = world.token(sub="remembered")
    assert statuses(ask, 40, "locked", remembered) == {200}
    assert statuses(ask, LIMIT, "locked", forged) == {401}
    for token in (forged, world.token(sub="new"), world.token(exp=1), "garbage"):
        assert statuses(ask, 20, "locked", token) == {429}
    path = unique_path("/a/")
    answer = send(envoy.port("locked"), path, [*bearer(forged), ("x-forwarded-for", "198.51.100.1")])
    assert (answer.body, answer.challenge) == (b"Too Many Requests", None)
    [seconds] = answer.all("retry-after")
    assert 3500 < int(seconds) <= 3600
    assert envoy.denial(path)["reason"] == "too_many_failures"
    # What is known to be good passes, and so do neighbours and requests without a token, which is another failure.
    assert 200 in statuses(ask, 40, "locked", remembered)
    assert statuses(ask, 20, "locked", world.token(sub="new"), "198.51.100.2") == {200}
    no_token = send(envoy.port("locked"), "/a/", [("x-forwarded-for", "198.51.100.1")])
    assert (no_token.status, no_token.challenge) == (401, 'Bearer realm="api"')
    # A token that was not looked at is not as good as none.
    assert statuses(ask, 5, "locked", world.token(sub="other"), prefix="/optional/") == {429}


def test_attempts_on_a_route_that_lets_them_pass_count_too(ask, world, forged):
    client = "198.51.100.30"
    assert statuses(ask, LIMIT, "locked", forged, client, prefix="/optional/") == {200}
    assert statuses(ask, 5, "locked", world.token(sub="late"), client) == {429}


def test_proofs_are_attempts_where_they_are_counted(envoy, world):
    key, other = EcKey("P-256", alg="ES256"), EcKey("P-256", alg="ES256")
    bound = world.token(cnf={"jkt": thumbprint(key)})

    def ask(site, client, signer=key):
        path = unique_path("/a/")
        headers = presented(bound, proof(key, bound, path, signer=signer))
        return send(envoy.port(site), path, [*headers, ("x-forwarded-for", client)]).status

    for site, at_the_limit in (("proofs", 429), ("locked", 401)):
        # The token is remembered by every worker then.
        assert {ask(site, "198.51.100.40") for _ in range(40)} == {200}
        assert {ask(site, "198.51.100.40", other) for _ in range(LIMIT)} == {401}
        assert {ask(site, "198.51.100.40", other) for _ in range(20)} == {at_the_limit}
        assert {ask(site, "198.51.100.41") for _ in range(20)} == {200}


def test_the_lock_ends_with_the_window_however_often_it_was_tried(ask, world, forged):
    assert statuses(ask, LIMIT, "short", forged) == {401}
    assert ask("short", world.token(sub="early")).status == 429
    until(lambda: ask("short", forged).status != 429)
    assert ask("short", world.token(sub="late")).status == 200


def test_good_and_expired_tokens_are_no_failures(ask, world, forged):
    client = "198.51.100.20"
    for token in (world.token(exp=1), world.token(aud="other"), world.token(iss="https://other/"), "garbage"):
        assert statuses(ask, 3 * LIMIT, "locked", token, client) == {401}
    assert statuses(ask, LIMIT - 1, "locked", forged, client) == {401}
    assert statuses(ask, 3 * LIMIT, "locked", world.token(sub="still"), client) == {200}
    assert statuses(ask, LIMIT, "expired", world.token(exp=1)) == {401}
    assert statuses(ask, 5, "expired", world.token(sub="late")) == {429}


@pytest.mark.parametrize("site", ["spoofed", "direct", "default"])
def test_a_client_does_not_choose_its_address(ask, world, forged, site):
    for number in range(LIMIT):
        assert ask(site, forged, f"203.0.113.{number}").status == 401
    assert [ask(site, world.token(sub="new"), f"203.0.113.{100 + number}").status for number in range(9)] == [429] * 9


def test_clients_by_a_header(ask, world, forged):
    assert statuses(ask, LIMIT, "header", forged, "a", "x-client") == {401}
    assert statuses(ask, 5, "header", world.token(sub="a"), "a", "x-client") == {429}
    assert statuses(ask, 5, "header", world.token(sub="b"), "b", "x-client") == {200}
    for number in range(LIMIT):
        assert ask("header_spoofed", forged, f"c{number}", "x-client").status == 401
    assert statuses(ask, 5, "header_spoofed", world.token(), "new", "x-client") == {429}


def test_requests_that_waited_are_counted_once_and_checked_again(launch, world, issuer, forged):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    site = remote_site(world, issuer, timeout="60s")
    site.configuration["failed_attempts"] = {"limit": LIMIT, "window": "1h"}
    site.manager = {"use_remote_address": True}
    envoy = launch(site, clusters={"issuer": issuer.port})
    port = envoy.port("remote")
    waiting = [begin(port, unique_path("/"), bearer(forged)) for _ in range(4 * LIMIT)]
    entered = "wasmcustom.jwt_warden.waiting.entered"
    until(lambda: envoy.stats(entered).get(entered) == len(waiting))
    issuer.release()
    answers = [exchange.response().status for exchange in waiting]
    assert (answers.count(401), answers.count(429)) == (LIMIT, 3 * LIMIT)


def test_however_many_clients_fail_the_memory_does_not_grow(envoy, world, forged):
    port = envoy.port("many")

    def fail(first):
        clients = range(first, first + CLIENTS)
        addresses = (f"100.{64 + (client >> 16)}.{client >> 8 & 255}.{client & 255}" for client in clients)
        requests = [(address, load.request(forged, "/a/", [("x-forwarded-for", address)])) for address in addresses]
        assert load.statuses(load.run(port, requests)) == {401}
        # Envoy's figures are those of the last flush.
        time.sleep(1)
        return allocated(envoy)

    assert load.statuses(load.run(port, [("good", load.request(world.token(), "/a/"))] * 640)) == {200}
    before = fail(0)
    after = fail(CLIENTS)
    print(f"{before} bytes allocated after {CLIENTS} clients, {after} after {2 * CLIENTS}")
    assert after - before < TOLERANCE
    assert load.statuses(load.run(port, [("good", load.request(world.token(sub="new"), "/a/"))] * 64)) == {200}


def allocated(envoy):
    """The bytes that Envoy has allocated, its VMs apart, and the shared data within."""
    return int(json.loads(envoy.admin("/memory"))["allocated"])
