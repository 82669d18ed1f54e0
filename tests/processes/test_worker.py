"""A process's part in a group: its figures go to the others from its own memory, whatever happens to it."""

import errno
import gc
import json
import logging
import math
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from queue import Queue
from typing import get_args

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, GCCollector, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.samples import Exemplar, NativeHistogram, Sample
from prometheus_client.values import MultiProcessValue

from collected import collect
from forking import forked, in_child
from manometer import Counter, Gauge, Histogram, flush, render
from manometer.errors import ConfigError, IncompleteError
from manometer.meters.gauge import MultiprocessMode
from manometer.processes import Worker, group_registry, onlooker
from waiting import DEADLINE, joined, readable, until

ENDED = ["ended-copy.manometer", "ended.manometer"]
"""The files of those that ended."""


def value(registry, name, **labels):
    """The value of the one sample of that name that has at least these labels; None for none."""
    found = [
        sample.value
        for metric in collect(registry)
        for sample in metric.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(found) < 2, f"{name}{labels} is not one series"
    return found[0] if found else None


def file_failures(registry, operation):
    """How many files of figures could not be read, or written."""
    return value(registry, "manometer_process_file_failures_total", manometer_process_file_operation=operation)


@pytest.fixture
def path(tmp_path):
    """A directory for a group, which its first worker makes."""
    return tmp_path / "group"


def test_any_worker_shows_all(path):
    """And so does a process that is none: both see what has been written last."""
    registries = [CollectorRegistry() for _ in range(3)]
    counters = [Counter("c", "Help.", registry=registry) for registry in registries]
    workers = [Worker.of(registry, str(path)) for registry in registries]
    for amount, (counter, worker) in enumerate(zip(counters, workers, strict=True), 1):
        counter.inc(amount)
        worker.flush()
    for registry in (*map(group_registry, workers), onlooker(path)):
        assert value(registry, "c_total") == 6
        assert value(registry, "manometer_processes") == 3
    text, _ = render(group_registry(workers[0]))
    assert b"# HELP c_total Help.\n# TYPE c_total counter\nc_total 6.0\n" in text


def test_a_process_is_one_worker_of_a_directory(path):
    """However often it joins, its figures count once."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc()
    assert Worker.of(registry, str(path)) is Worker.of(registry, str(path))
    assert value(group_registry(Worker.of(registry, str(path))), "c_total") == 1


def test_figures_are_written_in_the_background(path):
    """Without a scrape, and no more once stopped; a stop writes what is left."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", registry=registry)
    worker = Worker.of(registry, str(path))
    worker.start()
    shown = onlooker(path)
    counter.inc()
    until(lambda: value(shown, "c_total") == 1)
    worker.start()
    worker.stop()
    assert any(thread.name == "manometer-processes" for thread in threading.enumerate())
    counter.inc()
    worker.stop()
    assert value(shown, "c_total") == 2
    assert not any(thread.name == "manometer-processes" for thread in threading.enumerate())


def test_a_directory_that_was_removed_is_made_again(path):
    """With the one that it was in, as by a clean-up that did not know of the live processes."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc()
    worker = Worker.of(registry, str(path / "inner"))
    worker.flush()
    shutil.rmtree(path)
    assert value(group_registry(worker), "c_total") == 1


@pytest.mark.parametrize("scraped_before", [True, False])
def test_a_group_whose_directory_was_removed_is_incomplete_until_each_has_written_again(path, scraped_before):
    """No scrape shows a total without those that have not."""
    registries = [CollectorRegistry() for _ in range(2)]
    for registry in registries:
        Counter("c", "Help.", registry=registry).inc()
    workers = [Worker.of(registry, str(path)) for registry in registries]
    for worker in workers[::-1]:
        worker.flush()
    shown = group_registry(workers[0])
    if scraped_before:
        assert value(shown, "c_total") == 2
    shutil.rmtree(path)
    with pytest.raises(IncompleteError, match="its process has not written again"):
        value(shown, "c_total")
    workers[1].flush()
    assert value(shown, "c_total") == 2


def test_a_directory_that_cannot_be_made_is_a_mistake_of_the_settings(tmp_path):
    """The error names it."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigError, match=r"processes_dir .*file/group cannot be made"):
        Worker.of(CollectorRegistry(), str(file / "group"))


def test_a_gauge_s_most_recent_value_is_the_one_set_last(path):
    """Not the one that was written last; one that was never set has none."""
    registries = [CollectorRegistry() for _ in range(3)]
    gauges = [Gauge("g", "Help.", ["l"], registry=each, multiprocess_mode="mostrecent") for each in registries]
    workers = [Worker.of(registry, str(path)) for registry in registries]
    gauges[1].labels("x").set(1)
    gauges[0].labels("x").set(2)
    gauges[2].labels("x")
    for order in (workers, workers[::-1]):
        for worker in order:
            worker.flush()
        assert value(onlooker(path), "g") == 2
    with pytest.raises(RuntimeError, match="inc must not be used with the mostrecent mode"):
        gauges[0].labels("x").inc()
    with pytest.raises(ValueError, match="Invalid multiprocess mode: lately"):
        Gauge("other", "Help.", registry=None, multiprocess_mode="lately")


