"""The operator's program, built once, and asked."""

import functools
import json
import os
import subprocess

from .envoy import ROOT


@functools.cache
def binary():
    """The program: $JWT_WARDEN, or what cargo builds."""
    if given := os.environ.get("JWT_WARDEN"):
        return given
    command = ["cargo", "build", "--locked", "-p", "jwt-warden-cli", "--message-format=json-render-diagnostics"]
    lines = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return next(filter(None, (json.loads(line).get("executable") for line in lines)))


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
