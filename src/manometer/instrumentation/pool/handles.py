"""SQLAlchemy's pools that lend one connection to several at a time: each use, told by what the program holds."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.pool import _ConnectionFairy

from manometer.instrumentation.pool.lending import Lending

__all__ = ["fairy_uses"]

_USE = "_manometer_use"


def fairy_uses(lending: Lending) -> Callable[[Any], object]:
    """What stands for a use of a fairy, SQLAlchemy's word for the connection that a program holds.

    Such a pool hears of a return once, however many fairies are out; so the fairy itself tells. One
    that is lent again before it is closed has several uses, and all of them end when it goes back.
    """
    ended = lending.takes_back(_ignore)

    def use(fairy: Any) -> _Use:
        found: _Use | None = fairy.__dict__.get(_USE)
        if found is None:
            found = fairy.__dict__[_USE] = _Use(ended)
            fairy.__class__ = _Fairy
        found.times += 1
        return found

    return use


class _Use:
    """The uses of one fairy; they end with it where nobody closes it."""

    __slots__ = ("__weakref__", "_ended", "times")

    def __init__(self, ended: Callable[[object, object], object]) -> None:
        self._ended, self.times = ended, 0

    def over(self) -> None:
        while self.times:
            self.times -= 1
            self._ended(None, self)

    __del__ = over


class _Fairy(_ConnectionFairy):
    """A fairy that tells when it goes back to the pool, or is detached from it."""

    __slots__ = ()

    def _checkin(self, *args: Any, **kwargs: Any) -> None:
        try:
            super()._checkin(*args, **kwargs)
        finally:
            self.__dict__[_USE].over()

    def detach(self) -> None:
        try:
            super().detach()
        finally:
            self.__dict__[_USE].over()


_Fairy.__name__, _Fairy.__qualname__ = _ConnectionFairy.__name__, _ConnectionFairy.__qualname__


def _ignore(_pool: object, _use: object) -> None:
    """Nothing of the pool's has to be called."""
