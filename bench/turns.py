"""Lets Envoys take turns: those that are compared are under load at the same time, and each in its turn is awake for a
fraction of a second, alone on its core. Whatever else the machine does, for seconds or minutes, hits all of them alike.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from .rounds import Driver, started

# Long beside what it takes to fill the caches again, short beside what is to be evened out.
SLICE = 0.2
# How often each Envoy is driven by itself, for what clients see of it.
ALONE = 2


@dataclass
class Result:
    """One case in all rounds; microseconds of Envoy's CPU per request."""

    cpu: list
    baseline: list  # what no filter costs in the same rounds
    loads: list  # what wrk saw where it had this Envoy to itself

    @property
    def added(self):
        """What the case costs over no filter, in each round."""
        return [cpu - base for cpu, base in zip(self.cpu, self.baseline, strict=True)]


def measure(proxies, groups, pace, tell):
    """Every case's result, by name and proxy, and the memory of every Envoy at the end. `groups`: lists of cases that
    take turns, of as many Envoys; the first case of each is the baseline of the others."""
    drivers = [[Driver(case) for case in group] for group in groups]
    cpu = [[[] for _ in group] for group in groups]
    loads = [[[] for _ in group] for group in groups]
    for number in range(pace.starts):
        with ExitStack() as stack:
            running = {name: stack.enter_context(started(name, proxies[name])) for name in proxies}
            for repetition in range(1 + ALONE):
                _drive_alone(drivers, running, pace.seconds, loads if repetition else None)  # the first one warms up
            for turn in range(pace.rounds):
                for group, taken in zip(drivers, cpu, strict=True):
                    order = list(zip(group, taken, strict=True))
                    _take_turns(order[::-1] if turn % 2 else order, running, pace.seconds)
                tell(f"start {number + 1} of {pace.starts}, round {turn + 1} of {pace.rounds}")
            resident = {name: process.resident_bytes() for name, process in running.items()}
    results = {}
    for group, costs, seen in zip(groups, cpu, loads, strict=True):
        for case, cost, load in zip(group, costs, seen, strict=True):
            results[case.name, case.proxy] = Result(cost, costs[0], load)
    return results, resident


def _drive_alone(drivers, running, seconds, loads):
    for position, group in enumerate(drivers):
        for place, driver in enumerate(group):
            load = driver.drive(running, seconds)
            if loads:
                loads[position][place].append(load)


def _take_turns(order, running, seconds):
    """Drives all of the group until each has been awake for `seconds`, and notes the CPU time that a request took."""
    proxies = [running[driver.case.proxy] for driver, _ in order]
    before = [_used(driver, proxy) for (driver, _), proxy in zip(order, proxies, strict=True)]
    with ThreadPoolExecutor(len(order)) as threads:
        driven = [threads.submit(driver.drive, running, seconds * len(order)) for driver, _ in order]
        with _asleep(proxies):
            while not any(load.done() for load in driven):
                for proxy in proxies:
                    proxy.wake()
                    time.sleep(SLICE)
                    proxy.put_to_sleep()
        for load in driven:
            load.result()
    for (driver, taken), proxy, (microseconds, requests) in zip(order, proxies, before, strict=True):
        after = _used(driver, proxy)
        taken.append(round((after[0] - microseconds) / (after[1] - requests), 3))


def _used(driver, proxy):
    """The CPU time and the number of requests so far, as Envoy has counted them: of those that are under way when the
    load ends, wrk knows nothing."""
    return proxy.cpu_microseconds(), proxy.requests(driver.case.listener)


@contextmanager
def _asleep(proxies):
    """All sleep, and are awake again afterwards, however that comes about."""
    try:
        for proxy in proxies:
            proxy.put_to_sleep()
        yield
    finally:
        for proxy in proxies:
            proxy.wake()
