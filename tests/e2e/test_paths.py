"""Paths that upstreams read in different ways: what Envoy makes of them, and that none escapes the rule for it."""

import json
import re

import pytest

from support.bootstrap import Site
from support.client import bearer, send
from support.envoy import ROOT
from support.world import rule

ACTION = "path_with_escaped_slashes_action"
SETTINGS = {
    "default": {},
    "normalize_path": {"normalize_path": True},
    "merge_slashes": {"merge_slashes": True},
    "REJECT_REQUEST": {ACTION: "REJECT_REQUEST"},
    "UNESCAPE_AND_REDIRECT": {ACTION: "UNESCAPE_AND_REDIRECT"},
    "UNESCAPE_AND_FORWARD": {ACTION: "UNESCAPE_AND_FORWARD"},
    "all three": {"normalize_path": True, "merge_slashes": True, ACTION: "REJECT_REQUEST"},
}
PATHS = ["/a//b", "/a/./b", "/a/../b", "/a%2fb", "/a%252fb", "/a%5cb", "/a\\b", "/a;x/b", "/%61", "/%2561"]

# What some upstream takes for /admin/x.
SPELLINGS = [
    *("//admin/x", "/admin//x", "/%61dmin/x", "/%2561dmin/x", "/;y/admin/x", "/admin;y/x", "/admin%3by/x"),
    *("/%2fadmin/x", "/%252fadmin/x", "/%5cadmin/x", "\\admin\\x", "/\\admin/x", "/admin%2fx", "/admin%5cx"),
    *("/./admin/x", "/y/../admin/x", "/y/%2e%2e/admin/x", "/y/..;z/admin/x", "/y%2f..%2fadmin/x"),
    *("/y/%252e%252e/admin/x", "/y/.%2e/admin/x"),
    *("/admin/x?y", "/admin/x%23", "/admin/x%3f", "/admin/x%00", "/admin/%78", "http://api.example/admin/x"),
]


@pytest.fixture(scope="module")
def envoy(launch, world):
    provider = {"a": world.provider("a")}
    # The first site's rules tell no path from another; the second's are exempt but for one path.
    anything = {"providers": provider, "rules": [{"match": {"prefix": "/"}}]}
    admin = {"providers": provider, "rules": [rule("/admin/x", "a"), {"match": {"prefix": "/"}}]}
    both = [(anything, 1), (admin, 2)]
    return launch(
        *(Site(f"{name} {n}", rules, manager=manager) for name, manager in SETTINGS.items() for rules, n in both)
    )


@pytest.mark.matrix
def test_what_envoy_makes_of_paths(envoy):
    """The table in docs/configuration.md."""
    found = {path: [outcome(send(envoy.port(f"{name} 1"), path)) for name in SETTINGS] for path in PATHS}
    documented = (ROOT / "docs/configuration.md").read_text()
    lines = [f"| path | {' | '.join(cell(name) for name in SETTINGS)} |", "|---" * (len(SETTINGS) + 1) + "|"]
    lines += [f"| `{path}` | {' | '.join(cells)} |" for path, cells in found.items()]
    assert "\n".join(lines) in documented, "\n".join(lines)


@pytest.mark.matrix
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_spelling_escapes_its_rule(setting, envoy, world):
    port = envoy.port(f"{setting} 2")
    assert send(port, "/admin/x").status == 401
    assert send(port, "/admin/x", bearer(world.token())).status == 200
    for path in SPELLINGS:
        answer = send(port, path)
        while answer.status == 307:
            answer = send(port, *answer.all("location"))
        assert answer.status in (400, 401, 403), (path, answer)


@pytest.mark.matrix
def test_paths_that_mean_the_same_to_everybody_pass(envoy):
    for path in ("/admin", "/admin/y", "/a%20b", "/a;v=1", "/x//y", "/files/%41.txt", "/administrator"):
        assert send(envoy.port("default 2"), path).status == 200, path


def test_ambiguous_paths_are_named(envoy):
    path = "/%61dmin/x"
    assert send(envoy.port("default 2"), path).status == 403
    assert envoy.denial(path)["reason"] == "path_ambiguous"


def outcome(answer):
    """What became of the path, as the table says it."""
    if answer.status == 200:
        return f"`{json.loads(answer.body)['path']}`"
    if answer.status == 403:
        assert answer.body == b"Forbidden"
        return "refused"
    return " ".join([str(answer.status), *(f"to `{location}`" for location in answer.all("location"))])


def cell(name):
    """A setting's name in the head of the table."""
    return f"`{name}`" if re.search("[_]", name) else name
