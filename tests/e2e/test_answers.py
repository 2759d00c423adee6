"""What the client is told, what the proxy is told, and that the one never learns what the other does."""

import pytest

from lab.keys import RsaKey
from support.bootstrap import Site
from support.client import Exchange, bearer, head, send, unique_path
from support.wait import until

pytestmark = pytest.mark.matrix

SITES = ("main", "realm", "allow")
MISSING = 'Bearer realm="api"'
INVALID = 'Bearer realm="api", error="invalid_token"'

REASONS = {
    "token_too_large": lambda world: bearer(world.token(note="x" * 20_000)),
    "token_malformed": lambda world: bearer(world.token() + "."),
    "header_malformed": lambda world: bearer("W10." + world.token().split(".", 1)[1]),
    "claims_malformed": lambda world: bearer(world.token(sub=1)),
    "header_unsupported": lambda world: bearer(world.token(head={"crit": ["x"], "x": 1})),
    "algorithm_not_allowed": lambda world: bearer(world.token(head={"alg": "none"})),
    "type_not_accepted": lambda world: bearer(world.token(head={"typ": "dpop+jwt"})),
    "issuer_not_accepted": lambda world: bearer(world.token(iss="https://other.example/")),
    "key_unknown": lambda world: bearer(world.token(head={"kid": "unknown"})),
    "key_unsuitable": lambda world: bearer(world.token(algorithm="RS512")),
    "signature_invalid": lambda world: bearer(world.token(key=RsaKey())),
    "token_expired": lambda world: bearer(world.token(exp=1_000_000_000)),
    "expiration_missing": lambda world: bearer(world.token(exp=...)),
    "token_not_yet_valid": lambda world: bearer(world.token(nbf=4_000_000_000)),
    "issued_in_future": lambda world: bearer(world.token(iat=4_000_000_000)),
    "audience_not_accepted": lambda world: bearer(world.token(aud="other")),
    "sender_constraint": lambda world: bearer(world.token(cnf={"jkt": "x" * 43})),
    "claim_unsafe": lambda world: bearer(world.token(sub="alice\r\nx-admin: 1")),
}


@pytest.fixture(scope="module")
def envoy(launch, world):
    changes = ({}, {"realm": "orders"}, {"unmatched": "allow"})
    sites = [Site(site, world.configuration(**change)) for site, change in zip(SITES, changes, strict=True)]
    return launch(*sites, log_level="wasm:trace")


@pytest.fixture(scope="module")
def port(envoy):
    return envoy.port("main")


def test_no_token(envoy, port, upstream):
    path = unique_path("/a/")
    answer = send(port, path)
    assert (answer.status, answer.body, answer.challenge) == (401, b"Unauthorized", MISSING)
    assert envoy.denial(path)["reason"] == "token_missing"
    assert envoy.access(path)["details"] == "jwt_warden_denied{token_missing}"
    assert not [request for request in upstream.requests if request.target == path]


@pytest.mark.parametrize("reason", REASONS)
def test_bad_token(reason, envoy, port, world, upstream):
    path = unique_path("/a/")
    before = settled(envoy)
    answer = send(port, path, REASONS[reason](world))

    assert (answer.status, answer.body, answer.challenge) == (401, b"Unauthorized", INVALID)
    assert not [request for request in upstream.requests if request.target == path]

    denial = envoy.denial(path)
    assert denial["reason"] == reason
    assert (denial["status"], denial["provider"], denial["method"]) == ("401", "a", "GET")
    assert envoy.access(path)["details"] == f"jwt_warden_denied{{{reason}}}"
    assert increased(envoy, before) == {f"wasmcustom.jwt_warden.requests.verdict.denied.provider.a.reason.{reason}": 1}


def test_two_tokens_in_one_place(envoy, port, world):
    path = unique_path("/a/")
    answer = send(port, f"{path}?access_token={world.token()}&access_token={world.token()}")
    assert (answer.status, answer.challenge) == (401, INVALID)
    assert envoy.denial(path)["reason"] == "token_duplicated"


def test_a_token_beside_other_credentials(envoy, port, world):
    """Envoy joins the two by a comma."""
    for basic_first in (True, False):
        path = unique_path("/a/")
        headers = [("authorization", "Basic dTpw"), *bearer(world.token())]
        answer = send(port, path, headers if basic_first else headers[::-1])
        assert (answer.status, answer.challenge) == (401, INVALID)
        assert envoy.denial(path)["reason"] == "token_malformed"


def test_the_client_cannot_tell_bad_tokens_apart(port, world):
    answers = [send(port, unique_path("/a/"), make(world)) for make in REASONS.values()]
    shown = {(answer.status, answer.body, tuple(headers_but_date(answer))) for answer in answers}
    assert len(shown) == 1, shown


