"""The protobuf exposition says what the text says, and native histograms besides."""

import math

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    StateSetMetricFamily,
    SummaryMetricFamily,
    UntypedMetricFamily,
)
from prometheus_client.samples import BucketSpan, Exemplar, NativeHistogram, Sample, Timestamp

import manometer
from manometer.exposition.protobuf import CONTENT_TYPE, choose_encoder, generate
from manometer.exposition.render import render

PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
OLD_PROMETHEUS = (  # 2.42 with its feature on
    f"{PROTOBUF},application/openmetrics-text;version=1.0.0;q=0.8,"
    "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
NEW_PROMETHEUS = (  # 3.x with native histograms on
    f"{PROTOBUF};escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
KINDS = ("counter", "gauge", "untyped", "summary", "histogram")
NUMBERS = st.floats() | st.integers(-(10**6), 10**6)


class Fixed:
    """A collector of these families."""

    def __init__(self, *families):
        self.families = families

    def collect(self):
        return self.families


def labels_of(message):
    """A message's labels."""
    return {pair.name: pair.value for pair in message.label}


def series(families):
    """What Prometheus makes of the messages: values by name and labels."""
    found = {}

    def add(name, labels, value, **more):
        key = (name, frozenset({**labels, **more}.items()))
        assert key not in found
        found[key] = repr(float(value))

    for family in families:
        for metric in family.metric:
            labels, name = labels_of(metric), family.name
            (kind,) = [
                each for each in ("counter", "gauge", "untyped", "summary", "histogram") if metric.HasField(each)
            ]
            figures = getattr(metric, kind)
            if kind in ("counter", "gauge", "untyped"):
                add(name, labels, figures.value)
                continue
            for quantile in getattr(figures, "quantile", ()):
                add(name, labels, quantile.value, quantile=quantile.quantile)
            count = getattr(figures, "sample_count_float", 0) or figures.sample_count
            buckets = getattr(figures, "bucket", ())
            for bucket in buckets:
                reached = bucket.cumulative_count_float or bucket.cumulative_count
                add(f"{name}_bucket", labels, reached, le=bucket.upper_bound)
            if kind == "histogram" and (not buckets or buckets[-1].upper_bound != math.inf):
                add(f"{name}_bucket", labels, count, le=math.inf)
            add(f"{name}_count", labels, count)
            add(f"{name}_sum", labels, figures.sample_sum)
    return found


def told(families):
    """The same of prometheus-client's samples; creation times are no series in protobuf."""
    numbers = ("le", "quantile")
    return {
        (
            sample.name,
            frozenset((name, float(value) if name in numbers else value) for name, value in sample.labels.items()),
        ): repr(float(sample.value))
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created") and sample.native_histogram is None
    }


@given(st.lists(st.tuples(TEXT, NUMBERS), max_size=20))
def test_every_kind_says_what_its_samples_say(families, events):
    """Labels of any text, values of any size: a reader ends with the series that it would have read from text."""
    registry = CollectorRegistry()
    for kit, name in ((prometheus_client, "theirs"), (manometer, "ours")):
        counter = kit.Counter(f"{name}_events", 'Help with "\\ and\n.', ["who"], registry=registry)
        gauge = kit.Gauge(f"{name}_level", "Help.", ["who"], registry=registry)
        histogram = kit.Histogram(f"{name}_size_bytes", "Help.", ["who"], registry=registry, unit="bytes")
        for who, amount in events:
            counter.labels(who).inc(abs(amount) if amount == amount else 1)
            gauge.labels(who).set(amount)
            histogram.labels(who).observe(amount)
    summary = prometheus_client.Summary("pause", "Help.", ["who"], registry=registry)
    prometheus_client.Enum("mode", "Help.", ["who"], states=["on", "off"], registry=registry).labels("x")
    for who, amount in events:
        summary.labels(who).observe(amount)
    found = families(generate(registry))
    assert series(found) == told(registry.collect())
    assert all(family.metric for family in found)


def test_kinds_names_help_and_units_are_in_their_places(families):
    """As in text: info and state sets are gauges, a gauge histogram is one, a counter is named as its series is."""
    registry = CollectorRegistry(target_info={"service": "orders"})
    prometheus_client.Counter("bytes_read", "Read.", unit="bytes", registry=registry)
    prometheus_client.Enum("mode", "Mode.", states=["on", "off"], registry=registry)
    prometheus_client.Info("build", "Build.", registry=registry).info({"version": "1"})
    registry.register(
        Fixed(
            UntypedMetricFamily("some", "Some.", value=3),
            GaugeHistogramMetricFamily("queue", "Queue.", buckets=[("1.0", 2), ("+Inf", 3)], gsum_value=7),
            GaugeMetricFamily("empty", "Empty.", labels=["a"]),
        )
    )
    assert [(f.name, f.help, f.type, f.unit) for f in families(generate(registry))] == [
        ("target_info", "Target metadata", 1, ""),
        ("bytes_read_bytes_total", "Read.", 0, "bytes"),
        ("mode", "Mode.", 1, ""),
        ("build_info", "Build.", 1, ""),
        ("some", "Some.", 3, ""),
        ("queue", "Queue.", 4, ""),
    ]
    queue = families(generate(registry))[-1].metric[0].histogram
    assert (queue.sample_count, queue.sample_sum) == (3, 7)
    assert [(b.cumulative_count, b.upper_bound) for b in queue.bucket] == [(2, 1.0)]


def test_a_histogram_s_count_is_the_one_that_is_told(families):
    """Where a collector of others leaves +Inf's bucket out, too."""
    classic, gauge = HistogramMetricFamily("h", "Help."), GaugeHistogramMetricFamily("g", "Help.")
    classic.samples += [Sample("h_bucket", {"le": "1.0"}, 2), Sample("h_count", {}, 5), Sample("h_sum", {}, 7)]
    gauge.samples += [Sample("g_bucket", {"le": "1.0"}, 3), Sample("g_gcount", {}, 6), Sample("g_gsum", {}, 8)]
    found = [family.metric[0].histogram for family in families(generate(Fixed(classic, gauge)))]
    assert [(h.sample_count, h.sample_sum, [b.cumulative_count for b in h.bucket]) for h in found] == [
        (5, 7, [2]),
        (6, 8, [3]),
    ]


def test_a_summary_has_its_quantiles(families):
    """prometheus-client's own has none; the time of creation need not be told."""
    family = SummaryMetricFamily("s", "Help.", count_value=5, sum_value=7)
    family.samples += [Sample("s", {"quantile": "0.5"}, 3.0), Sample("s", {"quantile": "0.9"}, 4.0)]
    bare = SummaryMetricFamily("bare", "Help.", count_value=1, sum_value=2)
    found = families(generate(Fixed(family, bare)))
    assert [(f.name, f.type, f.metric[0].summary.sample_count, f.metric[0].summary.sample_sum) for f in found] == [
        ("s", 2, 5, 7),
        ("bare", 2, 1, 2),
    ]
    figures = found[0].metric[0].summary
    assert not figures.HasField("created_timestamp")
    assert [(each.quantile, each.value) for each in figures.quantile] == [(0.5, 3), (0.9, 4)]


@pytest.mark.parametrize("count", [2.5, -1, 2.0**64])
def test_a_summary_of_a_count_that_is_no_whole_number_is_written_untyped(families, count):
    """A summary has no field for it, and Prometheus refuses a scrape in which a field has the wrong type."""
    family = SummaryMetricFamily("s", "Help.", count_value=count, sum_value=7)
    assert [(f.name, f.type, f.metric[0].untyped.value) for f in families(generate(Fixed(family)))] == [
        ("s_count", 3, count),
        ("s_sum", 3, 7),
    ]


def test_creation_times_and_exemplars_are_carried(families):
    """To the nanosecond that a float has; a counter's exemplar, and that of each bucket, +Inf's too."""
    registry = CollectorRegistry()
    counter = manometer.Counter("c", "Help.", registry=registry)
    counter.inc(2, {"trace_id": "ab"})
    histogram = manometer.Histogram("h", "Help.", registry=registry, buckets=(1, 2))
    histogram.observe(0.5, {"trace_id": "cd", "span_id": "ef"})
    histogram.observe(5, {"trace_id": "gh"})
    prometheus_client.Summary("s", "Help.", registry=registry)
    created = {
        family.name: sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith("_created")
    }
    c, h, s = (family.metric[0] for family in families(generate(registry)))
    for name, figures in (("c", c.counter), ("h", h.histogram), ("s", s.summary)):
        stamp = figures.created_timestamp
        assert stamp.seconds + stamp.nanos / 1e9 == pytest.approx(created[name], abs=1e-6)
    assert labels_of(c.counter.exemplar) == {"trace_id": "ab"}
    assert c.counter.exemplar.value == 2
    assert c.counter.exemplar.timestamp.seconds > 0
    found = [(b.upper_bound, b.cumulative_count, labels_of(b.exemplar)) for b in h.histogram.bucket]
    assert found == [(1, 1, {"trace_id": "cd", "span_id": "ef"}), (2, 1, {}), (math.inf, 2, {"trace_id": "gh"})]


def test_timestamps_are_carried(families):
    """Of samples in milliseconds, of exemplars in full; one series at two times stays two."""
    family = CounterMetricFamily("c", "Help.")
    for stamp in (None, 1.5, Timestamp(1700000000, 123456789), -1.5):
        family.samples.append(Sample("c_total", {}, 1.0, stamp, Exemplar({}, 1, Timestamp(7, 5))))
    metrics = families(generate(Fixed(family)))[0].metric
    assert [m.timestamp_ms if m.HasField("timestamp_ms") else None for m in metrics] == [
        None,
        1500,
        1700000000123,
        -1500,
    ]
    assert all((m.counter.exemplar.timestamp.seconds, m.counter.exemplar.timestamp.nanos) == (7, 5) for m in metrics)


def test_counts_of_others_may_be_fractions(families):
    """What is no whole number goes into the fields for that; the rest stays small."""
    family = HistogramMetricFamily("h", "Help.", buckets=[("1.0", 0.5), ("2.0", 1), ("+Inf", 2.5)], sum_value=3)
    figures = families(generate(Fixed(family)))[0].metric[0].histogram
    assert (figures.sample_count, figures.sample_count_float) == (0, 2.5)
    assert [(b.cumulative_count, b.cumulative_count_float) for b in figures.bucket] == [(0, 0.5), (1, 0)]


def test_counts_that_no_whole_number_has_room_for_are_carried(families):
    """From 2**64 on, and below 0, they are written as floats."""
    family = HistogramMetricFamily("h", "Help.", buckets=[("1.0", -1), ("2.0", 0), ("+Inf", 2.0**64)], sum_value=3)
    figures = families(generate(Fixed(family)))[0].metric[0].histogram
    assert figures.sample_count_float == 2.0**64
    assert [(b.HasField("cumulative_count"), b.cumulative_count_float) for b in figures.bucket] == [
        (False, -1),
        (True, 0),
    ]


def test_an_exemplar_may_have_no_time(families):
    """Then nothing is said of one."""
    family = CounterMetricFamily("c", "Help.")
    family.samples.append(Sample("c_total", {}, 1.0, None, Exemplar({"trace_id": "ab"}, 2)))
    exemplar = families(generate(Fixed(family)))[0].metric[0].counter.exemplar
    assert (labels_of(exemplar), exemplar.value, exemplar.HasField("timestamp")) == ({"trace_id": "ab"}, 2, False)


def test_a_sum_that_is_not_told_is_no_zero(families):
    """prometheus-client leaves the sum of a histogram with negative buckets out."""
    family = HistogramMetricFamily("h", "Help.", buckets=[("-1.0", 1), ("+Inf", 2)], sum_value=-3)
    figures = families(generate(Fixed(family)))[0].metric[0].histogram
    assert figures.sample_count == 2
    assert math.isnan(figures.sample_sum)


def test_samples_that_do_not_fit_keep_their_names_untyped(families):
    """What careless collectors put into a family, and what a scraper's `name[]` leaves of one."""
    gauge = GaugeMetricFamily("g", "Help.", value=1)
    gauge.samples += [Sample("g_max", {"a": "b"}, 2.0), Sample("other", {}, 3.0), Sample("g", {}, 4.0, 1.0)]
    torn = HistogramMetricFamily("h", "Help.")
    torn.samples += [Sample("h_count", {}, 5.0), Sample("h_bucket", {}, 6.0)]
    summary = SummaryMetricFamily("s", "Help.")
    summary.samples += [Sample("s_sum", {}, 7.0), Sample("s", {}, 8.0)]
    counter = CounterMetricFamily("c", "Help.")
    counter.samples += [Sample("c_created", {}, 9.0)]
    states = StateSetMetricFamily("m", "Help.", value={"on": True})
    found = families(generate(Fixed(gauge, torn, summary, counter, states)))
    assert [(f.name, f.type, f.help) for f in found] == [
        ("g", 1, "Help."),
        *((name, 3, "Help.") for name in ("g_max", "other", "h_bucket", "h_count", "s", "s_sum", "c_created")),
        ("m", 1, "Help."),
    ]
    values = [m.gauge.value or m.untyped.value for f in found for m in f.metric]
    assert values == [1, 4, 2, 3, 6, 5, 8, 7, 9, 1]
    assert labels_of(found[1].metric[0]) == {"a": "b"}


def test_names_are_escaped_as_the_scraper_asks(families):
    """Names of other than the classic letters, which collectors of others may have."""
    family = GaugeMetricFamily("dotted.näme", "Help.", labels=["la.bel"])
    family.add_metric(["v.ä"], 1)

    def names(accept):
        encode, content_type = choose_encoder(accept)
        (found,) = families(encode(Fixed(family)))
        return found.name, labels_of(found.metric[0]), content_type.removeprefix(CONTENT_TYPE)

    assert names(PROTOBUF) == ("dotted_n_me", {"la_bel": "v.ä"}, "")
    assert names(f"{PROTOBUF};escaping=allow-utf-8") == ("dotted.näme", {"la.bel": "v.ä"}, "; escaping=allow-utf-8")
    assert names(f"{PROTOBUF};escaping=values")[0] == "U__dotted_2e_n_e4_me"
    assert names(f"{PROTOBUF};escaping=odd")[0] == "dotted_n_me"


@given(
    st.sampled_from(["a", "a_b", "a:b", "dotted.name", "ünder", "1up", "with space", "日本"]),
    st.sampled_from(["", "seconds", "m/s"]),
    st.sampled_from(["underscores", "values", "dots"]),
)
def test_names_are_those_of_the_text(families, name, unit, escaping):
    """Of families and labels; a unit is told where the escaped name ends in it, as Prometheus demands."""
    registry = CollectorRegistry()
    for kind in (manometer.Counter, manometer.Gauge, manometer.Histogram):
        kind(f"{name}.{kind.kind}", "Help.", [f"l.{name}"], unit=unit, registry=registry).labels("v").collect()
    text = render(registry, f"text/plain;version=1.0.0;escaping={escaping}")[0].decode()
    found = families(render(registry, f"{PROTOBUF};escaping={escaping}")[0])
    types = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert [family.name for family in found] == [each for each in types if not each.endswith("_created")]
    for family in found:
        ((label, value),) = labels_of(family.metric[0]).items()
        assert f'{label}="{value}"' in text
        assert not family.unit or family.name.removesuffix("_total").endswith(f"_{family.unit}")


def test_names_are_as_they_are_where_the_scraper_takes_any(families):
    """Without quotes, which are text's affair."""
    registry = CollectorRegistry()
    manometer.Counter('a."b', "Help.", ["l.ä"], unit="m/s", registry=registry).labels("v").inc()
    (found,) = families(render(registry, f"{PROTOBUF};escaping=allow-utf-8")[0])
    assert (found.name, found.unit, labels_of(found.metric[0])) == ('a."b_m/s_total', "m/s", {"l.ä": "v"})


@pytest.mark.parametrize("accept", [OLD_PROMETHEUS, NEW_PROMETHEUS, PROTOBUF, f"*/*;q=0.1,{PROTOBUF};q=0.2"])
def test_a_scraper_that_likes_protobuf_best_gets_it(accept):
    """By q-values, not by order."""
    registry = CollectorRegistry()
    manometer.Counter("c", "Help.", registry=registry)
    body, content_type = render(registry, accept)
    assert content_type.startswith("application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; ")
    assert b"c_total" in body
    assert b"# HELP" not in body


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75",
        f"text/plain,{PROTOBUF};q=0.9",
        f"text/plain,{PROTOBUF}",
        f"{PROTOBUF};q=0",
        PROTOBUF.replace("delimited", "text"),
        PROTOBUF.replace("MetricFamily", "Metrics"),
        "application/vnd.google.protobuf",
    ],
)
def test_others_get_text(accept):
    """Whoever does not ask for it, prefers text, or wants a form of protobuf that is not this one."""
    registry = CollectorRegistry()
    manometer.Counter("c", "Help.", registry=registry)
    body, content_type = render(registry, accept)
    assert "text" in content_type
    assert body.startswith(b"# HELP c")


