"""A family as prometheus-client's Metric, for programs that walk a registry and know nothing else."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.samples import Sample

from manometer.meters.family import Family
from manometer.meters.parts import parts_of

__all__ = ["MetricView", "number_of_samples"]


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


def number_of_samples(family: Family) -> int:
    """How many samples the family has, without making them: the first series of a group is like the others."""
    return sum(
        len(group.series) * len([*parts_of(family.kind, group)(reading)])
        for group in family.groups
        for _, reading in group.series[:1]
    )


def _samples(family: Family) -> Iterator[Sample]:
    for group in family.groups:
        parts = parts_of(family.kind, group)
        for values, reading in group.series:
            labels = dict(zip(group.labelnames, values, strict=True))
            for suffix, value, bound, exemplar, native in parts(reading):
                own = labels if bound is None else labels | {"le": bound}
                yield Sample(family.name + suffix, own, value, None, exemplar, native)
