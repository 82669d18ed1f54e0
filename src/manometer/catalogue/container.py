"""What is measured of the container, by OpenTelemetry's `container.*` conventions."""

from manometer.catalogue.spec import Across, Convention, Kind, MetricSpec, Reading

__all__ = ["MEMORY_AVAILABLE", "MEMORY_WORKING_SET", "SPECS"]

MEMORY_WORKING_SET = MetricSpec(
    name="container.memory.working_set",
    kind=Kind.UPDOWNCOUNTER,
    unit="By",
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Memory that counts against the container's limit, without file pages that the kernel can drop at once.",
)
MEMORY_AVAILABLE = MetricSpec(
    name="container.memory.available",
    kind=Kind.UPDOWNCOUNTER,
    unit="By",
    reading=Reading.PULL,
    across=Across.LAST,
    convention=Convention.SEMCONV,
    help="Memory that the container's limit leaves; at none, the kernel ends a process.",
)

SPECS = (MEMORY_WORKING_SET, MEMORY_AVAILABLE)