def test_a_native_histogram_is_carried(families):
    """Its buckets as spans and changes, its exemplars, and the classic buckets beside."""
    registry = CollectorRegistry()
    histogram = manometer.Histogram("h", "Help.", ["l"], registry=registry, buckets=(1, 2), native_schema=0)
    for amount in (0, 1, 1, 2, 200, -3, math.inf):
        histogram.labels("x").observe(amount)
    histogram.labels("x").observe(5, {"trace_id": "ab"})
    (family,) = families(render(registry, PROTOBUF)[0])
    figures = family.metric[0].histogram
    assert (figures.sample_count, figures.sample_sum) == (8, math.inf)
    assert (figures.schema, figures.zero_threshold, figures.zero_count) == (0, 2.0**-128, 1)
    assert [(s.offset, s.length) for s in figures.positive_span] == [(0, 4), (4, 1), (1016, 1)]
    assert list(figures.positive_delta) == [2, -1, -1, 1, 0, 0]
    assert [(s.offset, s.length) for s in figures.negative_span] == [(2, 1)]
    assert list(figures.negative_delta) == [1]
    assert [(b.upper_bound, b.cumulative_count) for b in figures.bucket] == [(1, 4), (2, 5), (math.inf, 8)]
    (exemplar,) = figures.exemplars
    assert (labels_of(exemplar), exemplar.value, exemplar.timestamp.seconds > 0) == ({"trace_id": "ab"}, 5, True)


