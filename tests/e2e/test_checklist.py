"""Every behaviour of jwt_authn is accounted for: tests/checklist.md names tests that exist, and leaves nothing out."""

import re
from collections import Counter
from pathlib import Path

import pytest

from differential.alike import ALIKE
from differential.differences import DIFFERENCES

TESTS = Path(__file__).parents[1]
LISTED = TESTS.parents[1] / "shared/data/vectors/envoy_jwt_authn/CHECKLIST.md"
ROW = re.compile(r"^\| (\w+)\.(\d+) \| (.+) \| (same|differs|none)\b(.*) \| (.+) \|$")
# How the list beside the checkout heads its parts, by our names for them.
PARTS = {
    "authenticator": "authenticator_test",
    "extractor": "extractor_test",
    "matcher": "matcher_test",
    "verifier": "verifier tests",
    "jwks": "jwks_cache",
    "filter": "filter_test",
}


def rows():
    """The table's rows: the part, the number, what we do, and the cell with the tests."""
    lines = (TESTS / "checklist.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("| ") and not line.startswith("| no. ")]
    matches = [ROW.match(line) for line in table]
    assert all(matches), [line for line, match in zip(table, matches, strict=True) if not match]
    return [(match[1], int(match[2]), match[4], match[5], match[6]) for match in matches]


def test_every_named_test_is_there(record_property):
    there = functions(), set(ALIKE), {difference.name for difference in DIFFERENCES}
    done = Counter()
    for part, number, here, why, cell in rows():
        names = re.findall(r'`(\w+)`|"([^"]+)"|row (\w+)', cell)
        missing = [
            name for kinds in names for name, known in zip(kinds, there, strict=True) if name and name not in known
        ]
        assert names and not missing, f"{part}.{number}: {missing or cell}"
        assert here == "same" or why.startswith(": "), f"{part}.{number} says not why"
        done[here] += 1
    told = ", ".join(f"{count} {here}" for here, count in done.items())
    record_property("summary", f"checklist: {len(rows())} behaviours of jwt_authn: {told}")


def test_every_agreement_and_difference_is_named():
    cells = " ".join(cell for *_, cell in rows())
    assert [name for name in ALIKE if f'"{name}"' not in cells] == []
    assert [row.name for row in DIFFERENCES if f"row {row.name}" not in cells] == []


def test_nothing_is_left_out():
    if not LISTED.exists():
        pytest.skip("../shared is absent: the list of behaviours is not compared")
    listed = {}
    for part in LISTED.read_text().split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        name = next(name for name, begin in PARTS.items() if heading.startswith(begin))
        listed[name] = sum(line.startswith("- ") for line in body.splitlines())
    numbers = {(part, number) for part, number, *_ in rows() if part != "order"}
    assert numbers == {(part, number + 1) for part, count in listed.items() for number in range(count)}


def functions():
    """The names of all functions of the tests, and of the unit tests beside the code."""
    sources = [*TESTS.rglob("*.rs"), *TESTS.rglob("*.py"), *(TESTS.parent / "src").rglob("*.rs")]
    return {name for path in sources for name in re.findall(r"(?:fn|def) (\w+)\(", path.read_text())}
