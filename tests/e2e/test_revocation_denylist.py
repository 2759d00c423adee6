"""Denylists: a live session is revoked on every worker, and no bad list takes the good one away."""

import itertools
import json
import uuid

import pytest

from lab.issuer import Answer
from support.client import bearer, send, unique_path
from support.revocation import UNAVAILABLE, WORKERS, ListServer, counted, denylist, on_every_worker, site, verdict
from support.wait import until

REVOKED = (401, "token_revoked")


def document(*ids, **members):
    """A denylist with twenty entries more."""
    return Answer(json.dumps({"jti": [*ids, *(f"other-{number}" for number in range(20))], **members}).encode())


GOOD = document("gone").body
WRONG = {
    "500": (Answer(GOOD, status=500), "status"),
    "404": (Answer(status=404), "status"),
    "302": (Answer(GOOD, status=302, headers={"location": "/elsewhere"}), "status"),
    "304-unasked": (Answer(status=304), "status"),
    "no-body": (Answer(), "not_a_denylist"),
    "html": (Answer(b"<html>Sign in to the hotel</html>"), "not_a_denylist"),
    "truncated": (Answer(GOOD[:-2]), "not_a_denylist"),
    "list": (Answer(b'["gone"]'), "not_a_denylist"),
    "unknown-member": (Answer(b'{"jtis":["gone"]}'), "not_a_denylist"),
    "31-megabytes": (Answer(b'{"jti":[' + b" " * (31 << 20)), "too_large"),
    "33-megabytes": (Answer(b'{"jti":[' + b" " * (33 << 20)), "reset"),
    "50-megabytes": (Answer(b'{"jti":[' + b" " * (50 << 20)), "reset"),
    "silent": (Answer(silent=True), "timeout"),
    "cut": (Answer(GOOD, content_length=len(GOOD) + 1, cut=True), "reset"),
    "gone-away": (None, "unreachable"),
}


@pytest.fixture
def server():
    """A denylist of the test's own."""
    server = ListServer()
    yield server
    server.stop()


@pytest.mark.matrix
def test_a_live_session_is_refused_on_every_worker(launch, world, server):
    server.answer_with = document()
    lists = {"a": {"denylists": [denylist("idp", server.uri)]}}
    envoy = launch(site(world, "live", lists), clusters={"idp": server.port}, concurrency=WORKERS)
    now = world.claims()["iat"]
    claims = {"jti": "session-1", "sid": "browser-1", "sub": "alice", "client_id": "app", "iat": now - 60}
    token, other = world.token(**claims), world.token(jti="session-2")
    assert on_every_worker(envoy, "live", token, "/a/") == {200}
    assert on_every_worker(envoy, "live", token, "/a/") == {200}
    for members, detail in (
        ({"jti": ["session-1"]}, "jti"),
        ({"sid": ["browser-1"]}, "sid"),
        ({"client_id": ["app"]}, "client_id"),
        ({"sub": {"alice": now - 59}}, "sub"),
        ({"issued_before": now - 59}, "issued_before"),
    ):
        server.answer_with = Answer(json.dumps(members).encode())
        until(lambda: on_every_worker(envoy, "live", token, "/a/") == {401})
        path = unique_path("/a/")
        assert send(envoy.port("live"), path, bearer(token)).status == 401
        denial = envoy.denial(path)
        assert (denial["reason"], detail in denial["detail"]) == ("token_revoked", True), denial
        assert on_every_worker(envoy, "live", other, "/a/") == {200}, "the near miss"
        server.answer_with = document("other")
        until(lambda: on_every_worker(envoy, "live", token, "/a/") == {200})
    server.answer_with = Answer(json.dumps({"sub": {"alice": now - 60}}).encode())
    fetches = len(server.fetches)
    until(lambda: len(server.fetches) >= fetches + 3)
    assert on_every_worker(envoy, "live", token, "/a/") == {200}, "issued at that time is not issued before"
    until(lambda: counted(envoy, "revocation.provider.a.answers.kind.denylist.result.success") >= 11)


def test_a_proxy_asks_once_and_for_changes_only(launch, world, server):
    server.answer_with = Answer(GOOD, headers={"etag": '"v1"'})
    server.etag = '"v1"'
    lists = {"a": {"denylists": [denylist("idp", server.uri)]}}
    envoy = launch(site(world, "live", lists), clusters={"idp": server.port}, concurrency=WORKERS)
    assert verdict(envoy, "live", world.token(jti="gone"), "/a/") == REVOKED
    until(lambda: len(server.fetches) >= 4)
    first, *others = server.fetches
    assert (first.get("if-none-match"), first.get("accept")) == (None, "application/json")
    assert {other.get("if-none-match") for other in others} == {'"v1"'}
    assert on_every_worker(envoy, "live", world.token(jti="gone"), "/a/") == {401}
    assert envoy.log().count("list fetched") == 1


