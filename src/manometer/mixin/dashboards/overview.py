"""The overview: how well a program does, what its caches, pools and queues carry, and where that leads."""

from manometer.catalogue import self_metrics
from manometer.mixin.dashboards import cache, engine, pool, process, queue, score
from manometer.mixin.dashboards.panel import Dashboard, Row, Variable
from manometer.mixin.promql import select
from manometer.mixin.thresholds import Thresholds

__all__ = ["overview"]


def overview(config: Thresholds) -> Dashboard:
    """The dashboard that the others are reached from."""
    return Dashboard(
        uid="manometer-overview",
        title="Manometer / Overview",
        description="How well a program does, what its caches, pools and queues carry, and where that leads.",
        variables=(*_targets(), *(subject.CHOICE for subject in (engine, cache, pool, queue))),
        rows=(
            Row("Overview", (*score.panels(config), *engine.panels(config))),
            Row("Use", tuple(panel for subject in (cache, pool, queue, process) for panel in subject.panels(config))),
            Row("Trend", (*pool.trend(config), *process.trend(config))),
        ),
    )


def _targets() -> tuple[Variable, ...]:
    carried = self_metrics.SERIES  # by every target that has Manometer
    of_job = select(carried, {"job": "=~$job"})
    return (
        Variable("job", "job", "Job", select(carried), "Scrape jobs whose targets carry Manometer.", closed=True),
        Variable("instance", "instance", "Instance", of_job, "Targets of the job.", closed=True),
    )
