"""The hosts: processors, memory, file systems, disks and networks, each as its targets see it."""

from manometer.catalogue import host
from manometer.mixin.dashboards.meaning import BAD, GOOD, RED_FROM_ANY, WORRY, Steps
from manometer.mixin.dashboards.panel import (
    PRESSURE,
    SINCE,
    WELL,
    Bars,
    Column,
    Dashboard,
    Graph,
    Key,
    Query,
    Row,
    Table,
)
from manometer.mixin.dashboards.query import chosen, highest, per_second, shown
from manometer.mixin.dashboards.targets import board
from manometer.mixin.promql import TARGET, by
from manometer.mixin.thresholds import Thresholds

__all__ = ["dashboard"]

_NEARLY_FULL: Steps = ((None, GOOD), (0.8, WORRY), (0.9, BAD))
_HOST = shown("instance")
_MOUNT = (*TARGET, "system.filesystem.mountpoint")


def dashboard(config: Thresholds) -> Dashboard:
    """What the programs share with everything else on their hosts."""
    del config  # no threshold of the rules is about a host
    return board(
        "host",
        "Hosts",
        "Processors, memory, file systems, disks and networks of the hosts, as the targets on them see them. Two"
        " targets of one host show the same figures.",
        (
            Row(WELL, (_hosts(),)),
            Row(PRESSURE, (_processors(), _load(), _memory(), _filesystems())),
            Row(SINCE, (_modes(), _memory_states(), _space(), _disk(), _operations(), _network(), _network_errors())),
        ),
    )


def _busy() -> str:
    idle = per_second(host.CPU_TIME, TARGET, {"cpu.mode": "=~idle|iowait"})
    return f"clamp_min(1 - {idle}\n/ {per_second(host.CPU_TIME, TARGET)}, 0)"


def _load_each(row: int = 0) -> str:
    return f"{by(TARGET, chosen(host.LOAD[row]), 'max')}\n/ {by(TARGET, chosen(host.CPU_COUNT), 'max')}"


def _memory_used() -> str:
    used = by(TARGET, chosen(host.MEMORY_USAGE, {"system.memory.state": "used"}), "max")
    return f"{used}\n/ {by(TARGET, chosen(host.MEMORY_LIMIT), 'max')}"


def _space_used(labels: tuple[str, ...]) -> str:
    used = by(_MOUNT, chosen(host.FILESYSTEM_USAGE, {"system.filesystem.state": "used"}), "max")
    filled = f"{used}\n/ {by(_MOUNT, chosen(host.FILESYSTEM_LIMIT), 'max')}"
    return filled if labels is _MOUNT else by(labels, filled, "max")


def _hosts() -> Table:
    return Table(
        "Hosts",
        "The host of each target in one line. Sort by any column: a load above 1 is more to run than processors;"
        " memory or a file system near 100 % ends in errors soon.",
        "none",
        (
            Column(_busy(), "Processors busy", unit="percentunit", steps=_NEARLY_FULL),
            Column(_load_each(), "Load each", unit="none", steps=((None, GOOD), (1, WORRY), (2, BAD))),
            Column(_memory_used(), "Memory used", unit="percentunit", steps=_NEARLY_FULL),
            Column(_space_used(TARGET), "Fullest file system", unit="percentunit", steps=_NEARLY_FULL),
            Column(by(TARGET, chosen(host.CPU_COUNT), "max"), "Processors", unit="short"),
            Column(by(TARGET, chosen(host.MEMORY_LIMIT), "max"), "Memory", unit="bytes"),
        ),
        width=24,
        keys=(Key("job", "Job"), Key("instance", "Target")),
        sort="Load each",
    )


def _processors() -> Graph:
    return Graph(
        "Processors busy",
        "Share of the host's processor time that anything used; the ten greatest. Near 1 everything on the host waits"
        " for a processor: compare with what the processes themselves take.",
        "percentunit",
        (Query(highest(_busy()), _HOST),),
        steps=_NEARLY_FULL,
        top=1,
        width=12,
    )


def _load() -> Graph:
    return Graph(
        "Load for each processor",
        "Threads that run or wait to run, over processors, on 1, 5 and 15 minutes' average; the ten greatest. Above 1"
        " some wait. 1 min above 15 min: it has begun lately.",
        "none",
        tuple(
            Query(highest(_load_each(place)), f"{_HOST} {minutes} min") for place, minutes in enumerate((1, 5, 15))
        ),
        steps=((None, GOOD), (1, WORRY), (2, BAD)),
        width=12,
    )


