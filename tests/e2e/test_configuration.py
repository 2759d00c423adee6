"""The operator's mistakes stop the load, with the path of the field; nothing half-configured ever serves."""

import json
import os

import pytest

from support.bootstrap import TYPE, Site, bootstrap, listener
from support.client import bearer, send
from support.envoy import EnvoyExited, validate
from support.wait import until
from support.world import jwks, rule

MISTAKES = {
    "unknown field": (lambda c: c.update(rulez=[]), "rulez"),
    "unknown nested field": (lambda c: c["providers"]["a"].update(audience="api"), "providers.a.audience"),
    "no issuer": (lambda c: c["providers"]["a"].pop("issuer"), "providers.a.issuer"),
    "no audiences": (lambda c: c["providers"]["a"].pop("audiences"), "providers.a.audiences"),
    "no keys": (lambda c: c["providers"]["a"].pop("local_jwks"), "providers.a"),
    "wrong type": (lambda c: c["providers"]["a"].update(audiences="api"), "providers.a.audiences"),
    "bad key set": (lambda c: c["providers"]["a"]["local_jwks"].update(inline_string="{"), "providers.a.local_jwks"),
    "weak key": (
        lambda c: c["providers"]["a"]["local_jwks"].update(inline_string='{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'),
        "providers.a.local_jwks",
    ),
    "algorithm none": (lambda c: c["providers"]["a"].update(algorithms=["none"]), "providers.a.algorithms"),
    "unknown provider": (lambda c: c["rules"].insert(0, rule("/x", "nobody")), "rules[0].requires.provider_name"),
    "bad prefix": (lambda c: c["rules"].insert(0, rule("x", "a")), "rules[0].match.prefix"),
    "bad header": (
        lambda c: c["providers"]["a"].update(claim_to_headers=[{"header_name": ":path", "claim_name": "sub"}]),
        "providers.a.claim_to_headers[0].header_name",
    ),
    "two sources of keys": (
        lambda c: c["providers"]["a"].update(
            remote_jwks={"http_uri": {"uri": "https://a.example/", "cluster": "a", "timeout": "1s"}}
        ),
        "providers.a",
    ),
    "shared secret from afar": (
        lambda c: (
            c["providers"]["a"].pop("local_jwks"),
            c["providers"]["a"].update(
                algorithms=["HS256"],
                remote_jwks={"http_uri": {"uri": "https://a.example/", "cluster": "a", "timeout": "1s"}},
            ),
        ),
        "providers.a",
    ),
}
NO_CONFIGURATION = {"none": None, "empty": "", "not-json": "{", "array": "[]", "empty-object": "{}", "twice": "{}{}"}


@pytest.fixture
def validated(upstream, tmp_path):
    """`envoy --mode validate` on a configuration of the plugin: exit code and log."""

    def validated(configuration, **site):
        sites = [Site("main", configuration, **site)]
        return validate(tmp_path, bootstrap(sites, {"upstream": upstream.port}, tmp_path))

    return validated


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake(mistake, validated, world):
    make, path = MISTAKES[mistake]
    configuration = world.configuration()
    make(configuration)
    code, log = validated(configuration)
    assert code != 0
    assert path in ours(log), log
    assert world.key("hs", "hs256").jwk()["k"] not in log


@pytest.mark.parametrize("kind", NO_CONFIGURATION)
def test_no_configuration(kind, validated):
    code, log = validated(NO_CONFIGURATION[kind])
    assert code != 0
    assert ours(log), log


@pytest.mark.matrix
def test_envoy_does_not_start(launch, world):
    configuration = world.configuration()
    configuration["providers"]["a"]["issuers"] = ["https://a.example/"]
    with pytest.raises(EnvoyExited) as exited:
        launch(Site("main", configuration))
    assert "providers.a.issuers" in ours(str(exited.value))


@pytest.mark.matrix
def test_good_configuration_validates(validated, world):
    code, log = validated(world.configuration())
    assert code == 0, log


@pytest.mark.matrix
def test_struct_and_text_are_the_same(launch, world):
    changes = {"realm": "orders", "unmatched": "allow", "limits": {"max_token_bytes": 8192}}
    configuration = world.configuration(**changes)
    sites = [Site("text", configuration), Site("struct", configuration, as_struct=True)]
    envoy = launch(*sites)
    for path in ("/a/", "/public", "/nowhere"):
        for token in (world.token(), world.token(exp=1), world.token(note="x" * 9000), None):
            answers = [send(envoy.port(site.name), path, bearer(token) if token else []) for site in sites]
            shown = {(answer.status, answer.challenge) for answer in answers}
            assert len(shown) == 1, (path, shown)


