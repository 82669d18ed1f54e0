"""Gauge: a figure that goes up and down."""

import time
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, get_args

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.context_managers import InprogressTracker, Timer

from manometer.errors import MetricError
from manometer.meters.amounts import real
from manometer.meters.labels import SERIES_CAP
from manometer.meters.meter import Meter
from manometer.meters.readings import GaugeReading
from manometer.meters.write_buffer import PENDING_LIMIT, WriteBuffer

__all__ = ["Gauge", "MultiprocessMode"]

MultiprocessMode = Literal[
    "all", "liveall", "min", "livemin", "max", "livemax", "sum", "livesum", "mostrecent", "livemostrecent"
]
"""How the values of several processes become one: each by `pid`, the least, the greatest, the sum, the last one set.

With `live` in front, a value goes when its process ends; one by `pid` goes then in any case.
"""


class _Write(NamedTuple):
    sets: bool
    amount: float


class Gauge(Meter[GaugeReading]):
    """A value at this moment, with prometheus-client's `Gauge` interface.

    For what an object already knows, prefer `set_function`, or an instrumentation that pulls.
    """

    kind = "gauge"
    _adds_up = False
    _shared = (*Meter._shared, "_multiprocess_mode", "_is_most_recent")
    _function: Callable[[], float] | None
    _set_at: float
    _last: GaugeReading

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = REGISTRY,
        *,
        multiprocess_mode: MultiprocessMode = "all",
        max_series: int = SERIES_CAP,
        on_fold: Callable[[str], None] | None = None,
    ) -> None:
        if multiprocess_mode not in get_args(MultiprocessMode):
            raise MetricError(f"Invalid multiprocess mode: {multiprocess_mode}")
        self._multiprocess_mode = multiprocess_mode
        self._is_most_recent = multiprocess_mode.endswith("mostrecent")
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

    def inc(self, amount: float = 1) -> None:
        """Add to the value; MetricError (a ValueError) for an amount that is no real number."""
        self._need_series()
        self._need_sum("inc")
        self._write(_Write(False, real(self.name, amount)))

    def dec(self, amount: float = 1) -> None:
        """Take from the value; see `inc`."""
        self._need_series()
        self._need_sum("dec")
        self._write(_Write(False, -real(self.name, amount)))

    def set(self, value: float) -> None:
        """Make this the value."""
        self._need_series()
        self._write(_Write(True, float(value)))
        if self._is_most_recent:
            self._set_at = time.time()
            self._note()

    def set_to_current_time(self) -> None:
        """Make the current Unix time, in seconds, the value."""
        self.set(time.time())

    def set_function(self, f: Callable[[], float]) -> None:
        """Ask `f` for the value at each collection; every other write is without effect from now on.

        `f` may be called from any thread. Where it raises, this family is lost from that scrape.
        """
        self._need_series()
        self._function, self._is_restless = f, True
        self._note()

    def time(self) -> Timer:
        """Set the gauge to the seconds that a block or a decorated function took."""
        return Timer(self, "set")  # type: ignore[no-untyped-call]

    def track_inprogress(self) -> InprogressTracker:
        """Count one up on entering a block or a decorated function, and one down on leaving."""
        self._need_series()
        return InprogressTracker(self)  # type: ignore[no-untyped-call]

    def _need_sum(self, method: str) -> None:
        if self._is_most_recent:
            raise RuntimeError(f"{method} must not be used with the mostrecent mode")

    def _write(self, write: _Write) -> None:
        pending = self.pending
        pending.events.append(write)
        if len(pending.events) >= PENDING_LIMIT:
            pending.relieve()

    def _start(self) -> None:
        self._value = self._set_at = 0.0
        self._last = GaugeReading(0.0, 0.0)
        self._function = None
        self.pending: WriteBuffer[_Write] = WriteBuffer(self)

    def _renew(self) -> None:
        self.pending.renew()
        self._value = self._set_at = 0.0
        self._note()

    def _fold(self, reader: object) -> None:
        pending = self.pending
        version, writes = pending.version, pending.events[:]
        taken, value = len(writes), self._value
        if not taken:
            return  # and the value stays the very object that was read last
        for sets, amount in writes:
            value = amount if sets else value + amount
        self._note(reader)
        if pending.version == version:
            self._value, pending.version = value, version + 1
            del pending.events[:taken]

    def _read(self, reader: object = None) -> GaugeReading:
        if self._function is not None:
            return GaugeReading(float(self._function()), self._set_at if self._is_most_recent else None)
        pending, last = self.pending, self._last
        # What waits first, and then the figures: another thread may fold in between.
        if not pending.events and last.value is self._value and last.set_at is self._set_at:
            return last
        with pending.lock:
            pending.drain(reader)
            self._last = reading = GaugeReading(self._value, self._set_at)
        return reading
