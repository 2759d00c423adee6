"""What every test stands on: keys, an upstream, and Envoys that are always stopped and whose logs hold no secret."""

import re
from collections import Counter

import pytest

from lab.http import Upstream
from lab.issuer import JwksServer
from support import bootstrap, envoy
from support.world import World

WORLD = World()


def pytest_sessionstart():
    """Without the module there is nothing to test."""
    if not bootstrap.WASM.exists():
        pytest.exit(f"{bootstrap.WASM} is missing: run make build", returncode=2)


def pytest_runtest_setup(item):
    """Skips what older Envoys do otherwise: `since("1.39", "what they do")`."""
    for mark in item.iter_markers("since"):
        version, others = mark.args
        if envoy.version() < tuple(map(int, version.split("."))):
            pytest.skip(f"before Envoy {version} {others}")


def pytest_terminal_summary(terminalreporter):
    """Says how many variants of each attack recipe were sent, and what tests have to say of themselves."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    names = [match[1] for report in reports if (match := re.search(r"::test_case\[([A-Z]\d\d|control)", report.nodeid))]
    if names:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(Counter(names).items()))
        terminalreporter.write_line(f"attacks: {len(names)} cases: {counts}")
    for line in (value for report in reports for name, value in report.user_properties if name == "summary"):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def world():
    """The issuers and their keys."""
    return WORLD


@pytest.fixture(scope="module")
def upstream():
    """The server behind the proxy."""
    server = Upstream()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def launch(upstream, tmp_path_factory):
    """Starts an Envoy with these sites: `launch(*sites, clusters={}, changes={}, **options)`; `changes` are made at the
    top level of its configuration."""
    running = []

    def start(*sites, clusters=(), changes=(), **options):
        folder = tmp_path_factory.mktemp("envoy")
        configuration = bootstrap.bootstrap(sites, {"upstream": upstream.port, **dict(clusters)}, folder)
        running.append(envoy.Envoy(folder, {**configuration, **dict(changes)}, **options))
        return running[-1]

    yield start
    for process in running:
        process.stop()
    assert [process.leaks() for process in running] == [[]] * len(running)


@pytest.fixture
def issuer():
    """A JWKS endpoint of the test's own."""
    server = JwksServer()
    yield server
    server.stop()
