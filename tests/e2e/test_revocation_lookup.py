"""Questions about single tokens: to Redis through Webdis, both real, and to any other service."""

import urllib.error
import urllib.request
import uuid

import pytest

from lab.issuer import Answer
from support import load
from support.bootstrap import direct_response
from support.client import bearer, begin, send, unique_path
from support.handbook import blocks
from support.revocation import UNAVAILABLE, WORKERS, ListServer, counted, denylist, on_every_worker, site, verdict
from support.services import Redis, Webdis
from support.tls import TlsJwksServer
from support.wait import until

REVOKED = (401, "token_revoked")
MISSING = (401, "revocation_claim_missing")
AWAY = (UNAVAILABLE, "revocation_unavailable")
REDIS = {
    "http_uri": {"uri": "http://webdis/EXISTS/revoked:{jti}", "cluster": "webdis", "timeout": "2s"},
    "ttl": "1s",
    "revoked_when": {"json_pointer": "/EXISTS", "equals": 1},
}


@pytest.fixture
def redis(tmp_path):
    """A Redis of the test's own."""
    redis = Redis(tmp_path)
    yield redis
    redis.stop()


@pytest.fixture
def webdis(tmp_path, redis):
    """A Webdis in front of it."""
    webdis = Webdis(tmp_path, redis)
    yield webdis
    webdis.stop()


@pytest.fixture
def envoy(launch, world, webdis):
    """Four workers that ask them. /deny/ and /allow/: what becomes of tokens when they do not answer."""
    lookups = {"deny": {"lookup": REDIS}, "allow": {"lookup": REDIS, "on_unavailable": "allow"}}
    lookups["optional"] = {"lookup": REDIS, "require_jti": False}
    redis_site = site(world, "redis", lookups)
    redis_site.route = direct_response()
    return launch(redis_site, clusters={"webdis": webdis.port}, concurrency=WORKERS)


@pytest.mark.matrix
def test_a_live_session_is_refused_on_every_worker(envoy, world, redis):
    token, other = world.token(jti="session-1"), world.token(jti="session-2")
    for _ in range(2):
        assert on_every_worker(envoy, "redis", token, "/deny/") == {200}
    redis.revoke("session-1")
    until(lambda: on_every_worker(envoy, "redis", token, "/deny/") == {401})
    assert verdict(envoy, "redis", token, "/deny/") == REVOKED
    assert on_every_worker(envoy, "redis", other, "/deny/") == {200}
    for result in ("good", "revoked"):
        name = f"revocation.provider.deny.answers.kind.lookup.result.{result}"
        until(lambda name=name: counted(envoy, name) >= WORKERS)
    redis.revoke("session-2", seconds=8)
    until(lambda: on_every_worker(envoy, "redis", other, "/deny/") == {401})
    until(lambda: on_every_worker(envoy, "redis", other, "/deny/") == {200})  # Redis has forgotten it


