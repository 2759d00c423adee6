"""`make run` shows what it promises, and leaves nothing running."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from lab import processes
from support import envoy, program
from support.wait import until

DEMO = envoy.ROOT / "envoy/demo.py"


@pytest.fixture
def ports():
    """Ports that were free a moment ago."""
    names = ("LISTEN_PORT", "ADMIN_PORT", "ISSUER_PORT", "SERVICE_PORT")
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = {name: free.getsockname()[1] for name, free in zip(names, sockets, strict=True)}
    for free in sockets:
        free.close()
    return ports


@pytest.fixture
def start(ports, tmp_path):
    """Starts the demo; its output goes to a file."""
    started = []

    def start(*options):
        paths = {"ENVOY": envoy.binary(), "JWT_WARDEN": program.binary()}
        environment = {**os.environ, **paths, **{name: str(port) for name, port in ports.items()}}
        with open(tmp_path / "output", "w") as output:
            command = [sys.executable, DEMO, *options]
            started.append(processes.spawn(command, env=environment, stdout=output, stderr=subprocess.STDOUT))
        return started[-1], tmp_path / "output"

    yield start
    for process in started:
        processes.stop(process)


def test_show(start, ports):
    demo, output = start("--once")
    assert demo.wait(60) == 0, output.read_text()
    shown = output.read_text()
    assert shown.count("client sees   200") == 2
    assert shown.count("client sees   401 Unauthorized") == 6
    assert "service sees  x-user: alice\n" in shown
    reasons = ("token_missing", "token_expired", "audience_not_accepted", "algorithm_not_allowed")
    for reason in (*reasons, "signature_invalid", "key_unknown"):
        assert f"reason={reason}" in shown
    assert nothing_listens(ports)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_behind(signal_number, start, ports):
    demo, output = start()
    until(lambda: "Ctrl-C" in output.read_text() or demo.poll() is not None)
    assert processes.is_taken(ports["LISTEN_PORT"]), output.read_text()
    demo.send_signal(signal_number)
    assert demo.wait(10) == (-signal.SIGKILL if signal_number == signal.SIGKILL else 0), output.read_text()
    until(lambda: nothing_listens(ports))


def test_a_taken_port_is_named(start, ports):
    with socket.create_server(("127.0.0.1", ports["ADMIN_PORT"])):
        demo, output = start("--once")
        assert demo.wait(10) == 1
    assert output.read_text() == f"port {ports['ADMIN_PORT']} is taken: stop what uses it or set ADMIN_PORT=\n"


def nothing_listens(ports):
    """Whether all ports are free."""
    return not any(processes.is_taken(port) for port in ports.values())
