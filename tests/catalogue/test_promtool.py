"""Prometheus's own linter finds nothing in an exposition of everything but what a convention demands."""

import asyncio
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from queue import Queue
from threading import Event

import pybreaker
import pytest
import sqlalchemy as sa
import tenacity
from cachetools import TTLCache
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from manometer import (
    Binding,
    Manometer,
    Settings,
    check,
    instrument_breaker,
    instrument_cache,
    instrument_executor,
    instrument_loop,
    instrument_pool,
    instrument_queue,
    instrument_retry,
    instrument_semaphore,
    render,
    stage,
)
from manometer.catalogue import SUBJECTS, pool, runtime
from manometer.instrumentation.subject import Subject
from manometer.registry.catalogued import pulled
from manometer.registry.collection import collect
from manometer.registry.self_metrics import SelfMetrics
from waiting import DEADLINE, until

DEMANDED = {
    "db_client_connection_count",
    "process_thread_count",
    "process_unix_file_descriptor_count",
    "system_cpu_logical_count",
}
"""Gauges that a convention names so; the linter would keep the ending `_count` for histograms and summaries."""

OF_OTHERS = {
    *("manometer_processes", "manometer_process_file_failures_total"),
    *("container_memory_working_set_bytes", "container_memory_available_bytes"),
}
"""What only a group of processes shows, or a container with a limit."""


@pytest.fixture
def everything(monkeypatch):
    """A registry on which everything is measured, each thing once and at work, outside of a container."""
    monkeypatch.setattr("manometer.instrumentation.runtime.cgroups.own_cgroups", list)
    registry = CollectorRegistry()
    settings = Settings(port=0, db_client_connections=True)
    one = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0}
    engine = sa.create_engine("sqlite:///:memory:", poolclass=sa.QueuePool, **one)
    go_on = Event()
    with (
        Manometer(settings, registry=registry),
        ThreadPoolExecutor(1) as executor,
        closing(asyncio.new_event_loop()) as loop,
        check("disk", lambda: None, registry=registry),
        check("hangs", lambda: go_on.wait(DEADLINE), registry=registry),
    ):
        measured = [_cache(registry), _connections(engine, registry), _queue(registry), _resilience(registry)]
        measured.append(instrument_semaphore(asyncio.Lock(), name="uploads", registry=registry))
        _unhandled(registry, instrument_loop(loop, registry=registry))
        instrument_executor(executor, name="workers", registry=registry).submit(int).result()
        loop.run_until_complete(_lagged(registry))
        _stages(registry)
        until(lambda: registry.get_sample_value("health_check_up", DISK) == 1)
        until(
            lambda: registry.get_sample_value("health_check_running_seconds", DISK | {"health_check_name": "hangs"})
        )
        _of_ourselves(registry)
        yield registry
        go_on.set()
    engine.dispose()
    assert measured


DISK = {"health_check_name": "disk", "health_check_critical": "true"}


async def _lagged(registry):
    """Until the loop's punctuality has been looked at."""
    where = {"asyncio_loop_name": "main"}
    while not registry.get_sample_value("asyncio_loop_lag_seconds_count", where):  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.01)


def _cache(registry):
    cache = instrument_cache(TTLCache(1, 60), name="prices", registry=registry)
    cache["a"] = cache["b"] = cache.get("c", 1)
    binding = Binding.of(cache)
    binding.counter("cache.prefetches", {"cache.prefetch.outcome": "used"}).inc()
    binding.histogram("cache.load.duration", {"cache.load.outcome": "ok"}).observe(1)
    return cache


def _connections(engine, registry):
    instrument_pool(engine, name="orders", registry=registry)
    with engine.connect(), pytest.raises(sa.exc.TimeoutError):
        engine.connect()
    told = Subject.on(registry, "pool")
    thing = {}
    with told.binding(thing, {"pool.name": "told", "pool.kind": "connection"}) as binding:
        binding.pulls(lambda _: [(pool.IDLE_MINIMUM, {}, 1)])
        binding.counter(pool.REJECTIONS).inc()
    return binding


def _queue(registry):
    items = instrument_queue(Queue(3), name="inbox", registry=registry)
    items.put(1)
    items.get()
    return items


def _resilience(registry):
    retrying = tenacity.Retrying(stop=tenacity.stop_after_attempt(1))
    instrument_retry(retrying, operation="send", registry=registry)(int)
    breaker = instrument_breaker(pybreaker.CircuitBreaker(), name="broker", registry=registry)
    breaker.call(int)
    return retrying, breaker


def _stages(registry):
    with stage("work", items=3, registry=registry):
        pass
    with suppress(ZeroDivisionError), stage("work", registry=registry):
        1 / 0  # noqa: B018 - it is the failure of a run


def _unhandled(registry, binding):
    """What holds a loop up, and what nobody handles."""
    error = {"error.type": "OSError"}
    binding.counter(runtime.SLOW_CALLBACKS, {"code.function.name": "shop.work"}).inc()
    binding.counter(runtime.LOOP_UNHANDLED_EXCEPTIONS, error).inc()
    interpreter = Subject.on(registry, "runtime").bound({})
    interpreter.counter(runtime.UNHANDLED_EXCEPTIONS, {"python.exception.source": "thread", **error}).inc()


def _of_ourselves(registry):
    figures = SelfMetrics.of(registry)
    figures.collect_failures.labels("odd").inc()
    figures.label_folds.labels("many").inc()
    figures.spans.labels("ok").inc()
    figures.traces_afterwards("left")
    figures.points.labels("ok").inc()
    figures.log_records.labels("ok").inc()
    figures.log_failures.labels("file").inc()
    figures.handovers.labels("textfile", "ok").inc()
    figures.server_shortages.labels("connection").inc()
    figures.web_config.ended("ok")
    figures.server_refusals.labels("password").inc()
    figures.settings.ended("ok")


def test_everything_is_there(everything):
    """Each metric of the catalogue, so that the linter misses none."""
    collect(everything)  # the costs that are told are those of the collection before
    found = {family.name for family in collect(everything)}
    rows = {row.family_name: row.prometheus_name for rows in SUBJECTS.values() for row in rows}
    assert {rows[name] for name in rows.keys() - found} == OF_OTHERS


def test_promtool_finds_nothing_but_what_a_convention_demands(everything, program):
    """Names, units, help and types."""
    others = [row for rows in SUBJECTS.values() for row in rows if row.prometheus_name in OF_OTHERS]
    for row in others:
        everything.register(Told(row))
    said = _lint(program, render(everything)[0])
    assert {line.split(maxsplit=1)[0] for line in said} == DEMANDED
    assert all('metrics should not have "_count"' in line or 'should not have "_count"' in line for line in said), (
        said
    )


class Told(Collector):
    """One figure of a metric."""

    def __init__(self, row):
        self.row = row

    def describe(self):
        return []

    def collect(self):
        return pulled([(self.row, dict.fromkeys(self.row.attributes, "read"), 1)])


def _lint(program, exposition):
    done = subprocess.run(
        [program("promtool", "prometheus"), "check", "metrics"],
        input=exposition,
        capture_output=True,
        timeout=DEADLINE,
        check=False,
    )
    return [line for line in (done.stdout + done.stderr).decode().splitlines() if line]
