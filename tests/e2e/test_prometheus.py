"""What envoy/ has for Prometheus and Grafana, in a real Prometheus that scrapes a real Envoy."""

import json
import math
import re
import time
import uuid

import pytest

from lab.issuer import Answer, JwksServer
from support import watched
from support.client import bearer, begin, send
from support.envoy import ROOT
from support.prometheus import SHIPPED, Prometheus, concrete, panels, promtool, rules
from support.services import free_port
from support.wait import until

README = (ROOT / "README.md").read_text()
PICTURE = ROOT / "docs/dashboard.svg"
INTERVAL = "10s"
# What the traffic below does not bring about; README.md has to name it.
NOT_SCRAPED = {"jwt_warden_log_suppressed": "jwt_warden.log.suppressed"}
# Panels that may have nothing to show, for want of the metrics above.
MAY_BE_EMPTY = {"Log lines suppressed"}
METRIC = re.compile(r"\b(?:jwt_warden|envoy)_\w+")


@pytest.fixture(scope="module")
def envoy(launch, world):
    """An Envoy that has had requests of every kind, one of which waited for keys."""
    acme, idp = JwksServer(world.key("a", "rs256")), JwksServer()
    idp.answer_with = Answer(b'{"jti": ["gone"]}')
    acme.hold()
    ports = watched.clusters(acme, idp, free_port())
    envoy = launch(watched.site(world, acme, idp), clusters=ports, changes=watched.changes())
    waiting = begin(envoy.port("watched"), "/acme/", bearer(world.token()))
    assert waiting.is_waiting()
    acme.release()
    assert waiting.response().status == 200
    yield envoy
    for server in (acme, idp):
        server.stop()


@pytest.fixture(scope="module")
def prometheus(envoy, world, tmp_path_factory):
    """A Prometheus that has seen the traffic come in."""
    running = Prometheus(tmp_path_factory.mktemp("prometheus"), (envoy.folder / "admin").read_text())
    for _ in range(4):
        drive(envoy, world)
    yield running
    running.stop()


def drive(envoy, world):
    """Requests of every kind: what came of them, by provider and reason."""
    port = envoy.port("watched")
    waiting = begin(port, "/down/", bearer(of_down(world)))
    for _ in range(20):  # every 16th verification is measured
        assert send(port, "/acme/", bearer(world.token(jti=str(uuid.uuid4())))).status == 200
    hot = world.token("b", jti="hot")
    for path, token, status in (
        ("/partner/", hot, 200),
        ("/partner/", hot, 200),
        ("/acme/", world.token(jti="gone"), 401),
        ("/acme/", world.token(exp=1), 401),
        ("/acme/", world.token()[:-8] + "AAAAAAAA", 401),
        ("/partner/", None, 401),
        ("/nowhere/", None, 403),
        ("/public", None, 200),
    ):
        assert send(port, path, bearer(token) if token else ()).status == status
    assert waiting.response().status == 401


def of_down(world):
    """A token of the issuer whose keys cannot be had."""
    return world.token("mixed", "rsa", algorithm="RS256", iss="https://down.example/")


def test_promtool_accepts_what_is_shipped(record_property):
    for arguments in (
        ("check", "config", SHIPPED / "prometheus.yaml"),
        ("check", "rules", SHIPPED / "alerts.yaml"),
        ("test", "rules", SHIPPED / "alerts_test.yaml"),
    ):
        code, output = promtool(*arguments)
        assert code == 0, output
    cases = (SHIPPED / "alerts_test.yaml").read_text().count("alertname: ")
    _, version = promtool("--version")
    record_property(
        "summary", f"{version.split(' (')[0]}: {len(rules())} rules accepted, {cases} cases of alerts as expected"
    )


def test_every_alert_has_its_near_miss_and_says_what_to_do():
    tests = (SHIPPED / "alerts_test.yaml").read_text()
    for alert in (rule for rule in rules() if "alert" in rule):
        name = alert["alert"]
        assert re.search(rf"alertname: {name}\n", tests), f"{name} is never seen to fire"
        assert f"alertname: {name}, " in tests, f"{name} is never seen not to fire"
        assert set(alert["annotations"]) == {"summary", "description", "runbook"}
        file, anchor = alert["annotations"]["runbook"].split("#")
        titles = re.findall(r"^#+ (.*)$", (ROOT / file).read_text(), re.MULTILINE)
        assert anchor in {title.lower().replace(" ", "-") for title in titles}, name
        assert alert["labels"]["severity"] in ("critical", "warning", "info")


def test_the_scrape_has_no_fault_but_envoys_names(envoy):
    """Envoy gives neither help texts nor the suffix `_total`, and its histograms hold whole numbers."""
    _, output = promtool("check", "metrics", text=envoy.admin("/stats/prometheus"))
    ours = [line for line in output.splitlines() if line.startswith("jwt_warden")]
    accepted = (
        "no help text",
        'counter metrics should have "_total" suffix',
        'use base unit "seconds" instead of "milliseconds"',
    )
    assert [line for line in ours if not line.endswith(accepted)] == []
    assert "error while linting" not in output


