"""Which route is taken when routes match on headers that the filter takes out or sets: not the one that it came by."""

import pytest

from support.bootstrap import TYPE, Site
from support.client import bearer, send, unique_path

pytestmark = pytest.mark.matrix


@pytest.fixture
def taken(launch, upstream, world):
    """The routes that a request has when it reaches the upstream, or the status of its refusal."""
    provider = world.provider("a")
    routes = [named("user", "x-user"), named("token", "authorization"), named("plain")]
    site = Site("main", {"providers": {"a": provider}}, routes=routes)
    forward = {"providers": {"a": {**provider, "forward": True, "claim_to_headers": []}}}
    off = {"jwt_warden": {"@type": TYPE + "envoy.config.route.v3.FilterConfig", "disabled": True}}
    some = [named("token", "authorization"), {**named("plain"), "typed_per_filter_config": off}]
    envoy = launch(site, Site("forward", forward, routes=routes), Site("some", site.configuration, routes=some))

    def taken(name, headers):
        path = unique_path("/")
        status = send(envoy.port(name), path, headers).status
        return (
            status
            if status != 200
            else [request.get("x-route") for request in upstream.requests if request.target == path]
        )

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


def test_the_route_that_was_chosen_first_says_whether_the_filter_is_on(taken, world):
    assert taken("some", bearer(world.token())) == ["plain"]
    assert taken("some", bearer(world.token(exp=1))) == 401
    assert taken("some", [("x-user", "mallory")]) == ["plain"]
