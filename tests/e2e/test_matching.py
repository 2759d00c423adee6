"""Which rule a request falls under: by host, method, header, query and route, as Envoy's own routes would choose."""

import pytest

from support.bootstrap import Site, http_filter, route_config
from support.client import Exchange, bearer, send
from support.world import rule

HEADERS = [
    {"name": "x"},
    {"name": "x", "invert_match": True},
    {"name": "x", "present_match": True},
    {"name": "x", "present_match": False},
    {"name": "x", "present_match": False, "invert_match": True},
    {"name": "x", "exact_match": "a"},
    {"name": "X", "prefix_match": "a"},
    {"name": "x", "suffix_match": "b"},
    {"name": "x", "contains_match": ","},
    {"name": "x", "string_match": {"exact": ""}},
    {"name": "x", "string_match": {"exact": "", "ignore_case": True}, "treat_missing_header_as_empty": True},
    {"name": "x", "string_match": {"exact": "A", "ignore_case": True}},
    {"name": "x", "string_match": {"contains": "A", "ignore_case": True}, "invert_match": True},
    {"name": "x", "string_match": {"suffix": "a"}, "invert_match": True, "treat_missing_header_as_empty": True},
    {"name": "x", "safe_regex_match": {"regex": "a|a,b"}},
    {"name": "x", "string_match": {"safe_regex": {"google_re2": {}, "regex": "(?i)A.*"}}},
    {"name": "x", "safe_regex_match": {"regex": "[^b]*"}, "invert_match": True},
    {"name": "x", "range_match": {"start": -5, "end": 10}},
    {"name": "x", "range_match": {"start": "-5", "end": "10"}, "invert_match": True},
    {"name": "x", "range_match": {"end": 3}, "treat_missing_header_as_empty": True, "invert_match": True},
    {"name": ":method", "exact_match": "GET"},
    {"name": "host", "exact_match": "api.example"},
    {"name": ":authority", "prefix_match": "api", "invert_match": True},
    {"name": ":path", "contains_match": "?q"},
    {"name": ":scheme", "exact_match": "http"},
]
VALUES = [
    *([], [""], ["a"], ["A"], ["b"], ["ab"], ["a,b"], ["caB"], ["\u00e9"]),
    *(["-5"], ["-6"], ["9"], ["10"], ["+3"], ["2 "], ["1.5"], ["0x3"], ["99999999999999999999"]),
]
SEVERAL = [["a", "b"], ["b", "a"], ["a", ""], ["b", "c"], ["1", "2"], ["2", "11"], ["11", "12"], ["a,b", "c"]]
PARAMETERS = [
    {"name": "q"},
    {"name": "q", "present_match": True},
    {"name": "q", "string_match": {"exact": "a"}},
    {"name": "q", "string_match": {"prefix": "a", "ignore_case": True}},
    {"name": "q", "string_match": {"safe_regex": {"regex": "[ab]*"}}},
    {"name": "%71", "string_match": {"exact": "%61"}},
]
QUERIES = [
    *("", "?", "?q", "?q=", "?q=a", "?q=A", "?q=b&q=a", "?q=a&q=b", "?x&q=a", "?&&q=a&", "?%71=%61", "?q=%61"),
    *("?Q=a", "?q=a=b", "?qq=a", "?x=q", "?x?q=a", "?q+=a", "?q;q=a", "?q=a;b"),
]


class Bare(Site):
    """A listener without the filter."""

    def filters(self):
        return [http_filter("router", "router.v3.Router")]


@pytest.fixture(scope="module")
def both(launch, world):
    """The ports of Envoy's routes and of our rules with the same matches: 204 and 200 for what matches."""
    matches = [{"path": f"/h{i}", "headers": [header]} for i, header in enumerate(HEADERS)]
    matches += [{"path": f"/q{i}", "query_parameters": [parameter]} for i, parameter in enumerate(PARAMETERS)]
    routes = [{"match": match, "direct_response": {"status": 204}} for match in matches]
    none = {"match": {"prefix": "/"}, "direct_response": {"status": 404}}
    ours = {"providers": {"a": world.provider("a")}, "rules": [{"match": match} for match in matches]}
    envoy = launch(Bare("bare", None, manager=route_config(*routes, none)), Site("ours", ours))
    return envoy.port("bare"), envoy.port("ours")


@pytest.mark.matrix
def test_headers_match_as_in_envoy(both):
    matched = set()
    for index, header in enumerate(HEADERS):
        for values in VALUES:
            verdicts = agreed(both, f"/h{index}?q", [("x", value) for value in values])
            assert len(set(verdicts)) == 1, (header, values, verdicts)
            matched.add((index, verdicts[0]))
    # No condition is always true, or never, but for those on what every request has.
    constant = [header for index, header in enumerate(HEADERS) if len({m for i, m in matched if i == index}) == 1]
    assert all(header["name"] != "x" for header in constant), constant


@pytest.mark.since("1.39", "the values of a header are matched otherwise")
def test_several_values_match_as_in_envoy(both):
    for index, header in enumerate(HEADERS):
        for values in SEVERAL:
            verdicts = agreed(both, f"/h{index}?q", [("x", value) for value in values])
            assert len(set(verdicts)) == 1, (header, values, verdicts)


@pytest.mark.matrix
def test_query_parameters_match_as_in_envoy(both):
    for index, parameter in enumerate(PARAMETERS):
        verdicts = {query: agreed(both, f"/q{index}{query}") for query in QUERIES}
        assert {query: set(verdict) for query, verdict in verdicts.items() if len(set(verdict)) > 1} == {}, parameter
        assert len({verdict[0] for verdict in verdicts.values()}) == 2, parameter


