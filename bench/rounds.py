"""Measures cases in turn, round after round, so that whatever else happens on the machine hits all of them alike."""

from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from .bootstrap import bootstrap
from .load import drive
from .proxy import Proxy


@dataclass(frozen=True)
class Sample:
    """One case in one round."""

    cpu: float  # microseconds of Envoy's CPU per request
    per_second: float
    p50: int
    p99: int


@dataclass
class Series:
    """One case in all rounds."""

    samples: list

    def median(self, name):
        """The median of a sample's field."""
        return median(getattr(sample, name) for sample in self.samples)

    def added(self, baseline):
        """The CPU time over that of the baseline in each round, sorted."""
        pairs = zip(self.samples, baseline.samples, strict=True)
        return sorted(sample.cpu - base.cpu for sample, base in pairs)


def start(proxies, **options):
    """Starts the Envoys: a stack to close, and the running ones by name."""
    with ExitStack() as stack:
        running = {}
        for name, listeners in proxies.items():
            folder = "".join(letter if letter.isalnum() else "-" for letter in name)
            running[name] = stack.enter_context(Proxy(folder, bootstrap(listeners), **options))
        return stack.pop_all(), running


def measure(cases, running, rounds, seconds, tell):
    """Every case's series, in the order of the cases. A first, short round warms up and does not count."""
    for case in cases:
        _sample(case, running, seconds)
    tell("warm")
    samples = [[] for _ in cases]
    for number in range(rounds):
        order = list(enumerate(cases))
        for index, case in order if number % 2 else reversed(order):
            samples[index].append(_sample(case, running, seconds))
        tell(f"round {number + 1} of {rounds}")
    return [Series(taken) for taken in samples]


def _sample(case, running, seconds):
    proxy = running[case.proxy]
    before = proxy.cpu_microseconds()
    load = drive(proxy.url(case.listener), case.pool.path, seconds, limit=case.tokens)
    cpu = (proxy.cpu_microseconds() - before) / load.requests
    return Sample(round(cpu, 3), round(load.per_second, 1), load.p50, load.p99)
