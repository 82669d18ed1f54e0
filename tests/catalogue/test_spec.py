"""The rules of catalogue rows, and the names that Prometheus gives them."""

import pytest

from manometer.catalogue import SUBJECTS, Kind, MetricSpec, label, spec
from manometer.catalogue.spec import Across
from manometer.errors import MetricError

NO_ATTRIBUTE = ", which is not dotted lower case, or is 'le'; write it as 'cache.name'"
ALL = [row for rows in SUBJECTS.values() for row in rows]


@pytest.mark.parametrize(
    ("name", "kind", "unit", "expected"),
    [
        ("cache.requests", Kind.COUNTER, "{request}", "cache_requests_total"),
        ("system.cpu.time", Kind.COUNTER, "s", "system_cpu_time_seconds_total"),
        ("system.memory.usage", Kind.GAUGE, "By", "system_memory_usage_bytes"),
        ("cache.hit", Kind.GAUGE, "1", "cache_hit_ratio"),
        ("cache.hits", Kind.COUNTER, "1", "cache_hits_total"),
        ("pool.weight", Kind.UPDOWNCOUNTER, "1", "pool_weight"),
        ("pool.pending_requests", Kind.GAUGE, "{request}", "pool_pending_requests"),
        ("uptime.seconds", Kind.GAUGE, "s", "uptime_seconds"),
    ],
)
def test_the_prometheus_name_follows_the_otlp_rules(name, kind, unit, expected):
    """Dots, units and totals turn out as OpenTelemetry's specification says; a family's name lacks its total."""
    row = MetricSpec(name=name, kind=kind, unit=unit, help="h")
    assert row.prometheus_name == expected
    assert row.family_name + ("_total" if kind is Kind.COUNTER else "") == expected


@pytest.mark.parametrize(
    ("kind", "across", "mode"),
    [
        (Kind.COUNTER, Across.SUM, "sum"),
        (Kind.COUNTER, Across.LAST, "livemostrecent"),
        (Kind.GAUGE, Across.SUM, "livesum"),
        (Kind.COUNTER, Across.EACH, "liveall"),
        (Kind.GAUGE, Across.MIN, "livemin"),
    ],
)
def test_a_sum_of_events_outlasts_its_process_and_a_state_does_not(kind, across, mode):
    """In prometheus-client's words for what several processes make together."""
    assert MetricSpec(name="a", kind=kind, unit="s", help="h", across=across).multiprocess_mode == mode


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": "A.B"}, " name 'A.B' is not dotted lower case; write it as 'cache.requests'"),
        ({"unit": "ms"}, " 'a.b' has unit 'ms'; use s, By, 1 or an annotation like '{request}'"),
        ({"unit": "{a b}"}, " 'a.b' has unit '{a b}'; use s, By, 1 or an annotation like '{request}'"),
        ({"attributes": ("le",)}, f" 'a.b' has attribute 'le'{NO_ATTRIBUTE}"),
        ({"attributes": ("a", "b.C")}, f" 'a.b' has attribute 'b.C'{NO_ATTRIBUTE}"),
        ({"attributes": ("a.b_c", "a.b.c")}, " 'a.b' has attributes whose labels are the same: a_b_c, a_b_c"),
        ({"values": {"x": ("a",)}}, " 'a.b' says something of 'x', which is not one of its attributes"),
        ({"optional": ("x",)}, " 'a.b' says something of 'x', which is not one of its attributes"),
        ({"buckets": (1.0,)}, " 'a.b': histograms have buckets, and nothing else has"),
        ({"kind": Kind.HISTOGRAM}, " 'a.b': histograms have buckets, and nothing else has"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(changes, reason):
    """A wrong row fails where it is written, with its name."""
    row = {"name": "a.b", "kind": Kind.COUNTER, "unit": "s", "help": "h"} | changes
    with pytest.raises(MetricError) as refused:
        MetricSpec(**row)
    assert str(refused.value) == f"metric{reason}"


def test_a_label_is_its_attribute_with_underscores():
    """In the order of the attributes."""
    row = MetricSpec(name="a", kind=Kind.COUNTER, unit="s", help="h", attributes=("cache.request.type", "cache.name"))
    assert row.labels == ("cache_request_type", "cache_name")
    assert label("error.type") == "error_type"


def test_a_sum_that_may_fall_is_a_gauge_to_prometheus():
    """Each other instrument has the same name there."""
    types = {kind: MetricSpec("a", kind, "s", "h", buckets=_buckets(kind)).prometheus_type for kind in Kind}
    assert types.pop(Kind.UPDOWNCOUNTER) == "gauge"
    assert all(kind.value == told for kind, told in types.items())


def _buckets(kind):
    return (1.0,) if kind is Kind.HISTOGRAM else ()


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
