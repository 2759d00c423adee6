"""Child processes that never outlive us, and ports."""

import ctypes
import os
import signal
import socket
import subprocess
import sys

_PR_SET_PDEATHSIG = 1


def spawn(command, **options):
    """Starts `command` in a process group of its own. It dies with this process, however that comes about."""
    return subprocess.Popen(command, preexec_fn=_leave_with_parent, **{"stdin": subprocess.DEVNULL, **options})


def stop(process, patience=5):
    """Stops the process and its group: politely first, then by force after `patience` seconds."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, signal_number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
            break
        except subprocess.TimeoutExpired:
            continue


def is_taken(port, host="127.0.0.1"):
    """Whether someone listens on the port already."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def end_with_parent(signal_number=signal.SIGTERM):
    """Has the kernel send this process the signal when its parent dies; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number)


def _leave_with_parent():
    os.setpgid(0, 0)
    end_with_parent(signal.SIGKILL)
