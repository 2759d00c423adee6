"""How the cost grows: with providers, rules, keys, the token's size, and workers."""

import json
import sys
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median

from lab.keys import generate

from . import bodies, report, rounds
from .bootstrap import make_rules, native, provider, warden
from .cases import COLD, HOT, NO_FILTER, Case, crowd
from .pools import Pool, pool

COLD_WARDEN, HOT_WARDEN = "jwt-warden, cache off", "jwt-warden, hot"
FILTERS = {
    NO_FILTER: lambda *_, **__: [],
    "native": native,
    COLD_WARDEN: partial(warden, **COLD),
    HOT_WARDEN: warden,
}
PROVIDERS, RULES, KEYS, WORKERS = (1, 5, 20, 50), (1, 10, 100, 1000), (1, 16, 64, 256), (1, 2, 4)
CLAIMS = (300, 700, 1450, 2950, 5950, 8950)  # tokens of 0.5, 1, 2, 4, 8 and 12 KB


@dataclass(frozen=True)
class Point:
    """One value of what grows."""

    dimension: str
    value: int
    pool: Pool
    providers: tuple
    rules: tuple = ()

    @property
    def name(self):
        """The listener's and the case's name."""
        return f"{self.dimension}: {self.value}"


def run(folder, about):
    """Measures everything, and writes growth.md and growth.json."""
    points = _points()
    proxies = {kind: {point.name: _filters(kind, point) for point in points} for kind in FILTERS}
    results = _measure(proxies, points, about)
    for workers in WORKERS:
        point = Point("workers", workers, pool("RS256"), (provider(pool("RS256").jwk),))
        only = {kind: {point.name: _filters(kind, point)} for kind in FILTERS}
        results += _measure(only, [point], about, workers=workers)
    big = bodies.measure(about["seconds"])
    folder.mkdir(parents=True, exist_ok=True)
    document = {**about, "growth": results, "bodies": [asdict(line) for line in big]}
    (folder / "growth.json").write_text(json.dumps(document, indent=1) + "\n")
    text = "\n".join([report.describe(about), "", *_table(results), "", *bodies.table(big), ""])
    (folder / "growth.md").write_text(text)
    print(text)
    return 0


def _points():
    rsa, short = pool("RS256"), pool("ES256")
    key = provider(rsa.jwk)
    listed = [Point("providers, any of them", n, rsa, tuple(crowd(n, key, short.jwk))) for n in PROVIDERS]
    listed += [Point("rules, the last one fits", n, rsa, (key,), tuple(make_rules(n))) for n in RULES]
    fillers = [generate("ES256", f"filler-{index}").jwk() for index in range(max(KEYS) - 1)]
    listed += [Point("keys in the set", n, rsa, (provider(*fillers[: n - 1], rsa.jwk),)) for n in KEYS]
    # HS256, since it leaves most room for claims, and its cost hides least.
    sizes = [pool("HS256", claims, count=5000) for claims in CLAIMS]
    return listed + [
        Point("token bytes (HS256)", tokens.token_bytes, tokens, (provider(tokens.jwk),)) for tokens in sizes
    ]


def _filters(kind, point):
    options = {"rules": list(point.rules)} if point.rules else {}
    return FILTERS[kind](*point.providers, **options)


def _measure(proxies, points, about, **options):
    """One line per point: what each filter adds, and the memory of its Envoy."""
    stack, running = rounds.start(proxies, **options)
    with stack:
        hot = {HOT_WARDEN: HOT}
        cases = [
            Case(point.name, kind, point.name, point.pool, hot.get(kind, 1 << 30))
            for point in points
            for kind in FILTERS
        ]
        series = iter(rounds.measure(cases, running, about["rounds"], about["seconds"], _tell))
        resident = {kind: process.resident_bytes() for kind, process in running.items()}
    lines = []
    for point in points:
        by_kind = {kind: next(series) for kind in FILTERS}
        added = {kind: median(taken.added(by_kind[NO_FILTER])) for kind, taken in by_kind.items()}
        lines.append({"dimension": point.dimension, "value": point.value, "added": added, "memory_bytes": resident})
    return lines


def _table(results):
    lines = ["| what grows | to | native adds us | jwt-warden, cache off | hot |", "|---|---:|---:|---:|---:|"]
    for line in results:
        figures = " | ".join(f"{line['added'][kind]:.1f}" for kind in ("native", COLD_WARDEN, HOT_WARDEN))
        lines.append(f"| {line['dimension']} | {line['value']} | {figures} |")
    lines += ["", "| workers | no filter MiB | native | jwt-warden |", "|---:|---:|---:|---:|"]
    for line in results:
        if line["dimension"] == "workers":
            sizes = (f"{line['memory_bytes'][kind] / 2**20:.0f}" for kind in (NO_FILTER, "native", HOT_WARDEN))
            lines.append(f"| {line['value']} | {' | '.join(sizes)} |")
    return lines


def _tell(progress):
    print(f"bench-growth: {progress}", file=sys.stderr, flush=True)
