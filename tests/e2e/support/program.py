"""The operator's program, built once and asked, and its issuer."""

import functools
import json
import os
import re
import signal
import subprocess
import urllib.parse
import urllib.request

from lab import processes

from .envoy import ROOT
from .secrets import remember_tokens
from .wait import until


@functools.cache
def binary():
    """The program to test: $JWT_WARDEN, or what tools/program builds."""
    return os.environ.get("JWT_WARDEN") or subprocess.check_output([ROOT / "tools/program"], text=True).strip()


def run(*arguments, stdin=""):
    """Runs the program: its exit code, what it says, and what it complains of."""
    done = subprocess.run([binary(), *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def explain(folder, configuration, path, headers=(), method="GET", options=()):
    """What `explain` makes of a request to the host that the tests ask: its answer for programs."""
    config, head = folder / "explain.json", folder / "explain.headers"
    config.write_text(configuration if isinstance(configuration, str) else json.dumps(configuration))
    head.write_text("".join(f"{name}: {value}\n" for name, value in [("host", "api.example"), *headers]))
    command = ["explain", "--config", config, "--method", method, "--header", f"@{head}", "--format", "json", *options]
    code, shown, complaint = run(*command, f"--url={path}")
    assert code in (0, 1, 3), (path, headers, complaint)
    answer = json.loads(shown)
    assert code == {"allowed": 0, "answered": 0, "refused": 1, "undecided": 3}[answer["verdict"]]
    return answer


def ask(*arguments, expect=0):
    """What the program prints, where it ends with this exit code."""
    command = [binary(), *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout.strip()


class Issuer:
    """A running `jwt-warden issuer`, on a port of its own."""

    def __init__(self, folder, *options):
        self._log = folder / "issuer.log"
        with open(self._log, "w") as log:
            command = [binary(), "issuer", "--listen", "127.0.0.1:0", *options]
            self.process = processes.spawn(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            self.port = int(until(self._listening)[1])
        except BaseException:
            self.stop()
            raise

    @property
    def url(self):
        """Where it listens, which is its `iss` too."""
        return f"http://127.0.0.1:{self.port}"

    def log(self):
        """Everything that it has printed."""
        return self._log.read_text()

    def _listening(self):
        assert self.process.poll() is None, self.log()
        return re.search(r"listening on http://127\.0\.0\.1:(\d+) ", self.log())

    def get(self, path):
        """A document."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.loads(answer.read())

    def post(self, path, **form):
        """What a form gets."""
        data = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(self.url + path, data, timeout=30) as answer:
            return json.loads(answer.read())

    def token(self, claims=None, **form):
        """A token."""
        more = {"claims": json.dumps(claims)} if claims else {}
        token = self.post("/token", **form, **more)["access_token"]
        remember_tokens(token.encode())
        return token

    def rotate_by_signal(self):
        """Sends SIGHUP, and waits for the line about it."""
        before = self.log().count("rotated keys=")
        self.process.send_signal(signal.SIGHUP)
        until(lambda: self.log().count("rotated keys=") > before)

    def stop(self):
        """Ends it, if it still runs."""
        processes.stop(self.process)
