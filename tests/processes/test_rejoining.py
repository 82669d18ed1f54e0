"""What a forked child begins with, tried without a fork: a worker joins again, and leaves its file to a parent."""

import gc
import os
import threading
from contextlib import ExitStack

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, Enum, GCCollector, Info
from prometheus_client.registry import Collector

from collected import collect
from manometer import Counter, Gauge, Histogram
from manometer.meters.fork import Forked
from manometer.processes import Worker, group_registry, lifetime, locked_file, onlooker
from manometer.processes.fork_baseline import counts_at_fork
from manometer.processes.locked_file import OwnFile, owner_lives


class Process:
    """A process of a group, and what the group shows."""

    def __init__(self, path):
        self.registry = CollectorRegistry()
        self.worker = Worker.of(self.registry, str(path))
        self.shown = group_registry(self.worker)
        self._parents = []

    def fork(self, forked):
        """Become a child. The parent does nothing any more, but is alive until the test's end."""
        self._parents.append(self.worker._member.file)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lifetime, "all_workers", lambda: [self.worker])
            lifetime._rejoin_workers(forked)

    def close(self):
        """Let go of every file."""
        for file in [*self._parents, self.worker._member.file]:
            file.abandon()

    def samples(self, registry=None):
        """The value of each sample of the group, by name and the values of its labels."""
        found = collect(self.shown if registry is None else registry)
        return {(s.name, *s.labels.values()): s.value for metric in found for s in metric.samples}


@pytest.fixture
def process(tmp_path):
    """A process alone in its group."""
    with ExitStack() as stack:
        made = Process(tmp_path / "group")
        stack.callback(made.close)
        yield made


def theirs(registry):
    """prometheus-client's meters that add up, a series with labels among them, each in a file by one event of 2."""
    counter = prometheus_client.Counter("c", "Help.", ["l", "m"], registry=registry)
    plain = prometheus_client.Counter("p", "Help.", registry=registry)
    histogram = prometheus_client.Histogram("h", "Help.", ["l"], registry=registry, buckets=(1, 3))
    summary = prometheus_client.Summary("s", "Help.", registry=registry)

    def write():
        for label in "xy":
            counter.labels(label, "z").inc(2)
            histogram.labels(label).observe(2)
        plain.inc(2)
        summary.observe(2)

    return write


def counted(times):
    """What so many events of each series come to."""
    buckets = {
        ("h_bucket", label, bound): times * (bound != "1.0") for label in "xy" for bound in ("1.0", "3.0", "+Inf")
    }
    return buckets | {
        ("c_total", "x", "z"): 2 * times,
        ("c_total", "y", "z"): 2 * times,
        ("p_total",): 2 * times,
        ("h_count", "x"): times,
        ("h_count", "y"): times,
        ("h_sum", "x"): 2 * times,
        ("h_sum", "y"): 2 * times,
        ("s_count",): times,
        ("s_sum",): 2 * times,
    }


@pytest.mark.parametrize("forked", [Forked.AT_ONCE, Forked.LATE])
def test_what_another_kit_counted_before_the_fork_is_counted_once(process, forked):
    """And all that comes after, in the first child and in its own."""
    write = theirs(process.registry)
    created = {key: value for key, value in process.samples(process.registry).items() if key[0].endswith("_created")}
    for generation in range(1, 4):
        write()
        process.worker.flush()
        process.fork(forked)
        found = process.samples()
        assert {key: found[key] for key in counted(0)} == counted(generation)
        assert {key: found[key] for key in created} == created
        assert found["manometer_processes",] == generation + 1


@pytest.fixture
def no_collections():
    """The garbage collector does not run by itself meanwhile."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collections")
def test_the_garbage_collector_s_counts_are_the_parent_s(process):
    """As prometheus-client has them; the child's go on from there."""
    write = theirs(process.registry)
    write()
    GCCollector(process.registry)
    name = ("python_gc_collections_total", "2")
    process.worker.flush()
    before = process.samples(process.registry)[name]
    assert before > 0
    process.fork(Forked.AT_ONCE)
    found = process.samples()
    assert before <= found[name] < 1.5 * before
    assert found["p_total",] == 2


