"""What a Prometheus is given: the raw samples of instances, and a past of what the rules record of them."""

from typing import NamedTuple

import numpy as np

from fleet.instance import Series, series
from recording import encoded

__all__ = ["JOB", "SCRAPED", "give_past", "give_scrapes"]

JOB = "alluse"
SCRAPED = 15  # seconds
_UP = Series({"__name__": "up"}, 1.0, 0.0)
_VARIANTS = 7  # courses that a figure takes; instances share them, so that each is encoded once
_TOGETHER = 500  # series in one request


class Course(NamedTuple):
    """The samples of a series, encoded: the newest, and all before it."""

    older: bytes
    newest: bytes


def give_scrapes(prometheus, numbers, reach, now):
    """What scrapes of the instances of these numbers told, as far back as any rule looks.

    numbers: of the instances; reach: seconds that rules look back, by the name of a series; now: a Unix time.
    """
    kinds = [(each.labels, _courses(each, reach[each.labels["__name__"]], now)) for each in (*series(), _UP)]
    for number in numbers:
        target = {"job": JOB, "instance": f"i{number}"}
        _give(prometheus, [({**labels, **target}, courses[number % _VARIANTS]) for labels, courses in kinds])


def give_past(prometheus, rules, reach, step, now):
    """What the rules of a group recorded so far, as far back as any rule looks: about what they give now.

    Rule by rule, as each reads those before it. step: the group's interval, in seconds.
    """
    rng = np.random.default_rng(1)
    for rule in rules:
        if "record" not in rule:
            continue
        times = np.arange(now - reach.get(rule["record"], step) // step * step, now + 1, step)
        more = {"__name__": rule["record"], **rule.get("labels", {})}
        found = prometheus.api("query", query=rule["expr"], time=now)["result"]
        for start in range(0, len(found), _TOGETHER):
            given = (
                ({**each["metric"], **more}, float(each["value"][1]) * rng.uniform(0.99, 1.01, len(times)))
                for each in found[start : start + _TOGETHER]
            )
            _give(prometheus, [(labels, _course(times, values)) for labels, values in given])


def _courses(one, reach, now):
    """The samples of a figure in each of its variants."""
    times = np.arange(now - reach, now + 1, SCRAPED)
    return [
        _course(times, one.value + one.growth * (times - times[0]) * (1 + variant / 10))
        for variant in range(_VARIANTS)
    ]


def _course(times, values):
    samples = dict(zip(times.tolist(), values.tolist(), strict=True))
    newest = {times[-1]: samples.pop(times[-1])}
    return Course(encoded(samples), encoded(newest))


def _give(prometheus, given):
    """Store pairs of labels and a course. The newest samples come in a request of their own, as a scrape brings them.

    Prometheus remembers of each sample which request brought it, until the next request. Whoever reads a series goes
    through these notes, so that a past that came at once would make every look at it dear.
    """
    for part in Course._fields:
        prometheus.give_many([(labels, getattr(course, part)) for labels, course in given])
