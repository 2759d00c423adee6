"""Token status lists: verified, unpacked within bounds, and refused where anything about them is wrong."""

import time
import zlib

import pytest

from lab.issuer import Answer
from lab.keys import base64url
from lab.tokens import token as sign
from support.revocation import UNAVAILABLE, WORKERS, ListServer, counted, on_every_worker, site, verdict
from support.wait import until

REVOKED = (401, "token_revoked")
MISSING = (401, "revocation_claim_missing")
AWAY = (UNAVAILABLE, "revocation_unavailable")


def packed(octets):
    """Octets as `lst`."""
    return base64url(zlib.compress(octets, 9))


def status_list(world, server, octets=b"\x02", bits=1, head=None, key=None, **changes):
    """An answer with a good list, but for the changes; by default only place 1 of 8 is revoked."""
    key = key or world.key("a", "es256")
    now = int(time.time())
    lst = packed(octets) if isinstance(octets, bytes) else octets
    good = {"sub": server.uri, "iat": now, "exp": now + 3600, "status_list": {"bits": bits, "lst": lst}}
    header = {"alg": key.alg, "kid": key.kid, "typ": "statuslist+jwt", **(head or {})}
    members = [{n: v for n, v in part.items() if v is not ...} for part in (header, {**good, **changes})]
    return Answer(sign(key, *members).encode(), headers={"content-type": "application/statuslist+jwt"})


def at(world, server, index, **changes):
    """A token with this place."""
    return world.token(status={"status_list": {"idx": index, "uri": server.uri}}, **changes)


@pytest.fixture
def server():
    """A status list of the test's own."""
    server = ListServer()
    yield server
    server.stop()


@pytest.fixture
def start(launch, world, server):
    """Starts an Envoy with the list: `start(workers=...)`."""

    def start(workers=1, **changes):
        one = {"uri": server.uri, "cluster": "idp", "timeout": "2s", "refresh": "1s", **changes}
        lists = {"deny": {"status_lists": [one]}, "allow": {"status_lists": [one], "on_unavailable": "allow"}}
        return launch(site(world, "listed", lists), clusters={"idp": server.port}, concurrency=workers)

    return start


@pytest.mark.matrix
def test_a_live_session_is_refused_on_every_worker(start, world, server):
    server.answer_with = status_list(world, server)
    envoy = start(WORKERS)
    token, other = at(world, server, 3), at(world, server, 2)
    for _ in range(2):
        assert on_every_worker(envoy, "listed", token, "/deny/") == {200}
    assert on_every_worker(envoy, "listed", at(world, server, 1), "/deny/") == {401}
    server.answer_with = status_list(world, server, b"\x0a")
    until(lambda: on_every_worker(envoy, "listed", token, "/deny/") == {401})
    assert verdict(envoy, "listed", token, "/deny/") == REVOKED
    assert on_every_worker(envoy, "listed", other, "/deny/") == {200}, "the near miss"
    assert {fetch.get("accept") for fetch in server.fetches} == {"application/statuslist+jwt"}
    until(lambda: counted(envoy, "revocation.provider.deny.answers.kind.status_list.result.success") >= 2)


@pytest.mark.parametrize(("bits", "index"), [(1, 15), (2, 7), (4, 3), (8, 1)])
def test_each_number_of_bits(start, world, server, bits, index):
    server.answer_with = status_list(world, server, b"\x00\x80", bits)
    envoy = start()
    assert verdict(envoy, "listed", at(world, server, index), "/deny/") == REVOKED
    assert verdict(envoy, "listed", at(world, server, index - 1), "/deny/") == 200
    assert verdict(envoy, "listed", at(world, server, index + 1), "/deny/") == MISSING, "beyond the list"


def test_what_a_token_says_of_its_status(start, world, server):
    server.answer_with = status_list(world, server)
    envoy = start()
    assert verdict(envoy, "listed", world.token(), "/deny/") == 200, "it has none"
    assert verdict(envoy, "listed", world.token(status={"other": 1}), "/deny/") == 200
    for status in (
        {"status_list": {"idx": 0, "uri": server.uri + "/"}},
        {"status_list": {"idx": 0, "uri": "https://elsewhere.example/1"}},
        {"status_list": {"idx": -1, "uri": server.uri}},
        {"status_list": {"idx": 1 << 70, "uri": server.uri}},
        {"status_list": {"idx": (1 << 64) - 1, "uri": server.uri}},
        {"status_list": {"idx": "0", "uri": server.uri}},
        {"status_list": {"uri": server.uri}},
        {"status_list": []},
        "good",
    ):
        for prefix in ("/deny/", "/allow/"):
            assert verdict(envoy, "listed", world.token(status=status), prefix) == MISSING, status
    assert len({fetch.target for fetch in server.fetches}) == 1, "nobody is asked at another place"


BOMB = packed(bytes(200 << 20))
WRONG = {
    "bomb": {"octets": BOMB},
    "not-zlib": {"octets": base64url(b"x" * 64)},
    "typ": {"head": {"typ": "JWT"}},
    "no-typ": {"head": {"typ": ...}},
    "sub": {"sub": "https://elsewhere.example/1"},
    "expired": {"exp": 1_700_000_000},
    "no-iat": {"iat": ...},
    "iss": {"iss": "https://b.example/"},
    "bits": {"bits": 3},
    "ttl": {"ttl": -1},
    "forged": {},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_list_changes_nothing(start, world, server, name):
    changes = dict(WRONG[name])
    if name == "forged":
        changes["key"] = world.key("b", "rs256")
    server.answer_with = status_list(world, server)
    envoy = start()
    good, revoked = at(world, server, 0), at(world, server, 1)
    assert verdict(envoy, "listed", revoked, "/deny/") == REVOKED
    server.answer_with = status_list(world, server, **{"octets": b"\x00", **changes})
    line = envoy.log_line("[warning]", "list not fetched", "kind=status_list", "cause=not_a_status_list")
    assert "old_list_serves_for=3" in line
    assert verdict(envoy, "listed", revoked, "/deny/") == REVOKED
    assert verdict(envoy, "listed", good, "/deny/") == 200


@pytest.mark.parametrize("answer", [Answer(b"<html>"), Answer(), Answer(status=500)], ids=["html", "empty", "500"])
def test_a_list_that_was_never_good(start, world, server, answer):
    server.answer_with = answer
    envoy = start()
    assert verdict(envoy, "listed", at(world, server, 0), "/deny/") == AWAY
    assert verdict(envoy, "listed", at(world, server, 0), "/allow/") == 200
    assert verdict(envoy, "listed", world.token(), "/deny/") == 200, "it has no status"


def test_a_list_serves_until_its_end(start, world, server):
    server.answer_with = status_list(world, server, exp=int(time.time()) + 15)
    envoy = start(WORKERS)
    assert on_every_worker(envoy, "listed", at(world, server, 0), "/deny/") == {200}
    server.stop()
    until(lambda: on_every_worker(envoy, "listed", at(world, server, 0), "/deny/") == {UNAVAILABLE})
    assert on_every_worker(envoy, "listed", at(world, server, 0), "/allow/") == {200}
    server.answer_with = status_list(world, server)
    server.start()
    until(lambda: on_every_worker(envoy, "listed", at(world, server, 0), "/deny/") == {200})
