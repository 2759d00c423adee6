"""The machine: what it is, and which of its cores does what."""

import os
import re
from contextlib import contextmanager
from pathlib import Path


def describe():
    """What the figures depend on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": model[1].strip() if model else "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 1),
    }


def core_of_envoy():
    """The core that Envoy has to itself."""
    return sorted(os.sched_getaffinity(0))[0]


def core_of_load():
    """The core of everything else."""
    return sorted(os.sched_getaffinity(0))[-1]


@contextmanager
def pinned(core):
    """What is started within stays on this core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
