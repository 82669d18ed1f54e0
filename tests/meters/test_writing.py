"""Writes are atomic, bounded and never wait."""

import asyncio
import gc
import random
import signal
import sys
import threading
import time
from itertools import accumulate, pairwise
from unittest.mock import Mock

import pytest
from prometheus_client import CollectorRegistry

from manometer import Counter, Gauge, Histogram, render
from manometer.meters.write_buffer import PENDING_AT_MOST, PENDING_LIMIT
from waiting import DEADLINE, joined


def samples_of(meter):
    """What a collection of the meter says."""
    return meter.collect()[0].samples


@pytest.fixture
def nervous_scheduler():
    """Threads take turns every microsecond, so that a race shows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


AMOUNTS = (1, 10, 100, 1000)
COLLECTIONS = 4_000


def agreed(figures):
    """How many events a histogram of these amounts tells of, whose buckets, count and sum must tell of the same."""
    running = [figures[f'h_bucket{{le="{bound}"}}'] for bound in ("1.0", "10.0", "100.0", "+Inf")]
    counts = [upper - lower for lower, upper in pairwise((0, *running))]
    assert figures["h_count"] == running[-1]
    assert figures["h_sum"] == sum(amount * count for amount, count in zip(AMOUNTS, counts, strict=True))
    return running[-1]


def told(samples):
    """The figures of samples, by name and labels as text has them."""
    return {
        sample.name + "".join(f'{{{label}="{value}"}}' for label, value in sample.labels.items()): sample.value
        for sample in samples
    }


def read(text):
    """The figures of an OpenMetrics body."""
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.split(" ") for line in lines)}


def test_sum_count_and_buckets_agree_in_every_collection(nervous_scheduler):
    """Four writers and four thousand collections, every fifth written as text: none is torn, and no total falls.

    At the end each event is there, and is there once.
    """
    registry = CollectorRegistry()
    histogram = Histogram("h", "Help.", registry=registry, buckets=AMOUNTS[:-1], native_schema=0)
    counter = Counter("c", "Help.", registry=registry)
    writing, rounds = True, []

    def write():
        done = 0
        while writing:
            for amount in AMOUNTS:
                histogram.observe(amount)
                counter.inc()
            done += 1
        rounds.append(done)

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    observed = counted = 0
    try:
        for collection in range(COLLECTIONS):
            if collection % 5:
                samples = samples_of(histogram)
                figures = told([*samples, *samples_of(counter)])
                native = samples[-1].native_histogram
                assert (native.count_value, native.sum_value) == (figures["h_count"], figures["h_sum"])
                assert sum(accumulate(native.pos_deltas)) == figures["h_count"]
            else:
                figures = read(render(registry, "application/openmetrics-text; version=1.0.0")[0])
            events = agreed(figures)
            assert (events >= observed, figures["c_total"] >= counted) == (True, True)
            observed, counted = events, figures["c_total"]
    finally:
        writing = False
        joined(*writers)
    assert observed > COLLECTIONS
    figures = told(samples_of(histogram))
    assert agreed(figures) == counter.value == 4 * sum(rounds)
    assert figures["h_sum"] == sum(AMOUNTS) * sum(rounds)


def test_pending_events_are_bounded_without_a_collection():
    """Series that nobody reads fold their own events."""
    counter = Counter("c", "Help.", registry=None)
    histogram = Histogram("h", "Help.", registry=None)
    gauge = Gauge("g", "Help.", registry=None)
    for _ in range(10 * PENDING_LIMIT):
        counter.inc()
        histogram.observe(1)
        gauge.inc()
        for series in (counter, histogram, gauge):
            assert len(series.pending.events) < PENDING_LIMIT
    assert counter.value == 10 * PENDING_LIMIT


def test_a_write_within_a_fold_does_not_wait():
    """A signal handler or gc callback that interrupts a collection on its own thread may write."""
    counter = Counter("c", "Help.", registry=None)
    with counter.pending.lock:
        for _ in range(2 * PENDING_LIMIT):
            counter.inc()  # with a plain lock, this would be a deadlock
    assert counter.value == 2 * PENDING_LIMIT


def in_another_thread(call):
    """Give it a turn."""
    thread = threading.Thread(target=call)
    thread.start()
    joined(thread)


def test_writers_let_a_fold_that_lags_behind_get_on(monkeypatch):
    """While another thread folds, events pile up; from a fixed number on, each write has that thread get a turn."""
    histogram = Histogram("h", "Help.", registry=None)
    events = histogram.pending.events
    folding, going_on, pauses = threading.Event(), threading.Event(), []

    class Slow(float):
        """An amount that takes long to add."""

        def __radd__(self, other):
            folding.set()
            assert going_on.wait(DEADLINE)
            return float(self) + other

    def sleep(seconds):
        assert seconds > 0
        pauses.append(len(events))

    monkeypatch.setattr("manometer.meters.write_buffer.sleep", sleep)
    events.append(Slow(1))
    folder = threading.Thread(target=lambda: samples_of(histogram))
    folder.start()
    assert folding.wait(DEADLINE)
    for _ in range(PENDING_AT_MOST + 1):
        histogram.observe(1)
    going_on.set()
    joined(folder)
    assert pauses == [PENDING_AT_MOST, PENDING_AT_MOST + 1, PENDING_AT_MOST + 2]
    assert told(samples_of(histogram))["h_count"] == PENDING_AT_MOST + 2


def test_refused_exemplars_pile_nothing_up():
    """The events that they came with count, and are folded as others are."""
    counter = Counter("c", "Help.", registry=None)
    for _ in range(2 * PENDING_LIMIT):
        with pytest.raises(ValueError, match="exemplar"):
            counter.inc(1, {"trace_id": "x" * 200})
        assert len(counter.pending.events) < PENDING_LIMIT
    assert counter.value == 2 * PENDING_LIMIT


def test_a_write_amid_a_fold_of_its_own_thread_does_not_pause(monkeypatch):
    """A callback that interrupts the fold would wait for itself."""
    histogram = Histogram("h", "Help.", registry=None)
    monkeypatch.setattr("manometer.meters.write_buffer.sleep", pytest.fail)
    with histogram.pending.lock:
        histogram.pending.drain()
        for _ in range(PENDING_AT_MOST + 1):
            histogram.observe(1)


@pytest.mark.usefixtures("whole_stack")
def test_a_fold_at_the_end_of_the_stack_costs_the_writer_nothing():
    """Where there is room for a write and none for a fold, the events wait for the next writer."""
    histogram = Histogram("h", "Help.", registry=None)
    written = 0

    def deep(depth, call):
        return deep(depth - 1, call) if depth else call()

    def write():
        histogram.observe(1)

    def as_deep():
        (lambda: (lambda: None)())()

    room = sys.getrecursionlimit()
    while True:
        try:
            deep(room, as_deep)
            break
        except RecursionError:
            room -= 1
    for depth in range(room - 20, room + 1):
        for _ in range(PENDING_LIMIT - 1 - len(histogram.pending.events)):
            write()
            written += 1
        deep(depth, write)
        written += 1
    assert told(samples_of(histogram))["h_count"] == written


def test_a_signal_handler_may_write_to_the_series_that_it_interrupts():
    """A timer signal that counts on the main thread's meters, amid their folds too, loses and doubles nothing."""
    counter = Counter("c", "Help.", registry=None)
    gauge = Gauge("g", "Help.", registry=None)
    histogram = Histogram("h", "Help.", registry=None, native_schema=3)
    meters = (counter, gauge, histogram)
    signals, amid = 0, dict.fromkeys(meters, 0)

    def write():
        counter.inc()
        gauge.inc()
        histogram.observe(1.5)

    def handle(*_):
        nonlocal signals
        signals += 1
        for meter in meters:
            amid[meter] += meter.pending.lock._is_owned()
        for _ in range(PENDING_LIMIT):  # so that each comes to its bound, and would fold
            write()

    previous = signal.signal(signal.SIGALRM, handle)
    events = 0
    deadline = time.monotonic() + DEADLINE
    try:
        while min(amid.values()) < 3:
            assert time.monotonic() < deadline, amid
            signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 1e-4))
            write()
            events += 1
            for meter in meters:
                samples_of(meter)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    events += signals * PENDING_LIMIT
    assert counter.value == samples_of(gauge)[0].value == events
    assert told(samples_of(histogram))["h_count"] == samples_of(histogram)[-1].native_histogram.count_value == events