def test_a_series_that_starts_again_or_goes_makes_no_total_fall(path):
    """A reset, a removal, a replacement, and a collector that fails once."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", ["l"], registry=registry)
    histogram = Histogram("h", "Help.", registry=registry, buckets=(1, 2))
    gauge = Gauge("g", "Help.", registry=registry, multiprocess_mode="sum")

    class Fragile:
        whole = True

        def collect(self):
            if not self.whole:
                raise RuntimeError("gone for a moment")
            metric = Metric("f", "Help.", "counter")
            metric.samples = [Sample("f_total", {}, 50)]
            return [metric]

    fragile = Fragile()
    registry.register(fragile)
    shown = group_registry(Worker.of(registry, str(path)))

    def totals():
        return [value(shown, name) for name in ("c_total", "h_count", "h_sum", "f_total", "g")]

    counter.labels("x").inc(10)
    histogram.observe(1)
    gauge.set(5)
    assert totals() == [10, 1, 1, 50, 5]
    counter.labels("x").reset()
    histogram.clear()
    gauge.set(2)
    fragile.whole = False
    assert totals() == [10, 1, 1, 50, 2]
    counter.labels("x").inc(3)
    fragile.whole = True
    assert totals() == [13, 1, 1, 50, 2]
    counter.remove("x")
    assert totals() == [13, 1, 1, 50, 2]
    counter.labels("x").inc(4)
    assert totals() == [17, 1, 1, 50, 2]
    registry.unregister(histogram)
    registry.unregister(gauge)
    assert totals() == [17, 1, 1, 50, None]


def test_series_that_come_and_go_are_bounded(path, monkeypatch):
    """Past the cap, those of another kit that went are added to `other`."""
    monkeypatch.setattr("manometer.processes.resets.SERIES_CAP", 3)
    registry = CollectorRegistry()
    counter = prometheus_client.Counter("c", "Help.", ["l"], registry=registry)
    worker = Worker.of(registry, str(path))
    shown = group_registry(worker)
    for number in range(20):
        counter.labels(number).inc()
        worker.flush()
        counter.remove(number)
    found = {
        s.labels["l"]: s.value for metric in collect(shown) for s in metric.samples if s.name == "c_total" and s.value
    }
    assert sum(found.values()) == 20
    assert len(found) == 3 + 3 + 1
    assert found["other"] == 14
    assert value(shown, "manometer_label_folds_total", manometer_family_name="c") >= 14


def test_a_directory_that_this_user_may_not_write_to_is_a_mistake_of_the_settings():
    """As one that a master made before its workers became another user; said at once, not with the first scrape."""
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        if user == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(ConfigError, match=r"processes_dir .* takes no files from this user; make it theirs"):
                Worker.of(CollectorRegistry(), folder)
        finally:
            os.seteuid(user)


def test_a_directory_that_became_a_file_is_gone_through(path):
    """Nothing of this process is there to be shown, so nothing is; with the file's end all is there again."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", registry=registry)
    shown = group_registry(Worker.of(registry, str(path)))
    counter.inc()
    assert value(shown, "c_total") == 1
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    path.touch()
    for _ in range(2):
        with pytest.raises(IncompleteError) as raised:
            collect(shown)
        assert str(raised.value) == (
            f"process {os.getpid()} cannot write its figures to {path}, so they would be missing; "
            "its log says why; where it lacks the right, let its user write there"
        )
    path.unlink()
    assert value(shown, "c_total") == 1
    assert file_failures(shown, "write") == 4


# --- forks


def test_a_forked_child_is_a_worker_of_its_own(path):
    """From zero, with a thread of its own; neither the parent's end nor the child's takes the other's part away."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", registry=registry)
    worker = Worker.of(registry, str(path))
    worker.start()
    counter.inc(100)
    shown = group_registry(worker)
    assert value(shown, "c_total") == 100
    go_on, written = os.pipe()

    def child():
        os.close(written)
        counter.inc(5)
        os.read(go_on, 1)

    with forked(child):
        os.close(go_on)
        until(lambda: value(shown, "c_total") == 105)
        assert value(shown, "manometer_processes") == 2
        os.close(written)
    until(lambda: value(shown, "manometer_processes") == 1)
    assert value(shown, "c_total") == 105
    assert len(list(path.iterdir())) == 1 + len(ENDED)
    worker.stop()


def test_a_fork_in_the_midst_of_scrapes_and_writes_leaves_a_working_child(path):
    """Each child scrapes and counts at once; at the end all is there that each has written."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", ["l"], registry=registry)
    shown = group_registry(Worker.of(registry, str(path)))
    stop = threading.Event()

    def work():
        while not stop.is_set():
            counter.labels("parent").inc()
            render(shown)

    def child():
        counter.labels("child").inc()
        assert value(shown, "c_total", l="child") >= 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(15):
            in_child(child)
    finally:
        stop.set()
        joined(*threads)
    assert value(shown, "c_total", l="child") == 15
    assert value(shown, "c_total", l="parent") == counter.labels("parent").value
    assert len(list(path.iterdir())) == 1 + len(ENDED)


