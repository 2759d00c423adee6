"""What requests have to bring: one token of several, all of them, none, or another than the provider asks for."""

import pytest

from support.bootstrap import Site
from support.client import bearer, send, unique_path

A = {"provider_name": "a"}
B = {"provider_name": "b"}
SAME = {"provider_name": "same"}
MISSING = {"allow_missing": {}}
FAILED = {"allow_missing_or_failed": {}}
INVALID = 'Bearer realm="api", error="invalid_token"'
NONE = 'Bearer realm="api"'


def either(*requirements):
    return {"requires_any": {"requirements": list(requirements)}}


def both(*requirements):
    return {"requires_all": {"requirements": list(requirements)}}


def meant_for(provider, *audiences):
    return {"provider_and_audiences": {"provider_name": provider, "audiences": list(audiences)}}


RULES = {
    "any": either(A, B),
    "same": either(A, SAME),
    "all": both(A, B),
    "missing": MISSING,
    "failed": FAILED,
    "any_missing": either(MISSING, A),
    "any_failed": either(FAILED, A),
    "nested": both(A, either(both(B, {**B, "scopes": ["write"]}), {**B, "scopes": ["admin"]})),
    "plain": A,
    "orders": meant_for("a", "orders"),
    "orders_or_api": meant_for("a", "orders", "api"),
    "write": {**A, "scopes": ["read", "write"]},
    "some": {**A, "any_scopes": ["admin", "root"]},
    "most_telling": either({**A, "scopes": ["admin"]}, B),
    "often": either(*[{**A, "scopes": [f"s{index}"]} for index in range(200)]),
}


@pytest.fixture(scope="module")
def envoy(launch, world):
    """`a` as always and `same` in the same place; `b` in a header of its own."""
    providers = {
        "a": world.provider("a"),
        "b": world.provider(
            "b",
            from_headers=[{"name": "x-partner"}],
            claim_to_headers=[{"header_name": "x-partner-user", "claim_name": "sub"}],
        ),
        "same": world.provider("mixed"),
    }
    rules = [{"match": {"prefix": f"/{name}/"}, "requires": requires} for name, requires in RULES.items()]
    rules.append({"match": {"prefix": "/by_name/"}, "requirement_name": "both"})
    configuration = {"providers": providers, "requirement_map": {"both": both(A, B)}, "rules": rules}
    off = {**configuration, "token_cache": {"max_entries": 0}}
    return launch(Site("main", configuration), Site("uncached", off))


@pytest.fixture(params=["main", "uncached"])
def ask(envoy, upstream, request):
    """Sends a request twice, hot and cold; both have to be answered alike."""

    def ask(name, headers=()):
        answers = []
        for _ in range(2):
            path = unique_path(f"/{name}/")
            answer = send(envoy.port(request.param), path, headers)
            seen = next((seen for seen in upstream.requests if seen.target == path), None)
            reason = None if answer.status == 200 else envoy.denial(path)["reason"]
            assert (seen is None) == (reason is not None)
            assert seen is None or seen.all("authorization") == seen.all("x-partner") == []
            told = None if seen is None else (seen.get("x-user"), seen.get("x-partner-user"))
            answers.append((answer.status, reason or told, answer.challenge))
        assert answers[0] == answers[1]
        return answers[0]

    return ask


@pytest.fixture(scope="module")
def tokens(world):
    good = bearer(world.token())
    return {
        "a": good,
        "same": bearer(world.token("mixed", "ec", algorithm="ES256")),
        "b": [("x-partner", world.token("b", sub="bob"))],
        "bad a": bearer(world.token(exp=1)),
        "bad b": [("x-partner", world.token("b", exp=1))],
        "foreign b": [("x-partner", world.token("a"))],
        "b in a": bearer(world.token("b")),
        "b writes": [("x-partner", world.token("b", scope="read write"))],
        "b governs": [("x-partner", world.token("b", scp=["admin"]))],
    }


