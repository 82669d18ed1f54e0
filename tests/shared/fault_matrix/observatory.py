"""Prometheus and Alertmanager on compose's own files, for several jobs at once, at the pace of the run."""

import json
import shutil
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

from alluse.stack import Stack
from manometer.mixin import render
from manometer.mixin.slo.file import read_services
from manometer.mixin.thresholds import parse
from waiting import DEADLINE

__all__ = ["Observatory"]

_SERVICES = Path(__file__).with_name("services")
SCRAPED_EVERY = 10  # seconds of production


class Observatory:
    """root: the repository. jobs: addresses by job. thresholds: over those of ALL-USE, as in YAML."""

    def __init__(self, root, folder, jobs, pager, pace, thresholds):
        self._write(root, folder, jobs, pace, thresholds)
        self._stack = Stack(folder, engine="", inbox=pager.address)
        self.close = self._stack.close

    def query(self, promql):
        """The series of an expression: their labels."""
        return [each["metric"] for each in self.ask("query", query=promql)["result"]]

    def ask(self, path, **parameters):
        """The data of an answer of Prometheus's API."""
        url = f"{self._stack.prometheus_url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return json.load(answer)["data"]

    def _write(self, root, folder, jobs, pace, thresholds):
        for name in ("compose.yaml", "prometheus/prometheus.yml", "alertmanager/alertmanager.yml"):
            (folder / "compose" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / "compose" / name, folder / "compose" / name)
        self._edit(folder / "compose/prometheus/prometheus.yml", lambda config: _scraping(config, jobs, pace))
        self._edit(
            folder / "compose/alertmanager/alertmanager.yml",
            lambda config: {**config, "route": pace.route(config["route"])},
        )
        of_alluse = yaml.safe_load((root / "compose/mixin.yaml").read_text())
        config = parse(_merged(of_alluse, thresholds, pace.thresholds()))
        promises = [each for each in read_services(sorted(_SERVICES.glob("*.yaml"))) if each.name in jobs]
        rules = {
            name: text
            for name, text in render.files(config, services=promises).items()
            if name.startswith("alert_rules/")
        }
        (place := folder / "compose/prometheus/rules").mkdir()
        for name, text in rules.items():
            path = place / Path(name).name
            path.write_text(text)
            self._edit(path, pace.rules)

    def _edit(self, path, change):
        path.write_text(yaml.safe_dump(change(yaml.safe_load(path.read_text())), sort_keys=False))


def _merged(*parts):
    """The thresholds of all parts together."""
    merged = {}
    for part in parts:
        for name, values in part.items():
            merged[name] = {**merged.get(name, {}), **values}
    return merged


def _scraping(config, jobs, pace):
    every = f"{max(1000, round(1000 * pace.seconds(SCRAPED_EVERY)))}ms"
    # What the checks say of the machine is no fault of a program on it.
    of_host = {
        "source_labels": ["__name__", "health_check_name"],
        "regex": "health_check_up;(cpu|disk|memory)",
        "action": "drop",
    }
    scrapes = [
        {"job_name": job, "static_configs": [{"targets": [address]}], "metric_relabel_configs": [of_host]}
        for job, address in jobs.items()
    ]
    times = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    return {**config, "global": times, "scrape_configs": scrapes}
