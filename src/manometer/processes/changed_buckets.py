"""Readings of one histogram whose buckets were changed between processes, over the buckets of all."""

from collections.abc import Iterator, Sequence
from itertools import chain
from math import inf
from typing import NamedTuple, Self

from manometer.meters.family import Group
from manometer.meters.readings import HistogramReading

__all__ = ["Head", "over_all_buckets"]


class Head(NamedTuple):
    """What the readings of a group have in common.

    bounds: the `le` of each bucket; native_limit: how many exponential ones a series may fill; counts: how many
    running counts a reading has, 0 where it is no histogram's.
    """

    bounds: tuple[str, ...]
    native_limit: int
    counts: int

    @classmethod
    def of(cls, group: Group) -> Self:
        """The head of a group."""
        reading = group.series[0][1] if group.series else None
        counts = len(reading.running) if isinstance(reading, HistogramReading) else 0
        return cls(group.bounds, group.native_limit, counts)

    def check(self) -> None:
        """Raise ValueError where there are other counts than buckets."""
        buckets = len(self.bounds)
        if self.counts not in (buckets, buckets + 1):
            raise ValueError(f"a histogram of {buckets} buckets and {self.counts} counts")


def over_all_buckets(
    heads: Sequence[Head], readings: Sequence[HistogramReading]
) -> tuple[Head, list[HistogramReading]]:
    """The readings with the same buckets, and their head. A bucket that a reading lacks holds what is known of it."""
    for head in heads:
        head.check()
    bounds = tuple(sorted(dict.fromkeys(chain.from_iterable(head.bounds for head in heads)), key=float))
    holds_all = bool(bounds) and float(bounds[-1]) == inf
    told_apart = any(head.counts > len(head.bounds) for head in heads)
    places = {bound: at for at, bound in enumerate(bounds)}
    found = []
    for (own, _, counts), reading in zip(heads, readings, strict=True):
        running = [*_over(bounds, own, reading.running)]
        if told_apart or (counts and not holds_all):
            running.append(reading.running[-1] if counts else 0)
        if float in map(type, running):
            running = [*map(float, running)]
        exemplars = {places[own[at]]: exemplar for at, exemplar in reading.exemplars.items()}
        found.append(reading._replace(running=tuple(running), exemplars=exemplars))
    return Head(bounds, max(head.native_limit for head in heads), len(found[0].running)), found


def _over(bounds: Sequence[str], own: Sequence[str], running: Sequence[float]) -> Iterator[float]:
    known, below = dict(zip(own, running, strict=False)), 0.0 if running and type(running[-1]) is float else 0
    for bound in bounds:
        if float(bound) == inf and running:
            below = running[-1]
        # Where no bucket of the reading's own ends, this one holds what the one below holds.
        below = known.get(bound, below)
        yield below
