"""Code written for prometheus-client's meters works on these, and exposes the same text."""

import copy
import io
import pickle
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, push_to_gateway, validation, write_to_textfile

import manometer
from waiting import joined

KITS = (manometer, prometheus_client)


@pytest.fixture
def legacy():
    """prometheus-client's legacy name validation, on for the test."""
    was = validation.get_legacy_validation()
    validation.enable_legacy_validation()
    yield
    if not was:
        validation.disable_legacy_validation()


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
        pytest.param(
            lambda kit, r: kit.Counter("c", "h", ["l"], registry=r).remove_by_labels({"m": "y"}),
            marks=pytest.mark.skipif(
                not hasattr(prometheus_client.Counter, "remove_by_labels"),
                reason="prometheus-client has remove_by_labels since 0.24",
            ),
        ),
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


def _counter(*labels, **parts):
    """A counter on no registry."""
    return manometer.Counter(
        **{"name": "c", "documentation": "Help.", "labelnames": labels, "registry": None, **parts}
    )


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: _counter(name="", namespace="n"), "Metric name should not be empty"),
        (
            lambda: _counter(name="\ud800"),
            r"invalid metric name '\ud800': use any text that UTF-8 can write, but no empty one",
        ),
        (
            lambda: _counter(name="_total"),
            "invalid metric name '': use any text that UTF-8 can write, but no empty one",
        ),
        (
            lambda: _counter(labelnames="id"),
            "metric 'c': label names are a sequence; write ['id'], not 'id'",
        ),
        (
            lambda: _counter(""),
            "metric 'c': invalid label name '': use any text that UTF-8 can write, but no empty one",
        ),
        (
            lambda: _counter("__a"),
            "metric 'c': invalid label name '__a': do not start with '__', which Prometheus keeps for itself",
        ),
        (
            lambda: manometer.Histogram("h", "Help.", ["le"], registry=None),
            "metric 'h': label name 'le' is reserved for this kind of metric",
        ),
        (lambda: _counter("a", "b", "a"), "metric 'c': label names ('a', 'b', 'a') repeat one"),
        (
            lambda: _counter("a").labels("\ud800"),
            r"metric 'c': label value '\ud800' is no text that UTF-8 can write",
        ),
        (
            lambda: _counter().inc(1, {"trace": "x" * 124}),
            "exemplar labels have 129 characters; OpenMetrics allows 128",
        ),
        (
            lambda: _counter().inc(1, {"__a": "x"}),
            "metric 'exemplar': invalid label name '__a': do not start with '__', which Prometheus keeps for itself",
        ),
        (
            lambda: _counter().inc(1, {"a": "\ud800"}),
            r"metric 'exemplar': label value '\ud800' is no text that UTF-8 can write",
        ),
        (lambda: _counter().inc(-0.5), "Counters can only be incremented by non-negative amounts."),
        (lambda: _counter().inc(1j), "c takes real numbers, not 1j"),
        (
            lambda: manometer.Histogram("h", "Help.", buckets=(2, 1), registry=None),
            "Buckets not in sorted order",
        ),
        (
            lambda: manometer.Histogram("h", "Help.", buckets=(), registry=None),
            "Must have at least two buckets",
        ),
        (
            lambda: manometer.Histogram("h", "Help.", native_schema=9, registry=None),
            "native_schema is 9; it takes a whole number from -4 (coarse) to 8 (fine)",
        ),
        (
            lambda: manometer.Histogram("h", "Help.", native_schema=3, max_native_buckets=0, registry=None),
            "max_native_buckets is 0; it takes a number over 0",
        ),
        (lambda: _counter().labels("x"), "No label names were set when constructing counter:c"),
        (lambda: _counter().remove("x"), "No label names were set when constructing counter:c"),
        (lambda: _counter().remove_by_labels({"a": 1}), "No label names were set when constructing counter:c"),
        (
            lambda: _counter("a").labels(1).labels(2),
            "counter:c already has labels set ({'a': '1'}); can not chain calls to .labels()",
        ),
        (
            lambda: _counter("a").labels(1).labels(a=2),
            "counter:c already has labels set ({'a': '1'}); can not chain calls to .labels()",
        ),
        (
            lambda: _counter("a").labels(1).remove_by_labels({"a": 2}),
            "counter:c already has labels set ({'a': '1'}); can not chain calls to .labels()",
        ),
        (lambda: _counter("a", "b").labels(1), "counter:c: Incorrect label count (expected 2, got 1)"),
        (lambda: _counter("a").labels(), "counter:c: Incorrect label count (expected 1, got 0)"),
        (lambda: _counter("a", "b").labels(1, b=2), "Can't pass both *args and **kwargs"),
        (
            lambda: _counter("b", "a").labels(c=1, b=2),
            "counter:c: Incorrect label names (expected ['a', 'b'], got ['b', 'c'])",
        ),
        (
            lambda: _counter("b", "a").labels(d=0, c=1, b=2, a=3),
            "counter:c: Incorrect label names (expected ['a', 'b'], got ['a', 'b', 'c', 'd'])",
        ),
        (
            lambda: _counter("a", "b").remove_by_labels({"a": 1, "c": 2, "d": 3}),
            "Unknown label names: ['c', 'd']; expected ('a', 'b')",
        ),
        (lambda: _counter("a").inc(), "counter metric is missing label values"),
        (lambda: _counter("a").reset(), "counter metric is missing label values"),
        (lambda: _counter("a").count_exceptions(), "counter metric is missing label values"),
        (
            lambda: manometer.Gauge("g", "Help.", ["a"], registry=None).track_inprogress(),
            "gauge metric is missing label values",
        ),
        *(
            (
                lambda write=write: write(manometer.Gauge("g", "Help.", ["a"], registry=None), 1),
                "gauge metric is missing label values",
            )
            for write in (
                manometer.Gauge.inc,
                manometer.Gauge.dec,
                manometer.Gauge.set,
                manometer.Gauge.set_function,
            )
        ),
    ],
)
def test_a_mistake_is_named(mistake, message):
    """What, which and, where it is not plain, what to do."""
    with pytest.raises(manometer.MetricError) as caught:
        mistake()
    assert str(caught.value) == message