def test_a_writing_looks_for_no_module(path, monkeypatch):
    """Who looks for one holds a lock meanwhile, and a child that is forked then would wait for it for ever."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc()
    worker = Worker.of(registry, str(path))
    sought = []

    class Finder:
        def find_spec(self, name, *_):
            sought.append(name)

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    worker.flush()
    assert value(group_registry(worker), "c_total") == 1
    assert sought == []


def test_what_another_kit_counted_before_a_fork_is_the_parent_s(path):
    """In the child it goes on, or starts again, and is counted once; whoever held its locks at the fork."""
    registry = CollectorRegistry()
    GCCollector(registry)
    counters = [prometheus_client.Counter(name, "Help.", ["l"], registry=registry) for name in ("on", "anew", "gone")]
    on, anew, gone = (counter.labels("x") for counter in counters)
    histogram = prometheus_client.Histogram("h", "Help.", registry=registry, buckets=(1, 2))
    summary = prometheus_client.Summary("s", "Help.", registry=registry)
    gauge = prometheus_client.Gauge("g", "Help.", registry=registry, multiprocess_mode="livemax")
    shown = group_registry(Worker.of(registry, str(path)))

    def write(amount):
        for counter in (on, anew, gone):
            counter.inc(amount)
        for each in (histogram, summary):
            each.observe(amount)
        gauge.set(amount)

    names = ("on_total", "anew_total", "gone_total", "h_count", "h_sum", "s_count", "s_sum", "g")
    for _ in range(2):
        write(50)
    gc.collect()
    assert [value(shown, name) for name in names] == [100, 100, 100, 2, 100, 2, 100, 50]

    def child():
        anew.reset()
        counters[2].remove("x")
        write(3)
        value(shown, "on_total")

    with ExitStack() as locks:
        for each in (*counters, on._value, histogram._sum, histogram._buckets[1], summary._count):
            locks.enter_context(each._lock)
        in_child(child)
    assert [value(shown, name) for name in names] == [103, 103, 100, 3, 103, 3, 103, 50]
    collections = value(shown, "python_gc_collections_total", generation="2")
    assert 0 < collections < 1.5 * gc.get_stats()[2]["collections"]


def test_a_fork_calls_no_function_of_a_gauge(path):
    """It may wait for a lock that another thread held at the fork, as a queue's; the child could not end that."""
    registry = CollectorRegistry()
    queue = Queue()
    gauge = prometheus_client.Gauge("g", "Help.", ["l"], registry=registry, multiprocess_mode="sum")
    gauge.labels("x").set_function(queue.qsize)
    counter = prometheus_client.Counter("c", "Help.", registry=registry)
    counter.inc(50)
    shown = group_registry(Worker.of(registry, str(path)))
    assert value(shown, "c_total") == 50

    def child():
        queue.mutex._at_fork_reinit()
        gauge.labels("y").set(2)
        counter.inc(3)
        value(shown, "c_total")

    with queue.mutex, gauge._lock:
        in_child(child)
    assert value(shown, "c_total") == 53
    assert value(shown, "g", l="y") == 2


def test_a_fork_reads_none_of_prometheus_client_s_files(path, tmp_path, monkeypatch):
    """They have one lock, out of reach, which another thread may have held."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    lock = threading.Lock()
    with monkeypatch.context() as patch:
        patch.setattr("prometheus_client.values.Lock", lambda: lock)
        patch.setattr("prometheus_client.values.ValueClass", MultiProcessValue())
        registry = CollectorRegistry()
        prometheus_client.Counter("c", "Help.", registry=registry).inc()
        Worker.of(registry, str(path))
        with lock:
            in_child(lambda: None)


PROGRAM = """
import os, signal, sys, time, warnings
warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
from prometheus_client import REGISTRY
from manometer import Counter
from manometer.processes import Worker
counter = Counter("c", "Help.")
worker = Worker.of(REGISTRY, sys.argv[1])
worker.start()
counter.inc(7)
"""


def program(path, *lines):
    """Run a worker of a group that does these things, and return how it ended."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + "\n".join(lines), str(path)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode


def test_a_process_writes_what_it_has_before_it_ends(path):
    """At once, by a normal end, by SystemExit, and as the child of a fork or of multiprocessing."""
    assert program(path) == 0
    assert value(onlooker(path), "c_total") == 7
    assert program(path, "raise SystemExit(3)") == 3
    assert value(onlooker(path), "c_total") == 14
    assert program(path, "if os.fork() == 0:", "    counter.inc(100)", "else:", "    os.wait()") == 0
    assert value(onlooker(path), "c_total") == 121
    assert sorted(file.name for file in path.iterdir()) == ENDED


@pytest.mark.parametrize(("flush", "counted"), [("manometer.flush()", 107), ("pass", 7)])
def test_a_flush_writes_what_a_process_has_before_it_ends_at_once(path, flush, counted):
    """`os._exit` runs no code of anyone's, so without the call the last second is lost."""
    fork = (
        "import manometer",
        "if os.fork() == 0:",
        "    counter.inc(100)",
        f"    {flush}",
        "    os._exit(0)",
        "os.wait()",
    )
    assert program(path, *fork) == 0
    assert value(onlooker(path), "c_total") == counted


