"""Code written for prometheus-client's meters works on these, and exposes the same text."""

import math
import re

import prometheus_client
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import DuplicateTimeseries

import manometer

KITS = (manometer, prometheus_client)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-(10**6), 10**6)
LABELS = st.text(st.characters(codec="utf-8"), max_size=5)
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def exposed(registry):
    """Both text formats as prometheus-client writes them, and as our exporter does: the two have to agree.

    The times of creation are taken out: the two kits are made moments apart.
    """
    theirs = (generate_latest(registry) + generate_openmetrics(registry)).decode()
    ours = (manometer.render(registry)[0] + manometer.render(registry, OPENMETRICS)[0]).decode()
    assert ours == theirs
    return re.sub(r"(_created(?:\{.*\})?) \S+", r"\1 TIME", re.sub(r"(# \{.*\} \S+) \S+", r"\1 TIME", ours))


def both(use):
    """What each kit exposes after the same use."""
    texts = []
    for kit in KITS:
        registry = CollectorRegistry()
        use(kit, registry)
        texts.append(exposed(registry))
    return texts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(LABELS, NUMBERS.filter(lambda n: not n < 0)), max_size=40))
def test_counters_expose_the_same(events):
    """Any sequence of increments leaves the same exposition."""

    def use(kit, registry):
        counter = kit.Counter("c_total", 'Help with \\ and "\n', ["who"], registry=registry)
        for label, amount in events:
            counter.labels(label).inc(amount)

    ours, theirs = both(use)
    assert ours == theirs


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(LABELS, st.sampled_from(["set", "inc", "dec"]), NUMBERS), max_size=40))
def test_gauges_expose_the_same(events):
    """Any sequence of writes leaves the same exposition, in the order in which they came."""

    def use(kit, registry):
        gauge = kit.Gauge("g", "Help.", ["who"], registry=registry)
        for label, write, amount in events:
            getattr(gauge.labels(who=label), write)(amount)

    ours, theirs = both(use)
    assert ours == theirs


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(LABELS, NUMBERS), max_size=40),
    st.lists(st.floats(-100, 100), min_size=1, max_size=6, unique=True).map(sorted),
)
def test_histograms_expose_the_same(events, buckets):
    """Any sequence of observations over any buckets leaves the same exposition."""

    def use(kit, registry):
        histogram = kit.Histogram("h", "Help.", ["who", "a", "z"], registry=registry, buckets=buckets)
        for label, amount in events:
            histogram.labels(label, "first", "last").observe(amount)

    ours, theirs = both(use)
    assert ours == theirs


def test_the_constructors_take_the_same_arguments():
    """Namespace, subsystem and unit build the same names."""

    def use(kit, registry):
        kit.Counter("c", "Help.", (), "name", "sub", "seconds", registry).inc(2)
        kit.Gauge("g", "Help.", namespace="name", unit="bytes", registry=registry).set_function(lambda: 7)
        kit.Histogram("h", "Help.", subsystem="sub", registry=registry, buckets=(1, "2", math.inf)).observe(1)

    ours, theirs = both(use)
    assert ours == theirs


def test_exemplars_are_exposed_the_same():
    """An exemplar stands behind its counter and its bucket."""

    def use(kit, registry):
        kit.Counter("c", "Help.", registry=registry).inc(1, {"trace_id": "abc"})
        histogram = kit.Histogram("h", "Help.", registry=registry)
        histogram.observe(0.3, exemplar={"trace_id": "abc", "span_id": "def"})
        histogram.observe(100, {"trace_id": "xyz"})

    ours, theirs = both(use)
    assert ours == theirs
    assert 'trace_id="xyz"' in ours


