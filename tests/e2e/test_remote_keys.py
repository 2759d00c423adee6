"""Keys that are fetched: late, wrong, rotated, gone and back."""

import json

import pytest

from lab.issuer import Answer
from lab.keys import RsaKey, generate
from support.bootstrap import Site
from support.client import bearer, begin, send, unique_path
from support.remote import remote_site, status
from support.wait import until


@pytest.fixture
def start(launch, world, issuer):
    """An Envoy of the test's own, which fetches from `issuer`: `start(**changes to remote_jwks)`."""
    issuer.serve(world.key("a", "rs256"))

    def start(concurrency=1, **changes):
        site = remote_site(world, issuer, **changes)
        return launch(site, clusters={"issuer": issuer.port}, concurrency=concurrency)

    return start


@pytest.mark.matrix
def test_fetched_at_start(start, world, issuer):
    envoy = start()
    until(lambda: issuer.fetches)
    assert status(envoy, world.token()) == 200
    assert status(envoy, world.token(exp=1)) == 401
    fetch = issuer.fetches[0]
    assert (fetch.method, fetch.target, fetch.get("host")) == ("GET", "/jwks.json", f"127.0.0.1:{issuer.port}")
    assert fetch.all("authorization") == []
    assert len(issuer.fetches) == 1


@pytest.mark.matrix
def test_late(start, world, issuer, upstream):
    issuer.hold()
    envoy = start(timeout="30s")
    before = len(upstream.requests)
    good = [begin(envoy.port("remote"), "/", bearer(world.token())) for _ in range(5)]
    bad = begin(envoy.port("remote"), "/", bearer(world.token(exp=1)))
    assert all(exchange.is_waiting() for exchange in [good[0], bad])
    # What needs no keys to be refused does not wait for them.
    assert send(envoy.port("remote"), "/").status == 401
    assert len(upstream.requests) == before

    issuer.release()
    assert [exchange.response().status for exchange in good] == [200] * 5
    assert bad.response().status == 401
    assert len(upstream.requests) == before + 5


def test_many_wait(start, world, issuer):
    issuer.hold()
    envoy = start(timeout="30s")
    tokens = [(world.token(), 200), (world.token(exp=1), 401)]
    waiting = [(begin(envoy.port("remote"), "/", bearer(token)), code) for token, code in tokens * 200]
    until(lambda: envoy.stats("http.remote.downstream_rq_active")["http.remote.downstream_rq_active"] == 400)
    issuer.release()
    assert [exchange.response().status for exchange, _ in waiting] == [code for _, code in waiting]


def test_a_client_that_leaves_while_it_waits(start, world, issuer):
    issuer.hold()
    envoy = start(timeout="30s")
    exchanges = [begin(envoy.port("remote"), "/", bearer(world.token())) for _ in range(10)]
    assert exchanges[0].is_waiting()
    for exchange in exchanges[:9]:
        exchange.leave()
    until(lambda: envoy.stats("http.remote.downstream_rq_active")["http.remote.downstream_rq_active"] == 1)
    issuer.release()
    assert exchanges[9].response().status == 200
    assert status(envoy, world.token()) == 200


def test_never_answered(start, world, issuer):
    issuer.answer_with = Answer(silent=True)
    envoy = start(timeout="1s")
    path = unique_path("/")
    assert send(envoy.port("remote"), path, bearer(world.token())).status == 401
    assert envoy.denial(path)["reason"] == "keys_unavailable"


def test_rotation(start, world, issuer):
    envoy = start()
    assert status(envoy, world.token()) == 200
    new = generate("ES256", "new")
    token = world.token(key=new, algorithm="ES256", head={"kid": "new"})
    issuer.serve(world.key("a", "rs256"), new)
    assert status(envoy, token) == 200
    assert status(envoy, world.token()) == 200
    assert len(issuer.fetches) == 2


