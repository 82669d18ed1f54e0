"""Family: what one collection says of a metric, from which samples are made for those who ask for them."""

from collections.abc import Iterable, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from prometheus_client import Metric
from prometheus_client.samples import Sample

__all__ = ["Family", "Series", "Source", "Values"]

Values = tuple[str, ...]
"""The label values of a series, in the order of its family's label names."""

R = TypeVar("R")


class Series(NamedTuple, Generic[R]):
    """One series as it was read at one moment; a child that is read on its own shows no label values."""

    values: Values
    reading: R


class Source(Protocol[R]):
    """The meter that a family was read off."""

    @property
    def name(self) -> str: ...
    @property
    def documentation(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def labelnames(self) -> tuple[str, ...]: ...
    def expand(self, labels: dict[str, str], reading: R) -> Iterable[Sample]:
        """The samples of a series with these labels."""
        ...

    def together(self, readings: Sequence[R]) -> R:
        """One reading with the events of all."""
        ...


class Family(Metric, Generic[R]):
    """A metric of prometheus-client's data model whose samples wait until they are asked for.

    A histogram of a thousand series has eighteen thousand samples. Who writes text from the readings
    has no use for them; who knows prometheus-client's model alone sees no difference.

    ended: what removed series had come to; None where the source does not keep that.
    """

    def __init__(
        self,
        source: Source[R],
        series: Sequence[Series[R]],
        pulled: Sequence[Sample] = (),
        ended: Sequence[Series[R]] | None = None,
    ) -> None:
        super().__init__(source.name, source.documentation, source.kind, source.unit)
        self.source, self.series, self.pulled, self.ended = source, series, pulled, ended
        self._samples: list[Sample] | None = None

    @property
    def samples(self) -> list[Sample]:
        """Every sample, made at the first call."""
        if self._samples is None:
            names, expand = self.source.labelnames, self.source.expand
            self._samples = [
                sample
                for values, reading in self.series
                for sample in expand(dict(zip(names, values, strict=bool(values))), reading)
            ]
            self._samples += self.pulled
        return self._samples

    @samples.setter
    def samples(self, samples: list[Sample]) -> None:
        self._samples = samples

    @property
    def lasting(self) -> Sequence[Series[R]]:
        """The series, and in them what removed ones had come to, where the registry keeps that."""
        if not self.ended:
            return self.series
        readings = dict(self.ended)
        for values, reading in self.series:
            readings[values] = self.source.together([readings[values], reading]) if values in readings else reading
        return [Series(values, reading) for values, reading in readings.items()]

    @property
    def is_as_read(self) -> bool:
        """Whether the readings still say all: nobody has had the samples, which are theirs to change."""
        return self._samples is None

    @property
    def size(self) -> int:
        """How many series a scraper makes of it, without making the samples."""
        if self._samples is not None:
            return len(self._samples)
        if not self.series:
            return len(self.pulled)
        names = self.source.labelnames
        first: Any = self.series[0]
        each = len(list(self.source.expand(dict(zip(names, first.values, strict=bool(first.values))), first.reading)))
        return each * len(self.series) + len(self.pulled)
