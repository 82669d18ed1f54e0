"""A fork made in C calls none of Python's hooks: the child notices by its process id."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from collected import collect
from manometer.processes import onlooker
from waiting import DEADLINE

ENDED = ["ended-copy.manometer", "ended.manometer"]
"""The files of those that ended."""

START = """
import ctypes, os, signal, sys, threading, time
from prometheus_client import REGISTRY
import prometheus_client
from manometer import Counter, Gauge, Histogram, Manometer, Settings, check, render, stage
from manometer.processes import Worker, group_registry, worker as writing
from manometer.health import Checks
from manometer.registry.collection import as_metric, collect

path, library = sys.argv[1:]
# A thread that wants the interpreter's lock at a fork in C may leave the child without one: the parent's all sleep.
# The one that writes does so for long, and `fork` waits until they do.
writing.LOSS = 1000.0
c = getattr(ctypes, library)(None)  # PyDLL keeps the interpreter's lock meanwhile, CDLL lets go of it
signal.alarm(100)
first = os.getpid()


ASLEEP = {threading.Condition.wait.__code__}


def all_sleep():
    mine = threading.get_ident()
    return all(frame.f_code in ASLEEP for thread, frame in sys._current_frames().items() if thread != mine)


def fork():
    if os.getpid() == first:  # a child has no other threads yet, and frames of its parent's that are none any more
        until(all_sleep)
        time.sleep(0.05)  # the last one has called the system by then
    child = c.fork()
    if child == 0:
        signal.alarm(60)  # which is not inherited
        writing.LOSS = 1.0
    return child


def samples_of(registry):
    return [sample for metric in map(as_metric, collect(registry)) for sample in metric.samples]


def found(registry=REGISTRY):
    return {(s.name, *s.labels.values()): s.value for s in samples_of(registry)}


def native(registry):
    return next(s.native_histogram for s in samples_of(registry) if s.native_histogram)


def until(condition):
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def ends(child):
    assert os.waitpid(child, 0)[1] == 0
"""
GROUP = """
counter = Counter("c", "Help.", ["l"]).labels("x")
histogram = Histogram("h", "Help.", buckets=(1, 2), native_schema=3)
theirs = prometheus_client.Counter("theirs", "Help.")
worker = Worker.of(REGISTRY, path)
worker.start()
shown = group_registry(worker)


def count(events):
    for _ in range(events):
        counter.inc()
        histogram.observe(1.5)
        theirs.inc()


count(100)
worker.flush()
"""


def run(path, library, *parts):
    """Run a program of these parts to its end."""
    command = [sys.executable, "-c", "\n".join([START, *parts]), str(path), library]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            _, error = process.communicate(timeout=DEADLINE)
        finally:
            with suppress(ProcessLookupError):  # a child that hangs outlives its parent
                os.killpg(process.pid, signal.SIGKILL)
    assert (error, process.returncode) == ("", 0)


@pytest.fixture(params=["PyDLL", "CDLL"])
def library(request):
    """How C is called."""
    return request.param


@pytest.fixture
def path(tmp_path):
    """A directory for a group, which its first worker makes."""
    return tmp_path / "group"


def totals(path):
    """What the ended of a group come to."""
    samples = [sample for metric in collect(onlooker(path)) for sample in metric.samples]
    (native,) = [sample.native_histogram for sample in samples if sample.native_histogram]
    found = {sample.name: sample.value for sample in samples}
    return [found[name] for name in ("c_total", "h_count", "h_sum", "theirs_total")] + [native.count_value]


CHILD_SCRAPES = """
child = fork()
if child == 0:
    count(5)
    for _ in range(2):
        figures = found(shown)
        assert [figures[name] for name in (("c_total", "x"), ("h_count",), ("h_sum",), ("theirs_total",))] == [
            105, 105, 157.5, 105
        ], figures
        assert figures["manometer_processes",] == 2
        assert (native(shown).count_value, native(shown).sum_value) == (105, 157.5)
    assert {thread.name for thread in threading.enumerate()} >= {"manometer-processes"}
    count(20)
    sys.exit()
ends(child)
count(1000)
figures = found(shown)
assert (figures["c_total", "x"], figures["manometer_processes",]) == (1125, 1), figures
"""


def test_a_child_starts_from_zero_and_keeps_all_it_counted(path, library):
    """Also what came before its first scrape; both kinds of buckets, and prometheus-client's counters."""
    run(path, library, GROUP, CHILD_SCRAPES)
    assert totals(path) == [1125, 1125, 1125 * 1.5, 1125, 1125]
    assert sorted(file.name for file in path.iterdir()) == ENDED


CHILD_COUNTS = """
child = fork()
if child == 0:
    count(300)
    time.sleep(100)
until(lambda: found(shown)["c_total", "x"] == 400)
os.kill(child, 9)
os.waitpid(child, 0)
"""


def test_a_child_that_nobody_asks_notices_as_it_folds(path, library):
    """Hundreds of events in a series are enough; from there on a thread of its own writes."""
    run(path, library, GROUP, CHILD_COUNTS)
    assert totals(path) == [400, 400, 600, 400, 400]


CHILD_ENDS = """
child = fork()
if child == 0:
    count(3)
    sys.exit()
ends(child)
assert found(shown)["c_total", "x"] == 103
"""


def test_a_child_notices_at_its_end_at_the_latest(path, library):
    """What it has is written then, to a file of its own."""
    run(path, library, GROUP, CHILD_ENDS)
    assert totals(path) == [103, 103, 154.5, 103, 103]


