"""What `jwt-warden explain` says about a request is what the filter does with it, in a real Envoy."""

import json
import re
import subprocess
from collections import Counter

import pytest

import test_authorization
import test_matching
import test_paths
from attacks import all_cases
from conftest import WORLD
from lab.keys import EcKey
from support import program
from support.bootstrap import Site
from support.client import bearer, send, unique_path
from support.dpop import presented, proof, thumbprint
from support.world import rule
from test_answers import REASONS

CASES = all_cases(WORLD)
SEEN = Counter()
DENIED = re.compile(r"jwt_warden_denied\{(\w+)\}")


@pytest.fixture(scope="module", autouse=True)
def built():
    """The program is built before its first question."""
    return program.binary()


class Compared:
    """A configuration in Envoy, and the same in the hands of the program."""

    def __init__(self, launch, configuration, folder):
        self.configuration, self.folder = configuration, folder
        self.envoy = launch(Site("main", configuration))
        self.port = self.envoy.port("main")
        self.seen = []

    def ask(self, path, headers=(), method="GET"):
        """Sends a request and has it explained. The verdict, unless Envoy itself refused it."""
        answer = send(self.port, path, headers, method)
        details = self.envoy.access(path.split("?")[0])["details"] if answer.status != 400 else ""
        if "via_upstream" not in details and not DENIED.fullmatch(details):
            SEEN["refused by Envoy itself"] += 1
            return None
        told = program.explain(self.folder, self.configuration, path, headers, method)
        denied = DENIED.fullmatch(details)
        verdict = denied[1] if denied else "allowed"
        explained = told["reason"] if told["verdict"] == "refused" else told["verdict"]
        assert explained == verdict, (path, headers, told)
        if denied:
            assert (told["status"], told["challenge"]) == (answer.status, answer.challenge), told
        self.seen.append(verdict)
        SEEN[verdict] += 1
        return verdict


@pytest.fixture
def compare(launch, tmp_path):
    """`compare(configuration)`: both."""
    return lambda configuration: Compared(launch, configuration, tmp_path)


def test_reasons(compare, world):
    both = compare(world.configuration())
    for reason, make in REASONS.items():
        assert both.ask(unique_path("/a/"), make(world)) == reason
    assert both.ask(unique_path("/a/")) == "token_missing"
    assert both.ask(unique_path("/a/"), bearer(world.token())) == "allowed"
    assert both.ask(unique_path("/public/")) == "allowed"
    assert both.ask(unique_path("/nowhere/")) == "no_matching_rule"
    for basic_first in (True, False):
        headers = [("authorization", "Basic dTpw"), *bearer(world.token())]
        assert both.ask(unique_path("/a/"), headers if basic_first else headers[::-1]) == "token_malformed"
    for dots in ("../a/", "%2e%2E/a/", "..%2fa/", "..;/a/", "./"):
        assert both.ask(unique_path(f"/public/{dots}"), bearer(world.token())) == "path_ambiguous"
    for scheme in ("bearer", "bEaReR  ", "Basic", "DPoP", "Bearers"):
        both.ask(unique_path("/a/"), [("authorization", f"{scheme} {world.token()}")])
    both.ask(unique_path("/a/") + f"?access_token={world.token()}")
    assert both.ask(unique_path("/a/") + f"?access_token={world.token()}&access_token=x") == "token_duplicated"


