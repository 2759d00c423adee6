"""Which route is taken when routes match on headers that the filter takes out or sets: not the one that it came by."""

import pytest

from support.bootstrap import Site
from support.client import bearer, send, unique_path

pytestmark = pytest.mark.matrix


@pytest.fixture
def taken(launch, upstream, world):
    """The routes that a request has when it reaches the upstream."""
    provider = world.provider("a")
    routes = [named("user", "x-user"), named("token", "authorization"), named("plain")]
    site = Site("main", {"providers": {"a": provider}}, routes=routes)
    forward = {"providers": {"a": {**provider, "forward": True, "claim_to_headers": []}}}
    envoy = launch(site, Site("forward", forward, routes=routes))

    def taken(name, headers):
        path = unique_path("/")
        assert send(envoy.port(name), path, headers).status == 200
        return [request.get("x-route") for request in upstream.requests if request.target == path]

    return taken


def named(name, header=None):
    """A route that tells the upstream its name; it is for requests with this header."""
    headers = [{"name": header, "present_match": True}] if header else []
    told = [{"header": {"key": "x-route", "value": name}}]
    route = {"match": {"prefix": "/", "headers": headers}, "route": {"cluster": "upstream"}}
    return {**route, "request_headers_to_add": told}


def test_a_route_is_chosen_by_what_the_filter_leaves(taken, world):
    token = bearer(world.token())
    assert taken("main", token) == ["user"]
    assert taken("main", [*token, ("x-user", "mallory")]) == ["user"]
    assert taken("forward", token) == ["token"]
