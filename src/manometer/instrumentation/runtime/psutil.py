"""psutil: processors, memory, disks and network of the host; and the memory of the container, by its cgroups."""

from collections.abc import Iterable, Iterator
from typing import Any

import psutil
from prometheus_client import CollectorRegistry

from manometer.catalogue import container
from manometer.catalogue import host as rows
from manometer.instrumentation.binding import Binding
from manometer.instrumentation.runtime import cgroups
from manometer.instrumentation.subject import Subject
from manometer.registry.catalogued import Pulled

__all__ = ["instrument"]

# psutil's names of processor modes, where OpenTelemetry has another word.
_CPU_MODES = {
    "user": "user",
    "system": "system",
    "idle": "idle",
    "iowait": "iowait",
    "nice": "nice",
    "irq": "interrupt",
    "steal": "steal",
}
_NO_DISKS = ("loop", "ram", "zram")  # block devices that are files or memory
_MEMORY_STATES = ("used", "free", "shared", "buffers", "cached")


def instrument(*, registry: CollectorRegistry) -> Binding:
    """Read the host's figures at each collection; close the Binding to stop.

    What this host does not tell has no series: load on Windows, disks in some containers, memory of a container that
    has no limit.
    """
    with Subject.on(registry, "host").binding(_Host()) as binding:
        binding.pulls(_read)
    return binding


class _Host:
    """What the binding is for. It takes no weak references, so the binding itself keeps it alive."""

    __slots__ = ()


def _read(_host: object) -> Iterator[Pulled]:
    for part in (_processors, _load, _memory, _container, _filesystems, _disks, _network):
        try:
            yield from part()
        except (AttributeError, NotImplementedError, OSError, RuntimeError):  # no such part on this host
            continue


def _processors() -> Iterable[Pulled]:
    times: list[Any] = psutil.cpu_times(percpu=True)
    for number, each in enumerate(times):
        for name, mode in _CPU_MODES.items():
            if hasattr(each, name):
                yield rows.CPU_TIME, {"cpu.logical_number": str(number), "cpu.mode": mode}, getattr(each, name)
    yield rows.CPU_COUNT, {}, len(times)


def _load() -> Iterable[Pulled]:
    for row, threads in zip(rows.LOAD, psutil.getloadavg(), strict=True):
        yield row, {}, threads


def _memory() -> Iterable[Pulled]:
    memory = psutil.virtual_memory()
    for state in _MEMORY_STATES:
        if hasattr(memory, state):
            yield rows.MEMORY_USAGE, {"system.memory.state": state}, getattr(memory, state)
    yield rows.MEMORY_LIMIT, {}, memory.total


def _container() -> Iterable[Pulled]:
    if limited := cgroups.memory(cgroups.own_cgroups()):
        yield container.MEMORY_WORKING_SET, {}, limited.working_set
        yield container.MEMORY_AVAILABLE, {}, max(limited.limit - limited.working_set, 0)


def _filesystems() -> Iterable[Pulled]:
    seen = set()
    for partition in psutil.disk_partitions(all=False):
        if partition.device in seen:  # a bind mount shows the same space again
            continue
        try:
            usage = psutil.disk_usage(partition.mountpoint)
        except OSError:  # not readable by this user, or just unmounted
            continue
        seen.add(partition.device)
        where = {
            "system.device": partition.device,
            "system.filesystem.type": partition.fstype,
            "system.filesystem.mode": "ro" if "ro" in partition.opts.split(",") else "rw",
            "system.filesystem.mountpoint": partition.mountpoint,
        }
        reserved = usage.total - usage.used - usage.free
        for state, size in (("used", usage.used), ("free", usage.free), ("reserved", reserved)):
            yield rows.FILESYSTEM_USAGE, {**where, "system.filesystem.state": state}, size
        yield rows.FILESYSTEM_LIMIT, where, usage.total


# nowrap=False, for else psutil keeps what it said before, under a lock that a forked child may find held for good.


def _disks() -> Iterable[Pulled]:
    for device, counters in (psutil.disk_io_counters(perdisk=True, nowrap=False) or {}).items():
        if device.startswith(_NO_DISKS):
            continue
        read = {"system.device": device, "disk.io.direction": "read"}
        written = {"system.device": device, "disk.io.direction": "write"}
        yield rows.DISK_IO, read, counters.read_bytes
        yield rows.DISK_IO, written, counters.write_bytes
        yield rows.DISK_OPERATIONS, read, counters.read_count
        yield rows.DISK_OPERATIONS, written, counters.write_count


def _network() -> Iterable[Pulled]:
    for interface, counters in psutil.net_io_counters(pernic=True, nowrap=False).items():
        received = {"network.interface.name": interface, "network.io.direction": "receive"}
        sent = {"network.interface.name": interface, "network.io.direction": "transmit"}
        yield rows.NETWORK_IO, received, counters.bytes_recv
        yield rows.NETWORK_IO, sent, counters.bytes_sent
        yield rows.NETWORK_ERRORS, received, counters.errin
        yield rows.NETWORK_ERRORS, sent, counters.errout
