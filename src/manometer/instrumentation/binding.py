"""Binding: what an adapter and a program have of the tie between an object and its series."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from manometer.catalogue import MetricSpec
from manometer.errors import BindingError
from manometer.instrumentation.clock import Clock
from manometer.instrumentation.identity import NONE
from manometer.instrumentation.tie import Tie
from manometer.meters import Counter, Gauge, Histogram
from manometer.meters.fork import notice
from manometer.registry.catalogued import Pulled

__all__ = ["Binding"]


@dataclass(frozen=True, repr=False)
class Binding:
    """Owns the series of one instrumented object; `close()` removes exactly those.

    An instrumentation makes one and hands the object back; `Binding.of(object)` gives one that equals it.
    It holds the object weakly where it can: when the object dies, its series go with the next
    collection or binding. Binding a second object under the name replaces the first.
    """

    _tie: Tie

    @staticmethod
    def of(target: object) -> "Binding":
        """The open binding of an instrumented object; BindingError where it has none."""
        tie = Tie.of(target)
        if tie is None:
            raise BindingError(
                f"{type(target).__qualname__} at {id(target):#x} is not bound; "
                "pass what instrument_cache, instrument_pool or their siblings returned; "
                "another object that was given its name has replaced it, if there was one"
            )
        return Binding(tie)

    @property
    def closed(self) -> bool:
        """Whether its series have been removed."""
        return self._tie.closed

    @property
    def target(self) -> object | None:
        """The instrumented object, or None when it is gone."""
        return self._tie.target

    @property
    def path(self) -> str:
        """The subject and the values of the object's attributes, for messages: `pool/orders/connection`."""
        return self._tie.series.path

    @property
    def attributes(self) -> Mapping[str, str]:
        """What tells the object's series from those of its siblings, by the attributes' OpenTelemetry names."""
        return self._tie.series.identity

    @property
    def clock(self) -> Clock:
        """What durations are measured by: to be called twice, in seconds."""
        return self._tie.clock

    def counter(self, metric: MetricSpec | str, attributes: Mapping[str, str] = NONE) -> Counter:
        """A series of one of the subject's counters, for an event that the library itself hides.

            evicted = binding.counter("cache.evictions", {"cache.eviction.cause": "capacity"}).inc

        metric: its row in the catalogue, or its OpenTelemetry name. attributes: those beyond the object's own, by
        their OpenTelemetry names. BindingError where the subject has no such metric, attribute or value.
        """
        return self._tie.series.of(metric, Counter, attributes)

    def gauge(self, metric: MetricSpec | str, attributes: Mapping[str, str] = NONE) -> Gauge:
        """A series of one of the subject's gauges; see `counter`."""
        return self._tie.series.of(metric, Gauge, attributes)

    def histogram(self, metric: MetricSpec | str, attributes: Mapping[str, str] = NONE) -> Histogram:
        """A series of one of the subject's histograms; see `counter`."""
        return self._tie.series.of(metric, Histogram, attributes)

    def pulls(self, read: Callable[[Any], Iterable[Pulled]]) -> None:
        """Ask `read(object)` for its figures at each collection: one snapshot, all its figures."""
        self._tie.read = read

    def undoes(self, undo: Callable[[Any], object]) -> None:
        """Call `undo(object)` on closing, where the object is alive, to take the instrumentation off it."""
        self._tie.undo.append(undo)

    def close(self) -> None:
        """Remove this binding's series and take the instrumentation off; a second call does nothing."""
        notice()
        self._tie.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._tie)