def test_large_numbers_are_written_as_go_does():
    """From a million on, a number has an exponent; and a help text or label may hold anything."""

    def use(kit, registry):
        histogram = kit.Histogram("h", 'A "help" with % and \\ and\n.', ["l"], unit="seconds", registry=registry)
        for value in ("%d %s", "\0", "\1", 'a"b\\c\nd', "ü"):
            histogram.labels(value).observe(1)
        counter = kit.Counter("c", "Help.", registry=registry)
        counter.inc(1_234_567)
        counter.inc(1e22)
        kit.Gauge("g", "Help.", registry=registry).set(-1e9)
        many = kit.Histogram("many", "Help.", registry=registry, buckets=(1, 2))
        for _ in range(1_000_001):
            many.observe(1.5)

    ours, theirs = both(use)
    assert ours == theirs


TEXT = st.text(st.characters(codec="utf-8"), max_size=4) | st.sampled_from(["\0", "\1", "%", "%d", "%s", "{le}"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, st.floats(0, 20), st.none() | TEXT), max_size=8))
def test_labels_and_exemplars_of_any_text_are_written_the_same(events):
    """No text in one place finds its way into another."""

    def use(kit, registry):
        histogram = kit.Histogram("h", "Help.", ["a", "z"], registry=registry, buckets=(1, 5, 10))
        counter = kit.Counter("c", "Help.", ["a"], registry=registry)
        for first, last, amount, trace in events:
            exemplar = None if trace is None else {"trace": trace}
            histogram.labels(first, last).observe(amount, exemplar)
            counter.labels(first).inc(amount, exemplar)

    ours, theirs = both(use)
    assert ours == theirs


def test_removal_leaves_the_same_series():
    """`remove`, `remove_by_labels`, `clear` and `reset` take away what they say."""

    def use(kit, registry):
        counter = kit.Counter("c", "Help.", ["a", "b"], registry=registry)
        for a in "xyz":
            for b in "12":
                counter.labels(a, b).inc(3)
        counter.remove("x", "1")
        counter.remove("not", "there")
        counter.remove_by_labels({"a": "y"})
        counter.remove_by_labels({})
        counter.labels("z", 1).reset()
        gone = kit.Gauge("g", "Help.", ["a"], registry=registry)
        gone.labels(1).set(1)
        gone.clear()

    ours, theirs = both(use)
    assert ours == theirs


def test_the_timing_helpers_work():
    """`time`, `count_exceptions` and `track_inprogress` serve as blocks and as decorators."""
    registry = CollectorRegistry()
    histogram = manometer.Histogram("h", "Help.", registry=registry)
    failures = manometer.Counter("f", "Help.", registry=registry)
    active = manometer.Gauge("a", "Help.", registry=registry)
    last = manometer.Gauge("last", "Help.", registry=registry)

    @histogram.time()
    @failures.count_exceptions(KeyError)
    @active.track_inprogress()
    def work():
        assert registry.get_sample_value("a") == 1
        raise KeyError

    with pytest.raises(KeyError):
        work()
    with histogram.time(), last.time():
        pass
    assert registry.get_sample_value("h_count") == 2
    assert registry.get_sample_value("f_total") == 1
    assert registry.get_sample_value("a") == 0
    assert registry.get_sample_value("last") >= 0


