"""psutil: processors, memory, disks and network of the host."""

from collections.abc import Iterable, Iterator
from typing import Any

import psutil
from prometheus_client import CollectorRegistry

from manometer.catalogue import host as rows
from manometer.instrumentation.binding import Binding, Subject
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
_MEMORY_STATES = ("used", "free", "cached", "buffers")


def instrument(*, registry: CollectorRegistry) -> Binding:
    """Read the host's figures at each collection; close the Binding to stop.

    What this host does not tell (load on Windows, disks in some containers) has no series.
    """
    with Subject.on(registry, "host").binding(_Host()) as binding:
        binding.pulls(_read)
    return binding


class _Host:
    """What the binding is for. It takes no weak references, so the binding itself keeps it alive."""

    __slots__ = ()


def _read(_host: object) -> Iterator[Pulled]:
    for part in (_processors, _load, _memory, _filesystems, _disks, _network):
        try:
            yield from part()
        except (AttributeError, NotImplementedError, OSError, RuntimeError):  # no such part on this host
            continue


def _processors() -> Iterable[Pulled]:
    times: list[Any] = psutil.cpu_times(percpu=True)
    for number, each in enumerate(times):
        for name, mode in _CPU_MODES.items():
            if hasattr(each, name):
                yield rows.CPU_TIME, {"cpu": str(number), "mode": mode}, getattr(each, name)
    yield rows.CPU_COUNT, {}, len(times)


def _load() -> Iterable[Pulled]:
    for window, threads in zip(("1m", "5m", "15m"), psutil.getloadavg(), strict=True):
        yield rows.LOAD, {"window": window}, threads


def _memory() -> Iterable[Pulled]:
    memory = psutil.virtual_memory()
    for state in _MEMORY_STATES:
        if hasattr(memory, state):
            yield rows.MEMORY_USAGE, {"state": state}, getattr(memory, state)
    yield rows.MEMORY_LIMIT, {}, memory.total


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
        where = {"mountpoint": partition.mountpoint}
        yield rows.FILESYSTEM_USAGE, {**where, "state": "used"}, usage.used
        yield rows.FILESYSTEM_USAGE, {**where, "state": "free"}, usage.free
        yield rows.FILESYSTEM_USAGE, {**where, "state": "reserved"}, usage.total - usage.used - usage.free
        yield rows.FILESYSTEM_LIMIT, where, usage.total


# nowrap=False, for else psutil keeps what it said before, under a lock that a forked child may find held for good.


def _disks() -> Iterable[Pulled]:
    for device, counters in (psutil.disk_io_counters(perdisk=True, nowrap=False) or {}).items():
        if device.startswith(_NO_DISKS):
            continue
        yield rows.DISK_IO, {"device": device, "direction": "read"}, counters.read_bytes
        yield rows.DISK_IO, {"device": device, "direction": "write"}, counters.write_bytes
        yield rows.DISK_OPERATIONS, {"device": device, "direction": "read"}, counters.read_count
        yield rows.DISK_OPERATIONS, {"device": device, "direction": "write"}, counters.write_count


def _network() -> Iterable[Pulled]:
    for interface, counters in psutil.net_io_counters(pernic=True, nowrap=False).items():
        yield rows.NETWORK_IO, {"interface": interface, "direction": "receive"}, counters.bytes_recv
        yield rows.NETWORK_IO, {"interface": interface, "direction": "transmit"}, counters.bytes_sent
        yield rows.NETWORK_ERRORS, {"interface": interface, "direction": "receive"}, counters.errin
        yield rows.NETWORK_ERRORS, {"interface": interface, "direction": "transmit"}, counters.errout
