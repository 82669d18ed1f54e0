"""Outages: what fails at present, logged when it begins and when it ends, however often it fails in between."""

import logging
from collections.abc import Hashable
from time import monotonic

__all__ = ["Outages"]

_LOGGED_AT_MOST = 10  # things whose failure is logged one by one
_CALM = 60.0  # seconds without a failure, until a thing that fails on and off is said to work again
_REMEMBERED = 100  # things that work again, of which it is known when they did

_log = logging.getLogger("manometer")


class _Outage:
    """A thing fails. doubted_until: until then, nobody believes that the thing works again; 0 for no doubt."""

    __slots__ = ("doubted_until",)

    def __init__(self, doubted_until: float) -> None:
        self.doubted_until = doubted_until


class Outages:
    """Remembers what fails. Any thread, signal handler or finalizer may call each method, and none raises.

    A thing that fails again within a minute after it worked again fails on and off. Its end is logged when the thing
    has not failed for a minute.
    are_shared: each name stands for many things, some of which may fail while others work. So each failure of that
    name counts as one that is on and off.
    """

    def __init__(self, *, are_shared: bool = False) -> None:
        self.failing: dict[Hashable, _Outage] = {}
        """What fails at present. While nothing does, code that runs often need not tell that it works."""
        self._are_shared = are_shared
        self._calm_at: dict[Hashable, float] = {}
        self._is_full = False

    def failed(self, thing: Hashable, message: str, *args: object) -> None:
        """Within an `except` block: log the exception, unless the thing was failing before."""
        calm_at = monotonic() + _CALM
        known = self.failing.get(thing)
        if known is not None:
            if known.doubted_until:
                known.doubted_until = calm_at
            return
        if len(self.failing) >= _LOGGED_AT_MOST:
            if not self._is_full:
                self._is_full = True
                _tell(logging.ERROR, "over %d things fail; further ones are not logged", _LOGGED_AT_MOST)
            return
        is_doubtful = self._are_shared or calm_at - _CALM < self._calm_at.get(thing, 0.0)
        mine = _Outage(calm_at if is_doubtful else 0.0)
        if self.failing.setdefault(thing, mine) is mine and not _tell(logging.ERROR, message, *args, exc_info=True):
            self.failing.pop(thing, None)  # so that the next failure is logged

    def worked(self, thing: Hashable, message: str, *args: object) -> None:
        """Log that the thing works again, if it was failing."""
        known = self.failing.get(thing)
        if known is None or (known.doubted_until and monotonic() < known.doubted_until):
            return
        if self.failing.pop(thing, None) is not None:
            self._is_full = False
            if len(self._calm_at) >= _REMEMBERED:
                self._calm_at.clear()
            self._calm_at[thing] = monotonic() + _CALM
            _tell(logging.INFO, message, *args)

    def forget(self, thing: Hashable) -> None:
        """The thing is gone."""
        self.failing.pop(thing, None)
        self._calm_at.pop(thing, None)
        self._is_full = False


def _tell(level: int, message: str, *args: object, exc_info: bool = False) -> bool:
    """Whether the message could be logged: at the end of its stack, the program has no room for that."""
    try:
        _log.log(level, message, *args, exc_info=exc_info)
    except Exception:
        return False
    return True
