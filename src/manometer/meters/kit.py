"""What Manometer measures of itself on one registry."""

from collections import Counter as Tally
from collections.abc import Iterable
from threading import Lock
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from manometer.catalogue import kit as rows
from manometer.meters.catalogued import Pulled, family, meter, pulled
from manometer.meters.counter import Counter
from manometer.meters.fork import freed_in_child, renewed_in_child

__all__ = ["Kit"]


class Kit(Collector):
    """The `manometer_*` families of a registry; made when the first of Manometer comes to it."""

    def __init__(self) -> None:
        self.collect_failures = meter(rows.COLLECT_FAILURES, Counter)
        self.label_folds = meter(rows.LABEL_FOLDS, Counter)
        self.spans = meter(rows.SPANS, Counter)
        self.file_failures = meter(rows.PROCESS_FILE_FAILURES, Counter)
        self.failing: set[str] = set()  # collectors that raised when they were last read
        self._durations: Tally[str] = Tally()
        self._series: Tally[str] = Tally()
        renewed_in_child(self)

    @classmethod
    def of(cls, registry: CollectorRegistry) -> "Kit":
        """The registry's kit figures, made and registered where it has none."""
        with _lock:
            kit = _kits.get(registry)
            if kit is None:
                freed_in_child(registry._lock)
                _kits[registry] = kit = cls()
                registry.register(kit)
        return kit

    @classmethod
    def existing(cls, registry: CollectorRegistry) -> "Kit | None":
        """The registry's kit figures, where there are any."""
        return _kits.get(registry)

    def failed(self, collector: str) -> None:
        """A reading of that collector raised."""
        self.collect_failures.labels(collector).inc()

    def folded(self, family_name: str) -> None:
        """A new series of that family went to `other`."""
        self.label_folds.labels(family_name).inc()

    def collected(self, durations: Tally[str], series: Tally[str]) -> None:
        """A collection ended: seconds by collector, and series by family."""
        self._durations, self._series = durations, series

    def renew(self) -> None:
        """Forget the last collection: in a forked child it was the parent's."""
        self._durations, self._series = Tally(), Tally()

    def describe(self) -> Iterable[Metric]:
        return [family(row) for row in rows.SPECS]

    def collect(self) -> Iterable[Metric]:
        for pushed in (self.collect_failures, self.label_folds, self.spans, self.file_failures):
            yield from (metric for metric in pushed.collect() if metric.samples)
        figures: list[Pulled] = [
            *((rows.COLLECT_DURATION, {"collector": name}, value) for name, value in self._durations.items()),
            *((rows.SERIES, {"family": name}, value) for name, value in self._series.items()),
        ]
        yield from pulled(figures)


_kits: WeakKeyDictionary[CollectorRegistry, Kit] = WeakKeyDictionary()
_lock = freed_in_child(Lock())
