"""A forked child starts from zero, its parent keeps its own, and no lock is held across the fork."""

import functools
import os
import subprocess
import sys
import threading
from contextlib import ExitStack
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, PlatformCollector

from collected import collect
from forking import in_child
from manometer import Counter, Gauge, Histogram, Manometer, Settings, check, instrument_cache, render, stage
from manometer.meters import fork
from manometer.meters.write_buffer import PENDING_LIMIT, InFlight
from waiting import DEADLINE, joined

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform cannot fork")


def samples(meter):
    """The samples of a meter's one series."""
    return [sample for family in meter.collect() for sample in family.samples]


def values(registry):
    """The value of every sample but the kit's and those of creation, by name and labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in collect(registry)
        for sample in family.samples
        if not sample.name.startswith("manometer") and not sample.name.endswith("_created")
    }


def test_a_child_starts_from_zero_and_its_parent_keeps_its_own():
    """Folded and pending events, totals, ticks, exemplars: nothing of the parent is left in the child."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", ["l"], registry=registry)
    histogram = Histogram("h", "Help.", registry=registry, buckets=(1, 2), native_schema=3)
    gauge = Gauge("g", "Help.", registry=registry)
    series = counter.labels("x")
    tick, inc, observe = series.tick, series.inc, histogram.observe

    def write(amount):
        tick()
        inc(amount, {"trace_id": "parent"})
        observe(amount, {"trace_id": "parent"})
        gauge.inc(amount)

    write(0.5)
    values(registry)
    write(0.5)
    before = values(registry)
    write(0.5)
    created = {s.name: s.value for s in [*samples(series), *samples(histogram)] if s.name.endswith("_created")}

    def child():
        assert set(values(registry).values()) == {0}
        native = histogram.read()[0][1].native
        assert (native.count_value, native.sum_value, native.pos_spans, native.nh_exemplars) == (0, 0, [], [])
        assert b"parent" not in render(registry, "application/openmetrics-text")[0]
        for sample in [*samples(series), *samples(histogram)]:
            assert not sample.name.endswith("_created") or sample.value > created[sample.name]
        tick()
        inc()
        observe(1.5)
        gauge.inc(2)
        assert series.value == 2
        found = values(registry)
        assert found["h_count",] == found["h_bucket", "2.0"] == 1
        assert found["g",] == 2
        assert histogram.read()[0][1].native.count_value == 1

    in_child(child)
    assert before["c_total", "x"] == 3
    assert values(registry) == before | {
        ("c_total", "x"): 4.5,
        ("h_bucket", "1.0"): 3,
        ("h_bucket", "2.0"): 3,
        ("h_bucket", "+Inf"): 3,
        ("h_count",): 3,
        ("h_sum",): 1.5,
        ("g",): 1.5,
    }


def test_a_series_taken_off_its_family_is_renewed_too():
    """Whoever holds a removed or a replaced series may still write to it, without end."""
    counter = Counter("c", "Help.", ["l"], registry=None)
    removed, replaced = counter.labels("x"), counter.labels("y")
    counter.remove("x")
    counter.expose(counter.apart(("y",)))
    locks = [series.pending.lock for series in (removed, replaced)]

    def child():
        for series in (removed, replaced):
            for _ in range(3 * PENDING_LIMIT):
                series.inc(0.5)
            assert len(series.pending.events) < PENDING_LIMIT
            assert series.value == 1.5 * PENDING_LIMIT

    for lock in locks:
        lock.acquire()
    try:
        in_child(child)
    finally:
        for lock in locks:
            lock.release()


BUSY = """
import faulthandler, os, sys, threading, warnings
from prometheus_client import REGISTRY
from manometer import Counter, Histogram, check, render, stage
from manometer.registry.collection import as_metric, collect
from manometer.registry.self_metrics import SelfMetrics

warnings.filterwarnings("ignore", ".*multi-threaded.*", DeprecationWarning)
SelfMetrics.of(REGISTRY)
counter = Counter("c", "Help.", ["l"])
histogram = Histogram("h", "Help.", ["l"], native_schema=3)
stop = False


def work(number):
    runs = 0
    while not stop:
        runs += 1
        with stage(f"s{runs % 7}"):
            counter.labels(runs % 50).inc(0.5)
            histogram.labels(number).observe(1)
        counter.remove(runs % 50)
        if runs % 20 == 0:
            render()
            check(f"of {number}", lambda: None)


def values():
    names = ("c_total", "h_count", "h_sum", "engine_stage_active", "engine_stage_duration_seconds_count")
    metrics = map(as_metric, collect(REGISTRY))
    samples = [sample for metric in metrics for sample in metric.samples if sample.name in names]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def live():
    assert set(values().values()) <= {0}
    with stage("new"):
        counter.labels("new").inc()
    check("new", lambda: None)
    assert values()["c_total", "new"] == 1
    render()


sys.setswitchinterval(1e-5)
workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for worker in workers:
    worker.start()
failed = 0
for _ in range(150):
    child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(60, exit=True)
        status = 1
        try:
            live()
            status = 0
        finally:
            if status:
                sys.excepthook(*sys.exc_info())
            os._exit(status)
    failed += os.waitpid(child, 0)[1] != 0
stop = True
for worker in workers:
    worker.join()
sys.exit(failed)
"""


