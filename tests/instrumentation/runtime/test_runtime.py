"""The interpreter, its event loops, and the host."""

import asyncio
import gc
import time

from manometer.instrumentation.runtime import instrument_host, instrument_loop, instrument_runtime
from manometer.meters.collection import collect
from waiting import DEADLINE


def test_gc_pauses_are_timed_by_generation(figures):
    """A full collection shows under generation 2; closing takes the callback off."""
    callbacks = len(gc.callbacks)
    binding = instrument_runtime(registry=figures.registry)
    gc.collect()
    assert figures("python_gc_pause_seconds_count", generation="2") >= 1
    assert figures("python_gc_pause_seconds_sum", generation="2") > 0
    binding.close()
    assert len(gc.callbacks) == callbacks
    assert figures("python_gc_pause_seconds_count", generation="2") is None


async def test_a_stalled_loop_shows_its_lag(figures):
    """A task that holds the loop up makes its timers late by as long."""
    binding = instrument_loop(asyncio.get_running_loop(), name="main", registry=figures.registry)
    await asyncio.sleep(0.02)
    assert figures("asyncio_tasks", loop="main") == 1
    before = figures("asyncio_loop_lag_seconds_count", loop="main")
    time.sleep(0.3)  # noqa: ASYNC251 - the stall itself
    await asyncio.sleep(0)
    async with asyncio.timeout(DEADLINE):
        while figures("asyncio_loop_lag_seconds_count", loop="main") == before:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    assert figures("asyncio_loop_lag_seconds_sum", loop="main") > 0.15
    binding.close()


async def test_a_closed_loop_binding_stops_looking(figures):
    """No timer is left behind on the loop."""
    binding = instrument_loop(asyncio.get_running_loop(), registry=figures.registry)
    await asyncio.sleep(0)
    binding.close()
    assert figures("asyncio_loop_lag_seconds_count") is None


def test_the_host_tells_of_itself(figures):
    """Processors, load, memory, file systems and network are there, and add up."""
    binding = instrument_host(registry=figures.registry)
    assert figures("system_cpu_logical_count") >= 1
    assert figures("system_cpu_time_seconds_total", cpu="0", mode="idle") > 0
    assert figures("system_load", window="5m") >= 0
    assert 0 < figures("system_memory_usage_bytes", state="free") <= figures("system_memory_limit_bytes")
    once = [sample for family in collect(figures.registry) for sample in family.samples]
    for limit in (sample for sample in once if sample.name == "system_filesystem_limit_bytes"):
        usage = [
            sample.value
            for sample in once
            if sample.name == "system_filesystem_usage_bytes"
            and sample.labels["mountpoint"] == limit.labels["mountpoint"]
        ]
        assert sum(usage) == limit.value
    assert figures("system_network_io_bytes_total", interface="lo", direction="receive") >= 0
    binding.close()
    assert figures("system_cpu_logical_count") is None


def test_a_part_that_the_host_lacks_is_left_out(figures, monkeypatch):
    """A container without disks or load has no series for them, and all the others."""
    import psutil

    def missing(*args, **kwargs):
        raise NotImplementedError

    monkeypatch.setattr(psutil, "getloadavg", missing)
    monkeypatch.setattr(psutil, "disk_io_counters", lambda **_: None)
    binding = instrument_host(registry=figures.registry)
    names = {family.name for family in collect(figures.registry)}
    assert "system_memory_limit_bytes" in names
    assert not names & {"system_load", "system_disk_io_bytes"}
    binding.close()