def test_a_gc_callback_may_write():
    """One that runs amid a fold on its own thread, and fills the series that is being folded: each is counted."""
    histogram = Histogram("h", "Help.", registry=None, native_schema=3)
    calls = amid = 0

    def callback(phase, info):
        nonlocal calls, amid
        calls += 1
        amid += histogram.pending.lock._is_owned()
        for _ in range(PENDING_LIMIT):
            histogram.observe(0.1)

    threshold = gc.get_threshold()
    gc.callbacks.append(callback)
    gc.set_threshold(1)
    try:
        for _ in range(100):
            histogram.observe(0.1)
            samples_of(histogram)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(callback)
    assert amid > 10
    assert told(samples_of(histogram))["h_count"] == 100 + calls * PENDING_LIMIT


async def test_tasks_threads_and_signals_of_an_event_loop_may_write_and_collect():
    """All of them on the same meters: nobody waits for another, and no event is lost."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", ["l"], registry=registry)
    histogram = Histogram("h", "Help.", registry=registry)
    loop = asyncio.get_running_loop()
    written = 0

    def write(label):
        nonlocal written
        written += 1
        counter.labels(label).inc()
        histogram.observe(1)

    async def work(label):
        for number in range(100):
            write(label)
            await asyncio.sleep(0)
            if number % 20 == 0:
                render(registry)
                await asyncio.to_thread(render, registry)

    loop.add_signal_handler(signal.SIGALRM, write, "signal")
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        await asyncio.gather(*map(work, range(20)))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        loop.remove_signal_handler(signal.SIGALRM)
    assert sum(sample.value for sample in samples_of(counter) if sample.name == "c_total") == written >= 2_000
    assert told(samples_of(histogram))["h_count"] == written


# Where the exception strikes a gc callback of someone else's, the interpreter says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_handler_that_raises_costs_no_event_and_leaves_no_lock_held():
    """A time limit that strikes amid a write, a fold or a reading: what was written before it is all there."""
    counter = Counter("c", "Help.", registry=None)
    histogram = Histogram("h", "Help.", registry=None, native_schema=3)
    struck = written = 0

    def strike(*_):
        raise TimeoutError

    def write():  # a function, because Python 3.13 leaves the jump of a loop out of the `try` around the loop
        nonlocal written
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        for _ in range(2_000):  # the loop ends by itself where a finalizer swallowed the exception
            counter.inc()
            histogram.observe(1)
            written += 1
            if written % 10 == 0:
                samples_of(histogram)
                samples_of(counter)
        signal.setitimer(signal.ITIMER_REAL, 0)

    previous = signal.signal(signal.SIGALRM, strike)
    try:
        for _ in range(300):
            try:
                write()
            except TimeoutError:
                struck += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    readings = []
    in_another_thread(lambda: readings.append(told(samples_of(histogram))))
    in_another_thread(lambda: readings.append(told(samples_of(counter))))
    assert struck > 100
    assert readings[0]["h_sum"] == readings[0]["h_count"] == readings[0]['h_bucket{le="+Inf"}']
    assert samples_of(histogram)[-1].native_histogram.count_value == readings[0]["h_count"]
    # A strike between the writing of an event and our own counting of it leaves one more.
    assert written <= readings[0]["h_count"] <= written + struck
    assert written <= readings[1]["c_total"] <= written + struck


def test_a_signal_handler_may_collect_and_reset(nervous_scheduler):
    """What it interrupts a fold for is done by then, and counted once."""
    counter = Counter("c", "Help.", registry=None)
    histogram = Histogram("h", "Help.", registry=None, native_schema=3)
    signals = before = amid = 0

    def handle(*_):
        nonlocal signals, before, amid
        signals += 1
        amid += counter.pending.lock._is_owned() or histogram.pending.lock._is_owned()
        found = told(samples_of(histogram))
        assert found["h_sum"] == found["h_count"]
        if signals % 2:
            before += counter.value
            counter.reset()
        # One signal at a time: a second one would read what the first has read and not yet reset.
        signal.setitimer(signal.ITIMER_REAL, 0.0005)

    previous = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
    written = 0
    deadline = time.monotonic() + DEADLINE
    try:
        while amid < 20:
            assert time.monotonic() < deadline, amid
            histogram.observe(1)
            counter.inc()
            samples_of(histogram)
            samples_of(counter)
            written += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert told(samples_of(histogram))["h_count"] == written
    assert before + counter.value == written


def test_a_finalizer_may_make_a_series():
    """Even one that runs while another series is being made on its own thread."""
    counter = Counter("c", "Help.", ["l"], registry=None, max_series=10**6)

    class Garbage:
        """Counts itself away, amid whatever allocates."""

        def __init__(self):
            self.cycle = self

        def __del__(self):
            counter.labels(f"gone {id(self)}").inc()

    for number in range(3_000):
        Garbage()
        counter.labels(number).inc()
    gc.collect()
    assert sum(s.value for s in samples_of(counter) if s.name == "c_total") == 6_000


def test_an_exception_that_interrupts_a_fold_is_not_taken_for_a_strange_observation(monkeypatch, caplog):
    """It reaches the program, as a handler's time limit, and no event is lost."""
    histogram = Histogram("h", "Help.", registry=None)
    histogram.observe(1)
    histogram.observe(2)
    with monkeypatch.context() as patch:
        patch.setattr("manometer.meters.histogram.reduce", Mock(side_effect=TimeoutError))
        with pytest.raises(TimeoutError):
            samples_of(histogram)
    assert told(samples_of(histogram))["h_sum"] == 3
    assert caplog.messages == []
