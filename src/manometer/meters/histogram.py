"""Histogram: how a quantity is spread over fixed buckets."""

import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import accumulate
from math import inf
from operator import add
from types import MappingProxyType
from typing import NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.context_managers import Timer
from prometheus_client.samples import Exemplar, Sample
from prometheus_client.utils import floatToGoString

from manometer.errors import MetricError
from manometer.meters.labels import SERIES_CAP, check_exemplar
from manometer.meters.meter import Meter, creation
from manometer.meters.pending import PENDING_LIMIT, Pending

__all__ = ["Histogram", "HistogramReading"]


_NONE: Mapping[int, Exemplar] = MappingProxyType({})


class HistogramReading(NamedTuple):
    """A histogram's series at one moment.

    running: events in each bucket and those below it; total: their sum, None where it is not to be
    shown; created: Unix time in seconds, likewise; exemplars: by the bucket's place.
    """

    running: tuple[int, ...]
    total: float | None
    created: float | None
    exemplars: Mapping[int, Exemplar]


class Histogram(Meter[HistogramReading]):
    """Observations counted in buckets, with prometheus-client's `Histogram` interface.

    buckets: upper bounds, inclusive and ascending; +Inf is added where it is missing.
    """

    kind = "histogram"
    _reserved = frozenset({"le"})
    _shared = (*Meter._shared, "bounds", "bound_labels")
    DEFAULT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, inf)

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = REGISTRY,
        buckets: Sequence[float | str] = DEFAULT_BUCKETS,
        *,
        max_series: int = SERIES_CAP,
        on_fold: Callable[[str], None] | None = None,
    ) -> None:
        self.bounds = _bounds(buckets)
        self.bound_labels = tuple(map(floatToGoString, self.bounds))
        super().__init__(
            name,
            documentation,
            labelnames,
            namespace,
            subsystem,
            unit,
            registry,
            max_series=max_series,
            on_fold=on_fold,
        )

    def observe(self, amount: float, exemplar: Mapping[str, str] | None = None) -> None:  # noqa: ARG002
        """Count one observation, with an exemplar (labels such as `trace_id`) where one is given."""
        self._need_series()

    def time(self) -> Timer:
        """Observe the seconds that a block or a decorated function took."""
        return Timer(self, "observe")  # type: ignore[no-untyped-call]

    def _start(self) -> None:
        self._sum = 0.0
        self._counts = array("Q", bytes(8 * len(self.bounds)))
        self._created = time.time()
        self._exemplars: Mapping[int, Exemplar] = _NONE  # replaced, never changed: a reading keeps it as it is
        self._pending: Pending[float] = Pending(self._fold)
        # A series writes through a function of its own, which looks up no attribute on the way.
        self.observe = self._observer()  # type: ignore[method-assign]

    def _observer(self) -> Callable[..., None]:
        events = self._pending.events

        def observe(amount: float, exemplar: Mapping[str, str] | None = None) -> None:
            events.append(amount + 0.0)
            if len(events) >= PENDING_LIMIT:
                self._pending.relieve()
            if exemplar:
                self._keep(amount, exemplar)

        return observe

    def _keep(self, amount: float, exemplar: Mapping[str, str]) -> None:
        check_exemplar(exemplar)
        if amount == amount:  # NaN falls in no bucket that could carry it
            kept = Exemplar(dict(exemplar), amount, time.time())
            self._exemplars = {**self._exemplars, bisect_left(self.bounds, amount): kept}

    def _fold(self, amounts: list[float]) -> None:
        # The sum in the order in which they came, which a float sum depends on; then the buckets of the
        # sorted batch, one search a bucket instead of one an event.
        self._sum = total = reduce(add, amounts, self._sum)
        if total != total:  # NaN spoils the sum, as in prometheus-client, and is in no bucket
            amounts = [amount for amount in amounts if amount == amount]
        amounts.sort()
        counts, placed, events = self._counts, 0, len(amounts)
        for bucket, bound in enumerate(self.bounds):
            if placed == events:
                break
            below = bisect_right(amounts, bound, placed)
            counts[bucket] += below - placed
            placed = below

    def _read(self) -> HistogramReading:
        with self._pending:
            counts, total, exemplars = self._counts[:], self._sum, self._exemplars
        # A sum that may fall is no counter, so it is not shown where a bucket takes negative amounts.
        shown = total if self.bounds[0] >= 0 else None
        return HistogramReading(tuple(accumulate(counts)), shown, creation(self._created), exemplars)

    def expand(self, labels: dict[str, str], reading: HistogramReading) -> Iterator[Sample]:
        name = self.name
        for at, running in enumerate(reading.running):
            bucket = labels | {"le": self.bound_labels[at]}
            yield Sample(f"{name}_bucket", bucket, float(running), None, reading.exemplars.get(at))
        yield Sample(f"{name}_count", labels, float(reading.running[-1]), None, None)
        if reading.total is not None:
            yield Sample(f"{name}_sum", labels, reading.total, None, None)
        if reading.created is not None:
            yield Sample(f"{name}_created", labels, reading.created, None, None)


def _bounds(buckets: Sequence[float | str]) -> tuple[float, ...]:
    bounds = [float(bound) for bound in buckets]
    if bounds != sorted(bounds):
        raise MetricError("Buckets not in sorted order")
    if bounds and bounds[-1] != inf:
        bounds.append(inf)
    if len(bounds) < 2:
        raise MetricError("Must have at least two buckets")
    return tuple(bounds)
