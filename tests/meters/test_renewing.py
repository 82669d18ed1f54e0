"""What a meter does where a forked child renews it, seen without a fork."""

import threading
from types import SimpleNamespace

import pytest

from manometer import Counter, Gauge, Histogram
from manometer.meters.fork import Forked
from manometer.meters.write_buffer import PENDING_LIMIT, InFlight
from waiting import joined


@pytest.fixture
def clock(monkeypatch):
    """The time of day, which the test moves."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("time.time", lambda: clock.now)
    return clock


def shown(meter):
    """The samples of a meter, less its labels."""
    return {
        sample.name + sample.labels.get("le", ""): (sample.value, sample.exemplar and sample.exemplar.labels)
        for family in meter.collect()
        for sample in family.samples
        if sample.native_histogram is None
    }


def meters(labels):
    """One of each kind, and the series of each."""
    kinds = (
        Counter("c", "Help.", labels, registry=None),
        Gauge("g", "Help.", labels, registry=None, multiprocess_mode="mostrecent"),
        Histogram("h", "Help.", labels, registry=None, buckets=(1,), native_schema=0),
    )
    return kinds, [kind.labels("x") if labels else kind for kind in kinds]


def write(counter, gauge, histogram, exemplar):
    """Some figures, of which a part is folded and a part is not."""
    for fold in (True, False):
        counter.inc(2, {"trace_id": exemplar})
        counter.tick()
        gauge.set(5)
        histogram.observe(0.5, {"trace_id": exemplar})
        if fold:
            for series in (counter, gauge, histogram):
                series.read()


@pytest.mark.parametrize("labels", [[], ["l"]])
def test_figures_of_the_parent_are_forgotten(clock, labels):
    """A series begins at zero, now, without exemplars; whoever holds it goes on writing to it."""
    families, (counter, gauge, histogram) = meters(labels)
    tick, inc, observe = counter.tick, counter.inc, histogram.observe
    write(counter, gauge, histogram, "parent")
    clock.now = 2000.0
    for family in families:
        family.renew()
    assert shown(counter) == {"c_total": (0, None), "c_created": (2000, None)}
    assert shown(gauge) == {"g": (0, None)}
    assert families[1].read()[0][1].set_at == 0
    none = {"h_bucket1.0": (0, None), "h_bucket+Inf": (0, None), "h_count": (0, None), "h_sum": (0, None)}
    assert shown(histogram) == none | {"h_created": (2000, None)}
    assert histogram.read()[0][1].native.count_value == 0
    assert histogram.read()[0][1].native.nh_exemplars == []
    tick()
    inc(2)
    observe(0.5)
    gauge.set(7)
    assert (counter.value, shown(gauge)["g"][0], shown(histogram)["h_count"][0]) == (3, 7, 1)
    for _ in range(2 * PENDING_LIMIT):
        inc()
    assert len(counter.pending.events) < PENDING_LIMIT


@pytest.mark.parametrize("forked", [Forked.LATE, Forked.HEIR])
@pytest.mark.parametrize("labels", [[], ["l"]])
def test_figures_that_are_in_part_the_childs_stay(labels, forked):
    """Only the locks are free, of a thread that is not there any more as well."""
    families, series = meters(labels)
    write(*series, "both")
    holding = threading.Thread(target=lambda: [each.pending.lock.acquire() for each in series])
    holding.start()
    joined(holding)
    for each in series:
        each.pending._busy = True
    for family in families:
        family.renew(forked)
    counter, gauge, histogram = series
    for put in (counter.inc, gauge.set, histogram.observe):  # nobody is taken to be at a fold any more
        for _ in range(PENDING_LIMIT):
            put(5)
    assert [len(each.pending.events) < PENDING_LIMIT for each in series] == [True] * 3
    assert shown(counter)["c_total"] == (6 + 5 * PENDING_LIMIT, {"trace_id": "both"})
    assert shown(gauge)["g"][0] == 5
    assert shown(histogram)["h_sum"][0] == 1 + 5 * PENDING_LIMIT
    assert histogram.read()[0][1].native.count_value == 2 + PENDING_LIMIT


class Interrupting(float):
    """An amount that calls something when it is first added up, as a handler does that interrupts a fold."""

    def __new__(cls, call):
        amount = super().__new__(cls, 0.5)
        amount.call = call
        return amount

    def __radd__(self, other):
        call, self.call = self.call, lambda: None
        call()
        return float(self) + other

    __add__ = __radd__


KINDS = {Counter: Interrupting, Histogram: Interrupting, Gauge: lambda call: (False, Interrupting(call))}


@pytest.mark.parametrize("folds", range(3))
@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1)])
@pytest.mark.parametrize(
    ("kind", "end"),
    [(Counter, Counter.renew), (Counter, Counter.reset), (Histogram, Histogram.renew), (Gauge, Gauge.renew)],
)
def test_a_fold_that_an_end_interrupts_puts_nothing_in_place(kind, end, before, after, folds):
    """A thread of the parent may have been at it, or a handler resets the meter, and collects before or after."""
    meter = kind("m", "Help.", registry=None)

    def interruption():
        for _ in range(before):
            shown(meter)
        end(meter)
        for _ in range(after):
            shown(meter)

    for _ in range(folds):
        meter.read()
    meter.pending.events.append(KINDS[kind](interruption))
    assert {value for name, (value, _) in shown(meter).items() if not name.endswith("_created")} == {0}
    assert meter.pending.events == []


@pytest.mark.parametrize("folds", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_a_fold_that_a_collection_interrupts_counts_each_event_once(kind, folds):
    """The collection has put all of them in place, and more may have come since."""
    meter = kind("m", "Help.", registry=None)
    write = meter.observe if kind is Histogram else meter.inc
    figure = {Counter: "m_total", Gauge: "m", Histogram: "m_sum"}[kind]
    seen = []

    def collect():
        seen.append(shown(meter)[figure][0])
        write(8)

    for _ in range(folds):
        meter.read()
    write(1)
    meter.pending.events.append(KINDS[kind](collect))
    write(2)
    assert (shown(meter)[figure][0], seen) == (3.5, [3.5])
    assert shown(meter)[figure][0] == 11.5


def test_runs_under_way_are_the_parents():
    """Those that are ended later were, and those that an object stands for are over with it."""
    runs = InFlight()
    for _ in range(3):
        runs.began()
    runs.held.add(object())
    runs.ended()
    assert runs.value == 3
    runs.renew(Forked.AT_ONCE)
    assert runs.held == set()
    runs.began()
    assert runs.value == 1
    runs.ended()
    runs.ended()  # one of the parent's
    assert runs.value == 0
    runs.began()
    runs.began()
    assert runs.value == 2
