"""The overview: how well a program does, where the pressure is, since when, and what comes."""

from collections.abc import Iterable
from dataclasses import replace

from manometer.mixin.dashboards import cache, engine, pool, process, queue, resilience, score
from manometer.mixin.dashboards.panel import COMING, PRESSURE, SINCE, WELL, Dashboard, Panel, Row
from manometer.mixin.dashboards.targets import board
from manometer.mixin.thresholds import Thresholds

__all__ = ["dashboard"]


def dashboard(config: Thresholds) -> Dashboard:
    """The dashboard that the others are reached from.

    Its seven charts are throughput, latency, errors, hit ratio, saturation, memory and processor; what waits stands
    beside them.
    """
    stages = (engine.throughput(), engine.latency(config), engine.errors(config))
    return board(
        "overview",
        "Overview",
        "How well a program does, where the pressure is, since when, and what comes. Each panel opens the dashboard"
        " that tells more.",
        (
            Row(WELL, (*_leading_to(("fleet",), score.panels(config)),)),
            Row(
                PRESSURE,
                (
                    *_leading_to(("engine",), stages),
                    *_leading_to(("cache",), [cache.hit_ratio(config)]),
                    *_leading_to(("pool", "workers"), [pool.saturation(config), pool.waiting()]),
                    *_leading_to(("runtime", "host"), [process.memory(config), process.processor(config)]),
                    *_leading_to(("workers",), [queue.depth()]),
                ),
            ),
            Row(SINCE, (*_leading_to(("resilience",), [resilience.breakers(), resilience.checks()]),)),
            Row(
                COMING,
                (
                    *_leading_to(("pool",), [pool.forecast(config)]),
                    *_leading_to(("runtime",), [process.memory_forecast(config)]),
                ),
            ),
        ),
        (engine.CHOICE, cache.CHOICE, pool.CHOICE, queue.CHOICE),
    )


def _leading_to(names: tuple[str, ...], panels: Iterable[Panel]) -> Iterable[Panel]:
    return (replace(panel, opens=names) for panel in panels)
