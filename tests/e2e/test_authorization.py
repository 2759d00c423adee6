"""What good tokens have to permit: scopes and conditions on claims."""

import pytest

from support.bootstrap import Site
from support.client import bearer, send, unique_path

URL = "https://acme.example/roles"
PERMISSIONS = {
    "scopes": {"scopes": ["read", "write:all"]},
    "any_scopes": {"any_scopes": ["read", "admin"]},
    "scopes_and_claim": {"scopes": ["read"], "claims": [{"claim_name": "tier", "any_of": ["gold"]}]},
    "nested": {"claims": [{"claim_name": "org.team.name", "any_of": ["core"]}]},
    "path": {"claims": [{"claim_path": ["org.team", "name"], "any_of": ["core"]}]},
    "url": {"claims": [{"path": [URL], "all_of": ["a", "b"]}]},
    "url_name": {"claims": [{"name": URL, "any_of": ["a"]}]},
    "number": {"claims": [{"name": "level", "any_of": [3, 1.5, -2]}]},
    "boolean": {"claims": [{"name": "verified", "any_of": [True]}]},
    "not": {"claims": [{"name": "roles", "not": {"any_of": ["guest"]}, "exists": True}]},
    "not_all": {"claims": [{"name": "roles", "not": {"all_of": ["a", "b"]}}]},
    "absent": {"claims": [{"name": "act", "exists": False}]},
    "registered": {
        "claims": [
            {"name": "sub", "any_of": ["alice", "bob"]},
            {"name": "aud", "all_of": ["api", "x"]},
            {"name": "iss", "any_of": ["https://a.example/"]},
        ]
    },
}
ALLOWED = {
    "scopes": [{"scope": "write:all read"}, {"scp": ["read", "write:all"]}, {"scope": ["read"], "scp": "write:all"}],
    "any_scopes": [{"scope": "x admin"}, {"scp": "read"}],
    "scopes_and_claim": [{"scope": "read", "tier": "gold"}],
    "nested": [
        {"org": {"team": {"name": "core"}}},
        {"org.team.name": "core"},
        {"org": {"team": {"name": ["x", "core"]}}},
    ],
    "path": [{"org.team": {"name": "core"}}],
    "url": [{URL: ["b", "x", "a"]}],
    "url_name": [{URL: "a"}],
    "number": [{"level": 3}, {"level": 3.0}, {"level": [7, 1.5]}, {"level": -2}, {"level": -2.0}],
    "boolean": [{"verified": True}, {"verified": [False, True]}],
    "not": [{"roles": ["user"]}, {"roles": "guests"}, {"roles": []}],
    "not_all": [{"roles": ["a"]}, {}, {"roles": None}],
    "absent": [{}, {"act": None}],
    "registered": [{"aud": ["x", "api"]}, {"aud": ["api", "x"], "sub": "bob"}],
}
REFUSED = {
    "scopes": [
        *({}, {"scope": "read"}, {"scope": "read write:al"}, {"scope": "READ write:all"}, {"scope": "read,write:all"}),
        *(
            {"scp": ["read write:all"]},
            {"scope": {"read": 1, "write:all": 1}},
            {"scope": 1},
            {"scope": "read\twrite:all"},
        ),
    ],
    "any_scopes": [{}, {"scope": "reader admins"}, {"scp": [1]}],
    "scopes_and_claim": [{"scope": "read"}, {"tier": "gold"}, {"scope": "read", "tier": "Gold"}],
    "nested": [{}, {"org": {"team": "core"}}, {"org": [{"team": {"name": "core"}}]}, {"org": {"team.name": "core"}}],
    "path": [{"org": {"team": {"name": "core"}}}, {"org.team": {"name": {"core": 1}}}, {"org.team": "core"}],
    "url": [{URL: ["a"]}, {URL: "a b"}, {"roles": ["a", "b"]}, {URL + "/": ["a", "b"]}],
    "url_name": [{URL: "b"}, {}],
    "number": [{"level": "3"}, {"level": 4}, {"level": 3.25}, {"level": 2}, {"level": True}, {"level": [[3]]}],
    "boolean": [{"verified": "true"}, {"verified": 1}, {"verified": False}, {}, {"verified": None}],
    "not": [{"roles": ["user", "guest"]}, {"roles": "guest"}, {}, {"roles": {"guest": 1}}, {"roles": ["user", None]}],
    "not_all": [{"roles": ["b", "a"]}, {"roles": [["a"]]}],
    "absent": [{"act": {"sub": "x"}}, {"act": ""}, {"act": False}],
    "registered": [{"aud": "api"}, {"aud": ["x", "api"], "sub": "carol"}],
}


@pytest.fixture(scope="module")
def envoy(launch, world):
    rules = [
        {"match": {"prefix": f"/{name}/"}, "requires": {"provider_name": "a", **permission}}
        for name, permission in PERMISSIONS.items()
    ]
    configuration = {"providers": {"a": world.provider("a")}, "rules": rules}
    return launch(Site("main", configuration), Site("struct", configuration, as_struct=True))


@pytest.mark.matrix
@pytest.mark.parametrize("name", PERMISSIONS)
def test_permissions(envoy, world, name):
    scopes = [*PERMISSIONS[name].get("scopes", []), *PERMISSIONS[name].get("any_scopes", [])]
    told = f', scope="{" ".join(scopes)}"' if scopes else ""
    for port in (envoy.port("main"), envoy.port("struct")):
        for claims in ALLOWED[name]:
            headers = bearer(world.token(**claims))
            assert [send(port, f"/{name}/", headers).status for _ in range(2)] == [200, 200], claims
        for claims in REFUSED[name]:
            path = unique_path(f"/{name}/")
            answer = send(port, path, bearer(world.token(**claims)))
            assert (answer.status, answer.body) == (403, b"Forbidden"), claims
            assert answer.challenge == f'Bearer realm="api", error="insufficient_scope"{told}'
            assert envoy.denial(path)["reason"] == "insufficient_scope"
            assert envoy.access(path)["details"] == "jwt_warden_denied{insufficient_scope}"


def test_the_log_says_what_is_lacking(envoy, world):
    for prefix, claims, detail in (
        ("/scopes/", {"scope": "read"}, "scope write:all"),
        ("/any_scopes/", {}, "any scope of read admin"),
        ("/path/", {}, "claim org.team.name"),
    ):
        path = unique_path(prefix)
        send(envoy.port("main"), path, bearer(world.token(**claims)))
        assert envoy.denial(path)["detail"] == detail


def test_a_token_that_fails_is_no_matter_of_scopes(envoy, world):
    for headers, reason in (
        ([], "token_missing"),
        (bearer(world.token(exp=1, scope="read write:all")), "token_expired"),
        (bearer(world.token(aud="other", scope="read write:all")), "audience_not_accepted"),
        (bearer(world.token(key=world.key("b", "rs256"), scope="x")), "signature_invalid"),
    ):
        path = unique_path("/scopes/")
        assert send(envoy.port("main"), path, headers).status == 401
        assert envoy.denial(path)["reason"] == reason
