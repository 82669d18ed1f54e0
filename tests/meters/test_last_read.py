"""A family reads the series that may have changed, and its figures are those of all."""

import gc
import sys
import weakref
from functools import partial
from itertools import count
from operator import is_

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import metrics

from interrupting import interrupted
from manometer import Counter, Gauge, Histogram
from manometer.meters.meter import creation
from manometer.meters.ones import CHUNK
from manometer.meters.write_buffer import PENDING_LIMIT


@pytest.fixture
def family():
    """A labelled histogram with three series that have been read."""
    return made("abc")


def made(labels):
    """A histogram with these series."""
    histogram = Histogram("h", "Help.", ["l"], registry=None, buckets=(1, 2))
    for label in labels:
        histogram.labels(label).observe(1)
    histogram.read()
    return histogram


def counts(histogram):
    """How many events each series has, as a collection tells."""
    return {values[0]: reading.running[-1] for values, reading in histogram.read()}


def counting(monkeypatch):
    """The series that are read, from now on."""
    read, plain = [], Histogram._read

    def watched(child, *reader):
        read.append(child._labelvalues[0])
        return plain(child, *reader)

    monkeypatch.setattr(Histogram, "_read", watched)
    return read


def test_only_what_was_written_to_is_read(family, monkeypatch):
    """The others are told by the very readings that they had."""
    before = family.read()
    read = counting(monkeypatch)
    assert all(map(is_, family.read().readings, before.readings))
    assert read == []
    family.labels("b").observe(1)
    after = family.read()
    assert set(read) == {"b"}
    assert [one[1] is other[1] for one, other in zip(after, before, strict=True)] == [True, False, True]
    assert [reading.running[-1] for _, reading in before] == [1, 1, 1]
    assert counts(family) == {"a": 1, "b": 2, "c": 1}


@pytest.mark.parametrize(
    "write",
    [
        lambda child: [child.observe(1) for _ in range(PENDING_LIMIT)],
        lambda child: (child.observe(1), child.read()),
        lambda child: child.renew(),
    ],
    ids=["a writer folds", "someone reads the series alone", "it begins anew"],
)
def test_a_series_without_pending_events_may_have_changed(family, write):
    """Once its events are in the figures, nothing waits by which that could be seen."""
    write(family.labels("b"))
    assert not family.labels("b").pending.events
    expected = family.labels("b").read()[0][1].running[-1]
    assert counts(family) == {"a": 1, "b": expected, "c": 1}


def test_an_exemplar_is_told_that_came_between_its_event_and_the_next_collection(family):
    """The event is counted before the exemplar is kept."""
    child = family.labels("b")
    child.observe(1)
    family.read()
    child._keep(1.0, {"trace_id": "ab"})
    assert family.read()[1][1].exemplars[0].labels == {"trace_id": "ab"}


def test_times_of_creation_come_and_go_with_prometheus_client_s_switch(family, monkeypatch):
    """Without a write."""
    assert family.read()[0][1].created is not None
    monkeypatch.setattr(metrics, "_use_created", False)
    assert family.read()[0][1].created is None


def test_a_collection_amid_another_tells_all(family, monkeypatch):
    """As in a signal handler: it cannot rely on what the interrupted one has not finished."""
    plain, found = Histogram._read, []

    def interrupted(child, *reader):
        if not found:
            found.append(None)
            found.append(counts(family))
        return plain(child, *reader)

    family.labels("b").observe(1)
    with monkeypatch.context() as patch:
        patch.setattr(Histogram, "_read", interrupted)
        assert counts(family) == {"a": 1, "b": 2, "c": 1}
    assert found[1] == {"a": 1, "b": 2, "c": 1}
    family.labels("c").observe(1)
    assert counts(family) == {"a": 1, "b": 2, "c": 2}


def test_a_reading_that_fails_costs_the_next_one_nothing(family, monkeypatch):
    """What was noted, and not read, is read then."""
    for _ in range(PENDING_LIMIT):
        family.labels("b").observe(1)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Histogram, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            family.read()
    assert counts(family) == {"a": 1, "b": 1 + PENDING_LIMIT, "c": 1}


USES = {
    "count": lambda counter: counter.labels("e").inc(5),
    "remove": lambda counter: counter.remove("a"),
    "clear": lambda counter: counter.clear(),
    "replace": lambda counter: counter.expose(counter.apart(("b",))).inc(2),
    "read": lambda counter: counter.read(),
}


