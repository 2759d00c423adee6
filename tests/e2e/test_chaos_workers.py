"""From one worker to eight: each decides alike, and all of them together ask once."""

import pytest

from lab.issuer import Answer
from support import load
from support.bootstrap import Site, direct_response
from support.remote import provider
from support.revocation import ListServer, denylist
from support.wait import until

CONNECTIONS = 40


@pytest.fixture
def lists():
    """A denylist of the test's own."""
    server = ListServer()
    yield server
    server.stop()


@pytest.mark.parametrize("workers", range(1, 9))
def test_all_workers_decide_alike(launch, world, issuer, lists, workers):
    issuer.serve(world.key("a", "rs256"))
    lists.answer_with = Answer(b'{"jti": ["gone"]}')
    settings = {"cache_duration": "720h", "unknown_kid_interval": "0.1s"}
    given = {**provider(world, issuer.uri, **settings), "revocation": {"denylists": [denylist("lists", lists.uri)]}}
    site = Site("site", {"providers": {"a": given}}, route=direct_response(), listener={"stat_prefix": "site"})
    envoy = launch(site, clusters={"issuer": issuer.port, "lists": lists.port}, concurrency=workers)
    good, new = world.token(jti="session"), world.token(kid="es256", jti="session")
    wrong = [world.token(jti="gone"), world.token(key=world.key("b", "rs256")), world.token(exp=1)]

    def seen(*tokens):
        """The statuses, every worker having been asked."""
        before, statuses = accepted(envoy, workers), set()

        def everybody_was_asked():
            requests = [("", load.request(token)) for token in tokens]
            statuses.update(load.statuses(load.run(envoy.port("site"), requests * CONNECTIONS, CONNECTIONS)))
            return all(now > earlier for now, earlier in zip(accepted(envoy, workers), before, strict=True))

        until(everybody_was_asked)
        return statuses

    assert (seen(good), seen(*wrong)) == ({200}, {401})
    assert len(issuer.fetches) == 1
    issuer.serve(world.key("a", "rs256"), world.key("a", "es256"))
    assert (seen(new), seen(good), len(issuer.fetches)) == ({200}, {200}, 2)
    lists.answer_with = Answer(b'{"jti": ["gone", "session"]}')
    until(lambda: seen(good, new) == {401})


def accepted(envoy, workers):
    """How many connections each worker has taken."""
    names = [f"listener.site.worker_{number}.downstream_cx_total" for number in range(workers)]
    return [envoy.stats(name).get(name, 0) for name in names]
