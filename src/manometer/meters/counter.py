"""Counter: a figure that only grows."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from operator import add
from typing import Any

from prometheus_client.context_managers import ExceptionCounter
from prometheus_client.samples import Exemplar

from manometer.errors import MetricError
from manometer.meters.amounts import real
from manometer.meters.labels import check_exemplar
from manometer.meters.meter import Meter, creation
from manometer.meters.ones import Ones, Ticks
from manometer.meters.readings import CounterReading
from manometer.meters.write_buffer import PENDING_LIMIT, WriteBuffer

__all__ = ["Counter"]

_EXACT = 2.0**53  # up to here, a float holds every whole number
_HAS_GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()  # else a C iterator may lose a count


class _Tick:
    """The `tick` of each counter. A tick leaves no sign, so once it is taken every collection reads the series."""

    def __get__(self, counter: "Counter | None", _: type | None = None) -> Any:
        """Add one: `inc()` at the price of one C call, for code that runs very often."""
        if counter is None:
            return self
        if counter.labelnames and not counter._labelvalues:
            return counter._need_series
        tick = counter._ticks.tick
        found: object = type(counter).tick
        if found is self:  # else a subclass has one of its own, and asks for this one from there
            counter.tick = tick
        counter._is_restless = True
        counter._note()
        return tick


class Counter(Meter[CounterReading]):
    """A running total of events, with prometheus-client's `Counter` interface."""

    kind = "counter"
    _shared = Meter._shared
    _exemplar: Exemplar | None
    _before: CounterReading | None
    _last: CounterReading | None
    _ticks: Ticks
    _ones: Ones
    tick: Callable[[], object] = _Tick()  # type: ignore[assignment]
    """Add one: `inc()` at the price of one C call, for code that runs very often."""

    def inc(self, amount: float = 1, exemplar: Mapping[str, str] | None = None) -> None:
        """Add to the total; MetricError (a ValueError) for an amount that is negative, or no real number."""
        self._need_series()
        self._inc(amount, exemplar)  # for a subclass that has an `inc` of its own

    def reset(self) -> None:
        """Start again from zero, as when a logical process restarts within this one."""
        self._need_series()
        pending, done = self.pending, False
        while not done:
            with pending.lock:
                pending.drain()
                version, now = pending.version, time.time()
                before = self._now().whole
                if pending.version == version:  # else a signal handler was at it meanwhile
                    self._total, self._created, self._before, pending.version = 0.0, now, before, version + 1
                    done = True
        self._note()

    def count_exceptions(
        self, exception: type[BaseException] | tuple[type[BaseException], ...] = Exception
    ) -> ExceptionCounter:
        """Count exceptions of these classes that leave a block or a decorated function."""
        self._need_series()
        return ExceptionCounter(self, exception)  # type: ignore[arg-type]

    @property
    def value(self) -> float:
        """The total so far."""
        with self.pending.lock:
            self.pending.drain()
            return self._total

    def _start(self) -> None:
        self._total = 0.0
        self._created = time.time()
        self._exemplar = None
        self._before = self._last = None
        self.pending: WriteBuffer[float] = WriteBuffer(self)
        self._ticks, self._ones = Ticks(), Ones()
        self._folded_units = 0
        # A series writes through functions of its own, which look up no attribute on the way.
        self._inc = self._incrementer()
        if type(self).inc is Counter.inc:
            self.inc = self._inc  # type: ignore[method-assign]

    def _renew(self) -> None:
        self.pending.renew()
        self._folded_units = self._units  # these themselves go on: whoever holds `tick` holds its count
        self._total = 0.0
        self._created = time.time()
        self._exemplar = self._before = None
        self._note()

    @property
    def _chunk(self) -> Iterator[bool] | None:
        return self._ones.chunk

    @property
    def _units(self) -> int:
        """What increments by one come to that are not among the pending events."""
        return self._ones.value + self._ticks.value

    def _incrementer(self) -> Callable[..., None]:  # noqa: C901 - each part in a call of its own would cost every write
        events = self.pending.events
        # A float sum depends on the order. So once another amount than one has come, each is an event of its own, and
        # there is no chunk.
        chunk = self._ones.chunk if _HAS_GIL else None

        # In quotes, so that not each series has annotations of its own.
        def inc(amount: "float" = 1, exemplar: "Mapping[str, str] | None" = None) -> "None":
            nonlocal chunk
            if amount == 1 and exemplar is None:
                if chunk is None:
                    events.append(1.0)
                elif next(chunk, False):
                    return
                else:
                    try:
                        fresh = self._ones.after(chunk)
                    except RecursionError:  # the writer is at the end of its stack
                        events.append(1.0)
                    else:
                        chunk = fresh if chunk is not None else None  # it may be gone by now
            else:
                if type(amount) is not float:
                    amount = real(self.name, amount)
                if amount < 0:
                    raise MetricError("Counters can only be incremented by non-negative amounts.")
                chunk = None
                events.append(amount)
                if exemplar:
                    self._keep(amount, exemplar)
            if len(events) >= PENDING_LIMIT:
                self.pending.relieve()

        return inc

    def _keep(self, amount: float, exemplar: Mapping[str, str]) -> None:
        if len(self.pending.events) >= PENDING_LIMIT:  # an increment counts even where its exemplar is refused
            self.pending.relieve()
        check_exemplar(exemplar)
        self._exemplar = Exemplar(dict(exemplar), float(amount), time.time())
        self._note()

    def _fold(self, reader: object) -> None:
        pending = self.pending
        version, amounts = pending.version, pending.events[:]
        taken, units = len(amounts), self._units
        if not taken and units == self._folded_units:
            return  # and the total stays the very object that the last reading has
        total = self._total + (units - self._folded_units)
        ones = amounts.count(1.0)
        if ones == taken and total.is_integer() and total + ones < _EXACT:
            total += ones
        else:  # one by one, in the order in which they came: a float sum depends on it
            total = float(reduce(add, amounts, total))
        if taken:
            self._note(reader)
        if pending.version == version:
            self._total, self._folded_units, pending.version = total, units, version + 1
            del pending.events[:taken]

    def _read(self, reader: object = None) -> CounterReading:
        pending, last = self.pending, self._last
        if (
            last is not None
            # What waits first, and then the figures: another thread may fold in between.
            and not pending.events
            and self._units == self._folded_units
            and last.total is self._total
            and last.exemplar is self._exemplar
            and last.before is self._before
            and last.created is creation(self._created)
        ):
            return last
        with pending.lock:
            pending.drain(reader)
            self._last = reading = self._now()
        return reading

    def _now(self) -> CounterReading:
        """What the figures say that are in place."""
        # Together, with no call in between: a reset replaces all of them.
        total, created, exemplar, before = self._total, self._created, self._exemplar, self._before
        return CounterReading(total, creation(created), exemplar, before)
