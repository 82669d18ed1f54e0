"""The process itself: its processor time, memory, threads, files and age, by psutil."""

import time
from collections.abc import Iterable

import psutil
from prometheus_client import CollectorRegistry

from manometer.catalogue import process as rows
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.subject import Subject
from manometer.registry.catalogued import Pulled

try:
    import resource
except ImportError:  # as on Windows
    resource = None  # type: ignore[assignment]

__all__ = ["instrument"]


def instrument(*, registry: CollectorRegistry) -> Binding:
    """Read the process's figures at each collection; close the Binding to stop.

    What this system does not tell (open files and disk traffic on some) has no series.
    """
    with Subject.on(registry, "process").binding(_Process()) as binding:
        binding.pulls(_read)
    return binding


class _Process:
    """What the binding is for. It takes no weak references, so the binding itself keeps it alive."""

    __slots__ = ()


def _read(_: object) -> Iterable[Pulled]:
    process = psutil.Process()  # made anew each time: in a forked child it is another one
    with process.oneshot():
        for part in (_processor, _memory, _threads, _files, _uptime, _switches, _disks):
            try:
                yield from part(process)
            except (AttributeError, NotImplementedError, OSError, psutil.Error):  # no such part on this system
                continue


def _processor(process: psutil.Process) -> Iterable[Pulled]:
    times = process.cpu_times()
    yield rows.CPU_TIME, {"cpu.mode": "user"}, times.user
    yield rows.CPU_TIME, {"cpu.mode": "system"}, times.system


def _memory(process: psutil.Process) -> Iterable[Pulled]:
    memory = process.memory_info()
    yield rows.MEMORY_USAGE, {}, memory.rss
    yield rows.MEMORY_VIRTUAL, {}, memory.vms


def _threads(process: psutil.Process) -> Iterable[Pulled]:
    yield rows.THREADS, {}, process.num_threads()


def _files(process: psutil.Process) -> Iterable[Pulled]:
    yield rows.FILE_DESCRIPTORS, {}, process.num_fds()


def _uptime(process: psutil.Process) -> Iterable[Pulled]:
    yield rows.UPTIME, {}, max(time.time() - process.create_time(), 0.0)


def _switches(process: psutil.Process) -> Iterable[Pulled]:
    if resource is None:
        voluntary, involuntary = process.num_ctx_switches()
    else:  # on Linux psutil counts the main thread alone; the kernel's sum holds threads that have ended too
        usage = resource.getrusage(resource.RUSAGE_SELF)
        voluntary, involuntary = usage.ru_nvcsw, usage.ru_nivcsw
    yield rows.CONTEXT_SWITCHES, {"process.context_switch.type": "voluntary"}, voluntary
    yield rows.CONTEXT_SWITCHES, {"process.context_switch.type": "involuntary"}, involuntary


def _disks(process: psutil.Process) -> Iterable[Pulled]:
    moved = process.io_counters()
    yield rows.DISK_IO, {"disk.io.direction": "read"}, moved.read_bytes
    yield rows.DISK_IO, {"disk.io.direction": "write"}, moved.write_bytes
