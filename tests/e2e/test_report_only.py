"""Report-only: what should be refused passes, everybody but the client learns why, and nothing else becomes easier."""

import json

import pytest

from lab.keys import EcKey
from support import http2, load
from support.bootstrap import Site, direct_response, http_filter
from support.client import Exchange, bearer, begin, head, send, unique_path
from support.dpop import presented, proof, thumbprint
from support.envoy import logfmt
from support.handbook import blocks
from support.remote import provider
from support.wait import until
from support.world import rule
from support.xds import Files

NAME = "x-jwt-warden-verdict"
SPELLINGS = [NAME, "X_Jwt_Warden_Verdict", "x-jwt_warden-verdict"]
UPDATED = "listener_manager.lds.update_success"


def configuration(world, **changes):
    """Rules by prefix: /a/ asks for a token of `a`, /write/ for one with a scope, /public for nothing."""
    writing = {"match": {"prefix": "/write/"}, "requires": {"provider_name": "a", "scopes": ["write"]}}
    rules = [{"name": "reads", **rule("/a/", "a")}, writing, {"match": {"prefix": "/public"}}]
    return {"providers": {"a": world.provider("a")}, "rules": rules, **changes}


def partly(world):
    """What /a/ asks for is enforced, and all else reported."""
    settings = configuration(world, report_only=True)
    settings["rules"][0]["report_only"] = False
    return settings


def only_writing(world):
    """What /write/ asks for is reported, and all else enforced."""
    settings = configuration(world)
    settings["rules"][1]["report_only"] = True
    return settings


