"""The demo's rounds: gentle faults, one after the other with quiet between, so that there is something to see."""

import logging
import time
from collections.abc import Callable, Sequence
from itertools import cycle

from alluse.faults import Fault, Faults

__all__ = ["QUIET", "ROUNDS", "Rounds"]

ROUNDS: tuple[Fault, ...] = (
    Fault("slow-broker", 0.3, 20.0),
    Fault("cold-cache", 0.5, 20.0),
    Fault("exhausted-pool", 0.9, 20.0),
    Fault("failing-broker", 0.2, 20.0),
)
QUIET = 20.0
"""Seconds before each fault in which the rounds switch none on."""

_log = logging.getLogger("alluse")


class Rounds:
    """Switches the faults on in turn. Whoever has one calls `tick()` every now and then."""

    def __init__(
        self, faults: Faults, rounds: Sequence[Fault] = ROUNDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._faults, self._clock = faults, clock
        self._turns = cycle(rounds)
        self.next = next(self._turns)
        self.due = clock() + QUIET

    def tick(self) -> None:
        """Switch the next fault on where its time has come."""
        now = self._clock()
        if now < self.due:
            return
        self._faults.start(self.next)
        _log.warning("fault %s is on at rate %g for %g s", *self.next)
        self.due = now + (self.next.seconds or 0.0) + QUIET
        self.next = next(self._turns)
