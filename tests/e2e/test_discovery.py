"""Keys that are found by the issuer's metadata."""

import pytest

from lab.issuer import JwksServer
from lab.keys import generate
from support.bootstrap import Site
from support.remote import status
from support.wait import until
from support.world import rule


@pytest.fixture
def keys_host(world):
    """Another host, which serves the keys."""
    server = JwksServer(world.key("a", "rs256"))
    yield server
    server.stop()


def site(world, issuer, **changes):
    """One provider whose keys are found by the metadata at `issuer`; `changes` to `discovery`."""
    provider = world.provider("a")
    del provider["local_jwks"]
    http_uri = {"uri": issuer.metadata_uri, "cluster": "issuer", "timeout": "2s"}
    provider["discovery"] = {
        "http_uri": http_uri,
        "backoff": {"base_interval": "0.1s", "max_interval": "0.5s"},
        **changes,
    }
    return Site("remote", {"providers": {"a": provider}, "rules": [rule("/", "a")]})


def metadata(world, jwks_uri, **changes):
    return {"issuer": world.provider("a")["issuer"], "jwks_uri": jwks_uri, "scopes_supported": ["openid"], **changes}


def test_the_same_host(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.metadata = metadata(world, issuer.uri)
    envoy = launch(site(world, issuer), clusters={"issuer": issuer.port}, concurrency=4)
    assert status(envoy, world.token()) == 200
    assert status(envoy, world.token(exp=1)) == 401
    assert [fetch.target for fetch in issuer.fetches] == ["/.well-known/openid-configuration", "/jwks.json"]


def test_a_rotation(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.metadata = metadata(world, issuer.uri)
    envoy = launch(site(world, issuer), clusters={"issuer": issuer.port})
    assert status(envoy, world.token()) == 200
    new = generate("ES256", "new")
    issuer.serve(new)
    assert status(envoy, world.token(key=new, algorithm="ES256", head={"kid": "new"})) == 200
    assert status(envoy, world.token()) == 401


def test_a_mapped_host(launch, world, issuer, keys_host):
    issuer.metadata = metadata(world, keys_host.uri)
    clusters = {"issuer": issuer.port, "keys": keys_host.port}
    mapped = site(world, issuer, jwks_clusters={f"127.0.0.1:{keys_host.port}": "keys"})
    envoy = launch(mapped, clusters=clusters)
    assert status(envoy, world.token()) == 200
    assert [fetch.target for fetch in keys_host.fetches] == ["/jwks.json"]


@pytest.mark.parametrize("cause", ["unmapped_host", "other_issuer", "not_metadata"])
def test_metadata_that_do_not_count(launch, world, issuer, keys_host, cause):
    issuer.serve(world.key("a", "rs256"))
    issuer.metadata = {
        "unmapped_host": metadata(world, keys_host.uri),
        "other_issuer": metadata(world, issuer.uri, issuer="https://other.example"),
        "not_metadata": ["no", "object"],
    }[cause]
    envoy = launch(site(world, issuer), clusters={"issuer": issuer.port, "keys": keys_host.port})
    assert status(envoy, world.token()) == 401
    assert f" cause={cause} " in envoy.log_line("[warning]", "keys not fetched")
    assert not keys_host.fetches and {fetch.target for fetch in issuer.fetches} == {"/.well-known/openid-configuration"}
    issuer.metadata = metadata(world, issuer.uri)
    until(lambda: status(envoy, world.token()) == 200)