def test_no_rule(envoy, port, world):
    for headers in ([], bearer(world.token())):
        path = unique_path("/nowhere/")
        before = settled(envoy)
        answer = send(port, path, headers)
        assert (answer.status, answer.body, answer.challenge) == (403, b"Forbidden", None)
        assert envoy.denial(path)["reason"] == "no_matching_rule"
        assert envoy.access(path)["details"] == "jwt_warden_denied{no_matching_rule}"
        assert increased(envoy, before) == {"wasmcustom.jwt_warden.requests.verdict.denied.reason.no_matching_rule": 1}


def test_dot_segments(envoy, port, world, upstream):
    """With `normalize_path` off, Envoy hands such paths on as they are."""
    for dots in ("../a/", "%2e%2E/a/", "..%2fa/", "..;/a/", "./"):
        path = unique_path(f"/public/{dots}")
        for listener in (port, envoy.port("allow")):
            answer = send(listener, path, bearer(world.token()))
            assert (answer.status, answer.body, answer.challenge) == (403, b"Forbidden", None)
        assert envoy.denial(path)["reason"] == "path_ambiguous"
        assert not [request for request in upstream.requests if request.target == path]


def test_no_rule_where_that_is_allowed(envoy):
    assert send(envoy.port("allow"), "/nowhere").status == 200


def test_good_token(envoy, port, world, upstream):
    path = unique_path("/a/")
    before = settled(envoy)
    assert send(port, path, bearer(world.token())).status == 200
    assert [request.target for request in upstream.requests if request.target == path] == [path]
    assert envoy.access(path)["details"] == "via_upstream"
    assert increased(envoy, before) == {"wasmcustom.jwt_warden.requests.verdict.allowed.provider.a.reason.verified": 1}


def test_public_path(envoy, port):
    before = settled(envoy)
    assert send(port, "/public").status == 200
    assert increased(envoy, before) == {"wasmcustom.jwt_warden.requests.verdict.allowed.reason.not_required": 1}


def test_realm(envoy, world):
    assert send(envoy.port("realm"), "/a/").challenge == 'Bearer realm="orders"'
    answer = send(envoy.port("realm"), "/a/", bearer(world.token(exp=1)))
    assert answer.challenge == 'Bearer realm="orders", error="invalid_token"'


def test_a_reply_to_head(port, world):
    """It has the length of the body, and no body (RFC 9110 section 9.3.2)."""
    for headers in ([], bearer(world.token(exp=1))):
        exchange = Exchange(port, head(unique_path("/a/"), headers, "HEAD"))
        lines, _, body = exchange.rest().partition(b"\r\n\r\n")
        assert lines.startswith(b"HTTP/1.1 401 ") and b"content-length: 12" in lines
        assert body == b""


def test_scheme_is_not_case_sensitive(port, world):
    for scheme in ("Bearer", "bearer", "BEARER", "bEaReR  "):
        assert send(port, "/a/", [("authorization", f"{scheme} {world.token()}")]).status == 200
    for scheme in ("Basic", "DPoP", "Bearers", "BearerX"):
        assert send(port, "/a/", [("authorization", f"{scheme} {world.token()}")]).status == 401


def test_what_the_client_sent_cannot_forge_log_lines(envoy, port, world):
    forged = '"\njwt-warden: denied reason=forged path="/forged'
    send(port, unique_path("/a/"), bearer(world.token(head={"kid": forged, "typ": forged}, iss=forged, aud=forged)))
    path = unique_path('/a/"reason=forged"')
    send(port, path)
    envoy.log_line("jwt-warden: denied", path.rsplit('"', 1)[1])
    assert not [line for line in envoy.log().splitlines() if line.startswith("jwt-warden")]
    assert 'path="/forged' not in envoy.log()


def settled(envoy):
    """The counters, once the workers have handed over what they had counted before."""
    names = [f"http.{site}.downstream_rq_total" for site in SITES]
    until(lambda: sum(counters(envoy).values()) == sum(envoy.stats(name)[name] for name in names))
    return counters(envoy)


def counters(envoy):
    """How many requests the filter has counted, by verdict and reason."""
    return envoy.stats("wasmcustom.jwt_warden.requests")


def increased(envoy, before):
    """The counters that have grown since; waits until one has."""

    def grown():
        now = counters(envoy)
        return {name: value - before.get(name, 0) for name, value in now.items() if value > before.get(name, 0)}

    return until(grown)


def headers_but_date(answer):
    """The answer's headers without the one that changes by itself."""
    return sorted((name, value) for name, value in answer.headers if name != "date")
