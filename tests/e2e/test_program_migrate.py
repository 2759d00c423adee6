"""What `jwt-warden migrate` makes of a jwt_authn configuration decides as jwt_authn does, save for what is stricter."""

import json
import os
import subprocess

import pytest

from differential import generator, run
from differential.alike import ALIKE
from differential.comparison import findings
from differential.differences import explain
from differential.issuers import Issuers
from support.envoy import ROOT

CONFIGURATIONS, REQUESTS = 60, 20


@pytest.fixture(scope="module")
def program():
    """The operator's program."""
    if "JWT_WARDEN" in os.environ:
        return os.environ["JWT_WARDEN"]
    subprocess.run(["cargo", "build", "--locked", "--quiet", "--package", "jwt-warden-cli"], cwd=ROOT, check=True)
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug/jwt-warden"


@pytest.fixture(scope="module")
def migrated(program):
    """Migrates: `migrated(native)` gives jwt-warden's configuration."""

    def migrate(native):
        command = [program, "migrate", "--format", "json", "-"]
        done = subprocess.run(command, input=json.dumps(native), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return migrate


@pytest.fixture(scope="module")
def issuers():
    return Issuers()


@pytest.fixture(scope="module")
def through_both(launch, upstream, tmp_path_factory, migrated):
    return lambda pairs: run.cases(launch, upstream, tmp_path_factory.mktemp("both"), pairs, translate=migrated)


def test_generated(through_both, issuers):
    """On generated configurations and requests; a difference has to be one that is documented."""
    grouped = through_both(generator.generate("migrate", issuers, CONFIGURATIONS, REQUESTS))
    unexplained(case for cases in grouped for case in cases)


def test_alike(through_both, issuers):
    """On the configurations of the checklist, a request each."""
    made = [entry.make(issuers) for entry in ALIKE.values()]
    grouped = through_both([(configuration, [request]) for configuration, request in made])
    unexplained(case for cases in grouped for case in cases)


def unexplained(cases):
    cases = list(cases)
    found = [(case, finding) for case in cases for finding in findings(case.native, case.warden)]
    faults = [f"{finding}\n  {case.configuration}" for case, finding in found if not explain(case, finding)]
    assert not faults, "\n".join(faults[:5])
    assert any(case.native.passed and case.warden.passed for case in cases)
    assert any(not case.native.passed and not case.warden.passed for case in cases)