def test_unknown_kids_do_not_become_fetches(start, world, issuer):
    envoy = start(unknown_kid_interval="10m")
    assert status(envoy, world.token()) == 200
    statuses = {status(envoy, world.token(key=world.key("b", "rs256"), head={"kid": f"x{i}"})) for i in range(100)}
    assert statuses == {401}
    assert len(issuer.fetches) == 2
    assert status(envoy, world.token()) == 200


def test_unreachable_then_back(start, world, issuer):
    issuer.stop()
    envoy = start()
    path = unique_path("/")
    assert send(envoy.port("remote"), path, bearer(world.token())).status == 401
    assert envoy.denial(path)["reason"] == "keys_unavailable"
    issuer.start()
    until(lambda: status(envoy, world.token()) == 200)


def test_last_good_keys_serve_while_the_issuer_is_down(start, world, issuer):
    envoy = start(cache_duration="1s", max_stale="1h")
    assert status(envoy, world.token()) == 200
    issuer.answer_with = Answer(status=500)
    fetches = len(issuer.fetches)
    until(lambda: len(issuer.fetches) >= fetches + 2)
    assert status(envoy, world.token()) == 200


def test_keys_that_are_too_old_do_not_serve(start, world, issuer):
    envoy = start(cache_duration="1s", max_stale="1s")
    assert status(envoy, world.token()) == 200
    issuer.answer_with = Answer(status=500)
    until(lambda: status(envoy, world.token()) == 401)
    issuer.serve(world.key("a", "rs256"))
    until(lambda: status(envoy, world.token()) == 200)


def test_a_key_that_is_gone_does_not_serve(start, world, issuer):
    envoy = start(cache_duration="1s")
    assert status(envoy, world.token()) == 200
    issuer.serve(world.key("a", "es256"))
    until(lambda: status(envoy, world.token(kid="es256")) == 200)
    assert status(envoy, world.token()) == 401


def test_bad_keys_do_not_spoil_good_ones(start, world, issuer):
    good = world.key("a", "rs256").jwk()
    bad = [
        world.key("hs", "hs256").jwk(),
        RsaKey(1024, kid="weak").jwk(),
        world.key("a", "es256").jwk(use="enc"),
        world.key("a", "es384").jwk(key_ops=["sign"]),
        {"kty": "future", "kid": "future"},
        17,
    ]
    issuer.answer_with = Answer(json.dumps({"keys": [*bad, good, {}], "note": None}).encode())
    envoy = start()
    assert status(envoy, world.token()) == 200
    assert status(envoy, world.token(kid="es256")) == 401
    assert status(envoy, world.token(kid="es384")) == 401
    assert status(envoy, world.token("hs", "hs256", iss=world.issuer("a"))) == 401


def test_status_for_missing_keys(launch, world, issuer):
    issuer.stop()
    configuration = remote_site(world, issuer).configuration
    site = Site("remote", {**configuration, "unavailable_status": 503})
    envoy = launch(site, clusters={"issuer": issuer.port})
    answer = send(envoy.port("remote"), "/", bearer(world.token()))
    assert (answer.status, answer.body) == (503, b"Service Unavailable")
    assert answer.all("retry-after")
    assert send(envoy.port("remote"), "/").status == 401


def test_four_workers_share_one_fetch(start, world, issuer):
    issuer.hold()
    envoy = start(concurrency=4, timeout="30s")
    tokens = [(world.token(), 200), (world.token(exp=1), 401)]
    waiting = [(begin(envoy.port("remote"), "/", bearer(token)), code) for token, code in tokens * 20]
    assert waiting[0][0].is_waiting()
    issuer.release()
    assert [exchange.response().status for exchange, _ in waiting] == [code for _, code in waiting]
    assert {status(envoy, world.token()) for _ in range(40)} == {200}
    assert len(issuer.fetches) == 1

    new = generate("ES256", "new")
    token = world.token(key=new, algorithm="ES256", head={"kid": "new"})
    issuer.serve(world.key("a", "rs256"), new)
    exchanges = [begin(envoy.port("remote"), "/", bearer(token)) for _ in range(40)]
    assert {exchange.response().status for exchange in exchanges} == {200}
    assert len(issuer.fetches) == 2
