"""What a program makes dashboards of its own figures with, in the manner of Manometer's: see docs/dashboards.md.

They follow the same choices of job and instance, link the same siblings, and give colours the same meaning.
"""

from pathlib import Path

from manometer.mixin.dashboards.grafana import render
from manometer.mixin.dashboards.meaning import BAD, GOOD, NOTE, PLAIN, QUIET, RED_FROM_ANY, WORRY, Steps, worst_from
from manometer.mixin.dashboards.panel import (
    COMING,
    PRESSURE,
    SINCE,
    WELL,
    Bars,
    Column,
    Dashboard,
    Graph,
    Heatmap,
    Key,
    Panel,
    Query,
    Row,
    Stat,
    Table,
    Timeline,
    Variable,
)
from manometer.mixin.dashboards.query import RATE, SHOWN, chosen, grown, highest, per_second, shown
from manometer.mixin.dashboards.targets import board
from manometer.mixin.promql import by, increase, over, rate, ratio
from manometer.mixin.render import configuration

__all__ = [
    "BAD",
    "COMING",
    "GOOD",
    "NOTE",
    "PLAIN",
    "PRESSURE",
    "QUIET",
    "RATE",
    "RED_FROM_ANY",
    "SHOWN",
    "SINCE",
    "WELL",
    "WORRY",
    "Bars",
    "Column",
    "Dashboard",
    "Graph",
    "Heatmap",
    "Key",
    "Panel",
    "Query",
    "Row",
    "Stat",
    "Steps",
    "Table",
    "Timeline",
    "Variable",
    "board",
    "by",
    "chosen",
    "grown",
    "highest",
    "increase",
    "over",
    "per_second",
    "rate",
    "ratio",
    "shown",
    "worst_from",
    "written",
]


def written(made: Dashboard, config: Path | None = None) -> str:
    """A dashboard as the JSON that Grafana reads.

    config: the file that `manometer mixin --config` is given, for the links to runbooks and what narrows the queries.
    Raises ConfigError where the file is wrong, or Grafana would not know a part of the dashboard.
    """
    return render(made, configuration(config))
