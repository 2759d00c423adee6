"""Thousands of random tokens, minted by joserfc and judged by it and by the filter."""

import http.client
import json
import os
import time
from collections import Counter

from crosscheck.judge import Judge, strictness
from crosscheck.tokens import AUDIENCE, ISSUER, SKEW, Mint
from lab.keys import ALGORITHMS
from support.bootstrap import Site
from support.envoy import logfmt
from support.secrets import remember_tokens
from support.world import rule

SEED = int(os.environ.get("CROSSCHECK_SEED", "1"))
CASES = int(os.environ.get("CROSSCHECK_CASES", "4000"))


def test_another_library_agrees(launch, record_property):
    now = int(time.time())
    mint = Mint(SEED, now)
    jwks = mint.jwks()
    judge, envoy = Judge(jwks, now), launch(Site("cross", configuration(jwks)))
    cases = [mint.case() for _ in range(CASES)]
    answers = send_all(envoy.port("cross"), [case.token for case in cases])
    reasons = denials(envoy)
    agreed, stricter, wrong = Counter(), Counter(), []
    for number, (case, passes) in enumerate(zip(cases, answers, strict=True)):
        read = judge.accepts(case.token)
        if passes == (read is not None):
            agreed["accepted" if passes else "refused"] += 1
            continue
        reason = None if passes else strictness(reasons[f"/{number}"], read, case.token)
        if reason is None:
            wrong.append((case, passes, reasons.get(f"/{number}")))
        else:
            stricter[reason] += 1
    assert not wrong, f"{len(wrong)} disagreements with seed {SEED}, among them {wrong[:3]}"
    # Both verdicts have to be there in number, or nothing was compared.
    assert min(agreed["accepted"], agreed["refused"]) > CASES // 10, agreed
    figures = [f"{name} {count}" for name, count in [*agreed.items(), *sorted(stricter.items())]]
    record_property("summary", f"crosscheck: seed {SEED}, {CASES} tokens, {', '.join(figures)}")


def configuration(jwks):
    """A provider with the very demands that the library is given."""
    provider = {
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "algorithms": ALGORITHMS,
        "clock_skew_seconds": SKEW,
        "local_jwks": {"inline_string": json.dumps(jwks)},
        "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
    }
    return {"providers": {"cross": provider}, "rules": [rule("/", "cross")]}


def send_all(port, tokens):
    """Whether each token passes; all on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    answers = []
    for number, token in enumerate(tokens):
        value = f"Bearer {token}"
        remember_tokens(value.encode())
        connection.request("GET", f"/{number}", headers={"authorization": value})
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (200, 401), answer.status
        answers.append(answer.status == 200)
    connection.close()
    return answers


def denials(envoy):
    """The reason of each refusal, by path."""
    lines = [line for line in envoy.log().splitlines() if "jwt-warden: denied" in line]
    return {fields["path"]: fields["reason"] for fields in map(logfmt, lines)}
