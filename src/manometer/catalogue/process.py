"""What is measured of the process, by OpenTelemetry's `process.*` conventions."""

from manometer.catalogue.spec import Across, Convention, Kind, MetricSpec, Reading

__all__ = [
    "CONTEXT_SWITCHES",
    "CPU_TIME",
    "DISK_IO",
    "FILE_DESCRIPTORS",
    "MEMORY_USAGE",
    "MEMORY_VIRTUAL",
    "SPECS",
    "THREADS",
    "UPTIME",
]

CPU_TIME = MetricSpec(
    name="process.cpu.time",
    kind=Kind.COUNTER,
    unit="s",
    attributes=("cpu.mode",),
    values={"cpu.mode": ("user", "system")},
    reading=Reading.PULL,
    across=Across.EACH,
    convention=Convention.SEMCONV,
    help="Processor time that the process took, in each mode.",
)
MEMORY_USAGE = MetricSpec(
    name="process.memory.usage",
    kind=Kind.UPDOWNCOUNTER,
    unit="By",
    reading=Reading.PULL,
    across=Across.EACH,
    convention=Convention.SEMCONV,
    help="Memory of the process that is in the host's memory: its resident set.",
)
MEMORY_VIRTUAL = MetricSpec(
    name="process.memory.virtual",
    kind=Kind.UPDOWNCOUNTER,
    unit="By",
    reading=Reading.PULL,
    across=Across.EACH,
    convention=Convention.SEMCONV,
    help="Addresses that the process has mapped, whether memory stands behind them or not.",
)
THREADS = MetricSpec(
    name="process.thread.count",
    kind=Kind.UPDOWNCOUNTER,
    unit="{thread}",
    reading=Reading.PULL,
    across=Across.EACH,
    convention=Convention.SEMCONV,
    help="Threads of the process, those of the operating system and of C libraries too.",
)
FILE_DESCRIPTORS = MetricSpec(
    name="process.unix.file_descriptor.count",
    kind=Kind.UPDOWNCOUNTER,
    unit="{file_descriptor}",
    reading=Reading.PULL,
    across=Across.EACH,
    convention=Convention.SEMCONV,
    help="Files, sockets and pipes that the process has open.",
)
UPTIME = MetricSpec(
    name="process.uptime",
    kind=Kind.GAUGE,
    unit="s",
    reading=Reading.PULL,
    across=Across.EACH,
    convention=Convention.SEMCONV,
    help="Time since the process began.",
)
CONTEXT_SWITCHES = MetricSpec(
    name="process.context_switches",
    kind=Kind.COUNTER,
    unit="{context_switch}",
    attributes=("process.context_switch.type",),
    values={"process.context_switch.type": ("voluntary", "involuntary")},
    reading=Reading.PULL,
    across=Across.EACH,
    convention=Convention.SEMCONV,
    help="Times that the process gave its processor up to wait, or lost it to another process.",
)
DISK_IO = MetricSpec(
    name="process.disk.io",
    kind=Kind.COUNTER,
    unit="By",
    attributes=("disk.io.direction",),
    values={"disk.io.direction": ("read", "write")},
    reading=Reading.PULL,
    across=Across.EACH,
    convention=Convention.SEMCONV,
    help="Bytes that the process read from and wrote to disks.",
)

SPECS = (
    *(CPU_TIME, MEMORY_USAGE, MEMORY_VIRTUAL, THREADS, FILE_DESCRIPTORS, UPTIME),
    *(CONTEXT_SWITCHES, DISK_IO),
)
