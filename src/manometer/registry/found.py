"""What a collection found, for all who waited for it together."""

from collections.abc import Callable, Hashable, Iterable
from threading import Lock
from typing import Any, TypeVar

from manometer.registry.collection import Collected

__all__ = ["Found"]

M = TypeVar("M")

_KEPT = 2
"""Things made that are kept for the others: they are large, and most of those who ask at one moment ask for one."""


class Found(list[Collected]):
    """The families, and what one of those who share them made of them for the others."""

    def __init__(self, families: Iterable[Collected] = ()) -> None:
        super().__init__(families)
        self._made: dict[Hashable, Any] = {}
        self._lock = Lock()

    def once(self, key: Hashable, make: Callable[[], M]) -> M:
        """What `make` returns, called by the first who asks for this key; the others wait for it.

        Of the keys that were asked for before the last two, it is made once more.
        """
        with self._lock:
            if key not in self._made:
                while len(self._made) >= _KEPT:
                    del self._made[next(iter(self._made))]
                self._made[key] = make()
            made: M = self._made[key]
        return made
