"""A day in short, and what operators are told of it: every event once, with the right reason, and no secret."""

import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest
import yaml

from lab.issuer import Answer, JwksServer
from lab.keys import RsaKey, generate
from support import revocation
from support.bootstrap import Site
from support.client import bearer, send, unique_path
from support.envoy import ROOT, logfmt
from support.remote import provider
from support.secrets import leaked_in
from support.wait import until
from support.world import rule

WORKERS = 2
GOOD, FLOOD, MAX_LINES = 5, 600, 100
CACHE_DURATION, MAX_STALE = 1, 2
# Seconds after which the other worker has, too, what one has fetched: README promises a quarter of one.
TAKEN_OVER = 2
BACKOFF = {"base_interval": "0.2s", "max_interval": "0.5s"}


@dataclass
class Day:
    """What was done, by reason and verdict, and where it is told."""

    envoy: object
    sent: Counter = field(default_factory=Counter)

    def ask(self, token, reason, verdict="denied", path="/api/"):
        """Sends a request that is decided so."""
        answer = send(self.envoy.port("day"), unique_path(path), bearer(token) if token else [])
        assert answer.status == (200 if verdict == "allowed" else 401), (reason, answer.status)
        self.sent[verdict, reason] += 1

    def passes(self, token, number=1):
        """Sends requests that go upstream."""
        for _ in range(number):
            self.ask(token, "verified", "allowed")

    def lines(self, event):
        """The lines of the filter's log about such an event."""
        lines = self.envoy.log().splitlines()
        return [line for line in lines if re.search(rf"jwt-warden: {event}( |$)", line)]

    def refused(self):
        """How many requests were refused, by reason."""
        return Counter({reason: number for (verdict, reason), number in self.sent.items() if verdict == "denied"})

    def refusals(self):
        """How many refusals the log tells of, by reason: by a line each, and in sums."""
        told = Counter(logfmt(line)["reason"] for line in self.lines(r"denied reason=\w+"))
        for line in self.lines("denied more"):
            fields = logfmt(line)
            told[fields["reason"]] += int(fields["number"])
        return told

    def told(self, event, number, *parts):
        """The line about an event; there are so many of its kind, and the last has these parts."""
        until(lambda: len(self.lines(event)) >= number)
        last = self.lines(event)[-1]
        assert all(part in last for part in parts), last
        return last


@pytest.fixture(scope="module")
def day(launch, world):
    """The whole day, lived once."""
    issuer, denylist = JwksServer(), revocation.ListServer()
    denylist.answer_with = Answer(b'{"jti": []}')
    keys = [generate("ES256", f"day-{number}") for number in range(2)]
    issuer.serve(keys[0])
    settings = {"timeout": "2s", "cache_duration": f"{CACHE_DURATION}s", "max_stale": f"{MAX_STALE}s"}
    lists = {"denylists": [revocation.denylist("denylist", denylist.uri, refresh="1s")]}
    acme = provider(world, issuer.uri, unknown_kid_interval="0.2s", backoff=BACKOFF, **settings)
    rules = [{**rule("/api/", "a"), "name": "api"}]
    site = Site("day", {"providers": {"a": {**acme, "revocation": lists}}, "rules": rules}, all_lines=False)
    changes = {"stats_config": stats_config()}
    clusters = {"issuer": issuer.port, "denylist": denylist.port}
    envoy = launch(site, clusters=clusters, changes=changes, concurrency=WORKERS, log_level="wasm:info")
    day = Day(envoy)

    def token(number=0, **changes):
        return world.token(key=keys[number], algorithm="ES256", head={"kid": keys[number].kid}, **changes)

    start(day, token)
    rotation(day, issuer, keys, token)
    outage(day, issuer, token)
    attack(day, world, token)
    revoked(day, denylist, token)
    until(lambda: day.lines("denied more") and day.refusals().total() >= day.refused().total())
    yield day
    issuer.stop()
    denylist.stop()


def start(day, token):
    """The keys and the list come, and requests pass."""
    day.told("keys fetched", 1, "generation=1", "keys=1")
    day.told("list fetched", 1, "kind=denylist", "entries=0")
    day.passes(token(), GOOD)
    day.ask(None, "token_missing")


def rotation(day, issuer, keys, token):
    """A new key is used at once, and the old one is withdrawn."""
    issuer.serve(keys[1])
    day.passes(token(1), GOOD)
    day.told("keys fetched", 2, "generation=2", "failures_before=0")
    time.sleep(TAKEN_OVER)
    day.ask(token(0), "key_unknown")


