"""The one form of what was collected, from a meter, an object's figures or another process's file."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from manometer.meters.readings import CounterReading, GaugeReading, HistogramReading, Reading

__all__ = ["Family", "Group", "Series", "Values", "kind_of_reading"]

Values = tuple[str, ...]
"""The label values of a series, in the order of its group's label names."""

Series = tuple[Values, Any]
"""One series: its label values and its reading. A plain tuple, since a collection makes thousands of them."""

_KINDS: dict[str, type[Reading]] = {
    "counter": CounterReading,
    "histogram": HistogramReading,
    "gaugehistogram": HistogramReading,
    "summary": HistogramReading,
}


class Group(NamedTuple):
    """Series of a family with the same label names and the same buckets.

    bounds: the `le` of each bucket; native_limit: how many exponential buckets a series may fill.
    suffix: what the family's name lacks of the samples' name, where a series is no whole figure of the family's kind
    but a single value, such as the quantile of a summary; else None.
    merge_mode: how the series of several processes become one, once a process shares them.
    lines: where whoever writes the series as text keeps what it wrote, from one collection to the next.
    source: the meter, or what stands for it and lives as long, where it keeps what its removed series came to, and
    `ended`: those.
    """

    labelnames: Values
    series: Sequence[Series]
    bounds: tuple[str, ...] = ()
    native_limit: int = 0
    suffix: str | None = None
    merge_mode: str = ""
    source: object = None
    ended: Sequence[Series] = ()
    lines: dict[Any, Any] | None = None


class Family(NamedTuple):
    """A metric family. kind: one of prometheus-client's metric types."""

    name: str
    kind: str
    help: str
    unit: str
    groups: Sequence[Group]

    @property
    def series(self) -> list[Series]:
        """The series of all groups."""
        return [*chain.from_iterable([group.series for group in self.groups])]


def kind_of_reading(kind: str, suffix: str | None) -> type[Reading]:
    """The class of the readings of a group of that suffix in a family of that kind."""
    return _KINDS.get(kind, GaugeReading) if suffix is None else GaugeReading