def test_a_native_histogram_without_events_is_still_one(families):
    """A span of nothing tells it from a classic one; alone, it has no classic bucket that could be taken for it."""
    registry = CollectorRegistry()
    manometer.Histogram("h", "Help.", registry=registry, buckets=(), native_schema=3)
    figures = families(render(registry, PROTOBUF)[0])[0].metric[0].histogram
    assert [(s.offset, s.length) for s in figures.positive_span] == [(0, 0)]
    assert (figures.schema, len(figures.bucket)) == (3, 0)


def test_a_native_histogram_of_fractions_is_carried(families):
    """As others may make them, such as a bridge from a federation."""
    found = NativeHistogram(2.5, 3.0, 1, 0.001, 0.5, [BucketSpan(0, 2)], None, [0.5, 1.0])
    family = Metric("h", "Help.", "histogram")
    family.add_sample("h", {}, 0, native_histogram=found)
    figures = families(generate(Fixed(family)))[0].metric[0].histogram
    assert (figures.sample_count_float, figures.zero_count_float) == (2.5, 0.5)
    assert list(figures.positive_count) == [0.5, 1.5]
    assert not figures.positive_delta


def test_fractions_that_add_up_to_a_whole_number_are_fractions(families):
    """One figure in a field for whole numbers would have a reader look for all of them there."""
    found = NativeHistogram(2.0, 3.0, 1, 0.001, 0.0, [BucketSpan(0, 2)], None, [0.5, 1.0])
    family = Metric("h", "Help.", "histogram")
    family.add_sample("h", {}, 0, native_histogram=found)
    figures = families(generate(Fixed(family)))[0].metric[0].histogram
    assert (figures.sample_count_float, figures.zero_count_float) == (2, 0)
    assert figures.HasField("zero_count_float")
    assert list(figures.positive_count) == [0.5, 1.5]


