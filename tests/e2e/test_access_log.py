"""Envoy's access log, as docs/operations.md has it: it says what happened, and holds no token."""

import json
import re
import time
from datetime import datetime, timezone

import pytest

from lab.keys import RsaKey
from support import bootstrap
from support.bootstrap import TYPE, Site
from support.client import bearer, send, unique_path
from support.collector import Collector
from support.envoy import Envoy, EnvoyExited
from support.handbook import blocks
from support.secrets import leaked_in
from support.services import free_port
from support.wait import until
from support.world import rule

pytestmark = pytest.mark.matrix

TEXT = re.compile(
    r"(?P<time>\S+) (?P<status>\d+) (?P<details>\S+) judged_by=(?P<judged_by>\S+) route=(?P<route>\S+) "
    r'(?P<method>\S+) "(?P<path>[^"]*)" "(?P<subject>[^"]*)"'
)
TELEMETRY = {
    "http.request.method": "method",
    "url.path": "path",
    "http.response.status_code": "status",
    "http.route": "route",
    "user.id": "subject",
    "jwt_warden.details": "details",
    "jwt_warden.judged_by": "judged_by",
}
STATE = [{"name": "sub", "claim_name": "sub"}]
TO_UPSTREAM = {"cluster": "upstream"}
ROUTES = [
    # A client chooses it by a header that the filter takes out; then Envoy takes `all`.
    {
        "name": "left",
        "match": {"prefix": "/", "headers": [{"name": "x_user", "present_match": True}]},
        "route": TO_UPSTREAM,
    },
    {"name": "own", "match": {"prefix": "/public/own"}, "direct_response": {"status": 401}},
    {"name": "all", "match": {"prefix": "/"}, "route": TO_UPSTREAM},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the logs are."""
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def collector(folder):
    """Takes the records of the telemetry."""
    collector = Collector(folder)
    yield collector
    collector.stop()


@pytest.fixture(scope="module")
def envoy(launch, world, folder, collector):
    """A site with every logger of the document at once, and one with a filter behind that allows alice only."""
    given = blocks("operations")
    files = {"json": given.json_log, "text": given.text_log, "refusals": given.refusals}
    loggers = [to_file(log, folder / name) for name, log in files.items()]
    every = site("every", world, [*loggers, *given.telemetry], routes=ROUTES)
    behind = site(
        "behind", world, [to_file(blocks("operations").json_log, folder / "behind")], behind=blocks().condition
    )
    return launch(every, behind, clusters={"collector": reaching(collector.port)})


def site(name, world, loggers, manager=None, **changes):
    """/write asks for a scope, /public for nothing, and the rest for a token of `a`."""
    provider = world.provider("a", claim_to_filter_state=STATE)
    write = {"provider_name": "a", "scopes": ["write"]}
    rules = [
        {"match": {"prefix": "/write"}, "requirement_name": "write"},
        {"match": {"prefix": "/public"}},
        rule("/", "a"),
    ]
    configuration = {"providers": {"a": provider}, "requirement_map": {"write": write}, "rules": rules}
    return Site(name, configuration, manager={"access_log": loggers, **(manager or {})}, **changes)


def to_file(block, file):
    """The logger of the document, writing into this file."""
    [logger] = block
    logger["typed_config"]["path"] = str(file)
    return logger


def reaching(port):
    """The document's cluster of the collector, at this port."""
    [cluster] = blocks("operations").collector
    [endpoint] = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    endpoint["endpoint"]["address"]["socket_address"]["port_value"] = port
    return cluster


def lines(file):
    """The lines that are complete."""
    return [line for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")] if file.exists() else []


def find(file, path, read=json.loads):
    """The only entry with this path; waits for it."""
    return until(lambda: next((entry for entry in map(read, lines(file)) if entry["path"] == path), None))


def from_text(line):
    """The fields of a line of text."""
    return TEXT.fullmatch(line.strip()).groupdict()


@pytest.fixture
def cases(world):
    """What is sent, and what the log has to say of it: status, details, subject, the routes judged by and taken."""
    forged = world.token(key=RsaKey())
    expired = world.token(exp=1)
    passed, missing = (200, "via_upstream", "alice", "all", "all"), denied("token_missing")
    return {
        "good": ("/a/", "", bearer(world.token()), passed),
        "another subject": ("/a/", "", bearer(world.token(sub="bob")), (200, "via_upstream", "bob", "all", "all")),
        "without a subject": ("/a/", "", bearer(world.token(sub=...)), (200, "via_upstream", None, "all", "all")),
        "expired": ("/a/", "", bearer(expired), denied("token_expired")),
        "forged": ("/a/", "", bearer(forged), denied("signature_invalid")),
        "no token": ("/a/", "", [], missing),
        "another credential": ("/a/", "", [("authorization", "Basic YWxpY2U6c2VjcmV0")], missing),
        "in the query": ("/a/", f"?x=1&access_token={world.token()}", [], passed),
        "expired in the query": ("/a/", f"?access_token={expired}", [], denied("token_expired")),
        "forged in the query": ("/a/", f"?access_token={forged}&x=1", [], denied("signature_invalid")),
        "no scope": ("/write/", "", bearer(world.token()), denied("insufficient_scope", 403)),
        "not verified": ("/public/", "", bearer(world.token()), (200, "via_upstream", None, "all", "all")),
        "refused behind": ("/public/own/", "", [], (401, "direct_response", None, "own", "own")),
        "another route": (
            "/a/",
            "",
            [("x_user", "m"), *bearer(world.token())],
            (200, "via_upstream", "alice", "left", "all"),
        ),
        "refused on that route": ("/a/", "", [("x_user", "m")], denied("token_missing", route="left")),
    }


def denied(code, status=401, route="all"):
    """What the log has to say of a refusal."""
    return status, f"jwt_warden_denied{{{code}}}", None, None, route


def test_every_format_says_the_same(envoy, cases, folder, collector):
    sent = {name: exchange(envoy, *case) for name, case in cases.items()}
    refused = []
    for name, (path, began, ended, expected) in sent.items():
        status, details, subject, judged_by, route = expected
        fields = {"method": "GET", "path": path, "details": details, "route": route}
        logged = find(folder / "json", path)
        stamp = logged.pop("time")
        assert logged == {**fields, "status": status, "subject": subject, "judged_by": judged_by}, name
        # Cut to milliseconds.
        assert began - 0.001 <= seconds(stamp) <= ended, name

        words = {**fields, "status": str(status), "subject": subject or "-", "judged_by": judged_by or "-"}
        assert find(folder / "text", path, from_text) == {**words, "time": stamp}, name

        record, resource = collector.record(path)
        assert {TELEMETRY[key]: value for key, value in record.items() if key in TELEMETRY} == words, name
        assert record.keys() - TELEMETRY.keys() == {"time", "body"}
        assert record["body"] == f"GET {path} {status} {details}"
        assert began <= record["time"] + 0.001 <= ended + 0.001
        assert (resource["service.name"], resource["log_name"]) == ("envoy", "access")
        if details.startswith("jwt_warden_denied"):
            refused.append(
                {"time": stamp, "status": status, **{key: fields[key] for key in ("method", "path", "details")}}
            )
    assert [find(folder / "refusals", entry["path"]) for entry in refused] == refused
    assert len(lines(folder / "refusals")) == len(refused)
    assert len(lines(folder / "json")) == len(lines(folder / "text")) == len(cases) > len(refused) > 0

    everything = [collector.received(), *((folder / name).read_text() for name in ("json", "text", "refusals"))]
    assert [leaked_in(text) for text in everything] == [[]] * 4
    assert not any("access_token" in text or "Basic" in text for text in everything)


def exchange(envoy, prefix, query, headers, expected):
    """Sends a request of its own path: the path, from when to when it was on its way, and what is expected."""
    path, began = unique_path(prefix), time.time()
    assert send(envoy.port("every"), path + query, headers).status == expected[0]
    return path, began, time.time(), expected


def seconds(stamp):
    """The time since 1970."""
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()


def test_what_a_filter_behind_refuses_has_its_subject(envoy, world, folder):
    for token, status, subject in ((world.token(sub="bob"), 403, "bob"), (world.token(sub="bob", exp=1), 401, None)):
        path = unique_path("/a/")
        assert send(envoy.port("behind"), path, bearer(token)).status == status
        entry = find(folder / "behind", path)
        assert (entry["subject"], entry["details"].startswith("rbac_access_denied")) == (subject, status == 403)


def test_a_quote_deceives_in_text_only(envoy, world, folder, collector):
    subject, path = 'ali" "root', unique_path("/a/")
    assert send(envoy.port("every"), path, bearer(world.token(sub=subject))).status == 200
    assert find(folder / "json", path)["subject"] == subject
    assert collector.record(path)[0]["user.id"] == subject
    assert any(line.endswith(f'"{path}" "ali" "root"\n') for line in lines(folder / "text"))


def test_the_traps_are_traps(launch, world, folder):
    """What the document warns of: should Envoy or the filter do otherwise one day, it has to say so."""
    fields = {
        "path": "%REQ_WITHOUT_QUERY(:PATH)%",
        "original": "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
        "without_query": "%PATH(NQ)%",
        "header": "%REQ(X-USER)%",
        "subject": "%FILTER_STATE(wasm.jwt_warden.sub:PLAIN):3%",
        "flags": "%RESPONSE_FLAGS%",
    }

    def logger(name):
        log = blocks("operations").json_log
        log[0]["typed_config"]["log_format"]["json_format"] = fields
        return to_file(log, folder / name)

    envoy = launch(
        site("careless", world, [logger("careless")]),
        site("edge", world, [logger("edge")], {"use_remote_address": True}),
        site("rewritten", world, [logger("rewritten")], route=rewriting()),
    )

    def entry(name, headers):
        path = unique_path("/a/")
        send(envoy.port(name), path, headers)
        key = path.replace("/a/", "/b/") if name == "rewritten" else path
        return find(folder / name, key), path

    forged = [("x-envoy-original-path", "/forged"), ("x-user", "root")]
    found, _ = entry("careless", forged)
    assert (found["original"], found["without_query"], found["header"]) == ("/forged", "/forged", "root")
    assert (found["subject"], found["flags"]) == (None, "-")
    found, path = entry("edge", [*forged, *bearer(world.token())])
    assert (found["original"], found["without_query"], found["header"]) == (path, path, "alice")
    assert found["subject"] == "ali"
    found, path = entry("rewritten", bearer(world.token()))
    assert found["original"] == found["without_query"] == path


def rewriting():
    """A route that gives the upstream another path."""
    return {"match": {"prefix": "/a/"}, "route": {**TO_UPSTREAM, "prefix_rewrite": "/b/"}}


def test_without_its_formatter_envoy_does_not_start(launch, world, folder):
    log = blocks("operations").json_log
    del log[0]["typed_config"]["log_format"]["formatters"]
    with pytest.raises(EnvoyExited, match="REQ_WITHOUT_QUERY"):
        launch(site("log", world, [to_file(log, folder / "unused")]))


def test_what_must_not_be_logged_would_hold_tokens(world, upstream, tmp_path):
    """Envoy's own default format, and its debug log: such an Envoy is not one of those whose logs have to be clean."""
    default = {
        "@type": TYPE + "envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": str(tmp_path / "default"),
    }
    given = site("log", world, [{"name": "default", "typed_config": default}])
    configuration = bootstrap.bootstrap([given], {"upstream": upstream.port}, tmp_path)
    envoy = Envoy(tmp_path, configuration)
    try:
        send(envoy.port("log"), "/a/", bearer(world.token(exp=1)))
        send(envoy.port("log"), f"/a/?access_token={world.token(exp=2)}")
        until(lambda: len(lines(tmp_path / "default")) == 2)
        assert leaked_in((tmp_path / "default").read_text())
        assert not leaked_in(envoy.log())
        envoy.admin("/logging?http=debug", b"")
        send(envoy.port("log"), "/a/", bearer(world.token(exp=3)))
        assert until(lambda: leaked_in(envoy.log()))
    finally:
        envoy.stop()


def test_records_are_lost_while_the_collector_is_away(launch, world):
    away = reaching(free_port())
    envoy = launch(site("log", world, blocks("operations").telemetry), clusters={"collector": away})
    assert send(envoy.port("log"), "/a/").status == 401
    counter = "access_logs.open_telemetry_access_log.logs_dropped"
    until(lambda: envoy.stats(counter).get(counter) == 1)
