"""Tokens that are bound to a key (RFC 9449): proofs good and bad, replays on all workers, a client that is not ours."""

import asyncio
import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import processes
from lab.issuer import Answer
from lab.keys import EcKey, HmacKey, RsaKey, base64url, generate
from support import http2, load
from support.bootstrap import Site, direct_response
from support.client import bearer, send, unique_path
from support.dpop import ORIGIN, presented, proof, public, thumbprint
from support.envoy import ROOT
from support.handbook import blocks
from support.revocation import ListServer
from support.wait import until
from support.world import rule

pytestmark = pytest.mark.matrix

ACTIVE = "http.waiting.downstream_rq_active"
ALGS = 'algs="RS256 PS256 ES256 ES384 EdDSA"'
INVALID_TOKEN = f'DPoP realm="api", error="invalid_token", {ALGS}'
INVALID_PROOF = f'DPoP realm="api", error="invalid_dpop_proof", {ALGS}'
USE_NONCE = f'DPoP realm="api", error="use_dpop_nonce", {ALGS}'
NORMALISED = {"normalize_path": True, "path_with_escaped_slashes_action": "KEEP_UNCHANGED"}
SCHEMES = [{"name": "Authorization", "value_prefix": "Bearer "}, {"name": "Authorization", "value_prefix": "DPoP "}]


@pytest.fixture(scope="module")
def envoy(launch, world):
    """Two workers. /a/, /required/, /ignored/, /kept/, /bearer/ and /both/ take bound tokens as they are named."""
    providers = {
        "a": world.provider("a"),
        "required": world.provider("a", sender_constraint="required"),
        "ignored": world.provider("a", sender_constraint="ignore"),
        "kept": world.provider("a", forward=True),
        "bearer": world.provider("a", from_headers=SCHEMES[:1]),
        "both": world.provider("a", from_headers=SCHEMES),
    }
    rules = [*(rule(f"/{name}/", name) for name in providers), {"match": {"prefix": "/public/"}}]
    configuration = {"providers": providers, "rules": rules}
    sites = {
        "main": {},
        "origins": {"dpop": {"origins": ["https://api.example", "https://api.example:8443"]}},
        "nonces": {"dpop": {"nonce": {"required": True}}},
        "small": {"dpop": {"algorithms": ["ES256"], "max_age": "5s", "clock_skew": "0s"}},
    }
    sites = [Site(name, {**configuration, **changes}) for name, changes in sites.items()]
    return launch(*sites, Site("normalised", configuration, manager=NORMALISED), concurrency=2)


@pytest.fixture(scope="module")
def key():
    return EcKey("P-256", alg="ES256")


@pytest.fixture(scope="module")
def bound(world, key):
    """A good token that is bound to the key."""
    return world.token(cnf={"jkt": thumbprint(key)})


@pytest.fixture(scope="module")
def refusal(envoy):
    """Sends headers that depend on the path; gives challenge, reason and detail: `refusal(headers, site=...)`."""

    def refusal(headers, prefix="/a/", site="main", **options):
        path = unique_path(prefix)
        answer = send(envoy.port(site), path, headers(path), **options)
        assert (answer.status, answer.body) == (401, b"Unauthorized")
        denial = envoy.denial(path)
        return answer.challenge, denial["reason"], denial.get("detail")

    return refusal


def with_proof(key, token, extra=(), scheme="DPoP", **changes):
    """The headers for a path: token and proof; changes to the proof may be functions of the path."""

    def headers(path):
        values = {name: value(path) if callable(value) else value for name, value in changes.items()}
        return [*presented(token, proof(key, token, path, **values), scheme=scheme), *extra]

    return headers


def status(envoy, path, headers, site="main", method="GET"):
    return send(envoy.port(site), path, headers, method).status


