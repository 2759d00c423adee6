"""What the upstream gets to see: claims that were verified, and neither tokens nor what the client made up."""

import base64
import json

import pytest

from lab.keys import base64url, from_base64url
from support import http2
from support.bootstrap import Site
from support.client import Exchange, bearer, head, send, unique_path
from support.world import rule

SPOOFED = [("x-user", "admin"), ("X-User", "root"), ("x-roles", "admin"), ("x-payload", "e30"), ("x-tenant", "evil")]
CLAIM_HEADERS = [
    {"header_name": "x-user", "claim_name": "sub"},
    {"header_name": "x-roles", "claim_name": "realm_access.roles"},
    {"header_name": "x-tenant", "claim_path": ["https://acme.example/tenant"]},
    {"header_name": "x-level", "claim_name": "level"},
]


@pytest.fixture(scope="module")
def port(launch, world):
    rich = world.provider("a", claim_to_headers=CLAIM_HEADERS, forward_payload_header="x-payload")
    padded = world.provider("a", forward=True, forward_payload_header="x-payload", pad_forward_payload_header=True)
    places = world.provider(
        "b",
        from_headers=[{"name": "x-token"}, {"name": "x-prefixed", "value_prefix": "Token="}],
        from_params=["jwt"],
        from_cookies=["session"],
    )
    providers = {"rich": rich, "padded": padded, "places": places}
    rules = [*(rule(f"/{name}/", name) for name in providers), {"match": {"prefix": "/public"}}]
    return launch(Site("upstream", {"providers": providers, "rules": rules})).port("upstream")


@pytest.fixture
def fetch(port, upstream):
    """Sends a request to a path of its own and shows what of it reached the upstream."""

    def fetch(prefix, headers=(), query=""):
        path = unique_path(prefix)
        status = send(port, path + query, headers).status
        arrived = [request for request in upstream.requests if request.target.startswith(path)]
        assert len(arrived) == (status == 200), (status, arrived)
        return arrived[0] if arrived else None

    return fetch


def test_claims_arrive_and_the_token_does_not(fetch, world):
    token = world.token(realm_access={"roles": ["a", "b"]}, level=3, **{"https://acme.example/tenant": "t1"})
    seen = fetch("/rich/", [*bearer(token), *SPOOFED])
    assert seen.get("x-user") == "alice"
    assert json.loads(base64.b64decode(seen.get("x-roles"))) == ["a", "b"]
    assert seen.get("x-tenant") == "t1"
    assert seen.get("x-level") == "3"
    assert seen.get("x-payload") == token.split(".")[1]
    assert seen.all("authorization") == []


def test_missing_claims_leave_no_header_of_the_clients(fetch, world):
    seen = fetch("/rich/", [*bearer(world.token()), *SPOOFED])
    assert seen.get("x-user") == "alice"
    assert seen.all("x-roles") == seen.all("x-tenant") == []


def test_public_paths_show_nothing_of_the_clients(fetch, world):
    seen = fetch("/public", SPOOFED)
    for name, _ in SPOOFED:
        assert seen.all(name.lower()) == []


def test_names_that_an_upstream_cannot_tell_apart(fetch, world):
    """CGI, WSGI, Rack and PHP know both as HTTP_X_USER."""
    for prefix, headers in (("/rich/", bearer(world.token())), ("/public", [])):
        seen = fetch(prefix, [*headers, ("x_user", "admin"), ("X_Payload", "e30")])
        assert seen.all("x_user") == seen.all("x_payload") == []


def test_http2_shows_nothing_of_the_clients_either(port, world, upstream):
    for prefix, headers, user in (("/rich/", bearer(world.token()), ["alice"]), ("/public", [], [])):
        path = unique_path(prefix)
        twins = [("x-user", "admin"), ("x-user", "root"), ("x_user", "admin"), ("x-payload", "e30"), ("x-other", "1")]
        http2.send(port, path, [*headers, *twins])
        [seen] = [request for request in upstream.requests if request.target == path]
        assert (seen.all("x-user"), seen.all("x_user"), seen.all("x-other")) == (user, [], ["1"])
        assert ("e30" in seen.all("x-payload"), seen.all("authorization")) == (False, [])


def test_lists_and_json(launch, world, upstream):
    formats = {"x-roles": "comma_separated", "x-level": "json_base64", "x-id": "text"}
    claims = {"x-roles": "roles", "x-level": "level", "x-id": "id"}
    headers = [{"header_name": h, "claim_name": claims[h], "format": f} for h, f in formats.items()]
    port = launch(Site("formats", {"providers": {"a": world.provider("a", claim_to_headers=headers)}})).port("formats")

    def told(**changes):
        path = unique_path("/")
        status = send(port, path, bearer(world.token(**changes))).status
        seen = [[r.get(name) for name in formats] for r in upstream.requests if r.target == path]
        return seen[0] if status == 200 else status

    assert told(roles=["a", "b c", 1, True], level={"a": 1}, id=2**64 - 1) == [
        "a,b c,1,true",
        "eyJhIjoxfQ==",
        str(2**64 - 1),
    ]
    assert told(roles="a", level="x", id=-(2**63)) == ["a", "Ingi", str(-(2**63))]
    assert told(roles=[], id="x,y") == ["", None, "x,y"]
    for unsafe in ({"roles": ["a,b"]}, {"roles": ["a", ["b"]]}, {"roles": "a,b"}, {"id": 2**64}, {"level": [2**64]}):
        assert told(**unsafe) == 401, unsafe