@pytest.mark.matrix
def test_the_clusters_of_the_handbook(launch, world, redis, webdis, tmp_path):
    """A denylist by TLS from the server of that name, and Webdis beside it."""
    idp = TlsJwksServer("idp.example", tmp_path)
    idp.answer_with = Answer(b'{"jti":["listed"]}')
    tls, plain = blocks().revocation
    address = {"socket_address": {"address": "127.0.0.1", "port_value": idp.port}}
    tls["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = address
    context = tls["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"]
    context["trusted_ca"]["filename"] = str(idp.certificate)
    plain["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"][
        "port_value"
    ] = webdis.port
    both = {"denylists": [denylist("idp", "https://idp.example/denylist.json")], "lookup": REDIS}
    envoy = launch(site(world, "both", {"both": both}), clusters={"idp": tls, "webdis": plain})
    redis.revoke("asked")
    for jti, expected in (("listed", REVOKED), ("asked", REVOKED), ("other", 200)):
        assert verdict(envoy, "both", world.token(jti=jti), "/both/") == expected, jti
    idp.stop()
    with urllib.request.urlopen(f"http://127.0.0.1:{webdis.port}/EXISTS/revoked:asked") as answer:
        assert answer.read() == b'{"EXISTS":1}'
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://127.0.0.1:{webdis.port}/DEL/revoked:asked")


def test_every_jti_is_asked_about_as_it_is(envoy, world, redis):
    """A dot begins a suffix for Webdis, a slash another argument."""
    odd = [
        "a.txt",
        "a/b",
        "../a",
        "...",
        "a\r\nDEL revoked:a",
        "a%2e",
        "\u00e9\U0001f511",
        "a b",
        "a?b#c&d",
        "a:b*",
        "a\\b",
    ]
    odd.append("j" * 1024)
    for jti in odd:
        redis.revoke(jti)
        assert verdict(envoy, "redis", world.token(jti=jti), "/deny/") == REVOKED, jti
        assert verdict(envoy, "redis", world.token(jti="-" + jti[1:]), "/deny/") == 200, "the near miss"
    assert redis("DBSIZE") == f":{len(odd)}", "nobody but the test has written"


def test_a_jti_that_nobody_can_ask_about_is_refused(envoy, world):
    for jti in ["", ".", "..", "j" * 1025, "j" * 10_240, 7, None]:
        verdicts = {verdict(envoy, "redis", world.token(jti=jti), prefix) for prefix in ("/deny/", "/allow/")}
        assert verdicts <= {MISSING, (401, "claims_malformed")}, jti
    assert verdict(envoy, "redis", world.token(), "/deny/") == MISSING
    assert verdict(envoy, "redis", world.token(), "/optional/") == 200
    assert "panic" not in envoy.log()


def test_redis_is_killed_under_load_and_comes_back(envoy, world, redis):
    tokens = [world.token(jti=str(uuid.uuid4())) for _ in range(20)]
    redis.revoke("gone")
    gone = world.token(jti="gone")
    requests = [((prefix, 200), load.request(token, prefix)) for token in tokens for prefix in ("/deny/", "/allow/")]
    requests += [((prefix, 401), load.request(gone, prefix)) for prefix in ("/deny/", "/allow/")]

    def during(condition):
        """What came while the load went on until the condition was met."""
        results = load.run_during(lambda: until(condition), envoy.port("redis"), requests, connections=16)
        return {(*result.tag, result.status) for result in results}

    def only_unavailable():
        return {verdict(envoy, "redis", token, "/deny/") for token in tokens} == {AWAY}

    assert on_every_worker(envoy, "redis", gone, "/deny/") == on_every_worker(envoy, "redis", gone, "/allow/") == {401}
    as_configured = {("/deny/", 200, 200), ("/allow/", 200, 200), ("/deny/", 401, 401), ("/allow/", 401, 401)}
    enough = passed(envoy, "deny", "verified") + 500
    assert during(lambda: passed(envoy, "deny", "verified") > enough) == as_configured
    redis.stop()
    # What was known of a token counts to its end; then nobody can tell. What is revoked stays so.
    assert during(only_unavailable) == as_configured | {("/deny/", 200, UNAVAILABLE)}
    enough = passed(envoy, "allow", "verified_without_revocation") + 500
    away = during(lambda: passed(envoy, "allow", "verified_without_revocation") > enough)
    assert away == (as_configured - {("/deny/", 200, 200)}) | {("/deny/", 200, UNAVAILABLE)}
    envoy.log_line("[warning]", "look-ups not answered", 'provider="deny"', "cause=status")
    until(lambda: counted(envoy, "revocation.provider.deny.answers.kind.lookup.result.status") > 0)
    redis.start()
    redis.revoke("gone")
    until(lambda: {verdict(envoy, "redis", token, "/deny/") for token in tokens} == {200})
    until(lambda: on_every_worker(envoy, "redis", tokens[0], "/deny/") == {200})
    envoy.log_line("[info]", "look-ups answered again", 'provider="deny"')
    enough = passed(envoy, "deny", "verified") + 500
    until(lambda: on_every_worker(envoy, "redis", gone, "/allow/") == {401})


def test_a_redis_that_is_slow(envoy, world, redis):
    assert verdict(envoy, "redis", world.token(jti="a"), "/deny/") == 200
    redis.pause()
    assert verdict(envoy, "redis", world.token(jti="b"), "/deny/") == AWAY
    assert verdict(envoy, "redis", world.token(jti="b"), "/allow/") == 200
    envoy.log_line("[warning]", "look-ups not answered", "cause=timeout")
    redis.resume()
    until(lambda: verdict(envoy, "redis", world.token(jti="b"), "/deny/") == 200)


def test_a_redis_that_answers_with_an_error(envoy, world, redis):
    """Webdis says so with status 200."""
    assert redis("ACL", "SETUSER", "default", "-exists") == "+OK"
    assert verdict(envoy, "redis", world.token(jti="a"), "/deny/") == AWAY
    assert verdict(envoy, "redis", world.token(jti="a"), "/allow/") == 200
    envoy.log_line("[warning]", "look-ups not answered", "cause=not_an_answer")
    assert redis("ACL", "SETUSER", "default", "+exists") == "+OK"
    until(lambda: verdict(envoy, "redis", world.token(jti="a"), "/deny/") == 200)


@pytest.fixture
def service():
    """Another service."""
    service = ListServer()
    yield service
    service.stop()


@pytest.fixture
def asking(launch, world, service):
    """One worker that asks it."""
    uri = {"uri": "http://127.0.0.1/{iss}/{sub}/{jti}", "cluster": "service", "timeout": "2s"}
    lookup = {"http_uri": uri, "ttl": "1s", "revoked_when": {"status": 200}}
    lookups = {"deny": {"lookup": lookup}, "allow": {"lookup": lookup, "on_unavailable": "allow"}}
    return launch(site(world, "service", lookups), clusters={"service": service.port})


def test_the_path_names_the_token(asking, world, service):
    service.answer_with = Answer(status=404)
    assert verdict(asking, "service", world.token(jti="a/b", sub="al ice"), "/deny/") == 200
    [request] = service.fetches
    assert (request.method, request.target) == ("GET", "/https%3A%2F%2Fa%2Eexample%2F/al%20ice/a%2Fb")
    assert verdict(asking, "service", world.token(jti="a", sub=...), "/deny/") == MISSING


def test_requests_of_one_token_share_a_question(asking, world, service):
    service.answer_with = Answer(status=404)
    service.hold()
    token = world.token(jti="shared")
    waiting = [begin(asking.port("service"), unique_path("/deny/"), bearer(token)) for _ in range(32)]
    until(lambda: counted(asking, "waiting.entered") == 32)
    service.release()
    assert {exchange.response().status for exchange in waiting} == {200}
    assert len(service.fetches) == 1
    assert send(asking.port("service"), unique_path("/deny/"), bearer(token)).status == 200
    assert len(service.fetches) == 1, "the answer is remembered"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Answer(status=500), "status"),
        (Answer(status=403), "status"),
        (Answer(status=302, headers={"location": "/"}), "status"),
        (Answer(silent=True), "timeout"),
        (Answer(b"x", content_length=9, cut=True), "reset"),
        (Answer(b"x" * (65_537)), "too_large"),
        (None, "unreachable"),
    ],
    ids=["500", "403", "302", "silent", "cut", "large", "away"],
)
def test_what_is_no_answer(asking, world, service, answer, cause):
    service.answer_with = answer
    if answer is None:
        service.stop()
    assert verdict(asking, "service", world.token(jti="a"), "/deny/") == AWAY
    assert verdict(asking, "service", world.token(jti="a"), "/allow/") == 200
    asking.log_line("[warning]", "look-ups not answered", f"cause={cause}")
    if answer is None:
        service.start()
    service.answer_with = Answer(status=404)
    until(lambda: verdict(asking, "service", world.token(jti="a"), "/deny/") == 200)
    asking.log_line("look-ups answered again")


def passed(envoy, provider, reason):
    """How many requests with tokens of the provider have passed for this reason."""
    return counted(envoy, f"requests.verdict.allowed.provider.{provider}.reason.{reason}")
