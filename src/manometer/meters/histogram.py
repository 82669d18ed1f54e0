"""Histogram: how a quantity is spread over fixed buckets."""

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
from manometer.meters.labels import SERIES_CAP, check_exemplar
from manometer.meters.meter import Meter, shows_created
from manometer.meters.pending import PENDING_LIMIT, Pending

__all__ = ["Histogram"]


class Histogram(Meter):
    """Observations counted in buckets, with prometheus-client's `Histogram` interface.

    buckets: upper bounds, inclusive and ascending; +Inf is added where it is missing.
    """

    kind = "histogram"
    _reserved = frozenset({"le"})
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
        self._bounds = _bounds(buckets)
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
        self._pending: Pending[float] = Pending(self._fold)
        # A series writes through a function of its own, which looks up no attribute on the way.
        self.observe = self._observer()  # type: ignore[method-assign]

    def _renew(self) -> None:
        self._pending.renew()
        self._sum = 0.0
        self._counts = [0] * len(self._bounds)
        self._created = time.time()
        self._exemplars.clear()

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
                    self._exemplars[bisect_left(self._bounds, amount)] = Exemplar(dict(exemplar), amount, time.time())

        return observe

    def _inherited(self) -> dict[str, Any]:
        return super()._inherited() | {"_bounds": self._bounds, "_bound_labels": self._bound_labels}

    def _fold(self, amounts: list[float]) -> None:
        bounds, counts, total = self._bounds, self._counts, self._sum
        for amount in amounts:
            total += amount
            if amount == amount:  # NaN spoils the sum, as in prometheus-client, and is in no bucket
                counts[bisect_left(bounds, amount)] += 1
        self._sum = total

    def _samples(self, labels: dict[str, str]) -> list[Sample]:
        with self._pending:
            counts, total, created = self._counts[:], self._sum, self._created
            exemplars = self._exemplars.copy()
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
