"""Rendering: the text of every file that the mixin consists of, from thresholds."""

from collections.abc import Collection, Mapping
from pathlib import Path

from manometer.mixin import dashboards, rules, yaml
from manometer.mixin.formats import FORMATS
from manometer.mixin.shipped import runbooks
from manometer.mixin.slo.inhibitions import inhibitions
from manometer.mixin.slo.service import Service
from manometer.mixin.thresholds import Thresholds, file

__all__ = ["configuration", "files"]

_HEADER = "# Generated, do not edit: manometer mixin\n"


def configuration(path: Path | None) -> Thresholds:
    """The thresholds of a YAML file over the defaults, or the defaults; ConfigError names what is wrong."""
    return Thresholds() if path is None else file.read(path)


def files(config: Thresholds, form: str = "prometheus", services: Collection[Service] = ()) -> Mapping[str, str]:
    """Every file's text by its path. Raises ConfigError where an alert has no runbook.

    form: one of FORMATS. services: those whose objectives get rules, and whose dependencies get inhibitions.
    """
    pages = {Path(name).stem for name in runbooks()}
    made = {f"dashboards/{name}.json": text for name, text in dashboards.files(config).items()}
    for name, content in rules.files(config, pages, services).items():
        made[f"alert_rules/{name}.yaml"] = _HEADER + yaml.dump(content)
    if services:
        made["alertmanager/inhibit_rules.yaml"] = _HEADER + yaml.dump(
            inhibitions(services, config.dashboards.cluster_label)
        )
    return FORMATS[form](made, config)
