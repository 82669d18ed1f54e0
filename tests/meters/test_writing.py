"""Writes are atomic, bounded and never wait."""

import gc
import signal
import sys
import threading

import pytest

from manometer import Counter, Gauge, Histogram
from manometer.meters.pending import PENDING_AT_MOST, PENDING_LIMIT


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


def test_sum_count_and_buckets_agree_in_every_collection(nervous_scheduler):
    """Four writers of the value 1: in each reading, the sum is the count is the last bucket."""
    histogram = Histogram("h", "Help.", registry=None, buckets=(0.5, 1, 2))
    counter = Counter("c", "Help.", registry=None)
    events = 20_000

    def write():
        for _ in range(events):
            histogram.observe(1)
            counter.inc()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = {sample.name + sample.labels.get("le", ""): sample.value for sample in samples_of(histogram)}
        assert found["h_sum"] == found["h_count"] == found["h_bucket+Inf"] == found["h_bucket1.0"]
    for writer in writers:
        writer.join()
    assert counter.value == 4 * events
    assert {s.value for s in samples_of(histogram) if s.name == "h_count"} == {4.0 * events}


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


def test_writers_let_a_fold_that_lags_behind_get_on(monkeypatch):
    """While another thread folds, events pile up to a fixed number, and no further."""
    histogram = Histogram("h", "Help.", registry=None)
    pending = histogram.pending
    monkeypatch.setattr("manometer.meters.pending.sleep", lambda _: pending.drain())  # the other thread's turn
    events = 3 * PENDING_AT_MOST
    with pending.lock:
        for _ in range(events):
            histogram.observe(1)
            assert len(pending.events) < PENDING_AT_MOST
    assert {s.value for s in samples_of(histogram) if s.name == "h_count"} == {float(events)}


def test_ticks_and_increments_add_up():
    """A tick is an increment by one, before and after a reset, on labelled series too."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    series = counter.labels("x")
    series.tick()
    series.inc(0.5)
    assert series.value == 1.5
    series.reset()
    series.tick()
    assert series.value == 1
    with pytest.raises(ValueError, match="missing label values"):
        counter.tick()


def test_a_signal_handler_may_write_to_the_series_that_it_interrupts():
    """A timer signal that counts on the same meters as the main thread loses and doubles nothing."""
    counter = Counter("c", "Help.", registry=None)
    gauge = Gauge("g", "Help.", registry=None)
    signals = []

    def handle(*_):
        signals.append(1)
        counter.inc()
        gauge.inc()

    previous = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    events = 0
    try:
        while len(signals) < 30:
            counter.inc()
            gauge.inc()
            events += 1
            if events % 100 == 0:
                samples_of(counter)
                samples_of(gauge)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert counter.value == events + len(signals)
    assert samples_of(gauge)[0].value == events + len(signals)


def test_a_gc_callback_may_write():
    """Collections forced amid writes and readings end, and each is counted."""
    histogram = Histogram("h", "Help.", registry=None)
    collections = []

    def callback(phase, info):
        collections.append(phase)
        histogram.observe(0.1)

    gc.callbacks.append(callback)
    try:
        for _ in range(100):
            histogram.observe(0.1)
            gc.collect(0)
            samples_of(histogram)
    finally:
        gc.callbacks.remove(callback)
    assert [s.value for s in samples_of(histogram) if s.name == "h_count"] == [100 + len(collections)]


# Where the exception strikes a gc callback of someone else's, the interpreter says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_handler_that_raises_leaves_no_lock_held():
    """A time limit that strikes amid a fold or a reading costs at most the events under way."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    histogram = Histogram("h", "Help.", registry=None)
    struck = 0

    def strike(*_):
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, strike)
    try:
        for _ in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0005)
                for _ in range(2_000):  # where the exception struck a finalizer, it is gone, and the loop ends
                    counter.labels("x").inc()
                    histogram.observe(1)
                    samples_of(histogram)
                    samples_of(counter)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except TimeoutError:
                struck += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    reader = threading.Thread(target=lambda: [samples_of(meter) for meter in (counter, histogram)], daemon=True)
    reader.start()
    reader.join(10)
    assert struck > 100
    assert not reader.is_alive()


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


def test_an_observation_that_is_no_real_number_costs_no_other(caplog):
    """It is lost and logged; the series goes on."""
    histogram = Histogram("h", "Help.", registry=None)
    histogram.observe(1)
    histogram.observe(1j)
    histogram.observe(2)
    found = {s.name: s.value for s in samples_of(histogram)}
    assert (found["h_count"], found["h_sum"]) == (2, 3)
    assert "no real numbers" in caplog.text


def test_label_values_past_the_cap_fold_and_are_counted():
    """A flood of label values ends in `other`; what was there before goes on as it was."""
    folded = []
    counter = Counter("c", "Help.", ["user", "path"], registry=None, max_series=3, on_fold=folded.append)
    for user in range(10):
        counter.labels(user, "/").inc()
    counter.labels(0, "/").inc()
    found = {tuple(s.labels.values()): s.value for s in samples_of(counter) if s.name == "c_total"}
    assert found == {("0", "/"): 2, ("1", "/"): 1, ("2", "/"): 1, ("other", "other"): 7}
    assert folded == ["c"] * 7


def test_a_child_is_shared():
    """The same label values, by position or name, are the same series."""
    counter = Counter("c", "Help.", ["a", "b"], registry=None)
    assert counter.labels("x", 1) is counter.labels(b="1", a="x")