def test_a_flush_says_whether_all_is_written(path, monkeypatch):
    """With a full disk it is not, and neither within the time given where a collector hangs."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", registry=registry)
    worker = Worker.of(registry, str(path))
    monkeypatch.setattr("manometer.processes.lifetime.all_workers", lambda: [worker])
    counter.inc()
    assert flush()
    assert value(onlooker(path), "c_total") == 1
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        counter.inc()
        assert not flush()
    go_on = threading.Event()

    class Stuck:
        def describe(self):
            return []

        def collect(self):
            go_on.wait()
            return []

    registry.register(Stuck())
    assert not flush(timeout=0.01)
    go_on.set()
    assert flush(timeout=None)


def test_a_flush_of_a_process_that_shares_nothing_is_done(monkeypatch):
    """There is nothing to write."""
    monkeypatch.setattr("manometer.processes.lifetime.all_workers", list)
    assert flush()


CHILDREN = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from prometheus_client import REGISTRY
from manometer import Counter

counter = Counter("c", "Help.")

def work(directory):
    from manometer.processes import Worker
    Worker.of(REGISTRY, directory).start()
    counter.inc()

if __name__ == "__main__":
    directory, method = sys.argv[1:]
    context = multiprocessing.get_context(method)
    children = [context.Process(target=work, args=(directory,)) for _ in range(3)]
    for each in children:
        each.start()
    for each in children:
        each.join()
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        list(pool.map(work, [directory] * 20))
    work(directory)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_of_multiprocessing_writes_what_it_has_before_it_ends(path, method):
    """However it is made, by a Process or by a pool of them, and whether it joins before the work or with it."""
    script = path.with_name("children.py")
    script.write_text(CHILDREN)
    subprocess.run([sys.executable, str(script), str(path), method], timeout=DEADLINE, check=True)
    assert value(onlooker(path), "c_total") == 3 + 20 + 1
    assert sorted(file.name for file in path.iterdir()) == ENDED


STUCK = """
import logging, sys, threading
from prometheus_client import REGISTRY
import manometer
from manometer.processes import Worker, worker as module

class Stuck:
    def describe(self): return []
    def collect(self): threading.Event().wait()

module._PATIENCE = 0.1
logging.basicConfig(format="%(message)s")
counter = manometer.Counter("c", "Help.")
worker = Worker.of(REGISTRY, sys.argv[1])
counter.inc(7)
worker.flush()
"""


@pytest.mark.parametrize("start", ["worker.start()", "manometer.start(port=0, processes_dir=sys.argv[1])"])
def test_a_collector_that_never_returns_does_not_keep_a_process_from_ending(path, start):
    """Its last figures are given up, once; those that were written before are there."""
    lines = (start, "REGISTRY.register(Stuck())", "counter.inc(100)")
    done = subprocess.run(
        [sys.executable, "-c", STUCK + "\n".join(lines), str(path)],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    assert re.fullmatch("the last figures of this process may be lost: .*\n", done.stderr)
    assert value(onlooker(path), "c_total") == 7


PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"


def test_native_histograms_of_workers_are_one_in_protobuf(path, families):
    """Of a parent and three children, all ended, and of one that lives: what a single process would show."""
    lines = (
        "import random",
        "from manometer import Histogram",
        "h = Histogram('h', 'Help.', buckets=(1, 2), native_schema=5, max_native_buckets=30)",
        "def observe(number):",
        "    chance = random.Random(number)",
        "    for _ in range(500): h.observe(int(1000 * chance.lognormvariate(0, number)) / 1024)",
        "observe(0)",
        "for number in (1, 2, 3):",
        "    if os.fork() == 0: observe(number); sys.exit()",
        "for _ in range(3): os.wait()",
    )
    assert program(path, *lines) == 0
    live, single = CollectorRegistry(), CollectorRegistry()
    native = {"buckets": (1, 2), "native_schema": 5, "max_native_buckets": 30}
    mine, one = (Histogram("h", "Help.", registry=registry, **native) for registry in (live, single))
    for number in range(5):
        chance = random.Random(number)
        for _ in range(500):
            amount = int(1000 * chance.lognormvariate(0, number)) / 1024
            one.observe(amount)
            if number == 4:
                mine.observe(amount)

    def read(registry):
        (family,) = [each for each in families(render(registry, PROTOBUF)[0]) if each.name == "h"]
        (metric,) = family.metric
        metric.histogram.ClearField("created_timestamp")
        return metric.histogram

    found, expected = read(group_registry(Worker.of(live, str(path)))), read(single)
    assert found == expected
    assert (found.sample_count, found.schema < 3) == (2500, True)
    assert sorted(file.name for file in path.iterdir() if file.name.startswith("ended")) == ENDED


KILLED = """
import os, signal, struct, sys, time, warnings
warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
from prometheus_client import REGISTRY
from manometer import Counter
from manometer.processes import Worker
counter = Counter("c", "Help.", ["worker"])
for number in range(300):
    counter.labels(f"ballast {number}")
Worker.of(REGISTRY, sys.argv[1]).start()
signal.alarm(100)
children = []
for number in range(8):
    children.append(os.fork())
    if not children[-1]:
        signal.alarm(100)  # which is not inherited
        series = counter.labels(os.getpid())
        with open(f"{sys.argv[1]}/{os.getpid()}.log", "wb", buffering=0) as log:
            while True:
                series.inc()
                log.write(struct.pack("d", time.monotonic()))
                time.sleep(0.001)
print(*children, flush=True)
for child in children:
    os.waitpid(child, 0)
