"""How many samples the rules read: a cost that no other program on the machine changes."""

from typing import NamedTuple

from fleet.given import give_past, give_scrapes
from fleet.reach import groups, reaches, seconds
from recording import past

__all__ = ["Samples", "count"]

NOW = 1_700_000_000 // 600 * 600
FEW, MANY = 10, 30


class Samples(NamedTuple):
    """What an evaluation of a group reads, by Prometheus's own count: of each instance, and besides."""

    of_each: float
    besides: float


def count():
    """The samples that each group reads."""
    few, many = (_read(instances) for instances in (FEW, MANY))
    return {name: _split(few[name], many[name]) for name in few}


def _split(few, many):
    of_each = (many - few) / (MANY - FEW)
    return Samples(of_each, few - FEW * of_each)


def _read(instances):
    every = groups()
    reach = reaches(rule["expr"] for group in every for rule in group["rules"])
    with past() as prometheus:
        give_scrapes(prometheus, range(instances), reach, NOW)
        for group in every:
            give_past(prometheus, group["rules"], reach, seconds(group), NOW)
        return {group["name"]: sum(_touched(prometheus, rule["expr"]) for rule in group["rules"]) for group in every}


def _touched(prometheus, expr):
    answer = prometheus.api("query", query=expr, time=NOW, stats="all")
    return answer["stats"]["samples"]["totalQueryableSamples"]