def test_what_migrate_made(compare, world):
    """Of a configuration of jwt_authn."""
    provider = {name: world.provider("a")[name] for name in ("issuer", "audiences", "local_jwks")}
    rules = [{"match": {"prefix": "/a/"}, "requires": {"provider_name": "a"}}, {"match": {"prefix": "/public/"}}]
    native = json.dumps({"providers": {"a": provider}, "rules": rules})
    command = [program.binary(), "migrate", "--format", "json", "-"]
    done = subprocess.run(command, input=native, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    both = compare(json.loads(done.stdout))
    assert both.ask(unique_path("/a/"), bearer(world.token())) == "allowed"
    assert both.ask(unique_path("/public/")) == "allowed"
    assert both.ask(unique_path("/a/")) == "token_missing"
    assert len({both.ask(unique_path("/a/"), make(world)) for make in REASONS.values()}) > 8


def test_attacks(compare, world):
    both = compare(world.configuration())
    told = [both.ask(unique_path(f"/{case.provider}/"), [("authorization", case.authorization)]) for case in CASES]
    assert sum(verdict is None for verdict in told) < len(CASES) // 20
    assert len(set(told)) > 12


def test_permissions(compare, world):
    permissions = test_authorization.PERMISSIONS
    rules = [
        {"match": {"prefix": f"/{name}/"}, "requires": {"provider_name": "a", **permission}}
        for name, permission in permissions.items()
    ]
    both = compare({"providers": {"a": world.provider("a")}, "rules": rules})
    for expected, table in (
        ("allowed", test_authorization.ALLOWED),
        ("insufficient_scope", test_authorization.REFUSED),
    ):
        for name in permissions:
            for claims in table[name]:
                assert both.ask(unique_path(f"/{name}/"), bearer(world.token(**claims))) == expected, claims


def test_rules_by_headers_and_parameters(compare, world):
    headers = [
        {"path_separated_prefix": f"/h{i}", "headers": [header]} for i, header in enumerate(test_matching.HEADERS)
    ]
    parameters = test_matching.PARAMETERS
    queries = [{"path_separated_prefix": f"/q{i}", "query_parameters": [asked]} for i, asked in enumerate(parameters)]
    both = compare(
        {"providers": {"a": world.provider("a")}, "rules": [{"match": match} for match in headers + queries]}
    )
    for index in range(len(headers)):
        for values in test_matching.VALUES[::3]:
            both.ask(unique_path(f"/h{index}/") + "?q", [("x", value) for value in values])
    for index in range(len(queries)):
        for query in test_matching.QUERIES:
            both.ask(unique_path(f"/q{index}/") + query)
    assert set(both.seen) == {"allowed", "no_matching_rule"}


def test_spellings_of_a_path(compare, world):
    both = compare(
        {"providers": {"a": world.provider("a")}, "rules": [rule("/admin/x", "a"), {"match": {"prefix": "/"}}]}
    )
    for index, path in enumerate(path for path in test_paths.SPELLINGS if path.startswith("/") and "?" not in path):
        # The access log knows requests by their paths, so each has its own.
        both.ask(path.replace("admin/x", f"admin/x{index}"))
        if "admin/x" in path:
            both.ask(path.replace("admin/x", f"admin/y{index}"), bearer(world.token()))
    assert "path_ambiguous" in both.seen


def test_places_and_requirements(compare, world):
    places = {
        "from_headers": [{"name": "x-token", "value_prefix": "jwt="}],
        "from_cookies": ["__Host-session"],
        "from_params": ["t"],
    }
    any_of = {"requires_any": {"requirements": [{"provider_name": "a"}, {"provider_name": "b"}]}}
    missing = {"requires_any": {"requirements": [{"provider_name": "a"}, {"allow_missing": {}}]}}
    rules = [
        {"match": {"prefix": "/any/"}, "requires": any_of},
        {"match": {"prefix": "/missing/"}, "requires": missing},
        {"match": {"prefix": "/all/"}, "requires": {"requires_all": any_of["requires_any"]}},
        rule("/a/", "a"),
    ]
    both = compare({"providers": {"a": world.provider("a", **places), "b": world.provider("b")}, "rules": rules})
    good, late = world.token(), world.token(exp=1)
    other = world.token("b", "es256-b")
    for prefix in ("/any/", "/missing/", "/all/", "/a/"):
        for token in (good, late, other):
            both.ask(unique_path(prefix), [("x-token", f"jwt={token}")])
            both.ask(unique_path(prefix), [("x-token", token)])
            both.ask(unique_path(prefix), bearer(token))
            both.ask(unique_path(prefix), [("cookie", f"a=1; __Host-session={token}")], "POST")
            both.ask(unique_path(prefix), [("cookie", "a=1"), ("cookie", f"__Host-session={token}")])
            both.ask(unique_path(prefix) + f"?t={token}", bearer(other))
    assert {"allowed", "token_missing", "token_expired", "csrf_refused"} <= set(both.seen)


def test_proofs_of_possession(compare, world, tmp_path):
    both = compare({"providers": {"a": world.provider("a")}, "rules": [rule("/", "a")]})
    key, other = EcKey("P-256", alg="ES256"), EcKey("P-256", alg="ES256")
    token = world.token(cnf={"jkt": thumbprint(key)})
    good = unique_path("/")
    assert both.ask(good, presented(token, proof(key, token, good))) == "allowed"
    for changes in ({"htm": "POST"}, {"htu": "http://api.example/other"}, {"iat": 1}, {"ath": "x"}, {"jti": ...}):
        path = unique_path("/")
        assert both.ask(path, presented(token, proof(key, token, path, **changes))) == "dpop_proof_invalid"
    path = unique_path("/")
    assert both.ask(path, presented(token, proof(other, token, path))) == "dpop_proof_invalid"
    assert both.ask(unique_path("/"), presented(token)) == "dpop_proof_invalid"
    assert both.ask(unique_path("/"), bearer(token)) == "sender_constraint"
    path = unique_path("/")
    assert both.ask(path, presented(world.token(), proof(key, world.token(), path))) == "sender_constraint"
    options = ["--token", token, "--dpop", proof(key, token, "/x")]
    url = "http://api.example/x"
    assert program.explain(tmp_path, both.configuration, url, options=options)["verdict"] == "allowed"


def test_the_token_is_put_where_it_is_looked_for(world, tmp_path):
    """What `--token` does is what a client has to do."""
    for changes in (
        {},
        {"from_headers": [{"name": "x", "value_prefix": "jwt "}]},
        {"from_params": ["t"]},
        {"from_cookies": ["__Host-s"]},
    ):
        configuration = {"providers": {"a": world.provider("a", **changes)}, "rules": [rule("/", "a")]}
        told = program.explain(tmp_path, configuration, "/", options=["--token", f'"Bearer {world.token()}"\n'])
        assert (told["verdict"], told["upstream"]["headers_set"]) == ("allowed", {"x-user": "alice"}), told


def test_no_signature_is_shown(world, tmp_path):
    """Wherever the token stands, unless it is asked for."""
    configuration = tmp_path / "configuration.json"
    configuration.write_text(json.dumps(world.configuration()))
    token = world.token(note=world.token())
    signature = token.rsplit(".", 1)[1]
    for url, headers in ((f"/a/{token}", []), (f"/a/?access_token={token}", []), ("/a/", bearer(token))):
        options = [option for name, value in headers for option in ("--header", f"{name}: {value}")]
        for form in ("text", "json"):
            command = ["explain", "--config", configuration, "--format", form, *options, url]
            assert signature not in program.run(*command)[1]
    _, shown, _ = program.run(*command, "--show-signature")
    assert signature in shown


def test_how_many_agreed(record_property):
    """The last of this file: what the others have counted."""
    alone = SEEN.pop("refused by Envoy itself", 0)
    told = ", ".join(f"{verdict} {count}" for verdict, count in sorted(SEEN.items()))
    record_property(
        "summary", f"explain: {SEEN.total()} requests ({alone} more never came to the filter) as in Envoy: {told}"
    )
