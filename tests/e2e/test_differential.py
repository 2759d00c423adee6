"""jwt-warden decides as jwt_authn does, save for what it does otherwise on purpose."""

import json
import os
import re
from collections import Counter

import pytest

from differential import configurations, generator, run, sites
from differential.alike import ALIKE
from differential.comparison import findings
from differential.differences import CLEARS_HEADERS, DIFFERENCES, explain
from differential.examples import EXAMPLES
from differential.faults import FAULTS
from differential.issuers import Issuers
from support.client import bearer, send
from support.envoy import ROOT

# Another seed explores; this one is what everybody runs, and shows every row.
COMMON = "jwt_authn"
SEED = os.environ.get("DIFFERENTIAL_SEED", COMMON)
CONFIGURATIONS, REQUESTS, SOME, FEW = 300, 20, 60, 12
DOCUMENT = ROOT / "docs/from-jwt_authn.md"
ROWS = {difference.name: difference for difference in DIFFERENCES}


@pytest.fixture(scope="module")
def issuers():
    return Issuers()


@pytest.fixture(scope="module")
def through_both(launch, upstream, tmp_path_factory):
    """Sends requests through both filters: `through_both(pairs)` gives the cases, grouped by configuration."""
    return lambda pairs, fault=None: run.cases(launch, upstream, tmp_path_factory.mktemp("both"), pairs, fault)


@CLEARS_HEADERS
def test_generated(through_both, issuers, record_property):
    grouped = through_both(generator.generate(SEED, issuers, CONFIGURATIONS, REQUESTS))
    counts, faults = Counter(), []
    for index, cases in enumerate(grouped):
        for number, case in enumerate(cases):
            found = findings(case.native, case.warden)
            rows = {explain(case, finding) for finding in found}
            counts.update(row.name for row in rows if row)
            counts.update(["pairs", "agreed" if not found else "differed"])
            counts.update(["passed by both"] * (case.native.passed and case.warden.passed))
            counts.update(["refused by both"] * (not case.native.passed and not case.warden.passed))
            if None in rows:
                faults.append(described(f"{SEED}/{index}/{number}", case, found))
    record_property("summary", summary(counts))
    assert not faults, f"{len(faults)} unexplained differences\n\n" + "\n\n".join(faults[:5])
    assert counts["pairs"] >= 3000
    assert min(counts["passed by both"], counts["refused by both"]) > counts["pairs"] // 10
    unseen = [row for row in ROWS if not counts[row]]
    assert not unseen or SEED != COMMON, f"rows that explain nothing that is generated: {unseen}"


@CLEARS_HEADERS
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_no_difference(fault, through_both, issuers):
    """The rows are so narrow that a filter with a fault does not pass for one that differs on purpose. Tried are
    configurations that the fault changes, a few at a time until one shows it."""
    changed = FAULTS[fault]
    pairs = generator.generate(SEED, issuers, SOME, REQUESTS, lambda native: _is_changed(changed, native))
    batches = (pairs[first : first + FEW] for first in range(0, SOME, FEW))
    assert any(_is_found(through_both(batch, changed)) for batch in batches)


def _is_found(grouped):
    found = ((case, finding) for cases in grouped for case in cases for finding in findings(case.native, case.warden))
    return any(not explain(case, finding) for case, finding in found)


def _is_changed(fault, native):
    configuration = configurations.warden(native)
    return fault(configuration) != configuration


@pytest.fixture(scope="module")
def examples(through_both, issuers):
    """The case of each example."""
    return each(through_both, issuers, EXAMPLES)


@pytest.mark.parametrize("name", ROWS)
def test_difference(name, examples):
    """Every row has an example that shows it."""
    case, example = examples[name], EXAMPLES[name]
    text = case.request.placed[0].token.text or "TOKEN"
    shown = [
        tuple(json.loads(json.dumps(value).replace(text, "TOKEN")) for value in (finding.native, finding.warden))
        for finding in findings(case.native, case.warden)
        if (finding.what, finding.name) == (example.what, example.header) and explain(case, finding).name == name
    ]
    assert shown == [(example.native, example.warden)], described(name, case, findings(case.native, case.warden))


def test_every_difference_has_an_example_and_is_documented():
    assert set(EXAMPLES) == set(ROWS)
    _, _, table = DOCUMENT.read_text().partition("\n## What differs in requests\n")
    cells = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(name for cell in cells for name in re.findall(r"`(\w+)`", cell)) == sorted(ROWS)


@pytest.fixture(scope="module")
def alike(through_both, issuers):
    """The case of each behaviour."""
    return each(through_both, issuers, ALIKE)


@pytest.mark.parametrize("name", ALIKE)
def test_alike(name, alike):
    """Both do what the list says; how they differ beside that is on purpose."""
    case, wanted = alike[name], ALIKE[name]
    unexplained = [finding for finding in findings(case.native, case.warden) if not explain(case, finding)]
    for outcome in (case.native, case.warden):
        assert verdict(outcome) == wanted.verdict, described(name, case, unexplained)
        assert {header: outcome.all(header) or None for header in wanted.told} == wanted.told
    assert not unexplained, described(name, case, unexplained)


def test_the_answers_differ(launch, upstream, tmp_path, issuers):
    """There the body is the reason and the realm the URL; here both are fixed, and the reason is in the log."""
    configuration, _ = ALIKE["no token"].make(issuers)
    ports = sites.start(launch, upstream, tmp_path, [configuration])
    native, warden = (send(ports[name], "/orders?a=1", bearer("garbage")) for name in ("native0", "warden0"))
    assert (native.status, warden.status) == (401, 401)
    assert (native.body, warden.body) == (
        b"Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
        b"Unauthorized",
    )
    assert native.challenge == 'Bearer realm="http://api.example/orders?a=1", error="invalid_token"'
    assert warden.challenge == 'Bearer realm="api", error="invalid_token"'


def verdict(outcome):
    """In the words of the list."""
    if outcome.passed:
        return "passes"
    return "invalid" if outcome.names_error else "missing"


def each(through_both, issuers, table):
    """The case of each entry of a table."""
    made = {name: entry.make(issuers) for name, entry in table.items()}
    grouped = through_both([(configuration, [request]) for configuration, request in made.values()])
    return {name: case for name, [case] in zip(made, grouped, strict=True)}


def summary(counts):
    """The counts, in a line."""
    rows = ", ".join(f"{name} {counts[name]}" for name in ROWS)
    share = (
        f"{counts['agreed']} agreed ({counts['passed by both']} passed and {counts['refused by both']} refused by both)"
    )
    return f"differential: {counts['pairs']} pairs, {share}, {counts['differed']} differed on purpose: {rows}"


def described(name, case, found):
    """All that is needed to look into a difference."""
    providers = {
        name: {key: value for key, value in provider.items() if key != "local_jwks"}
        for name, provider in case.configuration["providers"].items()
    }
    tokens = [(placed.place, placed.form, placed.token.flaw, placed.token.claims) for placed in case.request.placed]
    lines = [
        f"{name} (DIFFERENTIAL_SEED/configuration/request)",
        *(f"  {finding}" for finding in found),
        f"  configuration: {json.dumps({**case.configuration, 'providers': providers})}",
        f"  request: {case.request.method} {case.request.target} {case.request.headers}",
        *(f"  token: {token}" for token in tokens),
        f"  jwt_authn: {case.native.status} {case.native.reason}",
        f"  jwt-warden: {case.warden.status} {case.warden.reason}",
    ]
    return "\n".join(lines)