@pytest.mark.parametrize("handler", USES)
@pytest.mark.parametrize("was_read", [True, False])
def test_a_handler_may_use_the_family_amid_a_reading(handler, was_read):
    """Each series is told with its own label values, then and afterwards."""
    expected = {"a": (1,), "b": (0, 2), "c": (3,), "d": (4,), "e": (0, 5)}
    for at in count(1):
        counter, told = Counter("c", "Help.", ["l"], registry=None), []
        for number, label in enumerate("abcd", 1):
            counter.labels(label).inc(number)
        if was_read:
            counter.read()
            counter.labels("f")
            counter.remove("f")
        has_line = interrupted(
            lambda counter=counter, told=told: told.extend(counter.read()), partial(USES[handler], counter), at
        )
        told += counter.read()
        assert [(label, reading.total) for (label,), reading in told if reading.total not in expected[label]] == []
        if not has_line:
            break


def test_a_signal_handler_that_raises_ends_a_reading_s_turn_wherever_it_comes(family, monkeypatch):
    """Later readings look at those alone again that may have changed."""

    class Stopped(BaseException):
        pass

    def raise_at(number):
        """Read, and raise at that line that the module runs; False where there are fewer."""
        left = number

        def trace(frame, event, _):
            nonlocal left
            if not frame.f_code.co_filename.endswith("last_read.py"):
                return None
            if event == "line":
                left -= 1
                if not left:
                    raise Stopped
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            family.read()
        except Stopped:
            return True
        finally:
            sys.settrace(before)
        return False

    number = 1
    while raise_at(number):
        number += 1
        for label in "ab":
            family.labels(label).observe(1)
        family.read()
        family.read()
        with monkeypatch.context() as patch:
            read = counting(patch)
            assert counts(family) == {"a": number, "b": number, "c": 1}
            assert read == []
    assert number > 10


def test_a_series_that_comes_or_goes_during_a_reading_is_told_by_the_next(monkeypatch):
    """What the reading has found is not taken for the family as it is then."""
    family = Histogram("h", "Help.", ["l"], registry=None, buckets=(1, 2))
    family.labels("a").observe(1)
    plain, changed = Histogram._read, []

    def interrupted(child, *reader):
        if not changed:
            changed.append(None)
            family.labels("new").observe(1)
            family.remove("a")
        return plain(child, *reader)

    monkeypatch.setattr(Histogram, "_read", interrupted)
    assert counts(family) == {"a": 1}
    assert counts(family) == {"new": 1}


def test_a_reading_that_another_has_overtaken_hides_no_event_from_the_next(family, monkeypatch):
    """It takes the event off the list by which the other one's successor would find the series."""
    plain, overtaken = Histogram._read, []

    def interrupted(child, *reader):
        if not overtaken:
            overtaken.append(None)
            family.labels("new").observe(1)
            overtaken.append(counts(family))
            family.labels("b").observe(1)
        return plain(child, *reader)

    family.labels("b").observe(1)
    monkeypatch.setattr(Histogram, "_read", interrupted)
    family.read()
    assert overtaken[1] == {"a": 1, "b": 2, "c": 1, "new": 1}
    assert counts(family) == {"a": 1, "b": 3, "c": 1, "new": 1}


