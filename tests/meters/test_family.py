"""A family tells what was read, with samples or without."""

import pytest
from prometheus_client.samples import Sample

from manometer import Counter, Gauge, Histogram
from manometer.meters.metric_view import MetricView, size
from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading

SAMPLE = Sample("m", {"l": "put in"}, 7.0)


def meters(labels):
    """One of each kind, with two series where it has labels."""
    for kind in (Counter, Gauge, Histogram):
        meter = kind("m", "Help.", labels, registry=None)
        for value in ("x", "y") if labels else ():
            meter.labels(*[value] * len(labels))
        yield meter


def pulled(meter, labels):
    """Two series as objects told them."""
    reading = {
        "counter": CounterReading(7.0),
        "gauge": GaugeReading(7.0),
        "histogram": HistogramReading((7,) * len(meter.bound_labels), 8.0),
    }[meter.kind]
    return [(("pulled",) * len(labels), reading), (("pulled too",) * len(labels), reading)]


@pytest.mark.parametrize("labels", [[], ["l"], ["l", "m"]])
@pytest.mark.parametrize("pulls", [False, True])
def test_its_size_is_told_without_its_samples(labels, pulls):
    """And is the number of them; of a child that is read on its own, too."""
    for meter in meters(labels):
        for each in (meter, meter.labels(*"xy"[: len(labels)]) if labels else meter):
            family = each.family(pulled(meter, labels) if pulls else ())
            assert size(family) == len(MetricView(family).samples)


@pytest.mark.parametrize("pulls", [False, True])
def test_a_family_without_series_has_what_was_pulled(pulls):
    """It may be nothing."""
    meter = Gauge("m", "Help.", ["l"], registry=None)
    series = pulled(meter, ["l"]) if pulls else []
    family = meter.family(series)
    assert family.series == series
    assert [sample.labels for sample in MetricView(family).samples] == [{"l": value} for (value,), _ in series]
    assert [*family.groups[0].lasting] == []


def test_samples_that_someone_puts_in_are_those_a_view_has():
    """It is no longer a view of the family then."""
    (view,) = Gauge("m", "Help.", registry=None).collect()
    assert view.family.series == [((), GaugeReading(0.0, 0.0))]
    view.samples = [SAMPLE]
    assert (view.samples, view.family) == ([SAMPLE], None)


def test_samples_are_made_once():
    """They are whoever's who has had them, to change."""
    (view,) = Gauge("m", "Help.", registry=None).collect()
    view.samples.append(SAMPLE)
    assert [sample.value for sample in view.samples] == [0.0, 7.0]
    assert view.family is None
