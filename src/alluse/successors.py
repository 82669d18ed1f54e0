"""Successors: what will be read next, learned from what was read."""

from collections import Counter
from collections.abc import Sequence

__all__ = ["Successors"]


class Successors:
    """Learns which place of a sequence is worked on after which, and what is read besides while that is done.

    Work on a place is a turn. After the same place, the same one is expected again; after one that is new, the step
    that was taken most often. Besides, what was read in the last two turns is expected, as far from the place.
    Not safe for threads: its owner keeps a lock.
    """

    def __init__(self) -> None:
        self._place: int | None = None
        self._place_before: int | None = None
        self._after: dict[int, int] = {}  # at most one for each place that there is
        self._steps = Counter({1: 1})
        self._read: set[int] = set()  # as offsets from the place
        self._read_before: set[int] = set()

    def turn(self, place: int) -> None:
        """Work on a place begins. Nothing changes where it goes on, or where another thread still does the last."""
        if place in (self._place, self._place_before):
            return
        if self._place is not None:
            self._after[self._place] = place
            self._steps[place - self._place] += 1
        self._place_before, self._place = self._place, place
        self._read, self._read_before = set(), self._read

    def read(self, place: int) -> None:
        """A place was read in this turn."""
        if self._place is not None:
            self._read.add(place - self._place)

    def following(self, count: int) -> Sequence[int]:
        """The places that should come next, the nearest first."""
        place, found = self._place, list[int]()
        if place is None:
            return found
        ((step, _),) = self._steps.most_common(1)
        for _ in range(count):
            place = self._after.get(place, place + step)
            found.append(place)
        return found

    def beside(self, place: int) -> Sequence[int]:
        """The places that should be read while that one is worked on, in their order."""
        return [place + offset for offset in sorted(self._read | self._read_before)]
