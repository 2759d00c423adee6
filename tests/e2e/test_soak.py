"""The soak in short, with and without the fault that it has to find."""

import json
import os
import subprocess
import sys

import pytest

from soak.memory import Memory
from support.envoy import ROOT, binary

# Enough for each kind of event but the end of a lock.
SECONDS = 30
KINDS = {"fresh", "hot", "forged", "unknown key", "flood", "locked out", "revoked by list", "revoked by service"}
EVENTS = {"new key", "revoked by list", "revoked by service", "keys end", "configuration update", "client locked out"}


@pytest.fixture
def soak(tmp_path):
    """Runs it: the exit code, and the results."""

    def run(seconds, *options):
        environment = {**os.environ, "ENVOY": binary(), "PYTHONPATH": f"{ROOT / 'tools'}:{ROOT / 'tests/e2e'}"}
        options = ["--seconds", seconds, "--results", tmp_path / "results", "--work", tmp_path, *options]
        command = [sys.executable, "-m", "soak", *map(str, options)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds + 120)
        results = tmp_path / "results/results.json"
        assert results.exists(), done.stderr
        return done.returncode, json.loads(results.read_text())

    return run


@pytest.mark.load
def test_half_a_minute(soak, record_property):
    code, results = soak(SECONDS)
    assert (code, results["samples_of_false_verdicts"], results["tokens_in_log"]) == (0, [], 0)
    assert set(results["answers"]) >= KINDS
    assert set(results["events"]) >= EVENTS
    assert {"200", "401"} <= results["answers"]["revoked by list"].keys()
    record_property("summary", f"soak: {results['requests']} requests in {SECONDS} s, no false verdict")


@pytest.mark.load
def test_a_false_verdict_is_found(soak):
    """By a proxy without the denylist."""
    code, results = soak(SECONDS // 2, "--broken", "denylist")
    assert (code, results["false_verdicts"] > 0) == (1, True)
    assert {sample["kind"] for sample in results["samples_of_false_verdicts"]} == {"revoked by list"}
    assert {sample["status"] for sample in results["samples_of_false_verdicts"]} == {200}


@pytest.mark.parametrize(("kib_per_sample", "growth"), [(0, 0), (10, 4050), (-10, -4050)])
def test_growth_is_that_after_the_warm_up(kib_per_sample, growth):
    memory = Memory(None)
    memory.samples = [(5 * n, 50_000 + 90 * min(n, 180) + kib_per_sample * n) for n in range(720)]
    assert memory.growth() == growth
