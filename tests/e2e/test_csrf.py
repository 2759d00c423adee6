"""Tokens in cookies: what a browser has to say about the page that sent them."""

import pytest

from support import http2
from support.bootstrap import Site
from support.client import bearer, send, unique_path
from support.handbook import blocks
from support.world import rule

pytestmark = pytest.mark.matrix

PASSES = (200, None)
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
OWN, ADMIN, EVIL = "https://api.example", "https://admin.example", "https://evil.example"
SECRET = "0123456789abcdef"
SILENT = "neither Sec-Fetch-Site nor Origin"
UPGRADE = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")]
BOTH = {"from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}], "from_cookies": ["__Host-session"]}


@pytest.fixture(scope="module")
def envoy(launch, world):
    """Each provider has a path: the default guard, that of docs/envoy.md, and none; /optional/ and /tolerant/ need no
    token."""
    providers = {
        "default": world.provider("a", from_cookies=["__Host-session"]),
        "session": world.provider("a", **blocks().session),
        "off": world.provider("a", from_cookies=["__Host-session"], csrf={"disabled": True}),
        "both": world.provider("a", **BOTH),
        "secure": world.provider("b", from_cookies=["__Secure-session"]),
    }
    alternatives = [("optional", "allow_missing"), ("tolerant", "allow_missing_or_failed")]
    optional = [
        {
            "match": {"prefix": f"/{name}/"},
            "requires": {"requires_any": {"requirements": [{"provider_name": "default"}, {kind: {}}]}},
        }
        for name, kind in alternatives
    ]
    rules = [*(rule(f"/{name}/", name) for name in providers), *optional, {"match": {"prefix": "/public"}}]
    upgrades = {"upgrade_configs": [{"upgrade_type": "websocket"}], "http2_protocol_options": {"allow_connect": True}}
    return launch(Site("csrf", {"providers": providers, "rules": rules}, manager=upgrades))


@pytest.fixture
def ask(envoy):
    """Sends a request with these headers: its status, and the detail of its refusal."""

    def ask(headers, method="POST", prefix="/default/"):
        path = unique_path(prefix)
        answer = send(envoy.port("csrf"), path, headers, method)
        if answer.status in (200, 101):
            return PASSES
        denial = envoy.denial(path)
        if denial["reason"] == "csrf_refused":
            assert (answer.status, answer.body, answer.challenge) == (403, b"Forbidden", None)
            return 403, denial["detail"], *filter(None, [denial.get("double_submit")])
        return answer.status, denial["reason"]

    return ask


@pytest.fixture
def session(world):
    """The header with a good cookie."""
    return [("cookie", f"a=1; __Host-session={world.token()}")]


def site(value):
    return [("sec-fetch-site", value)]


def origin(value):
    return [("origin", value)]


def without(site):
    return 403, f"Sec-Fetch-Site is {site}, and no allowed Origin is there"


def test_pages(ask, session):
    for headers, default, listed in (
        (site("same-origin"), PASSES, PASSES),
        (site("none"), PASSES, PASSES),
        (site("same-origin") + origin("null"), PASSES, PASSES),
        (site("same-origin") + origin(OWN), PASSES, PASSES),
        (origin(OWN), PASSES, PASSES),
        (origin(ADMIN), (403, "the Origin is not allowed"), PASSES),
        (site("cross-site") + origin(ADMIN), without("cross-site"), PASSES),
        (site("same-site") + origin(ADMIN), without("same-site"), PASSES),
        (site("cross-site") + origin(EVIL), without("cross-site"), without("cross-site")),
        (site("same-site") + origin(OWN), without("same-site"), without("same-site")),
        (site("cross-site") + origin("null"), without("cross-site"), without("cross-site")),
        (site("Same-Origin"), without("unknown"), without("unknown")),
        (site("same-origin, same-origin"), without("unknown"), without("unknown")),
        (origin("null"), (403, "the Origin is not allowed"), (403, "the Origin is not allowed")),
        (origin("http://api.example"), (403, "the Origin is not allowed"), (403, "the Origin is not allowed")),
        (origin(f"{ADMIN}.evil.example"), (403, "the Origin is not allowed"), (403, "the Origin is not allowed")),
        ([], (403, SILENT), (403, SILENT)),
        ([("referer", f"{OWN}/")], (403, SILENT), (403, SILENT)),
    ):
        assert ask(headers + session) == default, headers
        assert ask(headers + session, prefix="/session/")[:2] == listed, headers
        assert ask(headers + session, prefix="/off/") == PASSES
        assert ask(headers + session, "GET") == PASSES


def test_what_a_browser_never_sends_is_refused(ask, session):
    """The proxy may join the values of one name by a comma: none of them counts then either."""
    for headers in (
        site("same-origin") * 2,
        site("same-origin") + site("cross-site"),
        origin(ADMIN) * 2,
        origin(ADMIN) + origin(EVIL),
        origin(f"{ADMIN},{EVIL}"),
    ):
        assert ask(headers + session, prefix="/session/")[0] == 403, headers


def test_methods(ask, session):
    for method in UNSAFE:
        assert ask(session, method) == (403, SILENT)
        assert ask(session + site("same-origin"), method) == PASSES
    for method in ("GET", "OPTIONS"):
        assert ask(session + site("cross-site"), method) == PASSES
        for name in ("X-HTTP-Method-Override", "x-http-method", "X-Method-Override", "x_http_method_override"):
            assert ask([*session, (name, "DELETE")], method) == (403, SILENT)
            assert ask([*session, (name, "DELETE"), *site("none")], method) == PASSES


def test_websockets_need_a_proof(ask, session, envoy):
    """No page is asked whether it may open one, and the browser adds the cookies."""
    assert ask([*session, *UPGRADE], "GET") == (403, SILENT)
    assert ask([*session, *UPGRADE, *origin(EVIL)], "GET") == (403, "the Origin is not allowed")
    assert ask([*session, *UPGRADE, *site("cross-site"), *origin(EVIL)], "GET") == without("cross-site")
    assert ask([*session, *UPGRADE, *origin(OWN)], "GET") == PASSES
    assert ask([*session, *UPGRADE, *origin(ADMIN)], "GET", "/session/") == PASSES
    path = unique_path("/default/")
    http2.send(envoy.port("csrf"), path, [(":protocol", "websocket"), *session], "CONNECT")  # RFC 8441
    assert envoy.denial(path)["detail"] == SILENT


def test_double_submit(ask, session):
    def sent(cookies, headers):
        extra = [("cookie", f"__Host-csrf={value}") for value in cookies]
        return ask([*session, *extra, *(("x-csrf-token", value) for value in headers)], prefix="/session/")

    assert sent([SECRET], [SECRET]) == PASSES
    for cookies, headers, lacking in (
        ([], [SECRET], "the cookie is missing"),
        ([SECRET], [], "the header is missing"),
        ([SECRET], [SECRET[:-1]], "the header is not the cookie"),
        ([SECRET], [SECRET[:-1] + "g"], "the header is not the cookie"),
        ([SECRET[:-1]], [SECRET[:-1]], "the cookie is too short"),
        ([""], [""], "the cookie is too short"),
        ([SECRET, SECRET], [SECRET], "the cookie comes twice"),
        ([SECRET], [SECRET, SECRET], "the header comes twice"),
    ):
        assert sent(cookies, headers) == (403, SILENT, lacking)


def test_names_with_a_prefix_are_exact(ask, world):
    """A page may set `__host-session` in an old browser, and without TLS."""
    token = world.token()
    others = ("__host-session", "__HOST-session", "__Host-Session", "Host-session", "__Host-session2", "__Host_session")
    for name in others:
        assert ask([("cookie", f"{name}={token}"), *site("same-origin")]) == (401, "token_missing")
    for near in (f"__Host-session={token}; __host-session=x", f"__host-session=x; __Host-session={token}"):
        assert ask([("cookie", near), *site("same-origin")]) == PASSES
    assert ask([("cookie", f"__Secure-session={world.token('b')}"), *site("none")], prefix="/secure/") == PASSES
    assert ask([("cookie", f"__Host-session={world.token('b')}"), *site("none")], prefix="/secure/")[0] == 401


def test_a_bearer_header_is_exempt(ask, session, world):
    good, bad = bearer(world.token()), bearer(world.token(exp=1))
    assert ask(good + site("cross-site"), prefix="/both/") == PASSES
    assert ask(good, prefix="/both/") == PASSES
    assert ask(bad, prefix="/both/") == (401, "token_expired")
    # Beside a cookie it proves nothing for that one.
    assert ask(good + session, prefix="/both/") == (403, SILENT)
    assert ask(good + session + site("same-origin"), prefix="/both/") == PASSES


def test_what_is_optional(ask, session, world, envoy, upstream):
    assert ask(session, prefix="/optional/") == (403, SILENT)
    assert ask([], prefix="/optional/") == PASSES
    for headers, user in ((site("same-origin"), "alice"), (site("cross-site"), None)):
        path = unique_path("/tolerant/")
        assert send(envoy.port("csrf"), path, session + headers, "POST").status == 200
        [seen] = [request for request in upstream.requests if request.target == path]
        assert (seen.get("x-user"), seen.get("cookie")) == (user, "a=1")


def test_a_remembered_token_needs_a_proof_too(ask, session):
    for headers, expected in ((site("same-origin"), PASSES), (site("cross-site"), without("cross-site"))) * 2:
        assert ask(session + headers) == expected


def test_two_tokens_are_refused_as_such(ask, session):
    for twins in (session * 2, [("cookie", "; ".join(value for _, value in session * 2))]):
        assert ask(twins + site("same-origin")) == (401, "token_duplicated")
        assert ask(twins + site("cross-site")) == (401, "token_duplicated")
    assert ask([("cookie", "__Host-session=x")] + site("same-origin")) == (401, "token_malformed")
    assert ask([("cookie", "__Host-session=x")]) == (403, SILENT)


@pytest.mark.parametrize("version", ["HTTP/1", "HTTP/2"])
def test_cookie_bombs(envoy, world, upstream, version):
    """Up to the proxy's limits of 60 KiB and 100 headers."""
    token = world.token()
    session, twin = f"__Host-session={token}", "__Host-session=x"
    short = "; ".join(["a=1"] * 10_000)
    bombs = {
        "many": [short],
        "empty": [";" * 50_000],
        "long": ["a=" + "b" * 50_000],
        "near misses": ["; ".join(["__Host-sessio=x", "__Host-sessionn=x", "__Host-session"] * 900)],
        "lines": [f"a{number}=1" for number in range(80)],
    }
    for name, lines in bombs.items():
        for cookies, status in (
            ([*lines, session], 200),
            ([session, *lines], 200),
            ([twin, *lines, session], 401),
            ([session, *lines, twin], 401),
            (lines, 401),
        ):
            path = unique_path("/default/")
            headers = [("sec-fetch-site", "same-origin"), *(("cookie", value) for value in cookies)]
            if version == "HTTP/1":
                assert send(envoy.port("csrf"), path, headers, "POST").status == status, (name, len(cookies))
            else:
                http2.send(envoy.port("csrf"), path, headers, "POST")
            arrived = any(request.target == path for request in upstream.requests)
            assert arrived == (status == 200), (name, len(cookies))
            if status == 401:
                reason = "token_missing" if cookies is lines else "token_duplicated"
                assert envoy.denial(path)["reason"] == reason
