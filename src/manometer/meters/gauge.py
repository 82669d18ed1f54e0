"""Gauge: a figure that goes up and down."""

import time
from collections.abc import Callable
from typing import NamedTuple

from prometheus_client.context_managers import InprogressTracker, Timer
from prometheus_client.samples import Sample

from manometer.meters.meter import Meter
from manometer.meters.pending import PENDING_LIMIT, Pending

__all__ = ["Gauge"]


class _Write(NamedTuple):
    sets: bool
    amount: float


class Gauge(Meter):
    """A value at this moment, with prometheus-client's `Gauge` interface.

    For what an object already knows, prefer `set_function`, or an instrumentation that pulls.
    """

    kind = "gauge"
    _function: Callable[[], float] | None

    def inc(self, amount: float = 1) -> None:
        """Add to the value."""
        self._need_series()
        self._write(_Write(False, amount + 0.0))

    def dec(self, amount: float = 1) -> None:
        """Take from the value."""
        self._need_series()
        self._write(_Write(False, -amount - 0.0))

    def set(self, value: float) -> None:
        """Make this the value."""
        self._need_series()
        self._write(_Write(True, float(value)))

    def set_to_current_time(self) -> None:
        """Make the current Unix time, in seconds, the value."""
        self.set(time.time())

    def set_function(self, f: Callable[[], float]) -> None:
        """Ask `f` for the value at each collection; every other write is without effect from now on.

        `f` may be called from any thread. Where it raises, this family is lost from that scrape.
        """
        self._need_series()
        self._function = f

    def time(self) -> Timer:
        """Set the gauge to the seconds that a block or a decorated function took."""
        return Timer(self, "set")  # type: ignore[no-untyped-call]

    def track_inprogress(self) -> InprogressTracker:
        """Count one up on entering a block or a decorated function, and one down on leaving."""
        self._need_series()
        return InprogressTracker(self)  # type: ignore[no-untyped-call]

    def _write(self, write: _Write) -> None:
        pending = self._pending
        pending.events.append(write)
        if len(pending.events) >= PENDING_LIMIT:
            pending.relieve()

    def _start(self) -> None:
        self._value = 0.0
        self._function = None
        self._pending: Pending[_Write] = Pending(self._fold)

    def _renew(self) -> None:
        self._pending.renew()
        self._value = 0.0

    def _fold(self, writes: list[_Write]) -> None:
        value = self._value
        for sets, amount in writes:
            value = amount if sets else value + amount
        self._value = value

    def _samples(self, labels: dict[str, str]) -> list[Sample]:
        if self._function is not None:
            return [self._sample("", labels, float(self._function()))]
        with self._pending:
            value = self._value
        return [self._sample("", labels, value)]