@pytest.mark.parametrize(
    "mistake",
    [
        lambda kit, r: kit.Counter("c", "h", ["l"], registry=r).inc(),
        lambda kit, r: kit.Counter("c", "h", registry=r).inc(-1),
        lambda kit, r: kit.Counter("c", "h", registry=r).labels("x"),
        lambda kit, r: kit.Counter("c", "h", ["l"], registry=r).labels("x").labels("y"),
        lambda kit, r: kit.Counter("c", "h", ["l"], registry=r).labels("x", l="y"),
        lambda kit, r: kit.Counter("c", "h", ["l"], registry=r).labels("x", "y"),
        lambda kit, r: kit.Counter("c", "h", ["l"], registry=r).labels(m="y"),
        lambda kit, r: kit.Counter("c", "h", ["l"], registry=r).remove("x", "y"),
        lambda kit, r: kit.Counter("c", "h", ["l"], registry=r).remove_by_labels({"m": "y"}),
        lambda kit, r: kit.Counter("", "h", registry=r),
        lambda kit, r: kit.Histogram("h", "h", ["le"], registry=r),
        lambda kit, r: kit.Histogram("h", "h", registry=r, buckets=[2, 1]),
        lambda kit, r: kit.Histogram("h", "h", registry=r, buckets=[]),
        lambda kit, r: kit.Histogram("h", "h", ["l"], registry=r).observe(1),
        lambda kit, r: kit.Gauge("g", "h", ["l"], registry=r).set(1),
        lambda kit, r: kit.Gauge("g", "h", ["__l"], registry=r),
        lambda kit, r: kit.Counter("c", "h", registry=r).inc(1, {"trace": "x" * 200}),
        lambda kit, r: [kit.Counter("same", "h", registry=r), kit.Gauge("same", "h", registry=r)],
    ],
)
@pytest.mark.parametrize("kit", KITS, ids=["manometer", "prometheus_client"])
def test_mistakes_raise_value_errors_in_both(kit, mistake):
    """Code that catches prometheus-client's errors catches these."""
    with pytest.raises(ValueError):  # noqa: PT011 - the type is what is compared
        mistake(kit, CollectorRegistry())


@pytest.mark.parametrize("kit", KITS, ids=["manometer", "prometheus_client"])
@pytest.mark.parametrize(
    "write",
    [
        lambda kit, r: kit.Counter("c", "h", registry=r).inc("1"),
        lambda kit, r: kit.Histogram("h", "h", registry=r).observe("1"),
    ],
)
def test_text_is_no_amount_in_either(kit, write):
    """A value of the wrong type fails at the call that brings it, not at a later collection."""
    with pytest.raises(TypeError):
        write(kit, CollectorRegistry())


@pytest.mark.parametrize("name", ["1up", "with-dash", "with space", "dotted.name", "ünder"])
def test_a_name_that_breaks_prometheus_rules_is_refused(name):
    """The message says what is allowed."""
    with pytest.raises(manometer.MetricError, match="use letters, digits"):
        manometer.Counter(name, "h", registry=None)


def test_two_metrics_of_one_name_are_refused_with_what_to_do():
    """The error is prometheus-client's as well, for code that catches it."""
    registry = CollectorRegistry()
    manometer.Counter("same", "h", registry=registry)
    with pytest.raises(DuplicateTimeseries, match="give one of the two another name") as caught:
        manometer.Gauge("same", "h", registry=registry)
    assert isinstance(caught.value, manometer.MetricError)
    assert caught.value.duplicates == {"same"}


def test_a_label_value_that_cannot_be_written_is_refused():
    """It would cost the family, good series too, every scrape."""
    with pytest.raises(manometer.MetricError, match="no text that UTF-8 can write"):
        manometer.Counter("c", "h", ["l"], registry=None).labels("\ud800")


def test_a_child_can_be_read_on_its_own():
    """As in prometheus-client, without its labels."""
    counter = manometer.Counter("c", "h", ["l"], registry=None)
    counter.labels("x").inc(3)
    assert [s.value for s in counter.labels("x").collect()[0].samples if s.name == "c_total"] == [3]


@pytest.mark.parametrize("labels", [["with-dash"], ["__reserved"], ["twice", "twice"], "text", [1]])
def test_label_names_that_break_the_rules_are_refused(labels):
    """The message names the metric."""
    with pytest.raises(manometer.MetricError, match="'c'"):
        manometer.Counter("c", "h", labels, registry=None)


def test_a_restricted_registry_reads_only_what_is_asked():
    """`restricted_registry` finds our meters by the names that they describe."""
    registry = CollectorRegistry()
    manometer.Counter("c", "Help.", registry=registry).inc()
    manometer.Gauge("g", "Help.", registry=registry).set(1)
    assert [family.name for family in registry.restricted_registry(["c_total"]).collect()] == ["c"]
