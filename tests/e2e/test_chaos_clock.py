"""The proxy's clock jumps, back and forth: tokens and keys count by what it shows, and nothing stops for good."""

import json

import pytest

from lab.issuer import Answer
from support import clock
from support.bootstrap import Site
from support.client import bearer, send, unique_path
from support.remote import provider
from support.revocation import ListServer, denylist
from support.wait import until

pytestmark = pytest.mark.skipif(not clock.COMPILER, reason="there is no C compiler")

HOUR = 3600
SETTINGS = {"timeout": "1s", "cache_duration": "2s", "max_stale": "1h", "unknown_kid_interval": "0.5s"}


@pytest.fixture
def lists():
    """A denylist of the test's own."""
    server = ListServer()
    yield server
    server.stop()


@pytest.fixture
def time(tmp_path):
    """The clock that the proxy sees."""
    return clock.Clock(tmp_path)


@pytest.fixture
def ask(launch, world, issuer, lists, time):
    """Sends a token to the only worker: the status, and the reason of a refusal."""
    issuer.serve(world.key("a", "rs256"))
    lists.answer_with = Answer(b'{"jti": ["gone"]}')
    revocation = {"denylists": [denylist("lists", lists.uri)]}
    site = Site("site", {"providers": {"a": {**provider(world, issuer.uri, **SETTINGS), "revocation": revocation}}})
    clusters = {"issuer": issuer.port, "lists": lists.port}
    envoy = launch(site, clusters=clusters, environment=time.environment)

    def ask(token):
        path = unique_path("/")
        status = send(envoy.port("site"), path, bearer(token)).status
        return status if status == 200 else envoy.denial(path)["reason"]

    return ask


def minted(world, time, **changes):
    """A token for an hour, of somebody whose clock shows the same."""
    now = time.now()
    return world.token(**{"iat": now, "nbf": now, "exp": now + HOUR, **changes})


@pytest.mark.parametrize("jumps", [(2 * HOUR, 0, 2 * HOUR), (-2 * HOUR, 0), (48 * HOUR, -48 * HOUR, 0)], ids=str)
def test_tokens_count_by_the_clock(ask, world, time, jumps):
    first, forged = minted(world, time), minted(world, time, iss="https://other.example/")
    # Remembered from here on.
    assert [ask(first) for _ in range(3)] == [200, 200, 200]
    for ahead in jumps:
        time.jump(ahead)
        own = minted(world, time)
        wanted = 200 if ahead == 0 else "token_expired" if ahead > 0 else "token_not_yet_valid"
        until(lambda wanted=wanted: ask(first) == wanted)
        until(lambda own=own: ask(own) == 200)
        assert (ask(forged) == "issuer_not_accepted", ask(minted(world, time, jti="gone"))) == (True, "token_revoked")


@pytest.mark.parametrize("ahead", [-2 * HOUR, 2 * HOUR], ids=["back", "forth"])
def test_keys_and_lists_are_fetched_after_a_jump(ask, world, issuer, lists, time, ahead):
    assert ask(minted(world, time)) == 200
    time.jump(ahead)
    before = len(issuer.fetches), len(lists.fetches)
    until(lambda: len(issuer.fetches) > before[0] + 1 and len(lists.fetches) > before[1] + 1)
    issuer.serve(world.key("a", "es256"))
    new = minted(world, time, kid="es256", jti="session")
    until(lambda: ask(new) == 200)
    until(lambda: ask(minted(world, time)) == "key_unknown")
    lists.answer_with = Answer(json.dumps({"jti": ["gone", "session"]}).encode())
    until(lambda: ask(new) == "token_revoked")


def test_keys_do_not_serve_for_ever_while_the_clock_jumps(ask, world, issuer, time):
    """Their server is away. By a clock that goes on they are too old; set back, they do not become young again."""
    assert ask(minted(world, time)) == 200
    issuer.stop()
    time.jump(2 * HOUR)
    until(lambda: ask(minted(world, time)) == "keys_unavailable")
    issuer.start()
    until(lambda: ask(minted(world, time)) == 200)
    time.jump(0)
    until(lambda: ask(minted(world, time)) == 200)
