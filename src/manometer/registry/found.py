"""What a collection found, for all who waited for it together."""

from collections.abc import Callable, Hashable, Iterable
from threading import Lock
from typing import Any, TypeVar

from manometer.registry.collection import Collected

__all__ = ["Found"]

M = TypeVar("M")


class Found(list[Collected]):
    """The families, and what one of those who share them made of them for the others."""

    def __init__(self, families: Iterable[Collected] = ()) -> None:
        super().__init__(families)
        self._made: dict[Hashable, Any] = {}
        self._lock = Lock()

    def once(self, key: Hashable, make: Callable[[], M]) -> M:
        """What `make` returns, called by the first who asks for this key; the others wait for it."""
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            made: M = self._made[key]
        return made
