"""The tables of the documentation, as Markdown: metrics and whose names they have, what the mixin has of them."""

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass

from manometer.catalogue import SUBJECTS, MetricSpec, label
from manometer.mixin import advice, dashboards, rules
from manometer.mixin.measures import MEASURES
from manometer.mixin.rules.analytics.signals import signals
from manometer.mixin.rules.precedence import PRECEDENCE
from manometer.mixin.thresholds import Thresholds

__all__ = [
    "advice_table",
    "alerts_table",
    "conventions_table",
    "dashboards_table",
    "measures_table",
    "metrics_table",
    "panels_table",
    "precedence_table",
    "signals_table",
    "thresholds_table",
]

_SIGNAL_UNITS = {"s": "seconds", "decbytes": "bytes", "percentunit": "ratio", "ops": "a second"}
_UNITS = {"s": "seconds", "By": "bytes", "1": "ratio"}


def metrics_table() -> str:
    """Every metric of the catalogue, a table a subject."""
    return "\n\n".join(f"### {subject}\n\n{_metrics(rows)}" for subject, rows in SUBJECTS.items())


def conventions_table() -> str:
    """Every metric whose name is a convention's, with the convention and its version."""
    rows = [row for rows in SUBJECTS.values() for row in rows if row.convention is not None]
    return _table(
        ("OpenTelemetry name", "attributes", "Prometheus name", "convention"),
        (
            (
                f"`{row.name}`",
                ", ".join(f"`{attribute}`" for attribute in row.attributes),
                f"`{row.prometheus_name}`",
                row.convention.value if row.convention else "",
            )
            for row in rows
        ),
    )


def alerts_table(runbooks: str = "docs/runbooks") -> str:
    """Every alert as the defaults render it, subject by subject. runbooks: where they are, from the page's place."""
    return _table(
        ("alert", "severity", "fires when", "runbook"),
        (
            (f"`{alert.name}`", alert.severity.value, alert.fires, f"[{alert.name}]({runbooks}/{alert.name}.md)")
            for alert in rules.alerts(Thresholds())
        ),
    )


def _those(alerts: Iterable[str], which: str) -> str:
    return ", ".join(f"`{name}`" for name in alerts) + which


def precedence_table() -> str:
    """Which alerts are not raised while another fires."""
    return _table(
        ("while one of these fires", "these are not raised", "for the same"),
        (
            (
                _those(each.greater, " of a pool that is not of workers" if each.workers else ""),
                _those(each.lesser, " of workers" if each.workers else ""),
                ", ".join(each.of),
            )
            for each in PRECEDENCE
        ),
    )


def dashboards_table() -> str:
    """Every dashboard with what it is about."""
    made = ((name, board(Thresholds())) for name, board in dashboards.SUBJECTS.items())
    return _table(("dashboard", "what it shows"), ((f"`{name}`", board.description) for name, board in made))


def panels_table() -> str:
    """Every panel of every dashboard, by the question that it answers."""
    return _table(
        ("dashboard", "question", "panels"),
        (
            (f"`{name}`", row.title, "; ".join(panel.title for panel in row.panels))
            for name, board in dashboards.SUBJECTS.items()
            for row in board(Thresholds()).rows
        ),
    )


def signals_table() -> str:
    """Every signal of the analytics: what it tells, and the grain under which nothing about it means much."""
    return _table(
        ("signal", "what it is", "unit", "grain"),
        (
            (f"`{signal.name}`", signal.tells, _SIGNAL_UNITS.get(signal.unit, ""), f"{signal.grain:,g}")
            for signal in signals(Thresholds())
        ),
    )


def advice_table() -> str:
    """Every piece of advice at the default thresholds."""
    return _table(
        ("advice", "given when", "gain to expect", "what to change"),
        (
            (f"[{each.name}](runbooks/{each.name}.md)", each.fires, _gain(each), each.change)
            for each in advice.table(Thresholds())
        ),
    )


def measures_table() -> str:
    """Every measure that a promise may be of."""
    return _table(
        ("measure", "what it is", "unit", "`where` takes"),
        (
            (
                f"`{name}`",
                measure.help,
                _unit(measure.unit),
                ", ".join(f"`{label(each)}`" for each in measure.of),
            )
            for name, measure in MEASURES.items()
        ),
    )


def thresholds_table() -> str:
    """Every part of the configuration: what its keys mean, and their defaults as YAML."""
    config = Thresholds()
    parts = [(row.name, getattr(config, row.name)) for row in fields(config)]
    return _table(
        ("part", "what its keys mean", "defaults"),
        (
            (f"`{name}`", " ".join((inspect.getdoc(part) or "").split()), f"`{_yaml(part)}`")
            for name, part in parts
            if is_dataclass(part)
        ),
    )


def _yaml(value: object) -> str:
    """A value of the configuration, on one line."""
    if is_dataclass(value):
        return _yaml({row.name: getattr(value, row.name) for row in fields(value)})
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_yaml(each)}' for key, each in value.items())}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value) or '""'


def _gain(each: advice.Advice) -> str:
    return f"seconds {each.gain}" if each.unit == "s" else each.gain


def _metrics(rows: Iterable[MetricSpec]) -> str:
    return _table(
        ("OpenTelemetry name", "Prometheus name", "kind", "labels", "unit", "help"),
        (
            (
                f"`{row.name}`",
                f"`{row.prometheus_name}`",
                row.prometheus_type,
                _labels(row),
                _unit(row.unit),
                row.help,
            )
            for row in rows
        ),
    )


def _labels(row: MetricSpec) -> str:
    """The labels, each with its values where those are a closed set."""
    return ", ".join(
        f"{label}={'/'.join(row.values[name])}" if name in row.values else label
        for name, label in zip(row.attributes, row.labels, strict=True)
    )


def _unit(unit: str) -> str:
    return _UNITS.get(unit, unit.strip("{}"))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)