"""


def test_a_process_that_is_killed_loses_at_most_the_last_second(path):
    """Of eight workers, each killed at a moment of its own: all that came a second before that is there."""
    path.mkdir()
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True) as parent:
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        logs = {pid: path / f"{pid}.log" for pid in workers}
        killed = {}
        for pid, events in zip(workers, sorted(random.randint(500, 2500) for _ in workers), strict=True):
            until(lambda log=logs[pid], size=8 * events: log.exists() and log.stat().st_size >= size)
            killed[pid] = time.monotonic()
            os.kill(pid, signal.SIGKILL)
    shown = onlooker(path)
    assert value(shown, "manometer_processes") == 0
    for pid in workers:
        stamps = [stamp for (stamp,) in struct.iter_unpack("d", logs[pid].read_bytes())]
        counted = value(shown, "c_total", worker=str(pid)) or 0
        # Where the machine let the whole process wait, the second is one in which it ran.
        waited = sum(max(after - before - 0.02, 0) for before, after in pairwise(stamps) if after > killed[pid] - 3)
        due = sum(stamp < killed[pid] - 1 - waited for stamp in stamps)
        assert due <= counted <= len(stamps) + 1


def test_a_child_may_scrape_whoever_scraped_at_the_fork(path):
    """The lock of the registry that is served is free in there."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry)
    shown = group_registry(Worker.of(registry, str(path)))
    with shown._lock:
        in_child(lambda: value(shown, "c_total"))


# --- interpreters of one process


INTERPRETERS = """
import json, logging, sys
from importlib import import_module
from prometheus_client import REGISTRY
from manometer import Counter, Gauge
from manometer.processes import Worker, group_registry
from manometer.registry.collection import as_metric, collect

path, isolation = sys.argv[1:]
starts = isolation == "isolated" or sys.version_info >= (3, 12)  # 3.11 destroys no interpreter that has a thread
OTHER = f'''
import sys
sys.path[:] = {sys.path!r}
from prometheus_client import REGISTRY
from manometer import Counter, Gauge
from manometer.processes import Worker, worker as writing
writing.LOSS = 1000.0
counter = Counter("c", "Help.")
counter.inc(10)
Gauge("g", "Help.").set(2)
worker = Worker.of(REGISTRY, {path!r})
if {starts}:
    worker.start()
worker.flush()
counter.inc(100)
'''


def figures():
    names = ("c_total", "g", "manometer_processes")
    found = [sample for metric in map(as_metric, collect(shown)) for sample in metric.samples if sample.name in names]
    return sorted([sample.name, len(sample.labels.get("pid", "").split(".")), sample.value] for sample in found)


Counter("c", "Help.").inc(1)
Gauge("g", "Help.").set(1)
shown = group_registry(Worker.of(REGISTRY, path))
try:
    module = import_module("_interpreters")
    other = module.create(isolation)
except ImportError:
    module = import_module("_xxsubinterpreters")
    other = module.create(isolated=isolation == "isolated")
raised = module.run_string(other, OTHER)
assert raised is None, raised
told = [figures()]
module.destroy(other)
print(json.dumps([*told, figures()]))
"""


@pytest.mark.parametrize("isolation", ["legacy", "isolated"])
def test_interpreters_of_one_process_have_a_file_each(path, isolation):
    """Both are shown, by `pid`. One that ends writes a last time, also where it has no thread for that."""
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETERS, str(path), isolation],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    is_old = sys.version_info < (3, 12)
    threadless = is_old and isolation == "isolated"
    last = 11 if is_old and isolation == "legacy" else 111
    both, one = json.loads(done.stdout)
    assert both == [["c_total", 1, 11], ["g", 1, 1], ["g", 2, 2], ["manometer_processes", 1, 2]]
    assert one == [["c_total", 1, last], ["g", 1, 1], ["manometer_processes", 1, 1]]
    assert ("figures are written only when someone asks for them" in done.stderr) == threadless


# --- pools of a parent that serves nobody


def test_the_state_of_a_parent_that_only_forks_is_left_out(path):
    """As the pool that a server's master opened and never uses; its counts stay, as do gauges that the program set.

    Once it works, all is shown.
    """
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", registry=registry)
    level = [0]
    idle = Gauge("idle", "Help.", registry=registry, multiprocess_mode="livesum")
    idle.set_function(lambda: level[0])
    labelled = Gauge("l", "Help.", ["l"], registry=registry, multiprocess_mode="livesum")
    labelled.labels("idle").set_function(lambda: level[0])
    ours = Gauge("ours", "Help.", registry=registry, multiprocess_mode="livesum")
    each = Gauge("each", "Help.", registry=registry)
    highest = Gauge("highest", "Help.", registry=registry, multiprocess_mode="livemax")
    shown = group_registry(Worker.of(registry, str(path)))

    def write(amount):
        counter.inc(amount)
        level[0] = amount
        for gauge in (ours, labelled.labels("ours"), each, highest):
            gauge.set(amount)

    write(5)
    joins, joined = os.pipe()
    goes, go_on = os.pipe()

    def child():
        os.close(go_on)
        write(2)
        assert value(shown, "c_total") == 2
        os.close(joined)
        os.read(goes, 1)

    with forked(child):
        os.close(joined)
        assert readable(joins)
        mine = str(os.getpid())
        for _ in range(3):
            found = [value(shown, name) for name in ("c_total", "idle", "highest", "manometer_processes")]
            assert found == [7, 2, 5, 2]
            assert value(shown, "ours") == 7
            assert [value(shown, "l", l=name) for name in ("idle", "ours")] == [2, 7]
            assert value(shown, "each", pid=mine) == 5
        counter.inc()
        assert [value(shown, "idle") for _ in range(2)] == [7, 7]
        os.close(go_on)
    for end in (joins, goes):
        os.close(end)
    assert value(shown, "idle") == 5


