"""A server that was good and turns bad: no wrong answer takes the good keys away, and each is in the log once."""

import gzip
import itertools
import json

import pytest

from conftest import WORLD
from lab.issuer import Answer, JwksServer
from lab.keys import EcKey, RsaKey, base64url
from support.bootstrap import Site
from support.client import bearer, send, unique_path
from support.remote import provider, remote_site, status
from support.wait import until
from support.world import jwks, rule

OTHER = jwks([WORLD.key("a", "es256")]).encode()
WRONG = {
    "500": (Answer(OTHER, status=500), "status"),
    "404": (Answer(status=404), "status"),
    "302": (Answer(OTHER, status=302, headers={"location": "/elsewhere"}), "status"),
    "empty": (Answer(), "not_a_key_set"),
    "html": (Answer(b"<html>Sign in to the hotel</html>"), "not_a_key_set"),
    "truncated": (Answer(OTHER[:-2]), "not_a_key_set"),
    "gzip": (Answer(gzip.compress(OTHER), headers={"content-encoding": "gzip"}), "not_a_key_set"),
    "50-megabytes": (Answer(b'{"keys":[' + b" " * (50 << 20)), "reset"),
    "10000-keys": (Answer(json.dumps({"keys": [{}] * 10_000}).encode()), "not_a_key_set"),
    "no-usable-key": (Answer(jwks([WORLD.key("hs", "hs256")]).encode()), "no_usable_key"),
    "silent": (Answer(silent=True), "timeout"),
    "cut": (Answer(OTHER, content_length=len(OTHER) + 1, cut=True), "reset"),
    "length-lies": (Answer(OTHER, content_length=len(OTHER) // 2), "not_a_key_set"),
}
RETRIES = {"backoff": {"base_interval": "0.1s", "max_interval": "0.2s"}, "cache_duration": "1s", "max_stale": "1h"}


@pytest.fixture(scope="module")
def turned(launch, world):
    """An Envoy with a provider for every wrong answer: its keys were good once."""
    servers = {name: JwksServer(world.key("a", "rs256")) for name in WRONG}
    providers = {n: provider(world, s.uri, f"issuer-{n}", timeout="2s", **RETRIES) for n, s in servers.items()}
    rules = [rule(f"/{name}/", name) for name in providers]
    clusters = {f"issuer-{name}": server.port for name, server in servers.items()}
    site = Site("remote", {"providers": providers, "rules": rules})
    envoy = launch(site, clusters=clusters, concurrency=4)
    for name in WRONG:
        assert status(envoy, world.token(), f"/{name}/") == 200
    seen = {}
    for name, server in servers.items():
        server.answer_with = WRONG[name][0]
        seen[name] = len(server.fetches)
    until(lambda: all(len(server.fetches) >= seen[name] + 3 for name, server in servers.items()))
    yield envoy
    for server in servers.values():
        server.stop()


@pytest.mark.parametrize("name", WRONG)
def test_the_old_keys_stay(name, turned, world):
    assert {status(turned, world.token(), f"/{name}/") for _ in range(8)} == {200}
    path = unique_path(f"/{name}/")
    assert send(turned.port("remote"), path, bearer(world.token(kid="es256"))).status == 401
    assert turned.denial(path)["reason"] == "key_unknown"


@pytest.mark.parametrize("name", WRONG)
def test_one_line_tells_that_it_changed(name, turned):
    line = turned.log_line("[warning]", "keys not fetched", f'provider="{name}"', f"cause={WRONG[name][1]} ")
    lines = [other for other in turned.log().splitlines() if "[warning]" in other and f'provider="{name}"' in other]
    causes = [other.split(" cause=")[1].split()[0] for other in lines if "keys not fetched" in other]
    # A machine under load adds a timeout now and then, which is a change of its own.
    assert all(cause != following for cause, following in itertools.pairwise(causes)), causes
    assert set(causes) <= {WRONG[name][1], "timeout"}
    assert "old_keys_serve_for=36" in line or "old_keys_serve_for=35" in line


def test_bad_keys_count_for_nothing_beside_good_ones(launch, world, issuer):
    private = EcKey("P-256", "private", "ES256")
    giant = RsaKey(2048, "giant", "RS256")
    weak = RsaKey(1024, "weak", "RS256")
    outside = EcKey("P-256", "outside", "ES256")
    twins = [EcKey("P-256", "twin", "ES256"), EcKey("P-256", "twin", "ES256")]
    documents = [
        private.jwk(d=base64url(b"\x01" * 32)),
        giant.jwk(n=base64url(b"\xff" * 2048)),
        weak.jwk(),
        outside.jwk(y=base64url(b"\x01" * 32)),
        *(twin.jwk() for twin in twins),
        world.key("hs", "hs256").jwk(),
        world.key("a", "rs256").jwk(),
    ]
    issuer.answer_with = Answer(json.dumps({"keys": documents}).encode())
    envoy = launch(remote_site(world, issuer), clusters={"issuer": issuer.port})

    def signed_by(key):
        return world.token(key=key, algorithm=key.alg, head={"kid": key.kid})

    assert status(envoy, world.token()) == 200
    for twin in twins:
        assert status(envoy, signed_by(twin)) == 200
    for bad in (private, giant, weak, outside, world.key("hs", "hs256")):
        assert status(envoy, signed_by(bad)) == 401, bad.kid
    for kid in ("private", "giant", "weak", "outside", "hs256"):
        envoy.log_line("[warning]", "key skipped", kid)
    assert envoy.stats("wasmcustom.jwt_warden.jwks.provider.a.keys_skipped") == {
        "wasmcustom.jwt_warden.jwks.provider.a.keys_skipped": 5
    }
