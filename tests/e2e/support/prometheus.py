"""A real Prometheus that scrapes an Envoy, promtool, and what envoy/ has for both."""

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import yaml

from lab import processes

from .envoy import ROOT
from .services import free_port
from .wait import until

SHIPPED = ROOT / "envoy/prometheus"


def stats_config():
    """envoy/stats.yaml's part of the bootstrap."""
    return yaml.safe_load((ROOT / "envoy/stats.yaml").read_text())["stats_config"]


def rules():
    """The rules of envoy/prometheus/alerts.yaml, in its order."""
    return [
        rule for group in yaml.safe_load((SHIPPED / "alerts.yaml").read_text())["groups"] for rule in group["rules"]
    ]


def panels():
    """The panels of the dashboard, rows aside."""
    dashboard = json.loads((ROOT / "envoy/grafana/dashboard.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def concrete(expression, interval, provider=".*"):
    """A dashboard's expression as Grafana sends it."""
    return expression.replace("$__rate_interval", interval).replace("$provider", provider)


def promtool(*arguments, text=None):
    """Runs promtool: the exit code, and what it printed."""
    command = [_program("promtool"), *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Prometheus:
    """Scrapes the address every second. `held`: how long an alert's condition has to hold, not its `for`."""

    def __init__(self, folder, address, held="2s"):
        self.port = free_port()
        self._folder = folder
        (folder / "alerts.yaml").write_text(yaml.safe_dump(_hastened(held)))
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(address)))
        options = [f"--web.listen-address=127.0.0.1:{self.port}", f"--storage.tsdb.path={folder / 'data'}"]
        command = [_program("prometheus"), f"--config.file={folder / 'prometheus.yaml'}", *options]
        with open(folder / "prometheus.log", "w") as log:
            self._process = processes.spawn(command, stdout=log, stderr=subprocess.STDOUT)
        until(self._is_ready)

    def stop(self):
        """Kills it."""
        processes.stop(self._process)

    def query(self, expression):
        """The samples that the expression has now: labels and value."""
        result = self._get("query", query=expression)["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def query_range(self, expression, start, end, step=1):
        """The expression's series: labels, and pairs of time and value."""
        result = self._get("query_range", query=expression, start=start, end=end, step=step)["result"]
        return [(one["metric"], [(time, float(value)) for time, value in one["values"]]) for one in result]

    def label_values(self, label, metric):
        """The values that the label has in the metric, sorted."""
        return sorted(self._get(f"label/{label}/values", **{"match[]": metric}))

    def firing(self):
        """The alerts that fire: name and provider, sorted."""
        alerts = [alert for alert in self._get("alerts")["alerts"] if alert["state"] == "firing"]
        return sorted((alert["labels"]["alertname"], alert["labels"].get("provider", "")) for alert in alerts)

    def _get(self, what, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def _is_ready(self):
        if self._process.poll() is not None:
            raise RuntimeError((self._folder / "prometheus.log").read_text())
        try:
            return self.query("up == 1")
        except (AssertionError, OSError):  # not yet
            return False


def _configuration(address):
    """The scrape configuration that is shipped, in a hurry."""
    shipped = yaml.safe_load((SHIPPED / "prometheus.yaml").read_text())
    [job] = shipped["scrape_configs"]
    job["static_configs"] = [{"targets": [address]}]
    return {**shipped, "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}}


def _hastened(held):
    """The alerts that are shipped, but for how long their conditions have to hold."""
    given = yaml.safe_load((SHIPPED / "alerts.yaml").read_text())
    for rule in (rule for group in given["groups"] for rule in group["rules"] if "for" in rule):
        rule["for"] = held
    return given


def _program(name):
    folder = os.environ.get("PROMETHEUS") or subprocess.check_output([ROOT / "tools/prometheus"], text=True).strip()
    return f"{folder}/{name}"