def test_the_state_of_a_parent_whose_children_have_ended_is_shown(path):
    """It may be all that is left of the program; so is that of one whose children are none of the group."""
    registry = CollectorRegistry()
    Gauge("idle", "Help.", registry=registry, multiprocess_mode="livesum").set_function(lambda: 5)
    shown = group_registry(Worker.of(registry, str(path)))
    for _ in range(2):
        in_child(lambda: None)
        assert value(shown, "idle") == 5


# --- faults


DROPPED = """
import json, os, sys
from prometheus_client import REGISTRY
from manometer import Counter
from manometer.errors import IncompleteError
from manometer.serving.pages import Request, Site, respond
from manometer.processes import Worker, group_registry
import logging

counter = Counter("c", "Help.")
worker = Worker.of(REGISTRY, sys.argv[1])
shown = group_registry(worker)


def scrape():
    response = respond(Site(shown), Request("GET", "/metrics", "", {}))
    return response.status.value, response.body.decode()


logging.basicConfig(format="%(message)s")
joins, joined = os.pipe()
goes, go_on = os.pipe()
child = os.fork()
if child == 0:
    os.close(go_on)
    os.setuid(65534)
    counter.inc()
    os.write(joined, json.dumps(scrape()).encode())
    os.read(goes, 1)
    os._exit(0)
told = [json.loads(os.read(joins, 10_000)), scrape()]
os.close(go_on)
os.close(goes)
os.waitpid(child, 0)
print(json.dumps([child, *told, scrape()]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up its rights")
def test_a_process_that_gave_up_its_rights_fails_every_scrape(path):
    """Of its own and of its parent's, which may write: both would show a 0 that is none; logged once."""
    path.parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", DROPPED, str(path)], capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    child, *scrapes = json.loads(done.stdout)
    for status, body in scrapes[:2]:
        assert status == 503
        assert body == (
            f"process {child} cannot write its figures to {path}, so they would be missing; "
            "its log says why; where it lacks the right, let its user write there\n"
        )
    status, body = scrapes[2]
    assert status == 200
    assert "c_total 0.0" in body
    (logged,) = re.findall("^figures cannot be written to .*", done.stderr, re.MULTILINE)
    assert "Permission denied" in logged


def full(*_):
    """As a write to a full disk ends."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_counted_and_gone_through(path, monkeypatch, caplog):
    """What is shown stands still and does not fall; it is logged once, and all is there when there is room again."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", registry=registry)
    worker = Worker.of(registry, str(path))
    shown = group_registry(worker)
    counter.inc()
    assert value(shown, "c_total") == 1
    caplog.set_level(logging.INFO, "manometer")
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        counter.inc()
        assert file_failures(shown, "write") == 1
        assert value(shown, "c_total") == 1
        assert value(onlooker(path), "c_total") == 1
    assert value(shown, "c_total") == 2
    assert file_failures(shown, "write") == 2
    assert file_failures(onlooker(path), "write") == 2
    first, last = [record.getMessage() for record in caplog.records if record.name == "manometer"]
    assert first == (
        f"figures cannot be written to {path} ([Errno 28] No space left on device); "
        "they go on in memory until they can"
    )
    assert last == f"figures are written to {path} again"


@pytest.mark.parametrize(("code", "count"), [(errno.ENOSPC, 2), (errno.EACCES, None), (errno.EROFS, None)])
def test_one_that_only_looks_on_counts_what_it_could_have_tidied_up(path, monkeypatch, code, count):
    """A full disk is a fault; a directory that it may only read is none. What it shows is the same."""
    assert program(path) == 0
    shown = onlooker(path)

    def refused(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", refused)
    assert value(shown, "c_total") == 7
    assert file_failures(shown, "write") == count


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")
def test_a_file_system_without_room_is_survived(tmp_path):
    """The same on a real one, of 16 kB: with a process that ended to be moved, too."""
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "none", str(tmp_path)], check=False, capture_output=True
    )
    if mount.returncode != 0:
        pytest.skip("this root may not mount")
    try:
        assert program(tmp_path) == 0
        registry = CollectorRegistry()
        counter = Counter("c", "Help.", registry=registry)
        worker = Worker.of(registry, str(tmp_path))
        shown = group_registry(worker)
        assert value(shown, "c_total") == 7
        counter.inc()
        filler = tmp_path / "filler"
        Counter("other", "x" * 5_000, registry=registry)  # more than what is left of the file's last page
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(1 << 20))
        assert file_failures(shown, "write") == 1
        assert value(shown, "c_total") == 7
        filler.unlink()
        assert value(shown, "c_total") == 8
        worker._member.file.abandon()
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


class Single:
    """A number that stays what it is when a float is added to it, as another library's scalars may."""

    def __init__(self, amount):
        self.amount = amount

    def __float__(self):
        return self.amount

    def __add__(self, other):
        return Single(self.amount + float(other))

    __radd__ = __add__

    def __lt__(self, other):
        return self.amount < float(other)

    def __gt__(self, other):
        return self.amount > float(other)


