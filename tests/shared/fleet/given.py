"""What a Prometheus is given: the raw samples of instances, and a past of what the rules record of them."""

import numpy as np

from fleet.instance import Series, series
from recording import encoded

__all__ = ["JOB", "SCRAPED", "give_past", "give_scrapes"]

JOB = "alluse"
SCRAPED = 15  # seconds
_UP = Series({"__name__": "up"}, 1.0, 0.0)
_VARIANTS = 7  # courses that a figure takes; instances share them, so that each is encoded once


def give_scrapes(prometheus, numbers, reach, now):
    """What scrapes of the instances of these numbers told, as far back as any rule looks.

    numbers: of the instances; reach: seconds that rules look back, by the name of a series; now: a Unix time.
    """
    kinds = [(each.labels, _courses(each, reach[each.labels["__name__"]], now)) for each in (*series(), _UP)]
    for number in numbers:
        target = {"job": JOB, "instance": f"i{number}"}
        prometheus.give_many([({**labels, **target}, courses[number % _VARIANTS]) for labels, courses in kinds])


def give_past(prometheus, rules, reach, step, now):
    """What the rules of a group recorded so far, as far back as any rule looks: about what they give now.

    Rule by rule, as each reads those before it. step: the group's interval, in seconds.
    """
    rng = np.random.default_rng(1)
    for rule in rules:
        if "record" not in rule:
            continue
        times = range(now - reach.get(rule["record"], step) // step * step, now + 1, step)
        for found in prometheus.api("query", query=rule["expr"], time=now)["result"]:
            labels = {**found["metric"], "__name__": rule["record"], **rule.get("labels", {})}
            values = float(found["value"][1]) * rng.uniform(0.99, 1.01, len(times))
            prometheus.give(labels, dict(zip(times, values.tolist(), strict=True)))


def _courses(one, reach, now):
    """The samples of a figure in each of its variants."""
    times = range(now - reach, now + 1, SCRAPED)
    return [
        encoded({time: one.value + one.growth * (time - times[0]) * (1 + variant / 10) for time in times})
        for variant in range(_VARIANTS)
    ]
