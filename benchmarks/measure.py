"""How a speed is measured: two ways of doing a thing, in turn, many times, and the ratio pair by pair."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

__all__ = ["Row", "paired", "per_call"]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    target: what the figure has to reach, None where it is only shown; spread: the standard deviation of its repeats.
    """

    name: str
    against: str
    figure: float
    unit: str
    target: float | None = None
    at_most: bool = True
    detail: str = ""
    spread: float = 0.0

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        return self.figure <= self.target if self.at_most else self.figure >= self.target


def per_call(run: Callable[[int], object], calls: int) -> float:
    """Seconds that one call takes, from one timing of `calls` of them. `run` makes that many calls."""
    started = perf_counter()
    run(calls)
    return (perf_counter() - started) / calls


def paired(
    one: Callable[[int], object],
    other: Callable[[int], object],
    calls: int,
    rounds: int = 15,
    before: Callable[[], object] = lambda: None,
) -> tuple[float, float, float]:
    """Time two things in turn: the median ratio one/other of the pairs, and the median seconds of each.

    before: what is to be done before each pair, and not timed.
    A machine whose speed drifts slows both halves of a pair alike, so the ratio holds where a time does
    not. One round of each goes before, uncounted.
    """
    one(calls)
    other(calls)
    pairs = []
    for _ in range(rounds):
        before()
        pairs.append((per_call(one, calls), per_call(other, calls)))
    return (
        median(mine / theirs for mine, theirs in pairs),
        median(mine for mine, _ in pairs),
        median(theirs for _, theirs in pairs),
    )
