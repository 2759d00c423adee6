"""What operators see: lines about refusals within bounds, tokens by digests, decisions on record."""

import hashlib
import hmac
import re
import time

import pytest

from support import load
from support.bootstrap import Site, direct_response
from support.client import bearer, send, unique_path
from support.envoy import logfmt
from support.secrets import remember
from support.wait import until
from support.world import rule

KEY = "a key for digests, of 32 bytes or more"
LINES = 100
HOSTILE = 'a"b\njwt-warden: denied reason=forged\r\x1b[31m\x7f\u202e\\'
VISIBLE = re.compile(r"[ -~]*")


@pytest.fixture(scope="module")
def envoy(launch, world):
    """`flood` has the limits that operators have; the others differ by their audit."""
    remember(KEY)

    def site(name, audit=None, limits=None, **options):
        more = {"audit": audit} if audit else {}
        rules = [{**rule("/a/", "a"), "name": "orders"}, {"match": {"prefix": "/public"}}]
        rules.append({"match": {"prefix": "/admin"}, "requires": {"provider_name": "a", "scopes": ["admin"]}})
        providers = {"a": world.provider("a", from_headers=[{"name": "authorization", "value_prefix": "Bearer "}])}
        configuration = {"providers": providers, "rules": rules, "limits": limits or {}, **more}
        route = {**direct_response(), "name": "named"}
        return Site(name, configuration, route=route, **options)

    digest = {"subject": "digest", "digest_key": {"environment_variable": "AUDIT_KEY"}}
    return launch(
        site("flood", all_lines=False),
        site("silent", limits={"max_denial_lines": 0}),
        site("plain"),
        site("denied", {"decisions": "denied"}),
        site("nobody", {"decisions": "all"}),
        site("all", {"decisions": "all", "subject": "plain"}),
        # Before Envoy 1.39 a VM has the environment of whoever made it first.
        site("digest", {"decisions": "all", **digest}, environment={"AUDIT_KEY": KEY}, vm_id="with-key"),
        site("sampled", {"decisions": "all", "one_in": 10}, limits={"max_denial_lines": 0}),
    )


def ours(envoy, event, path=""):
    """The fields of the filter's lines of this event about a path that begins so."""
    lines = [line for line in envoy.log().splitlines() if f"jwt-warden: {event} " in line]
    return [fields for fields in map(logfmt, lines) if fields.get("path", "").startswith(path)]


def audited(envoy, path):
    """The record of the only decision about the path; waits for it."""
    until(lambda: ours(envoy, "audit", path))
    [line] = [line for line in envoy.log().splitlines() if "jwt-warden: audit " in line and f'path="{path}"' in line]
    assert "[info][wasm]" in line
    return logfmt(line)


def test_a_flood_leaves_bounded_lines_and_right_sums(envoy, world):
    """Each refusal is either a line or in a sum, and the metrics know both."""

    def sums():
        return [f for f in ours(envoy, "denied more") if f["reason"] in ("token_malformed", "token_expired")]

    def count(name):
        return sum(envoy.stats(f"wasmcustom.jwt_warden.{name}").values())

    denied = "requests.verdict.denied.rule.orders.provider.a.reason."
    before = [count(denied + reason) for reason in ("token_malformed", "token_expired")]
    suppressed = count("log.suppressed")
    path = unique_path("/a/")
    expired = world.token(exp=1)
    requests = [(None, load.request("x", path))] * 2000 + [(None, load.request(expired, path))] * 3000
    begun = time.monotonic()
    assert load.statuses(load.run(envoy.port("flood"), requests)) == {401}
    windows = (time.monotonic() - begun) // 10 + 2
    total = until(lambda: sum(int(f["number"]) for f in sums()) + len(ours(envoy, "denied", path)) == 5000)
    assert total
    lines = ours(envoy, "denied", path)
    assert len(lines) <= LINES * windows
    for reason, number, earlier in zip(("token_malformed", "token_expired"), (2000, 3000), before, strict=True):
        until(lambda reason=reason, number=number, earlier=earlier: count(denied + reason) == earlier + number)
        told = [f for f in sums() if f["reason"] == reason]
        assert sum(int(f["number"]) for f in told) + sum(f["reason"] == reason for f in lines) == number
        assert {(f["rule"], f["provider"]) for f in told} == {("orders", "a")}
    until(lambda: count("log.suppressed") - suppressed == 5000 - len(lines))


def test_without_lines_there_are_sums(envoy):
    path = unique_path("/else/")
    assert send(envoy.port("silent"), path).status == 403
    until(lambda: [f for f in ours(envoy, "denied more") if f["reason"] == "no_matching_rule"])
    assert ours(envoy, "denied", path) == []


def test_who_holds_a_token_finds_its_lines(envoy, world):
    for token, status in ((world.token(exp=1), 401), (world.token(key=world.key("b", "rs256")), 401)):
        path = unique_path("/a/")
        assert send(envoy.port("plain"), path, bearer(token)).status == status
        assert envoy.denial(path)["token"] == hashlib.sha256(token.encode()).hexdigest()[:16]
    path = unique_path("/admin/")
    token = world.token(scope="user")
    assert send(envoy.port("plain"), path, bearer(token)).status == 403
    assert envoy.denial(path)["token"] == hashlib.sha256(token.encode()).hexdigest()[:16]


