"""Lets Envoys take turns: those that are compared are under load at the same time, and each in its turn is awake for a
fraction of a second, alone on its core. Whatever else the machine does, for seconds or minutes, hits all of them alike.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from . import machine
from .rounds import Driver, started

# Seconds: long beside what it takes to fill the caches again, short beside what is to be evened out.
SLICE = 0.2
# Seconds in which Envoys work off what was under way when the load ended.
TAIL = 0.3


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
    take turns, each of an Envoy of its own; the first case of each is the baseline of the others."""
    taken = [[_Taken(Driver(case), [], []) for case in group] for group in groups]
    for number in range(pace.starts):
        with ExitStack() as stack:
            running = {name: stack.enter_context(started(name, proxies[name])) for name in proxies}
            _drive_alone(taken, running, pace.seconds)
            for turn in range(pace.rounds):
                for group in taken:
                    _take_turns(group[::-1] if turn % 2 else group, running, pace.seconds)
                tell(f"start {number + 1} of {pace.starts}, round {turn + 1} of {pace.rounds}")
            resident = {name: process.resident_bytes() for name, process in running.items()}
    results = {
        (each.driver.case.name, each.driver.case.proxy): Result(each.cpu, group[0].cpu, each.loads)
        for group in taken
        for each in group
    }
    return results, resident


@dataclass
class _Taken:
    """What is taken down of one case."""

    driver: Driver
    cpu: list
    loads: list


def _drive_alone(taken, running, seconds):
    """Warms every Envoy up; then each has the load to itself, for what clients see of it."""
    everything = [each for group in taken for each in group]
    for each in everything:
        each.driver.drive(running, seconds)
    for each in everything[::-1]:
        each.loads.append(each.driver.drive(running, seconds))


def _take_turns(group, running, seconds):
    """Drives the group until each has been awake for about `seconds`, and takes down the CPU time of a request."""
    proxies = [running[each.driver.case.proxy] for each in group]
    assert len(set(proxies)) == len(group), "one Envoy cannot take the turns of two cases"
    # To ask for the requests costs CPU time: outside of what is measured.
    requests_before, cpu_before = _requests(group, proxies), _cpu(proxies)
    _drive_in_turn(group, proxies, running, seconds)
    time.sleep(TAIL)
    cpu_after, requests_after = _cpu(proxies), _requests(group, proxies)
    for position, each in enumerate(group):
        cpu = cpu_after[position] - cpu_before[position]
        each.cpu.append(round(cpu / (requests_after[position] - requests_before[position]), 3))


def _cpu(proxies):
    return [proxy.cpu_microseconds() for proxy in proxies]


def _requests(group, proxies):
    """As Envoy has counted them: of those that are under way when the load ends, wrk knows nothing."""
    return [proxy.requests(each.driver.case.listener) for each, proxy in zip(group, proxies, strict=True)]


def _drive_in_turn(group, proxies, running, seconds):
    # What wakes them leaves their core alone; so do the threads, which inherit that.
    with machine.pinned(machine.core_of_load()), ThreadPoolExecutor(len(group)) as threads:
        driven = [threads.submit(each.driver.drive, running, seconds * len(group)) for each in group]
        with _asleep(proxies):
            while not any(load.done() for load in driven):
                for proxy in proxies:
                    proxy.wake()
                    time.sleep(SLICE)
                    proxy.put_to_sleep()
        for load in driven:
            load.result()


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
