"""Histogram: how a quantity is spread over fixed buckets, and on request over exponential ones."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from math import inf
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.context_managers import Timer
from prometheus_client.samples import Exemplar, Sample
from prometheus_client.utils import floatToGoString

from manometer.errors import MetricError
from manometer.meters.exponential import BUCKET_LIMIT, ExponentialBuckets
from manometer.meters.labels import SERIES_CAP, check_exemplar
from manometer.meters.meter import Meter, shows_created
from manometer.meters.pending import PENDING_LIMIT, Pending

__all__ = ["Histogram"]


class Histogram(Meter):
    """Observations counted in buckets, with prometheus-client's `Histogram` interface.

    buckets: upper bounds, inclusive and ascending; +Inf is added where it is missing.
    native_schema: counts in exponential buckets as well, or with `buckets=()` in those alone, for scrapers that
    take native histograms. From -4 to 8: a bound is 2**2**-schema times the one before, at 3 so 9 % over it.
    max_native_buckets: how many of them a series may fill before neighbours merge and its schema falls by one.
    """

    kind = "histogram"
    _reserved = frozenset({"le"})
    _native: tuple[int, int] | None = None  # schema and limit
    _exponential: ExponentialBuckets  # only where _native is set
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
        native_schema: int | None = None,
        max_native_buckets: int = BUCKET_LIMIT,
    ) -> None:
        if native_schema is not None:
            self._native = native_schema, max_native_buckets
            ExponentialBuckets(*self._native)  # so that what is out of range is refused here, not at a series' start
        self._bounds = _bounds(buckets) if buckets or native_schema is None else (inf,)
        self._bound_labels = tuple(map(floatToGoString, self._bounds))
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
        self._counts = [0] * len(self._bounds)
        self._created = time.time()
        self._exemplars: dict[int, Exemplar] = {}
        if self._native is not None:
            self._exponential = ExponentialBuckets(*self._native)
        self._pending: Pending[float] = Pending(self._fold if self._native is None else self._fold_twice)
        # A series writes through a function of its own, which looks up no attribute on the way.
        self.observe = self._observer()  # type: ignore[method-assign]

    def _observer(self) -> Callable[..., None]:
        events, relieve = self._pending.events, self._pending.relieve
        append = events.append

        def observe(amount: float, exemplar: Mapping[str, str] | None = None) -> None:
            append(amount + 0.0)
            if len(events) >= PENDING_LIMIT:
                relieve()
            if exemplar:
                check_exemplar(exemplar)
                if amount == amount:  # NaN falls in no bucket that could carry it
                    kept = Exemplar(dict(exemplar), amount, time.time())
                    self._exemplars[bisect_left(self._bounds, amount)] = kept
                    if self._native is not None:
                        self._exponential.keep(kept)

        return observe

    def _inherited(self) -> dict[str, Any]:
        native = {} if self._native is None else {"_native": self._native}
        return super()._inherited() | {"_bounds": self._bounds, "_bound_labels": self._bound_labels} | native

    def _fold(self, amounts: list[float]) -> None:
        bounds, counts, total = self._bounds, self._counts, self._sum
        for amount in amounts:
            total += amount
            if amount == amount:  # NaN spoils the sum, as in prometheus-client, and is in no bucket
                counts[bisect_left(bounds, amount)] += 1
        self._sum = total

    def _fold_twice(self, amounts: list[float]) -> None:
        self._fold(amounts)
        self._exponential.fold(amounts)

    def _samples(self, labels: dict[str, str]) -> list[Sample]:
        with self._pending:
            counts, total, created = self._counts[:], self._sum, self._created
            exemplars = self._exemplars.copy()
            native = None if self._native is None else self._exponential.histogram(total)
        samples = []
        running = 0
        for at, running in enumerate(accumulate(counts)):
            bucket = labels | {"le": self._bound_labels[at]}
            samples.append(self._sample("_bucket", bucket, float(running), exemplars.get(at)))
        samples.append(self._sample("_count", labels, float(running)))
        if self._bounds[0] >= 0:  # a sum that may fall is no counter, so OpenMetrics leaves it out
            samples.append(self._sample("_sum", labels, total))
        if shows_created():
            samples.append(self._sample("_created", labels, created))
        if native is not None:
            samples.append(Sample(self._name, labels, 0.0, None, None, native))
        return samples


def _bounds(buckets: Sequence[float | str]) -> tuple[float, ...]:
    bounds = [float(bound) for bound in buckets]
    if bounds != sorted(bounds):
        raise MetricError("Buckets not in sorted order")
    if bounds and bounds[-1] != inf:
        bounds.append(inf)
    if len(bounds) < 2:
        raise MetricError("Must have at least two buckets")
    return tuple(bounds)
