"""`make soak` and `make soak-short`: full load while everything goes wrong. The exit code is 1 where a verdict was
false, a token was logged, or the memory grew."""

import argparse
import asyncio
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from bench import machine, proxy

from . import report
from .events import Events
from .load import Load
from .memory import Memory
from .plan import Lane
from .scene import Scene

RESULTS = Path(__file__).parent / "results"
WORK = Path(__file__).parents[1] / ".work/soak"
# KiB per worker: less than a leak of a byte in a thousand requests would make of an hour. Of a short run, in which
# the allocators have not yet come to rest, more is let pass.
GROWTH, GROWTH_SHORT, LONG = 2048, 8192, 1800
# Envoy ends connections with more answers under way.
PIPELINED = 2


class Run(SimpleNamespace):
    """What was measured."""

    def false_verdicts(self):
        """How many answers were wrong."""
        return self.tally.false.total() + self.probed.false.total() + len(self.events.wrong)

    def per_worker(self):
        """What the filter takes for each worker, in KiB."""
        return round((self.memory.median() - self.bare) / self.about["workers"])


def main():
    """Runs it."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    about = {**machine.describe(), "envoy": proxy.version(), "workers": options.workers, "seconds": options.seconds}
    result = report.document(_soak(options, about))
    report.write(options.results, result)
    print(report.table(result))
    for sample in result["samples_of_false_verdicts"]:
        print("false verdict:", sample, file=sys.stderr)
    grown = result["memory_kib"]["growth"] > result["memory_kib"]["growth_allowed"]
    return 1 if result["false_verdicts"] or result["tokens_in_log"] or grown else 0


def _options():
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder for results.json and table.md")
    parser.add_argument("--work", type=Path, default=WORK, help="the folder for Envoy's files")
    parser.add_argument("--broken", choices=["denylist"], help="leaves this out: the soak has to notice")
    return parser.parse_args()


def _soak(options, about):
    scene = Scene(options.work, options.workers, options.broken)
    bare = scene.start(filtered=False)
    bare_size = bare.resident()
    bare.stop()
    envoy = scene.start()
    loads = []
    try:
        main, guard = envoy.port("main"), envoy.port("guard")
        lanes = {
            "main": Lane(main, 24, PIPELINED),
            "waiting": Lane(main, 8, 1),
            "unknown": Lane(main, 32, 1),
            "short": Lane(main, 4, 1),
            "guard": Lane(guard, 8, PIPELINED),
            "moving": Lane(scene.moving_port, 4, PIPELINED, drains=True),
        }
        loads += [Load(lanes), Load({"main": Lane(main, 1, 1, pause=0.002)})]
        events = Events(scene, *loads, time.monotonic() + options.seconds)
        memory = Memory(envoy)
        asyncio.run(events.run(memory.watch, _progress(loads[0], memory)))
        tally, probed = (load.stop() for load in loads)
    finally:
        envoy.stop()
        scene.stop()
    growth = options.workers * (GROWTH if options.seconds >= LONG else GROWTH_SHORT)
    found = {"tally": tally, "probed": probed, "events": events, "memory": memory, "log": envoy.log()}
    return Run(**found, bare=bare_size, about=about, allowed_growth=growth)


def _progress(load, memory):
    async def tell(events):
        while True:
            await events.pause(60)
            seen = await asyncio.to_thread(load.tally)
            requests = seen.answers.total() + seen.graced.total()
            told = f"{requests} requests, {seen.false.total()} false verdicts, {memory.samples[-1][1]} KiB"
            print(f"soak: {memory.samples[-1][0]} s: {told}", file=sys.stderr, flush=True)

    return tell


if __name__ == "__main__":
    sys.exit(main())
