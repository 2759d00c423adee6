"""The load generator: wrk, on a core of its own."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import machine

_SCRIPT = Path(__file__).with_name("tokens.lua")


@dataclass(frozen=True)
class Load:
    """What wrk saw."""

    requests: int
    microseconds: int
    p50: int
    p99: int

    @property
    def per_second(self):
        """Requests per second."""
        return self.requests / self.microseconds * 1e6


def drive(url, tokens, seconds, limit=1 << 30, skip=0, connections=32, body=0):
    """Sends requests for `seconds`, each with the next of the first `limit` tokens of the file, and skips `skip`.
    A request that does not succeed ends the bench: a refusal is not what is to be measured."""
    pace = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    command = [shutil.which("wrk"), *pace, "-s", _SCRIPT, url, "--", tokens]
    numbers = [str(number) for number in (limit, skip, body)]
    with machine.pinned(machine.core_of_load()):
        run = subprocess.run([*command, *numbers], capture_output=True, text=True, timeout=seconds + 60)
    if run.returncode:
        raise SystemExit(f"wrk failed: {run.stderr or run.stdout}")
    outcome = json.loads(run.stdout.splitlines()[-1])
    if outcome.pop("refused") + outcome.pop("broken") or not outcome["requests"]:
        raise SystemExit(f"{url}: not every request succeeded:\n{run.stdout}")
    return Load(**outcome)


def version():
    """wrk's version."""
    return subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout.split(" [")[0]