def test_ours_begin_at_zero(process):
    """What the parent had to show stays, and what the child counts is added; a gauge is of each."""
    counter = Counter("c", "Help.", registry=process.registry)
    histogram = Histogram("h", "Help.", registry=process.registry, buckets=(1, 2), native_schema=3)
    gauge = Gauge("g", "Help.", registry=process.registry, multiprocess_mode="sum")
    for expected in (2, 4):
        counter.inc(2)
        histogram.observe(2)
        gauge.set(2)
        found = process.samples()
        assert [found[name,] for name in ("c_total", "h_sum", "g")] == [expected] * 3
        process.fork(Forked.AT_ONCE)
        for meter in (counter, histogram, gauge):
            meter.renew(Forked.AT_ONCE)


def test_a_fork_that_is_noticed_late_takes_off_what_the_parent_had_written(process):
    """What came between the last writing and the fork is in the child's figures, and there alone; all add up."""
    single = CollectorRegistry()
    both = [
        (
            Counter("c", "Help.", registry=registry),
            Histogram("h", "Help.", registry=registry, buckets=(1, 2), native_schema=3),
        )
        for registry in (process.registry, single)
    ]

    def write(amount):
        for counter, histogram in both:
            counter.inc(amount)
            for each in (amount, -amount / 2, 0):
                histogram.observe(each)

    def told(registry):
        samples = [s for metric in collect(registry) for s in metric.samples]
        (native,) = [s.native_histogram for s in samples if s.native_histogram]
        return {s.name: s.value for s in samples if s.name in ("c_total", "h_sum", "h_count")} | native._asdict()

    def compare():
        assert told(process.shown) == told(single)

    write(2)
    compare()
    write(4)
    process.fork(Forked.LATE)
    write(8)
    compare()
    both[0][0].reset()
    write(16)
    compare()


def test_a_fork_that_is_noticed_late_takes_off_what_has_gone_since_as_well(process):
    """Whatever label values a family kept it under then, and keeps it under now; a dead meter's too."""
    few = {"registry": process.registry, "max_series": 2}
    counter = Counter("m", "Help.", ["l"], **few)
    histogram = Histogram("h", "Help.", ["l"], buckets=(1,), native_schema=0, **few)
    events = 0

    def write(*labels):
        nonlocal events
        for label in labels:
            counter.labels(label).inc()
            histogram.labels(label).observe(1)
            events += 1

    def compare():
        found = process.samples()
        for name in ("m_total", "h_count", "h_sum"):
            assert sum(value for key, value in found.items() if key[0] == name) == events

    write("a", "b", "c")
    counter.clear()
    histogram.clear()
    write("d", "e", "e")
    compare()
    write("d")
    for meter in (counter, histogram):
        meter.remove("d")
    process.fork(Forked.LATE)
    write("d", "f")
    for meter in (counter, histogram):
        meter.clear()
    write("e", "g")
    compare()
    process.registry.unregister(counter)
    compare()
    del counter
    gc.collect()
    counter = Counter("m", "Help.", ["l"], **few)
    write("e")
    compare()


def test_an_heir_goes_on_with_what_its_parent_never_wrote(process):
    """As uWSGI's first worker does with what its master counted."""
    write = theirs(process.registry)
    counter = Counter("ours", "Help.", registry=process.registry)
    write()
    counter.inc(2)
    process.fork(Forked.HEIR)
    write()
    found = process.samples()
    assert {key: found[key] for key in counted(0)} == counted(2)
    assert found["ours_total",] == 2
    assert found["manometer_processes",] == 1


def test_a_collector_of_another_kit_is_not_read_at_the_fork(process):
    """It may do anything. A gauge may call the program; neither says what the parent counted."""

    class Foreign(Collector):
        def describe(self):
            return []

        def collect(self):
            pytest.fail("it was read")

    process.registry.register(Foreign())
    prometheus_client.Gauge("g", "Help.", registry=process.registry).set_function(lambda: pytest.fail("it was read"))
    assert counts_at_fork(process.registry, 1.0) == []


def test_a_meter_without_series_has_nothing_to_inherit(process):
    """One that has labels has none at first."""
    prometheus_client.Counter("c", "Help.", ["l"], registry=process.registry)
    assert counts_at_fork(process.registry, 1.0) == []


