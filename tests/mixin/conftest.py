"""PromQL taken apart: what an expression reads, and with which functions."""

from pathlib import Path
from types import SimpleNamespace

import promql_parser
import pytest

_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
_GRAFANA = {"$__rate_interval": "5m", "$__interval": "30s", "$__range": "1h"}


def nodes(node):
    """The expression and everything inside it."""
    if isinstance(node, str):
        for variable, value in _GRAFANA.items():
            node = node.replace(variable, value)
        node = promql_parser.parse(node)
    yield node
    for name in ("expr", "lhs", "rhs", "param", "vector_selector"):
        child = getattr(node, name, None)
        if child is not None:
            yield from nodes(child)
    for child in getattr(node, "args", None) or ():
        yield from nodes(child)


def selectors(expr):
    """Every selector: the metric's name, and the matchers by label, each with its operator."""
    return [
        (node.name, {m.name: (_OPERATORS[str(m.op)], m.value) for m in node.matchers.matchers})
        for node in nodes(expr)
        if isinstance(node, promql_parser.VectorSelector)
    ]


def aggregated(expr):
    """The labels that each outermost aggregation names as those that it keeps."""
    node = next(nodes(expr)) if isinstance(expr, str) else expr
    if isinstance(node, promql_parser.AggregateExpr):
        if node.modifier is None:
            yield []
        elif node.modifier.type == promql_parser.AggModifierType.By:
            yield node.modifier.labels
        return
    for name in ("expr", "lhs", "rhs"):
        if getattr(node, name, None) is not None:
            yield from aggregated(getattr(node, name))
    for child in getattr(node, "args", None) or ():
        yield from aggregated(child)


def matched(expr):
    """The labels that each operation of two vectors matches its sides by, or leaves out of that."""
    for node in nodes(expr):
        matching = getattr(getattr(node, "modifier", None), "matching", None)
        if matching is not None:
            yield matching.labels


def functions(expr):
    """The names of the functions that are called."""
    return {node.func.name for node in nodes(expr) if isinstance(node, promql_parser.Call)}


@pytest.fixture
def promql():
    """The functions of this file."""
    found = (nodes, selectors, functions, aggregated, matched)
    return SimpleNamespace(**{each.__name__: each for each in found})


@pytest.fixture(scope="session")
def services():
    """The services of the samples."""
    from manometer.mixin.slo.file import read_services

    return read_services(sorted((Path(__file__).parents[2] / "docs" / "samples" / "slo").glob("*.yaml")))


@pytest.fixture
def known_names(services):
    """Every name that an expression may read: the catalogue's series, the foreign ones, the recorded ones."""
    from manometer.catalogue import SUBJECTS, Kind
    from manometer.mixin import rules
    from manometer.mixin.promql import FOREIGN
    from manometer.mixin.thresholds import Thresholds

    names = set(FOREIGN)
    for row in (row for rows in SUBJECTS.values() for row in rows):
        # A native histogram is one series, by the family's name.
        parts = ("_bucket", "_sum", "_count", "") if row.kind is Kind.HISTOGRAM else ("",)
        names |= {row.prometheus_name + part for part in parts}
    for content in rules.files(Thresholds(), services=services).values():
        names |= {rule["record"] for group in content["groups"] for rule in group["rules"] if "record" in rule}
    return names