def test_threads_that_write_and_collect_hold_no_lock_across_a_fork():
    """150 children of four busy threads, forked at any moment: each writes, labels, collects, and ends."""
    done = subprocess.run(
        [sys.executable, "-c", BUSY], capture_output=True, text=True, timeout=2 * DEADLINE, check=False
    )
    assert (done.stderr, done.returncode) == ("", 0)


def test_a_child_that_is_forked_amid_a_removal_finds_no_removed_series(monkeypatch):
    """Another thread of the parent was at it, and nobody ends it in the child."""
    for labels in (["l"], ["l", "k"]):
        counter = Counter("c", "Help.", labels, registry=None)
        counter.labels(*labels)
        reached, forked = threading.Event(), threading.Event()

        def child(counter=counter, labels=labels):
            monkeypatch.undo()
            counter.labels(*labels).inc()
            assert [reading.total for _, reading in counter.read()] == [1]

        def wait(_values, reached=reached, forked=forked):
            reached.set()
            forked.wait(DEADLINE)

        monkeypatch.setattr(counter._all.lookup, "drop", wait)
        removing = threading.Thread(target=counter.remove, args=labels)
        removing.start()
        assert reached.wait(DEADLINE)
        try:
            in_child(child)
        finally:
            forked.set()
            joined(removing)
        monkeypatch.undo()


def test_a_child_finds_every_lock_free():
    """Those of the kit, the registry, labels, stages, checks and the application, were they all held at the fork."""
    registry = CollectorRegistry()
    counter = Counter("c", "Help.", ["l"], registry=registry)
    series = counter.labels("x")
    settings = Settings(host="127.0.0.1", port=0)
    with stage("s", registry=registry), Manometer(settings, registry=registry):
        check("well", lambda: None, registry=registry)
        held, forked = threading.Event(), threading.Event()

        def hold():
            with ExitStack() as locks:
                for lock in [*fork._locks, series.pending.lock]:
                    locks.enter_context(lock)
                held.set()
                forked.wait(DEADLINE)

        holder = threading.Thread(target=hold)
        holder.start()
        assert held.wait(DEADLINE)

        def child():
            series.inc()
            counter.labels("new").inc()
            with stage("new", registry=registry):
                check("new", lambda: None, registry=registry)
            with Manometer(settings, registry=registry) as own:
                body = urlopen(f"{own.url}/metrics").read()
            assert b'c_total{l="x"} 1.0' in body
            assert b'engine_stage_active{engine_name="main",engine_stage_name="new"} 0.0' in body

        try:
            in_child(child)
        finally:
            forked.set()
            joined(holder)


def test_a_child_may_collect_whoever_collected_at_the_fork():
    """Also a registry on which there is nothing of ours."""
    registry = CollectorRegistry()
    PlatformCollector(registry)
    collect(registry)
    with registry._lock:
        in_child(lambda: collect(registry))


def test_what_the_parent_has_under_way_is_not_under_way_in_the_child():
    """Runs in flight stay the parent's; one that the forking thread ends in the child makes no -1 of it."""
    registry = CollectorRegistry()
    runs = InFlight()
    runs.began()
    active = ("engine_stage_active", "main", "s")
    with stage("s", registry=registry):

        def child():
            assert values(registry)[active] == runs.value == 0
            runs.ended()
            assert runs.value == 0
            runs.began()
            assert runs.value == 1

        in_child(child)
        assert values(registry)[active] == runs.value == 1


def test_lookups_of_a_warm_lru_cache_stay_with_the_parent():
    """`cache_info` goes on in the child, but not what is counted; a cleared cache starts at zero again."""
    registry = CollectorRegistry()
    double = instrument_cache(functools.lru_cache(lambda x: 2 * x), name="d", registry=registry)
    for x in (1, 1, 2):
        double(x)

    def child():
        found = values(registry)
        assert found["cache_requests_total", "d", "hit"] == found["cache_requests_total", "d", "miss"] == 0
        double(1)
        assert values(registry)["cache_requests_total", "d", "hit"] == 1
        double.cache_clear()
        double(1)
        assert values(registry)["cache_requests_total", "d", "miss"] == 1

    in_child(child)
    assert values(registry)["cache_requests_total", "d", "miss"] == 2


class Starting:
    """Notes that the threads of a child are started."""

    def __init__(self, told):
        self._told = told
        fork.started_in_child(fork.renewed_in_child(self))

    def renew(self, _):
        self._told.append("renewed")

    def start_anew(self):
        self._told.append("started")


def test_threads_of_a_child_are_started_behind_all_else(monkeypatch):
    """A lock that a thread waits for must not be made anew under it, nor a file be closed that it has just opened."""
    told = []
    monkeypatch.setattr(fork, "_steps", [*fork._steps, lambda _: told.append("stepped")])
    starting = Starting(told)

    def check_order():
        assert starting
        assert told == ["renewed", "stepped", "started"]

    in_child(check_order)
