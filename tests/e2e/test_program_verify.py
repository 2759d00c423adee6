"""`jwt-warden migrate --verify`: the program itself sends requests through jwt_authn and through what came of it."""

import json
import os
import re
import signal
import subprocess

import pytest
import yaml

from differential import generator
from differential.issuers import Issuers
from lab import processes
from support import program
from support.bootstrap import WASM
from support.envoy import ROOT, binary
from support.wait import until

CONFIGURATIONS = 60
NATIVE = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication"
SIMPLE = {
    "providers": {
        "acme": {
            "issuer": "https://acme.example",
            "audiences": ["api"],
            "require_expiration": True,
            "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
            "remote_jwks": {"http_uri": {"uri": "https://acme.example/jwks", "cluster": "acme", "timeout": "5s"}},
        }
    },
    "rules": [{"match": {"path": "/open"}}, {"match": {"prefix": "/"}, "requires": {"provider_name": "acme"}}],
}


@pytest.fixture
def verify(tmp_path):
    """Verifies configurations: `verify([native, ...], *options)` gives the exit code and what is said."""
    place = tmp_path / "place"
    place.mkdir()

    def run(natives, *options, envoy=None, module=WASM):
        file = tmp_path / "native.yaml"
        file.write_text("\n---\n".join(map(json.dumps, natives)))
        done = subprocess.run(
            command(file, *options, envoy=envoy, module=module),
            capture_output=True,
            text=True,
            timeout=300,
            env=environment(place),
        )
        assert not list(place.iterdir()), "nothing stays behind"
        return done.returncode, re.sub(r"\n {4,}", " ", done.stderr)

    return run


def command(file, *options, envoy=None, module=WASM):
    """The program's command line."""
    return [program.binary(), "migrate", "--verify", "--envoy", envoy or binary(), "--module", module, *options, file]


def environment(place):
    """Its environment, with temporary files in this place."""
    return {**os.environ, "TMPDIR": str(place)}


def test_generated(verify):
    """On generated configurations: what differs is explained, and nothing is looser than the document says."""
    pairs = generator.generate("verify", Issuers(), CONFIGURATIONS, 0)
    code, said = verify([configuration for configuration, _ in pairs])
    assert code in (0, 1), said
    counts = [list(map(int, found)) for found in re.findall(r"\((\d+) pass, (\d+) are refused\)", said)]
    assert len(counts) == CONFIGURATIONS
    passed, refused = map(sum, zip(*counts, strict=True))
    assert min(passed, refused) > 500
    assert "nothing explains it" not in said
    serious = [line for line in said.splitlines() if line.startswith("! ")]
    assert all(re.search(r"looser.*: `(seen_once|by_issuer)` in docs", line) for line in serious), serious


def shown():
    """Every configuration of jwt_authn that our documents and manifests show."""
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    texts = [text for file in documents for text in re.findall(r"^```yaml\n(.*?)^```", file.read_text(), re.M | re.S)]
    files = [*(ROOT / "envoy").rglob("*.yaml"), *(ROOT / "cli/tests/cmd/migrate/inputs").glob("*.yaml")]
    texts += [file.read_text() for file in files]
    return [
        found for text in texts if NATIVE in text for document in yaml.safe_load_all(text) for found in within(document)
    ]


def within(node):
    """The configurations of jwt_authn in it."""
    if isinstance(node, dict) and node.get("@type") == NATIVE:
        return [{name: value for name, value in node.items() if name != "@type"}]
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    return [found for part in parts for found in within(part)]


def test_shown(verify):
    natives = shown()
    assert natives
    _, said = verify(natives)
    assert said.count("samples:") == len(natives)
    assert "\n! " not in said, said


def test_agreement(verify):
    """What is only stricter everywhere needs nobody to look at it."""
    code, said = verify([SIMPLE])
    assert code == 0, said
    assert "`type` in docs/from-jwt_authn.md" in said and "\n! " not in said


def token(*options, issuer="https://acme.example"):
    """One that is signed with nobody's key."""
    key = ROOT / "cli/tests/cmd/mint/keys/set.json"
    minted = [program.binary(), "mint", "--key", key, "--issuer", issuer, "--audience", "api", *options]
    return subprocess.run(minted, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_the_operators_token(verify):
    """Good ones pass, whoever signed them and when; one that is refused from now on has to be looked at."""
    code, said = verify([SIMPLE], "--token", f"Bearer {token('--now', '1000000000')}", "--request", "PUT /mine?a=b")
    assert code == 0, said
    text = token("--typ", "secevent+jwt")
    code, said = verify([SIMPLE], "--token", text, "--request", "PUT /mine?a=b")
    assert code == 1
    assert re.search(r"^! \d+ stricter, refused here as type_not_accepted: .* your token 1", said, re.MULTILINE)
    assert not any(segment in said for segment in text.split("."))


def test_what_cannot_be_verified(verify, tmp_path):
    connect = {**SIMPLE, "rules": [{"match": {"connect_matcher": {}}, "requires": {"provider_name": "acme"}}]}
    _, said = verify([connect], "--token", token(issuer="https://other.example"))
    assert "rules[0]: no sample falls under it" in said and "your token 1: no provider takes its issuer" in said
    istio = {"kind": "RequestAuthentication", "spec": {"jwtRules": [{"issuer": "a", "jwksUri": "https://a.example/"}]}}
    for native, options, place, sentence in [
        (SIMPLE, [], {"envoy": tmp_path / "none"}, "name an Envoy, or set $ENVOY"),
        (SIMPLE, [], {"module": tmp_path / "none"}, "`make build` makes it"),
        (istio, [], {}, "only what comes from jwt_authn can be verified"),
        (SIMPLE, ["--request", "GET orders"], {}, "should be a method and a path"),
        (SIMPLE, ["--token", "a.b"], {}, "a signed token has three"),
    ]:
        code, said = verify([native], *options, **place)
        assert (code, sentence in said) == (2, True), said


def test_what_envoy_does_not_take(verify, tmp_path):
    """A module that is none: Envoy's own words are shown."""
    (tmp_path / "none.wasm").write_bytes(b"none")
    code, said = verify([SIMPLE], module=tmp_path / "none.wasm")
    assert (code, "Envoy does not take the configurations" in said) == (2, True), said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all(number, tmp_path):
    """Envoy ends too, and its folder goes."""
    file, place = tmp_path / "native.yaml", tmp_path / "place"
    place.mkdir()
    file.write_text("\n---\n".join([json.dumps(SIMPLE)] * 20))
    process = processes.spawn(
        command(file), env=environment(place), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        until(lambda: list(place.glob("*/admin")))
        envoys = started_in(place)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        left = started_in(place)
    finally:
        processes.stop(process)
    assert (process.returncode, "stopped by a signal" in said) == (2, True), said
    assert envoys and not left
    assert not list(place.iterdir())


def started_in(place):
    """The processes that were started with a file of this place."""
    arguments = [file for file in os.listdir("/proc") if file.isdigit()]
    return [number for number in arguments if str(place).encode() in _arguments(number) and _is_envoy(number)]


def _arguments(number):
    try:
        with open(f"/proc/{number}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _is_envoy(number):
    return b"--admin-address-path" in _arguments(number)