def beside(world):
    """Envoy's own filter behind, which still verifies."""
    native = {"rules": [rule("/a/", "a")], "providers": {"a": {**world.provider("a"), "forward": True}}}
    return [http_filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", **native)]


@pytest.fixture(scope="module")
def envoy(launch, world):
    logged = blocks().verdict_log["log_format"]["json_format"]
    forwarding = {"a": world.provider("a", forward=True, claim_to_headers=[])}
    trial = configuration(world, report_only=True, providers=forwarding)
    return launch(
        Site("all", configuration(world, report_only=True), logged=logged),
        Site("enforced", configuration(world), logged=logged),
        Site("partly", partly(world), logged=logged),
        Site("only_writing", only_writing(world), logged=logged),
        Site("trial", trial, behind=beside(world), logged=logged),
        concurrency=2,
    )


@pytest.fixture
def ask(envoy, upstream):
    """Sends a request to a path of its own: the status, what reached the upstream, and the path."""

    def ask(site, prefix, headers=(), method="GET"):
        path = unique_path(prefix)
        status = send(envoy.port(site), path, headers, method).status
        return status, next((request for request in upstream.requests if request.target == path), None), path

    return ask


def reported(envoy, path):
    """The fields of the filter's line about the request that should have been refused; waits for it."""
    return logfmt(envoy.log_line("jwt-warden: would deny", f'path="{path}"'))


def cases(world):
    """Headers that should be refused, and why."""
    yield "token_missing", []
    yield "token_malformed", bearer("a.b")
    yield "token_expired", bearer(world.token(exp=1))
    yield "signature_invalid", bearer(world.token(key=world.key("b", "rs256")))
    yield "issuer_not_accepted", bearer(world.token("b"))
    yield "audience_not_accepted", bearer(world.token(aud="other"))
    yield "key_unknown", bearer(world.token(head={"kid": "other"}))


@pytest.mark.matrix
def test_what_should_be_refused_passes_and_is_told(ask, envoy, world):
    for reason, headers in cases(world):
        status, seen, path = ask("all", "/a/", [*headers, ("x-user", "root"), (NAME, "allowed")])
        assert (status, seen.all(NAME)) == (200, [f"denied; reason={reason}"])
        assert seen.all("authorization") == seen.all("x-user") == []
        line = reported(envoy, path)
        assert (line["reason"], line["rule"]) == (reason, "reads")
        assert envoy.access(path)["verdict"] == f"denied; reason={reason}"
        name = f"wasmcustom.jwt_warden.requests.verdict.reported.rule.reads.provider.a.reason.{reason}"
        until(lambda name=name: envoy.stats(name).get(name, 0) >= 1)
    for prefix, headers, reason in (
        ("/write/", bearer(world.token()), "insufficient_scope"),
        ("/other/", [], "no_matching_rule"),
        ("/a/../x/", [], "path_ambiguous"),
    ):
        status, seen, path = ask("all", prefix, headers)
        assert (status, seen.all(NAME)) == (200, [f"denied; reason={reason}"])
        assert reported(envoy, path)["reason"] == reason


@pytest.mark.matrix
def test_what_is_good_passes_as_ever(ask, envoy, world):
    for _ in range(2):  # the second time the token is remembered
        status, seen, path = ask("all", "/a/", [*bearer(world.token()), ("x-user", "root")])
        assert (status, seen.all(NAME), seen.all("x-user")) == (200, ["allowed"], ["alice"])
        assert seen.all("authorization") == []
        assert envoy.access(path)["verdict"] is None
    status, seen, path = ask("enforced", "/a/", bearer(world.token()))
    assert (status, seen.all(NAME), envoy.access(path)["verdict"]) == (200, [], None)
    assert ask("enforced", "/a/", bearer(world.token(exp=1)))[:2] == (401, None)


@pytest.mark.matrix
def test_the_verdict_is_never_the_clients(ask, envoy, upstream, world):
    made_up = [(spelling, "allowed") for spelling in SPELLINGS]
    for site, expected in (("enforced", []), ("all", ["allowed"])):
        for prefix, headers in (("/a/", bearer(world.token())), ("/public", [])):
            status, seen, _ = ask(site, prefix, [*headers, *made_up, (NAME, "x")])
            assert (status, [value for name in SPELLINGS for value in seen.all(name.lower())]) == (200, expected)
            path = unique_path(prefix)
            http2.send(envoy.port(site), path, [*headers, *((name.lower(), value) for name, value in made_up)])
            [seen] = [request for request in upstream.requests if request.target == path]
            assert [value for name in SPELLINGS for value in seen.all(name.lower())] == expected
            path = unique_path(prefix)
            exchange = Exchange(envoy.port(site), head(path, [*headers, ("transfer-encoding", "chunked")], "POST"))
            trailers = "".join(f"{name}: allowed\r\n" for name in SPELLINGS)
            exchange.send(f"3\r\nabc\r\n0\r\nx-sum: 1\r\n{trailers}\r\n".encode())
            assert exchange.response().status == 200
            assert [request.trailers for request in upstream.requests if request.target == path] == [[("x-sum", "1")]]


def test_a_rule_has_the_first_word(ask, envoy, world):
    expired, good = bearer(world.token(exp=1)), bearer(world.token())
    assert ask("partly", "/a/", expired)[:2] == (401, None)
    assert ask("partly", "/a/", good)[1].all(NAME) == []
    assert ask("partly", "/write/", good)[1].all(NAME) == ["denied; reason=insufficient_scope"]
    assert ask("partly", "/other/")[1].all(NAME) == ["denied; reason=no_matching_rule"]
    assert ask("only_writing", "/a/", expired)[:2] == (401, None)
    assert ask("only_writing", "/write/", good)[1].all(NAME) == ["denied; reason=insufficient_scope"]
    assert ask("only_writing", "/other/")[:2] == (403, None)


def test_no_spelling_escapes_the_rule_that_is_enforced(ask, envoy):
    for site in ("partly", "only_writing"):
        for prefix in ("//a/", "/write//../a/", "/write/%2e%2e/a/", "/%61/", "/write;x/..;/a/", "/x\\..\\a/"):
            status, seen, path = ask(site, prefix)
            assert (status, seen) == (403, None), (site, prefix)
            assert envoy.access(path)["details"] == "jwt_warden_denied{path_ambiguous}"


def test_a_proof_is_used_up_by_what_is_accepted_only(ask, envoy, upstream, world):
    key = EcKey("P-256", alg="ES256")
    bound = world.token(cnf={"jkt": thumbprint(key)})
    path = unique_path("/a/")
    good, bad = (proof(key, bound, path, **changes) for changes in ({}, {"htm": "POST"}))
    for one in (bad, good, bad, good):
        assert send(envoy.port("all"), path, presented(bound, one)).status == 200
    seen = [request for request in upstream.requests if request.target == path]
    told = [request.get(NAME) for request in seen]
    assert told == [
        "denied; reason=dpop_proof_invalid",
        "allowed",
        "denied; reason=dpop_proof_invalid",
        "denied; reason=dpop_proof_replayed",
    ]
    assert [request.get("x-user") for request in seen] == [None, "alice", None, None]
    assert all(request.all("dpop") == request.all("authorization") == [] for request in seen)


def test_beside_another_filter(ask, world):
    """The trial of docs/envoy.md: what stands behind still gets the token, and decides."""
    token = world.token()
    status, seen, _ = ask("trial", "/a/", bearer(token))
    assert (status, seen.all(NAME), seen.all("x-user")) == (200, ["allowed"], ["alice"])
    assert seen.all("authorization") == [f"Bearer {token}"]
    assert ask("trial", "/a/", bearer(world.token(exp=1)))[:2] == (401, None)
    # The other filter does not look at `typ`.
    status, seen, _ = ask("trial", "/a/", bearer(world.token(head={"typ": "logout+jwt"})))
    assert (status, seen.all(NAME)) == (200, ["denied; reason=type_not_accepted"])


def test_the_load_warns_of_what_is_not_enforced(envoy):
    envoy.log_line("[warning]", "configuration: report_only: requests that should be refused pass")
    envoy.log_line("[warning]", "configuration: rules[1].report_only: requests that this rule should refuse pass")


@pytest.fixture
def files(tmp_path):
    """Listeners that can be replaced."""
    return Files(tmp_path)


def updated(envoy, times):
    """Waits until so many updates have been accepted and no listener warms up any more."""
    until(lambda: envoy.stats(UPDATED)[UPDATED] >= times)
    warming = "listener_manager.total_listeners_warming"
    until(lambda: envoy.stats(warming)[warming] == 0)


def test_switched_under_load(launch, files, upstream, world):
    """Each request is judged by the old configuration or the new one, whole."""

    def switch(report_only, number):
        files.set_listeners(Site("switched", configuration(world, report_only=report_only)))
        updated(envoy, number)
        expected = 200 if report_only else 401
        until(lambda: send(envoy.port("switched"), unique_path("/a/"), bearer(expired)).status == expected)

    expired, good = world.token(exp=1), world.token()
    files.set_listeners(Site("switched", configuration(world)))
    envoy = launch(changes=files.changes, concurrency=2)
    port, paths = envoy.port("switched"), {"good": unique_path("/a/"), "expired": unique_path("/a/")}

    def switch_often():
        for number in range(2, 8):
            switch(number % 2 == 0, number)

    requests = [
        (tag, load.request(token, paths[tag], [(NAME, "allowed"), ("x-user", "root"), *kept]))
        # On a connection that is kept, requests stay with the configuration that it began under for a while.
        for kept in ([], [("connection", "close")])
        for tag, token in {"good": good, "expired": expired}.items()
    ]
    results = load.run_during(switch_often, port, requests, connections=8)
    statuses = {tag: {result.status for result in results if result.tag == tag} for tag in paths}
    assert statuses == {"good": {200}, "expired": {200, 401}}
    told = {tag: {told_of(request) for request in upstream.requests if request.target == paths[tag]} for tag in paths}
    assert told["good"] == {("allowed", "alice"), (None, "alice")}
    assert told["expired"] == {("denied; reason=token_expired", None)}


def told_of(request):
    """What the upstream was told of the request, and of whom."""
    assert len(request.all(NAME)) <= 1
    return request.get(NAME), request.get("x-user")


def test_who_waits_is_judged_by_the_configuration_it_came_under(launch, files, world, issuer):
    def site(report_only):
        providers = {"a": provider(world, issuer.uri, timeout="30s")}
        settings = configuration(world, report_only=report_only, realm=json.dumps(report_only), providers=providers)
        return Site("waiting", settings, route=direct_response())

    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    files.set_listeners(site(True))
    changes = {"changes": files.changes, "clusters": {"issuer": issuer.port}}
    envoy = launch(**changes, concurrency=2, drain_seconds=60)
    forged = bearer(world.token(key=world.key("b", "rs256")))
    before = [begin(envoy.port("waiting"), "/a/", forged) for _ in range(10)]
    assert before[0].is_waiting()
    files.set_listeners(site(False))
    updated(envoy, 2)
    until(lambda: send(envoy.port("waiting"), "/a/").challenge == 'Bearer realm="false"')
    after = [begin(envoy.port("waiting"), "/a/", forged) for _ in range(10)]
    assert after[0].is_waiting()
    issuer.release()
    assert {exchange.response().status for exchange in before} == {200}
    assert {exchange.response().status for exchange in after} == {401}
    assert len(issuer.fetches) == 1
