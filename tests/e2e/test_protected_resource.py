"""What clients are told about where to get tokens (RFC 9728)."""

import json

import pytest

from support.bootstrap import Site
from support.client import Exchange, bearer, head, send
from support.wait import until
from support.world import rule

pytestmark = pytest.mark.matrix

AT = "/.well-known/oauth-protected-resource/v1"
NAMED = f'resource_metadata="https://api.example{AT}"'
SERVERS = ["https://idp.example"]


@pytest.fixture(scope="module")
def envoy(launch, world):
    configuration = {"providers": {"a": world.provider("a")}, "rules": [rule("/v1/", "a")]}
    resource = {"resource": "https://api.example/v1", "authorization_servers": SERVERS, "scopes_supported": ["read"]}
    told = {**configuration, "protected_resource": resource}
    return launch(Site("told", told), Site("silent", configuration))


@pytest.mark.parametrize("headers", [(), bearer("not.a.token"), [("origin", "https://elsewhere.example")]])
def test_anybody_may_ask(envoy, headers):
    answer = send(envoy.port("told"), AT, headers)
    assert (answer.status, answer.all("content-type")) == (200, ["application/json"])
    assert answer.all("access-control-allow-origin") == ["*"]
    assert json.loads(answer.body) == {
        "resource": "https://api.example/v1",
        "authorization_servers": SERVERS,
        "bearer_methods_supported": ["header", "query"],
        "scopes_supported": ["read"],
    }


def test_head_and_preflight(envoy):
    answer = Exchange(envoy.port("told"), head(AT, method="HEAD")).rest()
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n")
    preflight = [("origin", "https://elsewhere.example"), ("access-control-request-method", "GET")]
    answer = send(envoy.port("told"), AT, preflight, method="OPTIONS")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.all("access-control-allow-origin") == ["*"]
    assert answer.all("access-control-allow-methods") == ["GET, HEAD"]


@pytest.mark.parametrize("path", [AT.removesuffix("/v1"), f"{AT}/", f"{AT}2", AT.upper(), "/v1"])
def test_other_paths_are_for_the_rules(envoy, path):
    assert send(envoy.port("told"), path).status == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_other_methods_are_for_the_rules(envoy, method):
    assert send(envoy.port("told"), AT, method=method).status == 403


def test_other_hosts_are_for_the_rules(envoy):
    request = head(AT).replace(b"host: api.example", b"host: other.example")
    assert Exchange(envoy.port("told"), request).response().status == 403


def test_without_it_nothing_is_told(envoy):
    assert send(envoy.port("silent"), AT).status == 403
    assert send(envoy.port("silent"), "/v1/").challenge == 'Bearer realm="api"'


def test_every_challenge_names_it(envoy, world):
    port = envoy.port("told")
    assert send(port, "/v1/").challenge == f'Bearer realm="api", {NAMED}'
    refused = f'Bearer realm="api", error="invalid_token", {NAMED}'
    assert send(port, "/v1/", bearer(world.token(exp=1))).challenge == refused
    assert send(port, "/v1/", bearer(world.token())).status == 200
    assert send(port, "/else").challenge is None


def test_it_is_counted(envoy):
    name = "wasmcustom.jwt_warden.requests.verdict.answered.reason.protected_resource"
    before = envoy.stats(name).get(name, 0)
    send(envoy.port("told"), AT)
    until(lambda: envoy.stats(name).get(name, 0) >= before + 1)
