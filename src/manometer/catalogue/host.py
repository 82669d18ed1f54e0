"""What is measured of the host, by OpenTelemetry's `system.*` conventions."""

from manometer.catalogue.spec import Across, Convention, Kind, MetricSpec, Reading

__all__ = [
    "CPU_COUNT",
    "CPU_TIME",
    "DISK_IO",
    "DISK_OPERATIONS",
    "FILESYSTEM_LIMIT",
    "FILESYSTEM_USAGE",
    "LOAD",
    "MEMORY_LIMIT",
    "MEMORY_USAGE",
    "NETWORK_ERRORS",
    "NETWORK_IO",
    "SPECS",
]

_FILESYSTEM = (
    *("system.device", "system.filesystem.type", "system.filesystem.mode", "system.filesystem.mountpoint"),
)

CPU_TIME = MetricSpec(
    name="system.cpu.time",
    kind=Kind.COUNTER,
    unit="s",
    attributes=("cpu.mode", "cpu.logical_number"),
    values={"cpu.mode": ("user", "system", "idle", "iowait", "nice", "interrupt", "steal")},
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Time that each logical processor spent in each mode.",
)
CPU_COUNT = MetricSpec(
    name="system.cpu.logical.count",
    kind=Kind.UPDOWNCOUNTER,
    unit="{cpu}",
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Logical processors of the host.",
)
LOAD = tuple(
    MetricSpec(
        name=f"system.cpu.load_average.{minutes}m",
        kind=Kind.GAUGE,
        unit="{thread}",
        reading=Reading.PULL,
        across=Across.LAST,
        convention=Convention.COLLECTOR,
        help=f"Load average: threads that ran or waited to run, over {minutes} min.",
    )
    for minutes in (1, 5, 15)
)
MEMORY_USAGE = MetricSpec(
    name="system.memory.usage",
    kind=Kind.UPDOWNCOUNTER,
    unit="By",
    attributes=("system.memory.state",),
    values={"system.memory.state": ("used", "free", "shared", "buffers", "cached")},
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Memory of the host by state.",
)
MEMORY_LIMIT = MetricSpec(
    name="system.memory.limit",
    kind=Kind.UPDOWNCOUNTER,
    unit="By",
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Memory of the host in all.",
)
FILESYSTEM_USAGE = MetricSpec(
    name="system.filesystem.usage",
    kind=Kind.UPDOWNCOUNTER,
    unit="By",
    attributes=(*_FILESYSTEM, "system.filesystem.state"),
    values={"system.filesystem.state": ("used", "free", "reserved")},
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Space of each mounted file system by state; reserved is kept for root.",
)
FILESYSTEM_LIMIT = MetricSpec(
    name="system.filesystem.limit",
    kind=Kind.UPDOWNCOUNTER,
    unit="By",
    attributes=_FILESYSTEM,
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Space of each mounted file system in all.",
)
DISK_IO = MetricSpec(
    name="system.disk.io",
    kind=Kind.COUNTER,
    unit="By",
    attributes=("system.device", "disk.io.direction"),
    values={"disk.io.direction": ("read", "write")},
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Bytes moved from and to each disk.",
)
DISK_OPERATIONS = MetricSpec(
    name="system.disk.operations",
    kind=Kind.COUNTER,
    unit="{operation}",
    attributes=("system.device", "disk.io.direction"),
    values={"disk.io.direction": ("read", "write")},
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Reads from and writes to each disk.",
)
NETWORK_IO = MetricSpec(
    name="system.network.io",
    kind=Kind.COUNTER,
    unit="By",
    attributes=("network.interface.name", "network.io.direction"),
    values={"network.io.direction": ("receive", "transmit")},
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Bytes moved through each network interface.",
)
NETWORK_ERRORS = MetricSpec(
    name="system.network.errors",
    kind=Kind.COUNTER,
    unit="{error}",
    attributes=("network.interface.name", "network.io.direction"),
    values={"network.io.direction": ("receive", "transmit")},
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Packets that each network interface could not receive or send.",
)

SPECS = (
    *(CPU_TIME, CPU_COUNT, *LOAD, MEMORY_USAGE, MEMORY_LIMIT, FILESYSTEM_USAGE, FILESYSTEM_LIMIT),
    *(DISK_IO, DISK_OPERATIONS, NETWORK_IO, NETWORK_ERRORS),
)
