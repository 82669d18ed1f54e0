"""How far back expressions look at each series that they read."""

import promql_parser

from manometer.mixin import rules
from manometer.mixin.thresholds import Duration, Thresholds

__all__ = ["STALE", "groups", "reaches", "seconds"]

STALE = 300
"""Seconds for which Prometheus takes the last sample of a series for its value."""


_LAST = {"manometer-score"}  # reads what all the others record


def groups():
    """The groups of every rules file; each comes behind those that it reads from."""
    found = [group for content in rules.files(Thresholds()).values() for group in content["groups"]]
    return sorted(found, key=lambda group: group["name"] in _LAST)


def seconds(group):
    """How often the group is evaluated."""
    return Duration(group["interval"]).seconds


def reaches(exprs):
    """The seconds that the farthest look at each series goes back, by the series' name."""
    found = {}
    for expr in exprs:
        for name, seconds in _looks(promql_parser.parse(expr), 0):
            found[name] = max(found.get(name, 0), seconds)
    return found


def _looks(node, back):
    """Every selector within, with how far back it looks, where the expression around it looks back that far."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node.name, back + _seconds(node.offset) + STALE
    elif isinstance(node, promql_parser.MatrixSelector):
        yield from _looks(node.vector_selector, back + _seconds(node.range))
    elif isinstance(node, promql_parser.SubqueryExpr):
        yield from _looks(node.expr, back + _seconds(node.range) + _seconds(node.offset))
    else:
        inside = (getattr(node, each, None) for each in ("expr", "lhs", "rhs", "param"))
        for child in (*inside, *(getattr(node, "args", None) or ())):
            if child is not None:
                yield from _looks(child, back)


def _seconds(duration):
    return 0 if duration is None else round(duration.total_seconds())
