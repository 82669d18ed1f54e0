"""What writes in the background: its pauses, its end, and processes that have no thread to spare."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import util
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from collected import collect
from holding import Held, StillClock, released
from manometer import Counter
from manometer.flushing import flush
from manometer.meters.fork import Forked
from manometer.processes import Worker, collector, group_registry, lifetime, onlooker
from manometer.processes import worker as module
from manometer.registry import limits, rounds, timely
from manometer.registry.collection import as_metric, to_read
from manometer.registry.timely import collect_in_time
from waiting import DEADLINE, joined, until


class Hanging(Collector):
    """A collector that does not return before it may; and which thread it hangs in."""

    def __init__(self):
        self.go_on = threading.Event()
        self.thread = None

    def describe(self):
        return []

    def collect(self):
        self.thread = threading.current_thread()
        self.go_on.wait(DEADLINE)
        return []


class Group:
    """A worker alone in its group, with a counter."""

    def __init__(self, path):
        self.registry = CollectorRegistry()
        self.counter = Counter("c", "Help.", registry=self.registry)
        self.worker = Worker.of(self.registry, str(path))

    @property
    def written(self):
        """What the counter's file says."""
        return _total(onlooker(self.worker.directory.path))


@pytest.fixture
def group(tmp_path):
    """A process that has counted nothing, and writes in the background from `start` on."""
    return Group(tmp_path / "group")


def refused(*_):
    """As `in_background` where there is no thread to be had."""
    raise RuntimeError("can't start new thread")


@pytest.fixture
def threadless(monkeypatch):
    """There is no thread to be had until the context ends."""

    with monkeypatch.context() as patch:
        patch.setattr(module, "in_background", refused)
        yield patch


def test_the_end_of_a_process_is_a_last_writing(group):
    """The thread does it, and is gone."""
    group.worker.start()
    thread = group.worker._thread
    group.counter.inc()
    group.worker.end()
    assert group.written == 1
    assert not thread.is_alive()


def test_a_process_without_threads_writes_when_it_is_asked_and_at_its_end(group, threadless, caplog):
    """As in an interpreter that allows for none; it is said."""
    group.worker.start()
    assert [record.getMessage() for record in caplog.records] == [
        "figures are written only when someone asks for them: can't start new thread"
    ]
    group.counter.inc()
    assert group.worker.flush()
    assert group.written == 1
    group.counter.inc()
    group.worker.end()
    assert group.written == 2


def test_a_child_without_threads_writes_at_its_end(group, monkeypatch):
    """Its parent had one; a fork at the end of the interpreter finds none."""
    group.worker.start()
    parent, stopped = group.worker._thread, group.worker._stopped
    with monkeypatch.context() as patch:
        patch.setattr(module, "in_background", refused)
        group.worker.rejoin(Forked.LATE)
    stopped.set()
    joined(parent)
    group.counter.inc()
    group.worker.end()
    assert group.written == 1


def test_a_thread_is_made_once_there_is_one_to_be_had(group, threadless):
    """Whoever asks for the figures tries again."""
    group.worker.start()
    threadless.undo()
    group.worker.flush()
    thread = group.worker._thread
    assert thread.is_alive()
    group.worker.flush()
    assert group.worker._thread is thread
    group.worker.stop()


def test_nobody_who_wants_no_thread_gets_one(group):
    """A flush alone writes, and no more."""
    group.worker.flush()
    assert group.worker._thread is None


def test_no_writing_keeps_a_program_from_ending(group):
    """The interpreter does not wait for the thread, but for the last writing."""
    group.worker.start()
    assert group.worker._thread.daemon
    group.worker.stop()


def test_a_flush_that_is_given_up_keeps_no_program_from_ending(group, monkeypatch):
    """It goes on in a thread that the interpreter does not wait for."""
    monkeypatch.setattr(lifetime, "all_workers", lambda: [group.worker])
    hanging = Hanging()
    group.registry.register(hanging)
    assert not flush(timeout=0.01)
    hanging.go_on.set()
    assert flush(timeout=None)
    assert (hanging.thread.name, hanging.thread.daemon) == ("manometer-collect", True)


def test_a_collector_that_hangs_costs_its_own_series_alone(group, monkeypatch):
    """The scrape of the group ends in its time, with what the others have, and it is written."""
    held, clock = Held(group.registry), StillClock()
    clock.stands_for(monkeypatch, rounds, limits)
    group.counter.inc(3)
    others = len(to_read(group.registry, ())) - 1
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(collect_in_time, group_registry(group.worker))
        assert held.entered.acquire(timeout=DEADLINE)
        clock.now += 0.3
        until(lambda: len(timely._rounds[group.registry]._current.told) == others)
        clock.now += limits.PATIENCE
        families = {family.name: family for family in map(as_metric, found.result())}
    assert [sample.value for sample in families["c"].samples if sample.name == "c_total"] == [3]
    assert "held" not in families
    assert group.written == 3
    released()


def test_a_scrape_amid_a_writing_that_is_held_up_shows_what_was_written_last(group, monkeypatch):
    """It waits for that a while, and no longer."""
    group.counter.inc(3)
    shown = group_registry(group.worker)
    assert _total(shown) == 3
    group.counter.inc()
    monkeypatch.setattr(collector, "_PATIENCE", 0.01)
    with group.worker._writing:
        assert _total(shown) == 3
    assert _total(shown) == 4


def _total(shown):
    return sum(s.value for metric in collect(shown) for s in metric.samples if s.name == "c_total")


@pytest.mark.parametrize("end", [Worker.stop, Worker.end])
def test_a_last_writing_that_takes_too_long_is_given_up(group, monkeypatch, caplog, end):
    """It is said for how long it was waited for."""
    monkeypatch.setattr(module, "_PATIENCE", 0.01)
    hanging = Hanging()
    group.registry.register(hanging)
    group.worker.start()
    thread = group.worker._thread
    end(group.worker)
    assert [record.getMessage() for record in caplog.records] == [
        "the last figures of this process may be lost: reading them takes over 0 s"
    ]
    hanging.go_on.set()
    joined(thread)


def test_the_longer_a_writing_takes_the_sooner_the_next_begins(group, monkeypatch):
    """A kill may cost the figures of a second; but at most half of the time goes to writing."""
    took = iter([0, 0.125, 0.25, 5, 0])
    now, pauses = [100.0], []

    def wait(pause):
        pauses.append(pause)
        return len(pauses) == 5

    def write():
        now[0] += next(took)

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(group.worker, "_flush", write)
    group.worker._loop(SimpleNamespace(wait=wait))
    assert pauses == pytest.approx([0.7, 0.7, 0.45, 0.25, 5])
    assert next(took, None) is None


def test_a_registry_that_is_gone_has_nothing_to_write(group):
    """The thread, which outlives it, finds no fault in that."""
    worker = group.worker
    del group.registry, group.counter
    gc.collect()
    assert worker.flush()
    assert list(worker.directory.path.iterdir()) == []


def test_what_ends_the_child_of_a_pool_comes_last():
    """What its queues do at the end, with a priority of -5, may still be counted."""
    before = set(util._finalizer_registry)
    lifetime._end_with_multiprocessing()
    (key,) = set(util._finalizer_registry) - before
    util._finalizer_registry.pop(key)
    priority, _ = key
    assert priority < -5