def odd_exemplar(registry):
    """Of an amount that no file could hold as it is, in both kinds of buckets and a counter."""
    histogram = Histogram("odd", "Help.", registry=registry, buckets=(1, 2), native_schema=3)
    histogram.observe(Fraction(1, 2), {"trace_id": "x"})
    Counter("odder", "Help.", registry=registry).inc(Fraction(1, 2), {"trace_id": "x"})


def odd_amount(registry):
    """Of which a sum becomes one as well."""
    Histogram("odd", "Help.", registry=registry, buckets=(1, 2), native_schema=3).observe(Single(0.5))
    Counter("odder", "Help.", registry=registry).inc(Single(0.5))


@pytest.mark.parametrize("observe", [odd_exemplar, odd_amount])
def test_numbers_of_any_class_are_shown(path, observe):
    """As the floats that they stand for."""
    registry = CollectorRegistry()
    observe(registry)
    shown = group_registry(Worker.of(registry, str(path)))
    assert [value(shown, name) for name in ("odd_count", "odd_sum", "odder_total")] == [1, 0.5, 0.5]
    assert value(shown, "manometer_process_file_failures_total") is None


def test_a_family_that_cannot_be_written_loses_only_itself(path, caplog):
    """It is counted, and logged once; what its sums had come to stays."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", registry=registry)

    class Foreign:
        text = "x"

        def collect(self):
            metric = Metric("odd", "Help.", "counter")
            metric.samples = [Sample("odd_total", {}, 5, None, Exemplar({"trace_id": self.text}, 1.0))]
            return [metric]

    foreign = Foreign()
    registry.register(foreign)
    shown = group_registry(Worker.of(registry, str(path)))
    assert value(shown, "odd_total") == 5
    caplog.set_level(logging.INFO, "manometer")
    foreign.text = object()
    for count in range(3):
        counter.inc()
        assert [value(shown, name) for name in ("c_total", "odd_total")] == [count + 1, 5]
    assert value(shown, "manometer_collect_failures_total", manometer_collector_name="odd") == 2 * 3
    foreign.text = "x"
    assert value(shown, "odd_total") == 5
    assert [record.getMessage() for record in caplog.records] == [
        "the sharing of 'odd' failed; its series are missing until it works again",
        "the sharing of 'odd' works again",
    ]


BUCKETS = {"le": "+Inf"}
STRANGE = {
    "a sample of another name": ("gauge", Sample("c_total", {}, 1.0)),
    "a bound that is no number": ("histogram", Sample("odd_bucket", {"le": "x"}, 1.0)),
    "a bound that is NaN": ("histogram", Sample("odd_bucket", {"le": "NaN"}, 1.0)),
    "events without end": ("histogram", Sample("odd_bucket", BUCKETS, math.inf)),
    "an exemplar that is no text": (
        "histogram",
        Sample("odd_bucket", BUCKETS, 1.0, None, Exemplar({"a": 1}, 1.0)),
    ),
    "an exemplar of no time": ("histogram", Sample("odd_bucket", BUCKETS, 1.0, None, Exemplar({}, 1.0, math.nan))),
    "buckets of no known width": (
        "histogram",
        Sample("odd", {}, 0.0, None, None, NativeHistogram(1, 1.0, 20, 0.0, 1)),
    ),
}


@pytest.mark.parametrize(("kind", "sample"), [pytest.param(*each, id=name) for name, each in STRANGE.items()])
@pytest.mark.parametrize("place", [0, 1])
def test_what_another_kit_says_never_spoils_a_file(path, kind, sample, place):
    """A family that readers would refuse is not written: they would refuse the whole file with it."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc()

    class Foreign:
        def collect(self):
            metric = Metric("odd", "Help.", kind)
            metric.samples = [sample]
            metric.samples.insert(1 - place, Sample("odd_count", {"l": "x"}, 1.0))
            return [metric]

    registry.register(Foreign())
    shown = group_registry(Worker.of(registry, str(path)))
    for _ in range(2):
        assert [value(shown, name) for name in ("c_total", "odd_count")] == [1, None]
    assert value(shown, "manometer_collect_failures_total", manometer_collector_name="odd") == 4
    assert value(shown, "manometer_process_file_failures_total") is None


def test_a_meter_of_no_help_and_no_unit_is_shown(path):
    """A program may give None for both, which prometheus-client takes when the meter is made."""
    registry = CollectorRegistry()
    Counter("c", None, unit=None, registry=registry).inc()
    shown = group_registry(Worker.of(registry, str(path)))
    assert [value(registry, "c_total"), value(shown, "c_total")] == [1, 1]
    assert b"# HELP c_total None\n" in render(shown)[0]