def test_labels_to_remove_by_are_a_mapping():
    """As in prometheus-client, the error is of another kind."""
    with pytest.raises(TypeError, match=r"^labels must be a dict of {label_name: label_value}$"):
        _counter("a").remove_by_labels(["a"])


def test_an_exemplar_may_be_as_long_as_openmetrics_allows():
    """Names and values of 128 characters, which are more bytes."""
    registry = CollectorRegistry()
    counter = _counter(registry=registry)
    counter.inc(1, {"trace": "ü" * 100, "span": "y" * 19})
    assert ("ü" * 100).encode() in manometer.render(registry, "application/openmetrics-text")[0]


@pytest.mark.parametrize(
    "parts",
    [
        {"name": "sent"},
        {"name": "sent_total"},
        {"name": "sent_total", "unit": "bytes"},
        {"name": "sent_bytes", "unit": "bytes"},
        {"name": "sentbytes", "unit": "bytes"},
        {"name": "sent", "namespace": "shop"},
        {"name": "sent", "subsystem": "mail"},
        {"name": "sent", "subsystem": "mail", "namespace": "shop", "unit": "bytes"},
    ],
    ids=lambda parts: "+".join(parts.values()),
)
@pytest.mark.parametrize("kind", ["Counter", "Gauge", "Histogram"])
def test_the_parts_of_a_name_are_joined_as_in_prometheus_client(kind, parts):
    """Only a counter's name goes without `_total`."""
    ours, theirs = (getattr(kit, kind)(documentation="Help.", registry=None, **parts) for kit in KITS)
    assert (ours._name, ours._unit) == (theirs._name, theirs._unit)


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


