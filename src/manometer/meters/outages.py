"""Outages: what fails at present, logged when it begins and when it ends, however often it fails in between."""

import logging
from collections.abc import Hashable

__all__ = ["Outages"]

_LOGGED_AT_MOST = 100  # things whose failure is logged one by one

_log = logging.getLogger("manometer")


class Outages:
    """Remembers what fails. Any thread, signal handler or finalizer may call each method, and none raises."""

    def __init__(self) -> None:
        self.failing: dict[Hashable, object] = {}
        """What fails at present. While nothing does, code that runs often need not tell that it works."""
        self._is_full = False

    def failed(self, thing: Hashable, message: str, *args: object) -> None:
        """Within an `except` block: log the exception, unless the thing was failing before."""
        if thing in self.failing:
            return
        if len(self.failing) >= _LOGGED_AT_MOST:
            if not self._is_full:
                self._is_full = True
                _tell(logging.ERROR, "over %d things fail; further ones are not logged", _LOGGED_AT_MOST)
            return
        mine = object()
        if self.failing.setdefault(thing, mine) is mine and not _tell(logging.ERROR, message, *args, exc_info=True):
            self.failing.pop(thing, None)  # so that the next failure is logged

    def worked(self, thing: Hashable, message: str, *args: object) -> None:
        """Log that the thing works again, if it was failing."""
        if self.failing and self.failing.pop(thing, None) is not None:
            self._is_full = False
            _tell(logging.INFO, message, *args)

    def forget(self, thing: Hashable) -> None:
        """The thing is gone."""
        self.failing.pop(thing, None)
        self._is_full = False


def _tell(level: int, message: str, *args: object, exc_info: bool = False) -> bool:
    """Whether the message could be logged: at the end of its stack, the program has no room for that."""
    try:
        _log.log(level, message, *args, exc_info=exc_info)
    except Exception:
        return False
    return True
