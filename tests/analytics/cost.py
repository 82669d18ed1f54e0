"""Measure what the rules of analytics cost Prometheus with a thousand instances: `python tests/analytics/cost.py`.

The processor time of Prometheus is taken, not the time that passes: so other programs on the machine change little.
"""

import json
import sys
from pathlib import Path

import numpy as np
import psutil

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "shared")]

from measured import COST, cost  # noqa: E402

from manometer.catalogue import Kind, cache, engine, pool, process, queue, resilience, runtime, self_metrics  # noqa: E402
from manometer.mixin import rules  # noqa: E402
from manometer.mixin.rules.analytics import family  # noqa: E402
from manometer.mixin.rules.analytics.anomaly import SEASONS  # noqa: E402
from manometer.mixin.rules.analytics.signals import signals  # noqa: E402
from manometer.mixin.thresholds import Thresholds  # noqa: E402
from recording import past  # noqa: E402

INSTANCES = 1000
SCRAPED = 15  # seconds
NOW = 1_700_000_000 // 30 * 30
RAW = range(NOW - 600, NOW + 1, SCRAPED)
NAME = "process"  # the collector of that name marks the processes that have Manometer
TIMES = 3  # that each rule is evaluated

# What the reference application has of each metric: how many values of its name, besides those of its closed labels.
NAMES = (
    (engine.STAGE_DURATION, 7),
    (engine.STAGE_ACTIVE, 7),
    (cache.REQUESTS, 3),
    (cache.EVICTIONS, 3),
    (pool.RESOURCES, 1),
    (pool.RESOURCE_LIMIT, 1),
    (pool.WAIT_DURATION, 1),
    (queue.ITEMS, 1),
    (queue.ITEM_LIMIT, 1),
    (queue.WAIT_DURATION, 1),
    (resilience.RETRY_ATTEMPTS, 1),
    (process.MEMORY_USAGE, 1),
    (process.UPTIME, 1),
    (self_metrics.COLLECT_DURATION, 1),
    (process.CPU_TIME, 1),
    (process.FILE_DESCRIPTORS, 1),
    (runtime.GC_PAUSE, 1),
    (runtime.LOOP_LAG, 1),
)


def series(row, names):
    """The labels of each series that an instance has of a metric and the rules read."""
    parts = ("_sum", "_count") if row.kind is Kind.HISTOGRAM else ("",)
    found = [{"__name__": row.prometheus_name + part} for part in parts]
    named = next((each for each in reversed(row.attributes) if each not in row.values), None)
    for attribute, label in zip(row.attributes, row.labels, strict=True):
        open_ended = [f"{NAME}{number or ''}" for number in range(names if attribute == named else 1)]
        values = row.values.get(attribute, open_ended)
        found = [{**labels, label: value} for labels in found for value in values]
    return found


def give_raw(prometheus):
    """What was scraped of every instance in the last ten minutes; the number of its series."""
    every = [labels for row, names in NAMES for labels in series(row, names)]
    samples = {time: float(place) for place, time in enumerate(RAW)}
    for number in range(INSTANCES):
        prometheus.give_many([({**labels, "job": "alluse", "instance": f"i{number}"}, samples) for labels in every])
    return len(every)


def give_recorded(prometheus, config):
    """What the rules recorded before: as long back as any of them reads."""
    step = config.interval.seconds
    rng = np.random.default_rng(1)
    week, day = (range(NOW - seconds, NOW + 1, step) for seconds in (7 * 86400 + 3600, 86400))
    for signal in signals(config):
        labels = {"job": "alluse", "signal": signal.name}
        for name in (family.VALUE, family.LOG):
            samples = dict(zip(week, rng.uniform(1, 2, len(week)).tolist(), strict=True))
            prometheus.give({"__name__": name, **labels}, samples)
        prometheus.give({"__name__": family.TIME, **labels}, {time: float(time) for time in day})
        prometheus.give({"__name__": family.GRAIN, "signal": signal.name}, {NOW: 1.0})
        for name in (family.SLOPE, family.R2):
            prometheus.give({"__name__": name, **labels}, {NOW: 1.0})
        for season in ("level", *SEASONS):
            for name in (family.RESIDUAL, family.DISTANCE):
                samples = dict(zip(day, rng.uniform(0, 1, len(day)).tolist(), strict=True))
                prometheus.give({"__name__": name, "season": season, **labels}, samples)
            for name in (family.CENTRE, family.DEVIATION, family.SPREAD):
                prometheus.give({"__name__": name, "season": season, **labels}, {NOW: 1.0})


def seconds(prometheus, exprs):
    """The processor time that one evaluation of all of these takes, the median of some."""
    server = psutil.Process(prometheus.pid)
    taken = []
    for _ in range(TIMES):
        before = server.cpu_times()
        for expr in exprs:
            prometheus.api("query", query=expr, time=NOW)
        after = server.cpu_times()
        taken.append(after.user + after.system - before.user - before.system)
    return round(float(np.median(taken)), 3)


def main():
    """Measure, print, and keep the record."""
    config = Thresholds()
    [group] = rules.files(config)["analytics"]["groups"]
    recorded = [rule for rule in group["rules"] if "record" in rule]
    raw = [rule["expr"] for rule in recorded if rule["record"] == family.VALUE]
    rest = [rule["expr"] for rule in recorded if rule["record"] != family.VALUE]
    with past() as prometheus:
        of_instance = give_raw(prometheus)
        give_recorded(prometheus, config)
        measured = {"signals": seconds(prometheus, raw), "template": seconds(prometheus, rest)}
    record = {
        "instances": INSTANCES,
        "series": of_instance,
        "count": len(raw),
        "interval": config.interval.seconds,
        "seconds": measured,
    }
    COST.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(cost() + "\n")


if __name__ == "__main__":
    main()