@pytest.fixture(scope="module")
def turned(launch, world):
    """An Envoy with a provider for every wrong answer: its list was good once."""
    servers = {name: ListServer() for name in WRONG}
    for server in servers.values():
        server.answer_with = Answer(GOOD)
    lists = {name: {"denylists": [denylist(name, each.uri, timeout="2s")]} for name, each in servers.items()}
    clusters = {name: server.port for name, server in servers.items()}
    envoy = launch(site(world, "turned", lists), clusters=clusters, concurrency=WORKERS)
    seen = {}
    for name, server in servers.items():
        assert verdict(envoy, "turned", world.token(jti="gone"), f"/{name}/") == REVOKED
        server.answer_with = WRONG[name][0]
        seen[name] = len(server.fetches)
        if server.answer_with is None:
            server.stop()
    yield envoy
    for server in servers.values():
        server.stop()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_changes_nothing(name, turned, world):
    cause = WRONG[name][1]
    line = turned.log_line("[warning]", "list not fetched", f'provider="{name}"', f"cause={cause} ")
    assert "old_list_serves_for=3" in line and "kind=denylist" in line
    assert on_every_worker(turned, "turned", world.token(jti="gone"), f"/{name}/") == {401}
    assert on_every_worker(turned, "turned", world.token(jti=str(uuid.uuid4())), f"/{name}/") == {200}
    until(lambda: counted(turned, f"revocation.provider.{name}.answers.kind.denylist.result.{cause}") >= 2)
    lines = [other for other in turned.log().splitlines() if "[warning]" in other and f'provider="{name}"' in other]
    causes = [other.split(" cause=")[1].split()[0] for other in lines if "list not fetched" in other]
    assert all(one != following for one, following in itertools.pairwise(causes)), causes


@pytest.mark.parametrize("short", [b"{}", json.dumps({"jti": ["gone"] * 10}).encode()], ids=["empty", "halved"])
def test_a_list_that_has_shrunk_has_to_be_there_twice(launch, world, server, short):
    """By mistake it is so once; whoever means it means it again."""
    server.answer_with = document("gone", "back")
    lists = {"a": {"denylists": [denylist("idp", server.uri)]}}
    envoy = launch(site(world, "shrunk", lists), clusters={"idp": server.port}, concurrency=WORKERS)
    token = world.token(jti="back")
    assert verdict(envoy, "shrunk", token, "/a/") == REVOKED
    once = len(server.fetches)
    server.answer_with = Answer(short)
    until(lambda: len(server.fetches) > once)
    server.answer_with = document("gone", "back")
    envoy.log_line("[warning]", "list not fetched", "cause=shrunk", "from 22 entries")
    envoy.log_line("list confirmed", "failures_before=1")
    assert on_every_worker(envoy, "shrunk", token, "/a/") == {401}
    server.answer_with = Answer(short)
    until(lambda: on_every_worker(envoy, "shrunk", token, "/a/") == {200})
    until(lambda: counted(envoy, "revocation.provider.a.answers.kind.denylist.result.shrunk") >= 2)


def test_a_list_that_is_away_for_too_long(launch, world, server):
    server.answer_with = document("gone")
    one = denylist("idp", server.uri, max_stale="2s")
    lists = {"deny": {"denylists": [one]}, "allow": {"denylists": [one], "on_unavailable": "allow"}}
    envoy = launch(site(world, "away", lists), clusters={"idp": server.port}, concurrency=WORKERS)
    good, gone = world.token(jti="good"), world.token(jti="gone")
    for prefix in ("/deny/", "/allow/"):
        assert on_every_worker(envoy, "away", good, prefix) == {200}
        assert on_every_worker(envoy, "away", gone, prefix) == {401}
    server.stop()
    until(lambda: on_every_worker(envoy, "away", good, "/deny/") == {UNAVAILABLE})
    assert verdict(envoy, "away", gone, "/deny/") == (UNAVAILABLE, "revocation_unavailable")
    envoy.log_line("[warning]", "list not fetched", "cause=unreachable")
    before = counted(envoy, "requests.verdict.allowed.provider.allow.reason.verified_without_revocation")
    assert on_every_worker(envoy, "away", good, "/allow/") == {200}
    until(lambda: counted(envoy, "requests.verdict.allowed.provider.allow.reason.verified_without_revocation") > before)
    server.start()
    until(lambda: on_every_worker(envoy, "away", good, "/deny/") == {200})
    for prefix in ("/deny/", "/allow/"):
        until(lambda prefix=prefix: on_every_worker(envoy, "away", gone, prefix) == {401})


def test_a_list_that_was_never_there(launch, world, server):
    server.stop()
    one = denylist("idp", server.uri)
    lists = {"deny": {"denylists": [one]}, "allow": {"denylists": [one], "on_unavailable": "allow"}}
    envoy = launch(site(world, "never", lists), clusters={"idp": server.port}, concurrency=WORKERS)
    assert on_every_worker(envoy, "never", world.token(), "/deny/") == {UNAVAILABLE}
    assert on_every_worker(envoy, "never", world.token(), "/allow/") == {200}
    envoy.log_line("[warning]", "list not fetched", "old_list_serves_for=none")