def test_what_has_no_signature_has_no_digest(envoy):
    """It could be a password, which is found by trying."""
    for credentials in ("hunter2", "e30.e30.", "a.b.c", ""):
        path = unique_path("/a/")
        assert send(envoy.port("plain"), path, bearer(credentials)).status == 401
        assert "token" not in envoy.denial(path)


def test_nothing_that_a_client_sends_breaks_a_line(envoy, world):
    """In each field that comes from outside, as it is and in 64 KB."""
    escaped = HOSTILE.replace("\n", "%0a").replace("\r", "%0d").replace("\x1b", "%1b").replace("\x7f", "%7f")
    header = "".join(c for c in HOSTILE if c.isprintable() and ord(c) < 127)
    long = "x" * 65_536
    port = envoy.port("all")
    start = len(envoy.log().splitlines())
    for text in (HOSTILE, HOSTILE + long):
        for head in ({"kid": text}, {"typ": text}, {"alg": text}):
            # Of 64 KB, the longest token that is read is one of 16 KiB.
            send(port, unique_path("/a/"), bearer(world.token(head=head)))
        for claim in ("iss", "aud", "sub", "scope"):
            send(port, unique_path("/a/"), bearer(world.token(**{claim: text})))
    for text in (escaped.replace(" ", ""), long):
        send(port, unique_path("/a/") + text)
        send(port, unique_path("/a/"), [("authorization", f"Bearer {header}{text}")])
    for text in (header.replace(" ", ""), long):
        send(port, unique_path("/a/") + header.replace(" ", ""), method="".join(filter(str.isalpha, text))[:200])
    marker = unique_path("/else/")
    send(port, marker)
    envoy.denial(marker)
    lines = envoy.log().splitlines()[start:]
    assert not [line for line in lines if line.startswith("jwt-warden")]
    told = [line[line.index("jwt-warden: ") :] for line in lines if "jwt-warden: " in line]
    assert len(told) > 30
    assert not [line for line in told if len(line) > 2000 or not VISIBLE.fullmatch(line)]
    assert not [line for line in told if logfmt(line).get("reason") == "forged"]


def test_subjects_are_told_only_where_that_is_wanted(envoy, world):
    token, issuer = world.token(sub="alice"), world.issuer("a")
    keyed = hmac.new(KEY.encode(), f"{issuer}\0alice".encode(), "sha256").hexdigest()[:32]
    wanted = {"nobody": {}, "all": {"subject": "alice"}, "digest": {"subject_digest": keyed}}
    for site, told in wanted.items():
        for prefix, expected in (("/a/", ("allowed", "verified")), ("/admin/", ("denied", "insufficient_scope"))):
            path = unique_path(prefix)
            status = send(envoy.port(site), path, bearer(token)).status
            assert status == (200 if expected[0] == "allowed" else 403)
            fields = audited(envoy, path)
            assert (fields["verdict"], fields["reason"]) == expected
            assert {name: value for name, value in fields.items() if name.startswith("subject")} == told
            assert (fields["issuer"], fields["provider"], fields["method"]) == (issuer, "a", "GET")
            assert (fields["host"], fields["route"]) == ("api.example", "named")


def test_what_is_not_verified_is_told_of_nobody(envoy, world):
    forged = world.token(key=world.key("b", "rs256"), sub="mallory")
    for token in (forged, world.token(iss="https://mallory.example/"), "x.y.z"):
        path = unique_path("/a/")
        assert send(envoy.port("all"), path, bearer(token)).status == 401
        assert not {"issuer", "subject"} & audited(envoy, path).keys()
    path = unique_path("/a/")
    assert send(envoy.port("all"), path, bearer(world.token(exp=1, sub="late"))).status == 401
    fields = audited(envoy, path)
    assert (fields["reason"], fields["status"], fields["subject"]) == ("token_expired", "401", "late")


def test_refusals_alone(envoy, world):
    passes, fails = unique_path("/a/"), unique_path("/a/")
    assert send(envoy.port("denied"), passes, bearer(world.token())).status == 200
    assert send(envoy.port("denied"), fails).status == 401
    fields = audited(envoy, fails)
    assert (fields["verdict"], fields["reason"], fields["rule"]) == ("denied", "token_missing", "orders")
    assert ours(envoy, "audit", passes) == []


def test_a_sample(envoy, world):
    """One of ten: with 2000 requests, fewer than 100 or more than 300 are less likely than a broken machine."""
    path = unique_path("/a/")
    load.run(envoy.port("sampled"), [(None, load.request(world.token(), path))] * 2000)
    marker = unique_path("/else/")
    send(envoy.port("plain"), marker)
    envoy.denial(marker)
    assert 100 < len(ours(envoy, "audit", path)) < 300


def test_an_audit_is_no_subject_to_the_bound_of_refusals(launch, world):
    configuration = {**world.configuration(), "audit": {"decisions": "denied"}, "limits": {"max_denial_lines": 1}}
    envoy = launch(Site("both", configuration, route=direct_response()))
    path = unique_path("/a/")
    load.run(envoy.port("both"), [(None, load.request("x", path))] * 300)
    until(lambda: len(ours(envoy, "audit", path)) == 300)
    assert len(ours(envoy, "denied", path)) <= 2
    envoy.stop()
    # What was counted in the last window is told when the worker ends.
    told = sum(int(fields["number"]) for fields in ours(envoy, "denied more"))
    assert told + len(ours(envoy, "denied", path)) == 300
