"""What is written from the readings of a meter is what prometheus-client writes of the samples."""

import math
from itertools import combinations

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeHistogramMetricFamily, HistogramMetricFamily, UntypedMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import Exemplar, Sample

from manometer import Counter, Gauge, Histogram, render
from manometer.exposition import render as rendering
from manometer.exposition.text import write
from manometer.exposition.text_form import Form
from manometer.meters.family import Group
from manometer.meters.metric_view import MetricView
from manometer.meters.readings import GaugeReading
from manometer.processes import Worker, group_registry
from manometer.registry.foreign import family_of

OPENMETRICS = Form(is_openmetrics=True, escaping="underscores", natives=False)
TEXT = Form(is_openmetrics=False, escaping="underscores", natives=False)
NATIVE = Form(is_openmetrics=True, escaping="underscores", natives=True)
ACCEPTS = {
    NATIVE: "application/openmetrics-text; version=2.0.0",
    OPENMETRICS: "application/openmetrics-text; version=1.0.0",
    TEXT: "",
}


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


def _of_every_kind():
    """Families whose series are no whole counter, gauge or histogram, and of those that are."""
    registry = CollectorRegistry()
    prometheus_client.Summary("size", 'Help "\\ and\n.', ["z", "a"], registry=registry).labels("%s", '"').observe(3)
    prometheus_client.Info("build", "Help.", registry=registry).info({"ver.sion": "1"})
    prometheus_client.Enum("mode", "Help.", ["l"], states=["on", "off"], registry=registry).labels("x")
    yield from map(family_of, registry.collect())
    yield family_of(UntypedMetricFamily("odd name", "Help.", value=math.nan))
    exemplar = Exemplar({"t": '"'}, 0.5, 1.5)
    buckets = [("1.0", 2, exemplar), ("+Inf", 3_000_000)]
    queue = GaugeHistogramMetricFamily("queue", "Help.", labels=["z"], unit="bytes")
    for label in "ba":
        queue.add_metric([label], [("1.0", 2), ("+Inf", 3_000_000)], gsum_value=-7)
        queue.samples.append(Sample("queue_bytes_created", {"z": label}, 1.5))
    queue.samples = [each._replace(exemplar=exemplar) if "le" in each.labels else each for each in queue.samples]
    del queue.samples[1]  # of the bucket that holds all
    yield family_of(queue)
    yield family_of(HistogramMetricFamily("other", "Help.", buckets=buckets, sum_value=4))
    strays = Metric("stray", "Help.", "counter", "seconds")
    strays.samples = [Sample("stray_seconds_total", {"a": "b"}, 1), Sample("stray_seconds_more", {}, 5)]
    yield family_of(strays)
    own = Histogram("own", "Help.", ["a"], registry=None, unit="seconds", buckets=(1,), native_schema=0)
    own.labels("x").observe(0.5, {"t": "x"})
    own.labels("y")
    yield own.family()
    counter = Counter("ours", "Help.", ["a"], registry=None, unit="seconds")
    counter.labels("x").inc(1, {"t": "x"})
    yield counter.family()


@pytest.mark.parametrize("form", [NATIVE, OPENMETRICS, TEXT])
@pytest.mark.parametrize("family", [*_of_every_kind()], ids=lambda family: family.name)
def test_every_kind_is_written_whole_and_in_part(form, family):
    """As prometheus-client writes it, or the samples of some names."""
    whole = MetricView(family).samples
    shown = [each for each in whole if each.native_histogram is None or form.natives]
    names = sorted({each.name for each in whole})
    for wanted in [(), *combinations(names, 1), *combinations(names, 2), names]:
        part = Metric(family.name, family.help, family.kind, "" if wanted else family.unit)
        part.samples = [each for each in shown if not wanted or each.name in wanted]
        expected = choose_encoder(ACCEPTS[form])[0](Fixed(part)).removesuffix(b"# EOF\n") if part.samples else b""
        assert b"".join(write(family, form, wanted)) == expected


@pytest.mark.parametrize("accept", ["", ACCEPTS[OPENMETRICS]])
def test_prometheus_client_writes_nothing_of_ours_or_of_several_processes(accept, tmp_path, monkeypatch):
    """Neither a part of it, nor what others measured and several processes have told."""
    registry = CollectorRegistry()
    Histogram("h", "Help.", ["l"], registry=registry).labels("x").observe(1)
    prometheus_client.Summary("size", "Help.", registry=registry).observe(3)
    prometheus_client.Info("build", "Help.", registry=registry).info({"version": "1"})
    shown = group_registry(Worker.of(registry, str(tmp_path)))

    def never(_):
        raise AssertionError("it is asked to write something")

    monkeypatch.setattr(rendering, "choose_encoder", lambda accept: (never, choose_encoder(accept)[1]))
    for part in (render(shown, accept)[0], render(shown, accept, ["size_count", "build_info", "h_count"])[0]):
        for line in (b"h_count{", b"size_count ", b"build_info{"):
            assert line in part
