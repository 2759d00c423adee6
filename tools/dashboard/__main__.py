"""`make dashboard` draws docs/dashboard.svg."""

import tempfile
from pathlib import Path

from support.prometheus import concrete, panels

from . import drawing, scenario

PICTURE = Path(__file__).parents[2] / "docs/dashboard.svg"
# What `$__rate_interval` is: a few scrapes.
INTERVAL = "4s"
SHOWN = (
    "Verdicts",
    "Refusals by reason",
    "Time to verify a token",
    "Tokens remembered",
    "Time until the keys serve no longer",
    "Fetches",
    "Keys in the set",
    "Requests that wait",
    "How long they waited",
    "Failed attempts, and clients turned away",
)


def main():
    """Plays the scenario, asks Prometheus what the dashboard would ask, and draws the answers."""
    by_title = {panel["title"]: panel for panel in panels()}
    with tempfile.TemporaryDirectory() as folder, scenario.played(Path(folder)) as (prometheus, begun):
        drawn = [(by_title[title], list(_series(prometheus, by_title[title], begun))) for title in SHOWN]
    PICTURE.write_text(drawing.draw(drawn, scenario.PHASES, scenario.SECONDS))
    print(f"drawn: {PICTURE}")


def _series(prometheus, panel, begun):
    """The panel's lines: each a name, and pairs of seconds since the beginning and value."""
    for target in panel["targets"]:
        expression = concrete(target["expr"], INTERVAL)
        for labels, values in prometheus.query_range(expression, begun, begun + scenario.SECONDS):
            yield _named(target["legendFormat"], labels), [(time - begun, value) for time, value in values]


def _named(legend, labels):
    """The legend as Grafana fills it in."""
    for name in ("verdict", "reason", "provider", "result", "plugin", "kind", "list"):
        legend = legend.replace(f"{{{{{name}}}}}", labels.get(name, ""))
    return legend or "none"


main()
