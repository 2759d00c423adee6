"""Measures cases one after the other, round after round, so that what else the machine does hits all of them alike."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
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

    def divided(self, number):
        """The same with so much less CPU time per request."""
        return Series([replace(sample, cpu=sample.cpu / number) for sample in self.samples])

    def added(self, baseline):
        """The CPU time over that of the baseline in each round, sorted."""
        pairs = zip(self.samples, baseline.samples, strict=True)
        return sorted(sample.cpu - base.cpu for sample, base in pairs)


@dataclass(frozen=True)
class Pace:
    """How often Envoys are started, how many rounds each of them lives, and how long a case is driven in a round."""

    starts: int
    rounds: int
    seconds: int = 1


def measure(proxies, cases, pace, tell, services=None, **options):
    """Every case's series, in the order of the cases, and the memory of every Envoy at the end. `services`: clusters
    that every Envoy has.

    The Envoys, and the order of the cases, are not the same all the time: one process may be a little faster than
    another of its kind, for as long as it lives."""
    drivers = [Driver(case) for case in cases]
    samples = [[] for _ in cases]
    for number in range(pace.starts):
        with ExitStack() as stack:
            running = {name: stack.enter_context(started(name, proxies[name], services, **options)) for name in proxies}
            for driver in drivers:
                driver.sample(running, pace.seconds)  # warms up, and does not count
            for turn in range(pace.rounds):
                order = list(zip(drivers, samples, strict=True))
                for driver, taken in reversed(order) if turn % 2 else order:
                    taken.append(driver.sample(running, pace.seconds))
                tell(f"start {number + 1} of {pace.starts}, round {turn + 1} of {pace.rounds}")
            resident = {name: process.resident_bytes() for name, process in running.items()}
    return [Series(taken) for taken in samples], resident


def started(name, listeners, services=None, **options):
    """An Envoy with these listeners."""
    folder = "".join(letter if letter.isalnum() else "-" for letter in name)
    return Proxy(folder, bootstrap(listeners, services=services), **options)


class Driver:
    """Drives one case, each time with the tokens that come next: hardly any comes back before all others were sent."""

    def __init__(self, case):
        self.case = case
        self._sent = 0

    def sample(self, running, seconds):
        """Drives the case for `seconds`, and measures it."""
        proxy = running[self.case.proxy]
        before = proxy.cpu_microseconds()
        load = self.drive(running, seconds)
        cpu = (proxy.cpu_microseconds() - before) / load.requests
        return Sample(round(cpu, 3), round(load.per_second, 1), load.p50, load.p99)

    def drive(self, running, seconds):
        """Drives the case for `seconds`: what wrk saw."""
        url = running[self.case.proxy].url(self.case.listener)
        load = drive(url, self.case.pool.path, seconds, limit=self.case.tokens, skip=self._sent)
        self._sent += load.requests
        return load
