"""Counter: a figure that only grows."""

import time
from collections.abc import Callable, Mapping
from functools import reduce
from operator import add

from prometheus_client.context_managers import ExceptionCounter
from prometheus_client.samples import Exemplar

from manometer.errors import MetricError
from manometer.meters.amounts import real
from manometer.meters.labels import check_exemplar
from manometer.meters.meter import Meter, creation
from manometer.meters.readings import CounterReading
from manometer.meters.write_buffer import PENDING_LIMIT, Ticks, WriteBuffer

__all__ = ["Counter"]

_EXACT = 2.0**53  # up to here, a float holds every whole number


class Counter(Meter[CounterReading]):
    """A running total of events, with prometheus-client's `Counter` interface."""

    kind = "counter"
    _shared = Meter._shared
    _exemplar: Exemplar | None
    _before: CounterReading | None
    _last: CounterReading | None
    _ticks: Ticks

    def inc(self, amount: float = 1, exemplar: Mapping[str, str] | None = None) -> None:
        """Add to the total; MetricError (a ValueError) for an amount that is negative, or no real number."""
        self._need_series()
        self._incrementer()(amount, exemplar)  # for a subclass that has an `inc` of its own

    def tick(self) -> object:
        """Add one: `inc()` at the price of one C call, for code that runs very often."""
        self._need_series()
        return self._ticks.tick()

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
        self.pending: WriteBuffer[float] = WriteBuffer(self._fold)
        self._ticks = Ticks()
        self._folded_ticks = 0
        # A series writes through functions of its own, which look up no attribute on the way.
        if type(self).inc is Counter.inc:
            self.inc = self._incrementer()  # type: ignore[method-assign]
        if type(self).tick is Counter.tick:
            self.tick = self._ticks.tick  # type: ignore[method-assign]

    def _renew(self) -> None:
        self.pending.renew()
        self._folded_ticks = self._ticks.value  # the ticks themselves go on: whoever holds `tick` holds their count
        self._total = 0.0
        self._created = time.time()
        self._exemplar = self._before = None

    def _incrementer(self) -> Callable[..., None]:
        events, relieve = self.pending.events, self.pending.relieve

        def inc(amount: float = 1, exemplar: Mapping[str, str] | None = None) -> None:
            if amount == 1 and exemplar is None:
                events.append(1.0)
            else:
                if type(amount) is not float:
                    amount = real(self.name, amount)
                if amount < 0:
                    raise MetricError("Counters can only be incremented by non-negative amounts.")
                events.append(amount)
                if exemplar:
                    if len(events) >= PENDING_LIMIT:  # here too: one that is refused has been counted all the same
                        relieve()
                    self._keep(amount, exemplar)
            if len(events) >= PENDING_LIMIT:
                relieve()

        return inc

    def _keep(self, amount: float, exemplar: Mapping[str, str]) -> None:
        check_exemplar(exemplar)
        self._exemplar = Exemplar(dict(exemplar), float(amount), time.time())

    def _fold(self) -> None:
        pending = self.pending
        version, amounts = pending.version, pending.events[:]
        taken, ticks = len(amounts), self._ticks.value
        if not taken and ticks == self._folded_ticks:
            return  # and the total stays the very object that the last reading has
        total = self._total + (ticks - self._folded_ticks)
        ones = amounts.count(1.0)
        if ones == taken and total.is_integer() and total + ones < _EXACT:
            total += ones
        else:  # one by one, in the order in which they came: a float sum depends on it
            total = float(reduce(add, amounts, total))
        if pending.version == version:
            self._total, self._folded_ticks, pending.version = total, ticks, version + 1
            del pending.events[:taken]

    def _read(self) -> CounterReading:
        pending, last = self.pending, self._last
        if (
            last is not None
            # What waits first, and then the figures: another thread may fold in between.
            and not pending.events
            and self._ticks.value == self._folded_ticks
            and last.total is self._total
            and last.exemplar is self._exemplar
            and last.before is self._before
            and last.created is creation(self._created)
        ):
            return last
        with pending.lock:
            pending.drain()
            self._last = reading = self._now()
        return reading

    def _now(self) -> CounterReading:
        """What the figures say that are in place."""
        # Together, with no call in between: a reset replaces all of them.
        total, created, exemplar, before = self._total, self._created, self._exemplar, self._before
        return CounterReading(total, creation(created), exemplar, before)