def test_trailers_tell_no_claims(port, world, upstream):
    trailers = "x-sum: 1\r\nx-user: admin\r\nx_roles: admin\r\nX-Payload: e30\r\nauthorization: Bearer t\r\n"
    for prefix, headers in (("/rich/", bearer(world.token())), ("/padded/", bearer(world.token())), ("/public", [])):
        path = unique_path(prefix)
        exchange = Exchange(port, head(path, [*headers, ("transfer-encoding", "chunked")], "POST"))
        exchange.send(f"3\r\nabc\r\n0\r\n{trailers}\r\n".encode())
        assert exchange.response().status == 200
        assert [request.trailers for request in upstream.requests if request.target == path] == [[("x-sum", "1")]]


def test_other_headers_stay(fetch, world):
    others = [("x-other", "1"), ("x-other", "2"), ("cookie", "a=1"), ("x-users", "b"), ("x-use", "c")]
    seen = fetch("/rich/", [*bearer(world.token()), *others])
    assert ",".join(seen.all("x-other")).replace(" ", "") == "1,2"
    assert (seen.get("cookie"), seen.get("x-users"), seen.get("x-use")) == ("a=1", "b", "c")


def test_forwarded_token_and_padded_payload(fetch, world):
    for filler in ("", "x", "xx"):
        token = world.token(note=filler)
        seen = fetch("/padded/", bearer(token))
        payload = token.split(".")[1]
        assert seen.get("authorization") == f"Bearer {token}"
        assert seen.get("x-payload") == payload + "=" * (-len(payload) % 4)


def test_query_token(fetch, world):
    token = world.token("b")
    for query, left in {
        f"?jwt={token}": "",
        f"?jwt={token}&b=1": "?b=1",
        f"?a=1&jwt={token}": "?a=1",
        f"?a=%20&jwt={token}&b=&c": "?a=%20&b=&c",
        f"?%6awt={token}&b=1": "?b=1",
    }.items():
        seen = fetch("/places/", query=query)
        assert seen.target.partition("?")[1:] == left.partition("?")[1:], query
        assert seen.get("x-user") == "alice"


def test_default_query_token(fetch, world):
    seen = fetch("/rich/", query=f"?access_token={world.token()}&b=1")
    assert seen.target.endswith("?b=1")


def test_cookie_token(fetch, world):
    token = world.token("b")
    for cookies, left in {
        f"session={token}": None,
        f"a=1; session={token}; b=2": "a=1; b=2",
        f"session={token}; b=2": "b=2",
        f"a=1; session={token}": "a=1",
    }.items():
        assert fetch("/places/", [("cookie", cookies)]).get("cookie") == left


def test_header_token(fetch, world):
    token = world.token("b")
    assert fetch("/places/", [("x-token", token)]).all("x-token") == []
    assert fetch("/places/", [("x-prefixed", f"Token={token}")]).all("x-prefixed") == []
    assert fetch("/places/", [("x-prefixed", token)]) is None
    assert fetch("/places/", [("x-prefixed", f"x Token={token}")]) is None
    assert fetch("/places/", bearer(token)) is None


def test_every_token_has_to_be_good(fetch, world):
    good, bad = world.token("b"), world.token("b", exp=1)
    seen = fetch("/places/", [("x-token", good), ("cookie", f"session={good}")])
    assert seen.all("x-token") == seen.all("cookie") == []
    assert fetch("/places/", [("x-token", good), ("cookie", f"session={bad}")]) is None
    assert fetch("/places/", [("x-token", bad), ("cookie", f"session={good}")]) is None
    assert fetch("/places/", [("x-token", good)], f"?jwt={bad}") is None


def test_two_tokens_in_one_place(fetch, world):
    token = world.token("b")
    assert fetch("/places/", [("x-token", token), ("x-token", token)]) is None
    assert fetch("/places/", [("cookie", f"session={token}; session={token}")]) is None
    assert fetch("/places/", [("cookie", f"session={token}"), ("cookie", f"session={token}")]) is None
    assert fetch("/places/", query=f"?jwt={token}&jwt={token}") is None
    assert fetch("/rich/", bearer(world.token()) * 2) is None


def test_tokens_are_taken_out_of_public_requests(fetch, world):
    headers = [("x-token", world.token("b")), ("cookie", f"a=1; session={world.token('b')}")]
    seen = fetch("/public", headers, f"?jwt={world.token('b')}&b=1")
    assert (seen.all("x-token"), seen.get("cookie")) == ([], "a=1")
    assert seen.target.endswith("?b=1")


def test_payload_is_the_bytes_that_were_signed(fetch, world):
    """Spaces and escapes are not ours to tidy up."""
    claims = json.dumps(world.claims(note="\u00e9/"), indent=1).replace("/", "\\/")
    key = world.key("a", "rs256")
    first_two = f"{base64url(json.dumps({'alg': 'RS256', 'kid': 'rs256'}).encode())}.{base64url(claims.encode())}"
    token = f"{first_two}.{base64url(key.sign('RS256', first_two.encode()))}"
    assert from_base64url(fetch("/rich/", bearer(token)).get("x-payload")).decode() == claims
