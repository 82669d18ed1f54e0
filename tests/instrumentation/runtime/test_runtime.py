"""The interpreter, its event loops, and the host."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from collected import collect
from forking import in_child
from manometer import BindingError, UnsupportedError, render
from manometer.instrumentation.runtime import gc as pauses
from manometer.instrumentation.runtime import instrument_host, instrument_loop, instrument_process, instrument_runtime
from waiting import DEADLINE


def test_gc_pauses_are_timed_by_generation(figures):
    """A full collection shows under generation 2; closing takes the callback off."""
    callbacks = len(gc.callbacks)
    binding = instrument_runtime(registry=figures.registry)
    gc.collect()
    assert figures("python_gc_pause_seconds_count", cpython_gc_generation="2") >= 1
    assert figures("python_gc_pause_seconds_sum", cpython_gc_generation="2") > 0
    binding.close()
    assert len(gc.callbacks) == callbacks
    assert figures("python_gc_pause_seconds_count", cpython_gc_generation="2") is None


def test_a_pause_lasts_from_its_start_to_its_end(figures, monkeypatch):
    """A collection that was under way when the binding was made has no start, and is not timed."""
    now = [5.0]
    monkeypatch.setattr(pauses, "perf_counter", lambda: now[0])
    gc.disable()
    try:
        with instrument_runtime(registry=figures.registry):
            told = gc.callbacks[-1]
            told("stop", {"generation": 1})
            told("start", {"generation": 1})
            now[0] = 7.0
            told("stop", {"generation": 1})
            assert figures.all("python_gc_pause_seconds_count", "cpython_gc_generation") == {"0": 0, "1": 1, "2": 0}
            assert figures("python_gc_pause_seconds_sum", cpython_gc_generation="1") == 2.0
    finally:
        gc.enable()


class Clocked(asyncio.SelectorEventLoop):
    """A loop whose time is set by hand."""

    now = 1.0

    def time(self):
        return self.now

    def turn(self):
        """Run what is due."""
        self.call_soon(self.stop)
        self.run_forever()


def test_the_lag_is_the_time_that_a_timer_is_late(figures):
    """A timer falls due a tenth of a second after the one before has run."""
    loop = Clocked()
    with instrument_loop(loop, registry=figures.registry):
        for now, count, seconds in [(1.0, 0, 0), (1.05, 0, 0), (1.35, 1, 0.25), (1.4, 1, 0.25), (1.45, 2, 0.25)]:
            loop.now = now
            loop.turn()
            assert figures("asyncio_loop_lag_seconds_count", asyncio_loop_name="main") == count
            assert figures("asyncio_loop_lag_seconds_sum", asyncio_loop_name="main") == pytest.approx(seconds)
    loop.close()


def test_something_else_than_a_loop_is_refused(figures):
    """The message says what is taken."""
    with pytest.raises(
        UnsupportedError, match=r"7 is no event loop; pass what asyncio\.get_running_loop\(\) returns"
    ):
        instrument_loop(7, registry=figures.registry)


async def test_a_stalled_loop_shows_its_lag(figures):
    """A task that holds the loop up makes its timers late by as long."""
    binding = instrument_loop(asyncio.get_running_loop(), registry=figures.registry)
    await asyncio.sleep(0.02)
    assert figures.all("asyncio_tasks", "asyncio_task_state") == {"ready": 1, "waiting": 0}
    before = figures("asyncio_loop_lag_seconds_count", asyncio_loop_name="main")
    time.sleep(0.3)  # noqa: ASYNC251 - the stall itself
    await asyncio.sleep(0)
    async with asyncio.timeout(DEADLINE):
        while figures("asyncio_loop_lag_seconds_count", asyncio_loop_name="main") == before:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)
    assert figures("asyncio_loop_lag_seconds_sum", asyncio_loop_name="main") > 0.15
    binding.close()


def test_a_second_loop_without_a_name_is_refused(figures):
    """The first would be removed in silence; one that is closed, or has died, makes room."""
    first, second, third = (asyncio.new_event_loop() for _ in range(3))
    try:
        instrument_loop(first, registry=figures.registry)
        with pytest.raises(BindingError, match="another event loop is bound as 'main'; give this one a name"):
            instrument_loop(second, registry=figures.registry)
        assert figures.all("asyncio_tasks", "asyncio_task_state") == {"ready": 0, "waiting": 0}
        instrument_loop(second, name="second", registry=figures.registry)
        first.close()
        assert not instrument_loop(third, registry=figures.registry).closed
    finally:
        for loop in (first, second, third):
            loop.close()


async def test_a_closed_loop_binding_stops_looking(figures):
    """No timer is left behind on the loop."""
    binding = instrument_loop(asyncio.get_running_loop(), registry=figures.registry)
    await asyncio.sleep(0)
    binding.close()
    assert figures("asyncio_loop_lag_seconds_count") is None


def test_what_the_collector_did_is_told(figures):
    """By generation, as `gc.get_stats` has it; one fork on, it begins at zero."""
    with instrument_runtime(registry=figures.registry):
        before = figures("cpython_gc_collections_total", cpython_gc_generation="2")
        cycle = []
        cycle.append(cycle)
        del cycle
        gc.collect()
        assert figures("cpython_gc_collections_total", cpython_gc_generation="2") == before + 1
        assert figures("cpython_gc_collected_objects_total", cpython_gc_generation="2") >= 1
        assert figures("cpython_gc_uncollectable_objects_total", cpython_gc_generation="0") == 0

        def begins_at_zero():
            assert figures("cpython_gc_collections_total", cpython_gc_generation="2") == 0

        gc.disable()
        try:
            in_child(begins_at_zero)
        finally:
            gc.enable()


def test_the_process_tells_of_itself(figures):
    """Processor time, memory, threads, files and age, read when someone asks."""
    with instrument_process(registry=figures.registry):
        assert figures("process_cpu_time_seconds_total", cpu_mode="user") > 0
        assert 0 < figures("process_memory_usage_bytes") <= figures("process_memory_virtual_bytes")
        assert figures("process_context_switches_total", process_context_switch_type="involuntary") >= 0
        assert figures("process_uptime_seconds") > 0
        threads, files = figures("process_thread_count"), figures("process_unix_file_descriptor_count")
        go_on = threading.Event()
        more = threading.Thread(target=go_on.wait, daemon=True)
        more.start()
        with Path(os.devnull).open() as opened:
            assert opened.fileno() >= 0
            assert figures("process_unix_file_descriptor_count") == files + 1
        assert figures("process_thread_count") == threads + 1
        go_on.set()
        more.join()
    assert figures("process_uptime_seconds") is None


def test_context_switches_are_those_of_all_threads(figures):
    """Each time that another thread waited counts, also after its end: the total never falls."""
    waits = 200

    def wait():
        for _ in range(waits):
            time.sleep(1e-6)  # gives the processor up, however short it is

    def switches():
        return figures("process_context_switches_total", process_context_switch_type="voluntary")

    with instrument_process(registry=figures.registry):
        before = switches()
        other = threading.Thread(target=wait)
        other.start()
        other.join()
        assert switches() >= before + waits


def test_a_part_that_the_system_does_not_tell_of_the_process_is_left_out(figures, monkeypatch):
    """No disk traffic without the right to see it, and all the rest."""
    import psutil

    def refuse(_):
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "io_counters", refuse)
    monkeypatch.delattr(psutil.Process, "num_fds")
    with instrument_process(registry=figures.registry):
        assert figures("process_unix_file_descriptor_count") is None
        assert figures("process_disk_io_bytes_total", disk_io_direction="read") is None
        assert figures("process_thread_count") >= 1


def test_the_host_tells_of_itself(figures):
    """Processors, load, memory, file systems and network are there, and add up."""
    binding = instrument_host(registry=figures.registry)
    assert figures("system_cpu_logical_count") >= 1
    assert figures("system_cpu_time_seconds_total", cpu_logical_number="0", cpu_mode="idle") > 0
    assert figures("system_cpu_load_average_5m") >= 0
    free = figures("system_memory_usage_bytes", system_memory_state="free")
    assert 0 < free <= figures("system_memory_limit_bytes")
    once = [sample for family in collect(figures.registry) for sample in family.samples]
    for limit in (sample for sample in once if sample.name == "system_filesystem_limit_bytes"):
        usage = [
            sample.value
            for sample in once
            if sample.name == "system_filesystem_usage_bytes"
            and sample.labels["system_filesystem_mountpoint"] == limit.labels["system_filesystem_mountpoint"]
        ]
        assert sum(usage) == limit.value
    assert figures("system_network_io_bytes_total", network_interface_name="lo", network_io_direction="receive") >= 0
    binding.close()
    assert figures("system_cpu_logical_count") is None


class Counters(NamedTuple):
    """What psutil counts of a disk or a network interface."""

    read_bytes: int = 0
    write_bytes: int = 0
    read_count: int = 0
    write_count: int = 0
    bytes_recv: int = 0
    bytes_sent: int = 0
    errin: int = 0
    errout: int = 0


class Host:
    """A host of which everything is known; it tells only who asks as the kit should."""

    def cpu_times(self, *, percpu):
        assert percpu
        return [
            SimpleNamespace(user=1.0, system=2.0, idle=3.0, iowait=4.0, nice=5.0, irq=6.0, steal=7.0, guest=8.0),
            SimpleNamespace(user=9.0, system=10.0, idle=11.0),
        ]

    def getloadavg(self):
        return 0.5, 0.25, 0.125

    def virtual_memory(self):
        return SimpleNamespace(total=100, used=50, free=20, cached=10, available=45)

    def disk_partitions(self, *, all):  # noqa: A002 - the name is psutil's
        assert not all
        return [
            SimpleNamespace(device=device, mountpoint=mountpoint, fstype="ext4", opts=opts)
            for device, mountpoint, opts in [
                ("sda1", "/locked", "rw"),
                ("sda2", "/", "rw,errors=remount-ro"),
                ("sda2", "/bound", "rw"),
                ("sda1", "/home", "ro,noatime"),
            ]
        ]

    def disk_usage(self, mountpoint):
        if mountpoint == "/locked":
            raise PermissionError
        return (
            SimpleNamespace(total=1000, used=700, free=250)
            if mountpoint == "/"
            else SimpleNamespace(total=10, used=3, free=7)
        )

    def disk_io_counters(self, *, perdisk, nowrap):
        assert perdisk
        assert not nowrap
        return {"loop0": Counters(), "sda": Counters(read_bytes=1, write_bytes=2, read_count=3, write_count=4)}

    def net_io_counters(self, *, pernic, nowrap):
        assert pernic
        assert not nowrap
        return {"eth0": Counters(bytes_recv=5, bytes_sent=6, errin=7, errout=8)}


TOLD = """\
system_cpu_time_seconds_total{cpu_logical_number="0",cpu_mode="user"} 1.0
system_cpu_time_seconds_total{cpu_logical_number="0",cpu_mode="system"} 2.0
system_cpu_time_seconds_total{cpu_logical_number="0",cpu_mode="idle"} 3.0
system_cpu_time_seconds_total{cpu_logical_number="0",cpu_mode="iowait"} 4.0
system_cpu_time_seconds_total{cpu_logical_number="0",cpu_mode="nice"} 5.0
system_cpu_time_seconds_total{cpu_logical_number="0",cpu_mode="interrupt"} 6.0
system_cpu_time_seconds_total{cpu_logical_number="0",cpu_mode="steal"} 7.0
system_cpu_time_seconds_total{cpu_logical_number="1",cpu_mode="user"} 9.0
system_cpu_time_seconds_total{cpu_logical_number="1",cpu_mode="system"} 10.0
system_cpu_time_seconds_total{cpu_logical_number="1",cpu_mode="idle"} 11.0
system_cpu_logical_count 2.0
system_cpu_load_average_1m 0.5
system_cpu_load_average_5m 0.25
system_cpu_load_average_15m 0.125
system_memory_usage_bytes{system_memory_state="used"} 50.0
system_memory_usage_bytes{system_memory_state="free"} 20.0
system_memory_usage_bytes{system_memory_state="cached"} 10.0
system_memory_limit_bytes 100.0
system_filesystem_usage_bytes{ROOT,system_filesystem_state="used",TYPE} 700.0
system_filesystem_usage_bytes{ROOT,system_filesystem_state="free",TYPE} 250.0
system_filesystem_usage_bytes{ROOT,system_filesystem_state="reserved",TYPE} 50.0
system_filesystem_usage_bytes{HOME,system_filesystem_state="used",TYPE} 3.0
system_filesystem_usage_bytes{HOME,system_filesystem_state="free",TYPE} 7.0
system_filesystem_usage_bytes{HOME,system_filesystem_state="reserved",TYPE} 0.0
system_filesystem_limit_bytes{ROOT,TYPE} 1000.0
system_filesystem_limit_bytes{HOME,TYPE} 10.0
system_disk_io_bytes_total{disk_io_direction="read",system_device="sda"} 1.0
system_disk_io_bytes_total{disk_io_direction="write",system_device="sda"} 2.0
system_disk_operations_total{disk_io_direction="read",system_device="sda"} 3.0
system_disk_operations_total{disk_io_direction="write",system_device="sda"} 4.0
system_network_io_bytes_total{network_interface_name="eth0",network_io_direction="receive"} 5.0
system_network_io_bytes_total{network_interface_name="eth0",network_io_direction="transmit"} 6.0
system_network_errors_total{network_interface_name="eth0",network_io_direction="receive"} 7.0
system_network_errors_total{network_interface_name="eth0",network_io_direction="transmit"} 8.0
"""
for _short, _labels in {
    "ROOT": 'system_device="sda2",system_filesystem_mode="rw",system_filesystem_mountpoint="/"',
    "HOME": 'system_device="sda1",system_filesystem_mode="ro",system_filesystem_mountpoint="/home"',
    "TYPE": 'system_filesystem_type="ext4"',
}.items():
    TOLD = TOLD.replace(_short, _labels)


def test_the_host_is_told_by_what_psutil_says(figures, monkeypatch):
    """Each file system is told once, where it can be read; a device that is a file or memory is left out."""
    import psutil

    host = Host()
    for name in dir(Host):
        if not name.startswith("_"):
            monkeypatch.setattr(psutil, name, getattr(host, name))
    with instrument_host(registry=figures.registry):
        text = render(figures.registry)[0].decode()
    assert "\n".join(line for line in text.splitlines() if line.startswith("system_")) + "\n" == TOLD


def test_the_container_tells_of_its_memory_where_it_has_a_limit(figures, monkeypatch, tmp_path):
    """What counts against the limit, and what is left of it: never less than none, and no series without a limit."""
    monkeypatch.setattr("manometer.instrumentation.runtime.cgroups.own_cgroups", lambda: [tmp_path])
    for name, text in {"memory.current": 90, "memory.max": 100, "memory.stat": "inactive_file 20"}.items():
        (tmp_path / name).write_text(f"{text}\n")
    with instrument_host(registry=figures.registry):
        assert figures("container_memory_working_set_bytes") == 70
        assert figures("container_memory_available_bytes") == 30
        (tmp_path / "memory.current").write_text("130\n")
        assert figures("container_memory_available_bytes") == 0
        (tmp_path / "memory.max").write_text("max\n")
        assert "container_memory" not in render(figures.registry)[0].decode()


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


@pytest.mark.parametrize("instrument", [instrument_host, instrument_runtime])
def test_what_there_is_one_of_is_bound_once(figures, instrument):
    """A second binding says so; after the end of the first it is fine."""
    first = instrument(registry=figures.registry)
    with pytest.raises(BindingError, match="already bound"):
        instrument(registry=figures.registry)
    first.close()
    instrument(registry=figures.registry).close()


def test_without_psutil_the_host_says_so(figures, monkeypatch):
    """As in a subinterpreter that has a lock of its own: psutil does not load there."""
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.delitem(sys.modules, "manometer.instrumentation.runtime.psutil", raising=False)
    monkeypatch.delattr("manometer.instrumentation.runtime.psutil", raising=False)
    with pytest.raises(UnsupportedError, match="psutil cannot be loaded here"):
        instrument_host(registry=figures.registry)


# Since Python 3.12, which destroys an interpreter that has threads, nothing is closed: not the Manometer, and not the
# connection, whose thread waits for another request.
START = """
import http.client, threading
ran = threading.Event()
manometer.check("c", ran.set)
running = manometer.start(port=0)
assert ran.wait(60)
connection = http.client.HTTPConnection(running.url.removeprefix("http://"))
connection.request("GET", "/metrics")
figures = connection.getresponse().read()
assert b"python_gc_pause_seconds" in figures
assert (b"system_memory" in figures) == HOST
if sys.version_info < (3, 12):
    running.close()
    connection.close()
    for thread in set(threading.enumerate()) - {threading.current_thread()}:
        thread.join()
