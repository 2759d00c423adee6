"""One Envoy process: started on free ports, asked through its admin interface, always stopped."""

import functools
import json
import os
import re
import subprocess
import urllib.request
from pathlib import Path

from lab import processes

from .secrets import leaked_in
from .wait import until

ROOT = Path(__file__).parents[3]


def binary():
    """The Envoy to test with: $ENVOY, or what tools/envoy finds."""
    return os.environ.get("ENVOY") or subprocess.check_output([ROOT / "tools/envoy"], text=True).strip()


@functools.cache
def version():
    """The version of that Envoy: three numbers."""
    said = subprocess.check_output([binary(), "--version"], stdin=subprocess.DEVNULL, text=True, timeout=60)
    return tuple(map(int, re.search(r"version: \w+/(\d+)\.(\d+)\.(\d+)", said).groups()))


class EnvoyExited(Exception):
    """Envoy ended instead of serving; the text is its log."""


class Envoy:
    """A running Envoy. `folder` holds its configuration and logs."""

    def __init__(
        self,
        folder,
        configuration,
        concurrency=1,
        log_level="wasm:debug",
        drain_seconds=1,
        options=(),
        hot_restart=("--disable-hot-restart",),
        environment=None,
    ):
        self.folder = folder
        file = folder / "envoy.json"
        file.write_text(json.dumps(configuration))
        command = [
            *(binary(), "-c", file, "--concurrency", str(concurrency), "--component-log-level", log_level),
            *("--admin-address-path", folder / "admin", "--file-flush-interval-msec", "20"),
            *("--drain-time-s", str(drain_seconds), *hot_restart, *options),
        ]
        with open(folder / "envoy.log", "w") as log:
            self.process = processes.spawn(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        try:
            until(self._is_ready)
        except BaseException:
            self.stop()
            raise

    def port(self, site):
        """The port of the site's listener."""
        for listener in json.loads(self.admin("/listeners?format=json"))["listener_statuses"]:
            if listener["name"] == site:
                return listener["local_address"]["socket_address"]["port_value"]
        raise KeyError(site)

    @property
    def admin_address(self):
        """Where the admin interface is."""
        return (self.folder / "admin").read_text()

    def admin(self, path, body=None):
        """The text of an admin page; with a body, even an empty one, what it answers to a POST."""
        with urllib.request.urlopen(f"http://{self.admin_address}{path}", body, timeout=60) as answer:
            return answer.read().decode()

    def stats(self, prefix):
        """The counters and gauges whose names begin with the prefix."""
        lines = self.admin(f"/stats?filter=^{re.escape(prefix)}").splitlines()
        pairs = (line.rsplit(": ", 1) for line in lines)
        return {name: int(value) for name, value in pairs if value.isdigit()}

    def resident(self):
        """The memory that the process has, in KiB."""
        return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def log(self):
        """Everything that Envoy has logged."""
        return (self.folder / "envoy.log").read_text(errors="replace")

    def log_line(self, *parts):
        """The first line with all these parts; waits for it."""
        return until(lambda: next((line for line in self.log().splitlines() if all(p in line for p in parts)), None))

    def denial(self, path):
        """The fields of the filter's line about the request that was refused; waits for it."""
        return logfmt(self.log_line("jwt-warden: denied", f'path="{path}"'))

    def access(self, path):
        """The access log's entry of the only request with this path; waits for it."""
        return until(lambda: next((e for e in self.access_log() if e["path"] == path), None))

    def access_log(self):
        """The access log's entries."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def stop(self):
        """Stops the process, if it still runs."""
        processes.stop(self.process)

    def leaks(self):
        """The secrets that stand in a log."""
        access = self.folder / "access.log"
        return leaked_in(self.log() + (access.read_text() if access.exists() else ""))

    def _is_ready(self):
        if self.process.poll() is not None:
            raise EnvoyExited(without_greeting(self.log()))
        try:
            return self.admin("/ready") == "LIVE\n"
        except OSError:
            return False


def validate(folder, configuration):
    """`envoy --mode validate`: the exit code and the log."""
    file = folder / "validate.json"
    file.write_text(json.dumps(configuration))
    command = [binary(), "--mode", "validate", "-c", file, "--disable-hot-restart"]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return run.returncode, run.stdout + run.stderr


def without_greeting(log):
    """The log without the pages of what Envoy is made of."""
    return "\n".join(line for line in log.splitlines() if "[info][main]" not in line)


def logfmt(line):
    """The fields of a logfmt line, quotes removed."""
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)', line)}
