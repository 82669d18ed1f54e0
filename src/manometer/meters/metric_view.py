"""A family as prometheus-client's Metric, for programs that walk a registry and know nothing else."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import Metric
from prometheus_client.samples import Sample

from manometer.meters.family import Family, Group
from manometer.meters.readings import CounterReading, HistogramReading

__all__ = ["MetricView", "size"]


class MetricView(Metric):
    """A Metric whose samples are made when someone asks for them.

    A histogram of a thousand series has eighteen thousand samples, and who takes the family has no use for them.
    """

    def __init__(self, family: Family) -> None:
        super().__init__(family.name, family.help, family.kind, family.unit)
        self._family = family
        self._samples: list[Sample] | None = None

    @property
    def family(self) -> Family | None:
        """The family; None once somebody has had the samples, which are theirs to change."""
        return self._family if self._samples is None else None

    @property
    def samples(self) -> list[Sample]:
        """Every sample, made at the first call."""
        if self._samples is None:
            self._samples = [*_samples(self._family)]
        return self._samples

    @samples.setter
    def samples(self, samples: list[Sample]) -> None:
        self._samples = samples


def size(family: Family) -> int:
    """How many samples the family has, without making them: the first series of a group is like the others."""
    first = [group._replace(series=group.series[:1]) for group in family.groups]
    return sum(
        len(group.series) * len([*_samples(family._replace(groups=[shortened]))])
        for group, shortened in zip(family.groups, first, strict=True)
    )


def _samples(family: Family) -> Iterator[Sample]:
    for group in family.groups:
        name, expand = family.name + _SUFFIXES.get(family.kind, ""), _EXPANSIONS.get(family.kind, _value)
        if group.suffix is not None:
            name, expand = family.name + group.suffix, _value
        for values, reading in group.series:
            labels = dict(zip(group.labelnames, values, strict=True))
            yield from expand(name, group, labels, reading)


Labels = dict[str, str]
Expand = Callable[[str, Group, Labels, Any], Iterator[Sample]]


def _value(name: str, _: Group, labels: Labels, reading: Any) -> Iterator[Sample]:
    yield Sample(name, labels, reading.value)


def _counter(name: str, _: Group, labels: Labels, reading: CounterReading) -> Iterator[Sample]:
    yield Sample(f"{name}_total", labels, reading.total, None, reading.exemplar)
    if reading.created is not None:
        yield Sample(f"{name}_created", labels, reading.created)


def _histogram(
    name: str, group: Group, labels: Labels, reading: HistogramReading, of_all: str = "_"
) -> Iterator[Sample]:
    running = reading.running
    for at, (bound, count) in enumerate(zip(group.bounds, running, strict=len(running) == len(group.bounds))):
        yield Sample(f"{name}_bucket", labels | {"le": bound}, float(count), None, reading.exemplars.get(at))
    if running:
        yield Sample(f"{name}{of_all}count", labels, float(running[-1]))
    if reading.total is not None:
        yield Sample(f"{name}{of_all}sum", labels, reading.total)
    if reading.created is not None:
        yield Sample(f"{name}_created", labels, reading.created)
    if reading.native is not None:
        yield Sample(name, labels, 0.0, None, None, reading.native)


def _gauge_histogram(name: str, group: Group, labels: Labels, reading: HistogramReading) -> Iterator[Sample]:
    return _histogram(name, group, labels, reading, "_g")


_SUFFIXES: Mapping[str, str] = {"info": "_info"}
_EXPANSIONS: Mapping[str, Expand] = {
    "counter": _counter,
    "histogram": _histogram,
    "gaugehistogram": _gauge_histogram,
    "summary": _histogram,
}