def agreed(both, path, headers=()):
    """Whether Envoy's route and our rule match."""
    bare, ours = both
    answers = (send(bare, path, headers).status, send(ours, path, headers).status)
    assert answers[0] in (204, 404), answers
    assert answers[1] in (200, 403), answers
    return answers[0] == 204, answers[1] == 200


@pytest.fixture(scope="module")
def envoy(launch, world):
    requires = {"requires": {"provider_name": "a"}}
    rules = [
        {"match": {"connect_matcher": {}}, **requires},
        {"match": {"hosts": ["admin.example", "*.internal.example:8443"]}, **requires},
        {"match": {"methods": ["POST", "PUT"], "path_separated_prefix": "/orders"}, **requires},
        {"match": {"safe_regex": {"regex": "/v[0-9]+/.*"}}, **requires},
        {"match": {"prefix": "/Secret", "case_sensitive": False}, **requires},
        {"match": {"prefix": "/"}},
    ]
    routes = [
        {"name": "orders", "match": {"prefix": "/orders"}, "route": {"cluster": "upstream"}},
        {"name": "open", "match": {"prefix": "/open"}, "route": {"cluster": "upstream"}},
        {"match": {"prefix": "/unnamed"}, "route": {"cluster": "upstream"}},
    ]
    by_route = [{"match": {"route_name": "orders"}, **requires}, {"match": {"route_name": "open"}}]
    connect = {
        "match": {"connect_matcher": {}},
        "route": {"cluster": "upstream", "upgrade_configs": [{"upgrade_type": "CONNECT", "connect_config": {}}]},
    }
    upgrades = {"upgrade_configs": [{"upgrade_type": "CONNECT"}]}
    everything = {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}
    providers = {"a": world.provider("a", subjects={"prefix": "ali"})}
    main = {"providers": providers, "rules": rules}
    return launch(
        Site("main", main, manager={**route_config(connect, everything), **upgrades}),
        Site("routes", {"providers": providers, "rules": by_route}, manager=route_config(*routes)),
    )


def status(port, target, host="api.example", method="GET", headers=()):
    """The status of the answer to a request as raw as this."""
    lines = [f"{method} {target} HTTP/1.1", f"host: {host}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return Exchange(port, ("\r\n".join(lines) + "\r\n\r\n").encode()).response().status


@pytest.mark.matrix
def test_hosts(envoy, world):
    port = envoy.port("main")
    for host in ("admin.example", "Admin.EXAMPLE", "a.b.internal.example:8443"):
        assert status(port, "/", host) == 401, host
        assert status(port, "/", host, headers=bearer(world.token())) == 200, host
    for host in ("admin.example.", "admin.example:1234", "Admin.example.:80", "a.internal.example.:8443"):
        # Envoy's virtual hosts compare port and dot, unless it is told to strip them.
        assert status(port, "/", host, headers=bearer(world.token())) == 403, host
    for host in ("xadmin.example", "internal.example:8443", "a.internal.example", "a.internal.example:443", "[::1]:80"):
        assert status(port, "/", host) == 200, host
    for host in ("u@admin.example", "api.example,admin.example", "%61dmin.example", "admin.example:", "admin..example"):
        assert status(port, "/", host) in (400, 403), host
    assert status(port, "http://admin.example/", "api.example") == 401


@pytest.mark.matrix
def test_methods_and_paths(envoy, world):
    port = envoy.port("main")
    for method, path, expected in [
        *(("POST", "/orders", 401), ("PUT", "/orders/1", 401), ("GET", "/orders", 200), ("POST", "/ordersx", 200)),
        *(("GET", "/v1/x", 401), ("GET", "/v1/", 401), ("GET", "/v/x", 200), ("GET", "/x/v1/x", 200)),
        *(("GET", "/secret", 401), ("GET", "/SECRETs", 401), ("GET", "/secre", 200)),
    ]:
        assert status(port, path, method=method) == expected, (method, path)
        assert status(port, path, method=method, headers=bearer(world.token())) == 200, (method, path)


@pytest.mark.matrix
def test_connect(envoy):
    port = envoy.port("main")
    assert status(port, "api.example:443", "api.example:443", "CONNECT") == 401
    assert status(port, "/", method="GET") == 200


@pytest.mark.matrix
def test_routes(envoy, world):
    port = envoy.port("routes")
    assert status(port, "/orders") == 401
    assert status(port, "/orders", headers=bearer(world.token())) == 200
    assert status(port, "/open") == 200
    assert status(port, "/unnamed") == 403
    assert status(port, "/nowhere") == 403
    # A token in the query goes, and with it the route is chosen anew: the same one.
    assert status(port, f"/orders?access_token={world.token()}") == 200


def test_subjects(envoy, world):
    port = envoy.port("main")
    assert send(port, "/v1/x", bearer(world.token(sub="alina"))).status == 200
    for sub in ("bob", "Alice", ...):
        assert send(port, "/v1/subject", bearer(world.token(sub=sub))).status == 401
    assert envoy.denial("/v1/subject")["reason"] == "subject_not_accepted"


def test_rules_by_conditions_alone_leave_the_rest_unmatched(launch, world):
    rules = [{"match": {"methods": ["GET"], "hosts": ["a.example"]}, "requires": {"provider_name": "a"}}]
    envoy = launch(Site("main", {"providers": {"a": world.provider("a")}, "rules": [*rules, rule("/b", "a")]}))
    assert status(envoy.port("main"), "/", "a.example") == 401
    assert status(envoy.port("main"), "/", "b.example") == 403
    assert status(envoy.port("main"), "/b", "b.example") == 401
