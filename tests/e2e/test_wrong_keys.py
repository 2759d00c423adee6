"""Whatever a JWKS endpoint answers: no key of it counts, nothing breaks, and the log says why."""

import gzip

import pytest

from conftest import WORLD
from lab.issuer import Answer, JwksServer
from support.bootstrap import Site
from support.client import bearer, send, unique_path
from support.remote import provider, status
from support.world import jwks, rule

KEYS = jwks([WORLD.key("a", "rs256")]).encode()
WRONG = {
    "500": Answer(status=500),
    "404": Answer(b"not found", status=404),
    "503": Answer(status=503),
    "302": Answer(status=302, headers={"location": "/elsewhere"}),
    "500-with-keys": Answer(KEYS, status=500),
    "empty": Answer(),
    "garbage": Answer(b"\xff\x00\x13" * 100),
    "html": Answer(b"<html><body>Welcome to the airport</body></html>"),
    "array": Answer(b"[]"),
    "no-keys": Answer(b"{}"),
    "keys-not-an-array": Answer(b'{"keys":{}}'),
    "empty-set": Answer(b'{"keys":[]}'),
    "deep": Answer(b'{"keys":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}"),
    "huge": Answer(b'{"keys":[' + b" " * 1_000_000 + b"]}"),
    "beyond-the-host": Answer(b" " * (33 << 20)),
    "cut": Answer(KEYS, content_length=len(KEYS) + 1, cut=True),
    "longer-than-it-says": Answer(KEYS, content_length=len(KEYS) // 2),
    "never-ends": Answer(KEYS, content_length=len(KEYS) + 1, endless=True),
    "silent": Answer(silent=True),
    "gzip": Answer(gzip.compress(KEYS), headers={"content-encoding": "gzip"}),
    "many-headers": Answer(status=500, headers={f"x-{i}": "x" * 500 for i in range(90)}),
    "too-many-keys": Answer(jwks([WORLD.key("a", "rs256")] * 257).encode()),
}


@pytest.fixture(scope="module")
def wrong(launch, world):
    """One Envoy with a provider for every wrong answer, an unknown cluster, and one provider whose keys are good."""
    servers = {name: JwksServer() for name in [*WRONG, "good"]}
    for name, answer in WRONG.items():
        servers[name].answer_with = answer
    servers["good"].serve(world.key("a", "rs256"))
    providers = {name: provider(world, server.uri, f"issuer-{name}") for name, server in servers.items()}
    providers["unknown-cluster"] = provider(world, "http://127.0.0.1/jwks.json", "nobody")
    rules = [rule(f"/{name}/", name) for name in providers]
    clusters = {f"issuer-{name}": server.port for name, server in servers.items()}
    yield launch(Site("remote", {"providers": providers, "rules": rules}), clusters=clusters)
    for server in servers.values():
        server.stop()


@pytest.mark.parametrize("name", [*WRONG, "unknown-cluster"])
def test_wrong_answer(name, wrong, world, upstream):
    path = unique_path(f"/{name}/")
    answer = send(wrong.port("remote"), path, bearer(world.token()))
    assert (answer.status, answer.body) == (401, b"Unauthorized")
    assert not [request for request in upstream.requests if request.target == path]
    # A set without keys is a set: then it is the key that is missing.
    assert wrong.denial(path)["reason"] in ("keys_unavailable", "key_unknown")
    assert status(wrong, world.token(), "/good/") == 200


def test_why_a_fetch_failed_is_in_the_log(wrong):
    for name in ("500", "html", "cut", "unknown-cluster"):
        wrong.log_line("jwt-warden", f'provider="{name}"')
