"""A JWKS server that is in trouble itself: no descriptors left, or a byte per second."""

import asyncio
import socket
import subprocess
import sys

import pytest

from lab import processes
from lab.http import head as answer_head
from lab.issuer import JwksServer
from support.client import bearer, begin, unique_path
from support.envoy import logfmt
from support.remote import remote_site, status
from support.services import free_port
from support.wait import until
from support.world import jwks

TIMEOUT = 2
SETTINGS = {
    "timeout": f"{TIMEOUT}s",
    "cache_duration": "1s",
    "unknown_kid_interval": "0.5s",
    "backoff": {"base_interval": "0.2s", "max_interval": "0.5s"},
}
DESCRIPTORS = 24
# What Envoy makes of the time-out, before the answer has begun and after.
CAUSES = {"head": "timeout", "body": "reset"}
WAITING = "wasmcustom.jwt_warden.waiting."


class SlowServer(JwksServer):
    """Sends a byte per second: of the head, or of the body."""

    slow = None

    async def answer(self, request, writer):
        if self.slow is None:
            return await super().answer(request, writer)
        body = self.answer_with.body
        whole = answer_head(200, {"content-length": len(body)}) + body
        fast = 0 if self.slow == "head" else len(whole) - len(body)
        writer.write(whole[:fast])
        for byte in whole[fast:]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)
        return True


@pytest.fixture
def slow():
    """A server that can be slow."""
    server = SlowServer()
    yield server
    server.stop()


@pytest.mark.parametrize("part", CAUSES)
def test_a_byte_per_second(launch, world, slow, part):
    slow.serve(world.key("a", "rs256"))
    envoy = launch(remote_site(world, slow, **SETTINGS), clusters={"issuer": slow.port}, concurrency=2)
    good, new = world.token(), world.token(kid="es256")
    assert status(envoy, good) == 200
    slow.slow = part
    line = logfmt(envoy.log_line("[warning]", "keys not fetched", f"cause={CAUSES[part]} "))
    assert int(line["old_keys_serve_for"].rstrip("s")) > 3600
    assert (status(envoy, good), status(envoy, world.token(exp=1))) == (200, 401)
    # Who needs a new set waits for a bounded time.
    waiting = [begin(envoy.port("remote"), unique_path("/"), bearer(new)) for _ in range(20)]
    assert {exchange.response().status for exchange in waiting} == {401}
    slow.serve(world.key("a", "es256"))
    slow.slow = None
    until(lambda: (status(envoy, new), status(envoy, good)) == (200, 401))
    until(lambda: envoy.stats(WAITING).get(f"{WAITING}entered") == envoy.stats(WAITING).get(f"{WAITING}left"))


# Serves the folder on the port, with so many descriptors; who finds none waits in the kernel.
PROGRAM = """
import functools, resource, sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
port, folder, descriptors = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("127.0.0.1", port), functools.partial(SimpleHTTPRequestHandler, directory=folder)).serve_forever()
"""


class LimitedServer:
    """A process that serves a document, and has so many descriptors."""

    def __init__(self, folder):
        self.port, self._folder, self._idle = free_port(), folder, []
        command = [sys.executable, "-c", PROGRAM, str(self.port), folder, str(DESCRIPTORS)]
        self._process = processes.spawn(command, stderr=subprocess.DEVNULL)
        until(lambda: processes.is_taken(self.port))

    @property
    def uri(self):
        """Where the document is."""
        return f"http://127.0.0.1:{self.port}/jwks.json"

    def serve(self, *keys):
        """Serves these keys."""
        (self._folder / "new").write_text(jwks(keys))
        (self._folder / "new").replace(self._folder / "jwks.json")

    def exhaust(self):
        """Takes all of its descriptors."""
        self._idle = [socket.create_connection(("127.0.0.1", self.port), timeout=5) for _ in range(2 * DESCRIPTORS)]

    def relieve(self):
        """Gives them back."""
        for connection in self._idle:
            connection.close()

    def stop(self):
        """Ends it."""
        self.relieve()
        processes.stop(self._process)


@pytest.fixture
def limited(tmp_path):
    """A server with few descriptors."""
    server = LimitedServer(tmp_path)
    yield server
    server.stop()


def test_no_descriptors_left(launch, world, limited):
    limited.serve(world.key("a", "rs256"))
    envoy = launch(remote_site(world, limited, **SETTINGS), clusters={"issuer": limited.port}, concurrency=2)
    good, new = world.token(), world.token(kid="es256")
    assert status(envoy, good) == 200
    limited.exhaust()
    limited.serve(world.key("a", "es256"))
    line = logfmt(envoy.log_line("[warning]", "keys not fetched"))
    assert line["cause"] in ("timeout", "reset", "unreachable"), line
    assert (status(envoy, good), status(envoy, new)) == (200, 401)
    limited.relieve()
    until(lambda: (status(envoy, new), status(envoy, good)) == (200, 401))
    assert "failures_before" in envoy.log_line("keys fetched", "generation=2")
