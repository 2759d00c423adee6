"""Nothing of a request goes upstream before its decision, its body included."""

import pytest

from support.bootstrap import Site
from support.client import Exchange, bearer, begin, head, send, unique_path
from support.wait import until
from support.world import rule

pytestmark = pytest.mark.matrix

SITES = {"plain": {}, "stop-iteration": {"allow_on_headers_stop_iteration": True}}
BODY = b"x" * 100_000


@pytest.fixture(scope="module")
def envoy(launch, world):
    return launch(*(Site(name, world.configuration(), plugin=plugin) for name, plugin in SITES.items()))


@pytest.fixture(params=SITES)
def port(request, envoy):
    return envoy.port(request.param)


def test_refused_with_a_body(port, world, upstream):
    for headers in ([], bearer(world.token(exp=1))):
        path = unique_path("/a/")
        assert send(port, path, headers, "POST", BODY).status == 401
        assert not arrived(upstream, path)


def test_refused_chunked_with_trailers(port, world, upstream):
    for headers in ([], bearer(world.token(exp=1))):
        path = unique_path("/a/")
        assert chunked(port, path, headers).response().status == 401
        assert not arrived(upstream, path)


def test_accepted_with_a_body(port, world, upstream):
    path = unique_path("/a/")
    assert send(port, path, bearer(world.token()), "POST", BODY).status == 200
    assert [request.body for request in arrived(upstream, path)] == [BODY]


def test_accepted_chunked_with_trailers(port, world, upstream):
    path = unique_path("/a/")
    assert chunked(port, path, bearer(world.token())).response().status == 200
    assert [(request.body, request.trailers) for request in arrived(upstream, path)] == [(BODY, [("x-sum", "1")])]


def test_body_in_pieces(port, world, upstream):
    for token, status in ((world.token(), 200), (world.token(exp=1), 401)):
        path = unique_path("/a/")
        exchange = Exchange(port, head(path, [*bearer(token), ("content-length", "6")], "POST"))
        if status == 200:
            until(lambda path=path: arrived(upstream, path))
            exchange.send(b"abc")
            exchange.send(b"def")
        assert exchange.response().status == status
        assert [request.body for request in arrived(upstream, path)] == ([b"abcdef"] if status == 200 else [])


@pytest.mark.parametrize("site", SITES)
def test_while_the_keys_are_on_their_way(site, launch, world, upstream, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    remote = {"remote_jwks": {"http_uri": {"uri": issuer.uri, "cluster": "issuer", "timeout": "20s"}}}
    provider = world.provider("a", **remote)
    del provider["local_jwks"]
    configuration = {"providers": {"a": provider}, "rules": [rule("/", "a")]}
    port = launch(Site("slow", configuration, plugin=SITES[site]), clusters={"issuer": issuer.port}).port("slow")

    requests = []
    for token, status in ((world.token(), 200), (world.token(exp=1), 401), (world.token(sub="x") + "A", 401)):
        for send_body in (begin_whole, chunked):
            path = unique_path("/")
            requests.append((path, status, send_body(port, path, bearer(token))))

    for path, _, exchange in requests[:4]:
        assert exchange.is_waiting(), path
    assert not [path for path, _, _ in requests if arrived(upstream, path)]

    issuer.release()
    for path, status, exchange in requests:
        assert exchange.response().status == status
        assert [request.body for request in arrived(upstream, path)] == ([BODY] if status == 200 else [])


def begin_whole(port, path, headers):
    """A request with a body of known length."""
    return begin(port, path, headers, "POST", BODY)


def chunked(port, path, headers):
    """A request with a body in chunks, and trailers."""
    exchange = Exchange(port, head(path, [*headers, ("transfer-encoding", "chunked")], "POST"))
    half = len(BODY) // 2
    for part in (BODY[:half], BODY[half:]):
        exchange.send(f"{len(part):x}\r\n".encode() + part + b"\r\n")
    exchange.send(b"0\r\nx-sum: 1\r\n\r\n")
    return exchange


def arrived(upstream, path):
    """What of this request reached the upstream."""
    return [request for request in upstream.requests if request.target == path]
