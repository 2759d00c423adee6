"""`jwt-warden jwks`, `mint` and `issuer` with a real Envoy: what they make is what the filter takes it for."""

import json
import re
import signal
import stat

import jwt
import pytest

from lab.keys import ALGORITHMS, from_base64url
from support import program
from support.bootstrap import Site
from support.client import bearer, send, unique_path
from support.dpop import ORIGIN
from support.envoy import ROOT
from support.wait import until
from support.world import AUDIENCE, rule


def bad_tokens():
    """The kinds of bad tokens and their reasons, as docs/program.md has them."""
    rows = re.findall(r"^\| `([a-z-]+)` \| .* \| `([a-z_]+)` \|$", (ROOT / "docs/program.md").read_text(), re.MULTILINE)
    assert len(rows) == 30
    return rows


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    issuer = program.Issuer(tmp_path_factory.mktemp("issuer"), "--algorithm", "ES256", "--algorithm", "RS256")
    yield issuer
    issuer.stop()


@pytest.fixture(scope="module")
def envoy(launch, issuer):
    """Trusts the issuer by its metadata, and heeds its denylist."""
    uri = {"cluster": "issuer", "timeout": "5s"}
    provider = {
        "issuer": issuer.url,
        "audiences": [AUDIENCE],
        "max_lifetime": "2h",
        "discovery": {
            "http_uri": {"uri": f"{issuer.url}/.well-known/openid-configuration", **uri},
            "unknown_kid_interval": "100ms",
        },
        "revocation": {
            "denylists": [{"http_uri": {"uri": f"{issuer.url}/denylist.json", **uri}, "refresh": "1s"}],
        },
        "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
    }
    site = Site("program", {"providers": {"a": provider}, "rules": [rule("/", "a")]})
    return launch(site, clusters={"issuer": issuer.port})


@pytest.fixture
def verdict(envoy):
    """The status, or the reason of the refusal."""

    def verdict(token, headers=None, path=None):
        path = path or unique_path("/")
        status = send(envoy.port("program"), path, headers or bearer(token)).status
        return status if status == 200 else envoy.denial(path)["reason"]

    return verdict


def test_tokens_pass(verdict, issuer):
    assert verdict(issuer.token()) == 200
    assert verdict(issuer.token(algorithm="RS256", subject="bob", claims={"groups": ["staff"]})) == 200
    assert verdict(issuer.token(audience="other")) == "audience_not_accepted"


def test_each_bad_token_is_refused_for_its_reason(verdict, issuer):
    kinds = bad_tokens()
    assert [(kind, verdict(issuer.token(bad=kind))) for kind, _ in kinds] == kinds


@pytest.mark.parametrize("rotate", ["signal", "endpoint"])
def test_rotation_is_picked_up(rotate, verdict, issuer):
    old, before = issuer.token(), issuer.get("/jwks.json")["keys"][0]["kid"]
    if rotate == "signal":
        issuer.rotate_by_signal()
    else:
        issuer.post("/rotate")
    kids = [key["kid"] for key in issuer.get("/jwks.json")["keys"]]
    assert before in kids[2:]
    until(lambda: verdict(issuer.token()) == 200)
    assert verdict(old) == 200, "published still"


def test_revocation_is_picked_up(verdict, issuer):
    token, other = issuer.token(claims={"jti": "gone"}), issuer.token(claims={"jti": "here"})
    assert [verdict(token), verdict(other)] == [200, 200]
    issuer.post("/revoke", jti="gone")
    until(lambda: verdict(token) == "token_revoked")
    assert verdict(other) == 200


def test_a_proof_counts(verdict, issuer, tmp_path):
    key = tmp_path / "mine.json"
    program.ask("jwks", "--out", key)
    # The thumbprint is in the token that `mint` binds to the key; the issuer signs one that is bound alike.
    bound = program.ask("mint", "--key", key, "--dpop-key", key)
    token = issuer.token(claims={"cnf": claims_of(bound)["cnf"]})
    path = unique_path("/")
    arguments = ["mint", "--dpop-proof", "--key", key, "--url", f"{ORIGIN}{path}?page=2", "--token", f"DPoP {token}"]
    proof = program.ask(*arguments)
    headers = [("authorization", f"DPoP {token}"), ("dpop", proof)]
    assert verdict(token, headers, path) == 200
    again = unique_path("/")
    assert verdict(token, headers, again) == "dpop_proof_invalid"
    assert verdict(token) == "sender_constraint"


def claims_of(token):
    """The claims of a token."""
    return json.loads(from_base64url(token.split(".")[1]))


def test_another_library_verifies_what_is_minted(tmp_path):
    for algorithm in ALGORITHMS:
        file = tmp_path / f"{algorithm}.json"
        program.ask("jwks", "--out", file, "--algorithm", algorithm)
        token = program.ask("mint", "--key", file, "--issuer", "https://a.example/", "--claim", "groups=[1]")
        key = json.loads(file.read_text())["keys"][0]
        public = {name: value for name, value in key.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
        verifier = jwt.PyJWK(public, algorithm).key
        options = {"audience": AUDIENCE, "issuer": "https://a.example/", "options": {"require": ["exp", "iat", "nbf"]}}
        assert jwt.decode(token, verifier, [algorithm], **options)["groups"] == [1], algorithm
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(token, verifier, [algorithm], **{**options, "audience": "other"})


def test_keys_are_kept_from_others(tmp_path):
    file = tmp_path / "keys.json"
    program.ask("jwks", "--out", file, "--algorithm", "ES256", "--algorithm", "HS256")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text()
    program.ask("jwks", "--out", file, expect=2)
    assert file.read_text() == before
    public = program.ask("jwks", "--public", file, expect=1)
    secrets = [key.get("d") or key["k"] for key in json.loads(before)["keys"]]
    assert not any(secret in public for secret in secrets)
    assert [key["alg"] for key in json.loads(public)["keys"]] == ["ES256"]
    program.ask("jwks", "--out", file, "--force")
    assert file.read_text() != before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(signal_number, tmp_path):
    issuer = program.Issuer(tmp_path)
    token = issuer.token()
    issuer.process.send_signal(signal_number)
    assert issuer.process.wait(10) == 0
    assert issuer.log().endswith("ended\n")
    assert token.rsplit(".", 1)[1] not in issuer.log()


def test_others_cannot_reach_it():
    program.ask("issuer", "--listen", "0.0.0.0:0", expect=2)