"""
REFUSE = """
try:
    manometer.start(port=0)
except manometer.ConfigError as error:
    assert "no thread can be started here" in str(error), error
    assert "manometer.wsgi_app()" in str(error), error
assert manometer.Manometer.running() is None
"""
SPANS = """
try:
    manometer.start(port=0, otlp_endpoint="http://127.0.0.1:1")
except manometer.ConfigError as error:
    assert "can be sent from here" in str(error), error
assert manometer.Manometer.running() is None
"""
RENDER = """
from manometer.instrumentation.runtime import instrument_host
try:
    instrument_host()
except manometer.UnsupportedError as error:
    assert "psutil cannot be loaded here" in str(error), error
with manometer.stage("s"):
    assert b'engine_stage_active{engine_name="main",engine_stage_name="s"} 1' in manometer.render()[0]
"""
MAIN = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
if sys.version_info >= (3, 13):
    made = interpreters.create({kind!r})
else:
    made = interpreters.create(isolated={kind!r} == "isolated")
code = "import sys; sys.path[:] = " + repr(sys.path) + "; import manometer; HOST = {kind!r} == 'legacy'" + {code!r}
problem = getattr(interpreters, "exec", interpreters.run_string)(made, code)
assert problem is None, problem
interpreters.destroy(made)
open({told!r}, "w").close()
"""
ISOLATED = (RENDER, START, SPANS) if sys.version_info >= (3, 12) else (RENDER, REFUSE)


@pytest.mark.parametrize(("kind", "code"), [("legacy", START), *(("isolated", code) for code in ISOLATED)])
def test_a_subinterpreter_has_figures_of_its_own(tmp_path, kind, code):
    """It serves them, and ends. An isolated one has no psutil, no spans, and before Python 3.12 no threads.

    In a process of its own, for an interpreter that ends may bring its process down (CPython 3.12.1 does).
    """
    told = tmp_path / "told"
    main = MAIN.format(kind=kind, code=code, told=str(told))
    ended = subprocess.run(
        [sys.executable, "-c", main], capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert told.exists(), ended.stderr
