"""Counter: a figure that only grows."""

import time
from collections.abc import Callable, Mapping

from prometheus_client.context_managers import ExceptionCounter
from prometheus_client.samples import Exemplar, Sample

from manometer.errors import MetricError
from manometer.meters.labels import check_exemplar
from manometer.meters.meter import Meter, shows_created
from manometer.meters.pending import PENDING_LIMIT, Pending, Ticks

__all__ = ["Counter"]


class Counter(Meter):
    """A running total of events, with prometheus-client's `Counter` interface."""

    kind = "counter"
    _exemplar: Exemplar | None
    _ticks: Ticks

    def inc(self, amount: float = 1, exemplar: Mapping[str, str] | None = None) -> None:  # noqa: ARG002
        """Add to the total; MetricError (a ValueError) for a negative amount."""
        self._need_series()

    def tick(self) -> object:
        """Add one: `inc()` at the price of one C call, for code that runs very often."""
        self._need_series()
        return None

    def reset(self) -> None:
        """Start again from zero, as when a logical process restarts within this one."""
        self._need_series()
        with self._pending:
            self._total = 0.0
            self._created = time.time()

    def count_exceptions(
        self, exception: type[BaseException] | tuple[type[BaseException], ...] = Exception
    ) -> ExceptionCounter:
        """Count exceptions of these classes that leave a block or a decorated function."""
        self._need_series()
        return ExceptionCounter(self, exception)  # type: ignore[arg-type]

    @property
    def value(self) -> float:
        """The total so far."""
        with self._pending:
            return self._total

    def _start(self) -> None:
        self._total = 0.0
        self._created = time.time()
        self._exemplar = None
        self._pending: Pending[float] = Pending(self._fold)
        self._ticks = Ticks()
        self._folded_ticks = 0
        # A series writes through functions of its own, which look up no attribute on the way.
        self.inc = self._incrementer()  # type: ignore[method-assign]
        self.tick = self._ticks.tick  # type: ignore[method-assign]

    def _renew(self) -> None:
        self._pending.renew()
        self._folded_ticks = self._ticks.value  # the ticks themselves go on: whoever holds `tick` holds their count
        self._total = 0.0
        self._created = time.time()
        self._exemplar = None

    def _incrementer(self) -> Callable[..., None]:
        events, relieve, tick = self._pending.events, self._pending.relieve, self._ticks.tick
        append = events.append
        one, only_ones = 1, True

        def inc(amount: float = 1, exemplar: Mapping[str, str] | None = None) -> None:
            nonlocal only_ones
            if amount is one and only_ones and exemplar is None:
                tick()
                return
            # From the first other amount on, all are folded in the order in which they came: a float
            # sum depends on it. Ones before that are exact in any order.
            only_ones = False
            if amount < 0:
                raise MetricError("Counters can only be incremented by non-negative amounts.")
            append(amount + 0.0)
            if len(events) >= PENDING_LIMIT:
                relieve()
            if exemplar:
                check_exemplar(exemplar)
                self._exemplar = Exemplar(dict(exemplar), amount, time.time())

        return inc

    def _fold(self, amounts: list[float]) -> None:
        ticks = self._ticks.value
        total = self._total + (ticks - self._folded_ticks)
        self._folded_ticks = ticks
        for amount in amounts:
            total += amount
        self._total = total

    def _samples(self, labels: dict[str, str]) -> list[Sample]:
        with self._pending:
            total, created, exemplar = self._total, self._created, self._exemplar
        samples = [self._sample("_total", labels, total, exemplar)]
        if shows_created():
            samples.append(self._sample("_created", labels, created))
        return samples
