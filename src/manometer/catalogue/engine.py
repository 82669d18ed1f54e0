"""What is measured of an engine's stages."""

from manometer.catalogue.spec import FAST_BUCKETS, Across, Kind, MetricSpec, Reading

__all__ = ["SPECS", "STAGE_ACTIVE", "STAGE_DURATION", "STAGE_ERRORS", "STAGE_ITEMS", "STAGE_OLDEST_AGE"]

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
STAGE_OLDEST_AGE = MetricSpec(
    name="engine.stage.oldest_run.age",
    kind=Kind.GAUGE,
    unit="s",
    attributes=("engine.name", "engine.stage.name"),
    reading=Reading.PULL,
    across=Across.MAX,
    help="Time since the oldest run of the stage that is under way has started, and 0 while there is none.",
)
STAGE_ITEMS = MetricSpec(
    name="engine.stage.items",
    kind=Kind.COUNTER,
    unit="{item}",
    attributes=("engine.name", "engine.stage.name", "engine.stage.outcome"),
    values={"engine.stage.outcome": ("ok", "error")},
    help="Items that ended runs of the stage had to go through, by how the run ended; of stages that say how many.",
)

SPECS = (STAGE_DURATION, STAGE_ACTIVE, STAGE_ERRORS, STAGE_OLDEST_AGE, STAGE_ITEMS)
