"""What is measured of an engine's stages."""

from manometer.catalogue.spec import FAST_BUCKETS, Kind, MetricSpec, Reading

__all__ = ["SPECS", "STAGE_ACTIVE", "STAGE_DURATION", "STAGE_ERRORS"]

STAGE_DURATION = MetricSpec(
    name="engine.stage.duration",
    kind=Kind.HISTOGRAM,
    unit="s",
    attributes=("engine.name", "engine.stage.name", "engine.stage.outcome"),
    values={"engine.stage.outcome": ("ok", "error")},
    buckets=FAST_BUCKETS,
    help="Time that one run of the stage took, by how it ended.",
)
STAGE_ACTIVE = MetricSpec(
    name="engine.stage.active",
    kind=Kind.UPDOWNCOUNTER,
    unit="{run}",
    attributes=("engine.name", "engine.stage.name"),
    reading=Reading.PULL,
    help="Runs of the stage that have started and not ended.",
)
STAGE_ERRORS = MetricSpec(
    name="engine.stage.errors",
    kind=Kind.COUNTER,
    unit="{error}",
    attributes=("engine.name", "engine.stage.name", "error.type"),
    help="Runs of the stage that an exception ended, by its class.",
)

SPECS = (STAGE_DURATION, STAGE_ACTIVE, STAGE_ERRORS)