NAMES = ["1up", "with-dash", "with space", "dotted.name", "ünder"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_any_text(name):
    """Of metrics, labels and exemplars, as in prometheus-client; how it is escaped is the exposition's affair."""
    registry = CollectorRegistry()
    manometer.Counter(name, "h", [name], registry=registry).labels(**{name: "x"}).inc(2, {name: "y"})
    assert registry.get_sample_value(f"{name}_total", {name: "x"}) == 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("legacy")
def test_prometheus_clients_own_switch_keeps_names_classic(name):
    """The message says what is allowed, and why."""
    why = "start with no digit; prometheus-client's legacy name validation is on, which allows no others"
    with pytest.raises(manometer.MetricError) as of_metric:
        manometer.Counter(name, "h", registry=None)
    assert str(of_metric.value) == f"invalid metric name {name!r}: use letters, digits, '_' and ':', and {why}"
    with pytest.raises(manometer.MetricError) as of_label:
        manometer.Counter("c", "h", [name], registry=None)
    assert str(of_label.value) == f"metric 'c': invalid label name {name!r}: use letters, digits and '_', and {why}"
    with pytest.raises(manometer.MetricError, match="use letters, digits"):
        manometer.Counter("c", "h", registry=None).inc(1, {name: "x"})


@pytest.mark.parametrize("kit", KITS, ids=["manometer", "prometheus_client"])
@pytest.mark.parametrize("name", ["\ud800", ""])
def test_a_name_that_cannot_be_written_is_refused(kit, name):
    """Half a surrogate pair, and nothing at all."""
    with pytest.raises(ValueError):  # noqa: PT011 - the type is what is compared
        kit.Gauge(name, "h", registry=None)


@pytest.mark.parametrize("exemplar", [{"trace": "\ud800"}, {"trace": 5}, {"trace": b"x"}])
def test_an_exemplar_that_cannot_be_written_is_refused(exemplar):
    """It would cost the family every scrape from now on."""
    with pytest.raises((manometer.MetricError, TypeError)):
        manometer.Counter("c", "h", registry=None).inc(1, exemplar)


def test_two_metrics_of_one_name_are_refused_with_what_to_do():
    """The error is prometheus-client's as well, for code that catches it."""
    registry = CollectorRegistry()
    manometer.Counter("same", "h", registry=registry)
    with pytest.raises(ValueError, match="Duplicated timeseries") as theirs:
        prometheus_client.Gauge("same", "h", registry=registry)
    with pytest.raises(manometer.MetricError, match="give one of the two another name") as caught:
        manometer.Gauge("same", "h", registry=registry)
    assert isinstance(caught.value, theirs.type)
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


@pytest.mark.parametrize("labels", [["\ud800"], [""], ["__reserved"], ["twice", "twice"], "text", [1]])
def test_label_names_that_break_the_rules_are_refused(labels):
    """The message names the metric."""
    with pytest.raises(manometer.MetricError, match="'c'"):
        manometer.Counter("c", "h", labels, registry=None)


@pytest.mark.parametrize("kit", KITS, ids=["manometer", "prometheus_client"])
@pytest.mark.parametrize("labels", ["l", ("l",), {"l": 1}, {"l"}])
def test_label_names_are_any_iterable(kit, labels):
    """A text of one letter among them."""
    assert kit.Counter("c", "h", labels, registry=None)._labelnames == ("l",)


def test_a_restricted_registry_reads_only_what_is_asked():
    """`restricted_registry` finds our meters by the names that they describe."""
    registry = CollectorRegistry()
    manometer.Counter("c", "Help.", registry=registry).inc()
    manometer.Gauge("g", "Help.", registry=registry).set(1)
    assert [family.name for family in registry.restricted_registry(["c_total"]).collect()] == ["c"]


class _Doubling(manometer.Counter):
    """A subclass with a method and an attribute of its own."""

    def __init__(self, *args, factor, **kwargs):
        self.factor = factor
        super().__init__(*args, **kwargs)

    def inc(self, amount=1, exemplar=None):
        super().inc(amount * self.factor, exemplar)


class _Passing(manometer.Counter):
    """A subclass that hands on what it gets."""

    def inc(self, *given, **named):
        super().inc(*given, **named)


class _Clipping(manometer.Histogram):
    """A subclass that changes what is observed."""

    def observe(self, amount, exemplar=None):
        super().observe(min(amount, 10), exemplar)


def test_a_subclass_may_override_a_write():
    """Its series write by its method and have its attributes, and the helpers go by it."""
    registry = CollectorRegistry()
    counter = _Doubling("c", "Help.", ["l"], registry=registry, factor=2)
    counter.labels("x").inc()
    counter.labels("x").inc(3)
    with pytest.raises(KeyError), counter.labels("x").count_exceptions():
        raise KeyError
    alone = _Doubling("alone", "Help.", registry=registry, factor=10)
    alone.inc()
    alone.tick()
    clipping = _Clipping("h", "Help.", registry=registry)
    for amount in (1, 1000):
        clipping.observe(amount, {"trace_id": f"of {amount}"})
    passing = _Passing("passing", "Help.", registry=registry)
    passing.inc()
    passing.inc(2, exemplar={"trace_id": "passed"})
    assert registry.get_sample_value("c_total", {"l": "x"}) == 10
    assert registry.get_sample_value("alone_total") == 11
    assert registry.get_sample_value("h_sum") == 11
    assert registry.get_sample_value("passing_total") == 3
    body = manometer.render(registry, "application/openmetrics-text")[0]
    assert all(f'{{trace_id="{value}"}}'.encode() in body for value in ("of 1", "of 1000", "passed"))


@pytest.mark.parametrize("kit", KITS, ids=["manometer", "prometheus_client"])
def test_programs_that_walk_a_registry_know_the_meters(kit):
    """By the names that prometheus-client does not document and programs use all the same."""
    registry = CollectorRegistry()
    kit.Counter("orders_total", "Help.", ["side"], unit="lots", registry=registry).labels("buy").inc()
    found, *_ = registry._collector_to_names
    assert (found._name, found._documentation, found._type, found._unit) == (
        "orders_lots",
        "Help.",
        "counter",
        "lots",
    )
    assert (found._labelnames, list(found._metrics)) == (("side",), [("buy",)])
    assert str(found) == "counter:orders_lots"
    assert repr(found) == f"{type(found).__module__}.Counter(orders_lots)"
    assert hasattr(type(found), "_type")
    assert [(each.name, each.type, each.unit, each.samples) for each in found.describe()] == [
        ("orders_lots", "counter", "lots", [])
    ]


@pytest.mark.parametrize("kit", KITS, ids=["manometer", "prometheus_client"])
@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.deepcopy])
@pytest.mark.parametrize("labels", [[], ["l"]])
def test_a_meter_has_no_second_self(kit, duplicate, labels):
    """It can be neither pickled nor copied, as it is the figure itself."""
    with pytest.raises(TypeError, match="pickle"):
        duplicate(kit.Counter("c", "Help.", labels, registry=None))


