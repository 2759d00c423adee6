"""A request that gets another route than the one that it was judged by is refused behind the filter."""

import pytest

from support.bootstrap import Site
from support.client import send, unique_path
from support.handbook import blocks

pytestmark = pytest.mark.matrix


def route(name, header=None, metadata=None):
    """A route to the upstream, for requests with this header."""
    headers = [{"name": header, "present_match": True}] if header else []
    given = {"name": name, "match": {"prefix": "/", "headers": headers}, "route": {"cluster": "upstream"}}
    return given if metadata is None else {**given, "metadata": {"filter_metadata": {"jwt_warden": metadata}}}


def by_name(name, **requires):
    return {"match": {"route_name": name}, **requires}


@pytest.fixture(scope="module")
def envoy(launch, world):
    """Routes that a client chooses by headers that the filter takes out, and behind them a strict one."""
    provider = world.provider("a", from_headers=[{"name": "x-token"}])
    strict = {"requires": {"provider_name": "a", "scopes": ["write"]}}
    rules = [by_name("open"), by_name("weak", requires={"provider_name": "a"}), by_name("strict", **strict)]
    named = {"providers": {"a": provider}, "rules": rules}
    mapped = {
        "providers": {"a": provider},
        "requirement_map": {"strict": strict["requires"]},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "a"}}],
    }
    routes = [route("open", "x-user"), route("weak", "x-token"), route("strict")]
    marked = [
        route("open", "x-user", {"disabled": True}),
        route("weak", "x-token"),
        route("strict", None, ask("strict")),
    ]
    same = [route("weak")]
    sites = {
        "names": (named, routes),
        "metadata": (mapped, marked),
        "same": (named, same),
        "unnamed": (mapped, [route("")]),
    }
    guard = blocks().same_route
    guarded = [Site(name, given, routes=routes, behind=guard) for name, (given, routes) in sites.items()]
    return launch(*guarded, *[Site(f"{name}-bare", given, routes=routes) for name, (given, routes) in sites.items()])


def ask(name):
    return {"requirement_name": name}


@pytest.fixture
def status(envoy, upstream):
    """The status of a request and whether it reached the upstream."""

    def status(site, headers):
        path = unique_path("/")
        answer = send(envoy.port(site), path, headers)
        reached = any(request.target == path for request in upstream.requests)
        assert reached == (answer.status == 200)
        return answer.status, answer.body if answer.status == 403 else b""

    return status


CHANGED = (403, b"RBAC: access denied")
PASSED = (200, b"")


@pytest.mark.parametrize("site", ["names", "metadata"])
def test_a_changed_route_is_refused(status, world, site):
    token = [("x-token", world.token())]
    # By the weak route, or by none that asks for anything; and then the strict one is taken.
    for headers in (token, [("x-user", "mallory")]):
        assert status(f"{site}-bare", headers) == PASSED
        assert status(site, headers) == CHANGED
    # Refused by the filter itself, as without the guard.
    assert status(site, [])[0] == status(f"{site}-bare", [])[0] == 401


def test_an_unchanged_route_passes(status, world):
    for _ in range(2):
        assert status("same", [("x-token", world.token())]) == PASSED
    assert status("same", [])[0] == 401


def test_a_route_without_a_name_cannot_be_told_from_others(status, world):
    assert status("unnamed-bare", [("x-token", world.token())]) == PASSED
    assert status("unnamed", [("x-token", world.token())]) == CHANGED
