"""Every metric is called in OTLP what a receiver turns into the very name that `/metrics` has."""

import pytest
from prometheus_client import Gauge as TheirGauge
from prometheus_client import Metric

from manometer.catalogue import SUBJECTS, Kind
from manometer.meters.family import Group
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading
from manometer.otlp.metrics.names import named
from manometer.registry.catalogued import family
from manometer.registry.foreign import family_of
from otlp_translation import points, translated

_READINGS = {
    "counter": CounterReading(1.0),
    "gauge": GaugeReading(1.0),
    "histogram": HistogramReading((0, 1), 1.0),
}


@pytest.mark.parametrize("row", [row for rows in SUBJECTS.values() for row in rows], ids=lambda row: row.name)
def test_a_metric_of_the_catalogue_has_its_opentelemetry_name(row, pushed):
    """Its unit, its instrument and its attributes too; a receiver makes the scraped name and labels of them."""
    found = family(row, [(("v",) * len(row.labels), _READINGS[row.prometheus_type])])
    if row.kind is Kind.HISTOGRAM:
        (group,) = found.groups
        found = found._replace(groups=[group._replace(bounds=("1.0", "+Inf"))])
    requests = pushed([found])
    (sent,) = points(requests).values()
    assert (sent.name, sent.unit, sent.description) == (row.name, row.unit, row.help)
    data = getattr(sent, sent.WhichOneof("data"))
    assert [each.key for each in data.data_points[0].attributes] == list(row.attributes)
    if row.kind is Kind.UPDOWNCOUNTER:
        assert not data.is_monotonic
    labels = frozenset((label, "v") for label in row.labels)
    name = row.prometheus_name + ("_count" if row.kind is Kind.HISTOGRAM else "")
    assert translated(requests).values[name, labels] == 1


@pytest.mark.parametrize(
    ("kind", "name", "unit", "told", "ucum"),
    [
        ("counter", "orders", "", "orders", ""),
        ("counter", "wait_seconds", "seconds", "wait", "s"),
        ("gauge", "size_bytes", "bytes", "size", "By"),
        ("gauge", "size_bytes", "", "size_bytes", ""),
        ("gauge", "bytes", "bytes", "bytes", ""),  # nothing would be left
        ("gauge", "parcels_crates", "crates", "parcels_crates", ""),  # UCUM has none
        ("info", "build_seconds", "seconds", "build_seconds", ""),  # the unit would come behind `_info`
    ],
)
def test_a_metric_of_others_loses_the_unit_that_a_receiver_puts_back(kind, name, unit, told, ucum):
    """By the specification's pairs of units."""
    metric = Metric(name.removesuffix(f"_{unit}") if unit else name, "help", kind, unit)
    metric.name = name
    assert named(family_of(metric))[:3] == (told, ucum, None)


def test_a_metric_of_the_catalogue_s_name_and_another_kind_is_another_s(registry):
    """As one that the program has made itself."""
    TheirGauge("cache_requests", "mine", registry=registry).set(1)
    (metric,) = registry.collect()
    assert named(family_of(metric)).name == "cache_requests"


def test_a_label_that_the_catalogue_does_not_know_keeps_its_name(pushed):
    """As `pid`, by which the figures of several processes are told apart."""
    row = next(row for row in SUBJECTS["cache"] if row.attributes)
    found = family(row, [])
    labels = (*row.labels, "pid")
    reading = _READINGS[row.prometheus_type]
    found = found._replace(groups=[Group(labels, [(("v",) * len(labels), reading)], ("+Inf",))])
    (sent,) = points(pushed([found])).values()
    data = getattr(sent, sent.WhichOneof("data"))
    assert [each.key for each in data.data_points[0].attributes] == [*row.attributes, "pid"]