def test_creation_times_can_be_left_out():
    """By prometheus-client's own switch, for both at once."""
    registry = CollectorRegistry()
    manometer.Counter("c", "Help.", registry=registry)
    manometer.Histogram("h", "Help.", registry=registry)
    prometheus_client.disable_created_metrics()
    try:
        assert b"_created" not in manometer.render(registry)[0]
        assert b"_created" not in prometheus_client.generate_latest(registry)
    finally:
        prometheus_client.enable_created_metrics()
    assert b"c_created" in manometer.render(registry)[0]


def test_a_text_file_is_written(tmp_path):
    """For the node exporter's textfile collector."""
    registry = CollectorRegistry()
    manometer.Gauge("last.run", "Help.", registry=registry).set(7)
    write_to_textfile(str(tmp_path / "job.prom"), registry)
    assert '{"last.run"} 7.0\n' in (tmp_path / "job.prom").read_text()


def test_figures_are_pushed_to_a_gateway():
    """As batch jobs do at their end."""
    received = io.BytesIO()

    class Gateway(BaseHTTPRequestHandler):
        def do_PUT(self):
            received.write(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    registry = CollectorRegistry()
    manometer.Counter("done", "Help.", registry=registry).inc(3)
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        push_to_gateway(f"127.0.0.1:{server.server_port}", job="batch", registry=registry)
        joined(answering)
    assert b"done_total 3.0\n" in received.getvalue()
