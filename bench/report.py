"""The results in words and numbers: Markdown and JSON."""

import json
from dataclasses import asdict
from statistics import median, quantiles

from .cases import NO_FILTER
from .turns import SLICE

ONE_BY_ONE = "What is added is over no filter in the same round"
TURNS = (
    f"The Envoys that are compared are under load at the same time and take turns of {SLICE} s, so that in a round "
    "each is awake for about a second: what is added is over no filter in the same round, and a quotient is the median "
    "of those of the rounds. Requests per second and latency are of one round per start, in which each Envoy was "
    "driven by itself; so were, in as many rounds as there were turns, the settings and the sender constraints"
)


def write(folder, run):
    """Writes table.md and results.json, and gives the former. `run`: what `main` gathered."""
    results = [{"case": case, "proxy": proxy, **asdict(result)} for (case, proxy), result in run["results"].items()]
    document = {**run["about"], "memory_bytes": run["memory"], "claims": _judged(run), "results": results}
    parts = [claim_table(run["claims"]), _cost_table(run), run["chains"], run["sender"], _memory(run)]
    return _write(folder, "table.md", "results.json", describe(run["about"], TURNS), parts, document)


def write_settings(folder, run):
    """The same with settings.md and settings.json, about what settings cost alone."""
    samples = {name: [asdict(sample) for sample in series.samples] for name, series in run["settings"].items()}
    document = {**run["about"], "claims": _judged(run), "settings": samples}
    parts = [claim_table(run["claims"]), run["chains"]]
    compared = "What is more is over the first row in the same round"
    return _write(folder, "settings.md", "settings.json", describe(run["about"], compared), parts, document)


def _write(folder, text_name, json_name, description, parts, document):
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join([description, "", *(line for part in parts for line in [*part, ""])])
    (folder / text_name).write_text(text)
    (folder / json_name).write_text(json.dumps(document, indent=1) + "\n")
    return text


def _judged(run):
    return [{**asdict(claim), "verdict": claim.verdict} for claim in run["claims"]]


def claim_table(claims):
    """Every claim with its verdict."""
    lines = ["| claim | figures | value | at most | |", "|---|---|---:|---:|---|"]
    for claim in claims:
        value, limit = (f"{number:.2f} {claim.unit}".strip() for number in (claim.value, claim.limit))
        lines.append(f"| {claim.title} | {claim.figures} | {value} | {limit} | {claim.verdict} |")
    return lines


def describe(about, compared=ONE_BY_ONE):
    """What the figures come from."""
    return (
        f"Envoy {about['envoy']} on one core, {about['wrk']} with 32 connections on another; {about['cpu']}, "
        f"{about['cores']} cores, load average before: {about['load_before']}. Medians of "
        f"{about['starts'] * about['rounds']} interleaved rounds of {about['seconds']} s in {about['starts']} starts. "
        f"Tokens with {about['claims_bytes']} bytes of claims. CPU is Envoy's own, user and system, per request. "
        f"{compared}."
    )


def _cost_table(run):
    """Every case, with what it adds, and between which values that lies in half of the rounds."""
    lines = [
        "| case | filter | CPU us | added us | middle half | requests/s | p50 us | p99 us |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (case, proxy), result in run["results"].items():
        if proxy == "none" and case != NO_FILTER:
            continue  # their own baseline: results.json has it
        cells = [
            *(case, proxy, f"{median(result.cpu):.1f}", *spread(result.added)),
            *(f"{median(getattr(load, name) for load in result.loads):.0f}" for name in ("per_second", "p50", "p99")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def spread(values, places=1):
    """The median, and between which values half of them lie: text."""
    low, _, high = quantiles(values, n=4, method="inclusive")
    return f"{median(values):.{places}f}", f"{low:.{places}f} to {high:.{places}f}"


def comparison(title, rows):
    """Markdown: names, series, and the series that each is compared with, if any."""
    lines = [f"| {title} | CPU us | more than without | middle half |", "|---|---:|---:|---:|"]
    for name, series, beside in rows:
        more, half = spread(series.added(beside)) if beside else ("", "")
        lines.append(f"| {name} | {series.median('cpu'):.1f} | {more} | {half} |")
    return lines


def _memory(run):
    lines = ["| Envoy with | resident MiB |", "|---|---:|"]
    return lines + [f"| {name} | {size / 2**20:.0f} |" for name, size in run["memory"].items()]