def test_labels(prometheus):
    for expression in (
        'jwt_warden_requests{verdict="allowed",provider="acme",reason="verified",rule=""}',
        'jwt_warden_requests{verdict="denied",provider="acme",reason="token_expired"}',
        'jwt_warden_requests{verdict="denied",provider="acme",reason="token_revoked"}',
        'jwt_warden_requests{verdict="denied",provider="acme",reason="signature_invalid"}',
        'jwt_warden_requests{verdict="denied",provider="partner",reason="token_missing"}',
        'jwt_warden_requests{verdict="denied",provider="",reason="no_matching_rule"}',
        'jwt_warden_requests{verdict="allowed",provider="",reason="not_required"}',
        'jwt_warden_tokens{result="remembered"}',
        'jwt_warden_tokens{result="verified"}',
        'jwt_warden_jwks_ready{provider="acme"} == 1',
        'jwt_warden_jwks_ready{provider="partner"} == 1',
        'jwt_warden_jwks_ready{provider="down"} == 0',
        'jwt_warden_jwks_keys{provider="acme"} == 1',
        'jwt_warden_jwks_fetches{provider="acme",result="success"}',
        'jwt_warden_jwks_fetches{provider="down",result="unreachable"}',
        'jwt_warden_verification_microseconds_bucket{provider="acme",le="20"}',
        'jwt_warden_verification_microseconds_count{provider="acme"}',
        "jwt_warden_waiting_milliseconds_count{}",
        'jwt_warden_revocation_answers{provider="acme",kind="denylist",result="success"}',
        'jwt_warden_revocation_entries{provider="acme",list="0"} == 1',
        "jwt_warden_failed_attempts_counted{}",
        'envoy_wasm_vm_reload_success{plugin="jwt_warden"} == 0',
    ):
        assert len(prometheus.query(expression)) == 1, expression


def test_no_name_is_left_without_its_labels(envoy):
    words = ("verdict", "rule", "provider", "reason", "kind", "list", "result")
    names = {
        line.split("{")[0] for line in envoy.admin("/stats/prometheus").splitlines() if line.startswith("jwt_warden")
    }
    assert len(names) > 20
    assert [name for name in names if set(words) & set(name.split("_"))] == []


def test_every_expression_of_the_alerts(prometheus):
    for rule in rules():
        prometheus.query(rule["expr"])
        assert_known(rule["expr"], prometheus)


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_every_panel_of_the_dashboard(panel, prometheus):
    values = []
    for target in panel["targets"]:
        expression = concrete(target["expr"], INTERVAL)
        assert_known(expression, prometheus)
        values += [value for _, value in prometheus.query(expression)]
    shown = [value for value in values if math.isfinite(value)]
    assert shown or panel["title"] in MAY_BE_EMPTY


def test_the_choice_of_a_provider(prometheus, record_property):
    assert prometheus.label_values("provider", "jwt_warden_jwks_ready") == ["acme", "down", "partner"]
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    for expression in asked:
        found = prometheus.query(concrete(expression, INTERVAL, provider="acme|partner"))
        assert {labels["provider"] for labels, _ in found if "provider" in labels} <= {"acme", "partner"}
    record_property("summary", f"prometheus: {len(asked)} queries of {len(panels())} panels answered")


def assert_known(expression, prometheus):
    """The expression names only metrics that are scraped, or else documented."""
    for name in METRIC.findall(expression):
        if name in NOT_SCRAPED:
            assert f"`{NOT_SCRAPED[name]}`" in README
        else:
            assert prometheus.query(f"count({name})"), name


def test_the_dashboard_is_whole():
    dashboard = json.loads((ROOT / "envoy/grafana/dashboard.json").read_text())
    assert {"uid", "title", "schemaVersion", "templating", "time"} <= set(dashboard)
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource", "provider"]
    everything = dashboard["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    assert len({panel["title"] for panel in everything}) == len(everything)
    taken = [cell for panel in everything for cell in cells(panel["gridPos"])]
    assert len(taken) == len(set(taken)) and all(x < 24 for x, _ in taken)
    for panel in panels():
        assert panel["description"] and panel["datasource"]["uid"] == "${datasource}"


def test_the_picture_is_of_this_dashboard():
    titles = re.findall(r'font-size="12" text-anchor="start" font-weight="600"[^>]*>([^<]+)<', PICTURE.read_text())
    assert len(titles) == 10
    assert set(titles) <= {panel["title"] for panel in panels()}


def cells(position):
    """The cells of the dashboard's grid that a panel takes."""
    across, down = range(position["w"]), range(position["h"])
    return [(position["x"] + right, position["y"] + below) for right in across for below in down]


def test_alerts_fire_for_the_provider_that_is_down_and_no_other(prometheus):
    names = ("JwtWardenFetchesFail", "JwtWardenKeysUnavailable", "JwtWardenNoKeys")
    until(lambda: prometheus.firing() == [(name, "down") for name in names])


def test_what_clients_send_adds_no_series(envoy, world):
    port = envoy.port("watched")

    def series():
        lines = envoy.admin("/stats/prometheus").splitlines()
        return {line.rsplit(" ", 1)[0] for line in lines if not line.startswith("#")}

    def attack(word):
        """Every place that a client can write to."""
        for changes in (
            {"head": {"kid": word}},
            {"head": {"alg": word}},
            {"head": {"typ": word}},
            {"iss": word},
            {"aud": word},
            {"sub": f"{word}\n"},
            {"jti": word, "exp": 1},
        ):
            assert send(port, f"/partner/{word}", bearer(world.token("b", **changes))).status == 401
        assert send(port, f"/{word}/").status == 403
        assert send(port, f"/public/{word}", [(word, word), ("host", f"{word}.example")]).status in (200, 400)
        assert send(port, f"/partner/?access_token={word}").status == 401

    def has_settled():
        before = series()
        time.sleep(1)
        return series() == before

    for _ in range(20):  # every 16th verification is measured
        attack("first")
    until(has_settled)
    before = series()
    for number in range(30):
        attack(f"x{number}.provider.y.reason.z")
        attack(f"jwt-warden-{uuid.uuid4()}")
    time.sleep(1)
    assert series() - before == set()