def test_whole_numbers_that_are_floats_are_whole_numbers(families):
    """So they take little room."""
    found = NativeHistogram(3.0, 3.0, 1, 0.001, 1.0, [BucketSpan(0, 2)], None, [0.0, 2.0])
    family = Metric("h", "Help.", "histogram")
    family.add_sample("h", {}, 0, native_histogram=found)
    figures = families(generate(Fixed(family)))[0].metric[0].histogram
    assert (figures.sample_count, figures.zero_count, list(figures.positive_delta)) == (3, 1, [0, 2])


def test_a_native_histogram_of_negative_fractions_is_carried(families):
    """It needs no span of nothing, since its negative spans tell what it is."""
    found = NativeHistogram(1.5, -3.0, 1, 0.001, 0, None, [BucketSpan(0, 2)], None, [0.5, 0.5])
    family = Metric("h", "Help.", "histogram")
    family.add_sample("h", {}, 0, native_histogram=found)
    figures = families(generate(Fixed(family)))[0].metric[0].histogram
    assert [(s.offset, s.length) for s in figures.negative_span] == [(0, 2)]
    assert list(figures.negative_count) == [0.5, 1]
    assert not figures.negative_delta
    assert not figures.positive_span


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text;version=1.0.0", "text/plain;version=1.0.0"])
def test_text_has_no_sample_for_it(accept):
    """Where there is no room for a native histogram, the text is that of the classic one."""
    plain, both = CollectorRegistry(), CollectorRegistry()
    for registry, schema in ((plain, None), (both, 3)):
        manometer.Histogram("h", "Help.", registry=registry, native_schema=schema).observe(1)
    without_times = [
        [line for line in render(registry, accept)[0].splitlines() if b"_created" not in line]
        for registry in (plain, both)
    ]
    assert without_times[0] == without_times[1]


def test_openmetrics_2_has_it():
    """The text format that has room for it, as prometheus-client writes it."""
    registry = CollectorRegistry()
    manometer.Histogram("h", "Help.", registry=registry, native_schema=3).observe(1)
    body, _ = render(registry, "application/openmetrics-text;version=2.0.0")
    assert b"h {count:1,sum:1.0,schema:3," in body
