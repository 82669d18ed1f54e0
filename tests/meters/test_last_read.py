"""A family reads the series that may have changed, and its figures are those of all."""

import gc
import sys
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import metrics

from manometer import Histogram
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

    def watched(child):
        read.append(child._labelvalues[0])
        return plain(child)

    monkeypatch.setattr(Histogram, "_read", watched)
    return read


def test_only_what_was_written_to_is_read(family, monkeypatch):
    """The others are told by the very readings that they had."""
    before = family.read()
    read = counting(monkeypatch)
    assert family.read() is before
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

    def interrupted(child):
        if not found:
            found.append(None)
            found.append(counts(family))
        return plain(child)

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

    def interrupted(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Histogram, "_read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            family.read()
    assert counts(family) == {"a": 1, "b": 1 + PENDING_LIMIT, "c": 1}


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

    def interrupted(child):
        if not changed:
            changed.append(None)
            family.labels("new").observe(1)
            family.remove("a")
        return plain(child)

    monkeypatch.setattr(Histogram, "_read", interrupted)
    assert counts(family) == {"a": 1}
    assert counts(family) == {"new": 1}


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


STEPS = {
    "observe": lambda family, label: family.labels(label).observe(1),
    "many": lambda family, label: [family.labels(label).observe(2) for _ in range(PENDING_LIMIT)],
    "exemplar": lambda family, label: family.labels(label).observe(1, {"trace_id": label}),
    "alone": lambda family, label: family.labels(label).read(),
    "remove": lambda family, label: family.remove(label),
    "replace": lambda family, label: family.replace((label,)).observe(3),
    "renew": lambda family, label: family.labels(label).renew(),
    "renew all": lambda family, _: family.renew(),
    "read": lambda family, _: is_told_as_it_is(family),
}


def is_told_as_it_is(family):
    """Whether the family tells what its series do one by one."""
    told = family.read()
    assert told == [(values, child._read()) for values, child in family._metrics.items()]


@given(st.lists(st.tuples(st.sampled_from([*STEPS]), st.sampled_from("abcd")), max_size=30))
def test_whatever_is_done_every_series_is_told_as_it_is(steps):
    """Whenever it is read."""
    family = made("abc")
    for step, label in steps:
        STEPS[step](family, label)
    is_told_as_it_is(family)
