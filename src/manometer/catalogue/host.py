"""What is measured of the host, by OpenTelemetry's `system.*` conventions."""

from manometer.catalogue.spec import Across, Kind, MetricSpec, Reading

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

CPU_TIME = MetricSpec(
    name="system.cpu.time",
    kind=Kind.COUNTER,
    unit="s",
    labels=("cpu", "mode"),
    values={"mode": ("user", "system", "idle", "iowait", "nice", "interrupt", "steal")},
    reading=Reading.PULL,
    across=Across.LAST,
    help="Time that each logical processor spent in each mode.",
)
CPU_COUNT = MetricSpec(
    name="system.cpu.logical.count",
    kind=Kind.GAUGE,
    unit="{cpu}",
    reading=Reading.PULL,
    across=Across.LAST,
    help="Logical processors of the host.",
)
LOAD = MetricSpec(
    name="system.load",
    kind=Kind.GAUGE,
    unit="{thread}",
    labels=("window",),
    values={"window": ("1m", "5m", "15m")},
    reading=Reading.PULL,
    across=Across.LAST,
    help="Load average: threads running or waiting to run, over one, five and fifteen minutes.",
)
MEMORY_USAGE = MetricSpec(
    name="system.memory.usage",
    kind=Kind.GAUGE,
    unit="By",
    labels=("state",),
    values={"state": ("used", "free", "cached", "buffers")},
    reading=Reading.PULL,
    across=Across.LAST,
    help="Memory of the host by state.",
)
MEMORY_LIMIT = MetricSpec(
    name="system.memory.limit",
    kind=Kind.GAUGE,
    unit="By",
    reading=Reading.PULL,
    across=Across.LAST,
    help="Memory of the host in all.",
)
FILESYSTEM_USAGE = MetricSpec(
    name="system.filesystem.usage",
    kind=Kind.GAUGE,
    unit="By",
    labels=("mountpoint", "state"),
    values={"state": ("used", "free", "reserved")},
    reading=Reading.PULL,
    across=Across.LAST,
    help="Space of each mounted file system by state; reserved is kept for root.",
)
FILESYSTEM_LIMIT = MetricSpec(
    name="system.filesystem.limit",
    kind=Kind.GAUGE,
    unit="By",
    labels=("mountpoint",),
    reading=Reading.PULL,
    across=Across.LAST,
    help="Space of each mounted file system in all.",
)
DISK_IO = MetricSpec(
    name="system.disk.io",
    kind=Kind.COUNTER,
    unit="By",
    labels=("device", "direction"),
    values={"direction": ("read", "write")},
    reading=Reading.PULL,
    across=Across.LAST,
    help="Bytes moved from and to each disk.",
)
DISK_OPERATIONS = MetricSpec(
    name="system.disk.operations",
    kind=Kind.COUNTER,
    unit="{operation}",
    labels=("device", "direction"),
    values={"direction": ("read", "write")},
    reading=Reading.PULL,
    across=Across.LAST,
    help="Reads from and writes to each disk.",
)
NETWORK_IO = MetricSpec(
    name="system.network.io",
    kind=Kind.COUNTER,
    unit="By",
    labels=("interface", "direction"),
    values={"direction": ("receive", "transmit")},
    reading=Reading.PULL,
    across=Across.LAST,
    help="Bytes moved through each network interface.",
)
NETWORK_ERRORS = MetricSpec(
    name="system.network.errors",
    kind=Kind.COUNTER,
    unit="{error}",
    labels=("interface", "direction"),
    values={"direction": ("receive", "transmit")},
    reading=Reading.PULL,
    across=Across.LAST,
    help="Packets that each network interface could not receive or send.",
)

SPECS = (
    *(CPU_TIME, CPU_COUNT, LOAD, MEMORY_USAGE, MEMORY_LIMIT, FILESYSTEM_USAGE, FILESYSTEM_LIMIT),
    *(DISK_IO, DISK_OPERATIONS, NETWORK_IO, NETWORK_ERRORS),
)
