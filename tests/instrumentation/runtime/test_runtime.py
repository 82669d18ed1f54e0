"""The interpreter, its event loops, and the host."""

import asyncio
import gc
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from collected import collect
from manometer import BindingError, UnsupportedError, render
from manometer.instrumentation.runtime import gc as pauses
from manometer.instrumentation.runtime import instrument_host, instrument_loop, instrument_runtime
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
            assert figures.all("python_gc_pause_seconds_count", "generation") == {"0": 0, "1": 1, "2": 0}
            assert figures("python_gc_pause_seconds_sum", generation="1") == 2.0
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
            assert figures("asyncio_loop_lag_seconds_count", loop="main") == count
            assert figures("asyncio_loop_lag_seconds_sum", loop="main") == pytest.approx(seconds)
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
            SimpleNamespace(device=device, mountpoint=mountpoint)
            for device, mountpoint in [("sda1", "/locked"), ("sda2", "/"), ("sda2", "/bound"), ("sda1", "/home")]
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
system_cpu_time_seconds_total{cpu="0",mode="user"} 1.0
system_cpu_time_seconds_total{cpu="0",mode="system"} 2.0
system_cpu_time_seconds_total{cpu="0",mode="idle"} 3.0
system_cpu_time_seconds_total{cpu="0",mode="iowait"} 4.0
system_cpu_time_seconds_total{cpu="0",mode="nice"} 5.0
system_cpu_time_seconds_total{cpu="0",mode="interrupt"} 6.0
system_cpu_time_seconds_total{cpu="0",mode="steal"} 7.0
system_cpu_time_seconds_total{cpu="1",mode="user"} 9.0
system_cpu_time_seconds_total{cpu="1",mode="system"} 10.0
system_cpu_time_seconds_total{cpu="1",mode="idle"} 11.0
system_cpu_logical_count 2.0
system_load{window="1m"} 0.5
system_load{window="5m"} 0.25
system_load{window="15m"} 0.125
system_memory_usage_bytes{state="used"} 50.0
system_memory_usage_bytes{state="free"} 20.0
system_memory_usage_bytes{state="cached"} 10.0
system_memory_limit_bytes 100.0
system_filesystem_usage_bytes{mountpoint="/",state="used"} 700.0
system_filesystem_usage_bytes{mountpoint="/",state="free"} 250.0
system_filesystem_usage_bytes{mountpoint="/",state="reserved"} 50.0
system_filesystem_usage_bytes{mountpoint="/home",state="used"} 3.0
system_filesystem_usage_bytes{mountpoint="/home",state="free"} 7.0
system_filesystem_usage_bytes{mountpoint="/home",state="reserved"} 0.0
system_filesystem_limit_bytes{mountpoint="/"} 1000.0
system_filesystem_limit_bytes{mountpoint="/home"} 10.0
system_disk_io_bytes_total{device="sda",direction="read"} 1.0
system_disk_io_bytes_total{device="sda",direction="write"} 2.0
system_disk_operations_total{device="sda",direction="read"} 3.0
system_disk_operations_total{device="sda",direction="write"} 4.0
system_network_io_bytes_total{direction="receive",interface="eth0"} 5.0
system_network_io_bytes_total{direction="transmit",interface="eth0"} 6.0
system_network_errors_total{direction="receive",interface="eth0"} 7.0
system_network_errors_total{direction="transmit",interface="eth0"} 8.0
"""


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
    assert "no spans can be sent from here" in str(error), error
assert manometer.Manometer.running() is None
"""
RENDER = """
from manometer.instrumentation.runtime import instrument_host
try:
    instrument_host()
except manometer.UnsupportedError as error:
    assert "psutil cannot be loaded here" in str(error), error
with manometer.stage("s"):
    assert b'engine_stage_active{engine="main",stage="s"} 1' in manometer.render()[0]
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
    ended = subprocess.run([sys.executable, "-c", main], capture_output=True, text=True, timeout=120, check=False)
    assert told.exists(), ended.stderr