def test_a_removed_series_that_is_written_to_is_neither_told_nor_kept(family):
    """Its writer may write on for ever."""
    child = family.labels("b")
    family.remove("b")
    family.labels("b").observe(1)
    family.read()
    for _ in range(PENDING_LIMIT):
        child.observe(1)
    assert counts(family) == {"a": 1, "c": 1, "b": 1}
    gone = weakref.ref(child)
    del child
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("before", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
@pytest.mark.parametrize("more", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_increments_by_one_are_seen_though_they_leave_no_event(before, more):
    """By the chunk that they shorten, and also where that one was full and another took its place."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    counter.labels("idle").inc()
    inc = counter.labels("busy").inc
    for _ in range(before):
        inc()
    counter.read()
    for _ in range(more):
        inc()
    assert [reading.total for _, reading in counter.read()] == [1, before + more]
    counter.labels("idle").inc()
    assert [reading.total for _, reading in counter.read()] == [2, before + more]


def test_of_counters_only_what_was_written_to_is_read(monkeypatch):
    """Of those that ticked, all: a tick leaves no sign."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    for label in "abc":
        counter.labels(label).inc()
    tick = counter.labels("c").tick
    counter.read()
    read, plain = [], Counter._read
    monkeypatch.setattr(
        Counter, "_read", lambda child, *reader: (read.append(child._labelvalues[0]), plain(child, *reader))[1]
    )
    counter.labels("b").inc()
    tick()
    assert [reading.total for _, reading in counter.read()] == [1, 2, 2]
    assert {*read} == {"b", "c"}
    tick()
    assert [reading.total for _, reading in counter.read()] == [1, 2, 3]
    read.clear()
    assert [reading.total for _, reading in counter.read()] == [1, 2, 3]
    assert read == ["c"]


def test_a_tick_that_is_taken_between_two_collections_is_seen():
    """The series was one of those that need no reading until then."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    series = counter.labels("a")
    counter.read()
    series.tick()
    counter.read()
    series.tick()
    assert [reading.total for _, reading in counter.read()] == [2]


def test_a_gauge_s_function_is_asked_at_each_collection():
    """Also where it was set between two of them."""
    gauge, level = Gauge("g", "Help.", ["l"], registry=None), iter(range(5))
    gauge.labels("a").set(7)
    assert [reading.value for _, reading in gauge.read()] == [7]
    gauge.labels("a").set_function(lambda: next(level))
    assert [gauge.read()[0][1].value for _ in range(3)] == [0, 1, 2]


def test_a_subclass_may_have_a_tick_of_its_own():
    """Which adds by ours."""

    class Doubled(Counter):
        def tick(self):
            super().tick()
            super().tick()

    counter = Doubled("c", "Help.", ["l"], registry=None)
    for _ in range(2):
        counter.labels("a").tick()
    assert [reading.total for _, reading in counter.read()] == [4]


WRITES = {
    Histogram: ["observe", "observe many", "observe with an exemplar"],
    Counter: ["inc", "inc many", "inc by two", "inc with an exemplar", "tick", "reset"],
    Gauge: ["set", "set many", "set a function"],
}
STEPS = {
    "observe": lambda family, label: family.labels(label).observe(1),
    "observe many": lambda family, label: [family.labels(label).observe(2) for _ in range(PENDING_LIMIT)],
    "observe with an exemplar": lambda family, label: family.labels(label).observe(1, {"trace_id": label}),
    "inc": lambda family, label: family.labels(label).inc(),
    "inc many": lambda family, label: [family.labels(label).inc() for _ in range(CHUNK)],
    "inc by two": lambda family, label: family.labels(label).inc(2),
    "inc with an exemplar": lambda family, label: family.labels(label).inc(1, {"trace_id": label}),
    "tick": lambda family, label: family.labels(label).tick(),
    "reset": lambda family, label: family.labels(label).reset(),
    "set": lambda family, label: family.labels(label).set(3),
    "set many": lambda family, label: [family.labels(label).set(at) for at in range(PENDING_LIMIT + 1)],
    "set a function": lambda family, label: family.labels(label).set_function(lambda: 5),
    "alone": lambda family, label: family.labels(label).read(),
    "remove": lambda family, label: family.remove(label),
    "replace": lambda family, label: family.expose(family.apart((label,))),
    "renew": lambda family, label: family.labels(label).renew(),
    "renew all": lambda family, _: family.renew(),
    "read": lambda family, _: is_told_as_it_is(family),
}
COMMON = ["alone", "remove", "replace", "renew", "renew all", "read", "read"]


def is_told_as_it_is(family):
    """Whether the family tells what its series do one by one."""
    told = family.read()
    assert told == [(values, child._read()) for values, child in family._metrics.items()]


@pytest.mark.parametrize("kind", WRITES)
@given(data=st.data())
def test_whatever_is_done_every_series_is_told_as_it_is(kind, data):
    """Whenever it is read."""
    mode = {"multiprocess_mode": "mostrecent"} if kind is Gauge and data.draw(st.booleans()) else {}
    family = kind("m", "Help.", ["l"], registry=None, **mode)
    steps = st.tuples(st.sampled_from(WRITES[kind] + COMMON), st.sampled_from("abcd"))
    for step, label in data.draw(st.lists(steps, max_size=30)):
        STEPS[step](family, label)
    is_told_as_it_is(family)


@pytest.mark.parametrize(
    ("kind", "write"),
    [(Histogram, lambda child: child.observe(1)), (Counter, lambda child: child.inc(2)), (Gauge, Gauge.inc)],
)
def test_what_is_folded_once_other_series_came_is_told_by_a_reading_under_way(kind, write):
    """The series no longer notes itself where that reading looks, and its events are gone."""
    family = kind("m", "Help.", ["l"], registry=None)
    for _ in range(2):
        write(family.labels("a"))
        family.read()
    write(family.labels("a"))
    read, _ = family._all.now(creation(0.0))
    family.labels("b")  # by another thread, and then one that folds
    alone = family.labels("a")._read()
    assert [*read()] == [(("a",), alone)]
