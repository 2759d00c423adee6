"""Many issuers: fifty tenants under one pattern, and fifty providers that name theirs exactly."""

import pytest

from support.bootstrap import Site
from support.client import bearer, send, unique_path
from support.world import rule

TENANTS = [f"https://login.example/tenant-{number}/v2.0" for number in range(50)]


@pytest.fixture(scope="module")
def envoy(launch, world):
    tenants = world.provider("a", issuer_patterns=["https://login.example/*/v2.0", "https://old.example/"])
    del tenants["issuer"]
    exact = {f"p{number}": world.provider("a", issuer=issuer) for number, issuer in enumerate(TENANTS)}
    mixed = {"tenants": tenants, "exact": world.provider("b", issuer=TENANTS[7])}
    return launch(
        Site("pattern", {"providers": {"tenants": tenants}}),
        Site("exact", {"providers": exact}),
        Site("rules", {"providers": exact, "rules": [rule(f"/{name}/", name) for name in exact]}),
        Site("mixed", {"providers": mixed}),
    )


@pytest.mark.matrix
@pytest.mark.parametrize("site", ["pattern", "exact"])
def test_fifty_issuers(envoy, world, site):
    for issuer in TENANTS:
        token = world.token(iss=issuer, sub=issuer[:40])
        assert [send(envoy.port(site), "/", bearer(token)).status for _ in range(2)] == [200, 200], issuer
        assert send(envoy.port(site), "/", bearer(world.token(iss=issuer, exp=1))).status == 401
    stranger = world.token(iss=TENANTS[0], key=world.key("b", "rs256"))
    assert send(envoy.port(site), "/", bearer(stranger)).status == 401


@pytest.mark.matrix
@pytest.mark.parametrize("site", ["pattern", "exact"])
def test_others_are_refused(envoy, world, site):
    for issuer in (
        "https://login.example//v2.0",
        "https://login.example/tenant-1/x/v2.0",
        "https://login.example/tenant-1/v2.0/",
        "https://login.example/tenant-1/V2.0",
        "https://login.example/tenant-1/v2.00",
        "https://login.example.evil/tenant-1/v2.0",
        "http://login.example/tenant-1/v2.0",
        "https://login.example/*",
        "https://old.example",
        "",
        ...,
    ):
        path = unique_path("/")
        assert send(envoy.port(site), path, bearer(world.token(iss=issuer))).status == 401, issuer
        assert envoy.denial(path)["reason"] == "issuer_not_accepted", issuer


def test_a_rule_asks_for_one_of_them(envoy, world):
    for number in (0, 1, 49):
        token = bearer(world.token(iss=TENANTS[number]))
        assert send(envoy.port("rules"), f"/p{number}/", token).status == 200
        assert send(envoy.port("rules"), f"/p{(number + 1) % 50}/", token).status == 401


def test_an_exact_issuer_beside_a_pattern(envoy, world):
    """Both providers are asked where both accept the issuer; elsewhere only the one by its pattern."""
    for provider, issuer, status in (
        *(("a", TENANTS[7], 200), ("b", TENANTS[7], 200), ("a", TENANTS[8], 200), ("b", TENANTS[8], 401)),
        *(("a", "https://old.example/", 200), ("b", "https://old.example/", 401)),
    ):
        token = bearer(world.token(provider, iss=issuer))
        assert [send(envoy.port("mixed"), "/", token).status for _ in range(2)] == [status] * 2, (provider, issuer)