CASES = {
    "any": [
        ("a", ("alice", None)),
        ("b", (None, "bob")),
        ("a,b", ("alice", None)),
        ("bad a,b", (None, "bob")),
        ("a,bad b", ("alice", None)),
        ("bad a,bad b", "token_expired"),
        ("bad a", "token_expired"),
        ("b in a", "issuer_not_accepted"),
        ("", "token_missing"),
    ],
    "same": [("a", ("alice", None)), ("same", ("alice", None)), ("bad a", "token_expired"), ("", "token_missing")],
    "all": [
        ("a,b", ("alice", "bob")),
        ("a", "token_missing"),
        ("b", "token_missing"),
        ("a,bad b", "token_expired"),
        ("a,foreign b", "issuer_not_accepted"),
    ],
    "by_name": [("a,b", ("alice", "bob")), ("a", "token_missing")],
    "missing": [
        ("", (None, None)),
        ("a", ("alice", None)),
        ("a,b", ("alice", "bob")),
        ("a,bad b", "token_expired"),
        ("b in a", "issuer_not_accepted"),
    ],
    "failed": [
        ("", (None, None)),
        ("bad a", (None, None)),
        ("bad a,b", (None, "bob")),
        ("a,foreign b", ("alice", None)),
    ],
    "any_missing": [("", (None, None)), ("a", ("alice", None)), ("bad a", "token_expired"), ("b", (None, None))],
    "any_failed": [("", (None, None)), ("a", ("alice", None)), ("bad a", (None, None))],
    "nested": [
        ("a,b writes", ("alice", "alice")),
        ("a,b governs", ("alice", "alice")),
        ("a,b", "insufficient_scope"),
        ("b writes", "token_missing"),
    ],
}


@pytest.mark.matrix
@pytest.mark.parametrize("name", CASES)
def test_requirements(ask, tokens, name):
    challenges = {"token_missing": NONE, "insufficient_scope": None}
    for brought, expected in CASES[name]:
        names = [name for name in brought.split(",") if name]
        status, outcome, challenge = ask(name, [header for one in names for header in tokens[one]])
        assert outcome == expected, brought
        if isinstance(expected, tuple):
            assert status == 200
        elif expected == "insufficient_scope":
            assert (status, challenge) == (403, 'Bearer realm="api", error="insufficient_scope", scope="admin"')
        else:
            assert (status, challenge) == (401, challenges.get(expected, INVALID)), brought


@pytest.mark.matrix
def test_one_token_on_routes_that_ask_for_different_things(ask, world):
    """What one route found out about a token does not count on another that asks for more."""
    lacking = 'Bearer realm="api", error="insufficient_scope", scope="{}"'
    for claims, refused in (
        ({"aud": "api", "scope": "read write"}, {"orders": "audience_not_accepted", "some": "admin root"}),
        (
            {"aud": ["orders"], "scope": "read write"},
            dict.fromkeys(("plain", "write", "some"), "audience_not_accepted"),
        ),
        ({"aud": ["x", "orders", "api"], "scope": "read root"}, {"write": "read write"}),
        ({"aud": "api"}, {"orders": "audience_not_accepted", "write": "read write", "some": "admin root"}),
    ):
        headers = bearer(world.token(**claims))
        for name in ("plain", "orders", "orders_or_api", "write", "some", "plain", "orders"):
            status, outcome, challenge = ask(name, headers)
            expected = refused.get(name)
            if expected is None:
                assert (status, outcome) == (200, ("alice", None)), (claims, name)
            elif expected == "audience_not_accepted":
                assert (status, outcome, challenge) == (401, expected, INVALID), (claims, name)
            else:
                answer = (403, "insufficient_scope", lacking.format(expected))
                assert (status, outcome, challenge) == answer, (claims, name)


def test_the_most_telling_refusal_is_told(ask, world, tokens):
    assert ask("most_telling", [*tokens["a"], *tokens["bad b"]])[:2] == (403, "insufficient_scope")
    assert ask("most_telling", [*tokens["bad a"]])[:2] == (401, "token_expired")
    assert ask("most_telling", [*tokens["b in a"]])[:2] == (401, "issuer_not_accepted")


def test_a_provider_that_is_asked_often_answers_for_each_scope(ask, world):
    assert ask("often", bearer(world.token(scope="s199")))[0] == 200
    status, reason, challenge = ask("often", bearer(world.token(scope="s200")))
    assert (status, reason) == (403, "insufficient_scope")
    assert challenge.endswith('scope="s199"')
    stranger = bearer(world.token(key=world.key("b", "rs256")))
    assert ask("often", stranger)[:2] == (401, "signature_invalid")
