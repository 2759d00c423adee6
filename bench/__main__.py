"""`make bench` and `make bench-growth`; with --quick a short look that judges nothing."""

import argparse
import os
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from . import (
    cases,
    chains,
    chart,
    claims,
    growth,
    load,
    machine,
    memory,
    pools,
    proxy,
    report,
    revocation,
    sender,
    turns,
)
from .bootstrap import WARDEN
from .rounds import Pace

RESULTS = Path(__file__).parent / "results"
QUICK = Path(__file__).parents[1] / ".work/bench/quick"
# Many short rounds in several starts: no process is exactly as fast as another of its kind.
PACES = {"quick": Pace(1, 2), "growth": Pace(1, 5), "settings": Pace(3, 10), "table": Pace(3, 4)}


def main():
    """Runs what was asked for. The exit code is 1 where a claim is missed."""
    options = _options()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("The bench needs two cores: one for Envoy, one for the load.")
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing: run make bench, or install the package wrk.")
    pace = PACES["quick" if options.quick else options.what]
    about = {
        **machine.describe(),
        "envoy": proxy.version(),
        "wrk": load.version(),
        **asdict(pace),
        "claims_bytes": pools.CLAIMS,
    }
    folder = QUICK if options.quick else RESULTS
    if options.what == "growth":
        return growth.run(folder, about, pace)
    if options.what == "settings":
        run = _measure_settings(about, pace)
        print(report.write_settings(folder, run))
    else:
        run = _measure(about, pace)
        print(report.write(folder, run))
        (folder / "chart.svg").write_text(chart.draw(run))
    missed = any(claim.verdict == "MISSED" for claim in run["claims"])
    return 1 if missed and not options.quick else 0


def _options():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds of a second, kept in .work, no verdict")
    what = parser.add_mutually_exclusive_group()
    for name, text in (("growth", "how the cost grows"), ("settings", "what settings cost, in more rounds")):
        what.add_argument(f"--{name}", dest="what", action="store_const", const=name, help=f"{text}, and nothing else")
    parser.set_defaults(what="table")
    return parser.parse_args()


def _measure(about, pace):
    tokens = cases.mint()
    results, resident = turns.measure(cases.proxies(tokens), cases.groups(tokens), pace, _tell)
    with revocation.clusters() as services:
        settings = chains.measure(tokens, pace, _tell, services)
    artifact = WARDEN.stat().st_size
    worker = memory.worker_bytes(tokens, pace.seconds)
    return {
        "about": {**about, "artifact_bytes": artifact, "worker_bytes": worker},
        "results": results,
        "memory": resident,
        "chains": chains.table(settings),
        "sender": sender.table(sender.measure(pace, _tell)),
        "claims": claims.claims(results, settings, artifact, worker),
    }


def _measure_settings(about, pace):
    with revocation.clusters() as services:
        settings = chains.measure(cases.mint(), pace, _tell, services)
    judged = claims.of_settings(settings)
    return {"about": about, "settings": settings, "chains": chains.table(settings), "claims": judged}


def _tell(progress):
    print(f"bench: {progress}", file=sys.stderr, flush=True)


sys.exit(main())