def test_a_bound_token_passes_with_its_proof(envoy, world, upstream):
    for algorithm in ("ES256", "ES384", "EdDSA", "PS256", "RS256"):
        key = generate(algorithm)
        token = world.token(cnf={"jkt": thumbprint(key)})
        path = unique_path("/a/") + "?page=2"
        assert status(envoy, path, presented(token, proof(key, token, path))) == 200, algorithm
        [request] = [request for request in upstream.requests if request.target == path]
        assert request.get("x-user") == "alice"
        assert not request.all("authorization") and not request.all("dpop")


def test_the_scheme_has_any_case(envoy, key, bound):
    for scheme in ("dpop", "DPOP", "dPoP  "):
        path = unique_path("/both/")
        assert status(envoy, path, presented(bound, proof(key, bound, path), scheme=scheme)) == 200


def test_token_and_proof_go_together(envoy, key, bound, upstream):
    path = unique_path("/kept/")
    sent = proof(key, bound, path)
    assert status(envoy, path, presented(bound, sent)) == 200
    [request] = [request for request in upstream.requests if request.target == path]
    assert (request.get("authorization"), request.get("dpop")) == (f"DPoP {bound}", sent)


def test_a_bound_token_is_no_bearer_token(refusal, envoy, key, bound):
    words = "the token is bound to a key (`cnf.jkt`), and did not come under the scheme DPoP"
    invalid = 'Bearer realm="api", error="invalid_token"'
    for prefix in ("/a/", "/required/", "/bearer/", "/both/"):
        assert refusal(with_proof(key, bound, scheme="Bearer"), prefix) == (invalid, "sender_constraint", words)
    path = unique_path("/a/")
    assert status(envoy, f"{path}?access_token={bound}", [("dpop", proof(key, bound, path))]) == 401
    assert status(envoy, unique_path("/ignored/"), bearer(bound)) == 200
    assert status(envoy, unique_path("/ignored/"), presented(bound)) == 200


def test_an_unbound_token_is_no_dpop_token(refusal, envoy, key, world):
    token = world.token()
    sent = with_proof(key, token)
    challenge, reason, detail = refusal(sent)
    assert (challenge, reason) == (INVALID_TOKEN, "sender_constraint") and "not bound to a key" in detail
    assert refusal(sent, "/required/")[1] == "sender_constraint"
    assert status(envoy, unique_path("/a/"), bearer(token)) == 200
    # It looks at no such scheme.
    assert refusal(sent, "/bearer/")[:2] == ('Bearer realm="api"', "token_missing")


def test_who_has_no_token_is_told_of_proofs_where_they_are_a_must(refusal):
    assert refusal(lambda path: [])[0] == 'Bearer realm="api"'
    assert refusal(lambda path: [], "/required/")[0] == f'Bearer realm="api", DPoP realm="api", {ALGS}'


def _jwk(**changes):
    return lambda key: {"head": {"jwk": {**public(key), **changes}}}


def _head(**changes):
    return lambda _: {"head": changes}


def _claims(**changes):
    return lambda _: changes


