"""The same calls leave the same body, byte for byte, in every format and escaping that can be negotiated."""

import math
from contextlib import suppress
from unittest.mock import patch

import prometheus_client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, PlatformCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    StateSetMetricFamily,
    SummaryMetricFamily,
    UntypedMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram, Sample, Timestamp

import manometer
from manometer.exposition.text import is_plain
from manometer.meters.write_buffer import PENDING_LIMIT
from manometer.processes.merge import Merge
from manometer.processes.snapshot import Process, Snapshot, shared
from manometer.registry.collection import collect

ESCAPINGS = ("", "; escaping=underscores", "; escaping=values", "; escaping=dots", "; escaping=allow-utf-8")
OPENMETRICS_2 = "application/openmetrics-text; version=2.0.0"
FORMATS = ("text/plain; version=1.0.0", "application/openmetrics-text; version=1.0.0", OPENMETRICS_2)
ACCEPTS = (
    "",
    "text/plain; version=0.0.4; escaping=dots",
    "application/openmetrics-text",
    "application/openmetrics-text; version=0.0.1, text/plain; version=1.0.0; escaping=values; q=0.5",
    "application/openmetrics-text; version=2",
    *(kind + escaping for kind in FORMATS for escaping in ESCAPINGS),
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(
    ["", "\0", "\1", "%", "%d", "%s", "%%", "{le}", '"', "\\", "\n", '\\n"', "plain"]
)
NAMES = (
    st.sampled_from(["a", "a_b", "a:b", "_a", "x_total", "_total", "a_created", "a_sum", "a_bucket", "le", "U__a"])
    | st.sampled_from(["dotted.name", "1up", "ünder", "日本", "🙂", "50%", "%s", "{", '"', "\\", " ", "a\nb", "n\n"])
    | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
)
PARTS = st.just("") | st.sampled_from(["part", "pa.rt", "pärt", "%"])
UNITS = st.just("") | st.sampled_from(["seconds", "m/s", "total", "%"])
LABELS = st.lists(
    (st.sampled_from(["a", "z", "le", "lf", "l.e"]) | NAMES).filter(lambda name: not name.startswith("__")),
    max_size=3,
    unique=True,
)
NUMBERS = (
    st.floats()
    | st.integers(-(10**6), 10**6)
    | st.sampled_from([0, 1, -0.0, 999_999, 10**6, 123_456_789, 1e22, 1e308, 10**22, math.inf, -math.inf, math.nan])
)
EXEMPLARS = st.none() | st.dictionaries(NAMES.filter(lambda name: not name.startswith("__")), TEXT, max_size=2)
BUCKETS = st.lists(st.floats(-100, 2e6) | st.sampled_from([0.0, 1, 5, math.inf]), min_size=1, max_size=5).map(sorted)
MODES = st.sampled_from(["all", "livesum", "mostrecent"])

FAMILIES = st.tuples(
    st.sampled_from(["Counter", "Gauge", "Histogram"]), NAMES, TEXT, LABELS, PARTS, PARTS, UNITS, BUCKETS, MODES
)
WRITES = {
    "Counter": ["inc", "inc", "inc", "many", "read", "reset", "count_exceptions"],
    "Gauge": ["set", "inc", "dec", "read", "set_to_current_time", "set_function"],
    "Histogram": ["observe", "many", "read"],
}
WITH_LABELS = ["remove", "clear", "labels"]
if hasattr(prometheus_client.Counter, "remove_by_labels"):  # since 0.24
    WITH_LABELS.append("remove_by_labels")
CALLS = st.tuples(
    st.integers(0, 3), st.integers(0, 9), st.sampled_from(["", "\n", '"']) | TEXT, NUMBERS, EXEMPLARS, st.booleans()
)


class Foreign:
    """What collectors of others may bring: every kind of family, timestamps, exemplars, names of any letters."""

    def describe(self):
        return []

    def collect(self):
        gauge = GaugeMetricFamily("foreign.gauge", 'Help "\\ and\n.', labels=["l.a", "b"])
        gauge.add_metric(["x", "\n"], 1e6, timestamp=1_700_000_000.125)
        gauge.add_metric(["y", "%s"], math.nan, timestamp=Timestamp(5, 6))
        yield gauge
        counter = CounterMetricFamily("foreign_counter", "Help.", labels=["a"], unit="bytes")
        counter.add_metric(["x"], 3, created=1.5, exemplar=Exemplar({"trace.id": 'a"b'}, 2, 7.5))
        yield counter
        yield HistogramMetricFamily(
            "foreign:histogram", "Help.", buckets=[("1.0", 1, Exemplar({"t": "x"}, 0.5)), ("+Inf", 3)], sum_value=-4
        )
        yield GaugeHistogramMetricFamily("foreign_queue", "Help.", buckets=[("1.0", 2), ("+Inf", 3)], gsum_value=7)
        yield SummaryMetricFamily("foreign_summary", "Help.", count_value=2, sum_value=math.inf)
        yield InfoMetricFamily("foreign", "Help.", value={"ver.sion": "1"})
        yield StateSetMetricFamily("foreign_state", "Help.", value={"on": True, "off": False})
        yield UntypedMetricFamily("foreign untyped", "Help.", value=1)
        yield GaugeMetricFamily("foreign_empty", "Help.", labels=["a"])


class Clock:
    """A clock that only the test moves."""

    def __init__(self):
        self.now = 1_700_000_000.25

    def __call__(self):
        return self.now


class Program:
    """One run of the same calls with one of the two kits."""

    def __init__(self, kit, families):
        self.kit = kit
        self.registry = CollectorRegistry(target_info={"service": "orders"})
        self.outcomes = []
        self.registry.register(Foreign())
        PlatformCollector(self.registry)
        self.meters = []
        for at, each in enumerate(families):
            self.attempt(lambda each=each: self.meters.append((each[0], each[3], self.made(*each))))
            if at == 0:
                self.beside()

    def beside(self):
        """prometheus-client's own meters, between ours."""
        prometheus_client.Counter("theirs", "Help.", ["a.b"], registry=self.registry).labels("x").inc(3, {"t": "y"})
        prometheus_client.Summary("their.size", "Help.", registry=self.registry).observe(3)
        prometheus_client.Info("their_build", "Help.", registry=self.registry).info({"version": "1"})
        prometheus_client.Enum("their_mode", "Help.", states=["on", "off"], registry=self.registry)
        prometheus_client.Gauge("their_level", "Help.", registry=self.registry).set(math.nan)

    def made(self, kind, name, documentation, labels, namespace, subsystem, unit, buckets, mode):
        """A meter of the kit, on the registry."""
        more = {"Counter": {}, "Gauge": {"multiprocess_mode": mode}, "Histogram": {"buckets": buckets}}[kind]
        return getattr(self.kit, kind)(
            name, documentation, labels, namespace, subsystem, unit, registry=self.registry, **more
        )

    def attempt(self, call):
        """Make a call that may be refused; both kits have to refuse the same ones, in kind."""
        try:
            call()
        except (ValueError, OverflowError, RuntimeError) as error:
            self.outcomes.append(
                next(kind for kind in (ValueError, OverflowError, RuntimeError) if isinstance(error, kind))
            )
        else:
            self.outcomes.append(None)

    def call(self, meter, write, text, amount, exemplar, by_name):
        """One call on one of the meters that there are."""
        if self.meters:
            kind, names, meter = self.meters[meter % len(self.meters)]
            writes = WRITES[kind] + (WITH_LABELS if names else [])
            values = [text + str(place) for place in range(len(names))]
            labels = dict(zip(names, values, strict=True))
            write = writes[write % len(writes)]
            self.attempt(lambda: self._called(meter, write, labels, by_name, kind, amount, exemplar))

    def _called(self, meter, write, labels, by_name, *amount):
        if write == "read":  # what comes next is added to what this has settled
            list(meter.collect())
        elif write == "remove":
            meter.remove(*labels.values())
        elif write == "remove_by_labels":
            meter.remove_by_labels(dict([*labels.items()][:1]))
        elif write == "clear":
            meter.clear()
        elif labels:
            self._written(meter.labels(**labels) if by_name else meter.labels(*labels.values()), write, *amount)
        else:
            self._written(meter, write, *amount)

    def _written(self, series, write, kind, amount, exemplar):
        if write == "many":  # more than may wait to be added up
            for _ in range(PENDING_LIMIT + 9):
                series.inc() if kind == "Counter" else series.observe(amount)
        elif write == "count_exceptions":
            with suppress(KeyError), series.count_exceptions(KeyError):
                raise KeyError
        elif write == "set_function":
            value = float(amount)
            series.set_function(lambda: value)
        elif write in ("reset", "set_to_current_time"):
            getattr(series, write)()
        elif kind == "Gauge" and write != "labels":
            getattr(series, write)(amount)
        elif write != "labels":
            # prometheus-client looks at no exemplar of NaN in a histogram, and so refuses none.
            getattr(series, write)(amount, exemplar if amount == amount else None)

    def body(self, accept, registry=None):
        """What prometheus-client makes of it."""
        encode, content_type = choose_encoder(accept)
        return encode(registry or self.registry), content_type


def run(families, calls):
    """Both kits after the same calls, at the same times."""
    clock = Clock()
    programs = []
    for kit in (manometer, prometheus_client):
        clock.now = 1_700_000_000.25
        with patch("time.time", clock):
            program = Program(kit, families)
            for each in calls:
                clock.now += 1.125
                program.call(*each)
        programs.append(program)
    ours, theirs = programs
    assert ours.outcomes == theirs.outcomes
    return ours, theirs


def classic(kind, name, labels=(), unit="", buckets=(1, 5), mode="all"):
    """A family of no special parts."""
    return (kind, name, "Help.", list(labels), "", "", unit, list(buckets), mode)


@settings(max_examples=100)
@given(st.lists(FAMILIES, min_size=1, max_size=4), st.lists(CALLS, max_size=30), st.data())
def test_any_calls_leave_the_same_body(families, calls, data):
    """Whatever is called, in any format: all of it, and the part that a scraper names."""
    ours, theirs = run(families, calls)
    for accept in ACCEPTS:
        assert manometer.render(ours.registry, accept) == theirs.body(accept)
    accept = data.draw(st.sampled_from(ACCEPTS))
    assert ours.body(accept) == theirs.body(accept)
    family = data.draw(st.sampled_from([each for each in theirs.registry.collect() if each.samples]))
    names = {sample.name for sample in family.samples[::2]}
    restricted = theirs.registry.restricted_registry(names)
    assert manometer.render(ours.registry, accept, names) == theirs.body(accept, restricted)


def test_large_numbers_are_written_as_go_does():
    """From a million on, a count has an exponent, as other numbers have."""
    ours, theirs = run([classic("Histogram", "many"), classic("Counter", "c"), classic("Gauge", "g", ["a"])], [])
    for program in (ours, theirs):
        (_, _, many), (_, _, counter), (_, _, gauge) = program.meters
        for _ in range(1_000_001):
            many.observe(1.5)
        counter.inc(1_234_567)
        counter.inc(1e22)
        gauge.labels("x").set(-1e9)
    for accept in ACCEPTS:
        assert b" 1.000001e+06\n" in manometer.render(ours.registry, accept)[0]
        assert manometer.render(ours.registry, accept) == theirs.body(accept)


def _with_native(registry):
    """Native histograms of ours and of others, with what either may hold."""
    ours = manometer.Histogram("na.tive", "Help.", ["a.b"], registry=registry, native_schema=3, buckets=(1, 5))
    for amount in (0, 0.3, 1, -7.5, 1e9, math.inf, math.nan):
        ours.labels("x").observe(amount, {"trace_id": 'a"b'})
    ours.labels("idle")
    found = NativeHistogram(4, 10.5, 2, 0.001, 1, [BucketSpan(0, 2)], [BucketSpan(1, 1)], [2, -1], [1], None)
    family = HistogramMetricFamily("others", "Help.")
    family.samples.append(Sample("others", {"a": "b"}, 0.0, None, None, found))
    Fixed(family, registry)


class Fixed:
    """A collector of one family."""

    def __init__(self, family, registry):
        self.family = family
        registry.register(self)

    def collect(self):
        return [self.family]


@pytest.mark.parametrize(
    "accept", [accept for accept in ACCEPTS if choose_encoder(accept)[1].startswith("application")]
)
def test_native_histograms_are_written_the_same(accept):
    """From OpenMetrics 2.0 on; below, they are left out."""
    registry = CollectorRegistry()
    _with_native(registry)
    encode, content_type = choose_encoder(accept)
    body = encode(registry)
    assert manometer.render(registry, accept) == (body, content_type)
    assert (b"zero_threshold" in body) == accept.startswith(OPENMETRICS_2)


@pytest.mark.parametrize("accept", [each for each in ACCEPTS if "openmetrics" not in choose_encoder(each)[1]])
def test_text_has_no_native_histograms(accept):
    """prometheus-client writes each as a series of zeros, which we do not."""
    registry = CollectorRegistry()
    _with_native(registry)
    encode, content_type = choose_encoder(accept)
    left = [line for line in encode(registry).splitlines(True) if not line.startswith((b"others{", b"na_tive{"))]
    native = (b'"na.tive",', b"na_dot_tive{", b"U__na_2e_tive{")
    left = [line for line in left if not line.lstrip(b"{").startswith(native)]
    assert manometer.render(registry, accept) == (b"".join(left), content_type)


@pytest.mark.parametrize("accept", ACCEPTS)
def test_what_a_collector_made_of_our_samples_is_what_is_plain(accept):
    """One that adds a label to those of our meters, in place or in a list of its own; and a child shown alone."""
    meters = [
        kind("inner", "Help.", ["a"], registry=None)
        for kind in (manometer.Counter, manometer.Gauge, manometer.Histogram)
    ]

    class Labelling:
        def collect(self):
            for at, meter in enumerate(meters):
                meter.labels("x")
                for family in meter.collect():
                    added = [each._replace(labels={**each.labels, "more": "y"}) for each in family.samples]
                    if at:
                        family.samples = added
                    else:
                        family.samples[:] = added
                    yield family

    registry = CollectorRegistry()
    registry.register(Labelling())
    for kind in (manometer.Counter, manometer.Gauge, manometer.Histogram):
        registry.register(kind(f"alone_{kind.kind}", "Help.", ["a"], registry=None).labels("x"))
    encode, content_type = choose_encoder(accept)
    assert manometer.render(registry, accept) == (encode(registry), content_type)


@pytest.mark.parametrize("accept", ACCEPTS)
def test_what_several_processes_come_to_is_plain_the_same(accept):
    """From the sums of readings, which are of meters of ours, of others, and of histograms with other buckets."""
    totals = Merge()
    for pid, buckets in ((1, (1, 5)), (2, (1, 5)), (3, (-2, 2))):
        registry = CollectorRegistry()
        program = Program.__new__(Program)
        program.registry = registry
        program.beside()
        manometer.Counter("c", "Help.", ["z", "a.b"], registry=registry).labels("%s", '"').inc(0.1, {"t": "x"})
        manometer.Gauge("by_pid", "Help.", ["z"], registry=registry).labels("x").set(pid)
        histogram = manometer.Histogram("h", "Help.", ["z", "a"], registry=registry, buckets=buckets)
        for amount in (0.5, 1.5, 1e7):
            histogram.labels("x", "\n").observe(amount, {"t": "x"})
        prometheus_client.Histogram("their_time", "Help.", registry=registry).observe(0.3)
        broken = HistogramMetricFamily("broken", "Help.", buckets=[("1.0", 1.5), ("+Inf", 3)], sum_value=4)
        Fixed(broken, registry)
        families = [shared(found, "all" if found.name == "by_pid" else "sum", 1.0) for found in collect(registry)]
        totals.add(Snapshot(Process(pid), families))
    registry = CollectorRegistry()
    Several(totals, registry)
    encode, content_type = choose_encoder(accept)
    assert {each.name for each in totals.metrics() if is_plain(each.family)} >= {"c", "by_pid", "h", "their_time"}
    assert manometer.render(registry, accept) == (encode(registry), content_type)


class Several:
    """A collector of what several processes come to."""

    def __init__(self, totals, registry):
        self.collect = totals.metrics
        registry.register(self)
