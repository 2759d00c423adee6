"""One Envoy process: what it is told, and the CPU time and memory it uses."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from lab import processes

from . import machine

ENVOY = os.environ.get("ENVOY", "envoy")
FOLDER = Path(__file__).parents[1] / ".work/bench"


class Proxy:
    """A running Envoy, pinned to its core."""

    def __init__(self, name, configuration, workers=1, core=None, log_level="warning"):
        self.folder = FOLDER / name
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "envoy.json").write_text(json.dumps(configuration))
        (self.folder / "admin").unlink(missing_ok=True)
        command = [
            *(ENVOY, "-c", self.folder / "envoy.json", "--concurrency", str(workers), "--disable-hot-restart"),
            *("--admin-address-path", self.folder / "admin", "--component-log-level", f"wasm:{log_level}"),
        ]
        self._ports = {}
        with (
            machine.pinned(machine.core_of_envoy() if core is None else core),
            open(self.folder / "envoy.log", "w") as log,
        ):
            self._process = processes.spawn(command, stdout=log, stderr=subprocess.STDOUT)
        self._wait_until_ready()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        processes.stop(self._process)

    def port(self, listener):
        """The port of the listener."""
        if not self._ports:
            for status in json.loads(self._admin("/listeners?format=json"))["listener_statuses"]:
                self._ports[status["name"]] = status["local_address"]["socket_address"]["port_value"]
        return self._ports[listener]

    def url(self, listener, path="/"):
        """Where to send requests."""
        return f"http://127.0.0.1:{self.port(listener)}{path}"

    def cpu_microseconds(self):
        """The CPU time that the process has used up to now, in user and in kernel mode: what /proc/PID/stat shows too,
        but there in steps of 10 ms."""
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1000

    def requests(self, listener):
        """How many requests the listener, whose name is a plain word, has had."""
        return int(self._admin(f"/stats?filter=^http.{listener}.downstream_rq_total$").split(": ")[1])

    def put_to_sleep(self):
        """Stops the process where it is."""
        self._process.send_signal(signal.SIGSTOP)

    def wake(self):
        """Has it go on."""
        self._process.send_signal(signal.SIGCONT)

    def resident_bytes(self):
        """The memory that the process has now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def log(self):
        """What Envoy has logged."""
        return (self.folder / "envoy.log").read_text(errors="replace")

    def _wait_until_ready(self):
        deadline = time.monotonic() + 120
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                processes.stop(self._process)
                raise SystemExit(f"Envoy does not start:\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def _is_ready(self):
        try:
            return self._admin("/ready") == "LIVE\n"
        except OSError:
            return False

    def _admin(self, path):
        address = (self.folder / "admin").read_text()
        with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
            return answer.read().decode()


def version():
    """Envoy's version."""
    output = subprocess.run([ENVOY, "--version"], capture_output=True, text=True).stdout
    match = re.search(r"version: \w+/([0-9.]+)", output)
    return match[1] if match else "unknown"