OTHER = EcKey("P-256", alg="ES256")
SECRET = HmacKey(b"s" * 32, alg="HS256")
MALFORMED, NO_KEY = "not well-formed", "no key that could be used"
BAD = {
    "private": (_jwk(d="AQAB"), NO_KEY),
    "secret": (
        lambda _: {"head": {"alg": "HS256", "jwk": SECRET.jwk()}, "signer": SECRET, "algorithm": "HS256"},
        "`alg` is not allowed",
    ),
    "none": (_head(alg="none"), MALFORMED),
    "typ": (_head(typ="JWT"), "`typ` is not dpop+jwt"),
    "no_typ": (_head(typ=...), "`typ` is not dpop+jwt"),
    "crit": (_head(crit=["exp"]), MALFORMED),
    "no_jwk": (_head(jwk=...), NO_KEY),
    "off_curve": (_jwk(x=base64url(b"x" * 32)), NO_KEY),
    "key_of_another": (_head(jwk=public(OTHER)), "the signature is not one of the key"),
    "another_key": (lambda _: {"head": {"jwk": public(OTHER)}, "signer": OTHER}, "the key is not the one"),
    "method": (_claims(htm="POST"), "`htm` is another method"),
    "host": (_claims(htu=lambda path: "http://evil.example" + path), "`htu` is another URI"),
    "scheme": (_claims(htu=lambda path: "https://api.example" + path), "`htu` is another URI"),
    "path": (_claims(htu=lambda path: ORIGIN + path + "/"), "`htu` is another URI"),
    "old": (_claims(iat=lambda _: int(time.time()) - 62), "`iat` is too long ago"),
    "early": (_claims(iat=lambda _: int(time.time()) + 30), "`iat` is in the future"),
    "no_time": (_claims(iat=...), "`iat` is missing"),
    "no_id": (_claims(jti=...), "`jti` is missing"),
    "no_hash": (_claims(ath=...), "`ath` is missing"),
    "hash": (_claims(ath=base64url(bytes(32))), "`ath` is not the hash of the token"),
    "giant": (_claims(note="x" * 9000), MALFORMED),
    "huge": (_claims(note="x" * 500_000), MALFORMED),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_proof_is_refused(refusal, key, bound, name):
    changes, words = BAD[name]
    challenge, reason, detail = refusal(with_proof(key, bound, **changes(key)))
    assert (challenge, reason) == (INVALID_PROOF, "dpop_proof_invalid")
    assert words in detail


def test_there_has_to_be_one_proof(refusal, key, bound):
    assert refusal(lambda _: presented(bound))[2] == "there is no DPoP header"
    more = "there is more than one DPoP header"
    assert refusal(with_proof(key, bound, extra=[("dpop", "x")]))[2] == more
    assert refusal(lambda path: presented(bound, ",".join([proof(key, bound, path)] * 2)))[2] == more
    for garbage in ("x", "a.b.c", "..", "{}"):
        assert refusal(with_garbage(bound, garbage))[:2] == (INVALID_PROOF, "dpop_proof_invalid")


def with_garbage(token, garbage):
    return lambda _: presented(token, garbage)


def test_there_are_no_other_credentials(envoy, refusal, key, bound, world):
    for other in (f"Bearer {world.token()}", f"DPoP {bound}", "Basic YTpi"):
        sent = with_proof(key, bound, extra=[("authorization", other)])
        refusal(sent)
        path = unique_path("/a/")
        http2.send(envoy.port("main"), path, sent(path))
        assert envoy.denial(path)["reason"] in ("token_duplicated", "token_malformed")


def test_the_proof_is_for_one_token_of_the_key(refusal, key, bound, world):
    another = world.token(cnf={"jkt": thumbprint(key)}, sub="bob")
    assert refusal(lambda path: presented(another, proof(key, bound, path)))[0] == INVALID_PROOF


def test_a_bad_token_stays_bad(refusal, key, world):
    token = world.token(cnf={"jkt": thumbprint(key)}, exp=1)
    assert refusal(with_proof(key, token))[:2] == (INVALID_TOKEN, "token_expired")


def test_a_proof_counts_once_on_all_workers(envoy, key, bound):
    path = unique_path("/a/")
    headers = presented(bound, proof(key, bound, path))
    # Each connection may go to another worker.
    statuses = [status(envoy, path, headers) for _ in range(20)]
    assert statuses == [200] + [401] * 19
    assert envoy.denial(path)["reason"] == "dpop_proof_replayed"


def test_a_proof_counts_once_however_many_come_at_a_time(envoy, key, bound):
    path = unique_path("/a/")
    headers = presented(bound, proof(key, bound, path))
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: status(envoy, path, headers), range(64)))
    assert sorted(statuses) == [200] + [401] * 63