def _memory() -> Graph:
    return Graph(
        "Host memory used",
        "Share of the host's memory that programs hold, without what the system can take back; the ten greatest."
        " Near 1 the system ends a program to save the others.",
        "percentunit",
        (Query(highest(_memory_used()), _HOST),),
        steps=_NEARLY_FULL,
        top=1,
        width=12,
    )


def _filesystems() -> Bars:
    return Bars(
        "How full each file system is",
        "Space used over space in all; the ten fullest. A database, a log or a file of figures on a full one cannot"
        " be written: delete, or enlarge.",
        "percentunit",
        (
            Query(
                highest(_space_used(_MOUNT)),
                f"{_HOST} {shown('system.filesystem.mountpoint')}",
            ),
        ),
        steps=_NEARLY_FULL,
        top=1,
        width=12,
    )


def _modes() -> Graph:
    share = f"{per_second(host.CPU_TIME, ('cpu.mode',))}\n/ on () group_left () ({per_second(host.CPU_TIME, ())} > 0)"
    return Graph(
        "Processor time by mode",
        "What the processors of the chosen hosts do, as shares of their time. iowait is waiting for disks; steal is"
        " time that another machine on the same hardware got.",
        "percentunit",
        (Query(share, shown("cpu.mode")),),
        top=1,
        stacked=True,
        width=12,
    )


def _memory_states() -> Graph:
    state = ("system.memory.state",)
    return Graph(
        "Host memory by state",
        "The memory of the chosen hosts together, and how much there is. Buffers and cached are files that the system"
        " keeps as long as nobody needs the room.",
        "bytes",
        (
            Query(by(state, chosen(host.MEMORY_USAGE)), shown("system.memory.state")),
            Query(f"sum({chosen(host.MEMORY_LIMIT)})", "in all", limit=True),
        ),
        width=12,
    )


def _space() -> Graph:
    free = {"system.filesystem.state": "free"}
    return Graph(
        "Free space",
        "What is left on each file system; the ten with the least. Draw the line on by eye to see how long it will"
        " last.",
        "bytes",
        (
            Query(
                f"bottomk(10, {by(_MOUNT, chosen(host.FILESYSTEM_USAGE, free), 'min')})",
                f"{_HOST} {shown('system.filesystem.mountpoint')}",
            ),
        ),
        width=12,
    )


def _disk() -> Graph:
    ways = (*TARGET, "system.device", "disk.io.direction")
    return Graph(
        "Disk traffic",
        "Bytes a second from and to each disk; the ten greatest. Reads are what memory does not hold; writes are"
        " logs, databases and figures.",
        "Bps",
        (
            Query(
                highest(per_second(host.DISK_IO, ways)),
                f"{_HOST} {shown('system.device')} {shown('disk.io.direction')}",
            ),
        ),
        width=12,
    )


def _operations() -> Graph:
    ways = (*TARGET, "system.device", "disk.io.direction")
    return Graph(
        "Disk operations",
        "Reads and writes a second of each disk; the ten greatest. Many operations and few bytes are small ones,"
        " which disks are slow at: write in larger pieces.",
        "iops",
        (
            Query(
                highest(per_second(host.DISK_OPERATIONS, ways)),
                f"{_HOST} {shown('system.device')} {shown('disk.io.direction')}",
            ),
        ),
        width=12,
    )


def _network() -> Graph:
    ways = (*TARGET, "network.interface.name", "network.io.direction")
    return Graph(
        "Network traffic",
        "Bytes a second through each network interface; the ten greatest. Compare with what the interface can carry.",
        "Bps",
        (
            Query(
                highest(per_second(host.NETWORK_IO, ways)),
                f"{_HOST} {shown('network.interface.name')} {shown('network.io.direction')}",
            ),
        ),
        width=12,
    )


def _network_errors() -> Graph:
    ways = (*TARGET, "network.interface.name", "network.io.direction")
    return Graph(
        "Network errors",
        "Packets a second that an interface could not send or receive; the ten greatest. Any that stay are a cable, a"
        " driver or a full buffer: ask who runs the host.",
        "ops",
        (
            Query(
                highest(per_second(host.NETWORK_ERRORS, ways)),
                f"{_HOST} {shown('network.interface.name')} {shown('network.io.direction')}",
            ),
        ),
        steps=RED_FROM_ANY,
        width=12,
    )
