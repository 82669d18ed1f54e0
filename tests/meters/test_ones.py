"""Increments by one are counted in chunks, and none is lost or doubled where a chunk ends."""

import gc
import signal
import sys
import threading
import time

import prometheus_client
import pytest

import manometer
from manometer import Counter
from manometer.meters import ones as ones_module
from manometer.meters.ones import CHUNK, Ones
from waiting import DEADLINE, joined

TOTALS = [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 5 * CHUNK + 3]


@pytest.mark.parametrize("total", TOTALS)
def test_each_one_is_counted(total):
    """Whether anyone looks on the way or not."""
    looked_at, unseen = (Counter("c", "Help.", registry=None) for _ in range(2))
    for number in range(1, total + 1):
        looked_at.inc()
        unseen.inc()
        assert looked_at.value == number
    assert unseen.value == total
    assert unseen.pending.events == []


def test_a_full_chunk_that_another_writer_replaced_is_left():
    """A thread that comes late goes on with the chunk that is there now, however full that is."""
    ones = Ones()
    first = ones.chunk
    for _ in range(CHUNK):
        assert next(first, False)
    assert (next(first, False), ones.value) == (False, CHUNK)
    second = ones.after(first)
    assert (ones.after(first), ones.value) == (second, CHUNK + 2)
    for _ in range(CHUNK - 2):
        assert next(second, False)
    third = ones.after(first)
    assert (third is not second, ones.chunk is third, ones.value) == (True, True, 2 * CHUNK + 1)


def test_a_writer_notices_a_fork_now_and_then(monkeypatch):
    """A child that was forked in C and does nothing but count comes by at the end of each chunk."""
    calls = []
    monkeypatch.setattr(ones_module, "notice_aside", lambda: calls.append(None))
    counter = Counter("c", "Help.", registry=None)
    for _ in range(10 * CHUNK):
        counter.inc()
    assert len(calls) == 9


def test_threads_that_end_a_chunk_together_count_each_one_once():
    """Four of them, which take turns every microsecond, and a reader, for whom no total falls."""
    counter = Counter("c", "Help.", registry=None)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        writers = [threading.Thread(target=lambda: [counter.inc() for _ in range(20 * CHUNK)]) for _ in range(4)]
        for writer in writers:
            writer.start()
        before = 0
        while any(writer.is_alive() for writer in writers):
            now = counter.value
            assert now >= before
            before = now
        joined(*writers)
    finally:
        sys.setswitchinterval(interval)
    assert counter.value == 80 * CHUNK


def test_what_interrupts_the_end_of_a_chunk_may_count():
    """A gc callback and a signal handler that count on the very series."""
    counter = Counter("c", "Help.", registry=None)
    calls = signals = events = 0

    def callback(*_):
        nonlocal calls
        calls += 1
        for _ in range(CHUNK):
            counter.inc()

    def handle(*_):
        nonlocal signals
        signals += 1
        for _ in range(CHUNK + 1):
            counter.inc()

    threshold = gc.get_threshold()
    previous = signal.signal(signal.SIGALRM, handle)
    gc.callbacks.append(callback)
    gc.set_threshold(1)
    deadline = time.monotonic() + DEADLINE
    try:
        while signals < 100:
            assert time.monotonic() < deadline
            signal.setitimer(signal.ITIMER_REAL, 2e-5)
            for _ in range(50):
                counter.inc()
                events += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        gc.set_threshold(*threshold)
        gc.callbacks.remove(callback)
        signal.signal(signal.SIGALRM, previous)
    assert counter.value == events + calls * CHUNK + signals * (CHUNK + 1)


@pytest.mark.usefixtures("whole_stack")
def test_a_chunk_that_ends_at_the_end_of_the_stack_loses_nothing():
    """Where there is room for a write and none for more, the one waits as an event of its own."""
    counter = Counter("c", "Help.", registry=None)
    written = 0

    def deep(depth, call):
        return deep(depth - 1, call) if depth else call()

    def write():
        nonlocal written
        counter.inc()
        written += 1

    def room():
        """How deep a write comes that ends no chunk."""
        depth = sys.getrecursionlimit()
        while True:
            try:
                deep(depth, write)
            except RecursionError:
                depth -= 1
            else:
                return depth

    deepest = room()
    for depth in range(deepest - 20, deepest + 1):
        while written % CHUNK:
            write()
        deep(depth, write)
    assert counter.value == written


@pytest.mark.parametrize("whole", [0.1, 1, 1e16])
def test_once_there_is_another_amount_the_order_counts(whole):
    """A float sum depends on it, so it is prometheus-client's to the last bit; in a class of one's own, too."""

    class Own(Counter):
        def inc(self, amount=1, exemplar=None):
            super().inc(amount, exemplar)

    kits = (manometer.Counter, Own, prometheus_client.Counter)
    counters = [kind("c", "Help.", registry=None) for kind in kits]
    for counter in counters:
        for amount in [1, 1, 1, whole, 1, 1, 0.7, 1, 1e-17, 1, whole, 1, 1, 0.1, *[1] * 300, 0.3]:
            counter.inc(amount)
    totals = {
        counter.collect()[0].samples[0].value if type(counter) is kits[2] else counter.value for counter in counters
    }
    assert len(totals) == 1