def test_many_proofs_of_one_key(envoy, key, bound):
    path = unique_path("/a/")
    with ThreadPoolExecutor(8) as pool:
        headers = [presented(bound, proof(key, bound, path)) for _ in range(200)]
        assert set(pool.map(lambda own: status(envoy, path, own), headers)) == {200}


def test_a_refused_request_does_not_use_its_proof_up(envoy, key, bound):
    path = unique_path("/a/")
    sent = proof(key, bound, path)
    assert status(envoy, path, presented(bound + "x", sent)) == 401
    assert status(envoy, path, presented(bound, sent)) == 200


def test_other_methods_have_proofs_of_their_own(envoy, key, bound):
    path = unique_path("/a/")
    assert status(envoy, path, presented(bound, proof(key, bound, path, htm="DELETE")), method="DELETE") == 200
    assert status(envoy, path, presented(bound, proof(key, bound, path)), method="DELETE") == 401


def test_uris_are_compared_as_their_normal_forms(envoy, key, bound):
    for spelling in ("HTTP://API.example:80{}", "http://api.example{}?x=y#z", "http://api.example/x/..{}"):
        path = unique_path("/a/")
        assert status(envoy, path, presented(bound, proof(key, bound, path, htu=spelling.format(path)))) == 200


def test_the_proxy_may_normalise_the_path(envoy, key, bound):
    for spelling in ("/a/x/..{}", "/a/%2e%2e/a{}", "/a/b/./%7ec{}", "/a/%2f{}", "/a/%C3%A9{}", "/a/b\\c{}"):
        path = spelling.format(unique_path("/"))
        sent = proof(key, bound, path, htu=ORIGIN + path)
        expected = 401 if "\\" in path else 200
        assert status(envoy, path, presented(bound, sent), site="normalised") == expected, path
    path = unique_path("/a/")
    assert status(envoy, f"/x/..{path}", presented(bound, proof(key, bound, f"/y{path}")), site="normalised") == 401


def test_the_service_is_known_by_its_origins(envoy, key, bound):
    path = unique_path("/a/")
    for origin, expected in (
        ("https://api.example", 200),
        ("https://api.example:8443", 200),
        (ORIGIN, 401),
        ("https://evil.example", 401),
    ):
        sent = presented(bound, proof(key, bound, path, htu=origin + path))
        assert status(envoy, path, sent, site="origins") == expected, origin


def test_what_the_operator_allows(envoy, world, refusal, key, bound):
    rsa = RsaKey(alg="RS256")
    token = world.token(cnf={"jkt": thumbprint(rsa)})
    challenge, _, detail = refusal(with_proof(rsa, token), site="small")
    assert detail == "`alg` is not allowed" and challenge.endswith('algs="ES256"')
    old = with_proof(key, bound, iat=lambda _: int(time.time()) - 7)
    assert refusal(old, site="small")[2] == "`iat` is too long ago"


def test_nonces(envoy, refusal, key, bound):
    def ask(nonce, path, site="nonces"):
        headers = presented(bound, proof(key, bound, path, nonce=nonce))
        return send(envoy.port(site), path, headers)

    path = unique_path("/a/")
    answer = ask(..., path)
    [nonce] = answer.all("dpop-nonce")
    assert (answer.status, answer.challenge) == (401, USE_NONCE)
    assert envoy.denial(path)["reason"] == "dpop_nonce_required"
    # Every worker knows the nonces of all.
    assert [ask(nonce, path).status for _ in range(20)] == [200] * 20
    for wrong in ("", "x", nonce[:-2], nonce.swapcase(), base64url(bytes(40))):
        answer = ask(wrong, path)
        assert (answer.status, answer.challenge) == (401, USE_NONCE)
        assert len(answer.all("dpop-nonce")) == 1
    assert not send(envoy.port("nonces"), path, bearer(bound)).all("dpop-nonce")
    assert not send(envoy.port("main"), path, presented(bound)).all("dpop-nonce")