@pytest.mark.parametrize("amount", [math.inf, math.nan])
def test_a_counter_of_no_finite_number_is_shown(path, amount):
    """As in one process, and as by prometheus-client: a program may count what it likes."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc(amount)
    Histogram("h", "Help.", registry=registry).observe(amount)
    shown = group_registry(Worker.of(registry, str(path)))
    assert [str(value(shown, name)) for name in ("c_total", "h_sum")] == [str(amount)] * 2


@pytest.mark.parametrize("amount", [math.inf, math.nan])
@pytest.mark.parametrize("name", ["items_count", "queue_bucket"])
def test_a_gauge_may_be_of_any_value_and_name(path, name, amount):
    """A gauge is no number of events, even where its name ends as that of one."""
    registry = CollectorRegistry()
    gauge = Gauge(name, "Help.", ["l"], registry=registry, multiprocess_mode="max")
    gauge.labels("x").set(1)
    gauge.labels("y").set(amount)
    theirs = Metric("their_count", "Help.", "gauge")
    theirs.add_sample("their_count", {}, amount)

    class Foreign:
        def collect(self):
            return [theirs]

    registry.register(Foreign())
    shown = group_registry(Worker.of(registry, str(path)))
    assert str(value(shown, name, l="y")) == str(value(shown, "their_count")) == str(amount)


def test_a_fault_of_ours_is_counted_and_logged_once(path, monkeypatch, caplog):
    """With its place; what was written last is shown until it has passed."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", registry=registry)
    shown = group_registry(Worker.of(registry, str(path)))
    counter.inc()
    assert value(shown, "c_total") == 1
    caplog.set_level(logging.INFO, "manometer")
    with monkeypatch.context() as patch:
        patch.setattr("manometer.processes.growing_file.Update.done", lambda _: 1 / 0)
        counter.inc()
        for count in range(3):
            assert file_failures(shown, "write") == 1 + 2 * count
            assert value(shown, "c_total") == 1
    assert value(shown, "c_total") == 2
    first, last = [record for record in caplog.records if record.name == "manometer"]
    assert "cannot be written" in first.getMessage()
    assert first.exc_info[0] is ZeroDivisionError
    assert last.getMessage() == f"figures are written to {path} again"


def test_an_unreadable_file_is_counted_and_logged_once(path, caplog):
    """By whoever reads, a worker or one that only looks on."""
    registry = CollectorRegistry()
    Counter("c", "Help.", registry=registry).inc()
    worker = Worker.of(registry, str(path))
    worker.flush()
    (path / "1-1.manometer").write_bytes(b"manometer-processes 2 something new")
    for shown in (group_registry(worker), onlooker(path)):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "manometer"):
            for _ in range(3):
                assert value(shown, "c_total") == 1
        assert file_failures(shown, "read") >= 3
        assert [record.getMessage() for record in caplog.records] == [
            f"{path / '1-1.manometer'} is left out of the figures: another version of Manometer wrote it"
        ]


# --- prometheus-client's own files


MODES = get_args(MultiprocessMode)


def peer_files(path, monkeypatch):
    """Two processes' worth of prometheus-client's files; the first has ended, and its live gauges are gone."""
    path.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(path))
    for pid in (1, 2):
        monkeypatch.setattr("prometheus_client.values.ValueClass", MultiProcessValue(lambda pid=pid: pid))
        registry = CollectorRegistry()
        prometheus_client.Counter("both", "Help.", registry=registry).inc(10)
        prometheus_client.Histogram("theirs", "Help.", registry=registry, buckets=(1, 2)).observe(pid)
        prometheus_client.Summary("summary", "Help.", registry=registry).observe(pid)
        for mode in MODES:
            prometheus_client.Gauge(f"g_{mode}", "Help.", registry=registry, multiprocess_mode=mode).set(pid)
    mark_process_dead(1, str(path))
    return registry


@pytest.mark.parametrize("apart", [False, True])
def test_prometheus_client_s_files_are_shown_too(path, tmp_path, monkeypatch, apart):
    """From the same directory, or from the one that its own variable names; a counter of both kits adds up."""
    peer_files(tmp_path / "theirs" if apart else path, monkeypatch)
    registry = CollectorRegistry()
    Counter("both", "Help.", registry=registry).inc(3)
    shown = group_registry(Worker.of(registry, str(path)))
    assert value(shown, "both_total") == 23
    assert value(shown, "theirs_sum") == 3
    assert value(shown, "theirs_bucket", le="1.0") == 1
    for metric in MultiProcessCollector(None, str(tmp_path / "theirs" if apart else path)).collect():
        for sample in metric.samples:
            if metric.name != "both":
                assert value(shown, sample.name, **sample.labels) == sample.value
    assert [value(shown, f"g_{mode}") for mode in ("min", "livemin", "max", "livesum")] == [1, 2, 2, 2]
    assert value(shown, "g_all", pid="1") == 1
    assert value(shown, "g_liveall", pid="1") is None


def test_what_is_in_prometheus_client_s_files_is_not_in_ours(path, monkeypatch):
    """A registry with metrics of both kits counts neither twice."""
    registry = peer_files(path, monkeypatch)
    Counter("ours", "Help.", registry=registry).inc()
    worker = Worker.of(registry, str(path))
    shown = group_registry(worker)
    assert value(shown, "both_total") == 20
    assert value(shown, "ours_total") == 1
    assert len(list(MultiProcessCollector(None, str(path)).collect())) == 3 + len(MODES)


def test_a_damaged_file_of_prometheus_client_is_left_out(path, monkeypatch, caplog):
    """As one of ours is."""
    peer_files(path, monkeypatch)
    (path / "counter_2.db").write_bytes(struct.pack("ii", 100, 0) + b"\x01" * 100)
    registry = CollectorRegistry()
    shown = group_registry(Worker.of(registry, str(path)))
    assert value(shown, "both_total") == 10
    assert value(shown, "theirs_count") == 2
    assert file_failures(shown, "read") >= 1
    assert "counter_2.db is left out of the figures" in caplog.text
