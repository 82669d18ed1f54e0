"""Histogram: how a quantity is spread over fixed buckets, and on request over exponential ones."""

import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from math import inf
from operator import add

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.context_managers import Timer
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

from manometer.errors import MetricError
from manometer.meters.exponential import BUCKET_LIMIT, ExponentialBuckets
from manometer.meters.labels import SERIES_CAP, check_exemplar
from manometer.meters.meter import Meter, creation
from manometer.meters.outages import Outages
from manometer.meters.readings import NO_EXEMPLARS, HistogramReading
from manometer.meters.write_buffer import PENDING_LIMIT, WriteBuffer

__all__ = ["Histogram"]

_strange = Outages(are_shared=True)  # by the name of a family, which all its series share


class Histogram(Meter[HistogramReading]):
    """Observations counted in buckets, with prometheus-client's `Histogram` interface.

    buckets: upper bounds, inclusive and ascending; +Inf is added where it is missing.
    native_schema: counts in exponential buckets as well, or with `buckets=()` in those alone, for scrapers that
    take native histograms. From -4 to 8: a bound is 2**2**-schema times the one before, at 3 so 9 % over it.
    max_native_buckets: how many of them a series may fill before neighbours merge and its schema falls by one.
    """

    kind = "histogram"
    _reserved = frozenset({"le"})
    _shared = (*Meter._shared, "bounds", "bound_labels", "_native")
    _exponential: ExponentialBuckets | None
    _last: HistogramReading | None
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
        self._native = None if native_schema is None else (native_schema, max_native_buckets)
        if self._native is not None:
            ExponentialBuckets(*self._native)  # so that what is out of range is refused here, not at a series' start
        self.bounds = _bounds(buckets) if buckets or self._native is None else (inf,)
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

    @property
    def _upper_bounds(self) -> list[float]:
        """The bounds, under prometheus-client's name for them."""
        return list(self.bounds)

    @property
    def max_native_buckets(self) -> int:
        """How many exponential buckets a series may fill; 0 where it has none."""
        return 0 if self._native is None else self._native[1]

    def observe(self, amount: float, exemplar: Mapping[str, str] | None = None) -> None:
        """Count one observation, with an exemplar (labels such as `trace_id`) where one is given.

        What is no real number, such as a complex number, is lost, which is logged.
        """
        self._need_series()
        self._observer()(amount, exemplar)  # for a subclass that has an `observe` of its own

    def time(self) -> Timer:
        """Observe the seconds that a block or a decorated function took."""
        return Timer(self, "observe")  # type: ignore[no-untyped-call]

    def _start(self) -> None:
        self._begin()
        self._last = None
        self.pending: WriteBuffer[float] = WriteBuffer(self)
        # A series writes through a function of its own, which looks up no attribute on the way.
        if type(self).observe is Histogram.observe:
            self.observe = self._observer()  # type: ignore[method-assign]

    def _begin(self) -> None:
        self._sum = 0.0
        # These two are replaced, never changed: a reading keeps them as they are.
        self._running = array("Q", bytes(8 * len(self.bounds)))
        self._exemplars: Mapping[int, Exemplar] = NO_EXEMPLARS
        self._created = time.time()
        self._exponential = None if self._native is None else ExponentialBuckets(*self._native)

    def _renew(self) -> None:
        self.pending.renew()
        self._begin()
        self._note()

    def _observer(self) -> Callable[..., None]:
        events = self.pending.events

        # In quotes, so that not each series has annotations of its own.
        def observe(amount: "float", exemplar: "Mapping[str, str] | None" = None) -> "None":
            events.append(amount + 0.0)
            if len(events) >= PENDING_LIMIT:
                self.pending.relieve()
            if exemplar:
                self._keep(amount, exemplar)

        return observe

    def _keep(self, amount: float, exemplar: Mapping[str, str]) -> None:
        check_exemplar(exemplar)
        if amount == amount:  # NaN falls in no bucket that could carry it
            kept = Exemplar(dict(exemplar), float(amount), time.time())
            if self._exponential is not None:
                self._exponential.keep(kept)
            # At last, because it is by this mapping that a reading knows of a new exemplar.
            self._exemplars = {**self._exemplars, bisect_left(self.bounds, amount): kept}
            self._note()

    def _fold(self, reader: object) -> None:
        pending = self.pending
        version, amounts = pending.version, pending.events[:]
        taken, exponential = len(amounts), self._exponential
        if not taken:
            return  # and the counts stay the very object that the last reading has
        try:
            total, ordered = self._added(amounts)
        except Exception:
            if all(type(amount) is float for amount in amounts):
                raise  # a signal handler's
            # A complex number, an array: what could be added up, and is nowhere between two bounds. To refuse it
            # where it is written would cost every observation.
            _strange.failed(self.name, "observations of %s that are no real numbers are lost", self.name)
            amounts = list(_real(amounts))
            total, ordered = self._added(amounts)
        else:
            _strange.worked(self.name, "observations of %s are real numbers again", self.name)
        # A list on the way, because an array that grows holds on to more than it needs.
        running = array("Q", list(map(add, self._running, _running(ordered, self.bounds))))
        if exponential is not None:
            exponential = exponential.copy()
            exponential.fold(amounts)
        self._note(reader)
        if pending.version == version:
            self._sum, self._running, self._exponential, pending.version = total, running, exponential, version + 1
            del pending.events[:taken]

    def _added(self, amounts: list[float]) -> tuple[float, list[float]]:
        """The sum with these, and these in ascending order, for one search a bucket instead of one an event."""
        total = float(reduce(add, amounts, self._sum))  # in the order in which they came: a float sum depends on it
        if total != total:  # NaN spoils the sum, as in prometheus-client, and is in no bucket
            amounts = [amount for amount in amounts if amount == amount]
        return total, sorted(amounts)

    def _read(self, reader: object = None) -> HistogramReading:
        pending, last = self.pending, self._last
        if (
            last is not None
            # What waits first, and then the figures: another thread may fold in between.
            and not pending.events
            and last.running is self._running
            and last.exemplars is self._exemplars
            and last.created is creation(self._created)
        ):
            return last
        with pending.lock:
            pending.drain(reader)
            self._last = reading = self._now()
        return reading

    def _now(self) -> HistogramReading:
        """What the figures say that are in place."""
        # Together, with no call in between: a fold replaces all of them.
        running, total, exemplars, exponential = self._running, self._sum, self._exemplars, self._exponential
        native = None if exponential is None else exponential.histogram(total)
        # A sum that may fall is no counter, so it is not shown where a bucket takes negative amounts.
        shown = total if self.bounds[0] >= 0 else None
        return HistogramReading(running, shown, creation(self._created), exemplars, native)


def _running(ordered: Sequence[float], bounds: Sequence[float]) -> list[int]:
    """How many of these there are up to each bound."""
    if not ordered:
        return [0] * len(bounds)
    first, last = bisect_left(bounds, ordered[0]), bisect_left(bounds, ordered[-1])
    amid = [bisect_right(ordered, bound) for bound in bounds[first:last]]
    return [0] * first + amid + [len(ordered)] * (len(bounds) - last)


def _real(amounts: Iterable[object]) -> Iterator[float]:
    for amount in amounts:
        with suppress(TypeError, ValueError):
            yield float(amount)  # type: ignore[arg-type]


def _bounds(buckets: Sequence[float | str]) -> tuple[float, ...]:
    bounds = [float(bound) for bound in buckets]
    if bounds != sorted(bounds):
        raise MetricError("Buckets not in sorted order")
    if bounds and bounds[-1] != inf:
        bounds.append(inf)
    if len(bounds) < 2:
        raise MetricError("Must have at least two buckets")
    return tuple(bounds)
