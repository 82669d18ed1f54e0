"""Finds the series of one or two label values by these alone: to make a tuple of them first costs a fifth more."""

from typing import Any, Generic, TypeVar

from manometer.meters.family import Values

__all__ = ["Lookup"]

C = TypeVar("C", bound=Any)

_FIRST_LOOK = 16


class Lookup(Generic[C]):
    """The series of a family, for who looks them up at every event and takes no lock.

    of_one: those of one label value. Those of two are in `by_first[first][second]`, or, where `by_first` is empty,
    in `by_second[second][first]`: whichever takes fewer dictionaries, so that a label of many values, such as a
    path, has not one for each.

    Whoever calls a method holds a lock. A signal handler or a finalizer on the same thread may come amid it, and
    call any. Whatever it did, a series may then be missing here, so that its family has to be asked; but what was
    dropped is not found.
    """

    def __init__(self) -> None:
        self.of_one: dict[str, C] = {}
        self.by_first: dict[str, dict[str, C]] = {}
        self.by_second: dict[str, dict[str, C]] = {}
        self._look_at = _FIRST_LOOK
        self._drops = 0

    def put(self, values: Values, child: C) -> None:
        """Have the series found by these label values. Whoever calls this drops it where it is gone by then."""
        if len(values) == 1:
            self.of_one[values[0]] = child
        elif len(values) == 2:
            used, (outer, inner) = (self.by_first, values) if self.by_first else (self.by_second, values[::-1])
            used.setdefault(outer, {})[inner] = child
            if len(used) > self._look_at:
                self._look_at *= 2
                if 2 * len(set().union(*used.values())) < len(used):
                    self._turn()

    def drop(self, values: Values) -> None:
        """Have no series found by these label values."""
        self._drops += 1
        if len(values) == 1:
            self.of_one.pop(values[0], None)
        elif len(values) == 2:  # off both: a signal may have ended a turn midway
            for used, (outer, inner) in ((self.by_first, values), (self.by_second, values[::-1])):
                found = used.get(outer, {})
                found.pop(inner, None)
                if not found:
                    used.pop(outer, None)
            if not self.by_first and not self.by_second:
                self._look_at = _FIRST_LOOK

    def clear(self) -> None:
        """Have no series found. The only method that needs no lock: it empties each dictionary by one C call."""
        self._drops += 1
        for found in (self.of_one, self.by_first, self.by_second):
            found.clear()

    def _turn(self) -> None:
        """Use the other dictionary from now on, unless something is dropped meanwhile."""
        used, other = (self.by_first, self.by_second) if self.by_first else (self.by_second, self.by_first)
        drops, turned = self._drops, dict[str, dict[str, C]]()
        for outer in [*used]:  # lists of keys alone: amid a list of pairs, CPython 3.11 may run a finalizer
            for inner in [*used.get(outer, ())]:
                if self._drops != drops:
                    return
                turned.setdefault(inner, {})[outer] = used[outer][inner]
        if self._drops == drops:  # with no call in between, so that no handler comes amid
            other.update(turned)
            used.clear()
