"""The overview: how well a program does, where the pressure is, since when, and what comes."""

from manometer.mixin.dashboards import cache, engine, pool, process, queue, resilience, score
from manometer.mixin.dashboards.panel import COMING, PRESSURE, SINCE, WELL, Dashboard, Row
from manometer.mixin.dashboards.targets import board
from manometer.mixin.thresholds import Thresholds

__all__ = ["dashboard"]


def dashboard(config: Thresholds) -> Dashboard:
    """The dashboard that the others are reached from.

    Its seven charts are throughput, latency, errors, hit ratio, saturation, memory and processor.
    """
    return board(
        "overview",
        "Overview",
        "How well a program does, where the pressure is, since when, and what comes. Each panel opens the dashboard"
        " that tells more.",
        (
            Row(WELL, score.panels(config)),
            Row(
                PRESSURE,
                (
                    *(engine.throughput(), engine.latency(config), engine.errors(config)),
                    *(cache.hit_ratio(config), pool.saturation(config), pool.waiting()),
                    *(process.memory(config, ("runtime",)), process.processor(config, ("runtime",)), queue.depth()),
                ),
            ),
            Row(SINCE, (resilience.breakers(), resilience.checks())),
            Row(COMING, (pool.forecast(config), process.memory_forecast(config))),
        ),
        (engine.CHOICE, cache.CHOICE, pool.CHOICE, queue.CHOICE),
    )