def test_struct_mistakes_have_a_path_too(validated, world):
    configuration = world.configuration()
    configuration["providers"]["a"]["audience"] = "api"
    code, log = validated(configuration, as_struct=True)
    assert code != 0
    assert "providers.a.audience" in ours(log)


def test_any_plugin_name_and_root_id(launch, world):
    names = [{}, {"name": "x", "root_id": ""}, {"name": "", "root_id": "y"}, {"name": "a.b", "root_id": "c/d"}]
    sites = [Site(f"s{i}", world.configuration(), plugin=plugin) for i, plugin in enumerate(names)]
    envoy = launch(*sites)
    for site in sites:
        assert send(envoy.port(site.name), "/a/", bearer(world.token())).status == 200
        assert send(envoy.port(site.name), "/a/").status == 401


def test_two_configurations_in_one_vm(launch, world):
    """Plugins that share code and vm_id share a virtual machine, but nothing else."""
    other = {**world.configuration(realm="other"), "rules": [rule("/a/", "b")]}
    envoy = launch(Site("one", world.configuration()), Site("other", other))
    assert send(envoy.port("one"), "/a/", bearer(world.token())).status == 200
    assert send(envoy.port("other"), "/a/", bearer(world.token())).status == 401
    assert send(envoy.port("other"), "/a/", bearer(world.token("b"))).status == 200
    assert send(envoy.port("other"), "/a/").challenge == 'Bearer realm="other"'


def test_jwks_from_the_environment(launch, world):
    provider = world.provider("a", local_jwks={"environment_variable": "KEYS"})
    environment = {"KEYS": jwks(world.keys["a"])}
    site = Site("main", {"providers": {"a": provider}}, environment=environment)
    envoy = launch(site)
    assert send(envoy.port("main"), "/", bearer(world.token())).status == 200
    assert send(envoy.port("main"), "/", bearer(world.token(exp=1))).status == 401


def test_a_bad_update_keeps_the_old_listener(dynamic, world):
    envoy, update = dynamic
    update(world.configuration())
    until(lambda: listener_count(envoy) == 1)

    bad = world.configuration()
    bad["providers"]["a"].pop("issuer")
    update(bad)
    until(lambda: envoy.stats("listener_manager.lds.update_rejected")["listener_manager.lds.update_rejected"] == 1)
    assert send(envoy.port("main"), "/a/", bearer(world.token())).status == 200
    assert send(envoy.port("main"), "/a/").challenge == 'Bearer realm="api"'
    assert "providers.a.issuer" in ours(envoy.log())

    update(world.configuration(realm="new"))
    until(lambda: send(envoy.port("main"), "/a/").challenge == 'Bearer realm="new"')
    assert send(envoy.port("main"), "/a/", bearer(world.token())).status == 200


@pytest.fixture
def dynamic(launch, tmp_path):
    """An Envoy that reads its listener from a file, and the function that replaces that file."""
    file = tmp_path / "listeners.json"

    def update(configuration):
        site = Site("main", configuration)
        resource = {"@type": TYPE + "envoy.config.listener.v3.Listener", **listener(site, tmp_path)}
        fresh = tmp_path / "fresh.json"
        fresh.write_text(json.dumps({"resources": [resource]}))
        os.replace(fresh, file)

    file.write_text(json.dumps({"resources": []}))
    lds = {"resource_api_version": "V3", "path_config_source": {"path": str(file)}}
    changes = {"node": {"id": "test", "cluster": "test"}, "dynamic_resources": {"lds_config": lds}}
    return launch(changes=changes), update


def listener_count(envoy):
    """How many listeners serve."""
    return len(json.loads(envoy.admin("/listeners?format=json")).get("listener_statuses", []))


def ours(log):
    """The lines of the log that the filter wrote."""
    return "\n".join(line for line in log.splitlines() if "jwt-warden" in line)


@pytest.mark.since("1.39", "a VM has the environment of whichever plugin of its `vm_id` was loaded first")
def test_plugins_of_one_vm_id_have_their_own_variables(launch, world):
    given = world.provider("a")
    configuration = {"providers": {"a": given}, "rules": [rule("/", "a")]}
    by_name = {"providers": {"a": {**given, "local_jwks": {"environment_variable": "KEYS"}}}, "rules": [rule("/", "a")]}
    variables = {"KEYS": given["local_jwks"]["inline_string"]}
    envoy = launch(Site("without", configuration), Site("with", by_name, environment=variables))
    for site in ("without", "with"):
        assert send(envoy.port(site), "/", bearer(world.token())).status == 200
        assert send(envoy.port(site), "/", bearer(world.token(exp=1))).status == 401
