"""The list of recipes beside the checkout is a floor: nothing on it is left out."""

import re
from collections import Counter
from pathlib import Path

import pytest

from attacks import all_cases
from conftest import WORLD

RECIPES = Path(__file__).parents[3] / "shared/data/attacks.md"


def test_every_listed_recipe_has_all_its_variants():
    if not RECIPES.exists():
        pytest.skip("../shared is absent: the list of recipes is not compared")
    listed = re.findall(r"^\| ([A-I]\d\d) \|.*?\| (\d+) \|", RECIPES.read_text(), re.MULTILINE)
    forged = Counter(case.recipe for case in all_cases(WORLD))
    missing = {name: (forged[name], int(count)) for name, count in listed if forged[name] < int(count)}
    assert listed and not missing
