"""`make bench` and `make bench-growth`; with --quick a short look that judges nothing."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from . import cases, chart, claims, growth, load, machine, memory, pools, proxy, report, rounds
from .bootstrap import WARDEN

RESULTS = Path(__file__).parent / "results"
QUICK = Path(__file__).parents[1] / ".work/bench/quick"
# Many short rounds: whatever else the machine does then hits all cases alike, or only a few rounds.
ROUNDS = {"quick": 2, "growth": 5, "table": 15}


def main():
    """Runs what was asked for. The exit code is 1 where a claim is missed."""
    options = _options()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("The bench needs two cores: one for Envoy, one for the load.")
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing: run make bench, or install the package wrk.")
    pace = {"rounds": ROUNDS["quick" if options.quick else "growth" if options.growth else "table"], "seconds": 1}
    about = {
        **machine.describe(),
        "envoy": proxy.version(),
        "wrk": load.version(),
        **pace,
        "claims_bytes": pools.CLAIMS,
    }
    folder = QUICK if options.quick else RESULTS
    if options.growth:
        return growth.run(folder, about)
    run = _measure(about)
    report.write(folder, run)
    (folder / "chart.svg").write_text(chart.draw(run))
    print(report.table(run))
    missed = any(claim.verdict == "MISSED" for claim in run["claims"])
    return 1 if missed and not options.quick else 0


def _options():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two rounds of a second, kept in .work, no verdict")
    parser.add_argument("--growth", action="store_true", help="how the cost grows, instead of the table")
    return parser.parse_args()


def _measure(about):
    tokens = cases.mint()
    stack, running = rounds.start(cases.proxies(tokens))
    with stack:
        listed = cases.cases(tokens)
        series = rounds.measure(listed, running, about["rounds"], about["seconds"], _tell)
        resident = {name: process.resident_bytes() for name, process in running.items()}
    results = {(case.name, case.proxy): taken for case, taken in zip(listed, series, strict=True)}
    artifact = WARDEN.stat().st_size
    worker = memory.worker_bytes(tokens, about["seconds"])
    return {
        "about": {**about, "artifact_bytes": artifact, "worker_bytes": worker},
        "results": results,
        "memory": resident,
        "claims": claims.claims(results, artifact, worker),
    }


def _tell(progress):
    print(f"bench: {progress}", file=sys.stderr, flush=True)


sys.exit(main())