PARENT_ENDS = """
told, tell = os.pipe()
go_on, end = os.pipe()
child = fork()
if child == 0:
    if fork() == 0:
        os.read(go_on, 1)
        count(7)
        figures = found(shown)
        os.write(tell, b"%d of %d" % (figures["c_total", "x"], figures["manometer_processes",]))
        os._exit(0)
    count(40)
    sys.exit()
ends(child)
os.write(end, b"x")
assert os.read(told, 100) == b"147 of 2"
"""


def test_a_child_keeps_no_lock_of_its_parent(path, library):
    """A grandchild outlives the child between, whose end is seen all the same."""
    run(path, library, GROUP, PARENT_ENDS)
    assert totals(path)[0] == 147


LOCKED = """
import functools
import manometer
from contextlib import ExitStack
from manometer.meters import fork as at_fork

cache = manometer.instrument_cache(functools.lru_cache(lambda: 1), name="c")
kept = check("kept", lambda: True)
held = threading.Event()


def hold():
    with ExitStack() as locks:
        for lock in [*at_fork._locks, counter.pending.lock, worker._writing, Checks.on(REGISTRY)._lock]:
            locks.enter_context(lock)
        counter.pending._busy = True
        held.set()
        threading.Event().wait()


at_fork._GRACE = 0.01
threading.Thread(target=hold, daemon=True).start()
held.wait()
for entry in (
    lambda: found(shown),
    lambda: manometer.flush(),
    lambda: Manometer(Settings(port=0)).close(),
    lambda: Manometer.running(),
    lambda: Worker.of(REGISTRY, path),
    lambda: check("new", print),
    lambda: kept.close(),
    lambda: Checks.on(REGISTRY).stop(),
    lambda: Counter("new", "Help."),
    lambda: stage("new"),
    lambda: manometer.instrument_cache(functools.lru_cache(lambda: 2), name="new"),
    lambda: manometer.Binding.of(cache).close(),
):
    child = fork()
    if child == 0:
        entry()
        count(3)
        assert found(shown)["c_total", "x"] >= 103
        os._exit(0)
    ends(child)
os._exit(0)
"""


def test_a_lock_that_a_thread_of_the_parent_held_is_freed(path, library):
    """As no thread of the child gives it back; one that the child's own threads hold is left to them."""
    run(path, library, GROUP, LOCKED)


SINGLE = """
counter = Counter("c", "Help.")
ran = []
check("of this process", lambda: ran.append(os.getpid()))
Checks.on(REGISTRY).start()
until(lambda: ran and not any(thread.name == "manometer-check" for thread in threading.enumerate()))
with stage("parent"):
    counter.inc(3)
    child = fork()
    if child == 0:
        counter.inc()
        figures = found()
        assert figures["c_total",] >= 1
        assert figures["engine_stage_active", "main", "parent"] == 0, figures
        assert ("health_check_up", "of this process", "true") not in figures
        with Manometer(Settings(port=0)):
            until(lambda: os.getpid() in ran)
        os._exit(0)
    ends(child)
    assert found()["engine_stage_active", "main", "parent"] == 1
"""


def test_a_child_that_shares_nothing_may_start_anew(path, library):
    """It has none of the parent's runs, checks or threads, and can serve by itself."""
    run(path, library, SINGLE)


STARTED = """
import manometer, selectors
from opentelemetry import trace
from manometer.otlp import delivery, http

sent, send = os.pipe()


def export(_, spans):
    os.write(send, b"%d " % len(spans))
    return delivery.SpanExportResult.SUCCESS


http.trace_exporter.OTLPSpanExporter.export = export
# The server's thread sleeps too, until somebody asks.
ASLEEP.add(selectors.DefaultSelector.select.__code__)
ASLEEP.add(selectors.PollSelector.select.__code__)
check("kept", lambda: True)
running = manometer.start(port=0, otlp_endpoint="http://127.0.0.1:1", metrics_exporter="none", **settings)
threads = threading.enumerate()
join = threading.Thread.join


def joined(thread, timeout=None):
    assert thread not in threads, "the child waits for a thread of its parent"
    join(thread, timeout)


def traced():
    with stage("s"):
        pass


def traced_by_several():
    # The first spans of the child end at once. All are to be in one queue, which a flush empties.
    begun, queues, make = [], [], delivery.BatchSpanProcessor

    def slow(*arguments, **more):
        queues.append(threading.get_ident())
        until(lambda: len(begun) == 8)
        return make(*arguments, **more)

    def run():
        begun.append(threading.get_ident())
        traced()

    delivery.BatchSpanProcessor = slow
    started = [threading.Thread(target=run) for _ in range(8)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    trace.get_tracer_provider().force_flush()
    assert len(queues) == 1


flushed = trace.get_tracer_provider().force_flush
for ending in (lambda: None, running.close, traced, flushed, traced_by_several):
    child = fork()
    if child == 0:
        threading.Thread.join = joined
        ending()
        sys.exit()
    ends(child)
os.close(send)
assert sum(map(int, os.read(sent, 100).split())) == 1 + 8
os._exit(0)
"""


@pytest.mark.parametrize("shares", [False, True])
def test_a_child_of_a_parent_that_serves_ends(path, library, shares):
    """It waits for no thread that its parent has alone, whether it has done something before or not."""
    settings = {"processes_dir": str(path)} if shares else {}
    run(path, library, f"settings = {settings!r}", STARTED)
