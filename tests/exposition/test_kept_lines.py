"""Lines are kept while nobody writes to their series, and show nothing that is not so any more."""

import random
import sys
from itertools import count

import pytest
from prometheus_client import CollectorRegistry, metrics

from manometer import Counter, Gauge, Histogram, render
from manometer.exposition import kept_lines
from manometer.exposition.kept_lines import lines_of
from manometer.exposition.text import write
from manometer.exposition.text_form import Form

ACCEPTED = ("", "application/openmetrics-text; version=1.0.0", "application/openmetrics-text; version=2.0.0")


class Written:
    """Writes series, and tells which."""

    def __init__(self):
        self.values = []

    def __call__(self, values, reading):
        self.values += values
        return f"{values[0]} {reading.total}\n", ""

    def again(self, meter, form="text"):
        """The lines of the meter, and the series that were written for them."""
        self.values.clear()
        lines = lines_of(meter._group(), form, self, [])
        return b"".join(lines).decode().split("\n")[:-1], [*self.values]


@pytest.fixture
def counter():
    """Three series."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    for value in "abc":
        counter.labels(value).inc()
    return counter


def kept_bytes(meter):
    """How much text is kept of a meter."""
    return sum(len(part) for kept in meter._lines.values() for entry in kept.entries.values() for part in entry[1:])


def test_only_series_that_changed_are_written(counter):
    """New ones too, and the others stand where they stood."""
    written = Written()
    assert written.again(counter) == (["a 1.0", "b 1.0", "c 1.0"], ["a", "b", "c"])
    assert written.again(counter) == (["a 1.0", "b 1.0", "c 1.0"], [])
    counter.labels("b").inc()
    counter.labels("d").inc()
    assert written.again(counter) == (["a 1.0", "b 2.0", "c 1.0", "d 1.0"], ["b", "d"])
    assert written.again(counter)[1] == []


def test_lines_of_series_that_are_gone_are_dropped(counter):
    """One that comes again under the same label values is another."""
    written = Written()
    written.again(counter)
    counter.remove("b")
    assert written.again(counter) == (["a 1.0", "c 1.0"], [])
    assert [values for kept in counter._lines.values() for values in kept.entries] == [("a",), ("c",)]
    counter.expose(counter.apart(("a",))).inc(5)
    assert written.again(counter) == (["a 5.0", "c 1.0"], ["a"])
    counter.clear()
    assert written.again(counter) == ([], [])
    assert kept_bytes(counter) == 0


def test_what_is_kept_is_bounded(counter, monkeypatch):
    """The series that there is no room for are written each time."""
    monkeypatch.setattr(kept_lines, "KEPT_BYTES", 12)
    written = Written()
    written.again(counter)
    assert written.again(counter) == (["a 1.0", "b 1.0", "c 1.0"], ["c"])
    assert kept_bytes(counter) == 12
    counter.labels("a").inc(99)  # its lines are longer now
    for _ in range(3):
        assert "a 100.0" in written.again(counter)[0]
        assert kept_bytes(counter) <= 12


def test_two_formats_are_kept(counter):
    """With a third, the one that came first goes."""
    written = Written()
    for form in ("text", "OpenMetrics", "text", "OpenMetrics"):
        written.again(counter, form)
    assert (written.again(counter, "text")[1], written.again(counter, "OpenMetrics")[1]) == ([], [])
    written.again(counter, "another")
    assert len(counter._lines) == 2
    assert written.again(counter, "text")[1] == ["a", "b", "c"]


def test_another_thread_may_make_room_for_a_format_meanwhile(counter):
    """Whenever it has its turn."""
    written, group = Written(), counter._group()
    for turn in range(30):
        events = count()
        for form in ("text", "OpenMetrics"):
            list(lines_of(group, form, written, []))

        def other_thread(*_, events=events, turn=turn):
            if next(events) == turn:
                counter._lines.pop("text", None)

        sys.setprofile(other_thread)  # it is called between any two calls
        try:
            lines = list(lines_of(group, "another", written, []))
        finally:
            sys.setprofile(None)
        assert lines == [b"a 1.0\n", b"b 1.0\n", b"c 1.0\n"]


def test_the_same_readings_under_another_name_have_lines_of_their_own(counter):
    """A family may be shown twice."""
    form = Form(False, "underscores", False)
    family = counter.family()
    assert b"c_total" in b"".join(write(family, form))
    assert b"c_total" not in b"".join(write(family._replace(name="d"), form))


def touch(meter, chance):
    """Write to one of its series, or remove one, or all."""
    labels = [chance.choice('xyz\\"\n%') for _ in meter.labelnames]
    series = meter.labels(*labels) if labels else meter
    exemplar = {"trace_id": chance.choice("abc")} if chance.random() < 0.3 else None
    match meter.kind, chance.randrange(8):
        case _, 0:
            meter.remove(*labels) if labels else meter.renew()
        case _, 1:
            meter.clear()
        case "counter", 2:
            series.reset()
        case "counter", 3:
            series.tick()
        case "counter", _:
            series.inc(chance.choice([1, 0.5]), exemplar)
        case "gauge", _:
            series.set(chance.choice([1, -2.5, float("nan"), 1e9]))
        case _:
            series.observe(chance.choice([0.5, 1, 7]), exemplar)


def test_a_scrape_is_what_it_would_be_without_kept_lines(monkeypatch):
    """After whatever was written, removed and switched, in each format, on labelled and single series."""
    chance, registry = random.Random(5), CollectorRegistry()
    meters = [
        kind(f"{kind.kind}_{len(labels)}", "Help.", labels, registry=registry, **settings)
        for labels in ([], ["l"], ["a", "b"])
        for kind, settings in ((Counter, {}), (Gauge, {}), (Histogram, {"buckets": (1, 2), "native_schema": 0}))
    ]
    for _ in range(300):
        for _ in range(chance.randrange(4)):
            touch(chance.choice(meters), chance)
        monkeypatch.setattr(metrics, "_use_created", chance.random() < 0.9)
        accept = chance.choice(ACCEPTED)
        body = render(registry, accept)[0]
        with monkeypatch.context() as forgetting:
            for meter in meters:
                forgetting.setattr(meter, "_lines", {})
            assert render(registry, accept)[0] == body
