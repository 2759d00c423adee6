"""Sends the same requests through both filters and shows what came of them."""

import asyncio
import json
from dataclasses import dataclass

VARYING = {"x-request-id", "x-forwarded-proto", "x-envoy-expected-rq-timeout-ms"}


@dataclass
class Outcome:
    """What a filter made of a request."""

    status: int
    reason: str  # the filter's own word for a refusal; empty if the request passed
    names_error: bool  # whether the challenge says error="invalid_token"
    path: str = ""  # what the upstream got
    headers: tuple = ()

    @property
    def passed(self):
        """Whether the filter let it pass."""
        return not self.reason

    def all(self, name):
        """The values that the upstream got."""
        return [value for other, value in self.headers if other == name]


async def _send_in_turn(port, heads):
    """All requests on one connection, one after the other."""
    outcomes, reader, writer = [], None, None
    for head in heads:
        if writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        writer.write(head)
        outcome, is_kept = await _outcome(reader)
        outcomes.append(outcome)
        if not is_kept:
            writer.close()
            writer = None
    if writer is not None:
        writer.close()
    return outcomes


def send(work, at_once=8):
    """`work`: pairs of a port and heads. The outcomes, in the same order."""

    async def everything():
        gate = asyncio.Semaphore(at_once)

        async def one(port, heads):
            async with gate:
                return await _send_in_turn(port, heads)

        return await asyncio.gather(*(one(port, heads) for port, heads in work))

    return asyncio.run(everything())


async def _outcome(reader):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ")[1])
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    is_kept = headers.get("connection") != "close"
    details = headers.get("x-details", "")
    reason = details.partition("{")[2].rstrip("}") if details.startswith(("jwt_authn", "jwt_warden")) else ""
    error = "error=" in headers.get("www-authenticate", "")
    if status != 200:
        # What no filter refused and no route takes (CONNECT) has passed the filter.
        assert reason or status in (404, 503), lines
        return Outcome(status, reason, error), is_kept
    seen = json.loads(body)
    shown = tuple(sorted((name, value) for name, value in seen["headers"] if name not in VARYING))
    return Outcome(status, reason, error, seen["path"], shown), is_kept
