"""What Envoy's routes, virtual hosts and listeners ask for in their metadata."""

import pytest

from support.bootstrap import Site
from support.client import bearer, begin, send, unique_path
from support.remote import remote_site

WRITE = {"requirement_name": "write"}
OPEN = {"disabled": True}
# By name of the route: what its metadata say; the statuses without a token, with one and with one that has the scope.
ROUTES = {
    "none": (None, (401, 200, 200)),
    "write": (WRITE, (401, 403, 200)),
    "optional": ({"requirement_name": "optional"}, (200, 200, 200)),
    "open": (OPEN, (200, 200, 200)),
    "enabled": ({"disabled": False}, (401, 200, 200)),
    "both": ({"disabled": False, **WRITE}, (401, 403, 200)),
    "empty": ({}, (401, 200, 200)),
    "unknown": ({"requirement_name": "writes"}, 403),
    "blank": ({"requirement_name": ""}, 403),
    "number": ({"requirement_name": 5}, 403),
    "named_list": ({"requirement_name": ["write"]}, 403),
    "named_null": ({"requirement_name": None}, 403),
    "string": ({"disabled": "true"}, 403),
    "one": ({"disabled": 1}, 403),
    "list": ({"disabled": [True]}, 403),
    "struct": ({"disabled": {"value": True}}, 403),
    "null": ({"disabled": None}, 403),
    "another": ({"disabled": True, "reason": "why not"}, 403),
    "contradiction": ({**OPEN, **WRITE}, 403),
    "spelling": ({"requirementName": "write"}, 403),
}
# The metadata of listener, virtual host and route; the statuses without a token, with one and with the scope.
LEVELS = {
    ("open", "", ""): (200, 200, 200),
    ("write", "", ""): (401, 403, 200),
    ("open", "write", ""): (401, 403, 200),
    ("write", "open", ""): (200, 200, 200),
    ("write", "open", "write"): (401, 403, 200),
    ("write", "", "open"): (200, 200, 200),
    ("open", "open", "empty"): (401, 200, 200),
    ("", "open", "null"): (403, 403, 403),
    ("open", "null", ""): (403, 403, 403),
    ("null", "open", ""): (200, 200, 200),
    ("null", "", ""): (403, 403, 403),
}


def to_upstream(metadata, prefix="/", name=""):
    """A route to the upstream with these metadata."""
    route = {"name": name, "match": {"prefix": prefix}, "route": {"cluster": "upstream"}}
    return {**route, **under_our_name(metadata)}


def under_our_name(metadata):
    return {} if metadata is None else {"metadata": {"filter_metadata": {"jwt_warden": metadata}}}


def configuration(world, **changes):
    """`write` asks for a scope; /public asks for nothing, all else for a token."""
    requirements = {"write": {"provider_name": "a", "scopes": ["write"]}, "optional": {"allow_missing": {}}}
    rules = [{"match": {"prefix": "/public"}}, {"match": {"prefix": "/"}, "requires": {"provider_name": "a"}}]
    return {"providers": {"a": world.provider("a")}, "requirement_map": requirements, "rules": rules, **changes}


def said(name):
    """The metadata of that route; none for no name."""
    return under_our_name(ROUTES[name][0] if name else None)


@pytest.fixture(scope="module")
def envoy(launch, world):
    routes = [to_upstream(metadata, f"/{name}/", name) for name, (metadata, _) in ROUTES.items()]
    sites = [Site("routes", configuration(world), routes=routes)]
    for index, (outermost, host, route) in enumerate(LEVELS):
        changes = {"listener": said(outermost), "host": said(host), "route": {**to_upstream(None), **said(route)}}
        sites.append(Site(f"levels-{index}", configuration(world), **changes))
    return launch(*sites)


def statuses(port, prefix, world):
    """Without a token, with one, and with one that has the scope."""
    headers = [[], bearer(world.token()), bearer(world.token(scope="write"))]
    return tuple(send(port, prefix, given).status for given in headers)


@pytest.mark.matrix
def test_metadata_of_a_route(envoy, world):
    for name, (_, expected) in ROUTES.items():
        expected = (403, 403, 403) if expected == 403 else expected
        for _ in range(2):
            assert statuses(envoy.port("routes"), f"/{name}/", world) == expected, name
        if expected == (403, 403, 403):
            path = unique_path(f"/{name}/")
            answer = send(envoy.port("routes"), path, bearer(world.token(scope="write")))
            denial = envoy.denial(path)
            assert (answer.challenge, denial["reason"]) == (None, "requirement_unknown")
            # Envoy does not hand over what has a null in it.
            assert (denial["metadata"] == "unreadable") == name.endswith("null"), name


@pytest.mark.matrix
def test_the_most_specific_level_wins(envoy, world):
    for index, (levels, expected) in enumerate(LEVELS.items()):
        assert statuses(envoy.port(f"levels-{index}"), "/", world) == expected, levels


@pytest.mark.matrix
def test_metadata_come_before_the_rules(envoy, world):
    index = list(LEVELS).index(("write", "", ""))
    assert statuses(envoy.port(f"levels-{index}"), "/public", world) == (401, 403, 200)


def test_nothing_of_the_clients_passes_where_nothing_is_asked_for(envoy, upstream, world):
    path = unique_path("/open/")
    spoofed = [*bearer(world.token(exp=1)), ("x-user", "mallory"), ("x_user", "mallory")]
    assert send(envoy.port("routes"), path, spoofed).status == 200
    [seen] = [request for request in upstream.requests if request.target == path]
    assert seen.all("authorization") == seen.all("x-user") == seen.all("x_user") == []


@pytest.mark.matrix
def test_ambiguous_paths_are_refused_all_the_same(envoy, world):
    index = list(LEVELS).index(("open", "", ""))
    for path in ("/x/../y", "/x/%2e%2e/y", "//public", "/%70ublic/", "/;x/public"):
        answer = send(envoy.port(f"levels-{index}"), path, bearer(world.token(scope="write")))
        assert answer.status == 403, path
        assert envoy.denial(path)["reason"] == "path_ambiguous"
    assert send(envoy.port(f"levels-{index}"), "/x%20y").status == 200


def test_a_request_that_waits_for_keys_is_judged_by_its_route(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    site = remote_site(world, issuer, timeout="60s")
    site.configuration = {**configuration(world), "providers": site.configuration["providers"]}
    site.routes = [to_upstream(WRITE, "/write/"), to_upstream(OPEN, "/open/"), to_upstream(None)]
    envoy = launch(site, clusters={"issuer": issuer.port})
    port = envoy.port("remote")
    plain, writes = bearer(world.token()), bearer(world.token(scope="write"))
    assert send(port, "/open/", plain).status == 200
    assert send(port, "/write/").status == 401
    waiting = [begin(port, *given) for given in (("/write/", plain), ("/write/", writes), ("/", plain))]
    assert all(exchange.is_waiting() for exchange in waiting)
    issuer.release()
    assert [exchange.response().status for exchange in waiting] == [403, 200, 200]
