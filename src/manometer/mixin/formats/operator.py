"""The mixin for the Prometheus Operator: rules and scrapes as its resources, dashboards as ConfigMaps."""

import re
from collections.abc import Mapping
from pathlib import PurePath

from manometer.errors import ConfigError
from manometer.mixin import yaml
from manometer.mixin.thresholds import Thresholds

__all__ = ["files"]

_MANIFESTS = "operator"
_SCRAPES = f"{_MANIFESTS}/scrapes"
_HEADER = "# Generated, do not edit: manometer mixin --format operator\n"
_ONE_OF_BOTH = "# Apply one of the two of this folder: a pod that both find is scraped twice.\n"

_NAME = "app.kubernetes.io/name"
_PORT = "metrics"
_INTERVAL = "15s"  # the ranges of the rules hold four scrapes

_LABEL_VALUE = re.compile(r"[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?", re.ASCII)


def files(plain: Mapping[str, str], config: Thresholds) -> Mapping[str, str]:
    """A PrometheusRule for each rules file, a ConfigMap for each dashboard, a ServiceMonitor and a PodMonitor.

    Both monitors scrape the port `metrics` of what carries the label `app.kubernetes.io/name` with a job's name.
    There are none where no job is named. ConfigError where a job's name cannot be the value of a label.
    """
    made: dict[str, str] = {}
    for path, text in plain.items():
        folder, name = PurePath(path).parts[0], PurePath(path).stem.replace("_", "-")
        if folder == "alert_rules":
            made[f"{_MANIFESTS}/rules-{name}.yaml"] = _HEADER + yaml.dump(_rules(name, text))
        elif folder == "dashboards":
            made[f"{_MANIFESTS}/dashboard-{name}.yaml"] = _HEADER + yaml.dump(_dashboard(name, path, text))
        else:
            made[path] = text
    if config.jobs:
        services, pods = _monitors(config)
        made[f"{_SCRAPES}/service-monitor.yaml"] = _HEADER + _ONE_OF_BOTH + yaml.dump(services)
        made[f"{_SCRAPES}/pod-monitor.yaml"] = _HEADER + _ONE_OF_BOTH + yaml.dump(pods)
    return made


def _rules(name: str, text: str) -> dict[str, object]:
    return _resource("monitoring.coreos.com/v1", "PrometheusRule", f"manometer-{name}", spec=yaml.parse(text))


def _dashboard(name: str, path: str, text: str) -> dict[str, object]:
    """Found by the sidecar of Grafana's Helm chart, by its label."""
    found_by = {"grafana_dashboard": "1"}
    data = {PurePath(path).name: text}
    return _resource("v1", "ConfigMap", f"manometer-dashboard-{name}", found_by, data=data)


def _monitors(config: Thresholds) -> tuple[dict[str, object], dict[str, object]]:
    for job in config.jobs:
        if not _LABEL_VALUE.fullmatch(job):
            raise ConfigError(
                f"job {job!r} cannot be the value of the label {_NAME}; write your own monitor for it, "
                "and leave it out of the jobs of this format"
            )
    chosen = {"matchExpressions": [{"key": _NAME, "operator": "In", "values": list(config.jobs)}]}
    scrape = [{"port": _PORT, "interval": _INTERVAL}]
    shared: dict[str, object] = {"jobLabel": _NAME, "selector": chosen}
    api = "monitoring.coreos.com/v1"
    return (
        _resource(api, "ServiceMonitor", "manometer", spec={**shared, "endpoints": scrape}),
        _resource(api, "PodMonitor", "manometer", spec={**shared, "podMetricsEndpoints": scrape}),
    )


def _resource(
    api: str, kind: str, name: str, labels: Mapping[str, str] | None = None, **content: object
) -> dict[str, object]:
    metadata = {"name": name, "labels": {"app.kubernetes.io/part-of": "manometer", **(labels or {})}}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **content}
