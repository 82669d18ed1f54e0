"""The rules of catalogue rows, and the names that Prometheus gives them."""

import pytest

from manometer.catalogue import SUBJECTS, Kind, MetricSpec, spec
from manometer.errors import MetricError

ALL = [row for rows in SUBJECTS.values() for row in rows]


@pytest.mark.parametrize(
    ("name", "kind", "unit", "expected"),
    [
        ("cache.requests", Kind.COUNTER, "{request}", "cache_requests_total"),
        ("system.cpu.time", Kind.COUNTER, "s", "system_cpu_time_seconds_total"),
        ("system.memory.usage", Kind.GAUGE, "By", "system_memory_usage_bytes"),
        ("cache.hit", Kind.GAUGE, "1", "cache_hit_ratio"),
        ("pool.pending_requests", Kind.GAUGE, "{request}", "pool_pending_requests"),
    ],
)
def test_the_prometheus_name_follows_the_otlp_rules(name, kind, unit, expected):
    """Dots, units and totals turn out as OpenTelemetry's specification says."""
    assert MetricSpec(name=name, kind=kind, unit=unit, help="h").prometheus_name == expected


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"name": "Cache.Requests"}, "lower case"),
        ({"unit": "seconds"}, "unit 'seconds'"),
        ({"labels": ("le",)}, "label 'le'"),
        ({"values": {"x": ("a",)}}, "not one of its labels"),
        ({"buckets": (1.0,)}, "histograms have buckets"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(changes, part):
    """A wrong row fails where it is written, with its name."""
    row = {"name": "a.b", "kind": Kind.COUNTER, "unit": "s", "help": "h"} | changes
    with pytest.raises(MetricError, match=part):
        MetricSpec(**row)


def test_names_are_unique():
    """No two rows share a name in either system."""
    assert len({row.name for row in ALL}) == len({row.prometheus_name for row in ALL}) == len(ALL)


def test_a_row_is_found_by_either_name():
    """The catalogue answers to the OpenTelemetry and to the Prometheus name."""
    assert spec("cache.requests") is spec("cache_requests_total")


@pytest.mark.parametrize("row", ALL, ids=lambda row: row.name)
def test_help_is_one_sentence(row):
    """Help is documentation: it starts with a capital or a figure and ends with a full stop."""
    assert row.help.endswith(".")
    assert row.help[0].isupper() or row.help[0].isdigit()
