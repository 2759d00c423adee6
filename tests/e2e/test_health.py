"""Whether keys are there, since when, until when: as docs/operations.md has operators ask the admin interface."""

import json
import re
import shutil
import subprocess
import time
from datetime import datetime, timezone
from unittest.mock import ANY

import pytest

from lab import processes
from support.bootstrap import WASM, Site
from support.client import bearer, send, unique_path
from support.envoy import logfmt
from support.handbook import blocks, commands
from support.remote import provider
from support.secrets import leaked_in
from support.wait import until
from support.world import jwks, rule
from support.xds import Files

pytestmark = [
    pytest.mark.matrix,
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="there is no curl or no jq"),
]

STATE = ("ready", "ready_since_seconds", "last_success_seconds", "serves_until_seconds")
GAUGES = "wasmcustom.jwt_warden.jwks.provider."
CACHE_DURATION, MAX_STALE = 2, 2


def shell(envoy, command):
    """The process that runs a command of the document against this Envoy."""
    text = command.replace("127.0.0.1:9901", envoy.admin_address)
    return processes.spawn(["sh", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def output(envoy, command):
    """What the command prints."""
    process = shell(envoy, command)
    printed, mistakes = process.communicate(timeout=30)
    assert (process.returncode, mistakes) == (0, "")
    return printed


def gauges(envoy, name):
    """The provider's gauges, as the document's command prints them."""
    lines = output(envoy, commands().gauges).splitlines()
    pairs = [line.split(": ") for line in lines if line.startswith(f"{GAUGES}{name}.")]
    return {gauge.removeprefix(f"{GAUGES}{name}."): int(value) for gauge, value in pairs if value.isdigit()}


def probe(envoy):
    """Whether the probe of the document succeeds."""
    program, option, text = blocks("operations").startup["startupProbe"]["exec"]["command"]
    assert (program, option) == ("sh", "-c")
    return shell(envoy, text).wait(30) == 0


def providers(envoy):
    """What the document's command says of each provider: whether it is ready, since when, until when."""
    rows = [line.split(" ") for line in output(envoy, commands().providers).splitlines()]
    return {name: [word.split("=")[1] for word in words] for name, *words in rows}


def date(value):
    """Seconds since 1970, as `jq` writes them."""
    return datetime.fromtimestamp(value, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def envoy(launch, world, issuer):
    """Two providers: the keys of `a` are fetched, which the issuer does not answer yet; those of `b` are there."""
    issuer.serve(world.key("a", "rs256"))
    issuer.hold()
    settings = {
        "timeout": "1s",
        "cache_duration": f"{CACHE_DURATION}s",
        "max_stale": f"{MAX_STALE}s",
        "backoff": {"base_interval": "0.2s", "max_interval": "0.4s"},
    }
    given = {"a": provider(world, issuer.uri, **settings), "b": world.provider("b")}
    site = Site("site", {"providers": given, "rules": [rule("/b/", "b"), rule("/", "a")]})
    return launch(site, clusters={"issuer": issuer.port}, concurrency=2, log_level="wasm:info")


def test_before_the_first_keys_with_them_without_and_again(envoy, world, issuer):
    waiting = shell(envoy, commands().wait)
    until(lambda: gauges(envoy, "b").get("ready") == 1)
    assert {name: gauges(envoy, "a")[name] for name in STATE} == dict.fromkeys(STATE, 0)
    assert not probe(envoy)
    assert waiting.poll() is None
    assert envoy.admin("/ready") == "LIVE\n"
    assert providers(envoy)["a"] == ["0", "-", "-"]

    issuer.release()
    assert waiting.wait(30) == 0
    assert probe(envoy)
    now, first = time.time(), gauges(envoy, "a")
    assert first["ready"] == 1
    assert 0 <= now - first["ready_since_seconds"] < 60
    # Either may have been refreshed between two looks.
    assert first["serves_until_seconds"] >= first["last_success_seconds"] + CACHE_DURATION + MAX_STALE - 1
    # Each worker says since when, the last one within a quarter of a second.
    until(lambda: providers(envoy)["a"][:2] == ["1", date(gauges(envoy, "a")["ready_since_seconds"])])
    own = gauges(envoy, "b")
    assert providers(envoy)["b"] == ["1", date(own["ready_since_seconds"]), "-"]
    assert own["last_success_seconds"] == own["serves_until_seconds"] == 0
    line = logfmt(envoy.log_line("[info]", "jwt-warden: keys fetched"))
    assert (line["provider"], line["keys"], line["skipped"], line["generation"]) == ("a", "1", "0", "1")

    issuer.stop()
    until(lambda: gauges(envoy, "a")["ready"] == 0)
    last = gauges(envoy, "a")
    assert last["ready_since_seconds"] == 0
    assert last["last_success_seconds"] >= first["last_success_seconds"]
    assert last["serves_until_seconds"] <= time.time()
    assert not probe(envoy)
    assert providers(envoy)["a"] == ["0", "-", date(last["serves_until_seconds"])]
    assert gauges(envoy, "b") == own
    failure = logfmt(envoy.log_line("[warning]", "keys not fetched", "cause=unreachable"))
    assert re.fullmatch(r"\d+s", failure["old_keys_serve_for"])
    assert int(failure["failures"]) > 0
    path = unique_path("/")
    assert send(envoy.port("site"), path, bearer(world.token())).status == 401
    assert envoy.denial(path)["reason"] == "keys_unavailable"
    # Failures like the one before are seen when asked for.
    assert "[debug]" not in envoy.log()
    output(envoy, commands().debug)
    envoy.log_line("[debug]", "keys not fetched", "old_keys_serve_for=none")

    issuer.start()
    until(lambda: probe(envoy))
    again = gauges(envoy, "a")
    assert again["ready"] == 1
    assert first["ready_since_seconds"] < again["ready_since_seconds"] <= time.time()
    assert again["ready_since_seconds"] >= last["serves_until_seconds"]
    assert int(logfmt(envoy.log_line("[info]", "keys confirmed"))["failures_before"]) > 0
    assert send(envoy.port("site"), "/", bearer(world.token())).status == 200


def shared_secrets(world, name, **changes):
    """A site whose provider has shared secrets."""
    given = world.provider("hs", algorithms=["HS256", "HS384", "HS512"], **changes)
    return Site(name, {"providers": {"hs": given}, "rules": [rule("/", "hs")]})


def listeners(envoy):
    """What the document's command says of each listener's configuration: its version, since when, and a refusal."""
    rows = [json.loads(line) for line in output(envoy, commands().listeners).splitlines()]
    return {(row["name"], row.get("version"), row["since"], row.get("refused")) for row in rows}


def lifetimes(envoy):
    """The `max_lifetime` of each plugin that the document's command shows."""
    text, decoder, found = output(envoy, commands().plugins).lstrip(), json.JSONDecoder(), []
    while text:
        plugin, end = decoder.raw_decode(text)
        assert (plugin["name"], plugin["code"]) == ("jwt_warden", {"local": {"filename": str(WASM)}})
        found.append(json.loads(plugin["configuration"])["providers"]["hs"].get("max_lifetime"))
        text = text[end:].lstrip()
    return found


def test_which_configuration_is_active_and_which_was_refused(launch, world, tmp_path):
    files = Files(tmp_path)
    files.set_listeners(shared_secrets(world, "moving", max_lifetime="1h"))
    envoy = launch(shared_secrets(world, "fixed"), changes=files.changes)
    assert lifetimes(envoy) == [None, "1h"]
    before = {row[0]: row for row in listeners(envoy)}
    assert before == {"fixed": ("fixed", None, ANY, None), "moving": ("moving", "3", ANY, None)}

    files.set_listeners(shared_secrets(world, "moving", max_lifetime="2h"))
    until(lambda: lifetimes(envoy) == [None, "2h"])
    after = {row[0]: row for row in listeners(envoy)}
    assert after["fixed"] == before["fixed"]
    assert after["moving"] == ("moving", "4", ANY, None)
    assert after["moving"][2] > before["moving"][2]
    # The trap.
    assert '"version_info":"3"' in re.sub(r"\s", "", envoy.admin("/config_dump?resource=dynamic_listeners"))

    files.set_listeners(shared_secrets(world, "moving", max_lifetime="never"))
    refusal = "Unable to create Wasm plugin jwt_warden"
    refused = {after["fixed"], (*after["moving"][:3], refusal), ("moving", "4", None, refusal)}
    until(lambda: listeners(envoy) == refused)
    assert lifetimes(envoy) == [None, "2h"]
    envoy.log_line("[error]", "jwt-warden: configuration refused: providers.hs.max_lifetime: ")
    assert envoy.stats("listener_manager.lds.update_rejected") == {"listener_manager.lds.update_rejected": 1}
    assert send(envoy.port("moving"), "/", bearer(world.token("hs", "hs256"))).status == 200
    # What was refused is there, secrets and all.
    assert leaked_in(json.dumps(failed(envoy)))


def failed(envoy):
    """The configurations of listeners that were refused."""
    given = json.loads(envoy.admin("/config_dump?resource=dynamic_listeners"))["configs"]
    return [each["error_state"]["failed_configuration"] for each in given if "error_state" in each]


def test_config_dump_shows_secrets_but_not_those_of_the_environment(launch, world, monkeypatch):
    keys = jwks(world.keys["hs"])
    monkeypatch.setenv("ACME_JWKS", keys)
    by_name = {"local_jwks": {"environment_variable": "ACME_JWKS"}}
    inline, given, own = (shared_secrets(world, name, **by_name) for name in ("inline", "given", "own"))
    inline.configuration["providers"]["hs"]["local_jwks"] = {"inline_string": keys}
    given.environment, given.vm_id = {"ACME_JWKS": keys}, "given"
    vm = {"vm_id": "own", "runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": str(WASM)}}}
    own.plugin = {"vm_config": {**vm, **blocks("operations").environment}}
    for site, leaks in ((inline, True), (given, True), (own, False)):
        envoy = launch(site)
        assert send(envoy.port(site.name), "/", bearer(world.token("hs", "hs256"))).status == 200
        assert bool(leaked_in(envoy.admin("/config_dump"))) == leaks, site.name
        assert ("ACME_JWKS" in envoy.admin("/config_dump")) == (site is not inline)
