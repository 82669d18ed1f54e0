"""What is measured of an engine's stages."""

from manometer.catalogue.spec import FAST_BUCKETS, Kind, MetricSpec, Reading

__all__ = ["SPECS", "STAGE_ACTIVE", "STAGE_DURATION", "STAGE_ERRORS"]

STAGE_DURATION = MetricSpec(
    name="engine.stage.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    labels=("engine", "stage", "outcome"),
    values={"outcome": ("ok", "error")},
    buckets=FAST_BUCKETS,
    help="Time that one run of the stage took, by how it ended.",
)
STAGE_ACTIVE = MetricSpec(
    name="engine.stage.active",
    kind=Kind.GAUGE,
    unit="{run}",
    labels=("engine", "stage"),
    reading=Reading.PULL,
    help="Runs of the stage that have started and not ended.",
)
STAGE_ERRORS = MetricSpec(
    name="engine.stage.errors",
    kind=Kind.COUNTER,
    unit="{error}",
    labels=("engine", "stage", "error_type"),
    help="Runs of the stage that an exception ended, by its class.",
)

SPECS = (STAGE_DURATION, STAGE_ACTIVE, STAGE_ERRORS)