def test_proofs_are_taken_out_of_public_requests(envoy, key, bound, upstream):
    path = unique_path("/public/")
    # One provider forwards its tokens, so a proof stays with them; on a site where none does, it goes.
    assert status(envoy, path, presented(bound, "x")) == 200
    [request] = [request for request in upstream.requests if request.target == path]
    assert request.get("dpop") == "x"


def test_what_the_handbook_says(launch, world, key, bound):
    given = blocks().dpop
    provider = world.provider("a", **given["providers"]["acme"])
    configuration = {"providers": {"acme": provider}, "dpop": given["dpop"]}
    envoy = launch(Site("handbook", configuration), concurrency=2)
    port, path = envoy.port("handbook"), unique_path("/")
    [origin] = given["dpop"]["origins"]
    answer = send(port, path, presented(bound, proof(key, bound, path, htu=origin + path)))
    [nonce] = answer.all("dpop-nonce")
    sent = presented(bound, proof(key, bound, path, htu=origin + path, nonce=nonce))
    assert send(port, path, sent).status == 200


@pytest.fixture(scope="module")
def program():
    """A client that is not ours; without node this fails."""
    return subprocess.check_output([ROOT / "tools/dpop-client"], text=True).strip()


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519", "PS256", "RS256"])
def test_a_client_that_is_not_ours(envoy, world, program, algorithm):
    client = processes.spawn(
        ["node", program, algorithm], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        token = world.token(cnf={"jkt": client.stdout.readline().strip()})

        def ask(site, method="GET", token=token):
            url = f"http://127.0.0.1:{envoy.port(site)}{unique_path('/a/%7Ex/')}?q=1"
            print(json.dumps({"url": url, "method": method, "token": token}), file=client.stdin)
            return json.loads(client.stdout.readline())

        assert [ask("main", method) for method in ("GET", "POST", "GET")] == [[200], [200], [200]]
        assert ask("main", token=world.token()) == [401]
        assert ask("nonces") == [401, 200]
        assert ask("nonces") == [200]
    finally:
        client.kill()
        client.communicate()


def test_a_proof_counts_once_of_all_requests_that_wait_with_it(launch, world, key):
    """And an answer about one token has nobody else's proof verified again: 300 would verify 45,000."""
    service = ListServer()
    service.answer_with = Answer(status=404)
    service.hold()
    lookup = {
        "http_uri": {"uri": "http://service/{jti}", "cluster": "service", "timeout": "20s"},
        "revoked_when": {"status": 200},
    }
    providers = {"a": world.provider("a", revocation={"lookup": lookup})}
    waiting = Site("waiting", {"providers": providers, "rules": [rule("/a/", "a")]}, route=direct_response())
    envoy = launch(waiting, clusters={"service": service.port})
    requests = {}
    for number in range(300):
        token, path = world.token(cnf={"jkt": thumbprint(key)}, jti=str(number)), f"/a/{number}"
        headers = presented(token, proof(key, token, path))
        lines = [f"GET {path} HTTP/1.1", "host: api.example", *map(": ".join, headers)]
        requests[number] = "\r\n".join([*lines, "", ""]).encode()

    def release():
        until(lambda: envoy.stats(ACTIVE)[ACTIVE] == 310)
        service.release()

    async def wait_together():
        # The proof of the first ten comes twice.
        everybody = load.send_all(envoy.port("waiting"), [*requests.items(), *list(requests.items())[:10]], 310)
        begun = time.perf_counter()
        results, _ = await asyncio.gather(everybody, asyncio.to_thread(release))
        return results, time.perf_counter() - begun

    results, seconds = asyncio.run(wait_together())
    service.stop()
    print(f"310 requests with proofs that waited were decided {seconds:.2f} s after they began")
    assert sorted(result.tag for result in results if result.status == 200) == list(range(300))
    assert sorted(result.tag for result in results if result.status == 401) == list(range(10))
