"""The filter among Envoy's others: what docs/envoy.md gives operators to copy works as it stands."""

import pytest

from support.bootstrap import Site
from support.client import bearer, begin, send, unique_path
from support.handbook import blocks
from support.remote import remote_site
from support.wait import until
from support.world import rule

pytestmark = pytest.mark.matrix

APP = "https://app.example"
PREFLIGHT = [("origin", APP), ("access-control-request-method", "PUT")]
STATE = [
    {"name": "sub", "claim_name": "sub"},
    {"name": "roles", "claim_name": "roles", "format": "comma_separated"},
]


def site(name, world, configuration=None, **chain):
    """A listener: /a/ asks for a token of `a`, /public for none."""
    provider = world.provider("a", claim_to_filter_state=STATE)
    rules = [rule("/a/", "a"), {"match": {"prefix": "/public"}}]
    return Site(name, {"providers": {"a": provider}, "rules": rules, **(configuration or {})}, **chain)


@pytest.fixture(scope="module")
def envoy(launch, world):
    given = blocks()
    policy = {"typed_per_filter_config": given.cors_policy["typed_per_filter_config"]}
    return launch(
        site("log", world, logged=json_format()),
        site("principal", world, behind=given.principal),
        site("condition", world, behind=given.condition),
        site("cors", world, before=given.cors, host=policy),
        site("bypass", world, {"bypass_cors_preflight": True}),
        Site("off", world.configuration(), routes=[given.off, to_upstream()]),
        Site("on", world.configuration(), routes=[given.on, to_upstream()], off=True),
        several(world),
    )


def json_format():
    """The fields of the access log in docs/operations.md."""
    return blocks("operations").json_log[0]["typed_config"]["log_format"]["json_format"]


def to_upstream(prefix="/", **match):
    """A route to the upstream."""
    return {"match": {"prefix": prefix, **match}, "route": {"cluster": "upstream"}}


def several(world):
    """Two instances: a customer's token as always, and a partner's in a header of its own."""
    partner = world.provider(
        "b",
        from_headers=[{"name": "x-partner-token"}],
        claim_to_headers=[{"header_name": "x-partner", "claim_name": "sub"}],
        claim_to_filter_state=[{"name": "partner", "claim_name": "sub"}],
    )
    rules = [rule("/a/", "partner"), {"match": {"prefix": "/"}}]
    first = Site("first", {"providers": {"partner": partner}, "rules": rules}).wasm_filter()
    logged = {name: f"%FILTER_STATE(wasm.jwt_warden.{name}:PLAIN)%" for name in ("sub", "partner")}
    return site("several", world, before=[{**first, "name": "jwt_warden_partners"}], logged=logged)


@pytest.fixture
def ask(envoy, upstream):
    """Sends a request to a path of its own: the answer, what reached the upstream, and the access log's entry."""

    def ask(name, prefix, headers=(), method="GET"):
        path = unique_path(prefix)
        answer = send(envoy.port(name), path, headers, method)
        seen = next((request for request in upstream.requests if request.target == path), None)
        return answer, seen, envoy.access(path)

    return ask


def test_the_access_log_has_verified_claims(ask, world):
    for _ in range(2):  # the second time the token is remembered
        assert ask("log", "/a/", bearer(world.token()))[2]["subject"] == "alice"
    assert ask("log", "/public", bearer(world.token()))[2]["subject"] is None
    assert ask("log", "/a/", bearer(world.token(exp=1)))[2]["subject"] is None
    assert ask("log", "/a/")[2]["subject"] is None


def test_a_request_that_waited_for_keys_tells_its_own_claims(launch, world, issuer):
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    waiting = remote_site(world, issuer, timeout="60s")
    waiting.configuration["providers"]["a"]["claim_to_filter_state"] = STATE
    waiting.logged = json_format()
    envoy = launch(waiting, clusters={"issuer": issuer.port})
    subjects = {unique_path("/"): f"user-{number}" for number in range(3)}
    tokens = [(path, bearer(world.token(sub=subject))) for path, subject in subjects.items()]
    exchanges = [begin(envoy.port("remote"), path, headers) for path, headers in tokens]
    assert exchanges[-1].is_waiting()
    issuer.release()
    assert {exchange.response().status for exchange in exchanges} == {200}
    assert {path: envoy.access(path)["subject"] for path in subjects} == subjects


def test_rbac_allows_by_a_role(ask, world):
    for roles, status in {
        ("admin",): 200,
        ("user", "auditor"): 200,
        ("user",): 403,
        ("administrator",): 403,
        ("xadmin", "auditors"): 403,
        (): 403,
    }.items():
        assert ask("principal", "/a/", bearer(world.token(roles=list(roles))))[0].status == status, roles
    assert ask("principal", "/a/", bearer(world.token(roles=["user,admin"])))[0].status == 401
    assert ask("principal", "/a/", bearer(world.token()))[0].status == 403
    answer = ask("principal", "/public", bearer(world.token(roles=["admin"])))[0]
    assert (answer.status, answer.body) == (403, b"RBAC: access denied")


