"""Readings of one histogram whose buckets were changed between processes, over the buckets of all."""

from collections.abc import Iterator, Sequence
from itertools import chain
from math import inf

from manometer.meters.readings import HistogramReading

__all__ = ["Head", "check_counts", "over_all_buckets"]

Head = tuple[tuple[str, ...], int]
"""Of a reading, the bounds of its buckets, and how many exponential ones it may fill."""


def check_counts(head: Head, counts: int) -> None:
    """Raise ValueError where so many running counts are not those of such buckets."""
    buckets = len(head[0])
    if counts not in (buckets, buckets + 1):
        raise ValueError(f"a histogram of {buckets} buckets and {counts} counts")


def over_all_buckets(
    heads: Sequence[Head], readings: Sequence[HistogramReading]
) -> tuple[Head, list[HistogramReading]]:
    """The readings with the same buckets, and their head. A bucket that a reading lacks holds what is known of it."""
    bounds = tuple(sorted(dict.fromkeys(chain.from_iterable(own for own, _ in heads)), key=float))
    holds_all = bool(bounds) and float(bounds[-1]) == inf
    told_apart = any(len(reading.running) > len(own) for (own, _), reading in zip(heads, readings, strict=True))
    places = {bound: at for at, bound in enumerate(bounds)}
    found = []
    for (own, limit), reading in zip(heads, readings, strict=True):
        check_counts((own, limit), len(reading.running))
        running = [*_over(bounds, own, reading.running)]
        if told_apart or (not holds_all and running):
            running.append(reading.running[-1] if reading.running else 0)
        if any(type(count) is float for count in running):
            running = [*map(float, running)]
        exemplars = {places[own[at]]: exemplar for at, exemplar in reading.exemplars.items()}
        found.append(reading._replace(running=tuple(running), exemplars=exemplars))
    return (bounds, max(limit for _, limit in heads)), found


def _over(bounds: Sequence[str], own: Sequence[str], running: Sequence[float]) -> Iterator[float]:
    known, below = dict(zip(own, running, strict=False)), 0.0 if running and type(running[-1]) is float else 0
    for bound in bounds:
        if float(bound) == inf and running:
            below = running[-1]
        # Where no bucket of the reading's own ends, this one holds what the one below holds.
        below = known.get(bound, below)
        yield below
