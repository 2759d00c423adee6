"""Redis and Webdis, as Debian has them: processes of the test's own, on ports of their own."""

import json
import os
import signal
import socket
import subprocess

from lab import processes

from . import handbook
from .wait import until


class Redis:
    """A Redis without a file; may be stopped and started again on the same port."""

    def __init__(self, folder):
        self.port = free_port()
        self._folder = folder
        self.start()

    def start(self):
        """Starts it, empty."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        self._process = _spawn(["redis-server", *options], self._folder / "redis.log")
        until(lambda: processes.is_taken(self.port))

    def stop(self):
        """Kills it."""
        self.resume()
        processes.stop(self._process)

    def pause(self):
        """Lets it take connections, and answer nothing."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self):
        """Lets it answer again."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGCONT)

    def __call__(self, *words):
        """Sends a command (RESP2) and gives the first line of the answer."""
        parts = [f"*{len(words)}\r\n".encode()]
        parts += [f"${len(word.encode())}\r\n".encode() + word.encode() + b"\r\n" for word in words]
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(b"".join(parts))
            return connection.makefile("rb").readline().decode().strip()

    def revoke(self, token_id, seconds=3600):
        """What a logout does."""
        assert self("SET", f"revoked:{token_id}", "1", "EX", str(seconds)) == "+OK"


class Webdis:
    """Webdis in front of a Redis, as docs/envoy.md has it: it answers nothing but EXISTS."""

    def __init__(self, folder, redis):
        self.port = free_port()
        ports = {"redis_port": redis.port, "http_port": self.port}
        settings = {**handbook.webdis(), **ports, "logfile": str(folder / "webdis.log")}
        (folder / "webdis.json").write_text(json.dumps(settings))
        self._process = _spawn(["webdis", folder / "webdis.json"], folder / "webdis.out")
        until(lambda: processes.is_taken(self.port))

    def stop(self):
        """Kills it."""
        processes.stop(self._process)


def free_port():
    """A port that nobody had when this was called."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _spawn(command, file):
    with open(file, "w") as log:
        return processes.spawn(command, stdout=log, stderr=subprocess.STDOUT)