def test_rbac_allows_by_a_condition(ask, world):
    assert ask("condition", "/a/", bearer(world.token()))[0].status == 200
    assert ask("condition", "/a/", bearer(world.token(sub="alic")))[0].status == 403
    assert ask("condition", "/public", bearer(world.token()))[0].status == 403


def test_a_page_of_another_origin_can_read_a_refusal(ask, world):
    for headers, status in ((bearer(world.token()), 200), (bearer(world.token(exp=1)), 401), ([], 401)):
        answer = ask("cors", "/a/", [("origin", APP), *headers])[0]
        assert (answer.status, answer.all("access-control-allow-origin")) == (status, [APP])
    assert ask("cors", "/a/", [("origin", "https://evil.example")])[0].all("access-control-allow-origin") == []


def test_envoy_answers_the_preflights_that_it_knows(ask):
    answer, seen, _ = ask("cors", "/a/", PREFLIGHT, "OPTIONS")
    assert (answer.status, seen, answer.all("access-control-allow-methods")) == (200, None, ["GET, PUT"])
    stranger = [("origin", "https://evil.example"), *PREFLIGHT[1:]]
    assert ask("cors", "/a/", stranger, "OPTIONS")[0].status == 401


def test_preflights_pass_where_that_is_configured_and_show_nothing_of_the_clients(ask, envoy, world):
    counter = "wasmcustom.jwt_warden.requests.verdict.allowed.reason.cors_preflight"
    before = envoy.stats(counter).get(counter, 0)
    spoofed = [("x-user", "admin"), ("X_User", "root"), *bearer(world.token())]
    for prefix in ("/a/", "/nowhere/"):
        answer, seen, _ = ask("bypass", prefix, [*PREFLIGHT, *spoofed], "OPTIONS")
        assert answer.status == 200
        assert seen.all("x-user") == seen.all("x_user") == seen.all("authorization") == []
        assert seen.get("origin") == APP
    until(lambda: envoy.stats(counter).get(counter, 0) == before + 2)
    for headers, method in (
        (PREFLIGHT, "GET"),
        (PREFLIGHT[:1], "OPTIONS"),
        (PREFLIGHT[1:], "OPTIONS"),
        ([("origin", ""), PREFLIGHT[1]], "OPTIONS"),
        ([PREFLIGHT[0], ("access-control-request-method", "")], "OPTIONS"),
    ):
        assert ask("bypass", "/a/", headers, method)[0].status == 401, headers
    assert ask("bypass", "/public/../a/", PREFLIGHT, "OPTIONS")[0].status == 403


def test_turned_off_for_a_route_nothing_is_taken_out(ask, world):
    assert ask("off", "/a/")[0].status == 401
    answer, seen, _ = ask("off", "/open", [("x-user", "admin"), *bearer(world.token())])
    assert (answer.status, seen.get("x-user"), len(seen.all("authorization"))) == (200, "admin", 1)
    seen = ask("off", "/public", [("x-user", "admin"), *bearer(world.token())])[1]
    assert seen.all("x-user") == seen.all("authorization") == []


def test_turned_on_for_a_route_all_others_are_open(ask):
    assert ask("on", "/closed")[0].status == 403
    assert ask("on", "/a/", [("x-user", "admin")])[1].get("x-user") == "admin"


def test_several_instances_have_to_be_satisfied(ask, world):
    partner = [("x-partner-token", world.token("b", sub="bob"))]
    answer, seen, entry = ask("several", "/a/", [*bearer(world.token()), *partner])
    assert (answer.status, seen.get("x-user"), seen.get("x-partner")) == (200, "alice", "bob")
    assert seen.all("authorization") == seen.all("x-partner-token") == []
    assert (entry["sub"], entry["partner"]) == ("alice", "bob")

    answer, seen, entry = ask("several", "/a/", partner)
    assert (answer.status, seen, entry["sub"], entry["partner"]) == (401, None, None, "bob")
    answer, seen, entry = ask("several", "/a/", bearer(world.token()))
    assert (answer.status, seen, entry["sub"], entry["partner"]) == (401, None, None, None)

    answer, seen, entry = ask("several", "/public", [("x-user", "m"), ("x-partner", "m"), *partner])
    assert (answer.status, seen.all("x-user"), seen.all("x-partner")) == (200, [], [])
    assert (entry["sub"], entry["partner"]) == (None, None)
