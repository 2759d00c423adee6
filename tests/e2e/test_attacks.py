"""Every forged token is refused and never reaches the upstream; every good one passes."""

import pytest

from attacks import all_cases
from attacks.case import ACCEPT
from conftest import WORLD
from support.bootstrap import Site
from support.client import send, unique_path

CASES = all_cases(WORLD)

pytestmark = pytest.mark.matrix


@pytest.fixture(scope="module")
def port(launch, world):
    return launch(Site("attacks", world.configuration())).port("attacks")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case, port, upstream):
    path = unique_path(f"/{case.provider}/")
    answer = send(port, path, [("authorization", case.authorization)])
    arrived = [request for request in upstream.requests if request.target == path]
    if case.expect == ACCEPT:
        assert (answer.status, len(arrived)) == (200, 1)
        assert arrived[0].get("x-user").encode("latin-1").decode() == case.user
    else:
        assert (answer.status, answer.body, arrived) == (401, b"Unauthorized", [])


def test_every_recipe_is_forged():
    refused = sum(case.expect != ACCEPT for case in CASES)
    assert refused > 400 and len(CASES) - refused > 40
    assert len({case.name for case in CASES}) == len(CASES)