def outage(day, issuer, token):
    """The endpoint is away for longer than keys may serve, and comes back."""
    issuer.stop()
    day.told("keys not fetched", 1, "cause=unreachable", "failures=1")
    ready = "wasmcustom.jwt_warden.jwks.provider.a.ready"
    until(lambda: day.envoy.stats(ready)[ready] == 0)
    day.ask(token(1), "keys_unavailable")
    issuer.start()
    until(lambda: day.envoy.stats(ready)[ready] == 1)
    day.told("keys confirmed", 1)
    day.passes(token(1), GOOD)


def attack(day, world, token):
    """Forged tokens of several kinds, and a flood of one."""
    day.ask(token(1, exp=1), "token_expired")
    day.ask(world.token(key=RsaKey(), head={"kid": "day-1"}), "key_unsuitable")
    day.ask(world.token(key=generate("ES256", "x"), algorithm="ES256", head={"kid": "day-1"}), "signature_invalid")
    day.ask(token(1, aud="other"), "audience_not_accepted")
    day.ask("eyJhbGciOiJub25lIn0.e30.", "token_malformed")
    expired = token(1, exp=2)
    for _ in range(FLOOD):
        day.ask(expired, "token_expired")


def revoked(day, denylist, token):
    """A token passes, and is revoked."""
    session = token(1, jti="session-1")
    day.passes(session)
    denylist.answer_with = Answer(json.dumps({"jti": ["session-1"]}).encode())
    day.told("list fetched", 2, "generation=2", "entries=1")
    time.sleep(TAKEN_OVER)
    day.ask(session, "token_revoked")
    day.passes(token(1), GOOD)


def test_metrics_tell_every_request_once(day):
    until(lambda: counted(day.envoy).total() >= day.sent.total())  # workers hand counts over once in a while
    assert counted(day.envoy) == day.sent


def counted(envoy):
    """How many requests the metrics tell of, by verdict and reason."""
    scrape = envoy.admin("/stats/prometheus?filter=jwt_warden")
    series = re.findall(r"^jwt_warden_requests\{(.*)\} (\d+)$", scrape, re.MULTILINE)
    told = Counter()
    for labels, number in series:
        labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        assert (labels["rule"], labels.get("provider")) == ("api", "a"), labels
        told[labels["verdict"], labels["reason"]] += int(number)
    return told


def test_the_access_log_tells_every_refusal_once(day):
    until(lambda: len(day.envoy.access_log()) >= day.sent.total())
    details = Counter(entry["details"] for entry in day.envoy.access_log())
    refused = {f"jwt_warden_denied{{{reason}}}": n for (verdict, reason), n in day.sent.items() if verdict == "denied"}
    passed = {"via_upstream": day.sent["allowed", "verified"]}
    assert details == refused | passed


def test_the_log_tells_every_refusal_once_and_sums_a_flood_up(day):
    lines = [logfmt(line) for line in day.lines(r"denied reason=\w+")]
    assert {fields["rule"] for fields in lines} == {"api"}
    assert len(lines) <= 2 * WORKERS * MAX_LINES
    assert day.refusals() == day.refused()


def test_the_log_tells_every_change_once(day):
    events = {event: len(day.lines(event)) for event in ("keys fetched", "keys not fetched", "keys confirmed")}
    # That the endpoint is still away is no news, and that the set is still the same neither.
    assert events == {"keys fetched": 2, "keys not fetched": 1, "keys confirmed": 1}
    assert len(day.lines("list fetched")) == 2
    assert len(day.lines("configured")) == WORKERS + 2  # the workers, the main thread, and one that is thrown away
    known = r"configured|signatures|keys (not )?fetched|keys confirmed|list fetched|denied( more)?"
    others = [line for line in day.lines(r"\S.*") if not re.search(rf"jwt-warden: ({known}) ", line)]
    assert others == []


def test_gauges_tell_how_the_day_ended(day):
    gauges = day.envoy.stats("wasmcustom.jwt_warden.jwks.provider.a.")
    state = {name.rsplit(".", 1)[1]: value for name, value in gauges.items()}
    assert (state["generation"], state["keys"], state["ready"]) == (2, 1, 1)
    now = time.time()
    assert 0 <= now - state["ready_since_seconds"] < 60
    assert state["last_success_seconds"] <= now + 1
    assert state["serves_until_seconds"] >= now
    entries = "wasmcustom.jwt_warden.revocation.provider.a.list.0.entries"
    assert day.envoy.stats(entries) == {entries: 1}


def test_no_secret_is_told(day):
    access = (day.envoy.folder / "access.log").read_text()
    scrape = day.envoy.admin("/stats/prometheus")
    assert day.sent.total() > FLOOD
    assert leaked_in(day.envoy.log() + access + scrape) == []


def stats_config():
    """What README gives operators to copy."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    [found] = [block for block in map(yaml.safe_load, blocks) if isinstance(block, dict) and "stats_config" in block]
    return found["stats_config"]
