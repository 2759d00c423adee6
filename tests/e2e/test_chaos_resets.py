"""Clients break off at every moment of a wait: nothing is left of them, neither waiting requests nor memory."""

import asyncio
import itertools
import socket
import struct

import pytest

from support import http2
from support.client import bearer, head
from support.remote import remote_site
from support.wait import until

CLIENTS = 300
# Milliseconds: when the answer with the keys comes, and between which moments the clients leave, one after the other.
ANSWER, LAST = 150, 300
ROUNDS = 4
ACTIVE, CONNECTIONS = "http.remote.downstream_rq_active", "http.remote.downstream_cx_active"
WAITING = "wasmcustom.jwt_warden.waiting."
# KiB. A request that waits takes some 24 KiB: those of the second half would be three times as much.
TOLERANCE = 4096


def reset(writer):
    """Breaks the connection off."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def close(writer):
    """Closes the connection in good order."""
    writer.close()


def reset_stream(writer):
    """Resets the only stream; the connection stays for a while."""
    writer.write(http2.reset())
    asyncio.get_running_loop().call_later(LAST / 1000, writer.close)


def one(token):
    """The bytes of a request over HTTP/1.1."""
    return head("/", bearer(token))


def two(token):
    """The bytes of a request over HTTP/2."""
    return http2.request("/", bearer(token))


WAYS = {"reset": (one, reset), "closed": (one, close), "reset-stream": (two, reset_stream), "http2-reset": (two, reset)}


@pytest.mark.parametrize("way", WAYS)
def test_at_every_moment(launch, world, issuer, way):
    request, leave = WAYS[way]
    keys = itertools.cycle([world.key("a", "es256"), world.key("a", "rs256")])
    issuer.serve(next(keys))
    changes = {"unknown_kid_interval": "0.1s", "cache_duration": "720h", "timeout": "60s"}
    envoy = launch(remote_site(world, issuer, **changes), clusters={"issuer": issuer.port}, concurrency=2)
    port, entered, sizes = envoy.port("remote"), 0, []
    for number in range(ROUNDS):
        key = next(keys)
        token = world.token(kid=key.kid)
        issuer.hold()
        issuer.serve(key)
        answers = number % 2 == 0
        asyncio.run(leave_one_by_one(port, request(token), leave, issuer if answers else None))
        until(lambda: [envoy.stats(gauge)[gauge] for gauge in (ACTIVE, CONNECTIONS)] == [0, 0])
        waited = until(lambda: nobody_waits(envoy))
        assert waited > entered, "nobody waited"
        entered = waited
        issuer.release()
        sizes.append(envoy.resident())
    print(f"{entered} of {ROUNDS * CLIENTS} clients waited; KiB after each round: {sizes}")
    assert sizes[-1] - max(sizes[: ROUNDS // 2]) < TOLERANCE


async def leave_one_by_one(port, data, leave, issuer):
    """All clients come at once, and leave at moments of their own; the keys come meanwhile, if there is an issuer."""

    async def come_and_go(milliseconds):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        await asyncio.sleep(milliseconds / 1000)
        leave(writer)

    async def answer():
        await asyncio.sleep(ANSWER / 1000)
        if issuer:
            await asyncio.to_thread(issuer.release)

    await asyncio.gather(answer(), *(come_and_go(LAST * number / CLIENTS) for number in range(CLIENTS)))
    await asyncio.sleep(2 * LAST / 1000)


def nobody_waits(envoy):
    """How many have waited, if all of them have ceased to."""
    seen = envoy.stats(WAITING)
    return seen[f"{WAITING}entered"] if seen.get(f"{WAITING}entered") == seen.get(f"{WAITING}left") else 0