def test_the_locks_of_another_kit_s_meters_are_freed(process, monkeypatch):
    """Of those that are not read too, of each series, and of each bucket; whichever thread held them."""
    gauge = prometheus_client.Gauge("g", "Help.", ["l"], registry=process.registry)
    histogram = prometheus_client.Histogram("h", "Help.", ["l"], registry=process.registry, buckets=(1, 2))
    plain = prometheus_client.Histogram("plain", "Help.", registry=process.registry, buckets=(1, 2))
    states = Enum("e", "Help.", ["l"], registry=process.registry, states=["on"])
    series = [gauge.labels("x"), gauge.labels("y"), histogram.labels("x"), plain]
    values = [part for each in series[2:] for part in (*each._buckets, each._sum)] + [
        each._value for each in series[:2]
    ]
    meters = [gauge, histogram, states, states.labels("x"), Info("i", "Help.", registry=process.registry)]
    locks = [each._lock for each in (*meters, *values)]
    holder = threading.Thread(target=lambda: [lock.acquire() for lock in locks])
    holder.start()
    holder.join()
    monkeypatch.setattr("prometheus_client.values.ValueClass._multiprocess", True)  # so that none is read
    assert counts_at_fork(process.registry, 1.0) == []
    assert [lock.acquire(blocking=False) for lock in locks] == [True] * len(locks)


def test_a_fault_at_the_fork_is_logged_and_leaves_a_working_child(process, monkeypatch, caplog):
    """What the parent had is counted again, which the log says."""
    write = theirs(process.registry)
    write()
    process.worker.flush()
    monkeypatch.setattr("manometer.processes.member.counts_at_fork", lambda *_: 1 / 0)
    process.fork(Forked.AT_ONCE)
    assert [record.getMessage() for record in caplog.records] == [
        "what prometheus-client's counters had before the fork is counted in the child as well"
    ]
    assert caplog.records[0].exc_info[0] is ZeroDivisionError
    assert process.samples()["p_total",] == 4


def test_a_child_has_a_thread_where_its_parent_had_one(process):
    """Of its own, for as long as someone wants it."""
    process.worker.start()
    parent, stopped = process.worker._thread, process.worker._stopped
    process.fork(Forked.AT_ONCE)
    child = process.worker._thread
    stopped.set()  # as no thread of the parent's is there
    parent.join()
    assert child is not parent
    assert child.is_alive()
    process.worker.stop()
    assert not child.is_alive()


def test_a_child_tells_its_faults_anew(process, caplog):
    """Those of its parent are the parent's to tell, and to have ended."""
    process.worker.faults.unwritten(process.worker.directory.path, OSError("full"))
    process.fork(Forked.AT_ONCE)
    process.worker.faults.unwritten(process.worker.directory.path, OSError("full"))
    assert [record.getMessage().partition(" (")[0] for record in caplog.records] == [
        f"figures cannot be written to {process.worker.directory.path}"
    ] * 2


def test_an_interpreter_that_ends_leaves_the_group(process):
    """Its process, which may live on, writes no more for it."""
    counter = Counter("c", "Help.", registry=process.registry)
    counter.inc()
    process.worker.flush()
    process.worker.leave()
    counter.inc()
    assert process.worker.flush()
    found = process.samples(onlooker(process.worker.directory.path))
    assert (found["c_total",], found["manometer_processes",]) == (1, 0)


def test_the_locks_of_the_parent_s_files_are_let_go(tmp_path, monkeypatch):
    """A child has copies of all that were open, which would keep them; but not what has taken a number since."""
    monkeypatch.setattr(locked_file, "_copied", {})
    closed, kept, other = (OwnFile(tmp_path / name) for name in ("closed", "kept", "other"))
    for file in (closed, kept, other):
        file.write(b"x")
    os.close(closed._file)
    os.dup2(other._file, kept._file)  # the program has another file under that number
    held = os.open(other.path, os.O_RDONLY)
    assert owner_lives(other.path, held)
    locked_file._let_go(Forked.LATE)
    assert locked_file._copied == {}
    assert os.path.samestat(os.fstat(kept._file), other.path.stat())
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(other._file)
    number = kept._file
    kept.abandon()
    assert os.path.samestat(os.fstat(number), other.path.stat())
    os.close(number)
    assert not owner_lives(other.path, held)
    os.close(held)
