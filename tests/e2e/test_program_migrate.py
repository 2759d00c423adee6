"""What `jwt-warden migrate` makes of a jwt_authn configuration decides as jwt_authn does, save for what is stricter."""

import json
import subprocess

import pytest

from differential import generator, run, sites
from differential.alike import ALIKE
from differential.comparison import findings
from differential.differences import CLEARS_HEADERS, explain
from differential.issuers import Issuers
from support import bootstrap
from support.envoy import validate
from support.program import binary

CONFIGURATIONS, REQUESTS = 60, 20


@pytest.fixture(scope="module")
def program():
    """The operator's program."""
    return binary()


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


@CLEARS_HEADERS
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


def test_the_entry_loads(program, tmp_path, issuers):
    """What `--as envoy` writes is an entry of http_filters as it stands, but for where the module is."""
    native, _ = ALIKE["no token"].make(issuers)
    command = [program, "migrate", "--as", "envoy", "--format", "json", "-"]
    entry = json.loads(subprocess.run(command, input=json.dumps(native), capture_output=True, text=True).stdout)
    entry["typed_config"]["config"]["vm_config"]["code"]["local"]["filename"] = str(bootstrap.WASM)
    configuration = bootstrap.bootstrap([sites.NativeSite("native", native)], {"upstream": 1}, tmp_path)
    manager = configuration["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"][0] = entry
    code, log = validate(tmp_path, configuration)
    assert code == 0, log
