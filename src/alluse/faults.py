"""Faults: what can be made to go wrong on purpose, each at a rate or for a time."""

import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

from alluse.errors import FaultError

__all__ = ["FAULTS", "Active", "Fault", "Faults"]

FAULTS: Mapping[str, str] = {
    "slow-broker": "the broker takes 0.5 s longer over that share of the orders, and keeps the connection meanwhile",
    "failing-broker": "the broker breaks off halfway through that share of what it is sent or asked",
    "exhausted-pool": "that share of the book's connections is held by something else",
    "cold-cache": "that share of the market-data lookups finds nothing cached",
    "leaking-memory": "memory is kept for nothing, at that share of 16 MB a second, up to 512 MB",
    "stalled-loop": "the event loop is blocked for that share of the time",
    "stuck-human": "that share of the approvals is not answered while it lasts",
    "slow-human": "the human takes 30 s longer over that share of the questions, and those behind it wait",
    "crash": "the process ends at once in that share of the workflows",
}
"""Every fault by name, with what its rate means."""


class Fault(NamedTuple):
    """One fault as it was asked for. seconds: None for until further notice."""

    name: str
    rate: float = 1.0
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name`, `name=rate` or `name=rate:seconds`; FaultError for anything else."""
        name, given, figures = text.partition("=")
        rate, timed, seconds = figures.partition(":")
        return cls.checked(name.strip(), rate if given else 1.0, seconds if timed else None)

    @classmethod
    def checked(cls, name: str, rate: str | float = 1.0, seconds: str | float | None = None) -> Self:
        """The fault, its figures read and checked; FaultError says which one is wrong."""
        if name not in FAULTS:
            raise FaultError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
        share = _number(rate, f"the rate of {name}", "a number over 0 and up to 1")
        if not 0 < share <= 1:
            raise FaultError(f"the rate of {name} is {rate}; it takes a number over 0 and up to 1")
        if seconds is None:
            return cls(name, share)
        lasting = _number(seconds, f"the time of {name}", "a number of seconds over 0")
        if not lasting > 0:
            raise FaultError(f"the time of {name} is {seconds}; it takes a number of seconds over 0")
        return cls(name, share, lasting)


@dataclass(frozen=True, slots=True)
class Active:
    """A fault that is on. until: by the monotonic clock, infinite where it is until further notice."""

    rate: float
    until: float


class Faults:
    """Which faults are on. Safe to ask and to change from any thread; asking costs next to nothing while none is."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, chance: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._active: dict[str, Active] = {}
        self._lock = threading.Lock()

    def start(self, fault: Fault) -> None:
        """Switch a fault on, in the place of the same one's earlier rate and time."""
        until = math.inf if fault.seconds is None else self._clock() + fault.seconds
        with self._lock:
            self._active = {**self._active, fault.name: Active(fault.rate, until)}

    def stop(self, name: str) -> None:
        """Switch a fault off; FaultError where there is none of that name."""
        if name not in FAULTS:
            raise FaultError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
        with self._lock:
            self._active = {each: active for each, active in self._active.items() if each != name}

    def stop_all(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._active = {}

    def rate(self, name: str) -> float:
        """The rate of a fault that is on, else 0."""
        active = self._active.get(name)
        return active.rate if active is not None and self._clock() < active.until else 0.0

    def active(self) -> Mapping[str, Active]:
        """The faults that are on."""
        now = self._clock()
        return {name: active for name, active in self._active.items() if now < active.until}

    def strikes(self, name: str) -> bool:
        """Whether the fault hits this time, by its rate."""
        return name in self._active and self._chance() < self.rate(name)

    def state(self) -> dict[str, dict[str, float | bool | str | None]]:
        """Every fault: what it is, whether it is on, at which rate, for how many seconds more."""
        now, active = self._clock(), self._active
        told: dict[str, dict[str, float | bool | str | None]] = {}
        for name, meaning in FAULTS.items():
            rate = self.rate(name)
            left = active[name].until - now if rate and name in active else math.inf
            told[name] = {
                "on": bool(rate),
                "rate": rate,
                "seconds_left": round(left, 3) if math.isfinite(left) else None,
                "meaning": meaning,
            }
        return told


def _number(value: str | float, what: str, wanted: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FaultError(f"{what} is {value!r}; it takes {wanted}")
    return number
