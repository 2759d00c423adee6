"""What came of a soak: JSON, and a short table."""

import json
import re

from .tokens import USER_HEADER


def document(run):
    """Everything, for programs."""
    tally, memory, events = run.tally, run.memory, run.events
    return {
        **run.about,
        "requests": tally.answers.total() + tally.graced.total() + run.probed.answers.total(),
        "false_verdicts": run.false_verdicts(),
        "samples_of_false_verdicts": [*tally.samples, *run.probed.samples, *events.wrong],
        # What every token, and every JSON in base64url, begins with.
        "tokens_in_log": len(re.findall(r"eyJ[\w-]{8}", run.log)),
        "answers": _by_kind(tally.answers),
        "answers_while_it_changed": _by_kind(tally.graced),
        "sent_again": tally.sent_again,
        "latency_us": {name: _latency(run.probed.latencies, name) for name in sorted(run.probed.latencies.buckets)},
        "memory_kib": {
            "without_filter": run.bare,
            "median": memory.median(),
            "per_worker": run.per_worker(),
            "growth": memory.growth(),
            "growth_allowed": run.allowed_growth,
            "samples": memory.samples,
        },
        "events": dict(sorted(events.count.items())),
        "log": events.log,
    }


def table(result):
    """The short form, in Markdown."""
    memory = result["memory_kib"]
    rows = [
        ("requests", f"{result['requests']:,}"),
        ("requests per second", f"{result['requests'] / result['seconds']:,.0f}"),
        ("false verdicts", result["false_verdicts"]),
        ("tokens in the log", result["tokens_in_log"]),
        ("requests while what is right changed", f"{_total(result['answers_while_it_changed']):,}"),
        *((f"latency of {name} tokens, p50 / p99", f"{p50:,} / {p99:,} us") for name, (p50, p99) in _latencies(result)),
        ("memory of the proxy, median after the warm-up", f"{memory['median']:,} KiB"),
        ("of that the filter's, all in all, per worker", f"{memory['per_worker']:,} KiB"),
        ("growth from the first to the last quarter", f"{memory['growth']:,} KiB of {memory['growth_allowed']:,}"),
    ]
    rows += [(f"event: {name}", number) for name, number in result["events"].items()]
    lines = [_about(result), "", "| figure | value |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows)]
    kinds = ["", "| requests | answers | while it changed |", "|---|---|---|"]
    for kind in sorted({*result["answers"], *result["answers_while_it_changed"]}):
        told = (result[each].get(kind, {}) for each in ("answers", "answers_while_it_changed"))
        kinds.append(f"| {kind} | {' | '.join(map(_statuses, told))} |")
    return "\n".join([*lines, *kinds, ""])


def write(folder, result):
    """Writes both into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(result) + "\n")
    (folder / "table.md").write_text(table(result))


def _about(result):
    return (
        f"Envoy {result['envoy']} with {result['workers']} workers and everything else on {result['cores']} cores "
        f"({result['cpu']}), {result['seconds']} s; load average before: {result['load_before']}. Each answer's status "
        f"and `{USER_HEADER}` were held against what was right."
    )


def _by_kind(counter):
    kinds = {}
    for (kind, status), number in sorted(counter.items(), key=str):
        kinds.setdefault(kind, {})[str(status)] = number
    return kinds


def _statuses(numbers):
    return ", ".join(f"{status}: {number:,}" for status, number in numbers.items())


def _total(kinds):
    return sum(number for numbers in kinds.values() for number in numbers.values())


def _latency(latencies, name):
    return {share: latencies.quantile(name, number) for share, number in (("p50", 0.5), ("p99", 0.99))}


def _latencies(result):
    return [(name, each.values()) for name, each in result["latency_us"].items()]
