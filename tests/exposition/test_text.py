"""What is written from the readings of a meter is what prometheus-client writes of the samples."""

import math

import pytest
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Exemplar

from manometer import Counter, Gauge, Histogram
from manometer.exposition.text import write
from manometer.exposition.text_form import Form
from manometer.meters.family import Group
from manometer.meters.metric_view import MetricView
from manometer.meters.readings import GaugeReading

OPENMETRICS = Form(is_openmetrics=True, escaping="underscores", natives=False)
TEXT = Form(is_openmetrics=False, escaping="underscores", natives=False)
ACCEPTS = {OPENMETRICS: "application/openmetrics-text; version=1.0.0", TEXT: ""}


class Fixed:
    """A collector of one family."""

    def __init__(self, family):
        self.family = family

    def collect(self):
        return [self.family]


def _as_read(meter, **changed):
    """The family of a meter without labels, with some of its reading changed."""
    family = meter.family()
    (group,) = family.groups
    ((values, reading),) = group.series
    return family._replace(groups=[group._replace(series=[(values, reading._replace(**changed))])])


def _written_twice(family, form):
    """The family as it is written from its readings, and as prometheus-client writes its samples."""
    written = b"".join(write(family, form))
    return written, choose_encoder(ACCEPTS[form])[0](Fixed(MetricView(family))).removesuffix(b"# EOF\n")


@pytest.mark.parametrize("form", [OPENMETRICS, TEXT])
@pytest.mark.parametrize("running", [(0, 7, 999_999), (7, 999_999, 1_000_000), (1_000_000, 1_000_001, 123_456_789)])
def test_large_counts_are_written_as_go_writes_them(form, running):
    """From a million on with an exponent, whatever the other buckets hold."""
    family = _as_read(Histogram("h", "Help.", registry=None, buckets=(1, 2)), running=running)
    written, expected = _written_twice(family, form)
    assert written == expected


@pytest.mark.parametrize("form", [OPENMETRICS, TEXT])
@pytest.mark.parametrize("value", [999_999.5, 1e6, 1e22, -1e6, math.inf, -math.inf, math.nan, 5, True])
def test_values_are_written_as_go_writes_them(form, value):
    """Large ones with an exponent, special ones by their names in Go."""
    gauge = Gauge("g", "Help.", ["a"], registry=None)
    gauge.labels("x").set(value)
    family = gauge.family()
    written, expected = _written_twice(family, form)
    assert written == expected


@pytest.mark.parametrize("form", [OPENMETRICS, TEXT])
def test_any_letters_and_labels_on_both_sides_of_le_are_written(form):
    """Quotes, backslashes, line breaks and percent signs, in the help, in labels, and in those of an exemplar."""
    histogram = Histogram("h", 'Help "\\\n%d.', ["z", "b", "y", "a"], registry=None, buckets=(1,))
    histogram.labels("%s", '"', "\\", "\n").observe(3, {"trace_id": '"\\\n%', "a": "b"})
    family = histogram.family()
    written, expected = _written_twice(family, form)
    assert written == expected
    assert b'h_bucket{a="\\n",b="\\"",le="1.0",y="\\\\",z="%s"} 0.0\n' in written


@pytest.mark.parametrize("form", [OPENMETRICS, TEXT])
def test_every_group_has_its_own_labels(form):
    """As where one collector names its labels in another order than the next, or has none."""
    gauge = Gauge("g", "Help.", ["a"], registry=None)
    gauge.labels("x").set(1)
    family = gauge.family()
    others = [
        Group(("b", "a"), [(('y"', "y"), GaugeReading(2.0))]),
        Group((), [((), GaugeReading(1e6))]),
    ]
    written, expected = _written_twice(family._replace(groups=[*family.groups, *others]), form)
    assert written == expected
    assert b'g{a="y",b="y\\""} 2.0\n' in written


@pytest.mark.parametrize("stamp", [None, 1.5])
def test_an_exemplar_may_have_no_time(stamp):
    """Nothing stands in the place of its time then."""
    exemplar = Exemplar({"trace_id": "ab"}, 2.0, stamp)
    for family in (
        _as_read(Counter("c", "Help.", registry=None), exemplar=exemplar),
        _as_read(Histogram("h", "Help.", registry=None, buckets=(1,)), exemplars={1: exemplar}),
    ):
        written, expected = _written_twice(family, OPENMETRICS)
        assert written == expected
        assert written.count(b' # {trace_id="ab"} 2.0') == 1
